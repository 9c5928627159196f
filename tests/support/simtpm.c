/* SPDX-License-Identifier: Apache-2.0 */
#include "support/simtpm.h"

#include "core/crypto/oids.h"
#include "core/crypto/x509.h"
#include "core/tpm/ek_template.h"
#include "support/t.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>
#include <time.h>

int64_t t_now_ms(void)
{
	static int64_t now;

	if (now == 0)
		now = (int64_t)time(NULL) * 1000;
	return now;
}

void t_tpmkey_rewrite(struct t_tpmkey *k)
{
	struct ay_writer w;

	ay_wr_init(&w, k->buf, sizeof(k->buf));
	ay_public_write(&w, &k->pub);
	assert_int_equal(ay_wr_end(&w, "key", &k->raw, NULL), AY_OK);
	if (ay_public_parse(k->raw, &k->pub, NULL) != AY_OK)
		memset(&k->pub, 0, sizeof(k->pub)); /* the test wants something broken */
}

static void fill_numbers(struct t_tpmkey *k)
{
	BIGNUM *x = NULL, *y = NULL;
	int size = k->pub.curve == AY_CURVE_P384 ? 48 : 32;

	if (k->pub.type == AY_ALG_RSA) {
		k->key = EVP_RSA_gen(k->pub.key_bits);
		assert_int_equal(EVP_PKEY_get_bn_param(k->key, OSSL_PKEY_PARAM_RSA_N, &x), 1);
		k->pub.modulus = (struct ay_bytes){ k->x, k->pub.key_bits / 8u };
		BN_bn2binpad(x, k->x, (int)k->pub.modulus.n);
	} else {
		k->key = EVP_EC_gen(size == 32 ? "P-256" : "P-384");
		assert_int_equal(EVP_PKEY_get_bn_param(k->key, OSSL_PKEY_PARAM_EC_PUB_X, &x), 1);
		assert_int_equal(EVP_PKEY_get_bn_param(k->key, OSSL_PKEY_PARAM_EC_PUB_Y, &y), 1);
		k->pub.x = (struct ay_bytes){ k->x, (size_t)size };
		k->pub.y = (struct ay_bytes){ k->y, (size_t)size };
		BN_bn2binpad(x, k->x, size);
		BN_bn2binpad(y, k->y, size);
	}
	BN_free(x);
	BN_free(y);
	t_tpmkey_rewrite(k);
}

void t_ek_make(struct t_tpmkey *k, const char *template_name)
{
	const struct ay_ek_template *t = ay_ek_template_find(template_name);

	memset(k, 0, sizeof(*k));
	assert_non_null(t);
	k->pub = t->public;
	fill_numbers(k);
}

void t_ak_make(struct t_tpmkey *k, bool rsa)
{
	memset(k, 0, sizeof(*k));
	k->pub = (struct ay_public){
		.type = rsa ? AY_ALG_RSA : AY_ALG_ECC,
		.name_alg = AY_ALG_SHA256,
		.attributes = AY_OA_FIXED_TPM | AY_OA_FIXED_PARENT | AY_OA_SENSITIVE_DATA_ORIGIN |
			      AY_OA_USER_WITH_AUTH | AY_OA_RESTRICTED | AY_OA_SIGN,
		.sym_alg = AY_ALG_NULL,
		.scheme = rsa ? AY_ALG_RSASSA : AY_ALG_ECDSA,
		.scheme_hash = AY_ALG_SHA256,
		.key_bits = rsa ? 2048 : 0,
		.curve = rsa ? 0 : AY_CURVE_P256,
		.kdf = AY_ALG_NULL,
	};
	fill_numbers(k);
}

void t_tpmkey_fini(struct t_tpmkey *k)
{
	EVP_PKEY_free(k->key);
	memset(k, 0, sizeof(*k));
}

struct ay_bytes t_ca_cert(const struct t_ca *c)
{
	return (struct ay_bytes){ c->der, c->n };
}

void t_ca_make(struct t_ca *c, const struct t_ca_spec *s)
{
	struct ay_cert_spec spec = {
		.common_name = s->name,
		.not_before_ms = s->from_ms ? s->from_ms : T_NOW_MS - T_YEAR_MS,
		.not_after_ms = s->until_ms ? s->until_ms : T_NOW_MS + T_YEAR_MS,
		.is_ca = !s->not_ca,
		.path_len = s->path_len,
		.key_usage = s->usage ? s->usage : AY_KU_CERT_SIGN | AY_KU_CRL_SIGN,
	};

	if (c->key == NULL)
		assert_int_equal(ay_privkey_generate(&c->key, NULL), AY_OK);
	spec.key = ay_privkey_evp(c->key);
	if (s->by != NULL)
		spec.issuer_cert = t_ca_cert(s->by);
	RAND_bytes(spec.serial, sizeof(spec.serial));
	assert_int_equal(
		ay_certgen(&spec, s->by ? s->by->key : c->key, c->der, sizeof(c->der), &c->n, NULL),
		AY_OK);
}

void t_ca_fini(struct t_ca *c)
{
	ay_privkey_free(c->key);
	memset(c, 0, sizeof(*c));
}

size_t t_ek_cert(const struct t_ca *by, EVP_PKEY *ek, int64_t from_ms, int64_t until_ms,
		 uint8_t *out, size_t max)
{
	/* directoryName with manufacturer, model, version in one RDN each */
	const struct ay_cert_ext ext[] = {
		{ AY_OID(AY_OID_SUBJECT_ALT_NAME), true,
		  t_hex("303da43b3039"
			"3116 3014 0605 6781050201 0c0b 69643a3534343535333534"
			"310e 300c 0605 6781050202 0c03 73696d"
			"310f 300d 0605 6781050203 0c04 69643a31") },
		{ AY_OID(AY_OID_EXT_KEY_USAGE), false, t_hex("3007 0605 6781050801") },
	};
	struct ay_cert_spec spec = { .issuer_cert = t_ca_cert(by),
				     .key = ek,
				     .not_before_ms = from_ms,
				     .not_after_ms = until_ms,
				     .path_len = -1,
				     .key_usage = AY_KU_KEY_ENCIPHERMENT,
				     .ext = ext,
				     .n_ext = AY_COUNT(ext) };
	size_t n;

	RAND_bytes(spec.serial, sizeof(spec.serial));
	assert_int_equal(ay_certgen(&spec, by->key, out, max, &n, NULL), AY_OK);
	return n;
}
