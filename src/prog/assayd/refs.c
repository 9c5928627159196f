/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/policies.h"

#include "core/appraise/causes.h"
#include "core/appraise/set_diff.h"
#include "io/sys/rng.h"

#include <stdlib.h>

#define SILENCE_DEFAULT 2

/* ---- loading ---- */

static bool room(void **list, size_t n, size_t *max, size_t size)
{
	void *p;

	if (n < *max)
		return true;
	p = realloc(*list, (2 * *max + 16) * size);
	if (!p)
		return false;
	*list = p;
	*max = 2 * *max + 16;
	return true;
}

struct ay_set *ay_refs_add_set(struct ay_refs *r, const struct ay_uuid *id, struct ay_refset *s)
{
	void *list = r->set;

	if (!room(&list, r->n_sets, &r->max_sets, sizeof(*r->set)))
		return NULL;
	r->set = list;
	r->set[r->n_sets] = (struct ay_set){ .id = *id, .set = s };
	return &r->set[r->n_sets++];
}

struct ay_active_policy *ay_refs_add_policy(struct ay_refs *r, const struct ay_policy_row *row,
					    struct ay_policy *p)
{
	struct ay_active_policy *at;
	void *list = r->policy;

	if (!room(&list, r->n_policies, &r->max_policies, sizeof(*r->policy)))
		return NULL;
	r->policy = list;
	at = &r->policy[r->n_policies++];
	*at = (struct ay_active_policy){
		.id = row->id, .created_ms = row->created_at, .policy = p, .state = row->state
	};
	snprintf(at->created_by, sizeof(at->created_by), "%s",
		 row->created_by ? row->created_by : "");
	return at;
}

static void load_set(void *arg, const struct ay_refset_row *row)
{
	struct ay_engine *g = arg;
	struct ay_refset *s = NULL;
	struct ay_set *at;
	struct ay_err e;

	if (ay_refset_parse(row->body, &s, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "stored reference set", &e);
		return;
	}
	s->state = row->state;
	at = ay_refs_add_set(g->refs, &row->id, s);
	if (!at) {
		ay_refset_free(s);
		return;
	}
	at->created_ms = row->created_at;
	at->activated_ms = row->activated_at;
	at->supersede_ms = row->supersede_at;
}

static void load_policy(void *arg, const struct ay_policy_row *row)
{
	struct ay_engine *g = arg;
	struct ay_policy *p = NULL;
	struct ay_err e;

	if (ay_policy_parse(row->body, &p, &e) != AY_OK)
		ay_log_err(AY_LOG_ERROR, "stored policy", &e);
	else if (!ay_refs_add_policy(g->refs, row, p))
		ay_policy_free(p);
}

static void rebuild(struct ay_engine *g);

enum ay_rc ay_refs_load(struct ay_engine *g, struct ay_err *e)
{
	enum ay_rc rc;

	g->refs = calloc(1, sizeof(*g->refs));
	if (!g->refs)
		return ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
	rc = ay_store_refsets(g->store, load_set, g, e);
	if (rc == AY_OK)
		rc = ay_store_policies(g->store, load_policy, g, e);
	if (rc == AY_OK)
		rc = ay_policies_load(g, e);
	if (rc == AY_OK)
		rebuild(g);
	return rc;
}

void ay_refs_fini(struct ay_engine *g)
{
	struct ay_refs *r = g->refs;
	struct ay_old_set *o;

	if (!r)
		return;
	for (size_t i = 0; i < r->n_policies; i++) {
		ay_judge_table_free(r->policy[i].judges);
		ay_policy_free(r->policy[i].policy);
	}
	for (size_t i = 0; i < r->n_sets; i++)
		ay_refset_free(r->set[i].set);
	while ((o = r->old)) {
		r->old = o->next;
		ay_refset_free(o->set);
		free(o);
	}
	ay_policies_fini(r);
	free(r->set);
	free(r->policy);
	free(r);
	g->refs = NULL;
}

/* ---- what is in force ---- */

static struct ay_judge_table *judges_new(const struct ay_refs *r, const struct ay_policy *p,
					 int64_t now_ms)
{
	const struct ay_refset **sets = calloc(r->n_sets + 1, sizeof(*sets));
	struct ay_judge_table *t;

	for (size_t i = 0; sets && i < r->n_sets; i++)
		sets[i] = r->set[i].set;
	t = sets ? ay_judge_table_new(p, sets, r->n_sets, now_ms) : NULL;
	free(sets);
	return t;
}

