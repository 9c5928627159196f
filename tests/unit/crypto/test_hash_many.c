/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/crypto/hash_many.h"

/* Hashing in lanes against libcrypto one by one, for every length around the block borders. */

enum { MESSAGES = 301, STRIDE = 40 };

static const uint16_t algs[] = { AY_ALG_SHA1, AY_ALG_SHA256, AY_ALG_SHA384, AY_ALG_SHA512 };
static const unsigned widths[] = { 4, 8, 16 };

/* Message i has i octets and begins where no word is aligned. */
static void make_messages(uint8_t *text, struct ay_bytes *m)
{
	uint32_t x = 1;

	for (size_t i = 0; i < 2 * MESSAGES; i++) {
		x = x * 1103515245 + 12345;
		text[i] = (uint8_t)(x >> 16);
	}
	for (size_t i = 0; i < MESSAGES; i++)
		m[i] = (struct ay_bytes){ text + i % 7, i };
}

static void assert_digests(uint16_t alg, const struct ay_bytes *m, const uint8_t *out,
			   size_t stride)
{
	uint8_t want[AY_DIGEST_MAX];

	for (size_t i = 0; i < MESSAGES; i++) {
		assert_true(ay_hash_of(alg, m[i], want));
		assert_memory_equal(out + i * stride, want, ay_alg_digest_size(alg));
	}
}

static void every_width_agrees_with_libcrypto(void **state)
{
	static uint8_t text[2 * MESSAGES], out[MESSAGES * STRIDE];
	static struct ay_bytes m[MESSAGES];
	unsigned n_widths = 0;

	(void)state;
	make_messages(text, m);
	for (size_t w = 0; w < AY_COUNT(widths); w++)
		for (size_t a = 0; a < 2; a++) {
			memset(out, 0, sizeof(out));
			if (!ay_hash_many_in_lanes(widths[w], algs[a], m, MESSAGES, out, STRIDE))
				continue; /* not on this processor */
			assert_digests(algs[a], m, out, STRIDE);
			n_widths++;
		}
	assert_true(n_widths >= 2); /* four lanes are everywhere */
}

static void every_algorithm(void **state)
{
	static uint8_t text[2 * MESSAGES], out[MESSAGES * AY_DIGEST_MAX];
	static struct ay_bytes m[MESSAGES];

	(void)state;
	make_messages(text, m);
	for (size_t a = 0; a < AY_COUNT(algs); a++) {
		assert_true(ay_hash_many(algs[a], m, MESSAGES, out, AY_DIGEST_MAX));
		assert_digests(algs[a], m, out, AY_DIGEST_MAX);
	}
	assert_false(ay_hash_many(0x0012, m, MESSAGES, out, AY_DIGEST_MAX)); /* SM3 */
	assert_false(ay_hash_many(0, m, 1, out, AY_DIGEST_MAX));
}

/* Nothing is written behind a digest, and what is few comes out the same. */
static void writes_only_digests(void **state)
{
	static uint8_t text[2 * MESSAGES];
	static struct ay_bytes m[MESSAGES];
	uint8_t out[6 * STRIDE];

	(void)state;
	make_messages(text, m);
	for (size_t n = 0; n <= 6; n++) {
		memset(out, 0xa5, sizeof(out));
		assert_true(ay_hash_many(AY_ALG_SHA256, m + 60, n, out, STRIDE));
		for (size_t i = 0; i < sizeof(out); i++)
			if (i / STRIDE >= n || i % STRIDE >= 32)
				assert_int_equal(out[i], 0xa5);
	}
}

/* Extending a PCR is the hash of both digests together. */
static void extend_is_hash_of_both(void **state)
{
	(void)state;
	for (size_t a = 0; a < AY_COUNT(algs); a++) {
		size_t n = ay_alg_digest_size(algs[a]);
		uint8_t both[2 * AY_DIGEST_MAX], want[AY_DIGEST_MAX], pcr[AY_DIGEST_MAX];

		for (size_t i = 0; i < 2 * n; i++)
			both[i] = (uint8_t)(i * 37 + a);
		memcpy(pcr, both, n);
		assert_true(ay_hash_of(algs[a], (struct ay_bytes){ both, 2 * n }, want));
		assert_true(ay_hash_extend(algs[a], pcr, both + n));
		assert_memory_equal(pcr, want, n);
	}
	assert_false(ay_hash_extend(0x0012, NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_width_agrees_with_libcrypto),
		cmocka_unit_test(every_algorithm),
		cmocka_unit_test(writes_only_digests),
		cmocka_unit_test(extend_is_hash_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
