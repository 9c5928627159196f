/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/base/json.h"
#include "core/base/limits.h"

/* Strictness: RFC 8259 documents only, and of those no ambiguous ones. */
static const struct {
	const char *name;
	const char *text;
	enum ay_rc rc;
} documents[] = {
	{ "empty object", "{}", AY_OK },
	{ "array", "[1,true,null,\"\"]", AY_OK },
	{ "blanks around", " \t\r\n{ \"a\" : 1 } ", AY_OK },
	{ "brackets in text do not nest", "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]", AY_OK },
	{ "quoted quote and brackets", "[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]", AY_OK },
	{ "nothing", "", AY_E_INPUT },
	{ "bare number", "1", AY_E_INPUT },
	{ "bare text", "\"a\"", AY_E_INPUT },
	{ "same member twice", "{\"a\":1,\"a\":2}", AY_E_INPUT },
	{ "same member twice, escaped", "{\"a\":1,\"\\u0061\":2}", AY_E_INPUT },
	{ "same member twice, inside", "{\"x\":[{\"a\":1,\"a\":1}]}", AY_E_INPUT },
	{ "something after it", "{} {}", AY_E_INPUT },
	{ "comma at the end", "[1,]", AY_E_INPUT },
	{ "comment", "{/*a*/}", AY_E_INPUT },
	{ "single quotes", "{'a':1}", AY_E_INPUT },
	{ "leading zero", "[01]", AY_E_INPUT },
	{ "NaN", "[NaN]", AY_E_INPUT },
	{ "number over 64 bits", "[99999999999999999999]", AY_E_INPUT },
	{ "byte order mark", "\xef\xbb\xbf{}", AY_E_INPUT },
	{ "not UTF-8", "[\"\xff\"]", AY_E_INPUT },
	{ "overlong UTF-8", "[\"\xc0\xaf\"]", AY_E_INPUT },
	{ "lone surrogate", "[\"\\ud800\"]", AY_E_INPUT },
	{ "control octet in text", "[\"\n\"]", AY_E_INPUT },
	{ "NUL in text", "[\"a\\u0000\"]", AY_E_INPUT },
	{ "NUL in a key", "{\"a\\u0000b\":1}", AY_E_INPUT },
};

static void only_strict_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(documents); i++) {
		json_t *j AY_CLEANUP(ay_json_unref) = NULL;
		struct ay_err e = { 0 };

		print_message("document: %s\n", documents[i].name);
		assert_int_equal(
			ay_json_load(ay_bytes_of(documents[i].text), 1000, "policy", &j, &e),
			documents[i].rc);
		assert_true((j != NULL) == (documents[i].rc == AY_OK));
		if (documents[i].rc != AY_OK)
			assert_string_equal(e.where, "policy");
	}
}

static enum ay_rc load_deep(char open, char close, size_t depth)
{
	json_t *j AY_CLEANUP(ay_json_unref) = NULL;
	char text[2 * AY_MAX_JSON_DEPTH + 8];

	memset(text, open, depth);
	memset(text + depth, close, depth);
	return ay_json_load((struct ay_bytes){ (uint8_t *)text, 2 * depth }, sizeof(text), "t", &j,
			    NULL);
}

static void depth_and_size_are_limited(void **state)
{
	json_t *j = NULL;
	struct ay_err e;

	(void)state;
	assert_int_equal(load_deep('[', ']', AY_MAX_JSON_DEPTH), AY_OK);
	assert_int_equal(load_deep('[', ']', AY_MAX_JSON_DEPTH + 1), AY_E_LIMIT);
	assert_int_equal(load_deep('{', '}', AY_MAX_JSON_DEPTH + 1), AY_E_LIMIT);
	assert_int_equal(ay_json_load(ay_bytes_of("[1]"), 3, "t", &j, &e), AY_OK);
	ay_json_unref(&j);
	assert_int_equal(ay_json_load(ay_bytes_of("[1] "), 3, "t", &j, &e), AY_E_LIMIT);
	assert_null(j);
}

static void every_prefix_is_refused(void **state)
{
	struct ay_bytes text = ay_bytes_of("{\"a\":[1,-2.5e3,\"\\u00e9\\n\"],\"b\":{\"c\":null}}");
	json_t *j = NULL;

	(void)state;
	for (size_t n = 0; n < text.n; n++)
		assert_int_equal(ay_json_load((struct ay_bytes){ text.p, n }, 100, "t", &j, NULL),
				 AY_E_INPUT);
	assert_int_equal(ay_json_load(text, 100, "t", &j, NULL), AY_OK);
	ay_json_unref(&j);
}

enum kind { TEXT, U64, BOOL, OBJECT, ARRAY };

