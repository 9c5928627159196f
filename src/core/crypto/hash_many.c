/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/hash_many.h"

#include "core/crypto/hash_lanes.h"

#include <endian.h>

#define BLOCK 64
#define FEW 3 /* so many messages are faster one by one than in lanes */

/* An algorithm in lanes. */
struct kernel {
	uint16_t alg;
	unsigned lanes;
	unsigned words; /* of state and digest */
	ay_compress_fn *compress;
};

/* What a lane still has to do of its message. */
struct lane {
	size_t job; /* index of the message; SIZE_MAX: idle */
	const uint8_t *next;
	size_t n_full;		    /* whole blocks before the tail */
	unsigned tail_at, tail_end; /* octets of tail */
	uint8_t tail[2 * BLOCK];
};

struct lanes {
	const struct kernel *k;
	struct ay_lanes_state state;
	struct lane lane[AY_LANES_MAX];
};

static const uint32_t sha1_iv[8] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
static const uint32_t sha256_iv[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
static const uint8_t idle_block[BLOCK];

/* Widest first. */
static const struct kernel kernels[] = {
#if defined(__x86_64__)
	{ AY_ALG_SHA1, 16, 5, ay_sha1_lanes16 }, { AY_ALG_SHA256, 16, 8, ay_sha256_lanes16 },
	{ AY_ALG_SHA1, 8, 5, ay_sha1_lanes8 },	 { AY_ALG_SHA256, 8, 8, ay_sha256_lanes8 },
#endif
	{ AY_ALG_SHA1, 4, 5, ay_sha1_lanes4 },	 { AY_ALG_SHA256, 4, 8, ay_sha256_lanes4 },
};

static bool is_supported(unsigned lanes)
{
#if defined(__x86_64__)
	if (lanes == 16)
		return __builtin_cpu_supports("avx512f");
	if (lanes == 8)
		return __builtin_cpu_supports("avx2");
#endif
	return lanes == 4;
}

/* lanes 0: the widest. NULL: none for that algorithm. */
static const struct kernel *find_kernel(uint16_t alg, unsigned lanes)
{
	for (size_t i = 0; i < AY_COUNT(kernels); i++)
		if (kernels[i].alg == alg && (lanes == 0 || kernels[i].lanes == lanes) &&
		    is_supported(kernels[i].lanes))
			return &kernels[i];
	return NULL;
}

/* What follows the whole blocks: rest, 0x80, zeroes, length in bits [FIPS 180-4, 5.1.1]. */
static void set_tail(struct lane *l, struct ay_bytes m)
{
	size_t rest = m.n % BLOCK;
	uint64_t bits = htobe64((uint64_t)m.n * 8);

	l->tail_at = 0;
	l->tail_end = rest + 1 + sizeof(bits) > BLOCK ? 2 * BLOCK : BLOCK;
	memset(l->tail, 0, l->tail_end);
	if (rest > 0)
		memcpy(l->tail, m.p + m.n - rest, rest);
	l->tail[rest] = 0x80;
	memcpy(l->tail + l->tail_end - sizeof(bits), &bits, sizeof(bits));
}

static void lane_load(struct lanes *s, size_t i, const struct ay_bytes *message, size_t job)
{
	const uint32_t *iv = s->k->alg == AY_ALG_SHA1 ? sha1_iv : sha256_iv;
	struct lane *l = &s->lane[i];

	l->job = job;
	l->next = message[job].p;
	l->n_full = message[job].n / BLOCK;
	set_tail(l, message[job]);
	for (unsigned w = 0; w < s->k->words; w++)
		s->state.word[w][i] = iv[w];
}

static const uint8_t *lane_block(struct lane *l)
{
	const uint8_t *b;

	if (l->job == SIZE_MAX)
		return idle_block;
	if (l->n_full > 0) {
		b = l->next;
		l->next += BLOCK;
		l->n_full--;
		return b;
	}
	b = l->tail + l->tail_at;
	l->tail_at += BLOCK;
	return b;
}

static bool lane_is_done(const struct lane *l)
{
	return l->job != SIZE_MAX && l->n_full == 0 && l->tail_at == l->tail_end;
}

static void lane_write(const struct lanes *s, size_t i, uint8_t *out)
{
	for (unsigned w = 0; w < s->k->words; w++) {
		uint32_t v = htobe32(s->state.word[w][i]);

		memcpy(out + 4 * (size_t)w, &v, sizeof(v));
	}
}

/* One block in every lane. */
static void step(struct lanes *s)
{
	const uint8_t *block[AY_LANES_MAX] AY_NO_INIT;

	for (size_t i = 0; i < s->k->lanes; i++)
		block[i] = lane_block(&s->lane[i]);
	s->k->compress(&s->state, block);
}

static void hash_in_lanes(const struct kernel *k, const struct ay_bytes *message, size_t n,
			  uint8_t *out, size_t stride)
{
	struct lanes s AY_NO_INIT;
	size_t next = 0, done = 0;

	s.k = k;
	for (size_t i = 0; i < k->lanes; i++) {
		s.lane[i].job = SIZE_MAX;
		if (next < n)
			lane_load(&s, i, message, next++);
	}
	while (done < n) {
		step(&s);
		for (size_t i = 0; i < k->lanes; i++) {
			if (!lane_is_done(&s.lane[i]))
				continue;
			lane_write(&s, i, out + s.lane[i].job * stride);
			s.lane[i].job = SIZE_MAX;
			done++;
			if (next < n)
				lane_load(&s, i, message, next++);
		}
	}
}

bool ay_hash_many(uint16_t alg, const struct ay_bytes *message, size_t n, uint8_t *out,
		  size_t stride)
{
	const struct kernel *k = n > FEW ? find_kernel(alg, 0) : NULL;
	struct ay_hash h AY_NO_INIT;

	if (!ay_hash_init(&h, alg))
		return false;
	if (k != NULL) {
		hash_in_lanes(k, message, n, out, stride);
		return true;
	}
	for (size_t i = 0; i < n; i++)
		if (!ay_hash_of(alg, message[i], out + i * stride))
			return false;
	return true;
}

bool ay_hash_many_in_lanes(unsigned lanes, uint16_t alg, const struct ay_bytes *message, size_t n,
			   uint8_t *out, size_t stride)
{
	const struct kernel *k = find_kernel(alg, lanes);

	if (k == NULL)
		return false;
	hash_in_lanes(k, message, n, out, stride);
	return true;
}
