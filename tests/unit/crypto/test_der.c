/* SPDX-License-Identifier: Apache-2.0 */
/* The DER subset [X690 8.1, 10.1, 11] and the fixed texts of tickets, element by element. */
#include "support/t.h"

#include "core/crypto/der.h"
#include "core/crypto/text.h"

static const struct {
	const char *name;
	const char *hex; /* an OCTET STRING */
	bool good;
	size_t n;
} elements[] = {
	{ "empty", "0400", true, 0 },
	{ "two octets", "0402aabb", true, 2 },
	{ "length in long form for a short one", "048102aabb", false, 0 },
	{ "length with a leading zero octet", "04820002aabb", false, 0 },
	{ "indefinite length", "0480aabb0000", false, 0 },
	{ "length of five octets", "04850000000002aabb", false, 0 },
	{ "reserved length octet", "04ffaabb", false, 0 },
	{ "longer than the input", "0403aabb", false, 0 },
	{ "four gigabytes", "0484ffffffffaa", false, 0 },
	{ "other tag", "0502aabb", false, 0 },
	{ "constructed form", "2402aabb", false, 0 },
	{ "tag of two octets", "1f0402aabb", false, 0 },
	{ "nothing", "", false, 0 },
};

static void only_the_shortest_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(elements); i++) {
		struct ay_reader r;
		struct ay_bytes b;
		struct ay_err e;

		print_message("element: %s\n", elements[i].name);
		ay_rd_init(&r, t_hex(elements[i].hex));
		b = ay_der_get(&r, "cert.field", AY_DER_OCTET_STRING);
		assert_int_equal(b.n, elements[i].n);
		assert_int_equal(ay_rd_end(&r, "cert", &e), elements[i].good ? AY_OK : AY_E_INPUT);
		if (!elements[i].good)
			assert_string_equal(e.where, "cert.field");
	}
}

/* The borders of the long form: 127, 128, 255, 256, 65535, 65536 octets. */
static void long_lengths(void **state)
{
	static const struct {
		const char *head;
		size_t n;
	} rows[] = {
		{ "047f", 127 },     { "048180", 128 },	    { "0481ff", 255 },
		{ "04820100", 256 }, { "0482ffff", 65535 }, { "0483010000", 65536 },
	};
	static uint8_t buf[65536 + 8];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_bytes h = t_hex(rows[i].head);
		struct ay_reader r;

		memcpy(buf, h.p, h.n);
		ay_rd_init(&r, (struct ay_bytes){ buf, h.n + rows[i].n });
		assert_int_equal(ay_der_whole(&r, "f").n, h.n + rows[i].n);
		assert_int_equal(ay_rd_end(&r, "all", NULL), AY_OK);
		ay_rd_init(&r, (struct ay_bytes){ buf, h.n + rows[i].n - 1 });
		(void)ay_der_whole(&r, "f");
		assert_false(ay_rd_ok(&r));
	}
}

static const struct {
	const char *hex;
	bool good;
	uint32_t value;
} numbers[] = {
	{ "020100", true, 0 },		{ "02017f", true, 127 },
	{ "02020080", true, 128 },	{ "02047fffffff", true, 0x7fffffff },
	{ "0200", false, 0 },		/* no octet */
	{ "0201ff", false, 0 },		/* -1 */
	{ "0202007f", false, 0 },	/* not the shortest */
	{ "020500ffffffff", false, 0 }, /* too large */
	{ "020480000000", false, 0 },	{ "0a0100", false, 0 },
};

static const struct {
	const char *hex;
	bool good, value;
} booleans[] = {
	{ "0101ff", true, true }, { "010100", true, false },	{ "010101", false, false },
	{ "0100", false, false }, { "0102ffff", false, false },
};

static void numbers_and_booleans(void **state)
{
	struct ay_reader r;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(numbers); i++) {
		ay_rd_init(&r, t_hex(numbers[i].hex));
		assert_int_equal(ay_der_u31(&r, "f"), numbers[i].value);
		assert_int_equal(ay_rd_ok(&r), numbers[i].good);
	}
	for (size_t i = 0; i < AY_COUNT(booleans); i++) {
		ay_rd_init(&r, t_hex(booleans[i].hex));
		assert_int_equal(ay_der_bool(&r, "f"), booleans[i].value);
		assert_int_equal(ay_rd_ok(&r), booleans[i].good);
	}
}

/* Seconds as GNU date says: date -u -d '2049-12-31 23:59:59' +%s. */
static const struct {
	const char *name;
	uint8_t tag;
	const char *text;
	bool good;
	int64_t s;
} times[] = {
	{ "UTCTime before 2050", 0x17, "491231235959Z", true, 2524607999 },
	{ "UTCTime from 1950", 0x17, "500101000000Z", true, -631152000 },
	{ "GeneralizedTime", 0x18, "20500101000000Z", true, 2524608000 },
	{ "no expiry [RFC5280 4.1.2.5]", 0x18, "99991231235959Z", true, 253402300799 },
	{ "leap day", 0x18, "20240229000000Z", true, 1709164800 },
	{ "no leap day", 0x18, "20230229000000Z", false, 0 },
	{ "month 0", 0x17, "490031235959Z", false, 0 },
	{ "month 13", 0x17, "491331235959Z", false, 0 },
	{ "leap second", 0x17, "491231235960Z", false, 0 },
	{ "without seconds", 0x17, "4912312359Z", false, 0 },
	{ "offset for Z", 0x17, "4912312359+01", false, 0 },
	{ "fraction", 0x18, "20500101000000.5Z", false, 0 },
	{ "sign among digits", 0x18, "2050-101000000Z", false, 0 },
	{ "small z", 0x17, "491231235959z", false, 0 },
};

