/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/ear.h"

#include "core/base/base64.h"
#include "core/crypto/ticket.h"

enum { HEADER_MAX = 1024 };

/* Three parts, each decoded by its own. */
struct jws {
	struct ay_bytes text, part[3];
	char kid[AY_JWK_KID];
	json_t *header, *claims;
};

static enum ay_rc refuse(struct ay_err *e, enum ay_rc rc, const char *code, const char *text)
{
	return ay_fail_code(e, rc, code, "jwt", "%s", text);
}

static enum ay_rc split(struct jws *j, struct ay_err *e)
{
	size_t k = 0;

	if (AY_CHECKED("JWT_LIMIT", j->text.n > AY_MAX_JWT_BYTES))
		return refuse(e, AY_E_LIMIT, "JWT_LIMIT", "is longer than a JWT may be");
	j->part[0] = (struct ay_bytes){ j->text.p, 0 };
	for (size_t i = 0; i < j->text.n; i++) {
		if (j->text.p[i] != '.')
			j->part[k].n++;
		else if (++k < 3)
			j->part[k] = (struct ay_bytes){ j->text.p + i + 1, 0 };
		else
			return refuse(e, AY_E_INPUT, "JWT_SHAPE", "has more than three parts");
	}
	if (k != 2 || j->part[0].n == 0 || j->part[1].n == 0)
		return refuse(e, AY_E_INPUT, "JWT_SHAPE", "is no signed JWT in compact form");
	return AY_OK;
}

/* Duplicate members are refused: which of two counts is anybody's guess. */
static enum ay_rc read_part(struct ay_bytes part, size_t max, const char *code, json_t **out,
			    struct ay_err *e)
{
	uint8_t *b = NULL;
	struct ay_arena a;
	size_t n;
	enum ay_rc rc;

	ay_arena_init(&a, AY_MAX_JWT_BYTES + 64);
	b = ay_arena_alloc(&a, max);
	if (b == NULL)
		rc = ay_fail(e, AY_E_NOMEM, "jwt", 0, "no memory");
	else
		rc = ay_base64_decode(AY_BASE64_URL, part, "jwt", b, max, &n, e);
	if (rc == AY_OK)
		rc = ay_json_load((struct ay_bytes){ b, n }, max, "jwt", out, e);
	if (rc == AY_OK && !json_is_object(*out))
		rc = ay_fail(e, AY_E_INPUT, "jwt", 0, "is not an object");
	if (rc != AY_OK)
		ay_err_code(e, code);
	ay_arena_fini(&a);
	return rc;
}

/*
 * One algorithm, so that nothing in the document chooses one; and nothing in it
 * brings a key (jwk, jku, x5c, x5u) or changes how it is read (crit, b64, zip).
 */
static enum ay_rc check_header(struct jws *j, struct ay_err *e)
{
	static const char *const known[] = { "alg", "kid", "typ", "cty", NULL };
	const char *alg = json_string_value(json_object_get(j->header, "alg"));
	const char *kid = json_string_value(json_object_get(j->header, "kid"));
	struct ay_err why;

	if (AY_CHECKED("JWT_CRIT", json_object_get(j->header, "crit") != NULL ||
					   json_object_get(j->header, "b64") != NULL))
		return refuse(e, AY_E_INPUT, "JWT_CRIT", "asks for extensions that we do not know");
	if (AY_CHECKED("JWT_ALG", alg == NULL || strcmp(alg, "ES256") != 0))
		return refuse(e, AY_E_CRYPTO, "JWT_ALG", "is not signed with ES256");
	if (AY_CHECKED("JWT_HEADER", ay_json_only(j->header, known, "jwt", &why) != AY_OK))
		return refuse(e, AY_E_INPUT, "JWT_HEADER", "has members that we do not take");
	if (kid == NULL || strlen(kid) >= sizeof(j->kid))
		return refuse(e, AY_E_CRYPTO, "JWT_KID", "names no key");
	memcpy(j->kid, kid, strlen(kid) + 1);
	return AY_OK;
}

static enum ay_rc check_signature(const struct jws *j, const struct ay_jwks *keys, struct ay_err *e)
{
	const struct ay_jwk *k = ay_jwks_find(keys, j->kid);
	struct ay_pubkey *key = NULL;
	struct ay_err why;
	enum ay_rc rc;

