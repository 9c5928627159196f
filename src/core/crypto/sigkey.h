/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_SIGKEY_H
#define AY_CRYPTO_SIGKEY_H

/*
 * Keys of people who sign documents (reference sets, policies): ECDSA P-256
 * with SHA-256 (ES256), or Ed25519 [RFC8032]. Never on the hot path.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

struct ay_sigkey; /* public, or private with its public half */

enum { AY_SIGKEY_SIG_MAX = 128 };

/* SubjectPublicKeyInfo, DER: exactly one. AY_E_INPUT: not one of the two kinds of key. */
AY_MUST_USE enum ay_rc ay_sigkey_new_spki(struct ay_bytes der, struct ay_sigkey **out,
					  struct ay_err *e);
/* PKCS #8 or SEC 1 in PEM, without passphrase. */
AY_MUST_USE enum ay_rc ay_sigkey_new_private_pem(struct ay_bytes pem, struct ay_sigkey **out,
						 struct ay_err *e);
void ay_sigkey_free(struct ay_sigkey *k); /* NULL is fine */

/* "ES256" or "Ed25519". */
const char *ay_sigkey_alg(const struct ay_sigkey *k);
/* SHA-256 of its SubjectPublicKeyInfo. */
const uint8_t *ay_sigkey_id(const struct ay_sigkey *k);

/* ES256: r || s, 32 octets each (as JWS has it); Ed25519: 64 octets. */
AY_MUST_USE enum ay_rc ay_sigkey_sign(const struct ay_sigkey *k, struct ay_bytes msg,
				      uint8_t out[64], struct ay_err *e);
/* Also takes an ECDSA signature in DER. AY_E_CRYPTO: not this key's over msg. */
AY_MUST_USE enum ay_rc ay_sigkey_verify(const struct ay_sigkey *k, struct ay_bytes msg,
					struct ay_bytes sig, struct ay_err *e);

#endif
