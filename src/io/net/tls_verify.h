/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_TLS_VERIFY_H
#define AY_NET_TLS_VERIFY_H

/* The two ways a certificate of the agent channel is judged; within io/net only. */
#include "core/base/bytes.h"
#include "core/base/err.h"

#include <openssl/x509.h>

/* SHA-256 of a certificate's SubjectPublicKeyInfo. False: out of memory. */
AY_MUST_USE bool ay_tls_spki_hash(const X509 *cert, uint8_t out[32]);

/*
 * An agent's: a P-256 key, not `own` (SPKI hash of the server), and no
 * serverAuth: a server's key is never an agent's. Names, dates and issuer say
 * nothing. AY_E_CRYPTO with code PEER_KEY.
 */
AY_MUST_USE enum ay_rc ay_tls_judge_agent(X509 *leaf, const uint8_t own[32], struct ay_err *e);

/*
 * A server's: the chain ends in a CA certificate whose SPKI hash is pin, found
 * in chain (first contact) or given as known (may be NULL), and the leaf is no
 * CA and carries serverAuth and clientAuth. *root: that certificate, with a
 * reference of its own. AY_E_CRYPTO with code PEER_ROOT, PEER_CHAIN or PEER_EKU.
 */
AY_MUST_USE enum ay_rc ay_tls_judge_server(X509 *leaf, STACK_OF(X509) * chain, X509 *known,
					   const uint8_t pin[32], X509 **root, struct ay_err *e);

#endif
