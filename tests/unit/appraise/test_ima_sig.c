/* SPDX-License-Identifier: Apache-2.0 */
/* File signatures: made by evmctl and by openssl, and those of the corpus. */
#include "support/t.h"

#include "core/appraise/ima_verify.h"
#include "core/base/base64.h"
#include "core/base/limits.h"
#include "core/crypto/hash.h"
#include "core/evlog/ima_sig.h"

#include <stdio.h>
#include <string.h>

static struct ay_arena arena;
static struct ay_ima_keys keys;
static const struct ay_ima_key *list[8];
static struct ay_ima_verifier v;

static char *text_of(const char *name)
{
	struct ay_bytes b = t_vector(name);

	return ay_arena_str(&arena, b);
}

/* One key list from names of files: "a.pem", "-b.pem" (revoked). */
static void use_keys(const char *const names[])
{
	json_t *j = json_array();
	struct ay_err e = { 0 };

	ay_ima_keys_fini(&keys);
	for (size_t i = 0; names[i] != NULL; i++) {
		bool revoked = names[i][0] == '-';
		char path[128];

		snprintf(path, sizeof(path), "ima_sig/%s", names[i] + revoked);
		json_array_append_new(j, json_pack("{ss ss sb}", "name", names[i] + revoked, "pem",
						   text_of(path), "revoked", revoked));
	}
	if (ay_ima_keys_parse(j, "keys", &arena, &keys, &e) != AY_OK)
		fail_msg("keys: %s %s", e.where, e.text);
	json_decref(j);
	for (size_t i = 0; i < keys.n; i++)
		list[i] = &keys.key[i];
	v = (struct ay_ima_verifier){ .n = keys.n, .key = list };
}

static int setup(void **state)
{
	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ay_ima_keys_fini(&keys);
	ay_arena_fini(&arena);
	return 0;
}

static void make_entry(struct ay_ima_entry *ent, uint16_t alg, const char *sig,
		       uint8_t digest[AY_DIGEST_MAX])
{
	char path[128];

	snprintf(path, sizeof(path), "ima_sig/%s", sig);
	assert_true(ay_hash_of(alg, t_vector("ima_sig/signed-file"), digest));
	*ent = (struct ay_ima_entry){ .digest_alg = alg,
				      .digest = { digest, ay_alg_digest_size(alg) },
				      .sig = t_vector(path) };
}

#define ALL_KEYS ((const char *const[]){ "rsa2048.pem", "p256.pem", "p384.pem", NULL })

static const struct {
	const char *sig;
	uint16_t alg;
	enum ay_ima_digest_kind kind;
	enum ay_ima_signed want;
} cases[] = {
	{ "rsa2048-sha256.sig", AY_ALG_SHA256, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_WELL },
	{ "rsa2048-sha512.sig", AY_ALG_SHA512, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_WELL },
	{ "rsa2048-sha1.sig", AY_ALG_SHA1, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_WELL },
	{ "p256-sha256.sig", AY_ALG_SHA256, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_WELL },
	{ "p384-sha384.sig", AY_ALG_SHA384, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_WELL },
	{ "p256-verity.sig", AY_ALG_SHA256, AY_IMA_DIGEST_VERITY, AY_IMA_SIGNED_WELL },
	{ "p256-v3.sig", AY_ALG_SHA256, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_WELL },
	/* the digest that was measured is not the one that was signed */
	{ "rsa2048-sha256.sig", AY_ALG_SHA1, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_BADLY },
	{ "rsa2048-sha1.sig", AY_ALG_SHA256, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_BADLY },
	/* a digest of contents is none of fs-verity, nor the reverse */
	{ "p256-sha256.sig", AY_ALG_SHA256, AY_IMA_DIGEST_VERITY, AY_IMA_SIGNED_BADLY },
	{ "p256-v3.sig", AY_ALG_SHA256, AY_IMA_DIGEST_VERITY, AY_IMA_SIGNED_BADLY },
	{ "p256-verity.sig", AY_ALG_SHA256, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_BADLY },
	{ "p256-sha256.sig", AY_ALG_SHA256, AY_IMA_DIGEST_OTHER, AY_IMA_SIGNED_BADLY },
	{ "rsa2048-ski.sig", AY_ALG_SHA256, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_UNKNOWN },
	{ "rsa2048-v1.sig", AY_ALG_SHA1, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_ODDLY },
	{ "p256-portable.sig", AY_ALG_SHA256, AY_IMA_DIGEST_FILE, AY_IMA_SIGNED_ODDLY },
};

static void test_signatures_of_evmctl(void **state)
{
	uint8_t digest[AY_DIGEST_MAX];
	struct ay_ima_entry ent;

	(void)state;
	use_keys(ALL_KEYS);
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		bool fault = false;
		size_t key;

		print_message("%s\n", cases[i].sig);
		make_entry(&ent, cases[i].alg, cases[i].sig, digest);
		ent.digest_kind = cases[i].kind;
		assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), cases[i].want);
		assert_false(fault);
	}
}

