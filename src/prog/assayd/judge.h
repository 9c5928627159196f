/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_JUDGE_H
#define AY_ASSAYD_JUDGE_H

/*
 * What worker threads share: a policy with its sets, and what states were
 * judged to be. Counted by atomic operations; immutable but where said.
 */
#include "core/appraise/state.h"
#include "io/store/blob.h"

/* A policy and the reference sets it may take from. */
struct ay_judge {
	uint32_t refs;
	const struct ay_policy *policy; /* live as long as the engine */
	const struct ay_refset **sets;
	uint32_t *parts; /* of each that its hosts may be compared with: ay_match_host() */
	size_t n_sets;
	unsigned required; /* AY_COMP_BIT()s; identity always */
	uint8_t tally_key[32];
	struct ay_blob *rules; /* which these are: kept with every verdict (rules.h) */
};

/* By these sets, those left out of which no part counts; NULL without memory. */
struct ay_judge *ay_judge_make(const struct ay_policy *p, const struct ay_refset *const *sets,
			       const uint32_t *parts, size_t n, int64_t now_ms);
struct ay_judge *ay_judge_ref(struct ay_judge *j);
void ay_judge_unref(struct ay_judge *j); /* NULL is fine */

/*
 * The judges of one policy: hosts that the same parts of the same sets are for
 * share one (judges.c). Sets and policy are borrowed and stay as they are.
 */
struct ay_judge_table;
struct ay_host;
struct ay_judge_table *ay_judge_table_new(const struct ay_policy *p,
					  const struct ay_refset *const *sets, size_t n,
					  int64_t now_ms); /* NULL without memory */
void ay_judge_table_free(struct ay_judge_table *t);	   /* NULL is fine */
/* Would they judge every host alike, until the same instant? */
bool ay_judge_table_same(const struct ay_judge_table *a, const struct ay_judge_table *b);
/* The host's judge by its id and labels; the table's reference. NULL without memory. */
struct ay_judge *ay_judge_table_of(struct ay_judge_table *t, const struct ay_host *h);

/* One finding of a quote, for the comparison of whole reports. */
#define AY_SHAPE_MAX 24
struct ay_shape_row {
	enum ay_check code;
	enum ay_result result;
	char text[96];
};

/* A concluded report, good for every attestation with the same findings. */
struct ay_shape {
	size_t n;
	struct ay_shape_row row[AY_SHAPE_MAX];
	uint8_t ima_id[32]; /* zero: no IMA list */
	enum ay_verdict verdict;
	uint8_t components[AY_COMPONENTS], grades[AY_COMPONENTS];
	struct ay_blob *report;
};

struct ay_memo;
struct ay_memo_table;

struct ay_memo_table *ay_memo_table_new(void); /* NULL without memory */
void ay_memo_table_free(struct ay_memo_table *t);
/* The memo of this state key with one reference for the caller, or NULL. */
struct ay_memo *ay_memo_find(struct ay_memo_table *t, const uint8_t key[32]);
/* Keep what a state was judged to be (ay_report_write octets). One reference for the caller. */
struct ay_memo *ay_memo_add(struct ay_memo_table *t, const uint8_t key[32], struct ay_bytes boot);
bool ay_memo_is(const struct ay_memo *m, const uint8_t key[32]);
struct ay_bytes ay_memo_boot(const struct ay_memo *m);
/* The report of an attestation with these findings of its quote; false when there is none. */
AY_MUST_USE bool ay_memo_shape(struct ay_memo_table *t, struct ay_memo *m,
			       const struct ay_shape *like, struct ay_shape *out);
/* Remember it; takes its own reference to the report. */
void ay_memo_set_shape(struct ay_memo_table *t, struct ay_memo *m, const struct ay_shape *s);
struct ay_memo *ay_memo_ref(struct ay_memo *m);
void ay_memo_unref(struct ay_memo *m); /* NULL is fine */

#endif
