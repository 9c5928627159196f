/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled encapsulation [TPM2-P1 B.10.4, C.6.4] both ways, each kind by itself, and what is
 * altered. */
#include "support/simtpm.h"
#include "support/t.h"

#include "core/tpm/encaps_ecc.h"
#include "core/tpm/encaps_rsa.h"

#include <openssl/rsa.h>

#define LABEL "IDENTITY"

static const uint8_t random_octets[AY_CREDENTIAL_RANDOM] = { 0x42, 7, 9, 0x81 };

/* OAEP with SHA-256 and the terminated label, taken off by OpenSSL. */
static void openssl_opens_rsa(void **state)
{
	uint8_t out[AY_ENCRYPTED_SECRET_MAX], plain[512];
	struct ay_secret seed = { 0 }, back = { 0 };
	size_t n, got = sizeof(plain);
	struct t_tpmkey ek;
	EVP_PKEY_CTX *c;

	(void)state;
	t_ek_make(&ek, "L-1");
	assert_int_equal(ay_encaps_rsa(&ek.pub, LABEL, random_octets, &seed, out, &n, NULL), AY_OK);
	assert_int_equal(n, 256);
	c = EVP_PKEY_CTX_new(ek.key, NULL);
	assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()), 1);
	assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(c, OPENSSL_memdup(LABEL, sizeof(LABEL)),
							  sizeof(LABEL)),
			 1);
	assert_int_equal(EVP_PKEY_decrypt(c, plain, &got, out, n), 1);
	assert_int_equal(got, seed.n);
	assert_memory_equal(plain, seed.b, got);
	EVP_PKEY_CTX_free(c);
	assert_int_equal(
		ay_decaps_rsa(ek.key, &ek.pub, LABEL, (struct ay_bytes){ out, n }, &back, NULL),
		AY_OK);
	assert_memory_equal(back.b, seed.b, seed.n);
	assert_int_not_equal(
		ay_decaps_rsa(ek.key, &ek.pub, "STORAGE", (struct ay_bytes){ out, n }, &back, NULL),
		AY_OK);
	t_tpmkey_fini(&ek);
}

static void altered_rsa(void **state)
{
	uint8_t out[AY_ENCRYPTED_SECRET_MAX];
	struct ay_secret seed = { 0 }, back;
	struct t_tpmkey ek;
	size_t n;

	(void)state;
	t_ek_make(&ek, "L-1");
	assert_int_equal(ay_encaps_rsa(&ek.pub, LABEL, random_octets, &seed, out, &n, NULL), AY_OK);
	for (size_t k = 0; k < n; k += 15) {
		back = (struct ay_secret){ 0 };
		assert_int_not_equal(ay_decaps_rsa(ek.key, &ek.pub, LABEL,
						   (struct ay_bytes){ out, k }, &back, NULL),
				     AY_OK);
		out[k] ^= 1;
		assert_int_not_equal(ay_decaps_rsa(ek.key, &ek.pub, LABEL,
						   (struct ay_bytes){ out, n }, &back, NULL),
				     AY_OK);
		out[k] ^= 1;
	}
	t_tpmkey_fini(&ek);
}

/* A flipped point is not on the curve; a cut one has no end. */
static void altered_ecc(void **state)
{
	uint8_t out[AY_ENCRYPTED_SECRET_MAX];
	struct ay_secret seed = { 0 }, back = { 0 };
	struct t_tpmkey ek;
	size_t n;

	(void)state;
	t_ek_make(&ek, "L-2");
	assert_int_equal(ay_encaps_ecc(&ek.pub, LABEL, random_octets, &seed, out, &n, NULL), AY_OK);
	assert_int_equal(n, 2 + 32 + 2 + 32); /* TPMS_ECC_POINT */
	assert_int_equal(
		ay_decaps_ecc(ek.key, &ek.pub, LABEL, (struct ay_bytes){ out, n }, &back, NULL),
		AY_OK);
	assert_int_equal(back.n, seed.n);
	assert_memory_equal(back.b, seed.b, seed.n);
	assert_int_equal(
		ay_decaps_ecc(ek.key, &ek.pub, "STORAGE", (struct ay_bytes){ out, n }, &back, NULL),
		AY_OK);
	assert_memory_not_equal(back.b, seed.b, seed.n);
	for (size_t k = 0; k < n; k++)
		assert_int_not_equal(ay_decaps_ecc(ek.key, &ek.pub, LABEL,
						   (struct ay_bytes){ out, k }, &back, NULL),
				     AY_OK);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		out[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(ay_decaps_ecc(ek.key, &ek.pub, LABEL,
						   (struct ay_bytes){ out, n }, &back, NULL),
				     AY_OK);
		out[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	t_tpmkey_fini(&ek);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_opens_rsa),
		cmocka_unit_test(altered_rsa),
		cmocka_unit_test(altered_ecc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
