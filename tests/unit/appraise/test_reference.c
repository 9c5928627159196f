/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "boot_fixture.h"
#include "core/appraise/reference.h"

#define H "\"format\":\"assay-reference-1\",\"name\":\"n\",\"version\":1"
#define D32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define D20 "000102030405060708090a0b0c0d0e0f10111213"

static const struct {
	const char *name;
	const char *json;
	enum ay_rc rc;
	const char *where;
	const char *text; /* begins with */
} cases[] = {
	{ "no rules", "{" H ",\"parts\":{}}", AY_OK, NULL, NULL },
	{ "a value",
	  "{" H
	  ",\"parts\":{\"platform\":[{\"kind\":\"pcr\",\"pcr\":0,\"values\":{\"sha256\":\"" D32
	  "\"}}]}}",
	  AY_OK, NULL, NULL },
	{ "an event",
	  "{" H ",\"parts\":{\"os\":[{\"kind\":\"events\",\"pcr\":9,\"events\":[{\"digests\":{"
	  "\"sha1\":\"" D20 "\"},\"data_mismatch\":true}]}]}}",
	  AY_OK, NULL, NULL },
	{ "files",
	  "{" H ",\"parts\":{\"runtime\":[{\"kind\":\"files\",\"digests\":{\"sha256\":{\"" D32
	  "\":\"/bin/x\"}}}]}}",
	  AY_OK, NULL, NULL },
	{ "empty", "", AY_E_INPUT, "reference", "empty" },
	{ "not an object", "[]", AY_E_INPUT, "reference", "not an object" },
	{ "no parts", "{" H "}", AY_E_INPUT, "reference", "parts: missing" },
	{ "unknown member", "{" H ",\"parts\":{},\"part\":{}}", AY_E_INPUT, "reference",
	  "part: unknown" },
	{ "duplicate", "{" H ",\"parts\":{},\"parts\":{}}", AY_E_INPUT, "reference", "duplicate" },
	{ "unknown part", "{" H ",\"parts\":{\"bios\":[]}}", AY_E_INPUT, "reference.parts",
	  "bios: unknown" },
	{ "unknown state", "{" H ",\"state\":\"good\",\"parts\":{}}", AY_E_INPUT, "reference",
	  "state:" },
	{ "rule without kind", "{" H ",\"parts\":{\"os\":[{}]}}", AY_E_INPUT, "reference.rule",
	  "kind: missing" },
	{ "unknown kind", "{" H ",\"parts\":{\"os\":[{\"kind\":\"any\"}]}}", AY_E_INPUT,
	  "reference.rule", "kind: unknown" },
	{ "PCR 24", "{" H ",\"parts\":{\"os\":[{\"kind\":\"pcr\",\"pcr\":24,\"values\":{}}]}}",
	  AY_E_INPUT, "reference.rule", "pcr: out" },
	{ "PCR 16 is never judged",
	  "{" H ",\"parts\":{\"os\":[{\"kind\":\"pcr\",\"pcr\":16,\"values\":{}}]}}", AY_E_INPUT,
	  "reference.rule", "pcr: is not" },
	{ "PCR 23 is never judged",
	  "{" H ",\"parts\":{\"os\":[{\"kind\":\"pcr\",\"pcr\":23,\"values\":{}}]}}", AY_E_INPUT,
	  "reference.rule", "pcr: is not" },
	{ "PCR 10 is IMA's",
	  "{" H ",\"parts\":{\"os\":[{\"kind\":\"pcr\",\"pcr\":10,\"values\":{}}]}}", AY_E_INPUT,
	  "reference.rule", "pcr: is not" },
	{ "no value", "{" H ",\"parts\":{\"os\":[{\"kind\":\"pcr\",\"pcr\":9,\"values\":{}}]}}",
	  AY_E_INPUT, "reference.rule", "values: needs" },
	{ "unknown bank",
	  "{" H ",\"parts\":{\"os\":[{\"kind\":\"pcr\",\"pcr\":9,\"values\":{\"md5\":\"00\"}}]}}",
	  AY_E_INPUT, "reference.rule.values", "md5: unknown" },
	{ "value cut short",
	  "{" H ",\"parts\":{\"os\":[{\"kind\":\"pcr\",\"pcr\":9,\"values\":{\"sha256\":\"" D20
	  "\"}}]}}",
	  AY_E_INPUT, "reference.rule.values", NULL },
	{ "event without digests",
	  "{" H
	  ",\"parts\":{\"os\":[{\"kind\":\"events\",\"pcr\":9,\"events\":[{\"digests\":{}}]}]}}",
	  AY_E_INPUT, "reference.rule.events", "digests: empty" },
	{ "files outside runtime",
	  "{" H ",\"parts\":{\"os\":[{\"kind\":\"files\",\"digests\":{}}]}}", AY_E_INPUT,
	  "reference.rule", "kind: files" },
	{ "file digest twice in two spellings",
	  "{" H ",\"parts\":{\"runtime\":[{\"kind\":\"files\",\"digests\":{\"sha1\":{\"" D20
	  "\":\"a\",\"000102030405060708090A0B0C0D0E0F10111213\":\"b\"}}}]}}",
	  AY_E_INPUT, "reference.rule.digests", NULL },
	{ "another hash", "{" H ",\"sha256\":\"" D32 "\",\"parts\":{}}", AY_E_INPUT, "reference",
	  "sha256:" },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_refset *s = NULL;
		struct ay_err e = { 0 };

		print_message("reference: %s\n", cases[i].name);
		assert_int_equal(ay_refset_parse(ay_bytes_of(cases[i].json), &s, &e), cases[i].rc);
		assert_int_equal(s != NULL, cases[i].rc == AY_OK);
		if (cases[i].where != NULL)
			assert_string_equal(e.where, cases[i].where);
		if (cases[i].text != NULL)
			assert_int_equal(strncmp(e.text, cases[i].text, strlen(cases[i].text)), 0);
		ay_refset_free(s);
	}
}

