/* SPDX-License-Identifier: Apache-2.0 */
/* The IMA list by allow-lists of two sizes: with nothing new to judge, and from its first entry. */
#include "bench/bench.h"

#include "core/appraise/state.h"
#include "core/base/hex.h"
#include "core/base/writer.h"
#include "core/crypto/hash.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 1000 };

struct scene {
	struct ay_arena arena;
	struct ay_policy *policy;
	const struct ay_refset *set;
	struct ay_bytes list;
	struct ay_pcrs pcrs;
	struct ay_ima_run run;
	struct ay_ima_tally tally;
};

static void digest_of(size_t i, uint8_t out[32])
{
	uint8_t b[8];

	memcpy(b, &i, sizeof(b));
	ay_sha256(AY_BYTES(b), out);
}

static void make_list(struct scene *s)
{
	uint8_t *buf = malloc(ENTRIES * 128), data[64], digest[32], hash[20];
	struct ay_writer w, d;
	struct ay_bytes t;

	ay_wr_init(&w, buf, ENTRIES * 128);
	for (size_t i = 0; i < ENTRIES; i++) {
		ay_wr_init(&d, data, sizeof(data));
		digest_of(i, digest);
		ay_wr_le32(&d, 8 + sizeof(digest));
		ay_wr_bytes(&d, (struct ay_bytes){ (const uint8_t *)"sha256:", 8 });
		ay_wr_bytes(&d, AY_BYTES(digest));
		ay_wr_le32(&d, 3);
		ay_wr_bytes(&d, (struct ay_bytes){ (const uint8_t *)"/x", 3 });
		if (ay_wr_end(&d, "template", &t, NULL) != AY_OK ||
		    !ay_hash_of(AY_ALG_SHA1, t, hash))
			bench_die("template");
		ay_wr_le32(&w, 10);
		ay_wr_bytes(&w, AY_BYTES(hash));
		ay_wr_le32(&w, 6);
		ay_wr_str(&w, "ima-ng");
		ay_wr_le32(&w, (uint32_t)t.n);
		ay_wr_bytes(&w, t);
	}
	if (ay_wr_end(&w, "list", &s->list, NULL) != AY_OK)
		bench_die("list");
}

static void make_set(struct scene *s, size_t n_digests)
{
	json_t *files = json_object(), *j;
	char hex[65];
	uint8_t digest[32];
	struct ay_refset *set;

	for (size_t i = 0; i < n_digests; i++) {
		digest_of(i, digest);
		ay_hex_encode(AY_BYTES(digest), hex);
		json_object_set_new(files, hex, json_string(""));
	}
	j = json_pack("{ss ss si ss s{s[{ss s{so}}]}}", "format", "assay-reference-1", "name", "s",
		      "version", 1, "state", "active", "parts", "runtime", "kind", "files",
		      "digests", "sha256", files);
	if (j == NULL || ay_refset_from_json(j, &set, NULL) != AY_OK)
		bench_die("set");
	json_decref(j);
	s->set = set;
}

static void judge(struct scene *s, struct ay_ima_run *run, struct ay_bytes list)
{
	struct ay_runtime_in in = { .pcrs = &s->pcrs,
				    .run = run,
				    .fits = true,
				    .list = list,
				    .sets = &s->set,
				    .n_sets = 1,
				    .policy = s->policy };
	struct ay_report rep;

	ay_report_init(&rep, &s->arena);
	if (ay_appraise_runtime(&in, &s->tally, &rep, NULL) != AY_OK)
		bench_die("appraisal");
	if (s->tally.entries != ENTRIES || s->tally.n[AY_IMA_UNKNOWN] > 0)
		bench_die("entries are not all known");
	ay_arena_reset(&s->arena);
}

/* Returns judgements a second. whole: every entry, else none is new. */
static double rate(struct scene *s, bool whole, double seconds)
{
	struct ay_ima_run steady = s->run;
	double t0 = bench_cpu(), t;
	size_t n = 0;

	steady.from = ENTRIES;
	do {
		if (whole)
			judge(s, &s->run, s->list);
		else
			judge(s, &steady, (struct ay_bytes){ 0 });
		n++;
	} while ((t = bench_cpu() - t0) < seconds);
	return (double)n / t;
}

static void measure(size_t n_digests, const char *steady, const char *entries, double seconds)
{
	static struct scene s;
	struct ay_ima_state state;
	struct ay_bytes zero = { (const uint8_t[32]){ 0 }, 32 };

	memset(&s, 0, sizeof(s));
	ay_arena_init(&s.arena, AY_MAX_ARENA_BYTES);
	if (ay_policy_default(&s.policy, NULL) != AY_OK ||
	    ay_pcrs_set(&s.pcrs, AY_ALG_SHA256, 10, zero, NULL) != AY_OK)
		bench_die("policy");
	make_list(&s);
	make_set(&s, n_digests);
	ay_ima_state_init_for(&state, &s.pcrs, false);
	if (ay_ima_replay(&state, s.list, 0, &s.run, &s.arena, NULL) != AY_OK)
		bench_die("replay");
	ay_arena_reset(&s.arena);
	bench_print(entries, rate(&s, true, seconds) * ENTRIES, "1/s/core");
	bench_print(steady, rate(&s, false, seconds), "1/s/core");
	ay_refset_free((struct ay_refset *)(uintptr_t)s.set);
	ay_policy_free(s.policy);
	ay_arena_fini(&s.arena);
	free((void *)(uintptr_t)s.list.p);
}

void bench_runtime(double seconds)
{
	measure(1000, "runtime_steady_1k", "runtime_entries_1k", seconds);
	measure(100000, "runtime_steady_100k", "runtime_entries_100k", seconds);
}