/* The judge of the policy that is the host's; NULL: it has none, or one that is not in force. */
static struct ay_judge *judge_for(const struct ay_engine *g, const struct ay_host *h)
{
	struct ay_active_policy *p = NULL;
	const char *by, *name = g->refs ? ay_policies_name_for(g->refs, h, &by) : NULL;

	if (name)
		p = ay_policies_active(g->refs, name);
	return p && p->judges ? ay_judge_table_of(p->judges, h) : NULL;
}

void ay_refs_attach(struct ay_engine *g, struct ay_host *h)
{
	struct ay_judge *j = judge_for(g, h);
	struct ay_host_run *r = h->run;

	if (r->judge == j)
		return;
	/* entries judged by other rules are judged anew, so the whole list is asked for; after a
	 * start the judge finds out itself whether they were */
	if (r->judge && j && memcmp(r->judge->tally_key, j->tally_key, 32) != 0)
		r->ima_whole = true;
	ay_judge_unref(r->judge);
	r->judge = j ? ay_judge_ref(j) : NULL;
	if (r->conn)
		ay_schedule_soon(g, h);
}

/* Sets, policies or attachments changed, or a waiver or window ended: every host is judged by what
 * is in force from now on. */
static void rebuild(struct ay_engine *g)
{
	struct ay_refs *r = g->refs;

	for (size_t i = 0; i < r->n_policies; i++) {
		struct ay_judge_table *was = r->policy[i].judges;
		struct ay_judge_table *now = judges_new(r, r->policy[i].policy, g->now_ms);

		/* would it judge as the one there is, then that stays and nobody is asked anew */
		if (now && was && ay_judge_table_same(was, now)) {
			ay_judge_table_free(now);
			continue;
		}
		r->policy[i].judges = now;
		ay_judge_table_free(was);
	}
	r->next_end_ms = ay_policies_next_end(g);
	for (size_t i = 0; i < g->n_hosts; i++)
		if (g->host[i]->state != AY_HOST_RETIRED)
			ay_refs_attach(g, g->host[i]);
}

void ay_refs_expire(struct ay_engine *g)
{
	if (g->refs && g->now_ms >= g->refs->next_end_ms)
		rebuild(g);
}

static const struct ay_policy *policy_of(const struct ay_host *h)
{
	return h->run->judge ? h->run->judge->policy : NULL;
}

static int64_t shorter(int64_t set, uint32_t policy_s)
{
	int64_t ms = 1000 * (int64_t)policy_s;

	return ms && ms < set ? ms : set;
}

int64_t ay_refs_lease_ms(struct ay_engine *g, const struct ay_host *h)
{
	const struct ay_policy *p = policy_of(h);
	int64_t lease = shorter(g->set.lease_ms, p ? p->lease_s : 0), left;

	if (!p)
		return lease;
	/* trust that rests on a waiver or window ends with it at the latest */
	left = ay_policy_next_end(p, g->now_ms) - g->now_ms;
	lease = shorter(lease, p->max_staleness_s);
	return left < lease ? left : lease;
}

int64_t ay_refs_interval_ms(struct ay_engine *g, const struct ay_host *h)
{
	const struct ay_policy *p = policy_of(h);

	return shorter(g->set.interval_ms, p ? p->reattest_s : 0);
}

uint32_t ay_refs_silence(struct ay_engine *g, const struct ay_host *h)
{
	const struct ay_policy *p = policy_of(h);

	(void)g;
	return p && p->missed_deadlines ? p->missed_deadlines : SILENCE_DEFAULT;
}

/* ---- finding and showing ---- */

void ay_engine_explain(struct ay_engine *g, json_t *report)
{
	const struct ay_refs *r = g->refs;
	const struct ay_refset **others = calloc(r->n_sets + 1, sizeof(*others));
	size_t n = 0;

	for (size_t i = 0; others && i < r->n_sets; i++)
		if (r->set[i].set->state != AY_SET_ACTIVE)
			others[n++] = r->set[i].set;
	if (others && !ay_causes_explain(report, others, n))
		ay_log_write(AY_LOG_WARN, "no memory to explain a report by other sets", NULL, 0);
	free(others);
}

