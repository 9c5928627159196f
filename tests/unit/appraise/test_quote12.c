/* SPDX-License-Identifier: Apache-2.0 */
/* TPM 1.2 quotes: the corpus' three, and facts/tamper-matrix.md section 2 row by row. */
#include "support/t.h"

#include "core/appraise/check_quote12.h"
#include "core/crypto/hash.h"
#include "core/crypto/sign.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

static EVP_PKEY *soft;
static struct ay_pubkey *soft_ak;
static const uint8_t nonce[16] = { 1, 2, 3, 4 };

static int setup(void **state)
{
	struct ay_err e;

	(void)state;
	soft = EVP_RSA_gen(2048);
	return ay_pubkey_new_pkey(soft, &soft_ak, &e) == AY_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ay_pubkey_free(soft_ak);
	EVP_PKEY_free(soft);
	return 0;
}

struct scene {
	struct ay_quote12_ask ask;
	struct ay_quote12_evidence ev;
	struct ay_file12 file;
	struct ay_quote_facts facts;
	struct ay_arena arena;
	struct ay_report rep;
	uint8_t composite[256], info[256];
	struct ay_signature_buf sig;
	size_t composite_n, info_n;
};

static bool failed(const struct scene *s, enum ay_check code)
{
	for (size_t i = 0; i < s->rep.n_findings; i++)
		if (s->rep.finding[i].code == code && s->rep.finding[i].result == AY_FAIL)
			return true;
	return false;
}

static bool any_failed(const struct scene *s)
{
	for (size_t i = 0; i < s->rep.n_findings; i++)
		if (s->rep.finding[i].result == AY_FAIL)
			return true;
	return false;
}

static void appraise(struct scene *s)
{
	struct ay_err e;

	ay_arena_fini(&s->arena);
	ay_arena_init(&s->arena, 1 << 20);
	ay_report_init(&s->rep, &s->arena);
	assert_int_equal(ay_appraise_quote12(&s->ask, &s->ev, &s->facts, &s->rep, &e), AY_OK);
}

static void assert_refused(struct scene *s, enum ay_check code)
{
	appraise(s);
	if (!failed(s, code))
		fail_msg("%s was not raised", ay_check_row(code)->code);
	assert_false(s->facts.pcrs_attested);
	ay_arena_fini(&s->arena);
}

static void assert_good(struct scene *s)
{
	appraise(s);
	assert_false(any_failed(s));
	assert_true(s->facts.verified && s->facts.fresh && s->facts.pcrs_attested);
	ay_arena_fini(&s->arena);
}

static struct ay_pubkey *corpus_key(const char *set)
{
	char name[128];
	struct ay_bytes pem;
	struct ay_pubkey *out;
	struct ay_err e;
	EVP_PKEY *k;
	BIO *bio;

	snprintf(name, sizeof(name), "quotes/%s/rsapubkey.key", set);
	pem = t_corpus_file("appraise/quote12", name);
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	k = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	assert_int_equal(ay_pubkey_new_pkey(k, &out, &e), AY_OK);
	EVP_PKEY_free(k);
	BIO_free(bio);
	return out;
}

static struct ay_bytes corpus_file(const char *set, const char *file)
{
	char name[128];

	snprintf(name, sizeof(name), "quotes/%s/%s", set, file);
	return t_corpus_file("appraise/quote12", name);
}

static void corpus_scene(struct scene *s, const char *set)
{
	struct ay_err e;

	memset(s, 0, sizeof(*s));
	assert_int_equal(ay_file12_parse(corpus_file(set, "quote.data"), &s->file, &e), AY_OK);
	s->ask.ak = corpus_key(set);
	s->ask.nonce = corpus_file(set, "nonce.data");
	s->ev.composite = &s->file.composite;
	s->ev.signature = s->file.signature;
}

static void drop_key(struct scene *s)
{
	ay_pubkey_free((struct ay_pubkey *)(uintptr_t)s->ask.ak);
}

static void test_corpus(void **state)
{
	static const char *const good[] = { "tpm12-415671737", "tpm12-52107955" };
	struct scene s;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(good); i++) {
		corpus_scene(&s, good[i]);
		assert_good(&s);
		assert_int_equal(s.facts.selection.bank[0].mask, 0x0e0001);
		assert_memory_equal(ay_pcrs_value(&s.facts.pcrs, AY_ALG_SHA1, 17).p,
				    t_hex("bfc3ffd7940e9281a3ebfdfa4e0412869a3f55d8").p, 20);
		assert_memory_equal(ay_pcrs_value(&s.facts.pcrs, AY_ALG_SHA1, 0).p,
				    t_hex("891eb0b556b83fcef1c10f3fa6464345e34f8f91").p, 20);
		drop_key(&s);
	}
	corpus_scene(&s, "tpm12-788801209");
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	drop_key(&s);
}

