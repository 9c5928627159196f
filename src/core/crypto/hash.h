/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_HASH_H
#define AY_CRYPTO_HASH_H

/*
 * SHA-1, SHA-256, SHA-384, SHA-512 by TPM algorithm number, without
 * allocation: libcrypto's low-level functions, which cost a third of an EVP
 * fetch for the small messages of replay (docs/adr/0002).
 */
#include "core/base/bytes.h"
#include "core/tpm/alg.h"

struct ay_hash {
	uint16_t alg;
	_Alignas(16) uint8_t state[256];
};

/* False for an algorithm that cannot be computed (unknown, SM3). */
AY_MUST_USE bool ay_hash_init(struct ay_hash *h, uint16_t alg);
void ay_hash_update(struct ay_hash *h, struct ay_bytes b);
/* Writes ay_alg_digest_size(alg) octets. */
void ay_hash_final(struct ay_hash *h, uint8_t *out);

/* One message; false as ay_hash_init. */
AY_MUST_USE bool ay_hash_of(uint16_t alg, struct ay_bytes b, uint8_t *out);
/*
 * digest = hash(digest || more), both ay_alg_digest_size(alg) octets: what extending
 * a PCR is [TPM2-P1 17.2]. False as ay_hash_init.
 */
AY_MUST_USE bool ay_hash_extend(uint16_t alg, uint8_t *digest, const uint8_t *more);
void ay_sha256(struct ay_bytes b, uint8_t out[32]);

#endif
