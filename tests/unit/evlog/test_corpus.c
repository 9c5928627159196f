/* SPDX-License-Identifier: Apache-2.0 */
/* Every boot log of the corpus against what other tools say of it (expected/). */
#include "support/t.h"

#include "core/appraise/check_log.h"
#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/limits.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *expected_of(const char *corpus, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/expected/%s.json", corpus, name);
	return json_load_file(path, 0, NULL);
}

/*
 * IMN-DELL: its SHA-1 log begins with a StartupLocality event. The tool that
 * gave the expected PCR 0 passed over the first event, against the corpus'
 * own rule, and no second tool confirms the value.
 */
static bool is_disputed(const char *name, const char *bank, const char *pcr)
{
	return strstr(name, "IMN-DELL") != NULL && strcmp(bank, "sha1") == 0 &&
	       strcmp(pcr, "0") == 0;
}

static void compare_pcrs(const char *name, const json_t *want, const struct ay_pcrs *got)
{
	const char *bank, *pcr;
	json_t *values, *v;
	size_t n = 0, have = 0;

	json_object_foreach ((json_t *)(uintptr_t)want, bank, values) {
		uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(bank));

		json_object_foreach (values, pcr, v) {
			struct ay_bytes b = ay_pcrs_value(got, alg, (unsigned)atoi(pcr));
			char hex[2 * AY_DIGEST_MAX + 1] = "";

			n++;
			if (is_disputed(name, bank, pcr))
				continue;
			if (b.p != NULL)
				ay_hex_encode(b, hex);
			if (strcmp(hex, json_string_value(v)) != 0)
				fail_msg("%s: %s PCR %s is %s, expected %s", name, bank, pcr, hex,
					 json_string_value(v));
		}
	}
	for (size_t i = 0; i < got->n_banks; i++)
		have += (size_t)__builtin_popcount(got->bank[i].have);
	if (have != n)
		fail_msg("%s: %zu values, expected %zu", name, have, n);
}

static void compare_types(const char *name, const json_t *want, const struct ay_evlog *log)
{
	const char *type;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)want, type, v) {
		uint32_t t = (uint32_t)strtoul(type, NULL, 16);
		json_int_t n = 0;

		for (size_t i = 0; i < log->n_events; i++)
			n += log->event[i].type == t;
		/* The TrustPoint event that Windows appends is no event of ours. */
		if (n != json_integer_value(v))
			fail_msg("%s: %lld events of type %s", name, (long long)n, type);
	}
}

static void compare_log(const char *name, struct ay_bytes in, const json_t *x)
{
	const char *verdict = json_string_value(json_object_get(x, "verdict"));
	const char *format = json_string_value(json_object_get(x, "format"));
	struct ay_evlog log;
	struct ay_arena arena;
	struct ay_pcrs pcrs;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	rc = ay_evlog_parse(in, &arena, &log, &e);
	if (strcmp(verdict, "refuse") == 0) {
		assert_int_not_equal(rc, AY_OK);
		assert_memory_equal(e.code, "LOG_", 4);
		ay_arena_fini(&arena);
		return;
	}
	if (rc != AY_OK)
		fail_msg("%s: %s %s", name, e.code, e.text);
	assert_int_equal(ay_evlog_replay(&log, &pcrs, &e), AY_OK);
	assert_int_equal(log.n_events, json_integer_value(json_object_get(x, "events")));
	assert_int_equal(log.padding, json_integer_value(json_object_get(x, "trailing")));
	assert_int_equal(log.format == AY_EVLOG_AGILE, strcmp(format, "crypto-agile") == 0);
	if (json_object_get(x, "startup_locality") != NULL)
		assert_int_equal(log.locality,
				 json_integer_value(json_object_get(x, "startup_locality")));
	compare_pcrs(name, json_object_get(x, "pcrs"), &pcrs);
	compare_types(name, json_object_get(x, "event_types"), &log);
	ay_arena_fini(&arena);
}

static void event_logs(void **state)
{
	const char *corpus = t_corpus("evlog/corpus");
	char path[2048];
	DIR *d;
	struct dirent *ent;
	size_t n = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/eventlogs", corpus);
	d = opendir(path);
	assert_non_null(d);
	while ((ent = readdir(d)) != NULL) {
		json_t *x;

		if (strstr(ent->d_name, ".bin") == NULL)
			continue;
		snprintf(path, sizeof(path), "eventlogs/%s", ent->d_name);
		x = expected_of(corpus, path);
		assert_non_null(x);
		compare_log(path, t_corpus_file("evlog/corpus", path),
			    json_object_get(x, "expected"));
		json_decref(x);
		n++;
	}
	closedir(d);
	assert_true(n >= 35);
}

static const char *const sets[] = { "IMN-DELL",
				    "dl160-fwupd-report",
				    "failed-1",
				    "failed-2",
				    "good-1",
				    "issue926-x1carbon-ancient",
				    "issue926-x1carbon-before" };

static void evidence_logs(void **state)
{
	const char *corpus = t_corpus("evlog/corpus");
	char path[2048];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(sets); i++) {
		json_t *x;

		snprintf(path, sizeof(path), "evidence/%s/eventlog.bin", sets[i]);
		x = expected_of(corpus, path);
		assert_non_null(x);
		compare_log(path, t_corpus_file("evlog/corpus", path),
			    json_object_get(x, "expected"));
		json_decref(x);
	}
}

