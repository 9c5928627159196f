/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of two persons at the API: who asks, who may decide, what the engine is told. */
#include "api_fixture.h"

static char bob[AY_API_TOKEN_TEXT], eve[AY_API_TOKEN_TEXT];

static struct ay_api_account *person(const char *name, const char *role,
				     char text[AY_API_TOKEN_TEXT])
{
	struct ay_api_account row = { .created_at = w.now }, *u;
	struct ay_api_key *k;
	struct ay_err e;

	w.api->now_ms = w.now;
	snprintf(row.name, sizeof(row.name), "%s", name);
	snprintf(row.role, sizeof(row.role), "%s", role);
	assert_int_equal(ay_account_put(w.api, &row, &e), AY_OK);
	u = ay_account_find(w.api, ay_bytes_of(name));
	assert_int_equal(ay_key_create(w.api, u, role, ay_bytes_of("t"), 0, text, &k, &e), AY_OK);
	return u;
}

/* Each operation asks for itself, and does nothing else, exactly when two persons are wanted. */
static void asks_instead_of_doing(void **state)
{
	static const struct {
		const char *path, *body, *asked;
	} rows[] = {
		{ "/api/v1/reference-sets/s/activate", "{\"force\":true}",
		  "admin for REFERENCE_WRITE" },
		{ "/api/v1/reference-sets/s/supersede", "{\"force\":true}",
		  "admin for REFERENCE_WRITE" },
		{ "/api/v1/reference-sets/s/revoke", "{\"force\":true}",
		  "admin for REFERENCE_WRITE" },
		{ "/api/v1/policies/p/activate", NULL, "admin for POLICY_WRITE" },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		w.two_persons = false;
		w.calls = 0;
		assert_int_equal(ask("POST", rows[i].path, admin, NULL), 200);
		assert_int_equal(w.calls, 1);
		assert_string_equal(w.asked_by, "");
		w.two_persons = true;
		assert_int_equal(ask("POST", rows[i].path, admin, rows[i].body), 202);
		assert_int_equal(w.calls, 2);
		assert_string_equal(w.asked_by, rows[i].asked);
		assert_non_null(strstr(w.body, "\"approval\""));
		w.asked_by[0] = '\0';
	}
}

static void how_it_is_done(void **state)
{
	(void)state;
	assert_int_equal(ask("POST", "/api/v1/reference-sets/s/activate", admin,
			     "{\"supersede_at\":\"2026-11-22T00:00:00Z\"}"),
			 200);
	assert_true(w.change.supersede);
	assert_true(w.change.supersede_at == 1795305600000);
	assert_int_equal(ask("POST", "/api/v1/reference-sets/s/activate", admin,
			     "{\"supersede_at\":\"tomorrow\"}"),
			 400);
	assert_string_equal(error_of("field"), "supersede_at");
	assert_int_equal(ask("POST", "/api/v1/reference-sets/s/revoke", admin, "{\"force\":1}"),
			 400);
}

static void who_decides(void **state)
{
	static const struct {
		const char *what;
		const char *token, *requester, *perm;
		int status;
		const char *code; /* of a refusal here; NULL: the engine is asked */
		bool permitted;	  /* as the engine is told */
	} rows[] = {
		{ "an operator", bob, "admin", "REFERENCE_WRITE", 200, NULL, true },
		{ "an operator, of an administrator's matter", bob, "admin", "USER_WRITE", 200,
		  NULL, false },
		{ "a viewer", eve, "admin", "REFERENCE_WRITE", 403, "NOT_PERMITTED", false },
		{ "asked for by nobody we know", bob, "ghost", "REFERENCE_WRITE", 403,
		  "APPROVAL_REQUESTER", false },
		{ "asked for by somebody disabled", bob, "off", "REFERENCE_WRITE", 403,
		  "APPROVAL_REQUESTER", false },
		{ "asked for by somebody who lost the role", bob, "eve", "REFERENCE_WRITE", 403,
		  "APPROVAL_REQUESTER", false },
		{ "no such approval", bob, "admin", NULL, 404, "NOENT", false },
		{ "a permission of another release", bob, "admin", "FLY", 400, "INPUT", false },
	};
	char off[AY_API_TOKEN_TEXT];

	(void)state;
	person("bob", "operator", bob);
	person("eve", "viewer", eve);
	person("off", "admin", off)->disabled = true;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("decides: %s\n", rows[i].what);
		w.requester = rows[i].requester;
		w.approval_perm = rows[i].perm;
		w.decided = false;
		assert_int_equal(ask("POST", "/api/v1/approvals/x/approve", rows[i].token, NULL),
				 rows[i].status);
		assert_int_equal(w.decided, rows[i].code == NULL);
		if (rows[i].code != NULL)
			assert_string_equal(error_of("code"), rows[i].code);
		else
			assert_int_equal(w.permitted, rows[i].permitted);
	}
	/* what somebody asked for who may no more can still be denied */
	w.requester = "off";
	w.approval_perm = "REFERENCE_WRITE";
	w.decided = false;
	assert_int_equal(ask("POST", "/api/v1/approvals/x/deny", bob, "{\"reason\":\"no\"}"), 200);
	assert_true(w.decided);
}

#define API_CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_CASE(asks_instead_of_doing),
		API_CASE(how_it_is_done),
		API_CASE(who_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
