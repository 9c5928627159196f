/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/authz/lockout.h"

static const struct ay_lockout_rule rule = {
	.free = 3, .first_ms = 100, .most_ms = 1000, .forget_ms = 10000
};

/* What the n-th failure at one instant costs. */
static void doubles(void **state)
{
	static const int64_t waits[] = { 0, 0, 0, 100, 200, 400, 800, 1000, 1000 };
	static struct ay_lockout l;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(waits); i++) {
		assert_int_equal(ay_lockout_wait(&l, &rule, 7, 5000), waits[i]);
		ay_lockout_charge(&l, &rule, 7, 5000);
	}
	assert_int_equal(ay_lockout_wait(&l, &rule, 7, 5999), 1);
	assert_int_equal(ay_lockout_wait(&l, &rule, 7, 6000), 0);
	assert_int_equal(ay_lockout_wait(&l, &rule, 8, 5000), 0); /* somebody else */
	/* forgotten after a while: free again */
	ay_lockout_charge(&l, &rule, 7, 15000);
	assert_int_equal(ay_lockout_wait(&l, &rule, 7, 15000), 0);
}

static void refunds(void **state)
{
	static struct ay_lockout l;

	(void)state;
	for (int i = 0; i < 4; i++)
		ay_lockout_charge(&l, &rule, 7, 0);
	assert_int_equal(ay_lockout_wait(&l, &rule, 7, 0), 200);
	ay_lockout_refund(&l, 7, false);
	assert_int_equal(ay_lockout_wait(&l, &rule, 7, 0), 100);
	ay_lockout_refund(&l, 7, true);
	assert_int_equal(ay_lockout_wait(&l, &rule, 7, 0), 0);
	ay_lockout_refund(&l, 7, false);
	ay_lockout_refund(&l, 99, false); /* nobody */
	assert_int_equal(ay_lockout_wait(&l, &rule, 7, 0), 0);
}

/* Many newcomers do not push out who failed often. */
static void crowded(void **state)
{
	static struct ay_lockout l;

	(void)state;
	for (int i = 0; i < 6; i++)
		ay_lockout_charge(&l, &rule, 42, 0);
	for (uint64_t k = 0; k < 100000; k++)
		ay_lockout_charge(&l, &rule, 1000 + k * 17, 1);
	assert_true(ay_lockout_wait(&l, &rule, 42, 1) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles),
		cmocka_unit_test(refunds),
		cmocka_unit_test(crowded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