/* The values that the TPM of the set gave, in the bank that it quoted. */
static void read_pcrs(const char *set, uint16_t alg, struct ay_pcrs *out)
{
	char path[4096];
	const char *pcr;
	json_t *all, *v;

	snprintf(path, sizeof(path), "%s/evidence/%s/pcrs.json", t_corpus("evlog/corpus"), set);
	all = json_load_file(path, 0, NULL);
	assert_non_null(all);
	*out = (struct ay_pcrs){ 0 };
	json_object_foreach (all, pcr, v) {
		uint8_t b[AY_DIGEST_MAX];
		size_t n;

		assert_int_equal(ay_base64_decode(AY_BASE64_STD, ay_bytes_of(json_string_value(v)),
						  "pcr", b, sizeof(b), &n, NULL),
				 AY_OK);
		assert_int_equal(
			ay_pcrs_set(out, alg, (unsigned)atoi(pcr), (struct ay_bytes){ b, n }, NULL),
			AY_OK);
	}
	json_decref(all);
}

static enum ay_result worst_of(const struct ay_report *rep, unsigned pcr, enum ay_check *code)
{
	enum ay_result worst = AY_PASS;

	*code = AY_CHECK_NONE;
	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *f = &rep->finding[i];

		if (!f->has_pcr || f->pcr != pcr || f->has_event || f->result > worst)
			continue;
		worst = f->result;
		*code = f->code;
	}
	return worst;
}

/* One word of log_vs_tpm against the findings about that PCR. */
static void compare_words(const char *set, const char *pcr, const char *words,
			  const struct ay_report *rep)
{
	enum ay_check code;
	enum ay_result r = worst_of(rep, (unsigned)atoi(pcr), &code);

	print_message("%s PCR %s: %s\n", set, pcr, words);
	if (strcmp(words, "DIFFERS") == 0)
		assert_true(r == AY_FAIL && code == AY_CHECK_LOG_PCR_MISMATCH);
	else if (strstr(words, "PCR extended") != NULL)
		assert_true(r == AY_FAIL && code == AY_CHECK_LOG_PCR_NO_EVENTS);
	else
		assert_true(r == AY_PASS);
	if (strcmp(words, "match") == 0)
		assert_int_equal(code, AY_CHECK_LOG_PCR_MISMATCH); /* looked at, and passed */
}

static void log_against_tpm(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(sets); i++) {
		char name[256];
		json_t *x, *words, *v;
		const char *pcr, *bank;
		struct ay_pcrs attested, replayed;
		struct ay_evlog log;
		struct ay_arena arena;
		struct ay_report rep;

		snprintf(name, sizeof(name), "evidence/%s/attest.bin", sets[i]);
		x = json_object_get(expected_of(t_corpus("evlog/corpus"), name), "expected");
		words = json_object_get(x, "log_vs_tpm");
		bank = json_string_value(json_object_get(x, "bank"));
		if (bank == NULL)
			continue; /* IMN-DELL quoted nothing */
		snprintf(name, sizeof(name), "evidence/%s/eventlog.bin", sets[i]);
		ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
		assert_int_equal(
			ay_evlog_parse(t_corpus_file("evlog/corpus", name), &arena, &log, NULL),
			AY_OK);
		assert_int_equal(ay_evlog_replay(&log, &replayed, NULL), AY_OK);
		read_pcrs(sets[i], ay_alg_from_bank_name(ay_bytes_of(bank)), &attested);
		ay_report_init(&rep, &arena);
		ay_check_log_pcrs(&log, &attested, &replayed, 0, &rep);
		json_object_foreach (words, pcr, v)
			compare_words(sets[i], pcr, json_string_value(v), &rep);
		ay_arena_fini(&arena);
	}
}

/* PCR 17 and 18 of a launch: the values that its own project's parser gives are not published, the
 * framing is. */
static void txt_log(void **state)
{
	struct ay_bytes in = t_corpus_file("evlog/corpus", "txt/txt-logs.bin");
	struct ay_evlog log;
	struct ay_arena arena;
	struct ay_pcrs pcrs;

	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	assert_int_equal(ay_evlog_parse(in, &arena, &log, NULL), AY_OK);
	assert_int_equal(log.format, AY_EVLOG_AGILE);
	assert_true(ay_evlog_has_launch(&log));
	assert_int_equal(log.event[1].pcr, 17);
	assert_int_equal(log.event[1].type, AY_EV_TXT_HASH_START);
	assert_int_equal(ay_evlog_replay(&log, &pcrs, NULL), AY_OK);
	assert_int_equal(ay_pcrs_find(&pcrs, AY_ALG_SHA256)->have, 1u << 17 | 1u << 18);
	ay_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_logs),
		cmocka_unit_test(evidence_logs),
		cmocka_unit_test(log_against_tpm),
		cmocka_unit_test(txt_log),
	};

	return cmocka_run_group_tests_name("evlog/corpus", tests, NULL, NULL);
}
