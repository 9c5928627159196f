/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_APPRAISE_IMA_WORLD_H
#define AY_TESTS_APPRAISE_IMA_WORLD_H

/*
 * A host with an IMA list of any templates, its TPM, an allow-list learned from
 * its good state, and a policy: what a test changes before it asks.
 */
#include "boot_fixture.h"
#include "core/appraise/causes.h"
#include "core/base/hex.h"

#include <stdio.h>

struct world {
	struct ay_arena arena;
	struct boot boot;
	struct ima list;
	struct ay_pcrs pcrs; /* as the TPM has them: PCR 10 follows the list until quoted */
	struct ay_policy *policy;
	size_t n_sets;
	const struct ay_refset *set[4];
	struct ay_report rep;
	struct ay_ima_tally tally;
	struct ay_ima_sigcache *cache;
};

/* One field of a template. */
struct field {
	const void *p;
	size_t n;
};
#define F_TEXT(s) ((struct field){ s, sizeof(s) }) /* with its NUL, as n-ng has it */
#define F_NONE ((struct field){ "", 0 })

/* d-ng (or d-ngv2) of content: "sha256:" NUL digest. */
static inline struct field f_digest(struct world *w, const char *head, uint16_t alg,
				    struct ay_bytes content)
{
	size_t n = strlen(head) + 1, d = ay_alg_digest_size(alg);
	uint8_t *p = ay_arena_alloc(&w->arena, n + d);

	memcpy(p, head, n);
	assert_true(ay_hash_of(alg, content, p + n));
	return (struct field){ p, n + d };
}

static inline struct field f_sha256(struct world *w, const char *content)
{
	return f_digest(w, "sha256:", AY_ALG_SHA256, ay_bytes_of(content));
}

static inline struct field f_file(const char *name)
{
	struct ay_bytes b = t_vector(name);

	return (struct field){ b.p, b.n };
}

/* One entry: template data of the fields, and its SHA-1 (zero of a violation). */
static inline void w_entry(struct world *w, uint32_t pcr, const char *name, bool violation,
			   const struct field *f, size_t n)
{
	struct ay_writer *out = &w->list.w, data;
	uint8_t buf[2048], hash[20] = { 0 };
	struct ay_bytes d;

	ay_wr_init(&data, buf, sizeof(buf));
	for (size_t i = 0; i < n; i++) {
		ay_wr_le32(&data, (uint32_t)f[i].n);
		ay_wr_bytes(&data, (struct ay_bytes){ f[i].p, f[i].n });
	}
	assert_int_equal(ay_wr_end(&data, "template", &d, NULL), AY_OK);
	if (!violation)
		assert_true(ay_hash_of(AY_ALG_SHA1, d, hash));
	ay_wr_le32(out, pcr);
	ay_wr_bytes(out, AY_BYTES(hash));
	ay_wr_le32(out, (uint32_t)strlen(name));
	ay_wr_str(out, name);
	ay_wr_le32(out, (uint32_t)d.n);
	ay_wr_bytes(out, d);
	assert_int_equal(ay_wr_end(out, "ima", &w->list.octets, NULL), AY_OK);
}

#define W_ENTRY(w, pcr, name, ...)                                                                 \
	w_entry(w, pcr, name, false, (const struct field[]){ __VA_ARGS__ },                        \
		sizeof((const struct field[]){ __VA_ARGS__ }) / sizeof(struct field))

/* A file in template ima-sig; sig: name of a vector of ima_sig, NULL for none. */
static inline void w_signed(struct world *w, const char *path, struct ay_bytes content,
			    const char *sig)
{
	char name[128];
	struct field s = F_NONE;

	if (sig != NULL) {
		snprintf(name, sizeof(name), "ima_sig/%s", sig);
		s = f_file(name);
	}
	W_ENTRY(w, 10, "ima-sig", f_digest(w, "sha256:", AY_ALG_SHA256, content),
		((struct field){ path, strlen(path) + 1 }), s);
}

/* A buffer in template ima-buf. */
static inline void w_buffer(struct world *w, const char *name, const char *content)
{
	W_ENTRY(w, 10, "ima-buf", f_sha256(w, content), ((struct field){ name, strlen(name) + 1 }),
		((struct field){ content, strlen(content) }));
}

static inline void w_begin_list(struct world *w)
{
	ima_init(&w->list);
	ima_aggregate(&w->list, &w->boot.pcrs);
}

/* PCR 10 (and others) of the TPM follow the list as it is now. */
static inline void w_extend(struct world *w)
{
	struct ay_ima_state s;
	struct ay_ima_run run;

	w->pcrs = w->boot.pcrs;
	ay_ima_state_init_for(&s, &w->pcrs, false);
	assert_int_equal(ay_ima_replay(&s, w->list.octets, 0, &run, &w->arena, NULL), AY_OK);
	ay_ima_state_apply(&run.now, &w->pcrs);
}

