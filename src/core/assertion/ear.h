/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSERTION_EAR_H
#define AY_ASSERTION_EAR_H

/*
 * Attestation results as an EAT in JSON [RFC9711], EAR [draft-ietf-rats-ear],
 * with the trustworthiness vector of AR4SI [draft-ietf-rats-ar4si]: a JWT signed
 * with ES256 (docs/formats/ear.md). What it says is what a SAML assertion says.
 */
#include "core/assertion/jwks.h"
#include "core/assertion/saml.h"
#include "core/crypto/privkey.h"

#define AY_EAR_PROFILE "tag:github.com,2023:veraison/ear"

/* Octets of a requester's nonce [RFC9711 4.1]. */
enum { AY_EAT_NONCE_MIN = 8, AY_EAT_NONCE_MAX = 88 };

/*
 * Make and sign one about one host, for a requester's nonce and audience if the
 * claims have them.
 *
 *   jti     16 random octets, which must never repeat
 *   now_ms  iat
 *   out     compact JWS, in the arena
 *
 * AY_E_EXISTS, code VERDICT_UNKNOWN: the lease has ended. AY_E_INPUT: a string
 * is not UTF-8, issuer or host id is missing, the nonce's length is not EAT's.
 */
AY_MUST_USE enum ay_rc ay_ear_issue(const struct ay_saml_claims *c, const struct ay_privkey *key,
				    const uint8_t jti[16], int64_t now_ms, struct ay_arena *arena,
				    struct ay_bytes *out, struct ay_err *e);

/* What the verifier asks of one. */
struct ay_ear_expect {
	const struct ay_jwks *keys;
	int64_t now_ms, skew_ms;
	const char *audience; /* must be named; NULL: any, also none */
	const char *issuer;   /* must be it; NULL: any */
	const char *nonce;    /* must be it; NULL: any */
};

/*
 * Verify: by a key of the set that its kid names, which is never the
 * document's own. *out: the claims, the caller's reference; NULL unless AY_OK.
 * Codes JWT_LIMIT JWT_SHAPE JWT_HEADER JWT_ALG JWT_CRIT JWT_KID JWT_SIGNATURE
 * JWT_CLAIMS EAR_SHAPE. Spec [RFC7515 5.2], [RFC7519 7.2], [RFC8725]
 */
AY_MUST_USE enum ay_rc ay_ear_verify(struct ay_bytes text, const struct ay_ear_expect *want,
				     json_t **out, struct ay_err *e);

#endif
