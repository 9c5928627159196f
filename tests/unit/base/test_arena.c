/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/base/arena.h"

static void pieces_are_zeroed_and_aligned(void **state)
{
	static const uint8_t zero[100000];
	static const size_t sizes[] = { 1, 7, 16, 17, 4096, 65536, 100000 };
	struct ay_arena a AY_CLEANUP(ay_arena_fini);

	(void)state;
	ay_arena_init(&a, 1u << 20);
	for (size_t i = 0; i < AY_COUNT(sizes); i++) {
		uint8_t *p = ay_arena_alloc(&a, sizes[i]);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_memory_equal(p, zero, sizes[i]);
		memset(p, 0xa5, sizes[i]); /* the next piece must not see it */
	}
}

static void the_cap_holds(void **state)
{
	struct ay_arena a AY_CLEANUP(ay_arena_fini);

	(void)state;
	ay_arena_init(&a, 1024);
	assert_null(ay_arena_alloc(&a, 1025));
	assert_non_null(ay_arena_alloc(&a, 512));
	assert_null(ay_arena_alloc(&a, 513));
	assert_non_null(ay_arena_alloc(&a, 512));
	assert_null(ay_arena_alloc(&a, 1));
	assert_non_null(ay_arena_alloc(&a, 0));
	assert_true(a.used <= a.max);
}

static void sizes_that_overflow_are_refused(void **state)
{
	struct ay_arena a AY_CLEANUP(ay_arena_fini);

	(void)state;
	ay_arena_init(&a, SIZE_MAX);
	/* the head of a block must not wrap around either */
	for (size_t below = 0; below < 64; below++)
		assert_null(ay_arena_alloc(&a, SIZE_MAX - below));
	assert_null(ay_arena_array(&a, SIZE_MAX / 2, 3));
	assert_null(ay_arena_array(&a, (size_t)1 << 33, (size_t)1 << 33));
	assert_null(ay_arena_str(&a, (struct ay_bytes){ NULL, SIZE_MAX }));
	assert_non_null(ay_arena_array(&a, 0, SIZE_MAX));
	assert_int_equal(a.used, 0);
}

static void reset_gives_zeroes_again(void **state)
{
	static const uint8_t zero[256];
	struct ay_arena a AY_CLEANUP(ay_arena_fini);

	(void)state;
	ay_arena_init(&a, 1u << 20);
	for (int big = 0; big < 2; big++) {
		for (int i = 0; i < 300; i++)
			memset(ay_arena_alloc(&a, 256), 0xff, 256);
		if (big)
			memset(ay_arena_alloc(&a, 200000), 0xff, 200000);
		ay_arena_reset(&a);
		assert_int_equal(a.used, 0);
		for (int i = 0; i < 300; i++)
			assert_memory_equal(ay_arena_alloc(&a, 256), zero, 256);
	}
	ay_arena_fini(&a);
	assert_non_null(ay_arena_alloc(&a, 16)); /* usable after fini */
}

static void copies(void **state)
{
	struct ay_arena a AY_CLEANUP(ay_arena_fini), full AY_CLEANUP(ay_arena_fini);
	struct ay_bytes b;

	(void)state;
	ay_arena_init(&a, 64);
	ay_arena_init(&full, 0);
	assert_string_equal(ay_arena_str(&a, t_hex("61 62 63")), "abc");
	assert_string_equal(ay_arena_str(&a, (struct ay_bytes){ 0 }), "");
	assert_string_equal(ay_arena_printf(&a, "%s-%d", "pcr", 7), "pcr-7");
	b = ay_arena_dup(&a, t_hex("0001ff"));
	assert_true(ay_bytes_eq(b, t_hex("0001ff")));
	assert_null(ay_arena_printf(&full, "%s", "more than there is room for"));
	assert_null(ay_arena_str(&full, t_hex("61")));
	b = ay_arena_dup(&full, t_hex("61"));
	assert_null(b.p);
	assert_int_equal(b.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_and_aligned),
		cmocka_unit_test(the_cap_holds),
		cmocka_unit_test(sizes_that_overflow_are_refused),
		cmocka_unit_test(reset_gives_zeroes_again),
		cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
