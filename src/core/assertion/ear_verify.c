/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/ear.h"

#include "core/assertion/jwt.h"

/* Of a set of ours: one key is loaded, the one that is asked for. */
struct own {
	const struct ay_jwks *keys;
	struct ay_pubkey *key;
};

static const struct ay_pubkey *own_key(const void *arg, const char *kid)
{
	struct own *o = (struct own *)(uintptr_t)arg;
	const struct ay_jwk *k = ay_jwks_find(o->keys, kid);

	if (k == NULL || ay_jwk_key(k, &o->key, NULL) != AY_OK)
		return NULL;
	return o->key;
}

static enum ay_rc refuse(struct ay_err *e, enum ay_rc rc, const char *code, const char *text)
{
	return ay_fail_code(e, rc, code, "jwt", "%s", text);
}

/* ---- claims ---- */

static enum ay_rc check_time(const json_t *c, const struct ay_ear_expect *want, struct ay_err *e)
{
	const json_t *exp = json_object_get(c, "exp"), *iat = json_object_get(c, "iat"),
		     *nbf = json_object_get(c, "nbf");
	json_int_t now_s = want->now_ms / 1000, skew_s = want->skew_ms / 1000;

	if (!json_is_integer(exp) || !json_is_integer(iat) || (nbf && !json_is_integer(nbf)))
		return refuse(e, AY_E_INPUT, "JWT_CLAIMS", "has no exp or no iat");
	if (AY_CHECKED("JWT_EXP", now_s - skew_s >= json_integer_value(exp)))
		return refuse(e, AY_E_CRYPTO, "JWT_CLAIMS", "has expired");
	if (AY_CHECKED("JWT_NBF", json_integer_value(iat) > now_s + skew_s ||
					  (nbf && json_integer_value(nbf) > now_s + skew_s)))
		return refuse(e, AY_E_CRYPTO, "JWT_CLAIMS", "is not valid yet");
	return AY_OK;
}

static enum ay_rc check_claims(const json_t *c, const struct ay_ear_expect *want, struct ay_err *e)
{
	if (AY_CHECKED("JWT_AUD", want->audience != NULL && !ay_jwt_is_for(c, want->audience)))
		return refuse(e, AY_E_CRYPTO, "JWT_CLAIMS", "is for another audience");
	if (AY_CHECKED("JWT_ISS", want->issuer != NULL && !ay_jwt_is(c, "iss", want->issuer)))
		return refuse(e, AY_E_CRYPTO, "JWT_CLAIMS", "is of another issuer");
	if (AY_CHECKED("JWT_NONCE", want->nonce != NULL && !ay_jwt_is(c, "eat_nonce", want->nonce)))
		return refuse(e, AY_E_CRYPTO, "JWT_CLAIMS", "answers another nonce");
	return check_time(c, want, e);
}

/* A status of the four, for every part of the host. */
static enum ay_rc check_ear(const json_t *c, struct ay_err *e)
{
	static const char *const tiers[] = { "none", "affirming", "warning", "contraindicated" };
	json_t *submods = json_object_get(c, "submods"), *one;
	const char *name;

	if (AY_CHECKED("EAR_SHAPE", !ay_jwt_is(c, "eat_profile", AY_EAR_PROFILE)))
		return refuse(e, AY_E_INPUT, "EAR_SHAPE", "is no attestation result");
	if (json_object_size(submods) == 0)
		return refuse(e, AY_E_INPUT, "EAR_SHAPE", "says nothing of anybody");
	json_object_foreach (submods, name, one) {
		bool found = false;

		for (size_t i = 0; i < AY_COUNT(tiers); i++)
			found = found || ay_jwt_is(one, "ear.status", tiers[i]);
		if (!found)
			return refuse(e, AY_E_INPUT, "EAR_SHAPE", "has a part without a status");
	}
	return AY_OK;
}

enum ay_rc ay_ear_verify(struct ay_bytes text, const struct ay_ear_expect *want, json_t **out,
			 struct ay_err *e)
{
	struct own own = { .keys = want->keys };
	const struct ay_jwt_rules rules = { .algs = AY_JWT_ES256, .key = own_key, .arg = &own };
	json_t *claims;
	enum ay_rc rc = ay_jwt_open(text, &rules, &claims, e);

	*out = NULL;
	ay_pubkey_free(own.key);
	if (rc == AY_OK)
		rc = check_claims(claims, want, e);
	if (rc == AY_OK)
		rc = check_ear(claims, e);
	if (rc == AY_OK)
		*out = json_incref(claims);
	json_decref(claims);
	return rc;
}
