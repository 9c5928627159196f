/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/policies.h"
#include "prog/assayd/whatif_impl.h"

#include "io/sys/rng.h"

#include <stdlib.h>

/* A run that is being put together. */
struct starting {
	struct ay_engine *g;
	const struct ay_whatif_ask *ask;
	struct ay_whatif_run *r;
	const char *for_policy;	       /* policy draft: hosts of this policy; NULL: all */
	const struct ay_refset **sets; /* candidates, the draft among them */
	size_t n_sets;
	const struct ay_policy **of; /* of judges[i]: the policy in force it stands for */
};

static enum ay_rc no_memory(struct ay_err *e)
{
	return ay_fail(e, AY_E_NOMEM, "what-if", 0, "no memory");
}

/* ---- the draft ---- */

/* NAME, or NAME@VERSION when no policy has that whole name; version 0: the newest. */
static bool policy_is(const struct ay_active_policy *p, struct ay_bytes id)
{
	char text[AY_UUID_TEXT], versioned[AY_MAX_NAME_BYTES + 16];

	ay_uuid_format(&p->id, text);
	snprintf(versioned, sizeof(versioned), "%s@%u", p->policy->name, p->policy->version);
	return ay_bytes_eq(id, ay_bytes_of(text)) || ay_bytes_eq(id, ay_bytes_of(versioned)) ||
	       ay_bytes_eq(id, ay_bytes_of(p->policy->name));
}

static enum ay_rc copy_policy(const struct ay_policy *p, struct ay_policy **out, struct ay_err *e)
{
	json_t *j = ay_policy_json(p);
	enum ay_rc rc = j ? ay_policy_from_json(j, out, e) : no_memory(e);

	json_decref(j);
	return rc;
}

static enum ay_rc draft_policy(struct starting *s, struct ay_err *e)
{
	const struct ay_active_policy *best = NULL;
	struct ay_refs *refs = s->g->refs;

	if (s->ask->document)
		return ay_policy_from_json(s->ask->document, &s->r->policy, e);
	for (size_t i = 0; i < refs->n_policies; i++)
		if (policy_is(&refs->policy[i], s->ask->id) &&
		    (!best || refs->policy[i].policy->version > best->policy->version))
			best = &refs->policy[i];
	if (!best)
		return ay_fail(e, AY_E_NOENT, "policy", 0, "no policy has this id or name");
	return copy_policy(best->policy, &s->r->policy, e);
}

/* The set as it will be when it is active. */
static enum ay_rc draft_set(struct starting *s, struct ay_err *e)
{
	const struct ay_set *stored = NULL;
	json_t *j;
	enum ay_rc rc;

	if (s->ask->document) {
		rc = ay_refset_from_json(s->ask->document, &s->r->set, e);
	} else {
		stored = ay_refs_find(s->g->refs, s->ask->id);
		if (!stored)
			return ay_fail(e, AY_E_NOENT, "reference", 0, "no such reference set");
		if (stored->set->state == AY_SET_REVOKED)
			return ay_fail_code(e, AY_E_EXISTS, "STATE", "reference",
					    "a set that is revoked cannot become active");
		j = ay_refset_json(stored->set, true);
		rc = j ? ay_refset_from_json(j, &s->r->set, e) : no_memory(e);
		json_decref(j);
	}
	if (rc == AY_OK)
		s->r->set->state = AY_SET_ACTIVE;
	return rc;
}

/* The order is that of the sets in memory after an activation. */
static enum ay_rc gather_sets(struct starting *s, struct ay_err *e)
{
	const struct ay_refs *refs = s->g->refs;
	const struct ay_refset *draft = s->r->set;
	bool placed = draft == NULL;

	s->sets = calloc(refs->n_sets + 2, sizeof(*s->sets));
	if (!s->sets)
		return no_memory(e);
	for (size_t i = 0; i < refs->n_sets; i++) {
		const struct ay_refset *set = refs->set[i].set;

		if (!draft || strcmp(set->name, draft->name) != 0)
			s->sets[s->n_sets++] = set;
		else if (set->version == draft->version && !s->ask->document)
			s->sets[s->n_sets++] = draft, placed = true;
		else if (set->state != AY_SET_ACTIVE || !s->ask->supersede)
			s->sets[s->n_sets++] = set; /* an update window may still accept it */
	}
	if (!placed)
		s->sets[s->n_sets++] = draft;
	return AY_OK;
}

