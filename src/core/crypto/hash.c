/* SPDX-License-Identifier: Apache-2.0 */
/* The low-level functions are deprecated in favour of EVP, not removed: docs/adr/0002 says why. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/crypto/hash.h"

#include <assert.h>
#include <endian.h>
#include <openssl/sha.h>

static_assert(sizeof(SHA_CTX) <= sizeof(((struct ay_hash *)0)->state), "room for SHA-1");
static_assert(sizeof(SHA256_CTX) <= sizeof(((struct ay_hash *)0)->state), "room for SHA-256");
static_assert(sizeof(SHA512_CTX) <= sizeof(((struct ay_hash *)0)->state), "room for SHA-512");

bool ay_hash_init(struct ay_hash *h, uint16_t alg)
{
	h->alg = alg;
	switch (alg) {
	case AY_ALG_SHA1:
		return SHA1_Init((SHA_CTX *)(void *)h->state) == 1;
	case AY_ALG_SHA256:
		return SHA256_Init((SHA256_CTX *)(void *)h->state) == 1;
	case AY_ALG_SHA384:
		return SHA384_Init((SHA512_CTX *)(void *)h->state) == 1;
	case AY_ALG_SHA512:
		return SHA512_Init((SHA512_CTX *)(void *)h->state) == 1;
	default:
		h->alg = 0;
		return false;
	}
}

void ay_hash_update(struct ay_hash *h, struct ay_bytes b)
{
	switch (h->alg) {
	case AY_ALG_SHA1:
		SHA1_Update((SHA_CTX *)(void *)h->state, b.p, b.n);
		break;
	case AY_ALG_SHA256:
		SHA256_Update((SHA256_CTX *)(void *)h->state, b.p, b.n);
		break;
	case AY_ALG_SHA384:
		SHA384_Update((SHA512_CTX *)(void *)h->state, b.p, b.n);
		break;
	case AY_ALG_SHA512:
		SHA512_Update((SHA512_CTX *)(void *)h->state, b.p, b.n);
		break;
	default:
		break;
	}
}

void ay_hash_final(struct ay_hash *h, uint8_t *out)
{
	switch (h->alg) {
	case AY_ALG_SHA1:
		SHA1_Final(out, (SHA_CTX *)(void *)h->state);
		break;
	case AY_ALG_SHA256:
		SHA256_Final(out, (SHA256_CTX *)(void *)h->state);
		break;
	case AY_ALG_SHA384:
		SHA384_Final(out, (SHA512_CTX *)(void *)h->state);
		break;
	case AY_ALG_SHA512:
		SHA512_Final(out, (SHA512_CTX *)(void *)h->state);
		break;
	default:
		break;
	}
}

bool ay_hash_of(uint16_t alg, struct ay_bytes b, uint8_t *out)
{
	struct ay_hash h AY_NO_INIT;

	if (!ay_hash_init(&h, alg))
		return false;
	ay_hash_update(&h, b);
	ay_hash_final(&h, out);
	return true;
}

static void write_be32(const SHA_LONG *word, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t v = htobe32(word[i]);

		memcpy(out + 4 * i, &v, sizeof(v));
	}
}

/* 40 octets and their padding are one block. */
static void extend_sha1(uint8_t *digest, const uint8_t *more)
{
	uint8_t block[SHA_CBLOCK] = { [40] = 0x80, [62] = 40 * 8 >> 8, [63] = 40 * 8 & 0xff };
	SHA_CTX c AY_NO_INIT;

	memcpy(block, digest, SHA_DIGEST_LENGTH);
	memcpy(block + SHA_DIGEST_LENGTH, more, SHA_DIGEST_LENGTH);
	SHA1_Init(&c);
	SHA1_Transform(&c, block);
	write_be32((const SHA_LONG[]){ c.h0, c.h1, c.h2, c.h3, c.h4 }, 5, digest);
}

/* 64 octets and their padding are two blocks, which libcrypto takes faster together. */
static void extend_sha256(uint8_t *digest, const uint8_t *more)
{
	uint8_t block[2 * SHA256_CBLOCK] = { [64] = 0x80, [126] = 64 * 8 >> 8 };
	SHA256_CTX c AY_NO_INIT;

	memcpy(block, digest, SHA256_DIGEST_LENGTH);
	memcpy(block + SHA256_DIGEST_LENGTH, more, SHA256_DIGEST_LENGTH);
	SHA256_Init(&c);
	SHA256_Update(&c, block, sizeof(block));
	write_be32(c.h, 8, digest);
}

bool ay_hash_extend(uint16_t alg, uint8_t *digest, const uint8_t *more)
{
	size_t n = ay_alg_digest_size(alg);
	struct ay_hash h AY_NO_INIT;

	if (alg == AY_ALG_SHA1 || alg == AY_ALG_SHA256) {
		(alg == AY_ALG_SHA1 ? extend_sha1 : extend_sha256)(digest, more);
		return true;
	}
	if (!ay_hash_init(&h, alg))
		return false;
	ay_hash_update(&h, (struct ay_bytes){ digest, n });
	ay_hash_update(&h, (struct ay_bytes){ more, n });
	ay_hash_final(&h, digest);
	return true;
}

void ay_sha256(struct ay_bytes b, uint8_t out[32])
{
	SHA256_CTX c AY_NO_INIT; /* SHA256() itself goes through an EVP fetch */

	SHA256_Init(&c);
	SHA256_Update(&c, b.p, b.n);
	SHA256_Final(out, &c);
}
