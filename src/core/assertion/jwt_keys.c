/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/jwt.h"

#include "core/base/base64.h"
#include "core/tpm/alg.h"

#include <stdio.h>

enum { SET_MAX = 64 * 1024, NUMBER_MAX = 1024, RSA_BITS = 2048 };

static bool is_absent_or(const json_t *o, const char *name, const char *value)
{
	return json_object_get(o, name) == NULL || ay_jwt_is(o, name, value);
}

static enum ay_rc read_number(const json_t *o, const char *name, uint8_t out[NUMBER_MAX],
			      struct ay_bytes *b, struct ay_err *e)
{
	const char *text = json_string_value(json_object_get(o, name));

	b->p = out;
	if (text == NULL)
		return ay_fail(e, AY_E_INPUT, "jwks", 0, "a key has no %s", name);
	return ay_base64_decode(AY_BASE64_URL, ay_bytes_of(text), "jwks", out, NUMBER_MAX, &b->n,
				e);
}

static enum ay_rc read_rsa(const json_t *o, struct ay_pubkey **key, struct ay_err *e)
{
	uint8_t n_room[NUMBER_MAX], e_room[NUMBER_MAX];
	struct ay_bytes n, x;
	uint32_t exponent = 0;
	enum ay_rc rc = read_number(o, "n", n_room, &n, e);

	if (rc == AY_OK)
		rc = read_number(o, "e", e_room, &x, e);
	if (rc != AY_OK)
		return rc;
	if (x.n == 0 || x.n > 4)
		return ay_fail(e, AY_E_INPUT, "jwks", 0, "an RSA exponent is not 1 to 4 octets");
	for (size_t i = 0; i < x.n; i++)
		exponent = exponent << 8 | x.p[i];
	if (exponent < 3 || exponent % 2 == 0)
		return ay_fail(e, AY_E_INPUT, "jwks", 0, "an RSA exponent is no odd number");
	while (n.n > 0 && n.p[0] == 0)
		n = (struct ay_bytes){ n.p + 1, n.n - 1 };
	if (AY_CHECKED("JWKS_RSA_BITS", n.n < RSA_BITS / 8 || n.p[0] < 0x80))
		return AY_OK; /* passed over */
	return ay_pubkey_new_rsa(n, exponent, key, e);
}

static enum ay_rc read_ec(const json_t *o, struct ay_pubkey **key, struct ay_err *e)
{
	uint8_t x_room[NUMBER_MAX], y_room[NUMBER_MAX];
	struct ay_bytes x, y;
	enum ay_rc rc = read_number(o, "x", x_room, &x, e);

	if (rc == AY_OK)
		rc = read_number(o, "y", y_room, &y, e);
	if (rc != AY_OK)
		return rc;
	if (x.n != 32 || y.n != 32)
		return ay_fail(e, AY_E_INPUT, "jwks", 0, "a coordinate is not 32 octets");
	return ay_pubkey_new_ec(AY_CURVE_P256, x, y, key, e);
}

/* *key NULL: not one of ours. */
static enum ay_rc read_key(const json_t *o, struct ay_pubkey **key, struct ay_err *e)
{
	*key = NULL;
	if (AY_CHECKED("JWKS_PRIVATE",
		       json_object_get(o, "d") != NULL || json_object_get(o, "k") != NULL))
		return ay_fail(e, AY_E_INPUT, "jwks", 0, "holds a private or a shared key");
	if (!is_absent_or(o, "use", "sig"))
		return AY_OK;
	if (ay_jwt_is(o, "kty", "RSA") && is_absent_or(o, "alg", "RS256"))
		return read_rsa(o, key, e);
	if (ay_jwt_is(o, "kty", "EC") && ay_jwt_is(o, "crv", "P-256") &&
	    is_absent_or(o, "alg", "ES256"))
		return read_ec(o, key, e);
	return AY_OK;
}

static enum ay_rc add(struct ay_jwt_keys *s, const json_t *o, struct ay_err *e)
{
	const char *kid = json_string_value(json_object_get(o, "kid"));
	struct ay_pubkey *key;
	enum ay_rc rc = read_key(o, &key, e);

	if (rc != AY_OK || key == NULL)
		return rc;
	if (kid == NULL || strlen(kid) >= AY_JWT_KID) {
		ay_pubkey_free(key);
		return AY_OK;
	}
	if (ay_jwt_keys_find(s, kid) != NULL)
		rc = ay_fail(e, AY_E_INPUT, "jwks", 0, "two keys of one name");
	else if (s->n == AY_MAX_JWKS_KEYS)
		rc = ay_fail(e, AY_E_LIMIT, "jwks", 0, "more than %d keys", AY_MAX_JWKS_KEYS);
	if (rc != AY_OK) {
		ay_pubkey_free(key);
		return rc;
	}
	snprintf(s->of[s->n].kid, AY_JWT_KID, "%s", kid);
	s->of[s->n++].key = key;
	return AY_OK;
}

enum ay_rc ay_jwt_keys_parse(struct ay_bytes text, struct ay_jwt_keys *out, struct ay_err *e)
{
	struct ay_jwt_keys s = { 0 };
	const json_t *keys = NULL, *o;
	json_t *doc = NULL;
	enum ay_rc rc = ay_json_load(text, SET_MAX, "jwks", &doc, e);
	size_t i;

	if (rc == AY_OK)
		rc = ay_json_array(doc, "jwks", "keys", true, &keys, e);
	json_array_foreach (keys, i, o)
		if (rc == AY_OK)
			rc = add(&s, o, e);
	json_decref(doc);
	if (rc != AY_OK)
		ay_jwt_keys_free(&s);
	*out = s;
	return ay_err_coded(e, rc, "JWKS");
}

void ay_jwt_keys_free(struct ay_jwt_keys *s)
{
	for (size_t i = 0; i < s->n; i++)
		ay_pubkey_free(s->of[i].key);
	memset(s, 0, sizeof(*s));
}

const struct ay_pubkey *ay_jwt_keys_find(const void *arg, const char *kid)
{
	const struct ay_jwt_keys *s = arg;

	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->of[i].kid, kid) == 0)
			return s->of[i].key;
	return NULL;
}
