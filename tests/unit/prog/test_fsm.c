/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/fsm.h"

#include "support/t.h"

#include <string.h>

static void life_cycle_has_only_these_moves(void **state)
{
	static const bool may[4][4] = {
		[AY_HOST_REGISTERED] = { [AY_HOST_PROVISIONING] = true, [AY_HOST_RETIRED] = true },
		[AY_HOST_PROVISIONING] = { [AY_HOST_REGISTERED] = true,
					   [AY_HOST_ENROLLED] = true,
					   [AY_HOST_RETIRED] = true },
		[AY_HOST_ENROLLED] = { [AY_HOST_RETIRED] = true },
	};

	(void)state;
	for (unsigned from = 0; from < 4; from++)
		for (unsigned to = 0; to < 4; to++) {
			enum ay_host_state s = from;
			enum ay_rc rc = ay_host_move(&s, to, NULL);

			assert_int_equal(rc, may[from][to] ? AY_OK : AY_E_BUG);
			assert_int_equal(s, may[from][to] ? to : from);
		}
}

#define U AY_UNTRUSTED
#define N AY_UNKNOWN
#define T AY_TRUSTED

/* design 6: what a verdict in force becomes */
static const struct {
	const char *name;
	enum ay_verdict before;
	enum ay_lease_event ev;
	enum ay_verdict said, after;
	int64_t until;
} lease_cases[] = {
	{ "first good evidence", N, AY_LEASE_SETTLED, T, T, 900 },
	{ "nothing judged", N, AY_LEASE_SETTLED, N, N, 0 },
	{ "a fail", T, AY_LEASE_SETTLED, U, U, 0 },
	{ "trusted and now open", T, AY_LEASE_SETTLED, N, N, 0 },
	{ "a fail is not ended by unknown", U, AY_LEASE_SETTLED, N, U, 0 },
	{ "a fail is ended by a complete pass", U, AY_LEASE_SETTLED, T, T, 900 },
	{ "lease ends", T, AY_LEASE_EXPIRED, U, N, 0 },
	{ "untrusted never runs out", U, AY_LEASE_EXPIRED, U, U, 0 },
	{ "silence", T, AY_LEASE_SILENT, U, N, 0 },
	{ "silence keeps untrusted", U, AY_LEASE_SILENT, U, U, 0 },
	{ "acknowledged", U, AY_LEASE_ACKNOWLEDGED, U, N, 0 },
	{ "acknowledging makes nothing trusted", N, AY_LEASE_ACKNOWLEDGED, T, N, 0 },
	{ "acknowledging takes nothing away", T, AY_LEASE_ACKNOWLEDGED, U, T, 500 },
};

static void lease_follows_its_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(lease_cases); i++) {
		struct ay_lease l = { lease_cases[i].before, lease_cases[i].before == T ? 500 : 0,
				      true };
		bool changed;

		print_message("lease: %s\n", lease_cases[i].name);
		changed = ay_lease_apply(&l, lease_cases[i].ev, lease_cases[i].said, 900);
		assert_int_equal(l.verdict, lease_cases[i].after);
		assert_int_equal(l.until_ms, lease_cases[i].until);
		assert_int_equal(changed, lease_cases[i].before != lease_cases[i].after);
	}
}

static void an_ended_lease_counts_as_unknown_at_once(void **state)
{
	struct ay_lease l;

	(void)state;
	ay_lease_init(&l);
	assert_int_equal(ay_lease_verdict(&l, 0), N);
	assert_true(ay_lease_apply(&l, AY_LEASE_SETTLED, T, 1000));
	assert_int_equal(ay_lease_verdict(&l, 999), T);
	assert_int_equal(ay_lease_verdict(&l, 1000), N);
	assert_true(ay_lease_apply(&l, AY_LEASE_SETTLED, U, 0));
	assert_int_equal(ay_lease_verdict(&l, INT64_MAX), U);
}

static const uint8_t nonce_a[32] = { 1, 2, 3 }, nonce_b[32] = { 4, 5, 6 };

static void refuse(struct ay_challenge *c, uint64_t conn, uint32_t request, int64_t now)
{
	uint8_t got[32];
	struct ay_err e = { 0 };

	assert_int_equal(ay_challenge_consume(c, conn, request, now, got, &e), AY_E_DENIED);
	assert_string_equal(e.code, "QUOTE_STALE");
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], 0);
}

static void a_nonce_serves_once(void **state)
{
	struct ay_challenge c = { 0 };
	uint8_t got[32];

	(void)state;
	refuse(&c, 0, 0, 0); /* zeroed memory is no open challenge */
	ay_challenge_issue(&c, nonce_a, 7, 1, 100);
	assert_int_equal(ay_challenge_consume(&c, 7, 1, 99, got, NULL), AY_OK);
	assert_memory_equal(got, nonce_a, 32);
	refuse(&c, 7, 1, 99);
	assert_int_equal(c.nonce[0], 0); /* wiped */
}

static void a_nonce_has_a_deadline(void **state)
{
	struct ay_challenge c = { 0 };

	(void)state;
	ay_challenge_issue(&c, nonce_a, 7, 1, 100);
	refuse(&c, 7, 1, 100);
	assert_int_equal(c.state, AY_CHALLENGE_EXPIRED);
	refuse(&c, 7, 1, 50); /* no clock brings it back */
	ay_challenge_issue(&c, nonce_b, 7, 2, 200);
	assert_false(ay_challenge_expire(&c, 199));
	assert_true(ay_challenge_expire(&c, 200));
	assert_false(ay_challenge_expire(&c, 300)); /* missed once, told once */
}

static void a_nonce_is_bound_to_its_connection(void **state)
{
	struct ay_challenge c = { 0 };
	uint8_t got[32];

	(void)state;
	ay_challenge_issue(&c, nonce_a, 7, 1, 100);
	refuse(&c, 8, 1, 50);
	/* the attempt from elsewhere used nothing up */
	assert_int_equal(ay_challenge_consume(&c, 7, 1, 50, got, NULL), AY_OK);
	ay_challenge_issue(&c, nonce_a, 7, 2, 100);
	ay_challenge_abandon(&c);
	refuse(&c, 7, 2, 50);
}

static void a_new_nonce_kills_the_one_before(void **state)
{
	struct ay_challenge c = { 0 };
	uint8_t got[32];

	(void)state;
	ay_challenge_issue(&c, nonce_a, 7, 1, 100);
	ay_challenge_issue(&c, nonce_b, 7, 2, 100);
	refuse(&c, 7, 1, 50);
	assert_int_equal(ay_challenge_consume(&c, 7, 2, 50, got, NULL), AY_OK);
	assert_memory_equal(got, nonce_b, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_cycle_has_only_these_moves),
		cmocka_unit_test(lease_follows_its_table),
		cmocka_unit_test(an_ended_lease_counts_as_unknown_at_once),
		cmocka_unit_test(a_nonce_serves_once),
		cmocka_unit_test(a_nonce_has_a_deadline),
		cmocka_unit_test(a_nonce_is_bound_to_its_connection),
		cmocka_unit_test(a_new_nonce_kills_the_one_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