/* NAME@VERSION in two; false when it is no such thing. */
static bool split_version(struct ay_bytes text, struct ay_bytes *name, uint32_t *version)
{
	uint64_t v = 0;
	size_t at = text.n;

	while (at > 0 && text.p[at - 1] >= '0' && text.p[at - 1] <= '9')
		at--;
	if (at < 2 || text.p[at - 1] != '@' || text.n - at > 9 || text.n == at)
		return false;
	for (size_t i = at; i < text.n; i++)
		v = 10 * v + (uint64_t)(text.p[i] - '0');
	*name = (struct ay_bytes){ text.p, at - 1 };
	*version = (uint32_t)v;
	return true;
}

/* version 0: the newest */
static struct ay_set *find_version(struct ay_refs *r, struct ay_bytes name, uint32_t version)
{
	struct ay_set *best = NULL;

	for (size_t i = 0; i < r->n_sets; i++) {
		struct ay_set *s = &r->set[i];

		if (ay_bytes_eq(ay_bytes_of(s->set->name), name) &&
		    (version == 0 || s->set->version == version) &&
		    (!best || s->set->version > best->set->version))
			best = s;
	}
	return best;
}

struct ay_set *ay_refs_find(struct ay_refs *r, struct ay_bytes id_or_name)
{
	struct ay_bytes name;
	struct ay_set *s;
	uint32_t version;
	struct ay_uuid id;

	if (ay_uuid_looks_like(id_or_name)) {
		if (ay_uuid_parse(id_or_name, "id", &id, NULL) != AY_OK)
			return NULL;
		for (size_t i = 0; i < r->n_sets; i++)
			if (memcmp(r->set[i].id.b, id.b, 16) == 0)
				return &r->set[i];
		return NULL;
	}
	s = find_version(r, id_or_name, 0); /* a name may hold an @ itself */
	if (!s && split_version(id_or_name, &name, &version) && version != 0)
		s = find_version(r, name, version);
	return s;
}

static void set_time(json_t *o, const char *member, int64_t at_ms)
{
	char at[AY_TIME_ROOM];

	if (at_ms == 0) {
		json_object_set_new(o, member, json_null());
		return;
	}
	ay_time_format(at_ms, at);
	json_object_set_new(o, member, json_string(at));
}

json_t *ay_refs_set_json(const struct ay_set *s, bool full)
{
	char id[AY_UUID_TEXT], at[AY_TIME_ROOM];
	json_t *o = ay_refset_json(s->set, full);

	if (!o)
		return NULL;
	ay_uuid_format(&s->id, id);
	ay_time_format(s->created_ms, at);
	json_object_set_new(o, "id", json_string(id));
	json_object_set_new(o, "created_at", json_string(at));
	set_time(o, "activated_at", s->activated_ms);
	set_time(o, "supersede_at", s->set->state == AY_SET_ACTIVE ? s->supersede_ms : 0);
	return o;
}

static enum ay_rc give(json_t *o, json_t **out, struct ay_err *e)
{
	*out = o;
	return o ? AY_OK : ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
}

enum ay_rc ay_engine_references(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < g->refs->n_sets; i++) {
		json_t *o = ay_refs_set_json(&g->refs->set[i], false);
		size_t users = ay_refs_users(g, &g->refs->set[i]);

		if (o)
			json_object_set_new(o, "hosts", json_integer((json_int_t)users));
		if (json_array_append_new(list, o) != 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return give(list, out, e);
}

enum ay_rc ay_engine_reference(struct ay_engine *g, struct ay_bytes id, json_t **out,
			       struct ay_err *e)
{
	const struct ay_set *s = ay_refs_find(g->refs, id);

	*out = NULL;
	if (!s)
		return ay_fail(e, AY_E_NOENT, "reference", 0, "no such reference set");
	return give(ay_refs_set_json(s, true), out, e);
}

enum ay_rc ay_engine_reference_boot(struct ay_engine *g, struct ay_bytes id, json_t **out,
				    struct ay_err *e)
{
	const struct ay_set *s = ay_refs_find(g->refs, id);

