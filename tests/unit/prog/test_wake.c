/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/wake.h"

#include "support/t.h"

#include <stdlib.h>

static void due_in_order_and_not_before(void **state)
{
	struct ay_wake w[3] = { 0 };
	struct ay_sched s;

	(void)state;
	ay_sched_init(&s);
	assert_true(ay_sched_set(&s, &w[0], 30));
	assert_true(ay_sched_set(&s, &w[1], 10));
	assert_true(ay_sched_set(&s, &w[2], 20));
	assert_null(ay_sched_take(&s, 9));
	assert_ptr_equal(ay_sched_take(&s, 10), &w[1]);
	assert_ptr_equal(ay_sched_take(&s, 40), &w[2]);
	assert_ptr_equal(ay_sched_take(&s, 40), &w[0]);
	assert_null(ay_sched_take(&s, 40));
	assert_true(ay_sched_next(&s) == AY_NEVER);
	ay_sched_fini(&s);
}

static void put_off_and_brought_forward(void **state)
{
	struct ay_wake w[2] = { 0 };
	struct ay_sched s;

	(void)state;
	ay_sched_init(&s);
	assert_true(ay_sched_set(&s, &w[0], 10));
	assert_true(ay_sched_set(&s, &w[1], 20));
	assert_true(ay_sched_set(&s, &w[0], 50)); /* a deadline that moved on */
	assert_ptr_equal(ay_sched_take(&s, 20), &w[1]);
	assert_null(ay_sched_take(&s, 49));
	assert_true(ay_sched_set(&s, &w[0], 25)); /* asked for by a user */
	assert_ptr_equal(ay_sched_take(&s, 25), &w[0]);
	assert_true(ay_sched_set(&s, &w[0], 30));
	assert_true(ay_sched_set(&s, &w[0], AY_NEVER));
	assert_null(ay_sched_take(&s, 1000));
	ay_sched_fini(&s);
}

/* Against the plain answer: scan all for the earliest. */
static void same_as_a_scan(void **state)
{
	enum { N = 500 };
	static struct ay_wake w[N];
	struct ay_sched s;
	struct ay_wake *got;

	(void)state;
	srand(1);
	ay_sched_init(&s);
	for (int i = 0; i < N; i++)
		assert_true(ay_sched_set(&s, &w[i], rand() % 1000));
	for (int now = 0; now < 1000; now++) {
		int k = rand() % N;

		if (w[k].place && rand() % 3 == 0)
			ay_sched_drop(&s, &w[k]);
		else if (w[k].place)
			assert_true(ay_sched_set(&s, &w[k], now + rand() % 300));
		while ((got = ay_sched_take(&s, now))) {
			assert_true(got->at <= now);
			assert_int_equal(got->place, 0);
		}
		for (int i = 0; i < N; i++)
			assert_true(!w[i].place || w[i].at > now);
	}
	ay_sched_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(due_in_order_and_not_before),
		cmocka_unit_test(put_off_and_brought_forward),
		cmocka_unit_test(same_as_a_scan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
