/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/numbers.h"
#include "core/base/uuid.h"
#include "support/t.h"

#include <string.h>

#define STAYS UINT64_C(4711)

static const struct {
	const char *text;
	uint64_t max, value;
	bool ok;
} numbers[] = {
	{ "0", 22, 0, true },
	{ "22", 22, 22, true },
	{ "007", 22, 7, true },
	{ "23", 22, 0, false },
	{ "", 22, 0, false },
	{ "7x", 22, 0, false },
	{ "7 ", 22, 0, false },
	{ " 7", 22, 0, false },
	{ "+7", 22, 0, false },
	{ "-1", UINT64_MAX, 0, false },
	{ "0x10", 22, 0, false },
	{ "18446744073709551615", UINT64_MAX, UINT64_MAX, true },
	{ "18446744073709551616", UINT64_MAX, 0, false },
	{ "000000000000000000007", 22, 0, false },
};

static void only_digits_are_a_number(void **state)
{
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(numbers); i++) {
		uint64_t v = STAYS;
		enum ay_rc rc =
			ay_number_parse(ay_bytes_of(numbers[i].text), "n", numbers[i].max, &v, &e);

		print_message("number: '%s'\n", numbers[i].text);
		assert_int_equal(rc, numbers[i].ok ? AY_OK : AY_E_INPUT);
		assert_true(v == (numbers[i].ok ? numbers[i].value : STAYS));
	}
}

static const struct {
	const char *text;
	uint64_t set;
	size_t at; /* of what is wrong; 0 with set 0 */
} sets[] = {
	{ "0,17", 0x20001, 0 },
	{ "17", 0x20000, 0 },
	{ "18, 19 ,20", 0x1c0000, 0 },
	{ "0,0", 1, 0 },
	{ "", 0, 0 },
	{ ",", 0, 0 },
	{ "0,", 0, 2 },
	{ "0,17x", 0, 2 },
	{ "0,,1", 0, 2 },
	{ "1,23", 0, 2 },
	{ "1;2", 0, 0 },
	{ "1,2-3", 0, 2 },
	{ "1,2 3", 0, 2 },
	{ "99999999999999999999", 0, 0 },
};

static void a_list_has_no_empty_place(void **state)
{
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(sets); i++) {
		uint64_t v = STAYS;
		enum ay_rc rc = ay_number_set_parse(ay_bytes_of(sets[i].text), "n", 22, &v, &e);

		print_message("list: '%s'\n", sets[i].text);
		assert_int_equal(rc, sets[i].set != 0 ? AY_OK : AY_E_INPUT);
		assert_true(v == (sets[i].set != 0 ? sets[i].set : STAYS));
		if (rc != AY_OK)
			assert_int_equal(e.offset, sets[i].at);
	}
}

/* The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22Z. */
static void an_id_begins_with_its_time(void **state)
{
	struct ay_uuid given, made, other;
	struct ay_err e;
	char text[AY_UUID_TEXT];

	(void)state;
	assert_int_equal(ay_uuid_parse(ay_bytes_of("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), "id",
				       &given, &e),
			 AY_OK);
	assert_true(ay_uuid_time(&given) == INT64_C(1645557742000));
	made = ay_uuid_from_time(INT64_C(1645557742000), given.b);
	ay_uuid_format(&made, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	other = ay_uuid_from_random(given.b);
	assert_true(ay_uuid_time(&other) == -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_digits_are_a_number),
		cmocka_unit_test(a_list_has_no_empty_place),
		cmocka_unit_test(an_id_begins_with_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
