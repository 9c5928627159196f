/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence of real machines, appraised whole. Their AKs were not published, so
 * the quotes are signed again by a key of the test; everything else is as the
 * machine sent it. What must come out is in the corpus's expected results.
 */
#include "support/t.h"

#include "core/appraise/causes.h"
#include "core/appraise/offline.h"
#include "core/base/hex.h"
#include "core/crypto/sign.h"
#include "core/tpm/signature.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evidence {
	struct ay_arena arena;
	json_t *expected; /* of attest.bin: {"attest","expected"} */
	struct ay_bytes attest, log;
	struct ay_pcrs pcrs;
	uint8_t nonce[64], signature[1100];
	struct ay_offline_in in;
	struct ay_offline_out out;
	struct ay_report rep;
};

static EVP_PKEY *key;
static struct ay_pubkey *ak;

static int setup(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	return ay_pubkey_new_pkey(key, &ak, NULL) == AY_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ay_pubkey_free(ak);
	EVP_PKEY_free(key);
	return 0;
}

static json_t *corpus_json(const char *test, const char *name)
{
	struct ay_bytes b = t_corpus_file(test, name);
	json_t *j = json_loadb((const char *)b.p, b.n, 0, NULL);

	assert_non_null(j);
	return j;
}

static void put_values(struct ay_pcrs *out, const char *bank, json_t *values)
{
	uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(bank));
	const char *pcr;
	json_t *v;

	json_object_foreach (values, pcr, v) {
		unsigned char raw[80];
		int n = EVP_DecodeBlock(raw, (const unsigned char *)json_string_value(v),
					(int)json_string_length(v));

		assert_true(n >= (int)ay_alg_digest_size(alg));
		assert_int_equal(ay_pcrs_set(out, alg, (unsigned)atoi(pcr),
					     (struct ay_bytes){ raw, ay_alg_digest_size(alg) },
					     NULL),
				 AY_OK);
	}
}

static void load_values(struct evidence *ev, const char *name)
{
	const char *bank = json_string_value(
		json_object_get(json_object_get(ev->expected, "expected"), "bank"));
	char path[128];
	json_t *j;

	if (bank == NULL)
		return;
	if (strcmp(name, "dl160-fwupd-report") == 0) { /* all banks, by algorithm number */
		j = corpus_json(name, "evidence/dl160-fwupd-report/allpcrs.json");
		put_values(&ev->pcrs, "sha256", json_object_get(j, "11"));
		put_values(&ev->pcrs, "sha1", json_object_get(j, "4"));
	} else {
		snprintf(path, sizeof(path), "evidence/%s/pcrs.json", name);
		j = corpus_json(name, path);
		put_values(&ev->pcrs, bank, j);
	}
	json_decref(j);
}

static void sign(struct evidence *ev)
{
	struct ay_signature_buf sig;
	struct ay_writer w;

	assert_int_equal(ay_sign(key, 0, AY_ALG_SHA256, ev->attest, &sig, NULL), AY_OK);
	ay_wr_init(&w, ev->signature, sizeof(ev->signature));
	ay_signature_write(&w, &sig.sig);
	assert_int_equal(ay_wr_end(&w, "sig", &ev->in.signature, NULL), AY_OK);
}

static struct evidence *load(const char *name)
{
	struct evidence *ev = calloc(1, sizeof(*ev));
	const char *nonce;
	char path[128];

	assert_non_null(ev);
	ay_arena_init(&ev->arena, AY_MAX_ARENA_BYTES);
	snprintf(path, sizeof(path), "evidence/%s/attest.bin", name);
	ev->attest = t_corpus_file(name, path);
	snprintf(path, sizeof(path), "evidence/%s/eventlog.bin", name);
	ev->log = t_corpus_file(name, path);
	snprintf(path, sizeof(path), "expected/evidence/%s/attest.bin.json", name);
	ev->expected = corpus_json(name, path);
	load_values(ev, name);
	sign(ev);
	nonce = json_string_value(
		json_object_get(json_object_get(ev->expected, "attest"), "extraData"));
	assert_int_equal(
		ay_hex_decode(ay_bytes_of(nonce), "nonce", ev->nonce, strlen(nonce) / 2, NULL),
		AY_OK);
	ev->in.attest = ev->attest;
	ev->in.log = ev->log;
	ev->in.nonce = (struct ay_bytes){ ev->nonce, strlen(nonce) / 2 };
	ev->in.pcrs = ev->pcrs.n_banks > 0 ? &ev->pcrs : NULL;
	ev->in.ak = ak;
	return ev;
}

