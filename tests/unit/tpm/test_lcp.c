/* SPDX-License-Identifier: Apache-2.0 */
/* Launch control policies: read, written, cut; the hash that joins policy and lists. */
#include "support/t.h"

#include "core/tpm/lcp.h"
#include "core/tpm/pcr.h"

#include <openssl/evp.h>

#define ZEROS16 "00000000000000000000000000000000"
#define HASH20 "0102030405060708090a0b0c0d0e0f1011121314"
#define HASH32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define FILE_HEAD "496e74656c285229205458542 04c43505f504f4c4943595f44415441 00000000 000000"
/* MLE2 of one digest, PCONF2 of PCR 0, SBIOS2 with fallback and one digest, custom */
#define MLE2 "32000000 10000000 01000000 02 00 0b00 0100" HASH32
#define PCONF2 "3c000000 11000000 00000000 0b00 0100 00000001 000b 03 010000 0020" HASH32
#define SBIOS2 "54000000 12000000 00000000 0b00 0000" HASH32 "0000 0100" HASH32
#define CUSTOM2 "10000000 13000000 00000000 aabbccdd"
#define LIST(size, elements) "0102 1000" size elements

static const struct {
	const char *name;
	const char *hex;
	const char *where; /* NULL: read */
} policies[] = {
	{ "version 3, list",
	  "0003 0b00 00 02" ZEROS16 "02000000 ff 00 0800 08000000 0800 0000" HASH32, NULL },
	{ "version 2, any", "0202 00 01 03 00" ZEROS16 "00000000 ff00 000000000000" HASH20, NULL },
	{ "version 1", "0100 00 01", "policy.version" },
	{ "version 4", "0004 00 01", "policy.version" },
	{ "version 3 of an unknown hash",
	  "0003 2700 00 02" ZEROS16 "02000000 ff 00 0800 08000000 0800 0000", "policy.hashAlg" },
	{ "version 2 of another hash",
	  "0202 01 01 03 00" ZEROS16 "00000000 ff00 000000000000" HASH20, "policy.hashAlg" },
	{ "type 2", "0003 0b00 02 02" ZEROS16 "02000000 ff 00 0800 08000000 0800 0000" HASH32,
	  "policy.policyType" },
	{ "hash cut", "0003 0b00 00 02" ZEROS16 "02000000 ff 00 0800 08000000 0800 0000 0102",
	  "policy.policyHash" },
	{ "octets behind", "0202 00 01 03 00" ZEROS16 "00000000 ff00 000000000000" HASH20 "00",
	  "policy" },
};

static void policies_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(policies); i++) {
		struct ay_bytes in = t_hex(policies[i].hex);
		struct ay_lcp_policy p;
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_lcp_policy_parse(in, &p, &e);

		print_message("policy: %s\n", policies[i].name);
		assert_int_equal(rc == AY_OK, policies[i].where == NULL);
		if (rc != AY_OK) {
			assert_string_equal(e.where, policies[i].where);
			assert_string_equal(e.code, "LCP");
			continue;
		}
		for (size_t n = 0; n < in.n; n++)
			assert_int_equal(
				ay_lcp_policy_parse((struct ay_bytes){ in.p, n }, &p, NULL),
				AY_E_INPUT);
	}
}

static void policy_members(void **state)
{
	struct ay_lcp_policy p;
	uint8_t buf[AY_LCP_POLICY_MAX];
	struct ay_writer w;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ay_bytes in = t_hex(policies[i].hex);

		assert_int_equal(ay_lcp_policy_parse(in, &p, NULL), AY_OK);
		ay_wr_init(&w, buf, sizeof(buf));
		ay_lcp_policy_write(&w, &p);
		assert_int_equal(w.n, in.n);
		assert_memory_equal(buf, in.p, in.n);
	}
	assert_int_equal(p.type, AY_LCP_ANY);
	assert_int_equal(p.sinit_min, 3);
	assert_int_equal(p.hash_alg, AY_ALG_SHA1);
}

static const struct {
	const char *name;
	const char *hex;
	const char *where;
} data[] = {
	{ "one list", FILE_HEAD "01" LIST("c2000000", MLE2 PCONF2 SBIOS2), NULL },
	{ "two lists", FILE_HEAD "02" LIST("32000000", MLE2) LIST("10000000", CUSTOM2), NULL },
	{ "an empty list", FILE_HEAD "01" LIST("00000000", ""), NULL },
	{ "no list", FILE_HEAD "00", "data.numLists" },
	{ "nine lists", FILE_HEAD "09", "data.numLists" },
	{ "another signature",
	  "596e74656c285229205458542 04c43505f504f4c4943595f44415441 00000000 000000 01",
	  "data.fileSignature" },
	{ "list version 4", FILE_HEAD "01 0004 0000 00000000", "list.version" },
	{ "elements beyond the file", FILE_HEAD "01" LIST("ffff0000", ""), "list.elements" },
	{ "elements of 16 MiB", FILE_HEAD "01" LIST("00000001", ""), "list.policyElementsSize" },
	{ "an element below its header",
	  FILE_HEAD "01" LIST("0c000000", "0b000000 10000000 00000000"), "element.size" },
	{ "digests that are not there",
	  FILE_HEAD "01" LIST("12000000", "12000000 10000000 00000000 02 00 0b00 0100"),
	  "element.hashes" },
	{ "an unknown hash",
	  FILE_HEAD "01" LIST("12000000", "12000000 10000000 00000000 02 00 2700 0100"),
	  "element.hashAlg" },
	{ "PCONF2 of another bank",
	  FILE_HEAD
	  "01" LIST("3c000000",
		    "3c000000 11000000 00000000 0b00 0100 00000001 0004 03 010000 0020" HASH32),
	  "pconf.hash" },
	{ "a selection of four octets",
	  FILE_HEAD
	  "01" LIST("3d000000",
		    "3d000000 11000000 00000000 0b00 0100 00000001 000b 04 01000000 0020" HASH32),
	  "pconf.sizeofSelect" },
	{ "an ECDSA list", FILE_HEAD "01 0102 1800 00000000", "list.sigAlgorithm" },
	{ "a key of 16 octets", FILE_HEAD "01 0102 1400 00000000 0000 1000" HASH32,
	  "signature.pubkeySize" },
	{ "octets behind", FILE_HEAD "01" LIST("00000000", "") "00", "data" },
};

