/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/history.h"
#include "prog/assayd/whatif_impl.h"

#include "io/sys/clock.h"

#include <stdlib.h>

/* ---- life ---- */

struct ay_whatif *ay_whatif_new(void)
{
	struct ay_whatif *w = calloc(1, sizeof(*w));

	if (w)
		pthread_mutex_init(&w->lock, NULL);
	return w;
}

void ay_whatif_run_free(struct ay_whatif_run *r)
{
	for (size_t i = 0; i < r->n_flips; i++)
		free(r->flip[i].causes);
	for (size_t i = 0; i < r->n_judges; i++)
		ay_judge_table_free(r->judges[i]);
	ay_memo_table_free(r->memos);
	ay_policy_free(r->policy);
	ay_refset_free(r->set);
	free(r->judges);
	free(r->flip);
	free(r->host);
	free(r->name);
	free(r);
}

void ay_whatif_free(struct ay_whatif *w)
{
	struct ay_whatif_run *r;

	if (!w)
		return;
	while ((r = w->runs)) {
		w->runs = r->next;
		ay_whatif_run_free(r);
	}
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* ---- who is next ---- */

bool ay_whatif_waits(struct ay_whatif *w)
{
	return w && __atomic_load_n(&w->waiting, __ATOMIC_RELAXED) > 0;
}

/* The oldest run first. */
static struct ay_whatif_run *take(struct ay_whatif *w, struct ay_whatif_host **host)
{
	struct ay_whatif_run *found = NULL;

	pthread_mutex_lock(&w->lock);
	for (struct ay_whatif_run *r = w->runs; r; r = r->next)
		if (r->state == AY_WHATIF_IS_RUNNING && r->taken < r->n_hosts)
			found = r;
	if (found) {
		*host = &found->host[found->taken++];
		found->busy++;
		__atomic_sub_fetch(&w->waiting, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

/* ---- one host ---- */

struct outcome {
	bool judged;
	struct ay_flip flip;
};

static char *causes_of(const struct ay_blob *report)
{
	struct ay_bytes text = ay_blob_data(report);
	json_t *o = NULL;
	char *out = NULL;

	if (ay_json_load(text, text.n, "report", &o, NULL) != AY_OK)
		return NULL;
	if (json_is_array(json_object_get(o, "causes")))
		out = json_dumps(json_object_get(o, "causes"), JSON_COMPACT);
	json_decref(o);
	return out;
}

/* As settling does: an untrusted verdict in force is not lifted by one that knows nothing. */
static enum ay_verdict in_force_after(const struct ay_whatif_host *h, enum ay_verdict v,
				      int64_t now_ms)
{
	struct ay_lease lease = h->lease;

	(void)ay_lease_apply(&lease, AY_LEASE_SETTLED, v, now_ms + 1000);
	return lease.verdict;
}

static void judge_host(struct ay_whatif_run *r, const struct ay_whatif_host *h,
		       struct ay_store *reader, struct ay_arena *a, struct outcome *out)
{
	struct ay_history *past = ay_arena_alloc(a, sizeof(*past));
	struct ay_recheck_out checked;
	struct ay_flip *f = &out->flip;

	f->host = h->id;
	memcpy(f->from_components, h->components, sizeof(f->from_components));
	if (!past || ay_history_load(reader, &h->id, h->seq, false, a, past, NULL) != AY_OK)
		return;
	f->from = (uint8_t)past->verdict; /* a lease that ran out since is no change of mind */
	past->in.judge = h->judge;
	past->in.brief = true;
	past->in.now_ms = r->now_ms;
	if (ay_recheck(&past->in, r->memos, a, &checked, NULL) != AY_OK)
		return;
	out->judged = true;
	f->to = (uint8_t)in_force_after(h, checked.verdict, r->now_ms);
	memcpy(f->to_components, checked.components, sizeof(f->to_components));
	if (f->from != f->to)
		f->causes = causes_of(checked.report);
	ay_blob_unref(checked.report);
}

static bool add_flip(struct ay_whatif_run *r, const struct ay_flip *f)
{
	if (r->n_flips == r->max_flips) {
		size_t max = r->max_flips ? 2 * r->max_flips : 64;
		struct ay_flip *bigger = realloc(r->flip, max * sizeof(*bigger));

		if (!bigger)
			return false;
		r->flip = bigger;
		r->max_flips = max;
	}
	r->flip[r->n_flips++] = *f;
	return true;
}

static void give_back(struct ay_whatif *w, struct ay_whatif_run *r, struct outcome *o)
{
	bool kept = false;

	pthread_mutex_lock(&w->lock);
	r->busy--;
	r->done++;
	if (!o->judged) {
		r->not_judged++;
	} else {
		r->from[o->flip.from]++;
		r->to[o->flip.to]++;
		if (o->flip.from != o->flip.to)
			kept = add_flip(r, &o->flip);
	}
	if (r->state == AY_WHATIF_IS_RUNNING && r->done == r->n_hosts) {
		r->state = AY_WHATIF_IS_DONE;
		r->ended_ms = ay_clock_wall_ms();
	}
	pthread_mutex_unlock(&w->lock);
	if (!kept)
		free(o->flip.causes);
}

void ay_whatif_step(struct ay_whatif *w, struct ay_store *reader, struct ay_arena *a)
{
	struct ay_whatif_host *h = NULL;
	struct ay_whatif_run *r = take(w, &h);
	struct outcome o = { 0 };

	if (!r)
		return;
	if (reader)
		judge_host(r, h, reader, a, &o);
	ay_arena_reset(a);
	give_back(w, r, &o);
}
