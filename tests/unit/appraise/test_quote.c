/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every single change to a TPM 2.0 quote that must be noticed, by its code:
 * facts/tamper-matrix.md section 1. "Re-signed" rows are signed again with the
 * key that is registered as AK, so that the check behind the signature is met.
 */
#include "support/t.h"

#include "core/appraise/appraise.h"
#include "core/appraise/check_quote.h"
#include "core/crypto/hash.h"
#include "core/crypto/sign.h"
#include "core/tpm/pcrdigest.h"
#include "core/tpm/signature.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

static uint8_t signer[34] = { 0x00, 0x0b, 0x77, 0x01 };
static uint8_t other_signer[34] = { 0x00, 0x0b, 0x77, 0x02 };
static uint8_t nonce[32] = { 0xaa, 0xbb, 0xcc };

struct world {
	EVP_PKEY *rsa, *ec, *other_ec;
	struct ay_pubkey *rsa_ak, *ec_ak;
};

static struct world world;

static struct ay_pubkey *load(EVP_PKEY *k)
{
	struct ay_pubkey *out;
	struct ay_err e;

	assert_int_equal(ay_pubkey_new_pkey(k, &out, &e), AY_OK);
	return out;
}

static int setup(void **state)
{
	(void)state;
	world.rsa = EVP_RSA_gen(2048);
	world.ec = EVP_EC_gen("P-256");
	world.other_ec = EVP_EC_gen("P-256");
	world.rsa_ak = load(world.rsa);
	world.ec_ak = load(world.ec);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ay_pubkey_free(world.rsa_ak);
	ay_pubkey_free(world.ec_ak);
	EVP_PKEY_free(world.rsa);
	EVP_PKEY_free(world.ec);
	EVP_PKEY_free(world.other_ec);
	return 0;
}

/* One attestation that a row may change anywhere. */
struct scene {
	EVP_PKEY *key; /* who signs */
	struct ay_quote q;
	struct ay_pcrs hints;
	struct ay_pcr_selection asked;
	struct ay_counters last;
	struct ay_quote_ask ask;
	uint8_t digest[32], changed[80];
	uint16_t scheme, hash;
	struct ay_bytes attest, signature; /* after build() */
	uint8_t attest_buf[1200], signature_buf[1100];
	struct ay_arena arena;
	struct ay_report rep;
	struct ay_quote_facts facts;
};

static void digest_hints(struct scene *s)
{
	assert_true(ay_pcr_digest(&s->q.selection, AY_ALG_SHA256, &s->hints, s->digest));
	s->q.pcr_digest = AY_BYTES(s->digest);
}

static void scene_init(struct scene *s, bool rsa)
{
	uint8_t value[32] = { 0 };
	struct ay_err e;

	memset(s, 0, sizeof(*s));
	s->key = rsa ? world.rsa : world.ec;
	s->hash = AY_ALG_SHA256;
	s->asked.n_banks = 2;
	s->asked.bank[0].alg = AY_ALG_SHA1;
	s->asked.bank[0].mask = 0x0000ff;
	s->asked.bank[1].alg = AY_ALG_SHA256;
	s->asked.bank[1].mask = AY_PCR_ASKED;
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		value[0] = (uint8_t)pcr;
		assert_int_equal(ay_pcrs_set(&s->hints, AY_ALG_SHA256, pcr, AY_BYTES(value), &e),
				 AY_OK);
		assert_int_equal(ay_pcrs_set(&s->hints, AY_ALG_SHA1, pcr,
					     (struct ay_bytes){ value, 20 }, &e),
				 AY_OK);
	}
	s->q = (struct ay_quote){ .magic = AY_TPM_GENERATED,
				  .type = AY_TPM_ST_ATTEST_QUOTE,
				  .signer = AY_BYTES(signer),
				  .nonce = AY_BYTES(nonce),
				  .clock_ms = 5000,
				  .reset_count = 7,
				  .restart_count = 2,
				  .clock_safe = 1,
				  .firmware = 0x2020,
				  .selection = s->asked };
	digest_hints(s);
	s->last = (struct ay_counters){ .known = true,
					.clock_ms = 4000,
					.firmware = 0x2020,
					.reset_count = 7,
					.restart_count = 2 };
	s->ask = (struct ay_quote_ask){ .extra_data = AY_BYTES(nonce),
					.ak = rsa ? world.rsa_ak : world.ec_ak,
					.qualified_name = AY_BYTES(signer) };
}

