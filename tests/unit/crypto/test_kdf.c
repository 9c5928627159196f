/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC, HKDF, KDFa, KDFe and AES-GCM against published vectors and the corpus. */
#include "support/t.h"

#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/secret.h"

#include <jansson.h>
#include <string.h>

static void test_hmac_rfc4231(void **state)
{
	static const struct {
		const char *key, *data, *sha256, *sha512;
	} cases[] = {
		{ "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a"
		  "6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaa",
		  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
		  "48617368204b6579204669727374",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		  "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598"
		  "bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
	};
	uint8_t md[64];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_bytes data = t_hex(cases[i].data);

		assert_true(ay_hmac(AY_ALG_SHA256, t_hex(cases[i].key), &data, 1, md));
		assert_memory_equal(md, t_hex(cases[i].sha256).p, 32);
		assert_true(ay_hmac(AY_ALG_SHA512, t_hex(cases[i].key), &data, 1, md));
		assert_memory_equal(md, t_hex(cases[i].sha512).p, 64);
	}
	assert_false(ay_hmac(AY_ALG_SM3_256, t_hex("00"), NULL, 0, md));
}

static void test_hkdf_rfc5869(void **state)
{
	uint8_t out[42];

	(void)state;
	assert_true(ay_hkdf_sha256(t_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
				   t_hex("000102030405060708090a0b0c"),
				   t_hex("f0f1f2f3f4f5f6f7f8f9"), out, sizeof(out)));
	assert_memory_equal(out,
			    t_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
				  "34007208d5b887185865")
				    .p,
			    sizeof(out));
	assert_true(ay_hkdf_sha256(t_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
				   (struct ay_bytes){ NULL, 0 }, (struct ay_bytes){ NULL, 0 }, out,
				   sizeof(out)));
	assert_memory_equal(out,
			    t_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
				  "9d201395faa4b61a96c8")
				    .p,
			    sizeof(out));
}

static struct ay_bytes member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	assert_non_null(s);
	return t_hex(s);
}

static json_t *corpus_array(const char *test, const char *name)
{
	struct ay_bytes f = t_corpus_file(test, name);
	json_t *a = json_loadb((const char *)f.p, f.n, 0, NULL);

	assert_true(json_is_array(a) && json_array_size(a) >= 100);
	return a;
}

/* One row of kdfa.json or kdfe.json; the secret is in the member key_name. */
static void check_kdf(const json_t *o, const char *key_name)
{
	const char *label = json_string_value(json_object_get(o, "Label"));
	uint16_t alg = (uint16_t)json_integer_value(json_object_get(o, "HashAlg"));
	unsigned bits = (unsigned)json_integer_value(json_object_get(o, "Bits"));
	struct ay_bytes key = member(o, key_name), want = member(o, "Result");
	struct ay_bytes u = member(o, "ContextU"), v = member(o, "ContextV");
	uint8_t out[128] = { 0 };

	print_message("%s\n", json_string_value(json_object_get(o, "Name")));
	assert_int_equal(want.n, (bits + 7) / 8);
	if (strcmp(key_name, "Z") == 0)
		assert_true(ay_kdfe(alg, key, label, u, v, bits, out));
	else
		assert_true(ay_kdfa(alg, key, label, u, v, bits, out));
	assert_memory_equal(out, want.p, want.n);
}

static void test_kdfa_corpus(void **state)
{
	json_t *a = corpus_array("crypto/kdf", "vectors/kdfa.json"), *o;
	size_t i;

	(void)state;
	json_array_foreach (a, i, o)
		check_kdf(o, "Key");
	json_decref(a);
}

static void test_kdfe_corpus(void **state)
{
	json_t *a = corpus_array("crypto/kdf", "vectors/kdfe.json"), *o;
	size_t i;

	(void)state;
	json_array_foreach (a, i, o)
		check_kdf(o, "Z");
	json_decref(a);
}

/* NIST SP 800-38D test case 16 (AES-256, 96-bit IV, AAD). */
static void test_gcm(void **state)
{
	struct ay_bytes key =
		t_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
	struct ay_bytes iv = t_hex("cafebabefacedbaddecaf888");
	struct ay_bytes aad = t_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
	struct ay_bytes plain = t_hex(
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809"
		"532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
	struct ay_bytes want = t_hex(
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb"
		"3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
	uint8_t sealed[80], open[60];
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_gcm_seal(key.p, iv.p, aad, plain, sealed, &e), AY_OK);
	assert_memory_equal(sealed, want.p, want.n);
	assert_int_equal(ay_gcm_open(key.p, iv.p, aad, want, open, &e), AY_OK);
	assert_memory_equal(open, plain.p, plain.n);
	for (size_t i = 0; i < want.n * 8; i++) {
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(ay_gcm_open(key.p, iv.p, aad, (struct ay_bytes){ sealed, want.n },
					     open, &e),
				 AY_E_CRYPTO);
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < want.n; n++)
		assert_int_not_equal(
			ay_gcm_open(key.p, iv.p, aad, (struct ay_bytes){ want.p, n }, open, &e),
			AY_OK);
}

static void test_secret(void **state)
{
	struct ay_secret s;

	(void)state;
	assert_true(ay_secret_set(&s, t_hex("0102")));
	assert_true(ay_secret_eq(&s, t_hex("0102")));
	assert_false(ay_secret_eq(&s, t_hex("0103")));
	assert_false(ay_secret_eq(&s, t_hex("010203")));
	ay_secret_wipe(&s);
	assert_false(ay_secret_eq(&s, (struct ay_bytes){ NULL, 0 }));
	assert_int_equal(s.b[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hmac_rfc4231), cmocka_unit_test(test_hkdf_rfc5869),
		cmocka_unit_test(test_kdfa_corpus),  cmocka_unit_test(test_kdfe_corpus),
		cmocka_unit_test(test_gcm),	     cmocka_unit_test(test_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
