/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/base/reader.h"
#include "core/base/writer.h"

static void reads_in_both_orders(void **state)
{
	struct ay_reader r;
	struct ay_err e;

	(void)state;
	ay_rd_init(&r, t_hex("01 0203 04050607 08090a0b0c0d0e0f 0201 04030201 0807060504030201"));
	assert_int_equal(ay_rd_u8(&r, "a"), 1);
	assert_int_equal(ay_rd_be16(&r, "b"), 0x0203);
	assert_int_equal(ay_rd_be32(&r, "c"), 0x04050607);
	assert_true(ay_rd_be64(&r, "d") == 0x08090a0b0c0d0e0fULL);
	assert_int_equal(ay_rd_le16(&r, "e"), 0x0102);
	assert_int_equal(ay_rd_le32(&r, "f"), 0x01020304);
	assert_true(ay_rd_le64(&r, "g") == 0x0102030405060708ULL);
	assert_int_equal(ay_rd_end(&r, "all", &e), AY_OK);
}

static void first_failure_sticks(void **state)
{
	struct ay_reader r;
	struct ay_err e;

	(void)state;
	ay_rd_init(&r, t_hex("0102 ff"));
	assert_int_equal(ay_rd_be16(&r, "first"), 0x0102);
	assert_int_equal(ay_rd_be32(&r, "second"), 0);
	assert_int_equal(ay_rd_u8(&r, "third"), 0);
	assert_false(ay_rd_ok(&r));
	assert_int_equal(ay_rd_left(&r), 0);
	assert_int_equal(ay_rd_end(&r, "all", &e), AY_E_INPUT);
	assert_string_equal(e.where, "second");
	assert_int_equal(e.offset, 2);
	assert_string_equal(e.text, "need 4 bytes, 1 left");
}

static void trailing_bytes_are_refused(void **state)
{
	struct ay_reader r;
	struct ay_err e;

	(void)state;
	ay_rd_init(&r, t_hex("0102"));
	ay_rd_u8(&r, "a");
	assert_int_equal(ay_rd_end(&r, "all", &e), AY_E_INPUT);
	assert_string_equal(e.where, "all");
	assert_int_equal(e.offset, 1);
}

static void vectors_obey_their_limit(void **state)
{
	struct ay_reader r;
	struct ay_err e;

	(void)state;
	ay_rd_init(&r, t_hex("0003 aabbcc"));
	assert_int_equal(ay_rd_vec16(&r, "v", 2).n, 0);
	assert_int_equal(ay_rd_end(&r, "all", &e), AY_E_LIMIT);
	ay_rd_init(&r, t_hex("0003 aabbcc"));
	assert_int_equal(ay_rd_vec16(&r, "v", 3).n, 3);
	assert_int_equal(ay_rd_end(&r, "all", &e), AY_OK);
	ay_rd_init(&r, t_hex("ffffffff aa"));
	assert_int_equal(ay_rd_vec32(&r, "v", SIZE_MAX).n, 0);
	assert_int_equal(ay_rd_end(&r, "all", &e), AY_E_INPUT);
	assert_int_equal(e.offset, 4);
}

static void windows_share_the_failure(void **state)
{
	struct ay_reader r, w;
	struct ay_err e;

	(void)state;
	ay_rd_init(&r, t_hex("aa bbcc dd"));
	ay_rd_u8(&r, "head");
	ay_rd_window(&r, "window", 2, &w);
	ay_rd_u8(&w, "inside");
	ay_rd_window_end(&w, "window");
	assert_false(ay_rd_ok(&r));
	assert_int_equal(ay_rd_end(&r, "all", &e), AY_E_INPUT);
	assert_string_equal(e.where, "window");
	assert_int_equal(e.offset, 2);
}

static void rejection_keeps_the_first(void **state)
{
	struct ay_reader r;
	struct ay_err e;

	(void)state;
	ay_rd_init(&r, t_hex("0000000a"));
	ay_rd_expect32(&r, "magic", 11);
	ay_rd_reject(&r, "later", "too late");
	assert_int_equal(ay_rd_end(&r, "all", &e), AY_E_INPUT);
	assert_string_equal(e.where, "magic");
	assert_string_equal(e.text, "is 0x0000000a, not 0x0000000b");
}

static void writer_mirrors_reader(void **state)
{
	uint8_t buf[64];
	struct ay_writer w;
	struct ay_bytes out;
	struct ay_err e;
	size_t at;

	(void)state;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_u8(&w, 1);
	at = ay_wr_open16(&w);
	ay_wr_be32(&w, 0x01020304);
	ay_wr_le16(&w, 0x0506);
	ay_wr_close16(&w, at);
	ay_wr_vec8(&w, t_hex("aabb"));
	assert_int_equal(ay_wr_end(&w, "all", &out, &e), AY_OK);
	assert_true(ay_bytes_eq(out, t_hex("01 0006 01020304 0605 02aabb")));
	ay_wr_init(&w, buf, 3);
	ay_wr_be32(&w, 1);
	ay_wr_u8(&w, 1);
	assert_int_equal(ay_wr_end(&w, "all", &out, &e), AY_E_LIMIT);
	assert_int_equal(out.n, 0);
}

static void writer_refuses_lengths_that_do_not_fit(void **state)
{
	uint8_t buf[600], big[300] = { 0 };
	struct ay_writer w;
	struct ay_bytes out;

	(void)state;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_vec8(&w, AY_BYTES(big));
	assert_int_equal(ay_wr_end(&w, "all", &out, NULL), AY_E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_both_orders),
		cmocka_unit_test(first_failure_sticks),
		cmocka_unit_test(trailing_bytes_are_refused),
		cmocka_unit_test(vectors_obey_their_limit),
		cmocka_unit_test(windows_share_the_failure),
		cmocka_unit_test(rejection_keeps_the_first),
		cmocka_unit_test(writer_mirrors_reader),
		cmocka_unit_test(writer_refuses_lengths_that_do_not_fit),
	};

	return cmocka_run_group_tests_name("base/reader", tests, NULL, NULL);
}