static void sign_again(struct scene *s)
{
	struct ay_signature_buf sig;
	struct ay_writer w;
	struct ay_err e;

	assert_int_equal(ay_sign(s->key, s->scheme, s->hash, s->attest, &sig, &e), AY_OK);
	ay_wr_init(&w, s->signature_buf, sizeof(s->signature_buf));
	ay_signature_write(&w, &sig.sig);
	assert_int_equal(ay_wr_end(&w, "signature", &s->signature, &e), AY_OK);
}

static void build(struct scene *s)
{
	struct ay_writer w;
	struct ay_err e;

	ay_wr_init(&w, s->attest_buf, sizeof(s->attest_buf));
	ay_quote_write(&w, &s->q);
	assert_int_equal(ay_wr_end(&w, "attest", &s->attest, &e), AY_OK);
	sign_again(s);
}

static void appraise(struct scene *s)
{
	struct ay_quote_evidence ev = { .attest = s->attest,
					.signature = s->signature,
					.hints = &s->hints };
	struct ay_err e;

	s->ask.selection = &s->asked;
	s->ask.last = s->last;
	ay_arena_fini(&s->arena);
	ay_arena_init(&s->arena, 1 << 20);
	ay_report_init(&s->rep, &s->arena);
	assert_int_equal(ay_appraise_quote(&s->ask, &ev, &s->facts, &s->rep, &e), AY_OK);
	assert_int_equal(ay_report_conclude(&s->rep, AY_COMP_BIT(AY_COMP_IDENTITY), &e), AY_OK);
}

static bool failed(const struct scene *s, enum ay_check code)
{
	for (size_t i = 0; i < s->rep.n_findings; i++)
		if (s->rep.finding[i].code == code && s->rep.finding[i].result == AY_FAIL)
			return true;
	return false;
}

static bool noted(const struct scene *s, enum ay_check code)
{
	for (size_t i = 0; i < s->rep.n_findings; i++)
		if (s->rep.finding[i].code == code && s->rep.finding[i].result == AY_PASS)
			return true;
	return false;
}

static void assert_refused(struct scene *s, enum ay_check code)
{
	appraise(s);
	if (!failed(s, code))
		fail_msg("%s was not raised", ay_check_row(code)->code);
	assert_int_equal(s->rep.verdict, AY_UNTRUSTED);
	ay_arena_fini(&s->arena);
}

static void assert_good(struct scene *s)
{
	appraise(s);
	for (size_t i = 0; i < s->rep.n_findings; i++)
		if (s->rep.finding[i].result == AY_FAIL)
			fail_msg("%s: %s", ay_check_row(s->rep.finding[i].code)->code,
				 s->rep.finding[i].text);
	assert_true(s->facts.verified && s->facts.fresh && s->facts.pcrs_attested);
	assert_int_equal(s->rep.component[AY_COMP_IDENTITY].verdict, AY_TRUSTED);
	ay_arena_fini(&s->arena);
}