static void test_states(void **state)
{
	(void)state;
	assert_true(ay_set_state_may(AY_SET_DRAFT, AY_SET_ACTIVE));
	assert_true(ay_set_state_may(AY_SET_ACTIVE, AY_SET_SUPERSEDED));
	assert_true(ay_set_state_may(AY_SET_SUPERSEDED, AY_SET_REVOKED));
	assert_false(ay_set_state_may(AY_SET_REVOKED, AY_SET_ACTIVE));
	assert_false(ay_set_state_may(AY_SET_SUPERSEDED, AY_SET_ACTIVE));
	assert_false(ay_set_state_may(AY_SET_ACTIVE, AY_SET_DRAFT));
}

/* What is learned, written and read again is the same set by the same name. */
static void test_learn_round_trip(void **state)
{
	struct ay_arena a;
	static struct boot b;
	struct ay_refset *one, *two;
	struct ay_bytes text;
	struct ay_err e = { 0 };

	(void)state;
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	boot_init(&b);
	boot_make(&b, &a);
	one = boot_learn(&b, "good");
	assert_int_equal(one->state, AY_SET_DRAFT);
	assert_int_equal(ay_refset_parts(one),
			 AY_PART_BIT(AY_PART_PLATFORM) | AY_PART_BIT(AY_PART_OS));
	text = ay_refset_build(one, &a);
	assert_int_equal(ay_refset_parse(text, &two, &e), AY_OK);
	assert_memory_equal(one->sha256, two->sha256, 32);
	assert_true(ay_bytes_eq(text, ay_refset_build(two, &a)));
	ay_refset_free(two);
	one->state = AY_SET_ACTIVE; /* its life does not rename it */
	assert_int_equal(ay_refset_parse(ay_refset_build(one, &a), &two, &e), AY_OK);
	assert_memory_equal(one->sha256, two->sha256, 32);
	ay_refset_free(one);
	ay_refset_free(two);
	ay_arena_fini(&a);
}

static void test_learn_options(void **state)
{
	struct ay_arena a;
	static struct boot b;
	struct ay_learn_from from = { .pcrs = &b.pcrs, .log = &b.log };
	struct ay_learn_options opt = { .name = "x",
					.parts = AY_PART_BIT(AY_PART_HOST_UNIQUE),
					.pcrs = 1u << 1 | 1u << 7,
					.host_unique = 1u << 1 };
	const struct ay_match match = { .is_set = true, .version = "1.*" };
	struct ay_refset *s;
	struct ay_err e;

	(void)state;
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	boot_init(&b);
	boot_make(&b, &a);
	assert_int_equal(ay_refset_learn(&from, &opt, &s, &e), AY_OK);
	assert_int_equal(s->n_rules, 2); /* value and events of PCR 1 */
	assert_int_equal(s->rule[0].pcr, 1);
	ay_refset_free(s);
	opt.parts = AY_PART_BIT(AY_PART_RUNTIME);
	assert_int_equal(ay_refset_learn(&from, &opt, &s, &e), AY_E_INPUT);
	assert_null(s);
	opt.parts = 0;
	opt.pcrs = 1u << 10; /* IMA's */
	assert_int_equal(ay_refset_learn(&from, &opt, &s, &e), AY_E_INPUT);
	opt.pcrs = 1u << 7; /* host_unique names one that is not learned */
	assert_int_equal(ay_refset_learn(&from, &opt, &s, &e), AY_E_INPUT);
	opt.pcrs = 0;
	opt.match = &match;
	assert_int_equal(ay_refset_learn(&from, &opt, &s, &e), AY_OK);
	assert_string_equal(s->match.version, "1.*");
	ay_refset_free(s);
	opt.match = NULL;
	opt.name = "../x";
	assert_int_equal(ay_refset_learn(&from, &opt, &s, &e), AY_E_INPUT);
	ay_arena_fini(&a);
}

/* 100,000 digests: each is found, its neighbours are not. */
static void test_digest_set(void **state)
{
	json_t *files = json_object(), *j;
	struct ay_refset *s;
	uint8_t d[32];
	char hex[65];

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		ay_sha256((struct ay_bytes){ (const uint8_t *)&i, 4 }, d);
		for (size_t k = 0; k < 32; k++)
			snprintf(hex + 2 * k, 3, "%02x", d[k]);
		json_object_set_new(files, hex, json_string(""));
	}
	j = json_pack("{ss ss si s{s[{ss s{so}}]}}", "format", "assay-reference-1", "name", "big",
		      "version", 1, "parts", "runtime", "kind", "files", "digests", "sha256",
		      files);
	assert_int_equal(ay_refset_from_json(j, &s, NULL), AY_OK);
	json_decref(j);
	assert_int_equal(s->rule[0].files.n, 100000);
	for (uint32_t i = 0; i < 100000; i++) {
		ay_sha256((struct ay_bytes){ (const uint8_t *)&i, 4 }, d);
		assert_non_null(ay_digest_set_find(&s->rule[0].files, AY_ALG_SHA256, AY_BYTES(d)));
		d[31] ^= 1;
		assert_null(ay_digest_set_find(&s->rule[0].files, AY_ALG_SHA256, AY_BYTES(d)));
	}
	d[31] ^= 1;
	assert_null(
		ay_digest_set_find(&s->rule[0].files, AY_ALG_SHA256, (struct ay_bytes){ d, 20 }));
	ay_refset_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_learn_round_trip),
		cmocka_unit_test(test_learn_options),
		cmocka_unit_test(test_digest_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
