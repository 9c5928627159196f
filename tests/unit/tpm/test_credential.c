/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials: the corpus' labelled encapsulations octet for octet, round trips, wrong Names. */
#include "support/t.h"

#include "core/base/hex.h"
#include "core/tpm/credential.h"
#include "core/tpm/ek_template.h"
#include "core/tpm/encaps.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

static struct ay_bytes member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	assert_non_null(s);
	return t_hex(s);
}

static json_t *corpus_array(const char *name)
{
	struct ay_bytes f = t_corpus_file("tpm/credential", name);
	json_t *a = json_loadb((const char *)f.p, f.n, 0, NULL);

	assert_true(json_is_array(a) && json_array_size(a) >= 10);
	return a;
}

static struct ay_public public_of(const json_t *o)
{
	struct ay_public p;
	struct ay_err e;

	print_message("%s\n", json_string_value(json_object_get(o, "Name")));
	assert_int_equal(ay_public_parse(member(o, "PublicKey"), &p, &e), AY_OK);
	return p;
}

static void check_encaps(const json_t *o, const uint8_t random[AY_CREDENTIAL_RANDOM])
{
	struct ay_public p = public_of(o);
	const char *label = json_string_value(json_object_get(o, "Label"));
	struct ay_bytes want = member(o, "Ciphertext"), want_seed = member(o, "Secret");
	uint8_t out[AY_ENCRYPTED_SECRET_MAX];
	struct ay_secret seed;
	struct ay_err e;
	size_t n;

	assert_int_equal(ay_encapsulate(&p, label, random, &seed, out, &n, &e), AY_OK);
	assert_int_equal(seed.n, want_seed.n);
	assert_memory_equal(seed.b, want_seed.p, want_seed.n);
	assert_int_equal(n, want.n);
	assert_memory_equal(out, want.p, want.n);
}

static void test_rsa_vectors(void **state)
{
	json_t *a = corpus_array("vectors/rsa_labeled_encaps.json"), *o;
	size_t i;

	(void)state;
	json_array_foreach (a, i, o) {
		uint8_t random[AY_CREDENTIAL_RANDOM] = { 0 };
		struct ay_bytes seed = member(o, "Secret"), salt = member(o, "OAEPSalt");

		memcpy(random, seed.p, seed.n);
		memcpy(random + 64, salt.p, salt.n);
		check_encaps(o, random);
	}
	json_decref(a);
}

/* The ephemeral key is 1 + random mod (n - 1): give the key less one. */
static void test_ecc_vectors(void **state)
{
	json_t *a = corpus_array("vectors/ecc_labeled_encaps.json"), *o;
	size_t i, done = 0;

	(void)state;
	json_array_foreach (a, i, o) {
		uint8_t random[AY_CREDENTIAL_RANDOM] = { 0 };
		struct ay_bytes d = member(o, "EphemeralPrivate");

		if (d.n > 64) { /* P-521: 64 octets of random cannot give this very key */
			(void)public_of(o);
			continue;
		}
		memcpy(random + 64 - d.n, d.p, d.n);
		for (int k = 63; random[k]-- == 0; k--)
			;
		check_encaps(o, random);
		done++;
	}
	assert_true(done >= 30);
	json_decref(a);
}

/* keylime's mkcred.out was made by tpm2-tools for this EK and Name; its frame is what ours must be.
 */
static void test_keylime_frame(void **state)
{
	struct ay_bytes blob = t_corpus_file("tpm/credential", "vectors/keylime-mkcred.out");
	struct ay_bytes ek_file = t_corpus_file("tpm/credential", "vectors/keylime-ek.pub");
	struct ay_bytes name = t_corpus_file("tpm/credential", "vectors/keylime-ak.name");
	struct ay_bytes value = t_corpus_file("tpm/credential", "vectors/keylime-secret.data");
	uint8_t random[AY_CREDENTIAL_RANDOM] = { 1, 2, 3 };
	struct ay_credential made;
	struct ay_public ek;
	struct ay_err e;
	size_t id_n = (size_t)(blob.p[8] << 8 | blob.p[9]);

	(void)state;
	assert_int_equal(ay_public_parse_2b(ek_file, &ek, &e), AY_OK);
	assert_string_equal(ay_ek_template_match(&ek)->name, "L-1");
	assert_int_equal(ay_credential_make(&ek, name, value, random, &made, &e), AY_OK);
	assert_int_equal(made.id_object_n, id_n);
	assert_int_equal(made.secret_n, blob.n - 8 - 2 - id_n - 2);
}

/* An EK of the template, held in software. */
struct soft_ek {
	EVP_PKEY *key;
	struct ay_public pub;
	uint8_t raw[1024], a[512], b[66];
};