static const struct {
	const char *name;
	enum kind kind;
	const char *key;
	bool needed;
	enum ay_rc rc;
	const char *text;
} members[] = {
	{ "text", TEXT, "s", true, AY_OK, NULL },
	{ "text missing", TEXT, "none", true, AY_E_INPUT, "none: missing" },
	{ "text not needed", TEXT, "none", false, AY_OK, NULL },
	{ "number for text", TEXT, "n", false, AY_E_INPUT, "n: wrong type" },
	{ "null for text", TEXT, "null", false, AY_E_INPUT, "null: wrong type" },
	{ "text too long", TEXT, "long", true, AY_E_INPUT, "long: too long" },
	{ "NUL in text", TEXT, "nul", true, AY_E_INPUT, "nul: has a NUL" },
	{ "number", U64, "n", true, AY_OK, NULL },
	{ "number missing", U64, "none", true, AY_E_INPUT, "none: missing" },
	{ "text for number", U64, "s", true, AY_E_INPUT, "s: wrong type" },
	{ "fraction for number", U64, "real", true, AY_E_INPUT, "real: wrong type" },
	{ "true for number", U64, "t", true, AY_E_INPUT, "t: wrong type" },
	{ "negative number", U64, "minus", true, AY_E_INPUT, "minus: out of range" },
	{ "number over the maximum", U64, "big", true, AY_E_INPUT, "big: out of range" },
	{ "truth", BOOL, "t", true, AY_OK, NULL },
	{ "truth missing", BOOL, "none", true, AY_E_INPUT, "none: missing" },
	{ "truth not needed", BOOL, "none", false, AY_OK, NULL },
	{ "number for truth", BOOL, "n", true, AY_E_INPUT, "n: wrong type" },
	{ "object", OBJECT, "o", true, AY_OK, NULL },
	{ "object missing", OBJECT, "none", true, AY_E_INPUT, "none: missing" },
	{ "array for object", OBJECT, "a", true, AY_E_INPUT, "a: wrong type" },
	{ "array", ARRAY, "a", true, AY_OK, NULL },
	{ "array missing", ARRAY, "none", true, AY_E_INPUT, "none: missing" },
	{ "object for array", ARRAY, "o", true, AY_E_INPUT, "o: wrong type" },
};

static enum ay_rc get(const json_t *o, size_t i, struct ay_arena *a, struct ay_err *e)
{
	const char *key = members[i].key, *s = NULL;
	const json_t *j = NULL;
	uint64_t n = 0;
	bool yes = false;

	switch (members[i].kind) {
	case TEXT:
		return ay_json_text(o, "policy.rule", key, members[i].needed, 4, a, &s, e);
	case U64:
		return ay_json_u64(o, "policy.rule", key, members[i].needed, 100, &n, e);
	case BOOL:
		return ay_json_bool(o, "policy.rule", key, members[i].needed, &yes, e);
	case OBJECT:
		return ay_json_object(o, "policy.rule", key, members[i].needed, &j, e);
	case ARRAY:
		return ay_json_array(o, "policy.rule", key, members[i].needed, &j, e);
	}
	return AY_E_BUG;
}

static void refusals_name_the_member(void **state)
{
	static const char doc[] = "{\"s\":\"abcd\",\"long\":\"abcde\",\"n\":100,"
				  "\"big\":101,\"minus\":-1,\"real\":1.0,\"t\":true,\"null\":null,"
				  "\"o\":{},\"a\":[]}";
	struct ay_arena a AY_CLEANUP(ay_arena_fini);
	json_t *o AY_CLEANUP(ay_json_unref) = NULL;

	(void)state;
	ay_arena_init(&a, 4096);
	assert_int_equal(ay_json_load(ay_bytes_of(doc), 1000, "t", &o, NULL), AY_OK);
	json_object_set_new(o, "nul", json_stringn("a\0", 2)); /* the loader lets none through */
	for (size_t i = 0; i < AY_COUNT(members); i++) {
		struct ay_err e = { 0 };

		print_message("member: %s\n", members[i].name);
		assert_int_equal(get(o, i, &a, &e), members[i].rc);
		if (members[i].rc == AY_OK)
			continue;
		assert_string_equal(e.where, "policy.rule");
		assert_string_equal(e.text, members[i].text);
	}
}

