/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/encaps_ecc.h"

#include "core/crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

enum { EC_BYTES_MAX = 66 };

struct point {
	uint8_t x[EC_BYTES_MAX], y[EC_BYTES_MAX];
};

/* One curve with its scratch; freed as a whole. */
struct curve {
	EC_GROUP *group;
	BN_CTX *bn;
	EC_POINT *a, *b;
	BIGNUM *k, *x, *y;
	int size;
};

static void curve_fini(struct curve *c)
{
	EC_POINT_clear_free(c->a);
	EC_POINT_clear_free(c->b);
	BN_clear_free(c->k);
	BN_clear_free(c->x);
	BN_clear_free(c->y);
	BN_CTX_free(c->bn);
	EC_GROUP_free(c->group);
	ERR_clear_error();
}

static int nid_of(uint16_t curve)
{
	switch (curve) {
	case AY_CURVE_P256:
		return NID_X9_62_prime256v1;
	case AY_CURVE_P384:
		return NID_secp384r1;
	case AY_CURVE_P521:
		return NID_secp521r1;
	default:
		return NID_undef;
	}
}

static bool curve_init(struct curve *c, uint16_t id)
{
	*c = (struct curve){ .group = EC_GROUP_new_by_curve_name(nid_of(id)) };
	if (c->group == NULL)
		return false;
	c->size = (EC_GROUP_get_degree(c->group) + 7) / 8;
	c->bn = BN_CTX_new();
	c->a = EC_POINT_new(c->group);
	c->b = EC_POINT_new(c->group);
	c->k = BN_secure_new();
	c->x = BN_new();
	c->y = BN_new();
	return c->bn && c->a && c->b && c->k && c->x && c->y;
}

static bool get_point(struct curve *c, const EC_POINT *p, struct point *out)
{
	return EC_POINT_get_affine_coordinates(c->group, p, c->x, c->y, c->bn) == 1 &&
	       BN_bn2binpad(c->x, out->x, c->size) == c->size &&
	       BN_bn2binpad(c->y, out->y, c->size) == c->size;
}

/* Sets c->a; fails if the point is not on the curve. */
static bool set_point(struct curve *c, struct ay_bytes x, struct ay_bytes y)
{
	return x.n > 0 && y.n > 0 && x.n <= (size_t)c->size && y.n <= (size_t)c->size &&
	       BN_bin2bn(x.p, (int)x.n, c->x) != NULL && BN_bin2bn(y.p, (int)y.n, c->y) != NULL &&
	       EC_POINT_set_affine_coordinates(c->group, c->a, c->x, c->y, c->bn) == 1;
}

/* c->k = 1 + random mod (n - 1): 64 octets leave no bias worth naming up to P-384. */
static bool set_scalar(struct curve *c, const uint8_t *random)
{
	return BN_bin2bn(random, AY_CREDENTIAL_RANDOM / 2, c->k) != NULL &&
	       BN_copy(c->x, EC_GROUP_get0_order(c->group)) != NULL && BN_sub_word(c->x, 1) == 1 &&
	       BN_mod(c->k, c->k, c->x, c->bn) == 1 && BN_add_word(c->k, 1) == 1;
}

/* The seed from the shared point, the sender's and the recipient's x coordinates. */
static enum ay_rc derive(const struct ay_public *to, int size, const char *label, const uint8_t *z,
			 const uint8_t *sender_x, const uint8_t *recipient_x,
			 struct ay_secret *seed, struct ay_err *e)
{
	size_t n = ay_alg_digest_size(to->name_alg), len = (size_t)size;

	if (n > sizeof(seed->b) ||
	    !ay_kdfe(to->name_alg, (struct ay_bytes){ z, len }, label,
		     (struct ay_bytes){ sender_x, len }, (struct ay_bytes){ recipient_x, len },
		     (unsigned)n * 8, seed->b))
		return ay_fail(e, AY_E_INPUT, "encaps", 0, "key has a hash we cannot compute");
	seed->n = n;
	return AY_OK;
}

static void write_point(const struct point *p, int size, uint8_t *out, size_t *out_n)
{
	struct ay_writer w;

	ay_wr_init(&w, out, AY_ENCRYPTED_SECRET_MAX);
	ay_wr_vec16(&w, (struct ay_bytes){ p->x, (size_t)size });
	ay_wr_vec16(&w, (struct ay_bytes){ p->y, (size_t)size });
	*out_n = w.n;
}

enum ay_rc ay_encaps_ecc(const struct ay_public *to, const char *label,
			 const uint8_t random[AY_CREDENTIAL_RANDOM], struct ay_secret *seed,
			 uint8_t out[AY_ENCRYPTED_SECRET_MAX], size_t *out_n, struct ay_err *e)
{
	AY_CLEANUP(curve_fini) struct curve c;
	struct point ephemeral, own, shared;
	enum ay_rc rc;

	if (!curve_init(&c, to->curve))
		return ay_fail(e, AY_E_INPUT, "encaps", 0, "unknown curve 0x%04x", to->curve);
	if (!set_scalar(&c, random) || EC_POINT_mul(c.group, c.b, c.k, NULL, NULL, c.bn) != 1 ||
	    !get_point(&c, c.b, &ephemeral) || !set_point(&c, to->x, to->y) ||
	    !get_point(&c, c.a, &own) || EC_POINT_mul(c.group, c.b, NULL, c.a, c.k, c.bn) != 1 ||
	    !get_point(&c, c.b, &shared))
		return ay_fail(e, AY_E_CRYPTO, "encaps", 0, "the point is not on its curve");
	rc = derive(to, c.size, label, shared.x, ephemeral.x, own.x, seed, e);
	ay_wipe(&shared, sizeof(shared));
	if (rc == AY_OK)
		write_point(&ephemeral, c.size, out, out_n);
	return rc;
}

static void bn_clear(BIGNUM **b)
{
	BN_clear_free(*b);
}

enum ay_rc ay_decaps_ecc(struct evp_pkey_st *priv, const struct ay_public *to, const char *label,
			 struct ay_bytes secret, struct ay_secret *seed, struct ay_err *e)
{
	AY_CLEANUP(curve_fini) struct curve c;
	AY_CLEANUP(bn_clear) BIGNUM *d = NULL;
	struct point ephemeral, own, shared;
	struct ay_bytes x, y;
	struct ay_reader r;
	enum ay_rc rc;

	if (!curve_init(&c, to->curve))
		return ay_fail(e, AY_E_INPUT, "encaps", 0, "unknown curve 0x%04x", to->curve);
	ay_rd_init(&r, secret);
	x = ay_rd_vec16(&r, "encaps.x", EC_BYTES_MAX);
	y = ay_rd_vec16(&r, "encaps.y", EC_BYTES_MAX);
	rc = ay_rd_end(&r, "encaps", e);
	if (rc != AY_OK)
		return rc;
	if (!set_point(&c, to->x, to->y) || !get_point(&c, c.a, &own) || !set_point(&c, x, y) ||
	    !get_point(&c, c.a, &ephemeral) ||
	    EVP_PKEY_get_bn_param(priv, OSSL_PKEY_PARAM_PRIV_KEY, &d) != 1 ||
	    EC_POINT_mul(c.group, c.b, NULL, c.a, d, c.bn) != 1 || !get_point(&c, c.b, &shared))
		return ay_fail(e, AY_E_CRYPTO, "encaps", 0, "the point is not on the key's curve");
	rc = derive(to, c.size, label, shared.x, ephemeral.x, own.x, seed, e);
	ay_wipe(&shared, sizeof(shared));
	return rc;
}