static void drop(struct evidence *ev)
{
	json_decref(ev->expected);
	ay_arena_fini(&ev->arena);
	free(ev);
}

static void appraise(struct evidence *ev, const struct ay_refset *set)
{
	struct ay_policy *policy;
	struct ay_err e = { 0 };

	assert_int_equal(ay_policy_default(&policy, NULL), AY_OK);
	ev->in.policy = policy;
	ev->in.sets = &set;
	ev->in.n_sets = set == NULL ? 0 : 1;
	ay_report_init(&ev->rep, &ev->arena);
	if (ay_appraise_offline(&ev->in, &ev->arena, &ev->out, &ev->rep, &e) != AY_OK)
		fail_msg("%s: %s", e.where, e.text);
	ay_policy_free(policy);
}

static struct ay_refset *learn(struct evidence *ev)
{
	struct ay_learn_options opt = { .name = "learned" };
	struct ay_refset *set;
	struct ay_err e = { 0 };

	ay_report_init(&ev->rep, &ev->arena);
	if (ay_learn_offline(&ev->in, &opt, &ev->arena, &set, &ev->rep, &e) != AY_OK)
		fail_msg("%s: %s", e.where, e.text);
	return set;
}

static bool failed(const struct ay_report *rep, enum ay_check code, unsigned pcr)
{
	for (size_t i = 0; i < rep->n_findings; i++)
		if (rep->finding[i].code == code && rep->finding[i].result == AY_FAIL &&
		    rep->finding[i].has_pcr && rep->finding[i].pcr == pcr)
			return true;
	return false;
}

static const struct {
	const char *name;
	bool good; /* the log explains every value: a set can be learned */
} sets[] = {
	{ "good-1", true },
	{ "failed-1", false },
	{ "failed-2", false },
	{ "dl160-fwupd-report", false },
	{ "issue926-x1carbon-before", true },
	{ "issue926-x1carbon-ancient", true },
};

/* log_vs_tpm of the corpus, PCR by PCR. */
static void test_log_against_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(sets); i++) {
		struct evidence *ev = load(sets[i].name);
		const char *pcr;
		json_t *v;

		print_message("evidence: %s\n", sets[i].name);
		appraise(ev, NULL);
		assert_true(ev->out.quote.verified && ev->out.quote.fresh);
		assert_true(ev->out.quote.pcrs_attested);
		json_object_foreach (
			json_object_get(json_object_get(ev->expected, "expected"), "log_vs_tpm"),
			pcr, v) {
			bool differs = strcmp(json_string_value(v), "DIFFERS") == 0;

			assert_int_equal(
				failed(&ev->rep, AY_CHECK_LOG_PCR_MISMATCH, (unsigned)atoi(pcr)),
				differs);
		}
		assert_int_not_equal(ev->rep.verdict, AY_TRUSTED); /* nothing to compare with */
		drop(ev);
	}
}

static void test_learn(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(sets); i++) {
		struct evidence *ev = load(sets[i].name);
		struct ay_refset *set = learn(ev);

		print_message("learn: %s\n", sets[i].name);
		assert_int_equal(set != NULL, sets[i].good);
		if (set != NULL) {
			appraise(ev, set); /* from itself */
			assert_int_equal(ev->rep.verdict, AY_TRUSTED);
			ev->in.nonce = (struct ay_bytes){ 0 };
			assert_null(learn(ev)); /* of unknown age */
			appraise(ev, set);
			assert_int_equal(ev->rep.component[AY_COMP_IDENTITY].verdict, AY_UNKNOWN);
		}
		ay_refset_free(set);
		drop(ev);
	}
}

