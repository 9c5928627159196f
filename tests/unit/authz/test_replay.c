/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/authz/replay.h"
#include "core/crypto/hash.h"

enum { SIZE = 64 };
static struct ay_replay_seen seen[SIZE];

static const uint8_t *id_of(unsigned n)
{
	static uint8_t out[32];

	ay_sha256((struct ay_bytes){ (const uint8_t *)&n, sizeof(n) }, out);
	return out;
}

static void start(struct ay_replay *r, int64_t floor_ms)
{
	memset(seen, 0, sizeof(seen));
	ay_replay_init(r, seen, SIZE, floor_ms);
}

static void once(void **state)
{
	struct ay_replay r;
	struct ay_err e;

	(void)state;
	start(&r, 0);
	assert_int_equal(ay_replay_take(&r, id_of(1), 5000, 1000, &e), AY_OK);
	assert_int_equal(ay_replay_take(&r, id_of(2), 5000, 1000, &e), AY_OK);
	assert_int_equal(ay_replay_take(&r, id_of(1), 5000, 1000, &e), AY_E_DENIED);
	assert_string_equal(e.code, "AUTH_REPLAY");
	assert_int_equal(ay_replay_take(&r, id_of(1), 6000, 1000, &e), AY_E_DENIED);
	assert_int_equal(ay_replay_highest(&r), 5000);
}

/* After a restart nothing is remembered but the highest instant. */
static void restart(void **state)
{
	struct ay_replay r;
	struct ay_err e;
	int64_t kept;

	(void)state;
	start(&r, 0);
	assert_int_equal(ay_replay_take(&r, id_of(1), 5000, 1000, &e), AY_OK);
	assert_int_equal(ay_replay_take(&r, id_of(2), 9000, 1000, &e), AY_OK);
	kept = ay_replay_highest(&r);
	start(&r, kept);
	assert_int_equal(ay_replay_highest(&r), kept);
	assert_int_equal(ay_replay_take(&r, id_of(1), 5000, 1000, &e), AY_E_DENIED);
	assert_int_equal(ay_replay_take(&r, id_of(2), 9000, 1000, &e), AY_E_DENIED);
	assert_int_equal(ay_replay_take(&r, id_of(3), 9001, 1000, &e), AY_OK);
}

/* Far more than there is room for, at all speeds: none is ever taken a second time. */
static void full(void **state)
{
	static const unsigned per_instant[] = { 1, 3, 50, 1000 };

	(void)state;
	for (size_t k = 0; k < AY_COUNT(per_instant); k++) {
		struct ay_replay r;
		struct ay_err e;
		unsigned taken = 0;

		start(&r, 0);
		for (unsigned i = 0; i < 2000; i++) {
			int64_t date = 1000 + i / per_instant[k];

			if (ay_replay_take(&r, id_of(i), date, 1, &e) != AY_OK)
				continue;
			taken++;
			assert_int_equal(ay_replay_take(&r, id_of(i), date, 1, &e), AY_E_DENIED);
			for (unsigned back = 1; back <= i && back < 100; back++)
				assert_int_equal(ay_replay_take(&r, id_of(i - back),
								1000 + (i - back) / per_instant[k],
								1, &e),
						 AY_E_DENIED);
		}
		/* what comes in the order of time is taken, unless one instant is more than the
		 * table holds */
		assert_true(per_instant[k] >= SIZE || taken >= 1500);
		assert_true(taken >= SIZE / 2);
	}
}

/* What is out of date leaves first, and no floor rises for it. */
static void out_of_date(void **state)
{
	struct ay_replay r;
	struct ay_err e;

	(void)state;
	start(&r, 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(ay_replay_take(&r, id_of(i), 1000 + i, 1000 + i - 20, &e), AY_OK);
	assert_int_equal(r.floor_ms, 0);
	assert_int_equal(ay_replay_take(&r, id_of(5), 1005, 1980, &e), AY_E_DENIED);
	assert_int_equal(ay_replay_take(&r, id_of(5000), 1990, 1980, &e), AY_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once),
		cmocka_unit_test(restart),
		cmocka_unit_test(full),
		cmocka_unit_test(out_of_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
