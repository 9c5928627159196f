/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/key.h"

#include "core/tpm/alg.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { RSA_BYTES_MIN = 128, RSA_BYTES_MAX = 512, EC_BYTES_MAX = 66 };

struct ay_pubkey {
	atomic_uint refs;
	enum ay_key_kind kind;
	uint16_t curve;
	uint32_t exponent;
	EVP_PKEY *pkey;
	size_t n;
	uint8_t numbers[]; /* modulus, or x || y */
};

static const struct {
	uint16_t curve;
	uint16_t bytes;
	uint16_t bits;
	const char *name; /* as OSSL_PKEY_PARAM_GROUP_NAME gives it */
} curves[] = {
	{ AY_CURVE_P256, 32, 256, "prime256v1" },
	{ AY_CURVE_P384, 48, 384, "secp384r1" },
	{ AY_CURVE_P521, 66, 521, "secp521r1" },
};

static void pkey_free(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static void bn_free(BIGNUM **b)
{
	BN_free(*b);
}

/* Build a public key from parameters; takes bld. NULL on failure. */
static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (c == NULL || params == NULL || EVP_PKEY_fromdata_init(c) != 1 ||
	    EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	ERR_clear_error();
	return key;
}

/* Takes pkey, also on failure. */
static enum ay_rc wrap(enum ay_key_kind kind, EVP_PKEY *pkey, struct ay_bytes a, struct ay_bytes b,
		       struct ay_pubkey **out, struct ay_err *e)
{
	struct ay_pubkey *k;

	if (pkey == NULL)
		return ay_fail(e, AY_E_CRYPTO, "key", 0, "these numbers are no key");
	k = calloc(1, sizeof(*k) + a.n + b.n);
	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return ay_fail(e, AY_E_NOMEM, "key", 0, "out of memory");
	}
	atomic_init(&k->refs, 1);
	k->kind = kind;
	k->pkey = pkey;
	k->n = a.n + b.n;
	memcpy(k->numbers, a.p, a.n);
	if (b.n > 0)
		memcpy(k->numbers + a.n, b.p, b.n);
	*out = k;
	return AY_OK;
}

static EVP_PKEY *rsa_pkey(struct ay_bytes n, uint32_t exponent)
{
	AY_CLEANUP(bn_free) BIGNUM *bn = BN_bin2bn(n.p, (int)n.n, NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();

	if (bn == NULL || bld == NULL ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn) != 1 ||
	    OSSL_PARAM_BLD_push_uint32(bld, OSSL_PKEY_PARAM_RSA_E, exponent) != 1) {
		OSSL_PARAM_BLD_free(bld);
		return NULL;
	}
	return from_params("RSA", bld);
}

enum ay_rc ay_pubkey_new_rsa(struct ay_bytes n, uint32_t exponent, struct ay_pubkey **out,
			     struct ay_err *e)
{
	enum ay_rc rc;

	*out = NULL;
	if (n.n < RSA_BYTES_MIN || n.n > RSA_BYTES_MAX)
		return ay_fail(e, AY_E_INPUT, "key.modulus", 0, "%zu octets, %d to %d are usable",
			       n.n, RSA_BYTES_MIN, RSA_BYTES_MAX);
	if (n.p[0] < 0x80 || n.p[n.n - 1] % 2 == 0)
		return ay_fail(e, AY_E_CRYPTO, "key.modulus", 0, "even, or shorter than stated");
	if (exponent < 3 || exponent % 2 == 0)
		return ay_fail(e, AY_E_CRYPTO, "key.exponent", 0, "%u is no RSA exponent",
			       exponent);
	rc = wrap(AY_KEY_RSA, rsa_pkey(n, exponent), n, (struct ay_bytes){ NULL, 0 }, out, e);
	if (rc == AY_OK)
		(*out)->exponent = exponent;
	return rc;
}

/* x, y padded to the size of the curve, behind the octet 4. */
static EVP_PKEY *ec_pkey(size_t curve, const uint8_t *xy)
{
	uint8_t point[1 + 2 * EC_BYTES_MAX] = { 0x04 };
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	size_t n = 2u * curves[curve].bytes;

	memcpy(point + 1, xy, n);
	if (bld == NULL ||
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curves[curve].name,
					    0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + n) != 1) {
		OSSL_PARAM_BLD_free(bld);
		return NULL;
	}
	return from_params("EC", bld);
}

static size_t curve_index(uint16_t curve)
{
	size_t i = 0;

	while (i < AY_COUNT(curves) && curves[i].curve != curve)
		i++;
	return i;
}

enum ay_rc ay_pubkey_new_ec(uint16_t curve, struct ay_bytes x, struct ay_bytes y,
			    struct ay_pubkey **out, struct ay_err *e)
{
	uint8_t xy[2 * EC_BYTES_MAX] = { 0 };
	size_t i = curve_index(curve), size;
	enum ay_rc rc;

	*out = NULL;
	if (i == AY_COUNT(curves))
		return ay_fail(e, AY_E_INPUT, "key.curve", 0, "unknown curve 0x%04x", curve);
	size = curves[i].bytes;
	if (x.n == 0 || y.n == 0 || x.n > size || y.n > size)
		return ay_fail(e, AY_E_INPUT, "key.point", 0, "coordinates of %zu and %zu octets",
			       x.n, y.n);
	memcpy(xy + size - x.n, x.p, x.n);
	memcpy(xy + 2 * size - y.n, y.p, y.n);
	rc = wrap(AY_KEY_EC, ec_pkey(i, xy), (struct ay_bytes){ xy, 2 * size },
		  (struct ay_bytes){ NULL, 0 }, out, e);
	if (rc == AY_OK)
		(*out)->curve = curve;
	return rc;
}

