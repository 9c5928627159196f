/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/tpm/alg.h"
#include "core/tpm/pcr.h"

/* TPM_ALG_ID values and digest sizes: TCG Algorithm Registry, tables 3 and 9. */
static void algorithms(void **state)
{
	static const struct {
		uint16_t alg;
		size_t size;
		const char *name;
	} rows[] = {
		{ 0x0004, 20, "sha1" },	  { 0x000b, 32, "sha256" },  { 0x000c, 48, "sha384" },
		{ 0x000d, 64, "sha512" }, { 0x0012, 32, "sm3_256" },
	};
	static const uint16_t none[] = { 0x0000, 0x0001, 0x0010, 0x0023, 0x0027, 0xffff };
	static const char *const strange[] = {
		"", "SHA256", "sha-256", "sha25", "sha2560", "null"
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		assert_int_equal(ay_alg_digest_size(rows[i].alg), rows[i].size);
		assert_string_equal(ay_alg_bank_name(rows[i].alg), rows[i].name);
		assert_int_equal(ay_alg_from_bank_name(ay_bytes_of(rows[i].name)), rows[i].alg);
	}
	for (size_t i = 0; i < AY_COUNT(none); i++) {
		assert_int_equal(ay_alg_digest_size(none[i]), 0);
		assert_null(ay_alg_bank_name(none[i]));
	}
	for (size_t i = 0; i < AY_COUNT(strange); i++)
		assert_int_equal(ay_alg_from_bank_name(ay_bytes_of(strange[i])), 0);
}

/* TPML_PCR_SELECTION [TPM2-P2 10.9.7]. */
static const struct {
	const char *name;
	const char *hex;
	enum ay_rc rc;
	const char *where;
	size_t offset;
} selections[] = {
	{ "no bank", "00000000", AY_OK, NULL, 0 },
	{ "sha256:0-7", "00000001 000b 03 ff0000", AY_OK, NULL, 0 },
	{ "sha1:0+sha256:10,23", "00000002 0004 03 010000 000b 03 000480", AY_OK, NULL, 0 },
	{ "five banks",
	  "00000005 0004 03 010000 000b 03 010000 000c 03 010000 000d 03 010000 0012 03 010000",
	  AY_OK, NULL, 0 },
	{ "empty bitmap", "00000001 000b 03 000000", AY_OK, NULL, 0 },
	{ "six banks", "00000006", AY_E_INPUT, "pcrSelect.count", 4 },
	{ "four billion banks", "ffffffff", AY_E_INPUT, "pcrSelect.count", 4 },
	{ "unknown hash", "00000001 0027 03 010000", AY_E_INPUT, "pcrSelect.hash", 6 },
	{ "null hash", "00000001 0010 03 010000", AY_E_INPUT, "pcrSelect.hash", 6 },
	{ "same bank twice", "00000002 000b 03 010000 000b 03 020000", AY_E_INPUT, "pcrSelect.hash",
	  12 },
	{ "bitmap of two octets", "00000001 000b 02 0100", AY_E_INPUT, "pcrSelect.sizeofSelect",
	  7 },
	{ "bitmap of four octets", "00000001 000b 04 01000000", AY_E_INPUT,
	  "pcrSelect.sizeofSelect", 7 },
	{ "fewer banks than counted", "00000002 000b 03 010000", AY_E_INPUT, "pcrSelect.hash", 10 },
	{ "more banks than counted", "00000001 000b 03 010000 00", AY_E_INPUT, "pcrSelect", 10 },
};

static enum ay_rc read_selection(struct ay_bytes in, struct ay_pcr_selection *s, struct ay_err *e)
{
	struct ay_reader r;

	ay_rd_init(&r, in);
	ay_pcr_selection_read(&r, s);
	return ay_rd_end(&r, "pcrSelect", e);
}

static void selections_are_strict(void **state)
{
	static const struct ay_pcr_selection none;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(selections); i++) {
		struct ay_bytes in = t_hex(selections[i].hex), out;
		struct ay_pcr_selection s;
		struct ay_err e = { 0 };
		struct ay_writer w;
		uint8_t buf[64];

		print_message("selection: %s\n", selections[i].name);
		assert_int_equal(read_selection(in, &s, &e), selections[i].rc);
		if (selections[i].rc != AY_OK) {
			assert_string_equal(e.where, selections[i].where);
			print_message("  at %zu\n", e.offset);
			assert_int_equal(e.offset, selections[i].offset);
			continue;
		}
		ay_wr_init(&w, buf, sizeof(buf));
		ay_pcr_selection_write(&w, &s);
		assert_int_equal(ay_wr_end(&w, "t", &out, NULL), AY_OK);
		assert_true(ay_bytes_eq(in, out));
		for (size_t n = 0; n < in.n; n++) {
			assert_int_equal(read_selection((struct ay_bytes){ in.p, n }, &s, &e),
					 AY_E_INPUT);
			assert_memory_equal(&s, &none, sizeof(s));
		}
	}
}

