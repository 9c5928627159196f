/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/base/utf8.h"

/* The borders of RFC 3629's table of well-formed sequences, a step on each side. */
static const struct {
	const char *name;
	uint8_t text[5];
	size_t n, length;
} rows[] = {
	{ "the terminator", { 0 }, 1, 1 },
	{ "last of one", { 0x7f }, 1, 1 },
	{ "a continuation alone", { 0x80 }, 1, 0 },
	{ "overlong two", { 0xc1, 0xbf }, 2, 0 },
	{ "first of two", { 0xc2, 0x80 }, 2, 2 },
	{ "last of two", { 0xdf, 0xbf }, 2, 2 },
	{ "two cut short", { 0xdf, 0xbf }, 1, 0 },
	{ "no continuation", { 0xdf, 0xc0 }, 2, 0 },
	{ "overlong three", { 0xe0, 0x9f, 0xbf }, 3, 0 },
	{ "first of three", { 0xe0, 0xa0, 0x80 }, 3, 3 },
	{ "before the surrogates", { 0xed, 0x9f, 0xbf }, 3, 3 },
	{ "first surrogate", { 0xed, 0xa0, 0x80 }, 3, 0 },
	{ "after the surrogates", { 0xee, 0x80, 0x80 }, 3, 3 },
	{ "last of three", { 0xef, 0xbf, 0xbf }, 3, 3 },
	{ "three cut short", { 0xef, 0xbf, 0xbf }, 2, 0 },
	{ "three, the last wrong", { 0xe1, 0x80, 0x41 }, 3, 0 },
	{ "overlong four", { 0xf0, 0x8f, 0xbf, 0xbf }, 4, 0 },
	{ "first of four", { 0xf0, 0x90, 0x80, 0x80 }, 4, 4 },
	{ "last of all", { 0xf4, 0x8f, 0xbf, 0xbf }, 4, 4 },
	{ "beyond the last", { 0xf4, 0x90, 0x80, 0x80 }, 4, 0 },
	{ "five octets", { 0xf8, 0x88, 0x80, 0x80, 0x80 }, 5, 0 },
	{ "no octet of UTF-8", { 0xff }, 1, 0 },
};

static void each_border(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(ay_utf8_length(rows[i].text, rows[i].n), rows[i].length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_border) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
