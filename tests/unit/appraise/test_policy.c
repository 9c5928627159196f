/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/appraise/policy.h"
#include "core/crypto/hash.h"

#include <string.h>

#define HEAD "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
#define OK HEAD "\"required\":[\"identity\"]"

static const struct {
	const char *name;
	const char *json;
	enum ay_rc rc;
	const char *where;
	const char *text; /* begins with */
} cases[] = {
	{ "smallest", OK "}", AY_OK, NULL, NULL },
	{ "not JSON", "{", AY_E_INPUT, "policy", NULL },
	{ "empty", "", AY_E_INPUT, "policy", "empty" },
	{ "an array", "[]", AY_E_INPUT, "policy", "not an object" },
	{ "empty object", "{}", AY_E_INPUT, "policy", "format: missing" },
	{ "trailing text", OK "} x", AY_E_INPUT, "policy", NULL },
	{ "duplicate member", HEAD "\"name\":\"q\",\"required\":[]}", AY_E_INPUT, "policy",
	  "duplicate" },
	{ "unknown member", OK ",\"requierd\":[]}", AY_E_INPUT, "policy",
	  "requierd: unknown member" },
	{ "another format", "{\"format\":\"x\",\"name\":\"p\",\"version\":1,\"required\":[]}",
	  AY_E_INPUT, "policy", "format:" },
	{ "name with a slash",
	  "{\"format\":\"assay-policy-1\",\"name\":\"a/b\",\"version\":1,\"required\":[]}",
	  AY_E_INPUT, "policy", "name:" },
	{ "version 0",
	  "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":0,\"required\":[]}",
	  AY_E_INPUT, "policy", "version:" },
	{ "required left out", HEAD "\"lease_s\":60}", AY_E_INPUT, "policy", "required: missing" },
	{ "unknown component", HEAD "\"required\":[\"bios\"]}", AY_E_INPUT, "policy",
	  "required: unknown component" },
	{ "component twice", HEAD "\"required\":[\"os\",\"os\"]}", AY_E_INPUT, "policy",
	  "required: component stands" },
	{ "lease of no time", OK ",\"lease_s\":0}", AY_E_INPUT, "policy", "lease_s: out" },
	{ "lease of a year", OK ",\"lease_s\":31536000}", AY_E_INPUT, "policy", "lease_s: out" },
	{ "lease as text", OK ",\"lease_s\":\"60\"}", AY_E_INPUT, "policy", "lease_s: wrong" },
	{ "asks later than the lease ends", OK ",\"lease_s\":60,\"reattest_s\":61}", AY_E_INPUT,
	  "policy", "reattest_s:" },
	{ "no log without a reason", OK ",\"allow_no_log\":{\"owner\":\"me\"}}", AY_E_INPUT,
	  "policy.allow_no_log", "reason: missing" },
	{ "no log with an empty reason", OK ",\"allow_no_log\":{\"owner\":\"me\",\"reason\":\"\"}}",
	  AY_E_INPUT, "policy", "allow_no_log:" },
	{ "empty list of sets", OK ",\"references\":[]}", AY_E_INPUT, "policy", "references:" },
	{ "set that is no name", OK ",\"references\":[7]}", AY_E_INPUT, "policy", "references:" },
	{ "runtime without IMA", HEAD "\"required\":[\"runtime\"],\"ima\":{\"enabled\":false}}",
	  AY_E_INPUT, "policy.ima", "enabled:" },
	{ "negative violations", OK ",\"ima\":{\"violations\":-1}}", AY_E_INPUT, "policy.ima",
	  "violations: out" },
	{ "another hash", OK ",\"sha256\":\"00\"}", AY_E_INPUT, "policy", "sha256:" },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_policy *p = NULL;
		struct ay_err e = { 0 };

		print_message("policy: %s\n", cases[i].name);
		assert_int_equal(ay_policy_parse(ay_bytes_of(cases[i].json), &p, &e), cases[i].rc);
		assert_int_equal(p != NULL, cases[i].rc == AY_OK);
		if (cases[i].where != NULL)
			assert_string_equal(e.where, cases[i].where);
		if (cases[i].text != NULL)
			assert_int_equal(strncmp(e.text, cases[i].text, strlen(cases[i].text)), 0);
		ay_policy_free(p);
	}
}

static void test_too_deep_and_too_long(void **state)
{
	struct ay_policy *p;
	struct ay_err e;
	char deep[200];
	static char big[AY_MAX_POLICY_BYTES + 1];

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_int_equal(ay_policy_parse(AY_BYTES(deep), &p, &e), AY_E_LIMIT);
	memset(big, ' ', sizeof(big));
	assert_int_equal(ay_policy_parse(AY_BYTES(big), &p, &e), AY_E_LIMIT);
}

/* The name of a policy is the hash of its canonical text, whatever the order it came in. */
static void test_hash_is_canonical(void **state)
{
	static const char one[] = OK ",\"lease_s\":900}";
	static const char two[] = "{ \"lease_s\": 900, \"required\": [\"identity\"],\n"
				  "\"version\":1, \"name\":\"p\", \"format\":\"assay-policy-1\"}";
	struct ay_policy *a, *b, *c;
	struct ay_arena arena;
	struct ay_bytes text;

	(void)state;
	ay_arena_init(&arena, 1 << 20);
	assert_int_equal(ay_policy_parse(ay_bytes_of(one), &a, NULL), AY_OK);
	assert_int_equal(ay_policy_parse(ay_bytes_of(two), &b, NULL), AY_OK);
	assert_memory_equal(a->sha256, b->sha256, 32);
	text = ay_policy_build(a, &arena);
	assert_int_equal(ay_policy_parse(text, &c, NULL), AY_OK); /* with its own hash in it */
	assert_memory_equal(a->sha256, c->sha256, 32);
	ay_policy_free(a);
	ay_policy_free(b);
	ay_policy_free(c);
	ay_arena_fini(&arena);
}

static void test_default(void **state)
{
	struct ay_policy *p;

	(void)state;
	assert_int_equal(ay_policy_default(&p, NULL), AY_OK);
	assert_string_equal(p->name, "default");
	assert_int_equal(p->required, AY_COMP_BIT(AY_COMP_IDENTITY) |
					      AY_COMP_BIT(AY_COMP_PLATFORM) |
					      AY_COMP_BIT(AY_COMP_OS));
	assert_int_equal(p->required_if_reference, AY_COMP_BIT(AY_COMP_RUNTIME));
	assert_false(p->allow_no_log);
	assert_true(p->ima);
	assert_int_equal(p->missed_deadlines, 2);
	assert_true(ay_policy_takes(p, "anything"));
	ay_policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_too_deep_and_too_long),
		cmocka_unit_test(test_hash_is_canonical),
		cmocka_unit_test(test_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
