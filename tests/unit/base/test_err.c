/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/base/err.h"

/* HTTP codes by RFC 9110: whose fault it is and whether to come again. */
static const struct {
	enum ay_rc rc;
	const char *name;
	int http;
} kinds[] = {
	{ AY_OK, "OK", 200 },		{ AY_E_INPUT, "INPUT", 400 },
	{ AY_E_LIMIT, "LIMIT", 413 },	{ AY_E_DENIED, "DENIED", 403 },
	{ AY_E_NOENT, "NOENT", 404 },	{ AY_E_EXISTS, "EXISTS", 409 },
	{ AY_E_CRYPTO, "CRYPTO", 422 }, { AY_E_UNAVAIL, "UNAVAIL", 503 },
	{ AY_E_NOMEM, "NOMEM", 503 },	{ AY_E_BUG, "BUG", 500 },
	{ (enum ay_rc)99, "BUG", 500 },
};

static void kinds_have_names_and_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(kinds); i++) {
		print_message("kind: %s\n", kinds[i].name);
		assert_string_equal(ay_rc_name(kinds[i].rc), kinds[i].name);
		assert_int_equal(ay_rc_http(kinds[i].rc), kinds[i].http);
		assert_true(strlen(ay_rc_text(kinds[i].rc)) > 0);
	}
}

static void text_is_safe_to_log(void **state)
{
	struct ay_err e;

	(void)state;
	memset(&e, 0xff, sizeof(e));
	assert_int_equal(
		ay_fail(&e, AY_E_INPUT, "host.name", 12, "bad \"%s\"", "a\nb\x1b[31m\xc3\xa9\x7f"),
		AY_E_INPUT);
	assert_int_equal(e.rc, AY_E_INPUT);
	assert_string_equal(e.where, "host.name");
	assert_int_equal(e.offset, 12);
	assert_string_equal(e.code, "");
	assert_string_equal(e.text, "bad \"a?b?[31m???\"");
}

static void long_texts_are_cut(void **state)
{
	char longer[1000];
	struct ay_err e;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(ay_fail_code(&e, AY_E_DENIED, longer, "w", "%s", longer), AY_E_DENIED);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_int_equal(strlen(e.code), sizeof(e.code) - 1);
	ay_err_code(&e, longer);
	assert_int_equal(strlen(e.code), sizeof(e.code) - 1);
}

static void the_first_code_stands(void **state)
{
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_fail(&e, AY_E_CRYPTO, "chain", 0, "no issuer"), AY_E_CRYPTO);
	assert_int_equal(ay_err_coded(&e, AY_E_CRYPTO, "EK_CHAIN"), AY_E_CRYPTO);
	assert_string_equal(e.code, "EK_CHAIN");
	assert_int_equal(ay_err_coded(&e, AY_E_CRYPTO, "OTHER"), AY_E_CRYPTO);
	assert_string_equal(e.code, "EK_CHAIN");
	ay_err_code(&e, "NEW");
	assert_string_equal(e.code, "NEW");
	ay_err_set(&e, AY_E_LIMIT, "log", 3, "%d", 4);
	assert_string_equal(e.code, "");
	assert_int_equal(ay_err_coded(&e, AY_OK, "NONE"), AY_OK);
	assert_string_equal(e.code, "");
}

static void nobody_has_to_listen(void **state)
{
	(void)state;
	assert_int_equal(ay_fail(NULL, AY_E_BUG, "w", 0, "t"), AY_E_BUG);
	assert_int_equal(ay_fail_code(NULL, AY_E_BUG, "C", "w", "t"), AY_E_BUG);
	assert_int_equal(ay_err_coded(NULL, AY_E_BUG, "C"), AY_E_BUG);
	ay_err_code(NULL, "C");
	ay_err_set(NULL, AY_E_BUG, "w", 0, "t");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_names_and_codes),
		cmocka_unit_test(text_is_safe_to_log),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(the_first_code_stands),
		cmocka_unit_test(nobody_has_to_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
