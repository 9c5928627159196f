/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "io/sys/config.h"
#include "io/sys/config_value.h"

#include <stdlib.h>
#include <string.h>

static void every_default_is_valid(void **state)
{
	size_t n;
	const struct ay_config_row *rows = ay_config_rows(&n);
	char room[160];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const char *wrong = ay_config_judge(&rows[i], rows[i].fallback, room, sizeof(room));

		if (wrong != NULL)
			fail_msg("default of %s: %s", rows[i].key, wrong);
	}
}

static const struct {
	const char *name;
	const char *text;
	size_t line;	   /* 0: accepted */
	const char *words; /* in the error */
} cases[] = {
	{ "empty", "", 0, "" },
	{ "comment and blank lines", "# a\n\n; b\nlisten_api = 127.0.0.1:0\n", 0, "" },
	{ "IPv6", "listen_api = [::1]:8443\n", 0, "" },
	{ "unknown key names the nearest", "\nlisten_apj = 1:2\n", 2, "did you mean listen_api?" },
	{ "key of another program", "tcti = device:/dev/tpm0\n", 1, "unknown key" },
	{ "key in a section it does not have", "[x]\nlease = 5m\n", 2, "section x" },
	{ "given twice", "lease = 5m\nlease = 6m\n", 2, "given twice" },
	{ "no value", "lease\n", 1, "not KEY = VALUE" },
	{ "time without unit", "lease = 5\n", 1, "not a time" },
	{ "time out of range", "lease = 1ms\n", 1, "must be from 1000" },
	{ "number that overflows", "lease = 9223372036854775807h\n", 1, "not a time" },
	{ "negative number", "workers = -1\n", 1, "not a number" },
	{ "bool", "ek_tofu = maybe\n", 1, "yes or no" },
	{ "word", "log_level = loud\n", 1, "error warn info debug" },
	{ "address without port", "listen_api = localhost\n", 1, "ADDRESS:PORT" },
	{ "address with a bare IPv6", "listen_api = ::1:8443\n", 1, "brackets" },
	{ "port too large", "listen_api = 0.0.0.0:65536\n", 1, "port" },
	{ "list over two lines", "names = a, b\n   c\n", 0, "" },
	{ "path empty", "state_dir =\n", 1, "characters" },
};

static void files_are_judged_by_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_config *c = NULL;
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_config_parse(AY_PROGRAM_ASSAYD, "f", cases[i].text, &c, &e);

		print_message("config: %s: %s\n", cases[i].name, e.text);
		assert_int_equal(rc, cases[i].line == 0 ? AY_OK : AY_E_INPUT);
		assert_int_equal(e.offset, cases[i].line);
		assert_non_null(strstr(e.text, cases[i].words));
		ay_config_free(c);
	}
}

static void a_line_too_long_is_refused(void **state)
{
	char text[600];
	struct ay_config *c;
	struct ay_err e;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	memcpy(text, "names = ", 8);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "f", text, &c, &e), AY_E_INPUT);
	assert_non_null(strstr(e.text, "too long"));
}

static void values_are_read(void **state)
{
	struct ay_config *c;
	struct ay_err e;
	char word[16];

	(void)state;
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "f",
					 "lease = 90s\nek_tofu = yes\nnames = a, b\n\tc\n", &c, &e),
			 AY_OK);
	assert_int_equal(ay_config_int(c, "lease"), 90000);
	assert_true(ay_config_bool(c, "ek_tofu"));
	assert_false(ay_config_bool(c, "reveal_ek"));
	assert_true(ay_config_word(c, "names", 2, word, sizeof(word)));
	assert_string_equal(word, "c");
	assert_false(ay_config_word(c, "names", 3, word, sizeof(word)));
	assert_string_equal(ay_config_str(c, "listen_api"), "0.0.0.0:8443");
	ay_config_free(c);
}

static void show_tells_where_a_value_comes_from(void **state)
{
	struct ay_config *c;
	struct ay_config_shown s;
	struct ay_err e;
	bool seen = false;

	(void)state;
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAY_AGENT, "f", "\nname = web1\n", &c, &e),
			 AY_OK);
	for (size_t i = 0; ay_config_show(c, i, &s); i++) {
		assert_true((s.row->programs & AY_PROGRAM_ASSAY_AGENT) != 0);
		if (strcmp(s.row->key, "name") != 0)
			continue;
		seen = true;
		assert_string_equal(s.value, "web1");
		assert_string_equal(s.source, "f");
		assert_int_equal(s.line, 2);
	}
	assert_true(seen);
	ay_config_free(c);
}

static void test_values_of_sections(void **state)
{
	static const char text[] = "[approval]\npolicy_activate = yes\nexpires = 2h\n";
	struct ay_config *c;

	(void)state;
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", text, &c, NULL), AY_OK);
	assert_true(ay_config_bool(c, "approval.policy_activate"));
	assert_false(ay_config_bool(c, "approval.reference_revoke"));
	assert_int_equal(ay_config_int(c, "approval.expires"), 7200000);
	ay_config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_of_sections),
		cmocka_unit_test(every_default_is_valid),
		cmocka_unit_test(files_are_judged_by_line),
		cmocka_unit_test(a_line_too_long_is_refused),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(show_tells_where_a_value_comes_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