/* The key id of a certificate is that of its SKI, and of its key as well. */
static void test_key_id_of_certificate(void **state)
{
	struct ay_bytes der = t_vector("ima_sig/rsa2048-ski.der");
	static const char *const sigs[] = { "rsa2048-ski.sig", "rsa2048-sha256.sig" };
	uint8_t digest[AY_DIGEST_MAX];
	struct ay_ima_entry ent;
	char text[4096];
	bool fault = false;
	json_t *j;
	size_t key;

	(void)state;
	ay_base64_encode(AY_BASE64_STD, der, text);
	j = json_pack("[{ss ss}]", "name", "cert", "der", text);
	ay_ima_keys_fini(&keys);
	assert_int_equal(ay_ima_keys_parse(j, "keys", &arena, &keys, NULL), AY_OK);
	json_decref(j);
	list[0] = &keys.key[0];
	v = (struct ay_ima_verifier){ .n = 1, .key = list };
	for (size_t i = 0; i < AY_COUNT(sigs); i++) {
		make_entry(&ent, AY_ALG_SHA256, sigs[i], digest);
		assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_WELL);
	}
}

static void test_no_signature_and_no_key(void **state)
{
	uint8_t digest[AY_DIGEST_MAX];
	struct ay_ima_entry ent;
	bool fault = false;
	size_t key;

	(void)state;
	use_keys((const char *const[]){ "p256.pem", NULL });
	make_entry(&ent, AY_ALG_SHA256, "rsa2048-sha256.sig", digest);
	assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_UNKNOWN);
	ent.sig.n = 0;
	assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_NOT);
}

static void test_revoked_key(void **state)
{
	uint8_t digest[AY_DIGEST_MAX];
	struct ay_ima_entry ent;
	bool fault = false;
	size_t key;

	(void)state;
	use_keys((const char *const[]){ "-rsa2048.pem", "p256.pem", NULL });
	make_entry(&ent, AY_ALG_SHA256, "rsa2048-sha256.sig", digest);
	assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_REVOKED);
	assert_int_equal(key, 0);
}

static void test_weak_signature(void **state)
{
	uint8_t digest[AY_DIGEST_MAX];
	struct ay_ima_entry ent;
	bool fault = false;
	size_t key;

	(void)state;
	use_keys(ALL_KEYS);
	v.refuse_sha1 = true;
	make_entry(&ent, AY_ALG_SHA1, "rsa2048-sha1.sig", digest);
	assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_ODDLY);
}

/* Each bit of header and value: never well signed, but for bits that name nothing. */
static void test_every_bit_counts(void **state)
{
	static const char *const sigs[] = { "rsa2048-sha256.sig", "p256-sha256.sig",
					    "p256-verity.sig" };
	uint8_t digest[AY_DIGEST_MAX], copy[1024];
	struct ay_ima_entry ent;
	bool fault = false;
	size_t key;

	(void)state;
	use_keys(ALL_KEYS);
	for (size_t i = 0; i < AY_COUNT(sigs); i++) {
		make_entry(&ent, AY_ALG_SHA256, sigs[i], digest);
		ent.digest_kind = i == 2 ? AY_IMA_DIGEST_VERITY : AY_IMA_DIGEST_FILE;
		memcpy(copy, ent.sig.p, ent.sig.n);
		ent.sig.p = copy;
		assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_WELL);
		for (size_t bit = 0; bit < ent.sig.n * 8; bit++) {
			copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (ay_ima_verify(&v, &ent, &key, &fault) == AY_IMA_SIGNED_WELL)
				fail_msg("%s: bit %zu", sigs[i], bit);
			copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		digest[5] ^= 1;
		assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_BADLY);
	}
}

/* A cache changes what it costs and nothing else. */
static void test_cache(void **state)
{
	static uint8_t rows[64][32];
	struct ay_ima_sigcache cache = { 64, rows };
	uint8_t digest[AY_DIGEST_MAX], none[32] = { 0 };
	struct ay_ima_entry ent;
	bool fault = false;
	size_t key, kept = 0;

	(void)state;
	use_keys(ALL_KEYS);
	v.cache = &cache;
	make_entry(&ent, AY_ALG_SHA256, "p256-sha256.sig", digest);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_WELL);
	digest[0] ^= 1;
	assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_BADLY);
	for (size_t i = 0; i < 64; i++)
		kept += memcmp(rows[i], none, 32) != 0;
	assert_int_equal(kept, 1);
	digest[0] ^= 1;
	use_keys((const char *const[]){ "-p256.pem", NULL }); /* revoked since */
	v.cache = &cache;
	assert_int_equal(ay_ima_verify(&v, &ent, &key, &fault), AY_IMA_SIGNED_REVOKED);
}

