/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_HASH_MANY_H
#define AY_CRYPTO_HASH_MANY_H

/*
 * Digests of many messages at once. SHA-1 and SHA-256 of short messages are
 * computed side by side in the lanes of vector registers, 4, 8 or 16 of them
 * as the processor has it; other algorithms one after the other
 * (docs/adr/0003). For replay, where most of the time goes into
 * hashing template data and event data that do not depend on each other.
 */
#include "core/crypto/hash.h"

/*
 * Write the digest of message i to out + i * stride, for all n messages. They
 * may have any length and overlap. False for an algorithm that cannot be
 * computed; out is then not written.
 */
AY_MUST_USE bool ay_hash_many(uint16_t alg, const struct ay_bytes *message, size_t n, uint8_t *out,
			      size_t stride);

/* As the above with so many lanes (4, 8, 16): for tests. False also where the processor lacks them.
 */
AY_MUST_USE bool ay_hash_many_in_lanes(unsigned lanes, uint16_t alg, const struct ay_bytes *message,
				       size_t n, uint8_t *out, size_t stride);

#endif