static void selection_equality(void **state)
{
	static const char *const others[] = {
		"00000001 000b 03 ff0000",
		"00000002 000b 03 ff0000 0004 03 010000",
		"00000002 0004 03 010000 000b 03 ff0080",
		"00000002 0004 03 010000 000c 03 ff0000",
		"00000000",
	};
	struct ay_pcr_selection a, b;

	(void)state;
	assert_int_equal(read_selection(t_hex("00000002 0004 03 010000 000b 03 ff0000"), &a, NULL),
			 AY_OK);
	b = a;
	assert_true(ay_pcr_selection_eq(&a, &b));
	for (size_t i = 0; i < AY_COUNT(others); i++) {
		assert_int_equal(read_selection(t_hex(others[i]), &b, NULL), AY_OK);
		assert_false(ay_pcr_selection_eq(&a, &b));
	}
	assert_int_equal(read_selection(t_hex("00000001 000b 03 000480"), &a, NULL), AY_OK);
	assert_int_equal(a.bank[0].mask, 1u << 10 | 1u << 23); /* bit N of octet N / 8 */
}

#define V20 "0102030405060708090a0b0c0d0e0f1011121314"
#define V32 V20 "15161718191a1b1c1d1e1f20"

static const struct {
	const char *name;
	const char *hex;
	enum ay_rc rc;
	const char *where;
} values[] = {
	{ "none", "00", AY_OK, NULL },
	{ "one bank without values", "01 000b 00000000", AY_OK, NULL },
	{ "two banks", "02 0004 00000001" V20 "000b 00800400" V32 V32, AY_OK, NULL },
	{ "six banks", "06", AY_E_INPUT, "pcrs.banks" },
	{ "unknown bank", "01 0027 00000001" V32, AY_E_INPUT, "pcrs.alg" },
	{ "same bank twice", "02 0004 00000001" V20 "0004 00000002" V20, AY_E_INPUT, "pcrs.alg" },
	{ "PCR 24", "01 0004 01000000" V20, AY_E_INPUT, "pcrs.mask" },
	{ "value too few", "01 0004 00000003" V20, AY_E_INPUT, "pcrs.value" },
	{ "value too many", "01 0004 00000001" V20 V20, AY_E_INPUT, "pcrs" },
};

static enum ay_rc read_values(struct ay_bytes in, struct ay_pcrs *p, struct ay_err *e)
{
	struct ay_reader r;

	ay_rd_init(&r, in);
	ay_pcrs_read(&r, p);
	return ay_rd_end(&r, "pcrs", e);
}

static void value_wire_form_is_canonical(void **state)
{
	static uint8_t buf[AY_PCRS_WIRE_MAX];
	static struct ay_pcrs p;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(values); i++) {
		struct ay_bytes in = t_hex(values[i].hex), out;
		struct ay_err e = { 0 };
		struct ay_writer w;

		print_message("values: %s\n", values[i].name);
		assert_int_equal(read_values(in, &p, &e), values[i].rc);
		if (values[i].rc != AY_OK) {
			assert_string_equal(e.where, values[i].where);
			continue;
		}
		ay_wr_init(&w, buf, sizeof(buf));
		ay_pcrs_write(&w, &p);
		assert_int_equal(ay_wr_end(&w, "t", &out, NULL), AY_OK);
		assert_true(ay_bytes_eq(in, out));
		for (size_t n = 0; n < in.n; n++) {
			assert_int_equal(read_values((struct ay_bytes){ in.p, n }, &p, &e),
					 AY_E_INPUT);
			assert_int_equal(p.n_banks, 0);
		}
	}
}

static void set_and_find(void **state)
{
	static const uint16_t all[] = { AY_ALG_SHA1, AY_ALG_SHA256, AY_ALG_SHA384, AY_ALG_SHA512,
					AY_ALG_SM3_256 };
	static const uint8_t v[65] = { 9 };
	static struct ay_pcrs p;

	(void)state;
	assert_null(ay_pcrs_find(&p, AY_ALG_SHA256));
	assert_null(ay_pcrs_value(&p, AY_ALG_SHA256, 0).p);
	assert_int_equal(ay_pcrs_set(&p, 0x0010, 0, (struct ay_bytes){ v, 32 }, NULL), AY_E_INPUT);
	assert_int_equal(ay_pcrs_set(&p, 0x0010, 0, (struct ay_bytes){ v, 0 }, NULL), AY_E_INPUT);
	for (size_t i = 0; i < AY_COUNT(all); i++) {
		size_t n = ay_alg_digest_size(all[i]);

		assert_int_equal(ay_pcrs_set(&p, all[i], 24, (struct ay_bytes){ v, n }, NULL),
				 AY_E_INPUT);
		assert_int_equal(ay_pcrs_set(&p, all[i], 5, (struct ay_bytes){ v, n - 1 }, NULL),
				 AY_E_INPUT);
		assert_int_equal(ay_pcrs_set(&p, all[i], 5, (struct ay_bytes){ v, n + 1 }, NULL),
				 AY_E_INPUT);
		assert_int_equal(ay_pcrs_set(&p, all[i], 23, (struct ay_bytes){ v, n }, NULL),
				 AY_OK);
		assert_int_equal(p.n_banks, i + 1);
		assert_true(ay_bytes_eq(ay_pcrs_value(&p, all[i], 23), (struct ay_bytes){ v, n }));
		assert_null(ay_pcrs_value(&p, all[i], 22).p);
		assert_null(ay_pcrs_value(&p, all[i], 24).p);
		assert_null(ay_pcrs_value(&p, all[i], 55).p); /* 32 + 23: no shift past the word */
	}
	assert_null(ay_pcrs_bank(&p, 0x0027));
	assert_int_equal(ay_pcrs_bank(&p, AY_ALG_SHA1)->have, 1u << 23);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(algorithms),
		cmocka_unit_test(selections_are_strict),
		cmocka_unit_test(selection_equality),
		cmocka_unit_test(value_wire_form_is_canonical),
		cmocka_unit_test(set_and_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
