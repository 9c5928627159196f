/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_TICKET_H
#define AY_CRYPTO_TICKET_H

/*
 * AIK provisioning tickets: JWS compact, ES256 [RFC7515], one fixed form
 * (docs/protocol/privacy-ca.md). The signer issues them, the Privacy CA answers
 * nothing without one, the agent refuses one that does not name its own key.
 * Header and payload must be octet for octet in our form, so a ticket has one
 * spelling and there is no algorithm to choose.
 */
#include "core/base/limits.h"
#include "core/base/uuid.h"
#include "core/crypto/privkey.h"

#define AY_TICKET_TEXT_MAX (640 + AY_MAX_TOKEN_EKS * 90)
#define AY_JTI_TEXT 33 /* 32 lower-case hex digits and a terminator */

struct ay_ticket {
	struct ay_uuid host;
	uint8_t spki[32]; /* SHA-256 of the agent's TLS SPKI */
	uint8_t ca[32];	  /* SHA-256 of the CA root's SPKI */
	char jti[AY_JTI_TEXT];
	int64_t exp_s; /* seconds since 1970 */
	/* SHA-256 of the EK publics that it is for; none: any (design 4) */
	size_t n_eks;
	uint8_t ek[AY_MAX_TOKEN_EKS][32];
};

/* Writes the terminated text of a signed ticket. */
AY_MUST_USE enum ay_rc ay_ticket_sign(const struct ay_ticket *t, const struct ay_privkey *key,
				      char out[AY_TICKET_TEXT_MAX], struct ay_err *e);

/* What the ticket says; its signature is not verified. AY_E_INPUT, code TICKET. */
AY_MUST_USE enum ay_rc ay_ticket_parse(struct ay_bytes text, struct ay_ticket *out,
				       struct ay_err *e);

/*
 * Parse and verify: signed by key, for the CA whose root is ca, not expired at
 * now_ms and not valid for longer than 10 minutes from it. Code TICKET. That it
 * serves once is the caller's to remember.
 */
AY_MUST_USE enum ay_rc ay_ticket_check(struct ay_bytes text, const struct ay_pubkey *key,
				       const uint8_t ca[32], int64_t now_ms, struct ay_ticket *out,
				       struct ay_err *e);

/* JWS compact with any header and payload: base64url(header).base64url(payload).signature. */
AY_MUST_USE enum ay_rc ay_jws_sign(struct ay_bytes header, struct ay_bytes payload,
				   const struct ay_privkey *key, char *out, size_t max,
				   struct ay_err *e);
/* AY_E_CRYPTO if the ES256 signature over the first two parts is not key's. */
AY_MUST_USE enum ay_rc ay_jws_verify(struct ay_bytes text, const struct ay_pubkey *key,
				     struct ay_err *e);

#endif