static void test_good(void **state)
{
	struct scene s;

	(void)state;
	for (int rsa = 0; rsa < 2; rsa++) {
		scene_init(&s, rsa);
		build(&s);
		assert_good(&s);
		assert_int_equal(s.facts.now.clock_ms, 5000);
		assert_int_equal(s.facts.hash, AY_ALG_SHA256);
		assert_memory_equal(ay_pcrs_value(&s.facts.pcrs, AY_ALG_SHA256, 7).p,
				    ay_pcrs_value(&s.hints, AY_ALG_SHA256, 7).p, 32);
		/* what was hinted and not quoted is not attested */
		assert_int_equal(ay_pcrs_value(&s.facts.pcrs, AY_ALG_SHA256, 23).n, 0);
	}
	scene_init(&s, true);
	s.scheme = AY_ALG_RSAPSS;
	build(&s);
	assert_good(&s);
	scene_init(&s, false);
	s.hash = AY_ALG_SHA384; /* pcrDigest goes with the hash of the scheme */
	s.q.pcr_digest = (struct ay_bytes){ s.changed, 48 };
	assert_true(ay_pcr_digest(&s.q.selection, AY_ALG_SHA384, &s.hints, s.changed));
	build(&s);
	assert_good(&s);
}

/* ---- rows that are signed again ---- */

static void row_magic(struct scene *s)
{
	s->q.magic ^= 1;
}
static void row_magic_zero(struct scene *s)
{
	s->q.magic = 0;
}
static void row_certify(struct scene *s)
{
	s->q.type = 0x8017;
}
static void row_time(struct scene *s)
{
	s->q.type = 0x8019;
}
static void row_creation(struct scene *s)
{
	s->q.type = 0x801a;
}
static void row_nv(struct scene *s)
{
	s->q.type = 0x8014;
}
static void row_signer(struct scene *s)
{
	s->q.signer = AY_BYTES(other_signer);
}
static void row_signer_empty(struct scene *s)
{
	s->q.signer.n = 0;
}
static void row_nonce_other(struct scene *s)
{
	memcpy(s->changed, nonce, 32);
	s->changed[31] ^= 1;
	s->q.nonce = (struct ay_bytes){ s->changed, 32 };
}
static void row_nonce_prefix(struct scene *s)
{
	s->q.nonce.n = 31;
}
static void row_nonce_empty(struct scene *s)
{
	s->q.nonce.n = 0;
}
static void row_nonce_longer(struct scene *s)
{
	memcpy(s->changed, nonce, 32);
	s->q.nonce = (struct ay_bytes){ s->changed, 33 };
}
static void row_clock(struct scene *s)
{
	s->q.clock_ms = 3999;
}
static void row_clock_unsafe(struct scene *s)
{
	s->q.clock_ms = 3999;
	s->q.clock_safe = 0;
}
static void row_clock_over_reset(struct scene *s)
{
	s->q.clock_ms = 3999;
	s->q.reset_count = 8; /* and the clock says it is safe */
}
static void row_reset(struct scene *s)
{
	s->q.reset_count = 6;
}
static void row_restart(struct scene *s)
{
	s->q.restart_count = 1;
}
static void row_firmware(struct scene *s)
{
	s->q.firmware = 0x2019;
}
static void row_empty(struct scene *s)
{
	s->q.selection.n_banks = 0;
	digest_hints(s);
}
static void row_empty_bitmap(struct scene *s)
{
	s->q.selection.bank[0].mask = 0;
	digest_hints(s);
}
static void row_empty_asked(struct scene *s)
{
	row_empty_bitmap(s);
	s->asked = s->q.selection; /* even had it been asked so */
}
static void row_pcr_lost(struct scene *s)
{
	s->q.selection.bank[1].mask &= ~(1u << 7);
	digest_hints(s);
}
static void row_pcr_more(struct scene *s)
{
	s->q.selection.bank[1].mask |= 1u << 23;
	digest_hints(s);
}
static void row_bank_lost(struct scene *s)
{
	s->q.selection.n_banks = 1;
	digest_hints(s);
}
static void row_bank_order(struct scene *s)
{
	s->q.selection.bank[0].alg = AY_ALG_SHA256;
	s->q.selection.bank[0].mask = AY_PCR_ASKED;
	s->q.selection.bank[1].alg = AY_ALG_SHA1;
	s->q.selection.bank[1].mask = 0xff;
	digest_hints(s);
}
static void row_bank_hash(struct scene *s)
{
	s->q.selection.bank[0].alg = AY_ALG_SHA384;
}
static void row_digest(struct scene *s)
{
	s->digest[31] ^= 0x80;
}
static void row_digest_short(struct scene *s)
{
	s->q.pcr_digest.n = 31;
}
static void row_digest_empty(struct scene *s)
{
	s->q.pcr_digest.n = 0;
}
static void row_value(struct scene *s)
{
	s->hints.bank[0].value[7][3] ^= 1;
}
static void row_value_missing(struct scene *s)
{
	s->hints.bank[0].have &= ~2u;
}
static void row_sha1(struct scene *s)
{
	s->hash = AY_ALG_SHA1;
}

