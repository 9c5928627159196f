/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_HASH_LANES_H
#define AY_CRYPTO_HASH_LANES_H

/*
 * Compression functions of SHA-1 and SHA-256 [FIPS 180-4, 6.1.2, 6.2.2] over
 * one block in each of N lanes. state[w][l] is word w of lane l; rows are
 * aligned to 64 octets.
 */
#include "core/base/defs.h"

#include <stdint.h>

#define AY_LANES_MAX 16

struct ay_lanes_state {
	_Alignas(64) uint32_t word[8][AY_LANES_MAX];
};

typedef void ay_compress_fn(struct ay_lanes_state *s, const uint8_t *const block[AY_LANES_MAX]);

ay_compress_fn ay_sha1_lanes4, ay_sha256_lanes4;
#if defined(__x86_64__)
ay_compress_fn ay_sha1_lanes8, ay_sha256_lanes8;   /* AVX2 */
ay_compress_fn ay_sha1_lanes16, ay_sha256_lanes16; /* AVX-512F */
#endif

#endif