static enum ay_rc new_from_rsa_pkey(EVP_PKEY *pkey, struct ay_pubkey **out, struct ay_err *e)
{
	AY_CLEANUP(bn_free) BIGNUM *n = NULL;
	AY_CLEANUP(bn_free) BIGNUM *exponent = NULL;
	uint8_t modulus[RSA_BYTES_MAX];
	int size;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
		return ay_fail(e, AY_E_CRYPTO, "key", 0, "RSA key without numbers");
	size = BN_num_bytes(n);
	if (size > RSA_BYTES_MAX || BN_num_bits(exponent) > 32)
		return ay_fail(e, AY_E_INPUT, "key", 0, "RSA key with too large numbers");
	BN_bn2bin(n, modulus);
	return ay_pubkey_new_rsa((struct ay_bytes){ modulus, (size_t)size },
				 (uint32_t)BN_get_word(exponent), out, e);
}

static enum ay_rc new_from_ec_pkey(EVP_PKEY *pkey, struct ay_pubkey **out, struct ay_err *e)
{
	AY_CLEANUP(bn_free) BIGNUM *x = NULL;
	AY_CLEANUP(bn_free) BIGNUM *y = NULL;
	uint8_t xb[EC_BYTES_MAX], yb[EC_BYTES_MAX];
	char group[64] = "";
	size_t i = 0, size;

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) != 1)
		return ay_fail(e, AY_E_CRYPTO, "key", 0, "EC key without a named curve or a point");
	while (i < AY_COUNT(curves) && strcmp(curves[i].name, group) != 0)
		i++;
	if (i == AY_COUNT(curves))
		return ay_fail(e, AY_E_INPUT, "key.curve", 0, "unknown curve %s", group);
	size = curves[i].bytes;
	if (BN_bn2binpad(x, xb, (int)size) < 0 || BN_bn2binpad(y, yb, (int)size) < 0)
		return ay_fail(e, AY_E_CRYPTO, "key.point", 0, "coordinates out of range");
	return ay_pubkey_new_ec(curves[i].curve, (struct ay_bytes){ xb, size },
				(struct ay_bytes){ yb, size }, out, e);
}

enum ay_rc ay_pubkey_new_pkey(struct evp_pkey_st *pkey, struct ay_pubkey **out, struct ay_err *e)
{
	*out = NULL;
	if (pkey != NULL && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA)
		return new_from_rsa_pkey(pkey, out, e);
	if (pkey != NULL && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC)
		return new_from_ec_pkey(pkey, out, e);
	return ay_fail(e, AY_E_INPUT, "key", 0, "neither RSA nor EC");
}

static void spki_free(X509_PUBKEY **k)
{
	X509_PUBKEY_free(*k);
}

/*
 * TPM 1.2 EK certificates say rsaesOaep where OpenSSL 3 knows only
 * rsaEncryption: take the RSAPublicKey out of the BIT STRING ourselves.
 */
static EVP_PKEY *spki_decode(const uint8_t *der, size_t n)
{
	AY_CLEANUP(spki_free) X509_PUBKEY *spki = NULL;
	const uint8_t *p = der, *raw;
	ASN1_OBJECT *alg = NULL;
	EVP_PKEY *key;
	int raw_n = 0;

	spki = d2i_X509_PUBKEY(NULL, &p, (long)n);
	if (spki == NULL || p != der + n ||
	    X509_PUBKEY_get0_param(&alg, &raw, &raw_n, NULL, spki) != 1)
		return NULL;
	if (OBJ_obj2nid(alg) != NID_rsaesOaep)
		return X509_PUBKEY_get(spki);
	p = raw;
	key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, raw_n);
	if (key != NULL && p != raw + raw_n) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

enum ay_rc ay_pubkey_new_spki(struct ay_bytes der, struct ay_pubkey **out, struct ay_err *e)
{
	AY_CLEANUP(pkey_free) EVP_PKEY *pkey = NULL;

	*out = NULL;
	if (der.n == 0 || der.n > 4096)
		return ay_fail(e, AY_E_INPUT, "key", 0, "%zu octets are no public key", der.n);
	pkey = spki_decode(der.p, der.n);
	ERR_clear_error();
	if (pkey == NULL)
		return ay_fail(e, AY_E_INPUT, "key", 0, "no SubjectPublicKeyInfo that we can read");
	return ay_pubkey_new_pkey(pkey, out, e);
}

struct ay_pubkey *ay_pubkey_ref(struct ay_pubkey *k)
{
	atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	return k;
}

void ay_pubkey_free(struct ay_pubkey *k)
{
	if (k == NULL || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

enum ay_key_kind ay_pubkey_kind(const struct ay_pubkey *k)
{
	return k->kind;
}

unsigned ay_pubkey_bits(const struct ay_pubkey *k)
{
	return k->kind == AY_KEY_RSA ? (unsigned)k->n * 8 : curves[curve_index(k->curve)].bits;
}

uint16_t ay_pubkey_curve(const struct ay_pubkey *k)
{
	return k->curve;
}

bool ay_pubkey_eq(const struct ay_pubkey *a, const struct ay_pubkey *b)
{
	return a->kind == b->kind && a->curve == b->curve && a->exponent == b->exponent &&
	       a->n == b->n && memcmp(a->numbers, b->numbers, a->n) == 0;
}

struct evp_pkey_st *ay_pubkey_pkey(const struct ay_pubkey *k)
{
	return k->pkey;
}

struct ay_bytes ay_pubkey_numbers(const struct ay_pubkey *k)
{
	return (struct ay_bytes){ k->numbers, k->n };
}
