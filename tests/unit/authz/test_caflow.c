/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the tamper matrix about keys: what an AK must be, what an EK must be. */
#include "support/simtpm.h"
#include "support/t.h"

#include "core/authz/caflow.h"
#include "core/tpm/ek_template.h"

#include <string.h>

static struct t_tpmkey ak[2]; /* ECDSA, RSA */

static int set_up(void **state)
{
	(void)state;
	t_ak_make(&ak[0], false);
	t_ak_make(&ak[1], true);
	return 0;
}

static void attributes(void **state)
{
	static const uint32_t required[] = { AY_OA_RESTRICTED, AY_OA_SIGN, AY_OA_FIXED_TPM,
					     AY_OA_FIXED_PARENT, AY_OA_SENSITIVE_DATA_ORIGIN };
	static const uint32_t forbidden[] = { AY_OA_DECRYPT, AY_OA_ST_CLEAR,
					      AY_OA_ENCRYPTED_DUPLICATION };
	struct ay_err e;

	(void)state;
	for (size_t k = 0; k < AY_COUNT(ak); k++) {
		assert_int_equal(ay_ak_check(&ak[k].pub, &e), AY_OK);
		for (size_t i = 0; i < AY_COUNT(required); i++) {
			struct ay_public p = ak[k].pub;

			p.attributes &= ~required[i];
			assert_int_equal(ay_ak_check(&p, &e), AY_E_DENIED);
			assert_string_equal(e.code, "AK_ATTRIBUTES");
		}
		for (size_t i = 0; i < AY_COUNT(forbidden); i++) {
			struct ay_public p = ak[k].pub;

			p.attributes |= forbidden[i];
			assert_int_equal(ay_ak_check(&p, &e), AY_E_DENIED);
			assert_string_equal(e.code, "AK_ATTRIBUTES");
		}
	}
}

/* One change each; all are AK_ATTRIBUTES. */
static void weak_nameAlg(struct ay_public *p)
{
	p->name_alg = AY_ALG_SHA1;
}
static void weak_scheme(struct ay_public *p)
{
	p->scheme_hash = AY_ALG_SHA1;
}
static void no_scheme(struct ay_public *p)
{
	p->scheme = AY_ALG_NULL;
	p->scheme_hash = 0;
}
static void a_cipher(struct ay_public *p)
{
	p->sym_alg = AY_ALG_AES;
	p->sym_key_bits = 128;
	p->sym_mode = AY_ALG_CFB;
}
static void small_rsa(struct ay_public *p)
{
	p->key_bits = 1024;
	p->modulus.n = 128;
}
static void odd_exponent(struct ay_public *p)
{
	p->exponent = 3;
}
static void wrong_size(struct ay_public *p)
{
	p->modulus.n--;
}
static void off_curve(struct ay_public *p)
{
	p->y = p->x;
}
static void odd_curve(struct ay_public *p)
{
	p->curve = 0x0020; /* SM2 */
}
static void rsa_scheme(struct ay_public *p)
{
	p->scheme = AY_ALG_OAEP;
}

static void strength(void **state)
{
	static const struct {
		size_t k;
		void (*change)(struct ay_public *p);
	} rows[] = {
		{ 0, weak_nameAlg }, { 1, weak_nameAlg }, { 0, weak_scheme }, { 1, weak_scheme },
		{ 0, no_scheme },    { 1, no_scheme },	  { 0, a_cipher },    { 1, a_cipher },
		{ 1, small_rsa },    { 1, odd_exponent }, { 1, wrong_size },  { 0, off_curve },
		{ 0, odd_curve },    { 1, rsa_scheme },	  { 0, rsa_scheme },
	};
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_public p = ak[rows[i].k].pub;

		rows[i].change(&p);
		assert_int_equal(ay_ak_check(&p, &e), AY_E_DENIED);
		assert_string_equal(e.code, "AK_ATTRIBUTES");
	}
}

/* "name in the request != hash of the AK public area" */
static void name_of_another(void **state)
{
	struct ay_bytes pub = t_corpus_file("caflow", "vectors/hirs-ak.pub");
	struct ay_bytes name = t_corpus_file("caflow", "vectors/hirs-ak.name");
	struct ay_public p;
	struct ay_name own;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_public_parse(pub, &p, &e), AY_OK);
	assert_int_equal(ay_ak_check_name(&p, name, &e), AY_E_CRYPTO);
	assert_string_equal(e.code, "AK_NAME");
	assert_true(ay_public_name(&p, &own));
	assert_int_equal(ay_ak_check_name(&p, ay_name_view(&own), &e), AY_OK);
	assert_true(ay_bytes_eq(
		ay_name_view(&own),
		t_hex("000b802614a15167f95cbdf98c5acd7940181b9ae9b4070a18d9eb71eeafa97013f7")));
}

/* "EK public area of TPM != key in EK certificate (ek-rsa.tpm2b against ek-infineon-ecc.der)" */
static void corpus_keys(void **state)
{
	static const struct {
		const char *ek, *cert, *code;
	} rows[] = {
		{ "certs/ek/ek-rsa.tpm2b", "certs/ek/ek-infineon-ecc.der", "EK_MISMATCH" },
		{ "certs/ek/ek-ecc.tpm2b", "certs/ek/ek-infineon-rsa.der", "EK_MISMATCH" },
		{ "certs/ek/other-rsa.tpm2b", "certs/ek/ek-infineon-rsa.der", "EK_MISMATCH" },
		{ "certs/ek/ek-rsa.tpm2b", "certs/ek/ek-infineon-rsa.der", "" },
		{ "certs/ek/ek-ecc.tpm2b", "certs/ek/ek-infineon-ecc.der", "" },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_public ek;
		struct ay_ekcert cert;
		struct ay_pubkey *key = NULL;
		struct ay_err e = { 0 };
		enum ay_rc rc;

		assert_int_equal(ay_public_parse_2b(t_corpus_file("caflow", rows[i].ek), &ek, &e),
				 AY_OK);
		assert_int_equal(ay_ekcert_parse(t_corpus_file("caflow", rows[i].cert), &cert, &e),
				 AY_OK);
		assert_int_equal(ay_public_key(&ek, &key, &e), AY_OK);
		rc = ay_ekcert_check(&cert, key, &e);
		assert_int_equal(rc == AY_OK, rows[i].code[0] == '\0');
		assert_string_equal(e.code, rows[i].code);
		ay_pubkey_free(key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes),
		cmocka_unit_test(strength),
		cmocka_unit_test(name_of_another),
		cmocka_unit_test(corpus_keys),
	};

	return cmocka_run_group_tests_name("authz/caflow", tests, set_up, NULL);
}