static const struct {
	const char *name;
	void (*change)(struct scene *s);
	enum ay_check code;
} resigned[] = {
	{ "magic by one bit", row_magic, AY_CHECK_QUOTE_MAGIC },
	{ "magic zero", row_magic_zero, AY_CHECK_QUOTE_MAGIC },
	{ "TPM2_Certify output", row_certify, AY_CHECK_QUOTE_TYPE },
	{ "TPM2_GetTime output", row_time, AY_CHECK_QUOTE_TYPE },
	{ "TPM2_CertifyCreation output", row_creation, AY_CHECK_QUOTE_TYPE },
	{ "TPM2_NV_Certify output", row_nv, AY_CHECK_QUOTE_TYPE },
	{ "another qualifiedSigner", row_signer, AY_CHECK_QUOTE_SIGNER },
	{ "no qualifiedSigner", row_signer_empty, AY_CHECK_QUOTE_SIGNER },
	{ "another nonce", row_nonce_other, AY_CHECK_QUOTE_NONCE },
	{ "a prefix of the nonce", row_nonce_prefix, AY_CHECK_QUOTE_NONCE },
	{ "a longer nonce", row_nonce_longer, AY_CHECK_QUOTE_NONCE },
	{ "no nonce", row_nonce_empty, AY_CHECK_QUOTE_NONCE },
	{ "clock back", row_clock, AY_CHECK_COUNTER_BACK },
	{ "clock back, unsafe, same boot", row_clock_unsafe, AY_CHECK_COUNTER_BACK },
	{ "clock back over a reset, safe", row_clock_over_reset, AY_CHECK_COUNTER_BACK },
	{ "resetCount back", row_reset, AY_CHECK_COUNTER_BACK },
	{ "restartCount back", row_restart, AY_CHECK_COUNTER_BACK },
	{ "firmware back", row_firmware, AY_CHECK_COUNTER_BACK },
	{ "empty selection", row_empty, AY_CHECK_QUOTE_SELECTION },
	{ "empty bitmap", row_empty_bitmap, AY_CHECK_QUOTE_SELECTION },
	{ "empty bitmap that was asked", row_empty_asked, AY_CHECK_QUOTE_SELECTION },
	{ "a PCR is missing", row_pcr_lost, AY_CHECK_QUOTE_SELECTION },
	{ "a PCR more", row_pcr_more, AY_CHECK_QUOTE_SELECTION },
	{ "a bank is missing", row_bank_lost, AY_CHECK_QUOTE_SELECTION },
	{ "banks in another order", row_bank_order, AY_CHECK_QUOTE_SELECTION },
	{ "another bank", row_bank_hash, AY_CHECK_QUOTE_SELECTION },
	{ "pcrDigest by one bit", row_digest, AY_CHECK_QUOTE_PCR_DIGEST },
	{ "pcrDigest shorter", row_digest_short, AY_CHECK_QUOTE_PCR_DIGEST },
	{ "pcrDigest empty", row_digest_empty, AY_CHECK_QUOTE_PCR_DIGEST },
	{ "one PCR value", row_value, AY_CHECK_QUOTE_PCR_DIGEST },
	{ "one PCR value not given", row_value_missing, AY_CHECK_QUOTE_PCR_DIGEST },
	{ "signed with SHA-1", row_sha1, AY_CHECK_QUOTE_HASH },
};