static void data_read(void **state)
{
	static struct ay_lcp_data d;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(data); i++) {
		struct ay_bytes in = t_hex(data[i].hex);
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_lcp_data_parse(in, &d, &e);

		print_message("data: %s\n", data[i].name);
		if (rc != AY_OK && data[i].where == NULL)
			fail_msg("%s: %s", e.where, e.text);
		assert_int_equal(rc == AY_OK, data[i].where == NULL);
		if (rc != AY_OK) {
			assert_string_equal(e.where, data[i].where);
			assert_string_equal(e.code, "LCP");
			assert_int_equal(d.n, 0);
			continue;
		}
		for (size_t n = 0; n < in.n; n++)
			assert_int_not_equal(
				ay_lcp_data_parse((struct ay_bytes){ in.p, n }, &d, NULL), AY_OK);
	}
}

static void elements(void **state)
{
	static struct ay_lcp_data d;
	struct ay_lcp_pcrs set;
	struct ay_reader r;

	(void)state;
	assert_int_equal(ay_lcp_data_parse(t_hex(data[0].hex), &d, NULL), AY_OK);
	assert_int_equal(d.list[0].n, 3);
	assert_int_equal(d.list[0].element[0].sinit_min, 2);
	assert_int_equal(d.list[0].element[0].control, 1);
	assert_int_equal(d.list[0].element[0].digests.n, 32);
	ay_rd_init(&r, d.list[0].element[1].pcrs);
	assert_true(ay_lcp_pcrs_next(&d.list[0].element[1], &r, &set));
	assert_int_equal(set.mask, 1);
	assert_int_equal(set.digest.n, 32);
	assert_false(ay_lcp_pcrs_next(&d.list[0].element[1], &r, &set));
	assert_int_equal(d.list[0].element[2].fallback.n, 32);
	assert_int_equal(d.list[0].element[2].n, 1);
}

/* H(H(list)): an unsigned list is known by its octets. */
static void hash_of_lists(void **state)
{
	static struct ay_lcp_data d;
	struct ay_bytes in = t_hex(data[0].hex);
	uint8_t want[32], got[AY_DIGEST_MAX];

	(void)state;
	assert_int_equal(ay_lcp_data_parse(in, &d, NULL), AY_OK);
	assert_int_equal(EVP_Digest(in.p + 36, in.n - 36, want, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(EVP_Digest(want, 32, want, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(ay_lcp_data_hash(&d, AY_ALG_SHA256, got, NULL), AY_OK);
	assert_memory_equal(got, want, 32);
}

/* What is written is what is read above; the digest of PCR 0 alone is the hash of its value. */
static void written(void **state)
{
	static uint8_t buf[1024];
	struct ay_bytes hash = t_hex(HASH32), want;
	struct ay_lcp_element el = { .type = AY_LCP_MLE2,
				     .control = 1,
				     .alg = AY_ALG_SHA256,
				     .sinit_min = 2,
				     .n = 1,
				     .digests = hash };
	struct ay_pcrs pcrs = { 0 };
	uint8_t digest[32];
	struct ay_writer w;

	(void)state;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_lcp_digests_write(&w, &el);
	want = t_hex(MLE2);
	assert_int_equal(w.n, want.n);
	assert_memory_equal(buf, want.p, want.n);

	assert_int_equal(ay_pcrs_set(&pcrs, AY_ALG_SHA256, 0, hash, NULL), AY_OK);
	assert_int_equal(EVP_Digest(hash.p, 32, digest, NULL, EVP_sha256(), NULL), 1);
	ay_wr_init(&w, buf, sizeof(buf));
	assert_int_equal(ay_lcp_pconf_write(&w, &pcrs, AY_ALG_SHA256, 1, false, NULL), AY_OK);
	want = t_hex(PCONF2);
	assert_int_equal(w.n, want.n);
	assert_memory_equal(buf, want.p, want.n - 32);
	assert_memory_equal(buf + want.n - 32, digest, 32);
	assert_int_equal(ay_lcp_pconf_write(&w, &pcrs, AY_ALG_SHA256, 2, false, NULL), AY_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_read), cmocka_unit_test(policy_members),
		cmocka_unit_test(data_read),	 cmocka_unit_test(elements),
		cmocka_unit_test(hash_of_lists), cmocka_unit_test(written),
	};

	return cmocka_run_group_tests_name("tpm/lcp", tests, NULL, NULL);
}
