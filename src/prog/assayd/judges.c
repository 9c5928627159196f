/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/judge.h"

#include <stdlib.h>

#define BUCKETS 256

/* A policy with all sets that are in force for it, and a judge for each choice of them. */
struct ay_judge_table {
	const struct ay_policy *policy;
	int64_t made_at;
	int64_t next_end_ms; /* when one of its waivers or windows ends next */
	size_t n_sets;
	const struct ay_refset **set;
	uint32_t *parts; /* room for the choice that is being made */
	bool by_host;	 /* some set is not for every host */
	struct entry {
		struct entry *next;
		uint32_t *parts; /* of each set of the table */
		struct ay_judge *judge;
	} * bucket[BUCKETS];
};

/* ---- the table ---- */

static bool is_by_host(const struct ay_refset *s)
{
	return s->match.n_labels > 0 || s->match.n_hosts > 0 ||
	       (ay_refset_parts(s) & AY_PART_BIT(AY_PART_HOST_UNIQUE)) != 0;
}

struct ay_judge_table *ay_judge_table_new(const struct ay_policy *p,
					  const struct ay_refset *const *sets, size_t n,
					  int64_t now_ms)
{
	struct ay_judge_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->policy = p;
	t->made_at = now_ms;
	t->next_end_ms = ay_policy_next_end(p, now_ms);
	t->set = calloc(n + 1, sizeof(*t->set));
	t->parts = calloc(n + 1, sizeof(*t->parts));
	if (!t->set || !t->parts) {
		ay_judge_table_free(t);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (ay_policy_in_force(p, sets[i], false, now_ms)) {
			t->by_host = t->by_host || is_by_host(sets[i]);
			t->set[t->n_sets++] = sets[i];
		}
	return t;
}

void ay_judge_table_free(struct ay_judge_table *t)
{
	if (!t)
		return;
	for (size_t b = 0; b < BUCKETS; b++)
		for (struct entry *e = t->bucket[b], *next; e; e = next) {
			next = e->next;
			ay_judge_unref(e->judge);
			free(e->parts);
			free(e);
		}
	free(t->set);
	free(t->parts);
	free(t);
}

bool ay_judge_table_same(const struct ay_judge_table *a, const struct ay_judge_table *b)
{
	return a->policy == b->policy && a->next_end_ms == b->next_end_ms &&
	       a->n_sets == b->n_sets &&
	       memcmp(a->set, b->set, a->n_sets * sizeof(*a->set)) == 0;
}

static size_t bucket_of(const struct ay_judge_table *t)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < t->n_sets; i++)
		h = (h ^ t->parts[i]) * 0x100000001b3u;
	return (size_t)(h >> 32) % BUCKETS;
}

static struct ay_judge *add(struct ay_judge_table *t, size_t bucket)
{
	struct entry *e = calloc(1, sizeof(*e));
	uint32_t *parts = calloc(t->n_sets + 1, sizeof(*parts));

	if (e && parts)
		e->judge = ay_judge_make(t->policy, t->set, t->parts, t->n_sets, t->made_at);
	if (!e || !e->judge) {
		free(e);
		free(parts);
		return NULL;
	}
	memcpy(parts, t->parts, t->n_sets * sizeof(*parts));
	e->parts = parts;
	e->next = t->bucket[bucket];
	t->bucket[bucket] = e;
	return e->judge;
}

/* What the operator says of the host, as the core asks for it. */
static void facts_of(const struct ay_host *h, struct ay_match_label *label,
		     struct ay_host_facts *out)
{
	*out = (struct ay_host_facts){ .has_id = true, .id = h->id, .label = label };
	for (; out->n_labels < h->n_labels && out->n_labels < AY_MAX_LABELS; out->n_labels++) {
		label[out->n_labels].key = h->labels[out->n_labels].key;
		label[out->n_labels].value = h->labels[out->n_labels].value;
	}
}

struct ay_judge *ay_judge_table_of(struct ay_judge_table *t, const struct ay_host *h)
{
	struct ay_match_label label[AY_MAX_LABELS];
	struct ay_host_facts facts;
	size_t b = 0;

	facts_of(h, label, &facts);
	if (t->by_host || !t->bucket[0]) {
		for (size_t i = 0; i < t->n_sets; i++)
			t->parts[i] = ay_match_host(t->set[i], &facts);
		b = t->by_host ? bucket_of(t) : 0;
	}
	for (struct entry *e = t->bucket[b]; e; e = e->next)
		if (!t->by_host || memcmp(e->parts, t->parts, t->n_sets * sizeof(*e->parts)) == 0)
			return e->judge;
	return add(t, b);
}