static void test_resigned(void **state)
{
	struct scene s;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(resigned); i++) {
		for (int rsa = 0; rsa < 2; rsa++) {
			print_message("%s\n", resigned[i].name);
			scene_init(&s, rsa);
			resigned[i].change(&s);
			build(&s);
			assert_refused(&s, resigned[i].code);
			assert_false(s.facts.pcrs_attested &&
				     resigned[i].code != AY_CHECK_COUNTER_BACK);
		}
	}
}

/* Clock and counters come from the TPM's own word only: not from what merely has its signature. */
static void test_no_counters_from_outside_data(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, false);
	row_magic(&s);
	build(&s);
	assert_refused(&s, AY_CHECK_QUOTE_MAGIC);
	assert_false(s.facts.verified || s.facts.now.known);
	scene_init(&s, false);
	row_nonce_other(&s);
	build(&s);
	assert_refused(&s, AY_CHECK_QUOTE_NONCE);
	assert_true(s.facts.verified && s.facts.now.known); /* advance whatever the verdict */
	assert_false(s.facts.fresh);
}

/* What is accepted, and said. */
static void test_notes(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, false);
	s.q.reset_count = 8;
	s.q.clock_ms = 100;
	s.q.clock_safe = 0;
	build(&s);
	assert_good(&s);
	assert_true(s.facts.rebooted);
	appraise(&s);
	assert_true(noted(&s, AY_CHECK_INFO_REBOOTED) && noted(&s, AY_CHECK_CLOCK_UNSAFE));
	ay_arena_fini(&s.arena);
	scene_init(&s, false);
	s.q.restart_count = 3;
	s.q.firmware = 0x2021;
	build(&s);
	appraise(&s);
	assert_true(noted(&s, AY_CHECK_INFO_RESUMED) && noted(&s, AY_CHECK_INFO_FIRMWARE));
	assert_false(noted(&s, AY_CHECK_INFO_REBOOTED) || s.facts.rebooted);
	ay_arena_fini(&s.arena);
	scene_init(&s, false);
	s.q.clock_ms = 4000; /* twice in one millisecond */
	build(&s);
	assert_good(&s);
}

/* ---- structure, signed again ---- */

static void replace(struct scene *s, size_t at, const char *hex)
{
	struct ay_bytes b = t_hex(hex);

	memcpy(s->attest_buf + at, b.p, b.n);
	sign_again(s);
}

static void test_malformed(void **state)
{
	/* the selection starts behind magic, type, signer, nonce, clock info, firmware */
	const size_t at = 4 + 2 + 2 + 34 + 2 + 32 + 17 + 8;
	static const struct {
		const char *name, *hex;
		size_t skip;
	} cases[] = {
		{ "2^32-1 banks", "ffffffff", 0 },    { "six banks", "00000006", 0 },
		{ "the same bank twice", "000b", 4 }, { "sizeofSelect 0", "00", 6 },
		{ "sizeofSelect 4", "04", 6 },	      { "sizeofSelect 255", "ff", 6 },
		{ "unknown hash", "7fff", 4 },	      { "a third octet in safe", "02", (size_t)-9 },
	};
	struct scene s;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		print_message("%s\n", cases[i].name);
		scene_init(&s, false);
		build(&s);
		replace(&s, at + cases[i].skip, cases[i].hex);
		assert_refused(&s, AY_CHECK_QUOTE_MALFORMED);
		assert_false(s.facts.verified);
	}
	scene_init(&s, false);
	build(&s);
	s.attest.n++; /* an octet behind the structure */
	sign_again(&s);
	assert_refused(&s, AY_CHECK_QUOTE_MALFORMED);
}