static void test_corpus_other_nonce(void **state)
{
	struct scene s;

	(void)state;
	corpus_scene(&s, "tpm12-52107955");
	s.ask.nonce = corpus_file("tpm12-415671737", "nonce.data");
	assert_refused(&s, AY_CHECK_QUOTE_NONCE);
	drop_key(&s);
}

static void test_corpus_every_octet(void **state)
{
	struct ay_bytes in = corpus_file("tpm12-52107955", "quote.data");
	uint8_t *p = (uint8_t *)(uintptr_t)in.p;
	struct scene s;
	struct ay_err e;

	(void)state;
	corpus_scene(&s, "tpm12-52107955");
	for (size_t i = 0; i < in.n; i++) {
		p[i] ^= 0x41;
		if (ay_file12_parse(in, &s.file, &e) == AY_OK) {
			s.ev.composite = &s.file.composite;
			s.ev.signature = s.file.signature;
			assert_refused(&s, i < 89 ? AY_CHECK_QUOTE_PCR_DIGEST
						  : AY_CHECK_QUOTE_SIGNATURE);
		} else {
			assert_true(i < 9); /* mask sizes and valueSize */
		}
		p[i] ^= 0x41;
	}
	for (size_t n = 0; n < in.n; n++) {
		if (ay_file12_parse((struct ay_bytes){ in.p, n }, &s.file, &e) != AY_OK)
			continue;
		s.ev.composite = &s.file.composite;
		s.ev.signature = s.file.signature;
		assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	}
	drop_key(&s);
}

/* ---- quotes made here ---- */

static void sign_info(struct scene *s)
{
	struct ay_err e;

	s->ev.message = (struct ay_bytes){ s->info, s->info_n };
	assert_int_equal(ay_sign(soft, AY_ALG_RSASSA, AY_ALG_SHA1, s->ev.message, &s->sig, &e),
			 AY_OK);
	s->ev.signature = s->sig.sig.rsa;
}

static void make_composite(struct scene *s)
{
	struct ay_writer w;
	struct ay_bytes all;
	struct ay_err e;
	uint8_t value[20];

	ay_wr_init(&w, s->composite, sizeof(s->composite));
	ay_wr_be16(&w, 3);
	ay_wr_bytes(&w, t_hex("01000e")); /* 0, 17, 18, 19 */
	ay_wr_be32(&w, 80);
	for (uint8_t i = 0; i < 4; i++) {
		memset(value, 0x10 + i, sizeof(value));
		ay_wr_bytes(&w, AY_BYTES(value));
	}
	assert_int_equal(ay_wr_end(&w, "composite", &all, &e), AY_OK);
	s->composite_n = all.n;
	assert_int_equal(ay_composite12_parse(all, &s->file.composite, &e), AY_OK);
	s->ev.composite = &s->file.composite;
}

static void scene_init(struct scene *s)
{
	uint8_t digest[20], external[20];

	memset(s, 0, sizeof(*s));
	make_composite(s);
	ay_composite12_digest(&s->file.composite, digest);
	assert_true(ay_hash_of(AY_ALG_SHA1, AY_BYTES(nonce), external));
	ay_quote12_info(digest, external, s->info);
	s->info_n = AY_TPM12_QUOTE_INFO_BYTES;
	s->ask = (struct ay_quote12_ask){ .nonce = AY_BYTES(nonce),
					  .mask = 0x0e0001,
					  .ak = soft_ak };
	sign_info(s);
}

/* TPM_QUOTE_INFO2 with the same content. */
static void make_info2(struct scene *s, bool version_info)
{
	uint8_t digest[20], external[20];
	struct ay_writer w;
	struct ay_bytes all;
	struct ay_err e;

	ay_composite12_digest(&s->file.composite, digest);
	assert_true(ay_hash_of(AY_ALG_SHA1, AY_BYTES(nonce), external));
	ay_wr_init(&w, s->info, sizeof(s->info));
	ay_wr_be16(&w, 0x36);
	ay_wr_str(&w, "QUT2");
	ay_wr_bytes(&w, AY_BYTES(external));
	ay_wr_be16(&w, 3);
	ay_wr_bytes(&w, t_hex("01000e"));
	ay_wr_u8(&w, 1);
	ay_wr_bytes(&w, AY_BYTES(digest));
	if (version_info)
		ay_wr_bytes(&w, t_hex("0030 01021234 0002 03 49424d00 0002 aabb"));
	assert_int_equal(ay_wr_end(&w, "info2", &all, &e), AY_OK);
	s->info_n = all.n;
	sign_info(s);
}