/* The same log beside another PCR 0: platform fails for PCR 0 and for nothing else. */
static void test_another_pcr0(void **state)
{
	struct evidence *good = load("good-1"), *bad;
	struct ay_refset *set = learn(good);
	static const char *const names[] = { "failed-1", "failed-2" };

	(void)state;
	assert_non_null(set);
	for (size_t i = 0; i < AY_COUNT(names); i++) {
		bad = load(names[i]);
		appraise(bad, set);
		assert_int_equal(bad->rep.verdict, AY_UNTRUSTED);
		assert_true(failed(&bad->rep, AY_CHECK_LOG_PCR_MISMATCH, 0));
		assert_true(failed(&bad->rep, AY_CHECK_REF_PCR, 0));
		for (unsigned pcr = 1; pcr < AY_PCR_COUNT; pcr++)
			assert_false(failed(&bad->rep, AY_CHECK_REF_PCR, pcr) &&
				     !failed(&bad->rep, AY_CHECK_REF_EVENT, pcr));
		assert_string_equal(bad->rep.cause[0].class, "log_tampered");
		drop(bad);
	}
	ay_refset_free(set);
	drop(good);
}

/* A quote over nothing, validly signed. */
static void test_empty_selection(void **state)
{
	struct evidence *ev = load("IMN-DELL");

	(void)state;
	appraise(ev, NULL);
	assert_int_equal(ev->rep.verdict, AY_UNTRUSTED);
	assert_false(ev->out.quote.pcrs_attested);
	assert_non_null(ay_report_find(&ev->rep, AY_CHECK_QUOTE_SELECTION));
	assert_int_equal(ay_report_find(&ev->rep, AY_CHECK_QUOTE_SELECTION)->result, AY_FAIL);
	assert_null(learn(ev));
	drop(ev);
}

/* Without values: those of the log are tried; a log that is not it, or none, is told apart. */
static void test_without_values(void **state)
{
	struct evidence *ev = load("good-1"), *other = load("failed-1");
	struct ay_refset *set = learn(ev);

	(void)state;
	ev->in.pcrs = NULL;
	appraise(ev, set);
	assert_int_equal(ev->rep.verdict, AY_TRUSTED);

	ev->in.log = (struct ay_bytes){ 0 };
	appraise(ev, set);
	assert_int_equal(ev->rep.verdict, AY_UNTRUSTED);
	assert_int_equal(ay_report_find(&ev->rep, AY_CHECK_QUOTE_PCR_DIGEST)->result, AY_FAIL);
	assert_string_equal(ev->rep.cause[0].class, "log_missing");

	other->in.pcrs = NULL;
	appraise(other, set);
	assert_int_equal(other->rep.verdict, AY_UNTRUSTED);
	assert_int_equal(ay_report_find(&other->rep, AY_CHECK_QUOTE_PCR_DIGEST)->result, AY_FAIL);
	assert_string_equal(other->rep.cause[0].class, "log_tampered");
	ay_refset_free(set);
	drop(ev);
	drop(other);
}

/* Another key, another nonce, a value changed: identity fails and nothing else is judged. */
static void test_not_this_quote(void **state)
{
	struct evidence *ev = load("good-1");
	struct ay_refset *set = learn(ev);
	EVP_PKEY *other = EVP_EC_gen("P-256");
	struct ay_pubkey *wrong;

	(void)state;
	assert_int_equal(ay_pubkey_new_pkey(other, &wrong, NULL), AY_OK);
	ev->in.ak = wrong;
	appraise(ev, set);
	assert_int_equal(ev->rep.verdict, AY_UNTRUSTED);
	assert_int_equal(ev->rep.component[AY_COMP_IDENTITY].verdict, AY_UNTRUSTED);
	assert_int_equal(ev->rep.component[AY_COMP_OS].verdict, AY_UNKNOWN);
	ev->in.ak = ak;
	ev->nonce[0] ^= 1;
	appraise(ev, set);
	assert_int_equal(ev->rep.verdict, AY_UNTRUSTED);
	assert_int_equal(ay_report_find(&ev->rep, AY_CHECK_QUOTE_NONCE)->result, AY_FAIL);
	ev->nonce[0] ^= 1;
	ev->pcrs.bank[0].value[4][0] ^= 1;
	appraise(ev, set);
	assert_int_equal(ev->rep.verdict, AY_UNTRUSTED);
	assert_int_equal(ev->rep.component[AY_COMP_PLATFORM].verdict, AY_UNKNOWN);
	ay_pubkey_free(wrong);
	EVP_PKEY_free(other);
	ay_refset_free(set);
	drop(ev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_against_values), cmocka_unit_test(test_learn),
		cmocka_unit_test(test_another_pcr0),	   cmocka_unit_test(test_empty_selection),
		cmocka_unit_test(test_without_values),	   cmocka_unit_test(test_not_this_quote),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