static void test_every_prefix_resigned(void **state)
{
	struct scene s;
	size_t n;

	(void)state;
	scene_init(&s, false);
	build(&s);
	n = s.attest.n;
	for (s.attest.n = 0; s.attest.n < n; s.attest.n++) {
		sign_again(&s);
		assert_refused(&s, AY_CHECK_QUOTE_MALFORMED);
	}
}

static void test_every_prefix(void **state)
{
	struct scene s;
	size_t n;

	(void)state;
	scene_init(&s, false);
	build(&s);
	n = s.attest.n;
	for (s.attest.n = 0; s.attest.n < n; s.attest.n++) {
		assert_refused(&s, AY_CHECK_QUOTE_MALFORMED);
		assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	}
	n = s.signature.n;
	s.attest.n = sizeof(s.attest_buf) > 0 ? s.attest.n : 0;
	for (s.signature.n = 4; s.signature.n < n; s.signature.n++)
		assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
}

/* ---- bits, with the original signature ---- */

static void test_every_bit(void **state)
{
	struct scene s;

	(void)state;
	for (int rsa = 0; rsa < 2; rsa++) {
		scene_init(&s, rsa);
		build(&s);
		for (size_t i = 0; i < s.attest.n * 8; i++) {
			s.attest_buf[i / 8] ^= (uint8_t)(1u << i % 8);
			assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
			assert_false(s.facts.verified);
			s.attest_buf[i / 8] ^= (uint8_t)(1u << i % 8);
		}
		assert_good(&s);
	}
}

/* Every bit of the signature; the tags have codes of their own. */
static void test_every_signature_bit(void **state)
{
	struct scene s;

	(void)state;
	for (int rsa = 0; rsa < 2; rsa++) {
		scene_init(&s, rsa);
		build(&s);
		for (size_t i = 0; i < s.signature.n * 8; i++) {
			s.signature_buf[i / 8] ^= (uint8_t)(1u << i % 8);
			appraise(&s);
			assert_int_equal(s.rep.verdict, AY_UNTRUSTED);
			assert_false(s.facts.verified);
			if (i < 16)
				assert_true(failed(&s, AY_CHECK_QUOTE_SCHEME));
			else if (i < 32)
				assert_true(failed(&s, AY_CHECK_QUOTE_HASH));
			else
				assert_true(failed(&s, AY_CHECK_QUOTE_SIGNATURE));
			ay_arena_fini(&s.arena);
			s.signature_buf[i / 8] ^= (uint8_t)(1u << i % 8);
		}
	}
}

static void put_signature(struct scene *s, const struct ay_signature *sig)
{
	struct ay_writer w;
	struct ay_err e;

	ay_wr_init(&w, s->signature_buf, sizeof(s->signature_buf));
	ay_signature_write(&w, sig);
	assert_int_equal(ay_wr_end(&w, "signature", &s->signature, &e), AY_OK);
}

static void test_scheme_and_hash_tags(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, true);
	build(&s);
	s.signature_buf[1] = AY_ALG_RSAPSS;
	assert_refused(&s, AY_CHECK_QUOTE_SCHEME);
	s.signature_buf[1] = AY_ALG_ECDSA;
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE); /* not even the frame fits */
	scene_init(&s, true);
	s.scheme = AY_ALG_RSAPSS;
	build(&s);
	s.signature_buf[1] = AY_ALG_RSASSA;
	assert_refused(&s, AY_CHECK_QUOTE_SCHEME);
	for (int rsa = 0; rsa < 2; rsa++) {
		scene_init(&s, rsa);
		build(&s);
		s.signature_buf[3] = AY_ALG_SHA1;
		assert_refused(&s, AY_CHECK_QUOTE_HASH);
		s.signature_buf[3] = AY_ALG_SHA384;
		assert_refused(&s, AY_CHECK_QUOTE_HASH);
		s.signature_buf[3] = AY_ALG_SM3_256;
		assert_refused(&s, AY_CHECK_QUOTE_HASH);
	}
	/* an RSA signature for an EC key: the scheme does not fit the key */
	scene_init(&s, true);
	build(&s);
	s.ask.ak = world.ec_ak;
	assert_refused(&s, AY_CHECK_QUOTE_SCHEME);
}

