/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/crypto/hash.h"

/* Examples of FIPS 180-2, appendices A to D, as NIST publishes them; same as sha*sum of coreutils.
 */
#define NIST_56 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define NIST_112                                                                                   \
	"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"                                 \
	"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

static const struct {
	uint16_t alg;
	const char *message;
	const char *digest;
} vectors[] = {
	{ AY_ALG_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ AY_ALG_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ AY_ALG_SHA1, NIST_56, "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	{ AY_ALG_SHA1, NIST_112, "a49b2446a02c645bf419f995b67091253a04a259" },
	{ AY_ALG_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ AY_ALG_SHA256, "abc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ AY_ALG_SHA256, NIST_56,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ AY_ALG_SHA256, NIST_112,
	  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	{ AY_ALG_SHA384, "",
	  "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
	  "274edebfe76f65fbd51ad2f14898b95b" },
	{ AY_ALG_SHA384, "abc",
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7" },
	{ AY_ALG_SHA384, NIST_56,
	  "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05abfe8f450de5f36bc6"
	  "b0455a8520bc4e6f5fe95b1fe3c8452b" },
	{ AY_ALG_SHA384, NIST_112,
	  "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
	  "fcc7c71a557e2db966c3e9fa91746039" },
	{ AY_ALG_SHA512, "",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ AY_ALG_SHA512, "abc",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ AY_ALG_SHA512, NIST_56,
	  "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
	  "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" },
	{ AY_ALG_SHA512, NIST_112,
	  "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
	  "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" },
};

static void nist_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(vectors); i++) {
		struct ay_bytes want = t_hex(vectors[i].digest);
		uint8_t got[AY_DIGEST_MAX];

		print_message("%s of \"%s\"\n", ay_alg_bank_name(vectors[i].alg),
			      vectors[i].message);
		assert_int_equal(want.n, ay_alg_digest_size(vectors[i].alg));
		assert_true(ay_hash_of(vectors[i].alg, ay_bytes_of(vectors[i].message), got));
		assert_memory_equal(got, want.p, want.n);
		if (vectors[i].alg == AY_ALG_SHA256) {
			memset(got, 0, sizeof(got));
			ay_sha256(ay_bytes_of(vectors[i].message), got);
			assert_memory_equal(got, want.p, want.n);
		}
	}
}

/* A million times "a", fed in pieces that cross every block border. */
static void a_million_in_pieces(void **state)
{
	static const struct {
		uint16_t alg;
		const char *digest;
	} rows[] = {
		{ AY_ALG_SHA1, "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
		{ AY_ALG_SHA256,
		  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
		{ AY_ALG_SHA384, "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b"
				 "07b8b3dc38ecc4ebae97ddd87f3d8985" },
		{ AY_ALG_SHA512,
		  "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
		  "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" },
	};
	static uint8_t as[1000];

	(void)state;
	memset(as, 'a', sizeof(as));
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		uint8_t got[AY_DIGEST_MAX];
		struct ay_hash h;
		size_t piece = 0;

		assert_true(ay_hash_init(&h, rows[i].alg));
		for (size_t left = 1000000; left > 0; left -= piece) {
			piece = (piece + 1) % sizeof(as);
			piece = piece < left ? piece : left;
			ay_hash_update(&h, (struct ay_bytes){ as, piece });
		}
		ay_hash_final(&h, got);
		assert_memory_equal(got, t_hex(rows[i].digest).p, ay_alg_digest_size(rows[i].alg));
	}
}

static void only_the_digest_is_written(void **state)
{
	static const uint16_t algs[] = { AY_ALG_SHA1, AY_ALG_SHA256, AY_ALG_SHA384, AY_ALG_SHA512 };
	uint8_t got[AY_DIGEST_MAX + 1];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(algs); i++) {
		memset(got, 0x5a, sizeof(got));
		assert_true(ay_hash_of(algs[i], ay_bytes_of("abc"), got));
		assert_int_equal(got[ay_alg_digest_size(algs[i])], 0x5a);
	}
}

static void others_are_refused(void **state)
{
	static const uint16_t algs[] = {
		0, AY_ALG_NULL, AY_ALG_SM3_256, AY_ALG_RSA, 0x0027, 0xffff
	};
	uint8_t got[AY_DIGEST_MAX] = { 0 };
	struct ay_hash h;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(algs); i++) {
		assert_false(ay_hash_init(&h, algs[i]));
		ay_hash_update(&h, ay_bytes_of("abc")); /* harmless */
		ay_hash_final(&h, got);
		assert_false(ay_hash_of(algs[i], ay_bytes_of("abc"), got));
		assert_int_equal(got[0], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nist_examples),
		cmocka_unit_test(a_million_in_pieces),
		cmocka_unit_test(only_the_digest_is_written),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