static void soft_ek_make(struct soft_ek *s, const char *name)
{
	const struct ay_ek_template *t = ay_ek_template_find(name);
	struct ay_writer w;
	struct ay_bytes raw;
	struct ay_err e;
	BIGNUM *x = NULL, *y = NULL;

	assert_non_null(t);
	s->pub = t->public;
	if (t->public.type == AY_ALG_RSA) {
		s->key = EVP_RSA_gen(t->public.key_bits);
		assert_int_equal(EVP_PKEY_get_bn_param(s->key, OSSL_PKEY_PARAM_RSA_N, &x), 1);
		s->pub.modulus = (struct ay_bytes){ s->a, t->public.key_bits / 8u };
		BN_bn2binpad(x, s->a, (int)s->pub.modulus.n);
	} else {
		int size = t->public.curve == AY_CURVE_P256 ? 32 : 48;

		s->key = EVP_EC_gen(size == 32 ? "P-256" : "P-384");
		assert_int_equal(EVP_PKEY_get_bn_param(s->key, OSSL_PKEY_PARAM_EC_PUB_X, &x), 1);
		assert_int_equal(EVP_PKEY_get_bn_param(s->key, OSSL_PKEY_PARAM_EC_PUB_Y, &y), 1);
		s->pub.x = (struct ay_bytes){ s->a, (size_t)size };
		s->pub.y = (struct ay_bytes){ s->b, (size_t)size };
		BN_bn2binpad(x, s->a, size);
		BN_bn2binpad(y, s->b, size);
	}
	BN_free(x);
	BN_free(y);
	ay_wr_init(&w, s->raw, sizeof(s->raw));
	ay_public_write(&w, &s->pub);
	assert_int_equal(ay_wr_end(&w, "ek", &raw, &e), AY_OK);
	assert_int_equal(ay_public_parse(raw, &s->pub, &e), AY_OK);
	assert_string_equal(ay_ek_template_match(&s->pub)->name, name);
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 167 + 13);
}

static void check_round_trip(struct soft_ek *s)
{
	uint8_t random[AY_CREDENTIAL_RANDOM], name[34] = { 0, 0x0b, 1, 2, 3 };
	struct ay_bytes value =
		t_hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
	struct ay_credential c;
	struct ay_secret got;
	struct ay_err e;

	fill(random, sizeof(random));
	assert_int_equal(ay_credential_make(&s->pub, AY_BYTES(name), value, random, &c, &e), AY_OK);
#define OPEN(who)                                                                                  \
	ay_credential_open(s->key, &s->pub, who, (struct ay_bytes){ c.id_object, c.id_object_n },  \
			   (struct ay_bytes){ c.secret, c.secret_n }, &got, &e)
	assert_int_equal(OPEN(AY_BYTES(name)), AY_OK);
	assert_true(ay_secret_eq(&got, value));
	name[5] ^= 1; /* another key's Name: the TPM would not open it either */
	assert_int_equal(OPEN(AY_BYTES(name)), AY_E_CRYPTO);
	assert_int_equal(got.n, 0);
	name[5] ^= 1;
	for (size_t i = 0; i < c.id_object_n; i++) {
		c.id_object[i] ^= 0x10;
		assert_int_not_equal(OPEN(AY_BYTES(name)), AY_OK);
		c.id_object[i] ^= 0x10;
	}
	for (size_t i = 0; i < c.secret_n; i += 7) {
		c.secret[i] ^= 0x10;
		assert_int_not_equal(OPEN(AY_BYTES(name)), AY_OK);
		c.secret[i] ^= 0x10;
	}
	assert_int_equal(OPEN(AY_BYTES(name)), AY_OK);
#undef OPEN
}

static void test_round_trips(void **state)
{
	static const char *const names[] = { "L-1", "L-2", "H-3", "H-6" };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(names); i++) {
		struct soft_ek s = { 0 };

		print_message("%s\n", names[i]);
		soft_ek_make(&s, names[i]);
		check_round_trip(&s);
		EVP_PKEY_free(s.key);
	}
}

static void test_refusals(void **state)
{
	uint8_t random[AY_CREDENTIAL_RANDOM] = { 9 }, long_value[65] = { 0 };
	struct soft_ek s = { 0 };
	struct ay_credential c;
	struct ay_public bad;
	struct ay_err e;

	(void)state;
	soft_ek_make(&s, "L-2");
	assert_int_equal(
		ay_credential_make(&s.pub, t_hex("000b"), AY_BYTES(long_value), random, &c, &e),
		AY_E_INPUT);
	assert_int_equal(ay_credential_make(&s.pub, t_hex("000b"),
					    (struct ay_bytes){ long_value, 33 }, random, &c, &e),
			 AY_E_INPUT);
	bad = s.pub;
	bad.sym_alg = AY_ALG_NULL;
	assert_int_equal(ay_credential_make(&bad, t_hex("000b"), t_hex("01"), random, &c, &e),
			 AY_E_INPUT);
	bad = s.pub;
	bad.y = s.pub.x; /* not on the curve */
	assert_int_equal(ay_credential_make(&bad, t_hex("000b"), t_hex("01"), random, &c, &e),
			 AY_E_CRYPTO);
	assert_int_equal(c.secret_n, 0);
	EVP_PKEY_free(s.key);
}

/* Every template: any attribute, policy or size changed is no EK any more. */
static void test_templates(void **state)
{
	(void)state;
	for (const struct ay_ek_template *t = ay_ek_templates(); t->name != NULL; t++) {
		struct ay_public p = t->public;

		assert_ptr_equal(ay_ek_template_match(&p), t);
		for (unsigned bit = 0; bit < 32; bit++) {
			p.attributes = t->public.attributes ^ 1u << bit;
			assert_ptr_not_equal(ay_ek_template_match(&p), t);
			p.attributes = t->public.attributes;
		}
		p.auth_policy = (struct ay_bytes){ NULL, 0 };
		assert_null(ay_ek_template_match(&p));
		p = t->public;
		p.exponent = 3;
		assert_null(ay_ek_template_match(&p));
		assert_true(ay_ek_template_matches(&t->public, &t->public));
		assert_false(ay_ek_template_matches(&p, &t->public));
		p = t->public;
		p.attributes &= ~(uint32_t)AY_OA_RESTRICTED;
		assert_false(ay_ek_template_matches(&p, &p));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa_vectors),   cmocka_unit_test(test_ecc_vectors),
		cmocka_unit_test(test_keylime_frame), cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_refusals),      cmocka_unit_test(test_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
