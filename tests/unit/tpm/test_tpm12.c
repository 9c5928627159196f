/* SPDX-License-Identifier: Apache-2.0 */
/* TPM_PCR_COMPOSITE and TPM_QUOTE_INFO [TPM12-P2 8.2, 11.3], digests taken with EVP. */
#include "support/t.h"

#include "core/tpm/tpm12.h"

#include <openssl/evp.h>

#define V1 "0101010101010101010101010101010101010101"
#define V2 "0202020202020202020202020202020202020202"

static const struct {
	const char *name;
	const char *hex;
	bool good;
	const char *where;
} composites[] = {
	{ "PCRs 0 and 17", "0003 010002 00000028" V1 V2, true, NULL },
	{ "two octets of mask", "0002 0100 00000014" V1, true, NULL },
	{ "one octet of mask", "0001 01 00000014" V1, false, NULL },
	{ "four octets of mask", "0004 01000000 00000014" V1, false, NULL },
	{ "no PCR", "0003 000000 00000000", false, "quote.pcrSelection.pcrSelect" },
	{ "fewer values than PCRs", "0003 030000 00000014" V1, false, "quote.valueSize" },
	{ "more values than PCRs", "0003 010000 00000028" V1 V2, false, "quote.valueSize" },
	{ "size and octets disagree", "0003 010000 00000014" V1 "00", false, "quote" },
	{ "four gigabytes of values", "0003 010000 ffffffff" V1, false, "quote.valueSize" },
};

static void composite_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(composites); i++) {
		struct ay_bytes in = t_hex(composites[i].hex);
		struct ay_composite12 c;
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_composite12_parse(in, &c, &e);

		print_message("composite: %s\n", composites[i].name);
		assert_int_equal(rc, composites[i].good ? AY_OK : AY_E_INPUT);
		if (composites[i].where != NULL)
			assert_string_equal(e.where, composites[i].where);
		if (rc != AY_OK)
			assert_int_equal(c.mask, 0);
		for (size_t n = 0; rc == AY_OK && n < in.n; n++)
			assert_int_equal(
				ay_composite12_parse((struct ay_bytes){ in.p, n }, &c, NULL),
				AY_E_INPUT);
	}
}

static void composite_digest(void **state)
{
	struct ay_bytes in = t_hex(composites[0].hex);
	uint8_t want[20], got[20], info[AY_TPM12_QUOTE_INFO_BYTES];
	static struct ay_pcrs pcrs;
	struct ay_composite12 c;

	(void)state;
	assert_int_equal(EVP_Digest(in.p, in.n, want, NULL, EVP_sha1(), NULL), 1);
	assert_int_equal(ay_composite12_parse(in, &c, NULL), AY_OK);
	assert_int_equal(c.mask, 1u | 1u << 17);
	ay_composite12_digest(&c, got);
	assert_memory_equal(got, want, 20);
	ay_composite12_pcrs(&c, &pcrs);
	assert_true(ay_bytes_eq(ay_pcrs_value(&pcrs, AY_ALG_SHA1, 17), t_hex(V2)));
	assert_true(ay_composite12_of(&pcrs, c.mask, 3, got));
	assert_memory_equal(got, want, 20);
	assert_false(ay_composite12_of(&pcrs, c.mask, 2, got));	 /* PCR 17 needs the third octet */
	assert_false(ay_composite12_of(&pcrs, 1u << 5, 3, got)); /* no value */
	ay_quote12_info(want, t_hex(V1).p, info);
	assert_memory_equal(info, t_hex("01010000 51554f54").p, 8); /* 1.1.0.0, "QUOT" */
	assert_memory_equal(info + 8, want, 20);
	assert_memory_equal(info + 28, t_hex(V1).p, 20);
}

static void quote_info_prefixes(void **state)
{
	struct ay_bytes in = t_hex("01010000 51554f54" V1 V2);
	struct ay_quote12 q;

	(void)state;
	assert_int_equal(ay_quote12_parse(in, &q, NULL), AY_OK);
	assert_true(ay_bytes_eq(q.digest, t_hex(V1)) && ay_bytes_eq(q.external, t_hex(V2)));
	for (size_t n = 0; n < in.n; n++)
		assert_int_equal(ay_quote12_parse((struct ay_bytes){ in.p, n }, &q, NULL),
				 AY_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(composite_forms),
		cmocka_unit_test(composite_digest),
		cmocka_unit_test(quote_info_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
