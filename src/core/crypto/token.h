/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_TOKEN_H
#define AY_CRYPTO_TOKEN_H

/*
 * Enrolment tokens: `assay1.` + base64url of compact JSON with the members v,
 * servers, root, ca, order, id, secret in this order (design.md 4, first
 * contact), and root2, ca2, order2 before id where the server is about to
 * replace a key: the one before, which counts as well. The secret never travels; the server keeps K
 * = SHA-256(secret).
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/base/limits.h"

#define AY_TOKEN_SERVERS_MAX 8
#define AY_TOKEN_SERVER_MAX 261 /* HOST:PORT with terminator */
#define AY_TOKEN_ID_TEXT 33	/* 32 lower-case hex digits and a terminator */
#define AY_TOKEN_PREFIX "assay1."

struct ay_token {
	size_t n_servers;
	char servers[AY_TOKEN_SERVERS_MAX][AY_TOKEN_SERVER_MAX]; /* "HOST:PORT" to dial */
	uint8_t root[32];  /* SHA-256 of the server root's SPKI */
	uint8_t ca[32];	   /* of the Privacy CA root's */
	uint8_t order[32]; /* of the order key's */
	bool has_root2, has_ca2, has_order2;
	uint8_t root2[32], ca2[32], order2[32];
	char id[AY_TOKEN_ID_TEXT];
	uint8_t secret[32];
};

/* Writes the terminated text. AY_E_INPUT if a member does not fit the form. */
AY_MUST_USE enum ay_rc ay_token_build(const struct ay_token *t, char out[AY_MAX_TOKEN_BYTES],
				      struct ay_err *e);
/* Only the form that ay_token_build writes; out is wiped on failure. Code TOKEN_MALFORMED. */
AY_MUST_USE enum ay_rc ay_token_parse(struct ay_bytes text, struct ay_token *out, struct ay_err *e);

/* K: what the server stores instead of the secret. */
void ay_token_key(const uint8_t secret[32], uint8_t k[32]);

/* HMAC-SHA-256(K, "assay-token-1" || exporter || agent SPKI hash || server SPKI hash). */
AY_MUST_USE enum ay_rc ay_token_proof(const uint8_t k[32], const uint8_t exporter[32],
				      const uint8_t agent_spki[32], const uint8_t server_spki[32],
				      uint8_t out[32], struct ay_err *e);
/* Constant time. AY_E_CRYPTO, code TOKEN, if proof is not the one expected. */
AY_MUST_USE enum ay_rc ay_token_proof_check(const uint8_t k[32], const uint8_t exporter[32],
					    const uint8_t agent_spki[32],
					    const uint8_t server_spki[32], struct ay_bytes proof,
					    struct ay_err *e);

#endif