static const struct {
	const char *name, *json;
} bad_keys[] = {
	{ "no list", "{}" },
	{ "empty", "[]" },
	{ "neither", "[{\"name\":\"a\"}]" },
	{ "no key", "[{\"name\":\"a\",\"pem\":\"nothing\"}]" },
	{ "bad base64", "[{\"name\":\"a\",\"der\":\"!\"}]" },
	{ "not DER", "[{\"name\":\"a\",\"der\":\"AAAA\"}]" },
	{ "unknown member", "[{\"name\":\"a\",\"der\":\"AAAA\",\"x\":1}]" },
	{ "no name", "[{\"der\":\"AAAA\"}]" },
};

static void test_bad_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(bad_keys); i++) {
		struct ay_ima_keys k;
		json_t *j = json_loads(bad_keys[i].json, 0, NULL);

		print_message("%s\n", bad_keys[i].name);
		assert_non_null(j);
		assert_int_equal(ay_ima_keys_parse(j, "keys", &arena, &k, NULL), AY_E_INPUT);
		assert_int_equal(k.n, 0);
		json_decref(j);
	}
}

/* The headers, each prefix of them, and what follows. */
static void test_header(void **state)
{
	static const struct {
		const char *hex;
		enum ay_rc rc;
		enum ay_ima_sig_form form;
	} rows[] = {
		{ "030204 01020304 0001 aa", AY_OK, AY_IMA_SIG_V2 },
		{ "030304 01020304 0001 aa", AY_OK, AY_IMA_SIG_V3 },
		{ "060304 01020304 0001 aa", AY_OK, AY_IMA_SIG_V3 },
		{ "050204 01020304 0001 aa", AY_OK, AY_IMA_SIG_PORTABLE },
		{ "0301 00000000", AY_OK, AY_IMA_SIG_V1 },
		{ "060204 01020304 0001 aa", AY_E_INPUT, 0 },
		{ "050304 01020304 0001 aa", AY_E_INPUT, 0 },
		{ "030404 01020304 0001 aa", AY_E_INPUT, 0 },
		{ "040204 01020304 0001 aa", AY_E_INPUT, 0 },
		{ "030204 01020304 0000", AY_E_INPUT, 0 },
		{ "030204 01020304 0002 aa", AY_E_INPUT, 0 },
		{ "030204 01020304 0001 aabb", AY_E_INPUT, 0 },
		{ "030204 010203", AY_E_INPUT, 0 },
		{ "03", AY_E_INPUT, 0 },
		{ "", AY_E_INPUT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_ima_sig s;

		print_message("%s\n", rows[i].hex);
		assert_int_equal(ay_ima_sig_parse(t_hex(rows[i].hex), &s, NULL), rows[i].rc);
		assert_int_equal(s.form, rows[i].form);
	}
}

/*
 * 896 of the 897 signatures that name acs-imakey open to the entry's digest,
 * counted by modular exponentiation in Python; that of entry 1083 does not.
 */
static void test_corpus(void **state)
{
	struct ay_bytes der = t_corpus_file("ima_sig", "ima/acs-imakey.der");
	struct ay_bytes ima = t_corpus_file("ima_sig", "ima/acs-imasig.bin");
	size_t n[AY_IMA_SIGNED_WELL + 1] = { 0 }, key;
	uint64_t bad_entry = 0;
	struct ay_ima_cursor c;
	struct ay_ima_entry ent;
	char text[2048];
	bool fault = false;
	json_t *j;

	(void)state;
	ay_base64_encode(AY_BASE64_STD, der, text);
	j = json_pack("[{ss ss}]", "name", "acs", "der", text);
	ay_ima_keys_fini(&keys);
	assert_int_equal(ay_ima_keys_parse(j, "keys", &arena, &keys, NULL), AY_OK);
	json_decref(j);
	list[0] = &keys.key[0];
	v = (struct ay_ima_verifier){ .n = 1, .key = list };
	ay_ima_begin(&c, ima);
	while (ay_ima_next(&c, &ent)) {
		enum ay_ima_signed r = ay_ima_verify(&v, &ent, &key, &fault);

		n[r]++;
		if (r == AY_IMA_SIGNED_BADLY)
			bad_entry = ent.index;
	}
	assert_int_equal(ay_ima_end(&c, NULL), AY_OK);
	assert_int_equal(n[AY_IMA_SIGNED_WELL], 896);
	assert_int_equal(n[AY_IMA_SIGNED_BADLY], 1);
	assert_int_equal(bad_entry, 1083);
	assert_int_equal(n[AY_IMA_SIGNED_UNKNOWN], 2); /* key ids e0e85409, fec3e51d */
	assert_int_equal(n[AY_IMA_SIGNED_NOT], 184);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_signatures_of_evmctl),
		T(test_key_id_of_certificate),
		T(test_no_signature_and_no_key),
		T(test_revoked_key),
		T(test_weak_signature),
		T(test_every_bit_counts),
		T(test_cache),
		T(test_bad_keys),
		T(test_header),
		T(test_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