static void test_good(void **state)
{
	uint8_t external[20];
	struct scene s;

	(void)state;
	scene_init(&s);
	assert_good(&s);
	s.ev.message.n = 0; /* built from composite and nonce */
	assert_good(&s);
	make_info2(&s, false);
	assert_good(&s);
	make_info2(&s, true);
	assert_good(&s);
	scene_init(&s); /* externalData itself given as the nonce */
	assert_true(ay_hash_of(AY_ALG_SHA1, AY_BYTES(nonce), external));
	s.ask.nonce = AY_BYTES(external);
	assert_good(&s);
}

static void test_rows(void **state)
{
	static const uint8_t other[16] = { 9 };
	struct scene s;

	(void)state;
	scene_init(&s);
	s.info[2] = 1; /* version */
	sign_info(&s);
	assert_refused(&s, AY_CHECK_QUOTE_MAGIC);
	scene_init(&s);
	s.info[7] = 'X'; /* QUOX */
	sign_info(&s);
	assert_refused(&s, AY_CHECK_QUOTE_MAGIC);
	make_info2(&s, false);
	s.info[5] = '3'; /* QUT3 */
	sign_info(&s);
	assert_refused(&s, AY_CHECK_QUOTE_MAGIC);
	make_info2(&s, false);
	s.info[1] = 0x37; /* tag */
	sign_info(&s);
	assert_refused(&s, AY_CHECK_QUOTE_MAGIC);
	scene_init(&s);
	s.ask.nonce = AY_BYTES(other);
	assert_refused(&s, AY_CHECK_QUOTE_NONCE);
	s.ev.message.n = 0;
	assert_refused(&s, AY_CHECK_QUOTE_NONCE);
	scene_init(&s);
	s.ask.mask = 0x0e00ff;
	assert_refused(&s, AY_CHECK_QUOTE_SELECTION);
	scene_init(&s);
	s.ask.mask = 0x0f0001; /* what leaves out 17-19 or anything asked */
	assert_refused(&s, AY_CHECK_QUOTE_SELECTION);
}

static void swap_values(struct scene *s)
{
	uint8_t v[20];

	memcpy(v, s->composite + 9, 20);
	memcpy(s->composite + 9, s->composite + 29, 20);
	memcpy(s->composite + 29, v, 20);
}

static void test_values(void **state)
{
	struct scene s;

	(void)state;
	for (int built = 0; built < 2; built++) {
		scene_init(&s);
		s.ev.message.n = built ? 0 : s.info_n;
		s.composite[60] ^= 1; /* one PCR value */
		assert_refused(&s, AY_CHECK_QUOTE_PCR_DIGEST);
		s.composite[60] ^= 1;
		swap_values(&s);
		assert_refused(&s, AY_CHECK_QUOTE_PCR_DIGEST);
		swap_values(&s);
		s.composite[2] = 2; /* the value of PCR 0 said to be of PCR 1 */
		s.file.composite.mask = 0x0e0002;
		s.ask.mask = 0x0e0002;
		assert_refused(&s, AY_CHECK_QUOTE_PCR_DIGEST);
	}
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"0000 00000000",	  "0001 01 00000014",
		"0004 01000000 00000014", "ffff 01",
		"0003 000000 00000000",	  "0003 010000 00000013",
		"0003 030000 00000014",	  "0003 010000 ffffffff",
		"0003 010000 00000000",
	};
	struct ay_file12 f;
	struct ay_err e;
	struct scene s;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(bad); i++)
		assert_int_not_equal(ay_file12_parse(t_hex(bad[i]), &f, &e), AY_OK);
	scene_init(&s);
	s.info_n--;
	sign_info(&s);
	assert_refused(&s, AY_CHECK_QUOTE_MALFORMED);
	s.info_n += 2;
	sign_info(&s);
	assert_refused(&s, AY_CHECK_QUOTE_MALFORMED);
	make_info2(&s, true);
	for (size_t n = s.info_n - 1; n > 52; n--) {
		s.info_n = n;
		sign_info(&s);
		assert_refused(&s, AY_CHECK_QUOTE_MALFORMED);
	}
}

