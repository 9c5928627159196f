/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/authz/approval.h"
#include "core/base/hex.h"

#define DAY 86400000

static void who_may_decide(void **state)
{
	static const struct {
		const char *what;
		enum ay_approval_state is;
		const char *by;
		bool permitted;
		int64_t token_made_at, now;
		const char *code, *deny_code; /* NULL: they may */
	} rows[] = {
		{ "somebody else", AY_APPROVAL_PENDING, "bob", true, 0, 5 * DAY, NULL, NULL },
		{ "the requester", AY_APPROVAL_PENDING, "ann", true, 0, 5 * DAY, "APPROVAL_OWN",
		  "APPROVAL_OWN" },
		{ "without the permission", AY_APPROVAL_PENDING, "bob", false, 0, 5 * DAY,
		  "APPROVAL_PERMISSION", "APPROVAL_PERMISSION" },
		{ "a token of today", AY_APPROVAL_PENDING, "bob", true, 5 * DAY - DAY + 1, 5 * DAY,
		  "APPROVAL_TOKEN_NEW", NULL },
		{ "a token of yesterday", AY_APPROVAL_PENDING, "bob", true, 4 * DAY, 5 * DAY, NULL,
		  NULL },
		{ "the last moment", AY_APPROVAL_PENDING, "bob", true, 0, 10 * DAY - 1, NULL,
		  NULL },
		{ "too late", AY_APPROVAL_PENDING, "bob", true, 0, 10 * DAY, "APPROVAL_EXPIRED",
		  "APPROVAL_EXPIRED" },
		{ "approved", AY_APPROVAL_APPROVED, "bob", true, 0, 5 * DAY, "APPROVAL_DONE",
		  "APPROVAL_DONE" },
		{ "denied", AY_APPROVAL_DENIED, "bob", true, 0, 5 * DAY, "APPROVAL_DONE",
		  "APPROVAL_DONE" },
		{ "expired", AY_APPROVAL_EXPIRED, "bob", true, 0, 5 * DAY, "APPROVAL_DONE",
		  "APPROVAL_DONE" },
		{ "void", AY_APPROVAL_VOID, "bob", true, 0, 5 * DAY, "APPROVAL_DONE",
		  "APPROVAL_DONE" },
	};
	static const struct ay_approval_rules rules = { DAY };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_approval_ask ask = { rows[i].is, "ann", 10 * DAY };
		struct ay_approver by = { rows[i].by, rows[i].token_made_at, rows[i].permitted };
		struct ay_err e = { 0 };

		print_message("who: %s\n", rows[i].what);
		assert_int_equal(ay_approval_may_approve(&ask, &by, &rules, rows[i].now, &e) ==
					 AY_OK,
				 rows[i].code == NULL);
		if (rows[i].code != NULL)
			assert_string_equal(e.code, rows[i].code);
		e = (struct ay_err){ 0 };
		assert_int_equal(ay_approval_may_deny(&ask, &by, rows[i].now, &e) == AY_OK,
				 rows[i].deny_code == NULL);
		if (rows[i].deny_code != NULL)
			assert_string_equal(e.code, rows[i].deny_code);
	}
}

/* Every member counts, and where one ends and the next begins. */
static void what_is_approved(void **state)
{
	static const struct ay_approval_object rows[] = {
		{ "k", "id", { (const uint8_t *)"c", 1 }, { (const uint8_t *)"x", 1 }, "{}" },
		{ "K", "id", { (const uint8_t *)"c", 1 }, { (const uint8_t *)"x", 1 }, "{}" },
		{ "k", "iD", { (const uint8_t *)"c", 1 }, { (const uint8_t *)"x", 1 }, "{}" },
		{ "k", "id", { (const uint8_t *)"C", 1 }, { (const uint8_t *)"x", 1 }, "{}" },
		{ "k", "id", { (const uint8_t *)"c", 1 }, { (const uint8_t *)"X", 1 }, "{}" },
		{ "k", "id", { (const uint8_t *)"c", 1 }, { (const uint8_t *)"x", 1 }, "{ }" },
		{ "ki", "d", { (const uint8_t *)"c", 1 }, { (const uint8_t *)"x", 1 }, "{}" },
		{ "k", "id", { (const uint8_t *)"cx", 2 }, { (const uint8_t *)"", 0 }, "{}" },
	};
	/* by Python's hashlib, of the first row */
	static const char first[] =
		"61fd388804df689eadaa6f3a4a1078359ea1d49ceda25fae40271ffedc637212";
	uint8_t hash[AY_COUNT(rows)][32];
	char text[65];
	struct ay_err e = { 0 };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		ay_approval_hash(&rows[i], hash[i]);
		for (size_t k = 0; k < i; k++)
			assert_int_equal(ay_approval_same(hash[k], hash[i], &e), AY_E_EXISTS);
		assert_string_equal(e.code, i == 0 ? "" : "APPROVAL_CHANGED");
		assert_int_equal(ay_approval_same(hash[i], hash[i], &e), AY_OK);
	}
	ay_hex_encode(AY_BYTES(hash[0]), text);
	assert_string_equal(text, first);
}

static void names(void **state)
{
	enum ay_approval_state s;

	(void)state;
	for (unsigned i = 0; i < AY_APPROVAL_STATES; i++) {
		assert_true(ay_approval_state_find(
			ay_bytes_of(ay_approval_state_name((enum ay_approval_state)i)), &s));
		assert_int_equal(s, i);
	}
	assert_false(ay_approval_state_find(ay_bytes_of("done"), &s));
	assert_string_equal(ay_approval_state_name(AY_APPROVAL_STATES), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_decide),
		cmocka_unit_test(what_is_approved),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