static enum ay_rc make_draft(struct starting *s, struct ay_err *e)
{
	struct ay_whatif_run *r = s->r;
	enum ay_rc rc = s->ask->of == AY_WHATIF_POLICY ? draft_policy(s, e) : draft_set(s, e);

	if (rc != AY_OK)
		return rc;
	r->name = strdup(r->policy ? r->policy->name : r->set->name);
	r->version = r->policy ? r->policy->version : r->set->version;
	if (r->policy)
		s->for_policy = r->policy->name;
	if (r->policy && s->ask->instead_of.n)
		s->for_policy = NULL; /* compared with ask->instead_of */
	return r->name ? gather_sets(s, e) : no_memory(e);
}

/* ---- judges ---- */

/* The judges that stand for this policy in the run; made once. */
static enum ay_rc judges_for(struct starting *s, const struct ay_policy *p,
			     struct ay_judge_table **out, struct ay_err *e)
{
	struct ay_whatif_run *r = s->r;
	struct ay_judge_table **judges;
	const struct ay_policy **of;

	for (size_t i = 0; i < r->n_judges; i++)
		if (s->of[i] == p) {
			*out = r->judges[i];
			return AY_OK;
		}
	judges = realloc(r->judges, (r->n_judges + 1) * sizeof(*judges));
	if (!judges)
		return no_memory(e);
	r->judges = judges;
	of = realloc(s->of, (r->n_judges + 1) * sizeof(*of));
	if (!of)
		return no_memory(e);
	s->of = of;
	*out = ay_judge_table_new(p, s->sets, s->n_sets, s->g->now_ms);
	if (!*out)
		return no_memory(e);
	s->of[r->n_judges] = p;
	r->judges[r->n_judges++] = *out;
	return AY_OK;
}

/* A set's first activation brings the default policy, for hosts without one. */
static enum ay_rc default_policy(struct starting *s, const struct ay_policy **out, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	if (!s->r->policy)
		rc = ay_policy_default(&s->r->policy, e);
	*out = s->r->policy;
	return rc;
}

/* The policy that this host would be judged by; *affected: the draft has a part in it. */
static enum ay_rc policy_of(struct starting *s, const struct ay_host *h,
			    const struct ay_policy **out, bool *affected, struct ay_err *e)
{
	const char *by, *named = ay_policies_name_for(s->g->refs, h, &by);
	struct ay_bytes name = ay_bytes_of(named ? named : "default");
	struct ay_active_policy *active;
	struct ay_bytes target = s->for_policy ? ay_bytes_of(s->for_policy) : s->ask->instead_of;

	if (s->ask->of == AY_WHATIF_POLICY) {
		*affected = ay_bytes_eq(name, target);
		*out = s->r->policy;
		return AY_OK;
	}
	active = named ? ay_policies_active(s->g->refs, named) : NULL;
	*out = active ? active->policy : NULL;
	*affected = true;
	if (!*out && ay_bytes_eq(name, ay_bytes_of("default")))
		return default_policy(s, out, e);
	*affected = *out != NULL && (ay_policy_takes(*out, s->r->set->name));
	return AY_OK;
}

/* ---- hosts ---- */

static bool has_labels(const struct ay_host *h, const json_t *labels)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)labels, key, value) {
		bool has = false;

		for (size_t i = 0; i < h->n_labels && !has; i++)
			has = strcmp(h->labels[i].key, key) == 0 && json_is_string(value) &&
			      strcmp(h->labels[i].value, json_string_value(value)) == 0;
		if (!has)
			return false;
	}
	return true;
}

static enum ay_rc add_host(struct starting *s, const struct ay_host *h, struct ay_err *e)
{
	struct ay_whatif_run *r = s->r;
	struct ay_whatif_host *to = &r->host[r->n_hosts];
	const struct ay_policy *p = NULL;
	struct ay_judge_table *judges;
	bool affected = false;
	enum ay_rc rc = policy_of(s, h, &p, &affected, e);

	if (rc != AY_OK)
		return rc;
	if (!affected) {
		r->unaffected++;
		return AY_OK;
	}
	if (h->state != AY_HOST_ENROLLED || !h->run->seq) {
		r->without_evidence++;
		return AY_OK;
	}
	*to = (struct ay_whatif_host){ .id = h->id, .seq = h->run->seq, .lease = h->lease };
	memcpy(to->components, h->components, sizeof(to->components));
	rc = judges_for(s, p, &judges, e);
	if (rc == AY_OK && !(to->judge = ay_judge_table_of(judges, h)))
		rc = no_memory(e);
	if (rc == AY_OK)
		r->n_hosts++;
	return rc;
}