static void test_rsa_sizes(void **state)
{
	struct ay_bytes n = ay_pubkey_numbers(world.rsa_ak);
	struct ay_signature sig = { .scheme = AY_ALG_RSASSA, .hash = AY_ALG_SHA256 };
	uint8_t value[257] = { 0 };
	struct scene s;

	(void)state;
	scene_init(&s, true);
	build(&s);
	memcpy(value, s.signature_buf + 6, 256);
	sig.rsa = (struct ay_bytes){ value, 255 };
	put_signature(&s, &sig);
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	sig.rsa.n = 257;
	put_signature(&s, &sig);
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	memmove(value + 1, value, 256);
	value[0] = 0; /* the same number with a zero in front */
	put_signature(&s, &sig);
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	sig.rsa = n; /* equal to the modulus, and above */
	put_signature(&s, &sig);
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	memset(value, 0xff, sizeof(value));
	sig.rsa = (struct ay_bytes){ value, 256 };
	put_signature(&s, &sig);
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
}

static void test_ecdsa_range(void **state)
{
	/* order of P-256 [FIPS186-4 D.1.2.3] */
	struct ay_bytes order =
		t_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
	uint8_t r[33], sv[33], zero[33] = { 0 };
	struct ay_signature sig = { .scheme = AY_ALG_ECDSA, .hash = AY_ALG_SHA256 };
	struct ay_bytes odd[] = { { zero, 32 }, { zero, 1 }, { zero, 0 },
				  order,	{ r, 31 },   { r, 33 } };
	struct scene s;

	(void)state;
	scene_init(&s, false);
	build(&s);
	memcpy(r, s.signature_buf + 6, 32);
	memcpy(sv, s.signature_buf + 40, 32);
	for (size_t i = 0; i < AY_COUNT(odd); i++) {
		sig.r = odd[i];
		sig.s = (struct ay_bytes){ sv, 32 };
		put_signature(&s, &sig);
		assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
		sig.r = (struct ay_bytes){ r, 32 };
		sig.s = odd[i];
		put_signature(&s, &sig);
		assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	}
	/* r and s swapped; r + order does not fit 32 octets, so it cannot be tried shorter */
	sig.r = (struct ay_bytes){ sv, 32 };
	sig.s = (struct ay_bytes){ r, 32 };
	put_signature(&s, &sig);
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	sig.r = (struct ay_bytes){ r, 32 };
	sig.s = (struct ay_bytes){ sv, 32 };
	put_signature(&s, &sig);
	assert_good(&s);
}

static void test_another_hosts_ak(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, false);
	s.key = world.other_ec;
	s.q.signer = AY_BYTES(other_signer);
	build(&s);
	assert_refused(&s, AY_CHECK_QUOTE_WRONG_AK);
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
	scene_init(&s, false);
	s.key = world.other_ec; /* and claims to be ours */
	build(&s);
	assert_refused(&s, AY_CHECK_QUOTE_SIGNATURE);
}

/* Offline nothing was asked: what is not known is not_checked, and no nonce leaves identity
 * unknown. */
