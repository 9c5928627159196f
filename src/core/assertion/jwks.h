/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSERTION_JWKS_H
#define AY_ASSERTION_JWKS_H

/* Public keys of those who sign JWTs, as a JWK set [RFC7517]: P-256 for ES256, by thumbprint. */
#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/crypto/key.h"

#define AY_JWK_KID 44 /* SHA-256 thumbprint in base64url [RFC7638], and a terminator */

struct ay_jwk {
	uint8_t x[32], y[32];
	char kid[AY_JWK_KID];
};

/* From the SubjectPublicKeyInfo of a P-256 key. AY_E_CRYPTO: another kind of key. */
AY_MUST_USE enum ay_rc ay_jwk_of_spki(struct ay_bytes spki, struct ay_jwk *out, struct ay_err *e);
/* kid of x and y [RFC7638 3.2]. */
AY_MUST_USE enum ay_rc ay_jwk_thumbprint(struct ay_jwk *k, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_jwk_key(const struct ay_jwk *k, struct ay_pubkey **out, struct ay_err *e);

struct ay_jwks {
	size_t n;
	struct ay_jwk key[AY_MAX_JWKS_KEYS];
};

/* {"keys":[..]}; NULL without memory. */
json_t *ay_jwks_json(const struct ay_jwks *s);
/*
 * Keys of other kinds and uses are passed over [RFC7517 5]; a kid that is not
 * the key's thumbprint is kept as the one it goes by. AY_E_INPUT, AY_E_LIMIT:
 * code JWKS; also with a private key in it, which has no business there.
 */
AY_MUST_USE enum ay_rc ay_jwks_parse(struct ay_bytes text, struct ay_jwks *out, struct ay_err *e);
/* NULL: none goes by that name. */
const struct ay_jwk *ay_jwks_find(const struct ay_jwks *s, const char *kid);

#endif
