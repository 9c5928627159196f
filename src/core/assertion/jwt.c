/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/jwt.h"

#include "core/base/base64.h"
#include "core/crypto/ticket.h"
#include "core/crypto/verify.h"

enum { HEADER_MAX = 4096, RSA_MAX = 1024 };

/* Three parts, each decoded by its own. */
struct jws {
	struct ay_bytes text, part[3];
	enum ay_jwt_alg alg;
	char kid[AY_JWT_KID];
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

/* ---- the header ---- */

static enum ay_rc read_alg(struct jws *j, unsigned algs, struct ay_err *e)
{
	const char *alg = json_string_value(json_object_get(j->header, "alg"));

	if (alg != NULL && strcmp(alg, "ES256") == 0)
		j->alg = AY_JWT_ES256;
	else if (alg != NULL && strcmp(alg, "RS256") == 0)
		j->alg = AY_JWT_RS256;
	if (AY_CHECKED("JWT_ALG", (j->alg & algs) == 0))
		return refuse(e, AY_E_CRYPTO, "JWT_ALG",
			      "is not signed with an algorithm that is taken");
	return AY_OK;
}

static bool is_typ(const json_t *typ, const char *want)
{
	return typ == NULL || want == NULL ||
	       (json_is_string(typ) && strcasecmp(json_string_value(typ), want) == 0);
}

/*
 * Nothing in it brings a key (jwk, jku, x5c, x5u) or changes how it is read
 * (crit, b64, zip). A thumbprint (x5t) does neither.
 */
static enum ay_rc check_header(struct jws *j, const struct ay_jwt_rules *rules, struct ay_err *e)
{
	static const char *const known[] = { "alg", "kid", "typ", "cty", "x5t", "x5t#S256", NULL };
	const char *kid = json_string_value(json_object_get(j->header, "kid"));
	struct ay_err why;
	enum ay_rc rc;

	if (AY_CHECKED("JWT_CRIT", json_object_get(j->header, "crit") != NULL ||
					   json_object_get(j->header, "b64") != NULL))
		return refuse(e, AY_E_INPUT, "JWT_CRIT", "asks for extensions that we do not know");
	rc = read_alg(j, rules->algs, e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("JWT_HEADER", ay_json_only(j->header, known, "jwt", &why) != AY_OK))
		return refuse(e, AY_E_INPUT, "JWT_HEADER", "has members that we do not take");
	if (AY_CHECKED("JWT_TYP", !is_typ(json_object_get(j->header, "typ"), rules->typ)))
		return refuse(e, AY_E_INPUT, "JWT_HEADER", "is a token of another type");
	if (kid == NULL || strlen(kid) >= sizeof(j->kid))
		return refuse(e, AY_E_CRYPTO, "JWT_KID", "names no key");
	memcpy(j->kid, kid, strlen(kid) + 1);
	return AY_OK;
}

/* ---- the signature ---- */

static bool rs256_verifies(const struct jws *j, const struct ay_pubkey *key)
{
	struct ay_signature s = { .scheme = AY_ALG_RSASSA, .hash = AY_ALG_SHA256 };
	uint8_t value[RSA_MAX];
	struct ay_err e;

	if (ay_base64_decode(AY_BASE64_URL, j->part[2], "jwt.signature", value, sizeof(value),
			     &s.rsa.n, &e) != AY_OK)
		return false;
	s.rsa.p = value;
	return ay_verify(key, &s, AY_HASH_BIT_SHA256,
			 (struct ay_bytes){ j->text.p, j->text.n - j->part[2].n - 1 }) ==
	       AY_SIG_GOOD;
}

/* The key decides what it is good for, not the token. */
static bool verifies(const struct jws *j, const struct ay_pubkey *key)
{
	struct ay_err e;

	if (j->alg == AY_JWT_RS256)
		return ay_pubkey_kind(key) == AY_KEY_RSA && rs256_verifies(j, key);
	return ay_pubkey_curve(key) == AY_CURVE_P256 && ay_jws_verify(j->text, key, &e) == AY_OK;
}

static enum ay_rc check_signature(const struct jws *j, const struct ay_jwt_rules *rules,
				  struct ay_err *e)
{
	const struct ay_pubkey *key = rules->key(rules->arg, j->kid);

	if (AY_CHECKED("JWT_KID", key == NULL))
		return refuse(e, AY_E_CRYPTO, "JWT_KID",
			      "is signed by a key that is not in the set");
	if (AY_CHECKED("JWT_SIGNATURE", key != NULL && !verifies(j, key)))
		return refuse(e, AY_E_CRYPTO, "JWT_SIGNATURE", "the signature does not verify");
	return AY_OK;
}

static enum ay_rc read_header(struct jws *j, const struct ay_jwt_rules *rules, struct ay_err *e)
{
	enum ay_rc rc;

	while (j->text.n > 0 && j->text.p[j->text.n - 1] == '\n')
		j->text.n--; /* of a text file */
	rc = split(j, e);
	if (rc == AY_OK)
		rc = read_part(j->part[0], HEADER_MAX, "JWT_HEADER", &j->header, e);
	return rc == AY_OK ? check_header(j, rules, e) : rc;
}

enum ay_rc ay_jwt_open(struct ay_bytes text, const struct ay_jwt_rules *rules, json_t **claims,
		       struct ay_err *e)
{
	struct jws j = { .text = text };
	enum ay_rc rc = read_header(&j, rules, e);

	*claims = NULL;
	if (rc == AY_OK)
		rc = check_signature(&j, rules, e);
	if (rc == AY_OK)
		rc = read_part(j.part[1], AY_MAX_JWT_BYTES, "JWT_CLAIMS", &j.claims, e);
	if (rc == AY_OK)
		*claims = json_incref(j.claims);
	json_decref(j.header);
	json_decref(j.claims);
	return rc;
}

enum ay_rc ay_jwt_kid(struct ay_bytes text, char kid[AY_JWT_KID], struct ay_err *e)
{
	const struct ay_jwt_rules any = { .algs = AY_JWT_ES256 | AY_JWT_RS256 };
	struct jws j = { .text = text };
	enum ay_rc rc = read_header(&j, &any, e);

	memset(kid, 0, AY_JWT_KID);
	if (rc == AY_OK)
		memcpy(kid, j.kid, sizeof(j.kid));
	json_decref(j.header);
	return rc;
}

bool ay_jwt_is(const json_t *claims, const char *name, const char *value)
{
	const char *s = json_string_value(json_object_get(claims, name));

	return s != NULL && strcmp(s, value) == 0;
}

bool ay_jwt_is_for(const json_t *claims, const char *audience)
{
	const json_t *aud = json_object_get(claims, "aud"), *one;
	size_t i;

	if (json_is_string(aud))
		return ay_jwt_is(claims, "aud", audience);
	json_array_foreach (aud, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), audience) == 0)
			return true;
	return false;
}
