/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: what was altered is found, sealed again or not. The vector is of a software TPM. */
#include "support/t.h"

#include "prog/assayd/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ay_arena arena;
static json_t *good; /* its report is what this build derives */

static json_t *load_vector(void)
{
	const char *dir = getenv("AY_VECTORS");
	char name[512];
	json_t *doc;

	snprintf(name, sizeof(name), "%s/receipt/trusted.json", dir ? dir : "tests/vectors");
	doc = json_load_file(name, 0, NULL);
	assert_non_null(doc);
	return doc;
}

static enum ay_rc check(const json_t *doc, const uint8_t *pin, struct ay_receipt_result *res,
			struct ay_err *e)
{
	struct ay_bytes text = ay_json_canonical(doc, &arena);
	struct ay_receipt r;
	enum ay_rc rc;

	*res = (struct ay_receipt_result){ 0 };
	memset(e, 0, sizeof(*e));
	assert_non_null(text.p);
	rc = ay_receipt_parse(text, &arena, &r, e);
	if (rc == AY_OK)
		rc = ay_receipt_check(&r, pin, &arena, res, e);
	ay_receipt_fini(&r);
	return rc;
}

static int set_up(void **state)
{
	struct ay_receipt_result res;
	struct ay_err e;

	(void)state;
	ay_arena_init(&arena, 1u << 30);
	good = load_vector();
	/* words of findings may change with versions; the verdict of this evidence may not */
	assert_int_equal(check(good, NULL, &res, &e), AY_OK);
	assert_int_equal(res.verdict, AY_TRUSTED);
	assert_true(res.certified);
	json_object_set_new(good, "report", res.derived);
	assert_true(ay_receipt_seal(good, &arena));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(good);
	ay_arena_fini(&arena);
	return 0;
}

static void test_good(void **state)
{
	const uint8_t other[32] = { 1 };
	struct ay_receipt_result res;
	struct ay_err e;

	(void)state;
	assert_int_equal(check(good, NULL, &res, &e), AY_OK);
	assert_true(res.same);
	assert_true(res.certified);
	json_decref(res.derived);
	assert_int_equal(check(good, other, &res, &e), AY_OK);
	assert_false(res.certified);
	json_decref(res.derived);
}

/* One octet of base64 data in its middle, or the last character of a text. */
static void alter(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	size_t n = text ? strlen(text) : 0;
	char *copy;

	assert_true(n > 0);
	copy = strdup(text);
	assert_non_null(copy);
	copy[n > 16 ? n / 2 : n - 1] = copy[n > 16 ? n / 2 : n - 1] == 'A' ? 'B' : 'A';
	json_object_set_new(object, key, json_string(copy));
	free(copy);
}

static bool is_found(const json_t *doc, const char **code)
{
	struct ay_receipt_result res;
	static struct ay_err e;
	enum ay_rc rc = check(doc, NULL, &res, &e);
	bool found = rc != AY_OK || !res.same || !res.certified;

	json_decref(res.derived);
	*code = e.code;
	return found;
}

static const struct {
	const char *of, *key;
} fields[] = {
	{ "evidence", "attest" },
	{ "evidence", "signature" },
	{ "evidence", "nonce" },
	{ "evidence", "exporter" },
	{ "evidence", "pcrs" },
	{ "evidence", "boot_log" },
	{ "evidence", "ima" },
	{ "aik", "public" },
	{ "aik", "qualified_name" },
	{ "aik", "certificate" },
	{ NULL, "host" },
};

static void test_sealed_again(void **state)
{
	const char *code;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(fields); i++) {
		json_t *doc = json_deep_copy(good);

		print_message("sealed again: %s\n", fields[i].key);
		alter(fields[i].of ? json_object_get(doc, fields[i].of) : doc, fields[i].key);
		assert_true(ay_receipt_seal(doc, &arena));
		assert_true(is_found(doc, &code));
		json_decref(doc);
	}
}

static void test_old_seal(void **state)
{
	static const char *const more[] = { "inputs" };
	const char *code;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(fields) + AY_COUNT(more); i++) {
		json_t *doc = json_deep_copy(good);
		const char *of = i < AY_COUNT(fields) ? fields[i].of : "evidence";
		const char *key = i < AY_COUNT(fields) ? fields[i].key : more[i - AY_COUNT(fields)];

		alter(of ? json_object_get(doc, of) : doc, key);
		assert_true(is_found(doc, &code));
		assert_string_equal(code, "RECEIPT_SEAL");
		json_decref(doc);
	}
}

/* A verdict that somebody wishes for, and rules that would give it. */
static void test_wishes(void **state)
{
	json_t *doc = json_deep_copy(good);
	const char *code;

	(void)state;
	json_object_set_new(json_object_get(doc, "report"), "verdict", json_string("untrusted"));
	assert_true(ay_receipt_seal(doc, &arena));
	assert_true(is_found(doc, &code));
	json_decref(doc);
	doc = json_deep_copy(good);
	json_object_set_new(doc, "references", json_array());
	assert_true(ay_receipt_seal(doc, &arena));
	assert_true(is_found(doc, &code));
	json_decref(doc);
	doc = json_deep_copy(good);
	json_object_set_new(doc, "more", json_true());
	assert_true(ay_receipt_seal(doc, &arena));
	assert_true(is_found(doc, &code));
	json_decref(doc);
}

/* Another key's AIK, with a quote that it signed, is not this certificate's. */
static void test_other_key(void **state)
{
	struct ay_receipt_result res;
	json_t *doc = json_deep_copy(good);
	struct ay_err e;

	(void)state;
	alter(json_object_get(doc, "aik"), "qualified_name");
	assert_true(ay_receipt_seal(doc, &arena));
	assert_int_equal(check(doc, NULL, &res, &e), AY_OK);
	assert_false(res.certified);
	json_decref(res.derived);
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	  cmocka_unit_test(test_sealed_again),
		cmocka_unit_test(test_old_seal),  cmocka_unit_test(test_wishes),
		cmocka_unit_test(test_other_key),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
