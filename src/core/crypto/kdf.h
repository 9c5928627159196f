/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_KDF_H
#define AY_CRYPTO_KDF_H

/*
 * HMAC and the key derivations built on hashes, by TPM algorithm number.
 * All return false only for a hash that cannot be computed or sizes out of
 * range; out is then untouched.
 */
#include "core/base/bytes.h"
#include "core/tpm/alg.h"

/* HMAC over the n parts one after the other; writes ay_alg_digest_size(alg) octets. */
AY_MUST_USE bool ay_hmac(uint16_t alg, struct ay_bytes key, const struct ay_bytes *parts, size_t n,
			 uint8_t *out);
/* HMAC-SHA-256 of one message. */
void ay_hmac_sha256(struct ay_bytes key, struct ay_bytes msg, uint8_t out[32]);

/* HKDF with SHA-256 [RFC5869]; salt may be empty; n at most 255 * 32. */
AY_MUST_USE bool ay_hkdf_sha256(struct ay_bytes ikm, struct ay_bytes salt, struct ay_bytes info,
				uint8_t *out, size_t n);

/*
 * KDFa [TPM2-P1 11.4.10.2]: (bits + 7) / 8 octets; when bits is no multiple of
 * 8 the spare bits of the first octet are cleared. label is used with its
 * terminator. At most 1024 bits.
 */
AY_MUST_USE bool ay_kdfa(uint16_t alg, struct ay_bytes key, const char *label,
			 struct ay_bytes context_u, struct ay_bytes context_v, unsigned bits,
			 uint8_t *out);
/* KDFe [TPM2-P1 11.4.10.3] likewise, from the shared x coordinate z. */
AY_MUST_USE bool ay_kdfe(uint16_t alg, struct ay_bytes z, const char *label,
			 struct ay_bytes party_u, struct ay_bytes party_v, unsigned bits,
			 uint8_t *out);

#endif
