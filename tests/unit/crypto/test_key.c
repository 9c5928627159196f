/* SPDX-License-Identifier: Apache-2.0 */
/* Loading keys: numbers that are none, SPKI in the usual and the rsaesOaep form, verification
 * policy. */
#include "support/t.h"

#include "core/crypto/key.h"
#include "core/crypto/sign.h"
#include "core/crypto/verify.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static struct ay_bytes spki_of(EVP_PKEY *k)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(k, &der);

	assert_true(n > 0);
	return (struct ay_bytes){ der, (size_t)n };
}

static void test_spki_round(void **state)
{
	EVP_PKEY *keys[] = { EVP_RSA_gen(2048), EVP_EC_gen("P-256"), EVP_EC_gen("P-384"),
			     EVP_EC_gen("P-521") };
	static const unsigned bits[] = { 2048, 256, 384, 521 };
	struct ay_pubkey *a, *b;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(keys); i++) {
		struct ay_bytes der = spki_of(keys[i]);

		assert_int_equal(ay_pubkey_new_spki(der, &a, &e), AY_OK);
		assert_int_equal(ay_pubkey_new_pkey(keys[i], &b, &e), AY_OK);
		assert_true(ay_pubkey_eq(a, b));
		assert_int_equal(ay_pubkey_bits(a), bits[i]);
		ay_pubkey_free(ay_pubkey_ref(a));
		ay_pubkey_free(a);
		ay_pubkey_free(b);
		for (size_t n = 0; n < der.n; n++)
			assert_int_not_equal(
				ay_pubkey_new_spki((struct ay_bytes){ der.p, n }, &a, &e), AY_OK);
		OPENSSL_free((void *)(uintptr_t)der.p);
		EVP_PKEY_free(keys[i]);
	}
	ay_pubkey_free(NULL);
}

/* The AlgorithmIdentifier of TPM 1.2 EK certificates in place of rsaEncryption. */
static void test_rsaes_oaep(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	struct ay_bytes der = spki_of(rsa);
	uint8_t *changed = malloc(der.n);
	struct ay_pubkey *a, *b;
	struct ay_err e;

	(void)state;
	memcpy(changed, der.p, der.n);
	/* SEQUENCE { SEQUENCE { OID 1.2.840.113549.1.1.1, NULL } ...: last octet of the OID */
	assert_int_equal(changed[16], 0x01);
	changed[16] = 0x07;
	assert_int_equal(ay_pubkey_new_spki((struct ay_bytes){ changed, der.n }, &a, &e), AY_OK);
	assert_int_equal(ay_pubkey_new_pkey(rsa, &b, &e), AY_OK);
	assert_true(ay_pubkey_eq(a, b));
	ay_pubkey_free(a);
	ay_pubkey_free(b);
	changed[16] = 0x0b; /* a signature algorithm is no key type */
	assert_int_not_equal(ay_pubkey_new_spki((struct ay_bytes){ changed, der.n }, &a, &e),
			     AY_OK);
	free(changed);
	OPENSSL_free((void *)(uintptr_t)der.p);
	EVP_PKEY_free(rsa);
}

static void test_numbers(void **state)
{
	/* base point of P-256 [FIPS186-4 D.1.2.3] */
	struct ay_bytes x =
		t_hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
	struct ay_bytes y =
		t_hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
	uint8_t zero[32] = { 0 }, rsa[256] = { 0 }, big[33] = { 0 };
	struct ay_pubkey *k;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_pubkey_new_ec(AY_CURVE_P256, x, y, &k, &e), AY_OK);
	assert_int_equal(ay_pubkey_curve(k), AY_CURVE_P256);
	ay_pubkey_free(k);
	assert_int_equal(ay_pubkey_new_ec(AY_CURVE_P256, y, x, &k, &e), AY_E_CRYPTO);
	assert_null(k);
	assert_int_equal(ay_pubkey_new_ec(AY_CURVE_P256, AY_BYTES(zero), AY_BYTES(zero), &k, &e),
			 AY_E_CRYPTO);
	assert_int_equal(ay_pubkey_new_ec(AY_CURVE_P384, x, y, &k, &e), AY_E_CRYPTO);
	assert_int_equal(ay_pubkey_new_ec(0x0010, x, y, &k, &e), AY_E_INPUT);
	assert_int_equal(ay_pubkey_new_ec(AY_CURVE_P256, AY_BYTES(big), y, &k, &e), AY_E_INPUT);
	assert_int_equal(ay_pubkey_new_ec(AY_CURVE_P256, (struct ay_bytes){ NULL, 0 }, y, &k, &e),
			 AY_E_INPUT);
	rsa[0] = 0x80;
	rsa[255] = 1;
	assert_int_equal(ay_pubkey_new_rsa(AY_BYTES(rsa), 65537, &k, &e), AY_OK);
	ay_pubkey_free(k);
	assert_int_equal(ay_pubkey_new_rsa(AY_BYTES(rsa), 1, &k, &e), AY_E_CRYPTO);
	assert_int_equal(ay_pubkey_new_rsa(AY_BYTES(rsa), 65536, &k, &e), AY_E_CRYPTO);
	rsa[255] = 2;
	assert_int_equal(ay_pubkey_new_rsa(AY_BYTES(rsa), 65537, &k, &e), AY_E_CRYPTO);
	rsa[255] = 1;
	rsa[0] = 0x01;
	assert_int_equal(ay_pubkey_new_rsa(AY_BYTES(rsa), 65537, &k, &e), AY_E_CRYPTO);
	assert_int_equal(ay_pubkey_new_rsa((struct ay_bytes){ rsa, 64 }, 65537, &k, &e),
			 AY_E_INPUT);
}