	if (AY_CHECKED("JWT_KID", k == NULL))
		return refuse(e, AY_E_CRYPTO, "JWT_KID",
			      "is signed by a key that is not in the set");
	rc = ay_jwk_key(k, &key, e);
	if (rc != AY_OK)
		return ay_err_coded(e, rc, "JWT_KID");
	if (AY_CHECKED("JWT_SIGNATURE", ay_jws_verify(j->text, key, &why) != AY_OK))
		rc = refuse(e, AY_E_CRYPTO, "JWT_SIGNATURE", "the signature does not verify");
	ay_pubkey_free(key);
	return rc;
}

/* ---- claims ---- */

static bool is_text(const json_t *o, const char *key, const char *value)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL && strcmp(s, value) == 0;
}

/* One string or a list of them [RFC7519 4.1.3]. */
static bool is_for(const json_t *claims, const char *audience)
{
	const json_t *aud = json_object_get(claims, "aud"), *one;
	size_t i;

	if (json_is_string(aud))
		return strcmp(json_string_value(aud), audience) == 0;
	json_array_foreach (aud, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), audience) == 0)
			return true;
	return false;
}

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
	if (AY_CHECKED("JWT_AUD", want->audience != NULL && !is_for(c, want->audience)))
		return refuse(e, AY_E_CRYPTO, "JWT_CLAIMS", "is for another audience");
	if (AY_CHECKED("JWT_ISS", want->issuer != NULL && !is_text(c, "iss", want->issuer)))
		return refuse(e, AY_E_CRYPTO, "JWT_CLAIMS", "is of another issuer");
	if (AY_CHECKED("JWT_NONCE", want->nonce != NULL && !is_text(c, "eat_nonce", want->nonce)))
		return refuse(e, AY_E_CRYPTO, "JWT_CLAIMS", "answers another nonce");
	return check_time(c, want, e);
}

/* A status of the four, for every part of the host. */
static enum ay_rc check_ear(const json_t *c, struct ay_err *e)
{
	static const char *const tiers[] = { "none", "affirming", "warning", "contraindicated" };
	json_t *submods = json_object_get(c, "submods"), *one;
	const char *name;

	if (AY_CHECKED("EAR_SHAPE", !is_text(c, "eat_profile", AY_EAR_PROFILE)))
		return refuse(e, AY_E_INPUT, "EAR_SHAPE", "is no attestation result");
	if (json_object_size(submods) == 0)
		return refuse(e, AY_E_INPUT, "EAR_SHAPE", "says nothing of anybody");
	json_object_foreach (submods, name, one) {
		bool found = false;

		for (size_t i = 0; i < AY_COUNT(tiers); i++)
			found = found || is_text(one, "ear.status", tiers[i]);
		if (!found)
			return refuse(e, AY_E_INPUT, "EAR_SHAPE", "has a part without a status");
	}
	return AY_OK;
}

enum ay_rc ay_ear_verify(struct ay_bytes text, const struct ay_ear_expect *want, json_t **out,
			 struct ay_err *e)
{
	struct jws j = { .text = text };
	enum ay_rc rc;

	*out = NULL;
	while (j.text.n > 0 && j.text.p[j.text.n - 1] == '\n')
		j.text.n--; /* of a text file */
	rc = split(&j, e);
	if (rc == AY_OK)
		rc = read_part(j.part[0], HEADER_MAX, "JWT_HEADER", &j.header, e);
	if (rc == AY_OK)
		rc = check_header(&j, e);
	if (rc == AY_OK)
		rc = check_signature(&j, want->keys, e);
	if (rc == AY_OK)
		rc = read_part(j.part[1], AY_MAX_JWT_BYTES, "JWT_CLAIMS", &j.claims, e);
	if (rc == AY_OK)
		rc = check_claims(j.claims, want, e);
	if (rc == AY_OK)
		rc = check_ear(j.claims, e);
	if (rc == AY_OK)
		*out = json_incref(j.claims);
	json_decref(j.header);
	json_decref(j.claims);
	return rc;
}
