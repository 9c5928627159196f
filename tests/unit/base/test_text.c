/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/timefmt.h"
#include "core/base/uuid.h"

static void hex_round_trip(void **state)
{
	uint8_t b[4];
	char text[9];
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_hex_decode(ay_bytes_of("00aBfF10"), "d", b, 4, &e), AY_OK);
	ay_hex_encode(AY_BYTES(b), text);
	assert_string_equal(text, "00abff10");
	assert_int_equal(ay_hex_decode(ay_bytes_of("00aBfg10"), "d", b, 4, &e), AY_E_INPUT);
	assert_int_equal(e.offset, 5);
	assert_int_equal(b[0], 0);
	assert_int_equal(ay_hex_decode(ay_bytes_of("00aBff"), "d", b, 4, &e), AY_E_INPUT);
}

/* Vectors of RFC 4648, section 10. */
static void base64_vectors(void **state)
{
	static const char *const rows[][3] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	};
	char text[64];
	uint8_t b[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		for (int k = AY_BASE64_STD; k <= AY_BASE64_URL; k++) {
			ay_base64_encode((enum ay_base64)k, ay_bytes_of(rows[i][0]), text);
			assert_string_equal(text, rows[i][1 + k]);
			assert_int_equal(ay_base64_decode((enum ay_base64)k, ay_bytes_of(text), "t",
							  b, strlen(rows[i][0]), &n, NULL),
					 AY_OK);
			assert_int_equal(n, strlen(rows[i][0]));
			assert_memory_equal(b, rows[i][0], n);
		}
	}
}

static void base64_refuses(void **state)
{
	static const char *const bad[] = {
		"Zg", "Zg=", "Zg===", "Zh==", "Z", "Zm9v\n", "Zm-v", "="
	};
	uint8_t b[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(bad); i++)
		assert_int_equal(ay_base64_decode(AY_BASE64_STD, ay_bytes_of(bad[i]), "t", b,
						  sizeof(b), &n, NULL),
				 AY_E_INPUT);
	assert_int_equal(ay_base64_decode(AY_BASE64_STD, ay_bytes_of("Zm9v"), "t", b, 2, &n, NULL),
			 AY_E_LIMIT);
}

static void times(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T12:00:00Z", 951825600000 },
		{ "2026-11-21T22:05:01.250Z", 1795298701250 },
		{ "1969-12-31T23:59:59Z", -1000 },
	};
	static const char *const bad[] = { "2026-02-29T00:00:00Z",	"2026-13-01T00:00:00Z",
					   "2026-01-01T24:00:00Z",	"2026-01-01 00:00:00Z",
					   "2026-01-01T00:00:00+01:00", "" };
	char out[AY_TIME_ROOM];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		ay_time_format(rows[i].ms, out);
		assert_string_equal(out, rows[i].text);
		assert_int_equal(ay_time_parse(ay_bytes_of(out), "t", &ms, NULL), AY_OK);
		assert_true(ms == rows[i].ms);
	}
	for (size_t i = 0; i < AY_COUNT(bad); i++)
		assert_int_equal(ay_time_parse(ay_bytes_of(bad[i]), "t", &ms, NULL), AY_E_INPUT);
}

static void uuids(void **state)
{
	struct ay_uuid u;
	char out[AY_UUID_TEXT];

	(void)state;
	assert_int_equal(
		ay_uuid_parse(ay_bytes_of("F81D4FAE-7dec-11d0-a765-00a0c91e6bf6"), "id", &u, NULL),
		AY_OK);
	ay_uuid_format(&u, out);
	assert_string_equal(out, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
	assert_true(ay_uuid_looks_like(ay_bytes_of(out)));
	assert_false(ay_uuid_looks_like(ay_bytes_of("host-17")));
	assert_false(ay_uuid_looks_like(ay_bytes_of("f81d4fae07dec-11d0-a765-00a0c91e6bf6")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_round_trip), cmocka_unit_test(base64_vectors),
		cmocka_unit_test(base64_refuses), cmocka_unit_test(times),
		cmocka_unit_test(uuids),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