/* Every scheme and hash a TPM signs with, as OpenSSL made it; and what the policy leaves out. */
static void test_verify(void **state)
{
	static const uint16_t hashes[] = { AY_ALG_SHA1, AY_ALG_SHA256, AY_ALG_SHA384,
					   AY_ALG_SHA512 };
	EVP_PKEY *keys[] = { EVP_RSA_gen(2048), EVP_RSA_gen(3072), EVP_EC_gen("P-256"),
			     EVP_EC_gen("P-384"), EVP_EC_gen("P-521") };
	struct ay_bytes msg = t_hex("6d657373616765"), other = t_hex("6d657373616766");
	struct ay_signature_buf s;
	struct ay_pubkey *k;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(keys) * AY_COUNT(hashes) * 2; i++) {
		EVP_PKEY *key = keys[i / 2 / AY_COUNT(hashes)];
		uint16_t hash = hashes[i / 2 % AY_COUNT(hashes)];
		bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
		uint16_t scheme = !rsa ? AY_ALG_ECDSA : i % 2 ? AY_ALG_RSAPSS : AY_ALG_RSASSA;
		unsigned bit = ay_hash_bit(hash);

		assert_int_equal(ay_pubkey_new_pkey(key, &k, &e), AY_OK);
		assert_int_equal(ay_sign(key, scheme, hash, msg, &s, &e), AY_OK);
		assert_int_equal(ay_verify(k, &s.sig, bit, msg), AY_SIG_GOOD);
		assert_int_equal(ay_verify(k, &s.sig, bit, other), AY_SIG_BAD);
		assert_int_equal(ay_verify(k, &s.sig, 15 & ~bit, msg), AY_SIG_HASH);
		s.sig.scheme = rsa ? AY_ALG_ECDSA : AY_ALG_RSASSA;
		assert_int_equal(ay_verify(k, &s.sig, bit, msg), AY_SIG_SCHEME);
		ay_pubkey_free(k);
	}
	for (size_t i = 0; i < AY_COUNT(keys); i++)
		EVP_PKEY_free(keys[i]);
}

/* RFC 6979 A.2.5: P-256, SHA-256, message "sample" - a signature that is not ours. */
static void test_verify_rfc6979(void **state)
{
	struct ay_bytes x =
		t_hex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6");
	struct ay_bytes y =
		t_hex("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
	struct ay_signature s = {
		.scheme = AY_ALG_ECDSA,
		.hash = AY_ALG_SHA256,
		.r = t_hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"),
		.s = t_hex("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"),
	};
	struct ay_pubkey *k;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_pubkey_new_ec(AY_CURVE_P256, x, y, &k, &e), AY_OK);
	assert_int_equal(ay_verify(k, &s, AY_HASHES_TPM2, ay_bytes_of("sample")), AY_SIG_GOOD);
	assert_int_equal(ay_verify(k, &s, AY_HASHES_TPM2, ay_bytes_of("test")), AY_SIG_BAD);
	assert_int_equal(ay_verify(k, &s, AY_HASHES_TPM12, ay_bytes_of("sample")), AY_SIG_HASH);
	ay_pubkey_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spki_round),     cmocka_unit_test(test_rsaes_oaep),
		cmocka_unit_test(test_numbers),	       cmocka_unit_test(test_verify),
		cmocka_unit_test(test_verify_rfc6979),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