static void times_as_rfc5280(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(times); i++) {
		size_t n = strlen(times[i].text);
		struct ay_reader r;
		uint8_t buf[32];

		print_message("time: %s\n", times[i].name);
		buf[0] = times[i].tag;
		buf[1] = (uint8_t)n;
		memcpy(buf + 2, times[i].text, n);
		ay_rd_init(&r, (struct ay_bytes){ buf, n + 2 });
		assert_true(ay_der_time(&r, "f") == times[i].s * 1000);
		assert_int_equal(ay_rd_ok(&r), times[i].good);
		for (size_t k = 0; k < n + 2; k++) {
			ay_rd_init(&r, (struct ay_bytes){ buf, k });
			(void)ay_der_time(&r, "f");
			assert_false(ay_rd_ok(&r));
		}
	}
}

static void bits_and_windows(void **state)
{
	struct ay_reader r, sub;
	struct ay_err e;

	(void)state;
	ay_rd_init(&r, t_hex("030300aabb"));
	assert_int_equal(ay_der_bits(&r, "f").n, 2);
	ay_rd_init(&r, t_hex("030301aaba"));
	assert_int_equal(ay_der_bits(&r, "f").n, 0);
	assert_false(ay_rd_ok(&r));
	ay_rd_init(&r, t_hex("0300"));
	(void)ay_der_bits(&r, "f");
	assert_false(ay_rd_ok(&r));

	ay_rd_init(&r, t_hex("3004 0101ff 05"));
	assert_int_equal(ay_der_peek(&r), AY_DER_SEQUENCE);
	assert_false(ay_der_enter_if(&r, "f", AY_DER_SET, &sub));
	assert_true(ay_der_enter_if(&r, "f", AY_DER_SEQUENCE, &sub));
	assert_true(ay_der_bool(&sub, "f"));
	ay_rd_window_end(&sub, "seq"); /* one octet was not read */
	assert_int_equal(ay_rd_end(&r, "all", &e), AY_E_INPUT);
	assert_string_equal(e.where, "seq");
}

static void quoted_texts(void **state)
{
	static const char *const bad[] = { "ab",      "a\\\"",	    "a\n\"",
					   "a\x7f\"", "\xc3\xa9\"", "abcde\"" };
	struct ay_reader r;
	char out[5];

	(void)state;
	ay_rd_init(&r, ay_bytes_of("ab d\"x"));
	ay_text_copy(&r, "f", out, sizeof(out));
	assert_string_equal(out, "ab d");
	assert_int_equal(ay_rd_left(&r), 1);
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		memset(out, 'x', sizeof(out));
		ay_rd_init(&r, ay_bytes_of(bad[i]));
		ay_text_copy(&r, "f", out, sizeof(out));
		assert_false(ay_rd_ok(&r));
		assert_string_equal(out, "");
	}
	assert_true(ay_text_is_plain("plain ~!"));
	assert_false(ay_text_is_plain("a\"b"));
	assert_false(ay_text_is_plain("a\tb"));
}

static void text_numbers(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} rows[] = {
		{ "0", true, 0 },
		{ "1795298701", true, 1795298701 },
		{ "999999999999999", true, 999999999999999 },
		{ "1000000000000000", false, 0 },
		{ "00", false, 0 },
		{ "01", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_reader r;

		ay_rd_init(&r, ay_bytes_of(rows[i].text));
		assert_true(ay_text_number(&r, "f") == rows[i].value);
		assert_int_equal(ay_rd_end(&r, "t", NULL), rows[i].good ? AY_OK : AY_E_INPUT);
	}
}

static void text_hex(void **state)
{
	static const char *const bad[] = { "00ff", "00fF\"", "00fg\"", "00f\"", "00ff0\"", "" };
	uint8_t out[2];
	struct ay_reader r;

	(void)state;
	ay_rd_init(&r, ay_bytes_of("00ff\""));
	ay_text_hex(&r, "f", out, 2);
	assert_int_equal(ay_rd_end(&r, "t", NULL), AY_OK);
	assert_int_equal(out[1], 0xff);
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		ay_rd_init(&r, ay_bytes_of(bad[i]));
		ay_text_hex(&r, "f", out, 2);
		assert_int_equal(ay_rd_end(&r, "t", NULL), AY_E_INPUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_shortest_length),
		cmocka_unit_test(long_lengths),
		cmocka_unit_test(numbers_and_booleans),
		cmocka_unit_test(times_as_rfc5280),
		cmocka_unit_test(bits_and_windows),
		cmocka_unit_test(quoted_texts),
		cmocka_unit_test(text_numbers),
		cmocka_unit_test(text_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