static void test_offline(void **state)
{
	struct ay_quote_evidence ev;
	struct scene s;
	struct ay_err e;

	(void)state;
	scene_init(&s, false);
	build(&s);
	ev = (struct ay_quote_evidence){ .attest = s.attest,
					 .signature = s.signature,
					 .hints = &s.hints };
	s.ask = (struct ay_quote_ask){ .ak = world.ec_ak, .extra_data = AY_BYTES(nonce) };
	ay_arena_init(&s.arena, 1 << 20);
	ay_report_init(&s.rep, &s.arena);
	assert_int_equal(ay_appraise_quote(&s.ask, &ev, &s.facts, &s.rep, &e), AY_OK);
	assert_int_equal(ay_report_conclude(&s.rep, AY_COMP_BIT(AY_COMP_IDENTITY), &e), AY_OK);
	assert_int_equal(s.rep.verdict, AY_TRUSTED);
	assert_true(s.facts.pcrs_attested);
	s.ask.extra_data.n = 0;
	ay_report_init(&s.rep, &s.arena);
	assert_int_equal(ay_appraise_quote(&s.ask, &ev, &s.facts, &s.rep, &e), AY_OK);
	assert_int_equal(ay_report_conclude(&s.rep, AY_COMP_BIT(AY_COMP_IDENTITY), &e), AY_OK);
	assert_int_equal(s.rep.verdict, AY_UNKNOWN);
	assert_false(s.facts.fresh);
	ay_arena_fini(&s.arena);
}

/* A quote of a real TPM (keylime's), with its key, nonce and values. */
static void test_corpus(void **state)
{
	struct ay_bytes msg = t_corpus_file("appraise/quote", "quotes/tpm20-keylime/attest.bin");
	struct ay_bytes sig = t_corpus_file("appraise/quote", "quotes/tpm20-keylime/sig.bin");
	struct ay_bytes wanted = t_corpus_file("appraise/quote", "quotes/tpm20-keylime/nonce.bin");
	struct ay_bytes ek = t_corpus_file("appraise/quote", "quotes/tpm20-keylime/ak.pem");
	struct ay_quote_evidence ev = { .attest = msg, .signature = sig };
	struct ay_quote_ask ask = { .extra_data = wanted };
	BIO *bio = BIO_new_mem_buf(ek.p, (int)ek.n);
	EVP_PKEY *pem = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	struct ay_pubkey *ak = load(pem);
	struct ay_pcrs hints = { 0 };
	struct ay_arena arena;
	struct ay_report rep;
	struct ay_quote_facts facts;
	struct ay_err e;
	uint8_t zero[32] = { 0 };

	(void)state;
	for (unsigned pcr = 0; pcr < 16; pcr++)
		assert_int_equal(ay_pcrs_set(&hints, AY_ALG_SHA256, pcr, AY_BYTES(zero), &e),
				 AY_OK);
	ask.ak = ak;
	ev.hints = &hints;
	ay_arena_init(&arena, 1 << 20);
	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_quote(&ask, &ev, &facts, &rep, &e), AY_OK);
	assert_true(facts.verified && facts.fresh);
	assert_int_equal(facts.now.clock_ms, 5994);
	assert_int_equal(facts.selection.n_banks, 1);
	assert_int_equal(facts.selection.bank[0].mask, 1u << 15 | 1u << 16 | 1u << 22);
	assert_memory_equal(
		facts.pcr_digest,
		t_hex("ec1636c69c548fd09a165a4f874e5d1610a8fbe36241566017e92b17e144b971").p, 32);
	assert_false(facts.pcrs_attested); /* PCR 22 was not given */
	assert_non_null(ay_report_find(&rep, AY_CHECK_QUOTE_PCR_DIGEST));
	ay_arena_fini(&arena);
	ay_pubkey_free(ak);
	EVP_PKEY_free(pem);
	BIO_free(bio);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_resigned),
		cmocka_unit_test(test_no_counters_from_outside_data),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_every_prefix_resigned),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_every_signature_bit),
		cmocka_unit_test(test_scheme_and_hash_tags),
		cmocka_unit_test(test_rsa_sizes),
		cmocka_unit_test(test_ecdsa_range),
		cmocka_unit_test(test_another_hosts_ak),
		cmocka_unit_test(test_offline),
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
