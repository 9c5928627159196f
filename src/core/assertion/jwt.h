/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSERTION_JWT_H
#define AY_ASSERTION_JWT_H

/*
 * Signed JSON web tokens in compact form [RFC7515], [RFC7519], of ourselves and
 * of others. Whoever reads one says which algorithms may have signed it; the
 * token chooses one of these and names a key, which must be of that kind. "none"
 * and the HMAC family are not known at all [RFC8725 3.1].
 */
#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/crypto/key.h"

enum ay_jwt_alg { AY_JWT_ES256 = 1, AY_JWT_RS256 = 2 }; /* bits of a set */

enum { AY_JWT_KID = 128 }; /* room for the name of a key, with terminator */

/* NULL: no key goes by that name. */
typedef const struct ay_pubkey *ay_jwt_key_fn(const void *arg, const char *kid);

struct ay_jwt_rules {
	unsigned algs;	 /* set of enum ay_jwt_alg */
	const char *typ; /* if the token has a typ, it is this one [RFC8725 3.11]; NULL: any */
	ay_jwt_key_fn *key;
	const void *arg;
};

/*
 * Verify and read: *claims is the caller's reference, NULL unless AY_OK. Time,
 * audience and issuer are the caller's to check. Codes JWT_LIMIT JWT_SHAPE
 * JWT_HEADER JWT_ALG JWT_CRIT JWT_KID JWT_SIGNATURE JWT_CLAIMS. Spec [RFC7515 5.2]
 */
AY_MUST_USE enum ay_rc ay_jwt_open(struct ay_bytes text, const struct ay_jwt_rules *rules,
				   json_t **claims, struct ay_err *e);
/*
 * The key that a token names, before anything of it is believed: to find out
 * whether the keys at hand are too old. AY_E_INPUT, AY_E_CRYPTO as above.
 */
AY_MUST_USE enum ay_rc ay_jwt_kid(struct ay_bytes text, char kid[AY_JWT_KID], struct ay_err *e);
/* Is a string claim this? */
bool ay_jwt_is(const json_t *claims, const char *name, const char *value);
/* aud is it, or a list that has it [RFC7519 4.1.3]. */
bool ay_jwt_is_for(const json_t *claims, const char *audience);

/* Keys of somebody else who signs JWTs: RSA of 2,048 bits and more, P-256. */
struct ay_jwt_keys {
	size_t n;
	struct {
		char kid[AY_JWT_KID];
		struct ay_pubkey *key;
	} of[AY_MAX_JWKS_KEYS];
};
/*
 * From a JWK set [RFC7517]. Keys without a name, of other kinds and for other
 * uses are passed over, and so are RSA keys too short to be believed. AY_E_INPUT,
 * AY_E_LIMIT with code JWKS: also for a set with a private or a shared key, which
 * have no business there, and for two keys of one name.
 */
AY_MUST_USE enum ay_rc ay_jwt_keys_parse(struct ay_bytes text, struct ay_jwt_keys *out,
					 struct ay_err *e);
void ay_jwt_keys_free(struct ay_jwt_keys *s); /* what it holds; it may be used again */
/* An ay_jwt_key_fn; arg is a struct ay_jwt_keys. */
const struct ay_pubkey *ay_jwt_keys_find(const void *arg, const char *kid);

#endif