static enum ay_rc add_hosts(struct starting *s, struct ay_err *e)
{
	struct ay_engine *g = s->g;
	enum ay_rc rc = AY_OK;

	s->r->host = calloc(g->n_hosts + 1, sizeof(*s->r->host));
	if (!s->r->host)
		return no_memory(e);
	for (size_t i = 0; rc == AY_OK && i < g->n_hosts; i++)
		if (g->host[i]->state != AY_HOST_RETIRED && has_labels(g->host[i], s->ask->labels))
			rc = add_host(s, g->host[i], e);
	return rc;
}

/* ---- runs ---- */

/* Under the lock: how many are running; the oldest that ended goes when there are too many. */
static size_t make_room(struct ay_whatif *w, struct ay_whatif_run **gone)
{
	struct ay_whatif_run **oldest = NULL;
	size_t n = 0, running = 0;

	*gone = NULL;
	for (struct ay_whatif_run **p = &w->runs; *p; p = &(*p)->next) {
		n++;
		running += (*p)->state == AY_WHATIF_IS_RUNNING;
		if ((*p)->state != AY_WHATIF_IS_RUNNING && !(*p)->busy)
			oldest = p;
	}
	if (n >= AY_WHATIF_KEPT && oldest) {
		*gone = *oldest;
		*oldest = (*oldest)->next;
	}
	return running;
}

static struct ay_whatif_run *find(struct ay_whatif *w, struct ay_bytes id, struct ay_err *e)
{
	struct ay_uuid u;

	if (w && ay_uuid_parse(id, "run", &u, NULL) == AY_OK)
		for (struct ay_whatif_run *r = w->runs; r; r = r->next)
			if (memcmp(r->id.b, u.b, sizeof(u.b)) == 0)
				return r;
	(void)!ay_fail_code(e, AY_E_NOENT, "WHATIF_GONE", "run",
			    "no such run; runs end with the server: begin it again");
	return NULL;
}

static json_t *counts(const size_t n[3])
{
	return json_pack("{s:I, s:I, s:I}", "trusted", (json_int_t)n[AY_TRUSTED], "unknown",
			 (json_int_t)n[AY_UNKNOWN], "untrusted", (json_int_t)n[AY_UNTRUSTED]);
}

static void set_time(json_t *o, const char *member, int64_t at_ms)
{
	char at[AY_TIME_ROOM];

	ay_time_format(at_ms, at);
	json_object_set_new(o, member, at_ms ? json_string(at) : json_null());
}

/* Under the lock. */
static json_t *run_json(const struct ay_whatif_run *r)
{
	static const char *const states[] = { "running", "done", "cancelled" };
	char id[AY_UUID_TEXT];
	json_t *o;

	ay_uuid_format(&r->id, id);
	o = json_pack(
		"{s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "id", id, "of",
		r->of == AY_WHATIF_POLICY ? "policy" : "reference", "name", r->name, "version",
		(json_int_t)r->version, "state", states[r->state], "hosts", (json_int_t)r->n_hosts,
		"judged", (json_int_t)r->done, "not_judged", (json_int_t)r->not_judged, "flips",
		(json_int_t)r->n_flips, "unaffected", (json_int_t)r->unaffected, "without_evidence",
		(json_int_t)r->without_evidence, "from", counts(r->from), "to", counts(r->to));
	if (o) {
		set_time(o, "started_at", r->started_ms);
		set_time(o, "ended_at", r->ended_ms);
	}
	return o;
}

static enum ay_rc enter(struct starting *s, json_t **out, struct ay_err *e)
{
	struct ay_whatif *w = s->g->whatif;
	struct ay_whatif_run *gone = NULL, *r = s->r;
	size_t running;

	pthread_mutex_lock(&w->lock);
	running = make_room(w, &gone);
	if (running < AY_WHATIF_RUNNING) {
		r->next = w->runs;
		w->runs = r;
		if (r->n_hosts == 0) {
			r->state = AY_WHATIF_IS_DONE;
			r->ended_ms = r->started_ms;
		}
		__atomic_add_fetch(&w->waiting, r->n_hosts, __ATOMIC_RELAXED);
		*out = run_json(r);
		s->r = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	if (gone)
		ay_whatif_run_free(gone);
	if (running >= AY_WHATIF_RUNNING)
		return ay_fail_code(e, AY_E_UNAVAIL, "WHATIF_BUSY", "what-if",
				    "%d runs are under way: wait for one, or cancel it",
				    AY_WHATIF_RUNNING);
	ay_workers_wake(s->g);
	return *out ? AY_OK : no_memory(e);
}

enum ay_rc ay_whatif_start(struct ay_engine *g, const struct ay_whatif_ask *ask, json_t **out,
			   struct ay_err *e)
{
	struct starting s = { .g = g, .ask = ask, .r = calloc(1, sizeof(*s.r)) };
	enum ay_rc rc = AY_OK;

