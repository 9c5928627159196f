/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/base/jsonout.h"

#include <jansson.h>
#include <string.h>

/* Texts as they are given, and what a reader of JSON must see. */
static const struct {
	const char *name, *text, *seen;
} texts[] = {
	{ "plain", "web-7", "web-7" },
	{ "empty", "", "" },
	{ "quotes and a backslash", "a\"b\\c", "a\"b\\c" },
	{ "control characters", "a\n\t\x01\x1f\x7f", "a\n\t\x01\x1f\x7f" },
	{ "slash", "a/b</script>", "a/b</script>" },
	{ "two, three and four octets", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x94\x92",
	  "\xc3\xbc\xe2\x82\xac\xf0\x9f\x94\x92" },
	{ "the last character", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	{ "a lone continuation", "a\x80z", "a\xef\xbf\xbdz" },
	{ "cut short", "a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd" },
	{ "overlong", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "overlong of three", "\xe0\x9f\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "a surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "above the last", "\xf4\x90\x80\x80",
	  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
};

static json_t *load(const struct ay_json_out *o)
{
	struct ay_bytes b = ay_jo_end(o);
	json_t *j = json_loadb((const char *)b.p, b.n, JSON_DECODE_ANY, NULL);

	assert_non_null(j);
	return j;
}

static void texts_are_read_as_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(texts); i++) {
		struct ay_json_out o = { 0 };
		json_t *j;

		print_message("%s\n", texts[i].name);
		ay_jo_open(&o, '{');
		ay_jo_key(&o, "a\"b");
		ay_jo_text(&o, texts[i].text);
		ay_jo_close(&o, '}');
		j = load(&o);
		assert_string_equal(json_string_value(json_object_get(j, "a\"b")), texts[i].seen);
		json_decref(j);
		ay_jo_fini(&o);
	}
}

/* By jansson, compact, members in the order they were written. */
static void every_kind_of_value(void **state)
{
	static const uint8_t octets[] = { 0, 0xab, 0xff };
	struct ay_json_out o;
	json_t *j;
	char *text;

	(void)state;
	ay_jo_init(&o);
	ay_jo_open(&o, '{');
	ay_jo_key(&o, "none");
	ay_jo_text(&o, NULL);
	ay_jo_key(&o, "at");
	ay_jo_time(&o, 1700000000123);
	ay_jo_key(&o, "never");
	ay_jo_time(&o, 0);
	ay_jo_key(&o, "rows");
	ay_jo_open(&o, '[');
	ay_jo_int(&o, -7);
	ay_jo_int(&o, INT64_MAX);
	ay_jo_open(&o, '[');
	ay_jo_close(&o, ']');
	ay_jo_open(&o, '{');
	ay_jo_key(&o, "yes");
	ay_jo_bool(&o, true);
	ay_jo_key(&o, "no");
	ay_jo_bool(&o, false);
	ay_jo_close(&o, '}');
	ay_jo_hex(&o, AY_BYTES(octets));
	ay_jo_hex(&o, (struct ay_bytes){ octets, 0 });
	ay_jo_raw(&o, ay_bytes_of("{\"x\":[1]}"));
	ay_jo_close(&o, ']');
	ay_jo_close(&o, '}');
	j = load(&o);
	text = json_dumps(j, JSON_COMPACT);
	assert_string_equal(text,
			    "{\"none\":null,\"at\":\"2023-11-14T22:13:20.123Z\",\"never\":null,"
			    "\"rows\":[-7,9223372036854775807,[],{\"yes\":true,\"no\":false},"
			    "\"00abff\",null,{\"x\":[1]}]}");
	assert_memory_equal(ay_jo_end(&o).p, text, strlen(text));
	free(text);
	json_decref(j);
	ay_jo_fini(&o);
}

static void long_ones_grow(void **state)
{
	struct ay_json_out o = { 0 };
	json_t *j;

	(void)state;
	ay_jo_open(&o, '[');
	for (int i = 0; i < 20000; i++)
		ay_jo_int(&o, i);
	ay_jo_close(&o, ']');
	j = load(&o);
	assert_int_equal(json_array_size(j), 20000);
	assert_int_equal(json_integer_value(json_array_get(j, 19999)), 19999);
	json_decref(j);
	ay_jo_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read_as_they_are),
		cmocka_unit_test(every_kind_of_value),
		cmocka_unit_test(long_ones_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
