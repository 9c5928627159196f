/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_ENVELOPE_H
#define AY_CRYPTO_ENVELOPE_H

/*
 * CMS AuthEnvelopedData [RFC5083] in the one form of docs/protocol/privacy-ca.md:
 * one KeyAgreeRecipientInfo, ephemeral-static P-256 with
 * dhSinglePass-stdDH-sha256kdf, AES-256 key wrap, AES-256-GCM content.
 */
#include "core/crypto/privkey.h"

/* Room that sealing adds to the plain text. */
#define AY_ENVELOPE_OVERHEAD 1024

/*
 * Encrypt plain to the holder of the certificate's key.
 *   out  DER, at most max octets; n its length
 */
AY_MUST_USE enum ay_rc ay_envelope_seal(struct ay_bytes recipient_cert, struct ay_bytes plain,
					uint8_t *out, size_t max, size_t *n, struct ay_err *e);

/*
 * The algorithms, in our own DER reader, before libcrypto sees the octets.
 * AY_E_INPUT with code CA_ENVELOPE for any other form or algorithm.
 */
AY_MUST_USE enum ay_rc ay_envelope_parse(struct ay_bytes der, struct ay_err *e);

/*
 * ay_envelope_parse(), then decrypt. AY_E_CRYPTO with code CA_ENVELOPE if it
 * is not for this key or was altered; then nothing of the plain text is given.
 */
AY_MUST_USE enum ay_rc ay_envelope_open(struct ay_bytes der, const struct ay_privkey *key,
					struct ay_bytes cert, uint8_t *out, size_t max, size_t *n,
					struct ay_err *e);

#endif
