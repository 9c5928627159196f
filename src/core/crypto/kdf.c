/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/kdf.h"

#include "core/crypto/hash.h"
#include "core/crypto/secret.h"

enum { BLOCK_MAX = 128, KDF_BITS_MAX = 1024 };

static size_t block_size(uint16_t alg)
{
	return alg == AY_ALG_SHA384 || alg == AY_ALG_SHA512 ? 128 : 64;
}

/* The key as one block, xored with pad. */
static bool key_block(uint16_t alg, struct ay_bytes key, uint8_t pad, uint8_t out[BLOCK_MAX])
{
	memset(out, 0, BLOCK_MAX);
	if (key.n > block_size(alg)) {
		if (!ay_hash_of(alg, key, out))
			return false;
	} else if (key.n > 0) {
		memcpy(out, key.p, key.n);
	}
	for (size_t i = 0; i < block_size(alg); i++)
		out[i] ^= pad;
	return true;
}

bool ay_hmac(uint16_t alg, struct ay_bytes key, const struct ay_bytes *parts, size_t n,
	     uint8_t *out)
{
	uint8_t block[BLOCK_MAX], inner[AY_DIGEST_MAX];
	struct ay_hash h;

	if (!ay_hash_init(&h, alg) || !key_block(alg, key, 0x36, block))
		return false;
	ay_hash_update(&h, (struct ay_bytes){ block, block_size(alg) });
	for (size_t i = 0; i < n; i++)
		ay_hash_update(&h, parts[i]);
	ay_hash_final(&h, inner);
	for (size_t i = 0; i < block_size(alg); i++)
		block[i] ^= 0x36 ^ 0x5c;
	if (!ay_hash_init(&h, alg))
		return false;
	ay_hash_update(&h, (struct ay_bytes){ block, block_size(alg) });
	ay_hash_update(&h, (struct ay_bytes){ inner, ay_alg_digest_size(alg) });
	ay_hash_final(&h, out);
	ay_wipe(block, sizeof(block));
	ay_wipe(inner, sizeof(inner));
	ay_wipe(&h, sizeof(h));
	return true;
}

void ay_hmac_sha256(struct ay_bytes key, struct ay_bytes msg, uint8_t out[32])
{
	if (!ay_hmac(AY_ALG_SHA256, key, &msg, 1, out))
		memset(out, 0, 32);
}

bool ay_hkdf_sha256(struct ay_bytes ikm, struct ay_bytes salt, struct ay_bytes info, uint8_t *out,
		    size_t n)
{
	uint8_t prk[32], t[32], counter = 0;
	struct ay_bytes parts[3] = { { t, 0 }, info, { &counter, 1 } };

	if (n > 255 * sizeof(t) || !ay_hmac(AY_ALG_SHA256, salt, &ikm, 1, prk))
		return false;
	for (size_t at = 0, take; at < n; at += take) {
		counter++;
		if (!ay_hmac(AY_ALG_SHA256, AY_BYTES(prk), parts, AY_COUNT(parts), t))
			return false;
		take = n - at < sizeof(t) ? n - at : sizeof(t);
		memcpy(out + at, t, take);
		parts[0].n = sizeof(t);
	}
	ay_wipe(prk, sizeof(prk));
	ay_wipe(t, sizeof(t));
	return true;
}

static void be32(uint8_t out[4], uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* One block of either KDF; the counter is parts[0]. */
static bool kdf_block(bool keyed, uint16_t alg, struct ay_bytes key, const struct ay_bytes *parts,
		      size_t n, uint8_t *out)
{
	struct ay_hash h;

	if (keyed)
		return ay_hmac(alg, key, parts, n, out);
	if (!ay_hash_init(&h, alg))
		return false;
	for (size_t i = 0; i < n; i++)
		ay_hash_update(&h, parts[i]);
	ay_hash_final(&h, out);
	ay_wipe(&h, sizeof(h));
	return true;
}

/* Counter mode over the parts; parts[0] is the counter's place. */
static bool kdf(bool keyed, uint16_t alg, struct ay_bytes key, struct ay_bytes *parts, size_t n,
		unsigned bits, uint8_t *out)
{
	size_t bytes = (bits + 7) / 8, md_n = ay_alg_digest_size(alg), take;
	uint8_t counter[4], md[AY_DIGEST_MAX];
	uint32_t i = 0;

	if (bits > KDF_BITS_MAX || md_n == 0)
		return false;
	parts[0] = AY_BYTES(counter);
	for (size_t at = 0; at < bytes; at += take) {
		be32(counter, ++i);
		if (!kdf_block(keyed, alg, key, parts, n, md))
			return false;
		take = bytes - at < md_n ? bytes - at : md_n;
		memcpy(out + at, md, take);
	}
	if (bits % 8 != 0)
		out[0] &= (uint8_t)((1u << (bits % 8)) - 1);
	ay_wipe(md, sizeof(md));
	return true;
}

static struct ay_bytes with_terminator(const char *label)
{
	return (struct ay_bytes){ (const uint8_t *)label, strlen(label) + 1 };
}

bool ay_kdfa(uint16_t alg, struct ay_bytes key, const char *label, struct ay_bytes context_u,
	     struct ay_bytes context_v, unsigned bits, uint8_t *out)
{
	uint8_t length[4];
	struct ay_bytes parts[] = {
		{ NULL, 0 }, with_terminator(label), context_u, context_v, AY_BYTES(length)
	};

	be32(length, bits);
	return kdf(true, alg, key, parts, AY_COUNT(parts), bits, out);
}

bool ay_kdfe(uint16_t alg, struct ay_bytes z, const char *label, struct ay_bytes party_u,
	     struct ay_bytes party_v, unsigned bits, uint8_t *out)
{
	struct ay_bytes parts[] = { { NULL, 0 }, z, with_terminator(label), party_u, party_v };

	return kdf(false, alg, (struct ay_bytes){ NULL, 0 }, parts, AY_COUNT(parts), bits, out);
}