static void test_every_bit(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	for (size_t i = 0; i < s.info_n * 8; i++) {
		s.info[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
		s.info[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_good(&s);
}

static void test_drtm(void **state)
{
	struct ay_pcrs pcrs = { 0 };
	uint8_t v[20];
	struct scene s = { 0 };
	struct ay_err e;

	(void)state;
	ay_arena_init(&s.arena, 1 << 20);
	ay_report_init(&s.rep, &s.arena);
	assert_int_equal(ay_check_drtm_launched(&pcrs, &s.rep), AY_NOT_CHECKED);
	for (int i = 0; i < 3; i++) {
		memset(v, i == 0 ? 0x00 : i == 1 ? 0xff : 0x17, sizeof(v));
		assert_int_equal(ay_pcrs_set(&pcrs, AY_ALG_SHA1, 17, AY_BYTES(v), &e), AY_OK);
		assert_int_equal(ay_check_drtm_launched(&pcrs, &s.rep), i < 2 ? AY_FAIL : AY_PASS);
	}
	assert_true(failed(&s, AY_CHECK_DRTM_NOT_LAUNCHED));
	ay_arena_fini(&s.arena);
}

/* TPM_PUBKEY of a known modulus. */
static void test_pubkey12(void **state)
{
	struct ay_bytes n = ay_pubkey_numbers(soft_ak);
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes all;
	struct ay_pubkey *k;
	struct ay_err e;

	(void)state;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_bytes(&w, t_hex("00000001 0001 0002 0000000c 00000800 00000002 00000000"));
	ay_wr_vec32(&w, n);
	assert_int_equal(ay_wr_end(&w, "pubkey", &all, &e), AY_OK);
	assert_int_equal(ay_pubkey12_parse(all, &k, &e), AY_OK);
	assert_true(ay_pubkey_eq(k, soft_ak));
	ay_pubkey_free(k);
	for (size_t i = 0; i < all.n; i++)
		assert_int_not_equal(ay_pubkey12_parse((struct ay_bytes){ buf, i }, &k, &e), AY_OK);
	buf[3] = 2;
	assert_int_equal(ay_pubkey12_parse(all, &k, &e), AY_E_INPUT);
}

/* ---- as an agent answers ---- */

static bool notes_sha1(const struct ay_report *rep)
{
	for (size_t i = 0; i < rep->n_findings; i++)
		if (rep->finding[i].code == AY_CHECK_INFO_TPM12)
			return strstr(rep->finding[i].text, "SHA-1") != NULL;
	return false;
}

/* externalData is what was issued and nothing made from it; what was asked is always known. */
static void test_live(void **state)
{
	static const struct ay_pcr_selection strong = {
		.n_banks = 1, .bank = { { .alg = AY_ALG_SHA256, .mask = 1 } }
	};
	static const struct ay_pcr_selection two = {
		.n_banks = 2,
		.bank = { { .alg = AY_ALG_SHA1, .mask = 1 }, { .alg = AY_ALG_SHA256, .mask = 1 } }
	};
	uint8_t external[20], other[20] = { 9 };
	struct ay_pcrs hints = { 0 };
	const struct ay_finding *f;
	struct scene s;

	(void)state;
	assert_true(ay_hash_of(AY_ALG_SHA1, AY_BYTES(nonce), external));
	scene_init(&s);
	sign_info(&s);
	ay_composite12_pcrs(&s.file.composite, &hints);
	s.ev.composite = NULL;
	s.ev.hints = &hints;
	s.ask.exact = true;
	s.ask.mask = s.file.composite.mask;
	s.ask.nonce = AY_BYTES(external);
	appraise(&s);
	assert_false(any_failed(&s));
	assert_true(s.facts.verified && s.facts.fresh && s.facts.pcrs_attested);
	assert_false(s.facts.now.known);
	assert_true(s.rep.n_findings > 0 && notes_sha1(&s.rep));
	f = ay_report_find(&s.rep, AY_CHECK_COUNTER_BACK);
	assert_non_null(f);
	assert_int_equal(f->result, AY_NOT_CHECKED);
	ay_arena_fini(&s.arena);

	s.ask.nonce = AY_BYTES(nonce); /* its SHA-1 is signed: good enough offline only */
	assert_refused(&s, AY_CHECK_QUOTE_NONCE);
	s.ask.nonce = AY_BYTES(other);
	assert_refused(&s, AY_CHECK_QUOTE_NONCE);
	s.ask.nonce = AY_BYTES(external);

	/* a host that says it has other banks is asked for those, and cannot answer */
	assert_int_equal(ay_quote12_mask(&strong), 0);
	assert_int_equal(ay_quote12_mask(&two), 0);
	s.ask.mask = ay_quote12_mask(&strong);
	assert_refused(&s, AY_CHECK_QUOTE_SELECTION);
	s.ask.mask = s.file.composite.mask | 2;
	assert_refused(&s, AY_CHECK_QUOTE_SELECTION);
	s.ask.mask = s.file.composite.mask;

	memcpy(hints.bank[0].value[17], other, sizeof(other));
	assert_refused(&s, AY_CHECK_QUOTE_PCR_DIGEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_corpus_other_nonce),
		cmocka_unit_test(test_corpus_every_octet),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_drtm),
		cmocka_unit_test(test_pubkey12),
		cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
