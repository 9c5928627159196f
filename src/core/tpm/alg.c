/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/alg.h"

static const struct {
	uint16_t alg;
	uint8_t size;
	const char *name;
} hashes[] = {
	{ AY_ALG_SHA1, 20, "sha1" },	   { AY_ALG_SHA256, 32, "sha256" },
	{ AY_ALG_SHA384, 48, "sha384" },   { AY_ALG_SHA512, 64, "sha512" },
	{ AY_ALG_SM3_256, 32, "sm3_256" },
};

size_t ay_alg_digest_size(uint16_t alg)
{
	for (size_t i = 0; i < AY_COUNT(hashes); i++)
		if (hashes[i].alg == alg)
			return hashes[i].size;
	return 0;
}

const char *ay_alg_bank_name(uint16_t alg)
{
	for (size_t i = 0; i < AY_COUNT(hashes); i++)
		if (hashes[i].alg == alg)
			return hashes[i].name;
	return NULL;
}

uint16_t ay_alg_from_bank_name(struct ay_bytes name)
{
	for (size_t i = 0; i < AY_COUNT(hashes); i++)
		if (ay_bytes_eq(name, ay_bytes_of(hashes[i].name)))
			return hashes[i].alg;
	return 0;
}