static void values_come_out(void **state)
{
	struct ay_arena a AY_CLEANUP(ay_arena_fini), full AY_CLEANUP(ay_arena_fini);
	json_t *o AY_CLEANUP(ay_json_unref) = NULL;
	const char *s = "default";
	uint64_t n = 7;
	bool yes = false;

	(void)state;
	ay_arena_init(&a, 4096);
	ay_arena_init(&full, 0);
	assert_int_equal(ay_json_load(ay_bytes_of("{\"s\":\"x\",\"n\":9223372036854775807,"
						  "\"t\":true}"),
				      100, "t", &o, NULL),
			 AY_OK);
	assert_int_equal(ay_json_text(o, "t", "none", false, 9, &a, &s, NULL), AY_OK);
	assert_string_equal(s, "default");
	assert_int_equal(ay_json_text(o, "t", "s", true, 9, &full, &s, NULL), AY_E_NOMEM);
	assert_int_equal(ay_json_text(o, "t", "s", true, 9, &a, &s, NULL), AY_OK);
	assert_string_equal(s, "x");
	assert_int_equal(ay_json_u64(o, "t", "none", false, 9, &n, NULL), AY_OK);
	assert_int_equal(n, 7);
	assert_int_equal(ay_json_u64(o, "t", "n", true, UINT64_MAX, &n, NULL), AY_OK);
	assert_true(n == INT64_MAX);
	assert_int_equal(ay_json_bool(o, "t", "t", true, &yes, NULL), AY_OK);
	assert_true(yes);
}

static void unknown_members_are_refused(void **state)
{
	static const char *const known[] = { "a", "b", NULL };
	json_t *o AY_CLEANUP(ay_json_unref) = json_pack("{s:i,s:i}", "a", 1, "b", 2);
	json_t *list AY_CLEANUP(ay_json_unref) = json_array();
	struct ay_err e = { 0 };

	(void)state;
	assert_int_equal(ay_json_only(o, known, "rule", &e), AY_OK);
	json_object_set_new(o, "A", json_true());
	assert_int_equal(ay_json_only(o, known, "rule", &e), AY_E_INPUT);
	assert_string_equal(e.where, "rule");
	assert_string_equal(e.text, "A: unknown member");
	assert_int_equal(ay_json_only(list, known, "rule", &e), AY_E_INPUT);
	assert_int_equal(ay_json_only(NULL, known, "rule", &e), AY_E_INPUT);
}

static void names(void **state)
{
	static const char *const good[] = { "a", "web-1.example:x+y@z_0", "two words" };
	static const char *const bad[] = { "", " a", "a ", "a/b", "a\n", "a\"", "\xc3\xa9", "a;b" };
	char longest[AY_MAX_NAME_BYTES + 2] = "";

	(void)state;
	for (size_t i = 0; i < AY_COUNT(good); i++)
		assert_true(ay_json_is_name(good[i]));
	for (size_t i = 0; i < AY_COUNT(bad); i++)
		assert_false(ay_json_is_name(bad[i]));
	memset(longest, 'a', AY_MAX_NAME_BYTES);
	assert_true(ay_json_is_name(longest));
	longest[AY_MAX_NAME_BYTES] = 'a';
	assert_false(ay_json_is_name(longest));
}

/* Expected texts: python3 json.dumps(sort_keys=True, separators=(',', ':'), ensure_ascii=False). */
static void canonical_text(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"b\" : 1, \"a\" : [ ], \"B\" : { } }", "{\"B\":{},\"a\":[],\"b\":1}" },
		{ "{\"aa\":1,\"a\":{\"z\":null,\"y\":\"\\u00e9\"}}",
		  "{\"a\":{\"y\":\"\xc3\xa9\",\"z\":null},\"aa\":1}" },
	};
	struct ay_arena a AY_CLEANUP(ay_arena_fini), full AY_CLEANUP(ay_arena_fini);

	(void)state;
	ay_arena_init(&a, 4096);
	ay_arena_init(&full, 0);
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		json_t *j AY_CLEANUP(ay_json_unref) = NULL;

		assert_int_equal(ay_json_load(ay_bytes_of(rows[i][0]), 100, "t", &j, NULL), AY_OK);
		assert_true(ay_bytes_eq(ay_json_canonical(j, &a), ay_bytes_of(rows[i][1])));
		assert_null(ay_json_canonical(j, &full).p);
	}
}

static void octets_are_shown(void **state)
{
	static uint8_t longer[AY_MAX_SHOWN_OCTETS + 1];
	json_t *j = ay_json_octets((struct ay_bytes){ (const uint8_t *)"a\\\n\xff b", 6 });

	(void)state;
	assert_string_equal(json_string_value(j), "a\\x5c\\x0a\\xff b");
	json_decref(j);
	j = ay_json_octets((struct ay_bytes){ NULL, 0 });
	assert_string_equal(json_string_value(j), "");
	json_decref(j);
	j = ay_json_octets(AY_BYTES(longer)); /* each as four characters, one octet too many */
	assert_int_equal(json_string_length(j), 4 * AY_MAX_SHOWN_OCTETS);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_strict_documents),
		cmocka_unit_test(depth_and_size_are_limited),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(refusals_name_the_member),
		cmocka_unit_test(values_come_out),
		cmocka_unit_test(unknown_members_are_refused),
		cmocka_unit_test(names),
		cmocka_unit_test(canonical_text),
		cmocka_unit_test(octets_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
