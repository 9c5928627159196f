/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/jwks.h"

#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "core/tpm/alg.h"

#include <stdio.h>

enum { JWKS_MAX = 64 * 1024, COORD_TEXT = 43, SPKI_P256 = 91, POINT_AT = 27 };

/* SubjectPublicKeyInfo of a P-256 key up to the point, uncompressed [RFC5480 2]. */
static const uint8_t spki_head[POINT_AT] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
					     0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
					     0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };

static void coordinates(const struct ay_jwk *k, char x[AY_JWK_KID], char y[AY_JWK_KID])
{
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->x), x);
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->y), y);
}

enum ay_rc ay_jwk_thumbprint(struct ay_jwk *k, struct ay_err *e)
{
	char x[AY_JWK_KID], y[AY_JWK_KID], text[192];
	uint8_t hash[32];

	coordinates(k, x, y);
	snprintf(text, sizeof(text), "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
		 x, y);
	if (!ay_hash_of(AY_ALG_SHA256, ay_bytes_of(text), hash))
		return ay_fail(e, AY_E_CRYPTO, "jwk", 0, "no SHA-256");
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(hash), k->kid);
	return AY_OK;
}

enum ay_rc ay_jwk_of_spki(struct ay_bytes spki, struct ay_jwk *out, struct ay_err *e)
{
	struct ay_jwk k = { 0 };
	enum ay_rc rc;

	*out = k;
	if (spki.n != SPKI_P256 || memcmp(spki.p, spki_head, POINT_AT) != 0)
		return ay_fail(e, AY_E_CRYPTO, "jwk", 0, "is no P-256 key");
	memcpy(k.x, spki.p + POINT_AT, sizeof(k.x));
	memcpy(k.y, spki.p + POINT_AT + 32, sizeof(k.y));
	rc = ay_jwk_thumbprint(&k, e);
	if (rc == AY_OK)
		*out = k;
	return rc;
}

enum ay_rc ay_jwk_key(const struct ay_jwk *k, struct ay_pubkey **out, struct ay_err *e)
{
	return ay_pubkey_new_ec(AY_CURVE_P256, AY_BYTES(k->x), AY_BYTES(k->y), out, e);
}

json_t *ay_jwks_json(const struct ay_jwks *s)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < s->n; i++) {
		char x[AY_JWK_KID], y[AY_JWK_KID];

		coordinates(&s->key[i], x, y);
		json_array_append_new(keys, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "kty", "EC",
						      "crv", "P-256", "x", x, "y", y, "kid",
						      s->key[i].kid, "use", "sig", "alg", "ES256"));
	}
	return json_pack("{s:o}", "keys", keys);
}

/* ---- parsing ---- */

static bool is_text(const json_t *o, const char *key, const char *value)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL && strcmp(s, value) == 0;
}

/* For signatures with ES256, as far as it says. */
static bool is_ours(const json_t *o)
{
	return is_text(o, "kty", "EC") && is_text(o, "crv", "P-256") &&
	       (json_object_get(o, "use") == NULL || is_text(o, "use", "sig")) &&
	       (json_object_get(o, "alg") == NULL || is_text(o, "alg", "ES256"));
}

static enum ay_rc read_coordinate(const json_t *o, const char *name, uint8_t out[32],
				  struct ay_err *e)
{
	const char *text = json_string_value(json_object_get(o, name));
	size_t n;

	if (text == NULL || strlen(text) != COORD_TEXT)
		return ay_fail(e, AY_E_INPUT, "jwks", 0, "%s is not 32 octets", name);
	return ay_base64_decode(AY_BASE64_URL, ay_bytes_of(text), "jwks", out, 32, &n, e);
}

static enum ay_rc read_key(const json_t *o, struct ay_jwk *k, struct ay_err *e)
{
	const char *kid = json_string_value(json_object_get(o, "kid"));
	struct ay_pubkey *key = NULL;
	enum ay_rc rc = read_coordinate(o, "x", k->x, e);

	if (rc == AY_OK)
		rc = read_coordinate(o, "y", k->y, e);
	if (rc == AY_OK)
		rc = ay_jwk_key(k, &key, e); /* on the curve */
	ay_pubkey_free(key);
	if (rc != AY_OK || kid == NULL)
		return rc == AY_OK ? ay_jwk_thumbprint(k, e) : rc;
	if (strlen(kid) >= sizeof(k->kid))
		return ay_fail(e, AY_E_LIMIT, "jwks", 0, "kid is too long");
	snprintf(k->kid, sizeof(k->kid), "%s", kid);
	return AY_OK;
}

static enum ay_rc read_set(const json_t *doc, struct ay_jwks *s, struct ay_err *e)
{
	const json_t *keys = NULL, *o;
	enum ay_rc rc = ay_json_array(doc, "jwks", "keys", true, &keys, e);
	size_t i;

	if (rc != AY_OK)
		return rc;
	json_array_foreach (keys, i, o) {
		if (json_object_get(o, "d") != NULL)
			return ay_fail(e, AY_E_INPUT, "jwks", 0, "holds a private key");
		if (!is_ours(o))
			continue;
		if (s->n == AY_MAX_JWKS_KEYS)
			return ay_fail(e, AY_E_LIMIT, "jwks", 0, "more than %d keys",
				       AY_MAX_JWKS_KEYS);
		rc = read_key(o, &s->key[s->n], e);
		if (rc != AY_OK)
			return rc;
		if (ay_jwks_find(s, s->key[s->n].kid) != NULL)
			return ay_fail(e, AY_E_INPUT, "jwks", 0, "two keys of one name");
		s->n++;
	}
	return AY_OK;
}

enum ay_rc ay_jwks_parse(struct ay_bytes text, struct ay_jwks *out, struct ay_err *e)
{
	struct ay_jwks s = { 0 };
	json_t *doc = NULL;
	enum ay_rc rc = ay_json_load(text, JWKS_MAX, "jwks", &doc, e);

	if (rc == AY_OK)
		rc = read_set(doc, &s, e);
	json_decref(doc);
	*out = rc == AY_OK ? s : (struct ay_jwks){ 0 };
	return ay_err_coded(e, rc, "JWKS");
}

const struct ay_jwk *ay_jwks_find(const struct ay_jwks *s, const char *kid)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->key[i].kid, kid) == 0)
			return &s->key[i];
	return NULL;
}