static inline struct ay_refset *w_learn(struct world *w, const char *name)
{
	struct ay_learn_from from = { .pcrs = &w->boot.pcrs, .ima = w->list.octets };
	struct ay_learn_options opt = { .name = name, .parts = AY_PART_BIT(AY_PART_RUNTIME) };
	struct ay_refset *s;

	assert_int_equal(ay_refset_learn(&from, &opt, &s, NULL), AY_OK);
	s->state = AY_SET_ACTIVE;
	w->set[w->n_sets++] = s;
	return s;
}

/* Another set in force, from its rules in part runtime. */
static inline void w_add_set(struct world *w, const char *rules)
{
	char text[8192];
	struct ay_refset *s;
	struct ay_err e = { 0 };

	snprintf(text, sizeof(text),
		 "{\"format\":\"assay-reference-1\",\"name\":\"set %zu\",\"version\":1,"
		 "\"parts\":{\"runtime\":[%s]}}",
		 w->n_sets, rules);
	if (ay_refset_parse(ay_bytes_of(text), &s, &e) != AY_OK)
		fail_msg("%s: %s: %s", rules, e.where, e.text);
	s->state = AY_SET_ACTIVE;
	w->set[w->n_sets++] = s;
}

static inline void w_policy(struct world *w, const char *ima)
{
	char text[16384];
	struct ay_err e = { 0 };

	ay_policy_free(w->policy);
	snprintf(text, sizeof(text),
		 "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
		 "\"required\":[\"runtime\"],\"ima\":%s}",
		 ima);
	if (ay_policy_parse(ay_bytes_of(text), &w->policy, &e) != AY_OK)
		fail_msg("%s: %s: %s", ima, e.where, e.text);
}

/* A JSON text of a key from a vector. */
static inline const char *w_key(struct world *w, const char *name, const char *more)
{
	char path[128];
	struct ay_bytes pem;
	char *text = ay_arena_alloc(&w->arena, 4096), *to = text;

	snprintf(path, sizeof(path), "ima_sig/%s.pem", name);
	pem = t_vector(path);
	to += snprintf(text, 4096, "{\"name\":\"%s\"%s,\"pem\":\"", name, more);
	for (size_t i = 0; i < pem.n; i++)
		to += sprintf(to, pem.p[i] == '\n' ? "\\n" : "%c", pem.p[i]);
	sprintf(to, "\"}");
	return text;
}

static inline int w_setup(struct world *w)
{
	memset(w, 0, sizeof(*w));
	ay_arena_init(&w->arena, AY_MAX_ARENA_BYTES);
	boot_init(&w->boot);
	boot_make(&w->boot, &w->arena);
	w_begin_list(w);
	ima_file(&w->list, "/init", "init");
	ima_file(&w->list, "/bin/sh", "shell");
	w_learn(w, "good");
	return ay_policy_default(&w->policy, NULL) == AY_OK ? 0 : -1;
}

static inline int w_teardown(struct world *w)
{
	for (size_t i = 0; i < w->n_sets; i++)
		ay_refset_free((struct ay_refset *)(uintptr_t)w->set[i]);
	ay_policy_free(w->policy);
	ay_arena_fini(&w->arena);
	return 0;
}

/* Judge octets that begin where `last` ends (NULL: the whole list) by the TPM's values. */
static inline enum ay_verdict w_judge_piece(struct world *w, const struct ay_ima_state *last,
					    struct ay_bytes piece, struct ay_ima_state *end)
{
	static struct ay_ima_run run;
	struct ay_ima_state s;
	struct ay_runtime_in in = { .pcrs = &w->pcrs,
				    .run = &run,
				    .list = piece,
				    .sets = w->set,
				    .n_sets = w->n_sets,
				    .policy = w->policy,
				    .cache = w->cache };
	struct ay_err e = { 0 };

	if (last == NULL)
		ay_ima_state_init_for(&s, &w->boot.pcrs, false);
	else
		s = *last;
	ay_report_init(&w->rep, &w->arena);
	if (ay_ima_replay(&s, piece, 16, &run, &w->arena, &e) != AY_OK) {
		in.run = NULL;
		in.ima_error = &e;
	} else {
		in.fits = ay_ima_run_fit(&run, &w->pcrs, false);
	}
	assert_int_equal(ay_appraise_runtime(&in, &w->tally, &w->rep, NULL), AY_OK);
	assert_int_equal(ay_report_conclude(&w->rep, AY_COMP_BIT(AY_COMP_RUNTIME), NULL), AY_OK);
	if (end != NULL)
		*end = run.now;
	return w->rep.verdict;
}

/* Judge the whole list as the TPM has it. */
static inline enum ay_verdict w_judge(struct world *w)
{
	w_extend(w);
	return w_judge_piece(w, NULL, w->list.octets, NULL);
}

static inline size_t w_count(const struct world *w, enum ay_check code, enum ay_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < w->rep.n_findings; i++)
		n += w->rep.finding[i].code == code && w->rep.finding[i].result == result;
	return n;
}

static inline bool w_covers(const struct world *w, const char *text)
{
	for (size_t i = 0; i < w->rep.n_coverage; i++)
		if (strstr(w->rep.coverage[i].rule, text) != NULL)
			return true;
	return false;
}

#endif
