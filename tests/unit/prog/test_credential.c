/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "prog/assayd/api/credential.h"

static void cookies(void **state)
{
	static const struct {
		const char *header, *value; /* value NULL: none */
		enum ay_rc rc;
	} rows[] = {
		{ "a=1", "1", AY_OK },
		{ "b=2; a=1", "1", AY_OK },
		{ "b=2;a=1", "1", AY_OK },
		{ "  a=1  ", NULL, AY_E_INPUT },
		{ "a=", "", AY_OK },
		{ "a=x=y", "x=y", AY_OK },
		{ "", NULL, AY_E_NOENT },
		{ "b=2", NULL, AY_E_NOENT },
		{ "aa=1; A=2", NULL, AY_E_NOENT },
		{ "a=1; a=1", NULL, AY_E_INPUT },
		{ "a=1; b=2; a=3", NULL, AY_E_INPUT },
		{ "a", NULL, AY_E_INPUT },
		{ "a=\"1\"", NULL, AY_E_INPUT },
		{ "a=1,2", NULL, AY_E_INPUT },
		{ "a=\x01", NULL, AY_E_INPUT },
		{ "a=\xc3\xa4", NULL, AY_E_INPUT },
		{ ";;; ;a=1", "1", AY_OK },
	};
	struct ay_bytes value;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("cookie: %s\n", rows[i].header);
		assert_int_equal(ay_cookie_find(ay_bytes_of(rows[i].header), "a", &value, &e),
				 rows[i].rc);
		if (rows[i].value != NULL)
			assert_true(ay_bytes_eq(value, ay_bytes_of(rows[i].value)));
		else
			assert_null(value.p);
	}
}

static void networks(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "192.0.2.1:1", "192.0.2.254:9", true },
		{ "192.0.2.1:1", "192.0.3.1:1", false },
		{ "[2001:db8:1:200::1]:1", "[2001:db8:1:2ff:ffff::9]:2", true },
		{ "[2001:db8:1:200::1]:1", "[2001:db8:1:300::1]:1", false },
		{ "[::1]:1", "0.0.0.1:1", false },
		{ "x:1", "y:1", true },
		{ "", ":", true },
	};
	uint8_t a[8], b[8];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("network: %s %s\n", rows[i].a, rows[i].b);
		ay_network_of(ay_bytes_of(rows[i].a), a);
		ay_network_of(ay_bytes_of(rows[i].b), b);
		assert_int_equal(memcmp(a, b, 8) == 0, rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cookies), cmocka_unit_test(networks) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