	*out = NULL;
	if (!s)
		return ay_fail(e, AY_E_NOENT, "reference", 0, "no such reference set");
	return give(ay_refset_boot_json(s->set), out, e);
}

enum ay_rc ay_engine_reference_export(struct ay_engine *g, struct ay_bytes id, struct ay_arena *a,
				      struct ay_bytes *out, struct ay_err *e)
{
	const struct ay_set *s = ay_refs_find(g->refs, id);
	struct ay_refset draft;
	struct ay_bytes text;
	uint8_t *line;

	*out = (struct ay_bytes){ NULL, 0 };
	if (!s)
		return ay_fail(e, AY_E_NOENT, "reference", 0, "no such reference set");
	draft = *s->set;
	draft.state = AY_SET_DRAFT; /* where it goes it begins anew */
	text = ay_refset_build(&draft, a);
	line = text.p ? ay_arena_alloc(a, text.n + 1) : NULL;
	if (!line)
		return ay_fail(e, AY_E_NOMEM, "reference", 0, "no memory");
	memcpy(line, text.p, text.n);
	line[text.n] = '\n';
	*out = (struct ay_bytes){ line, text.n + 1 };
	return AY_OK;
}

enum ay_rc ay_engine_reference_diff(struct ay_engine *g, struct ay_bytes a, struct ay_bytes b,
				    json_t **out, struct ay_err *e)
{
	const struct ay_set *sa = ay_refs_find(g->refs, a), *sb = ay_refs_find(g->refs, b);

	*out = NULL;
	if (!sa || !sb)
		return ay_fail(e, AY_E_NOENT, sa ? "other" : "reference", 0,
			       "no such reference set");
	return give(ay_set_diff(sa->set, sb->set), out, e);
}

/* ---- what is in force changes ---- */

/* The default policy comes into force with the first set that does. */
static enum ay_rc have_default_policy(struct ay_engine *g, struct ay_err *e)
{
	struct ay_policy *p = NULL;
	struct ay_policy_row row = { .state = AY_SET_ACTIVE, .created_at = g->now_ms };
	struct ay_write w = { .kind = AY_WR_POLICY_ADD, .policy = &row };
	struct ay_store_result res;
	enum ay_rc rc;

	if (ay_policies_next_version(g->refs, "default") > 1)
		return AY_OK; /* there was one: what became of it was somebody's decision */
	rc = ay_policy_default(&p, e);
	if (rc != AY_OK)
		return rc;
	row.id = ay_rng_uuid();
	row.name = p->name;
	row.version = p->version;
	row.created_by = "system";
	row.sha256 = AY_BYTES(p->sha256);
	row.body = ay_bytes_of(ay_policy_default_json());
	rc = ay_store_write(g->store, &w, 1, &res, e);
	if (rc == AY_OK && !ay_refs_add_policy(g->refs, &row, p))
		rc = ay_fail(e, AY_E_NOMEM, "policy", 0, "no memory");
	if (rc != AY_OK)
		ay_policy_free(p);
	return rc;
}

static bool any_active(const struct ay_refs *r)
{
	for (size_t i = 0; i < r->n_sets; i++)
		if (r->set[i].set->state == AY_SET_ACTIVE)
			return true;
	return false;
}

enum ay_rc ay_refs_in_force(struct ay_engine *g, struct ay_err *e)
{
	enum ay_rc rc = any_active(g->refs) ? have_default_policy(g, e) : AY_OK;

	rebuild(g);
	return rc;
}

static bool names(const struct ay_policy *p, const char *set)
{
	for (size_t i = 0; i < p->n_references; i++)
		if (strcmp(p->reference[i], set) == 0)
			return true;
	return false;
}

const char *ay_refs_policy_naming(const struct ay_engine *g, const struct ay_set *s)
{
	const struct ay_refs *r = g->refs;

	for (size_t i = 0; i < r->n_sets; i++)
		if (&r->set[i] != s && r->set[i].set->state == AY_SET_ACTIVE &&
		    strcmp(r->set[i].set->name, s->set->name) == 0)
			return NULL;
	for (size_t i = 0; i < r->n_policies; i++)
		if (r->policy[i].state == AY_SET_ACTIVE && names(r->policy[i].policy, s->set->name))
			return r->policy[i].policy->name;
	return NULL;
}

const char *ay_refs_default_policy(const struct ay_engine *g)
{
	(void)g;
	return ""; /* no policy of its own: the default one as soon as there is one */
}