	*out = NULL;
	if (!s.r || !(s.r->memos = ay_memo_table_new()))
		rc = no_memory(e);
	if (rc == AY_OK) {
		s.r->id = ay_rng_uuid();
		s.r->of = ask->of;
		s.r->started_ms = s.r->now_ms = g->now_ms;
		rc = make_draft(&s, e);
	}
	if (rc == AY_OK)
		rc = add_hosts(&s, e);
	if (rc == AY_OK)
		rc = enter(&s, out, e);
	if (s.r)
		ay_whatif_run_free(s.r);
	free(s.sets);
	free(s.of);
	return rc;
}

enum ay_rc ay_whatif_show(struct ay_engine *g, struct ay_bytes id, json_t **out, struct ay_err *e)
{
	struct ay_whatif_run *r;

	pthread_mutex_lock(&g->whatif->lock);
	r = find(g->whatif, id, e);
	*out = r ? run_json(r) : NULL;
	pthread_mutex_unlock(&g->whatif->lock);
	if (!r)
		return AY_E_NOENT;
	return *out ? AY_OK : no_memory(e);
}

enum ay_rc ay_whatif_cancel(struct ay_engine *g, struct ay_bytes id, json_t **out, struct ay_err *e)
{
	struct ay_whatif_run *r;

	pthread_mutex_lock(&g->whatif->lock);
	r = find(g->whatif, id, e);
	if (r && r->state == AY_WHATIF_IS_RUNNING) {
		r->state = AY_WHATIF_IS_CANCELLED;
		r->ended_ms = g->now_ms;
		__atomic_sub_fetch(&g->whatif->waiting, r->n_hosts - r->taken, __ATOMIC_RELAXED);
	}
	*out = r ? run_json(r) : NULL;
	pthread_mutex_unlock(&g->whatif->lock);
	if (!r)
		return AY_E_NOENT;
	return *out ? AY_OK : no_memory(e);
}

/* ---- flips ---- */

/* Components that would be judged otherwise. */
static json_t *components_json(const struct ay_flip *f)
{
	json_t *o = json_object();

	for (size_t i = AY_COMP_IDENTITY; i < AY_COMPONENTS; i++)
		if (f->from_components[i] != f->to_components[i])
			json_object_set_new(
				o, ay_component_name((enum ay_component)i),
				json_pack("{s:s, s:s}", "from",
					  ay_verdict_name((enum ay_verdict)f->from_components[i]),
					  "to",
					  ay_verdict_name((enum ay_verdict)f->to_components[i])));
	return o;
}

static json_t *flip_json(struct ay_engine *g, const struct ay_flip *f)
{
	const struct ay_host *h = ay_hosts_by_id(g, &f->host);
	json_t *causes = f->causes ? json_loads(f->causes, 0, NULL) : NULL;
	char id[AY_UUID_TEXT];

	ay_uuid_format(&f->host, id);
	return json_pack("{s:s, s:s?, s:s, s:s, s:o, s:o}", "host", id, "name", h ? h->name : NULL,
			 "from", ay_verdict_name((enum ay_verdict)f->from), "to",
			 ay_verdict_name((enum ay_verdict)f->to), "components", components_json(f),
			 "causes", causes ? causes : json_array());
}

enum ay_rc ay_whatif_flips(struct ay_engine *g, struct ay_bytes id, uint64_t from, size_t limit,
			   json_t **out, uint64_t *next, struct ay_err *e)
{
	struct ay_whatif_run *r;

	*next = 0;
	*out = json_array();
	pthread_mutex_lock(&g->whatif->lock);
	r = find(g->whatif, id, e);
	for (uint64_t i = from; r && i < r->n_flips && i < from + limit; i++)
		json_array_append_new(*out, flip_json(g, &r->flip[i]));
	if (r && from + limit < r->n_flips)
		*next = from + limit;
	pthread_mutex_unlock(&g->whatif->lock);
	if (r)
		return AY_OK;
	json_decref(*out);
	*out = NULL;
	return AY_E_NOENT;
}
