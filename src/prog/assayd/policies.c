/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/policies.h"

#include "core/appraise/lint.h"
#include "core/crypto/hash.h"
#include "io/sys/rng.h"
#include "prog/assayd/approvals.h"

#include <stdlib.h>

/* Members that the API adds to a policy; whoever edits what was shown sends them back. */
static const char *const shown[] = { "id",	   "state",  "created_at", "created_by",
				     "complaints", "sha256", NULL };

/* ---- finding ---- */

struct ay_active_policy *ay_policies_active(struct ay_refs *r, const char *name)
{
	for (size_t i = r->n_policies; i-- > 0;)
		if (r->policy[i].state == AY_SET_ACTIVE &&
		    strcmp(r->policy[i].policy->name, name) == 0)
			return &r->policy[i];
	return NULL;
}

uint32_t ay_policies_next_version(const struct ay_refs *r, const char *name)
{
	uint32_t v = 0;

	for (size_t i = 0; i < r->n_policies; i++)
		if (strcmp(r->policy[i].policy->name, name) == 0 &&
		    r->policy[i].policy->version > v)
			v = r->policy[i].policy->version;
	return v + 1;
}

static bool is_version(const struct ay_active_policy *p, struct ay_bytes id_or_name)
{
	char id[AY_UUID_TEXT], text[AY_MAX_NAME_BYTES + 16];

	ay_uuid_format(&p->id, id);
	snprintf(text, sizeof(text), "%s@%u", p->policy->name, (unsigned)p->policy->version);
	return ay_bytes_eq(id_or_name, ay_bytes_of(id)) ||
	       ay_bytes_eq(id_or_name, ay_bytes_of(text));
}

/* By id, NAME@VERSION, or the newest version of a name. */
static enum ay_rc find(struct ay_engine *g, struct ay_bytes id_or_name,
		       struct ay_active_policy **out, struct ay_err *e)
{
	struct ay_refs *r = g->refs;

	*out = NULL;
	for (size_t i = 0; i < r->n_policies; i++) {
		struct ay_active_policy *p = &r->policy[i];

		if (is_version(p, id_or_name)) {
			*out = p;
			return AY_OK;
		}
		if (ay_bytes_eq(id_or_name, ay_bytes_of(p->policy->name)) &&
		    (!*out || p->policy->version > (*out)->policy->version))
			*out = p;
	}
	return *out ? AY_OK : ay_fail(e, AY_E_NOENT, "policy", 0, "no policy has this id or name");
}

/* ---- showing ---- */

static json_t *policy_json(const struct ay_active_policy *p)
{
	char id[AY_UUID_TEXT], at[AY_TIME_ROOM];
	json_t *o = ay_policy_json(p->policy);

	if (!o)
		return NULL;
	ay_uuid_format(&p->id, id);
	ay_time_format(p->created_ms, at);
	json_object_set_new(o, "id", json_string(id));
	json_object_set_new(o, "state", json_string(ay_set_state_name(p->state)));
	json_object_set_new(o, "created_at", json_string(at));
	json_object_set_new(o, "created_by", json_string(p->created_by));
	return o;
}

static enum ay_rc give(json_t *o, json_t **out, struct ay_err *e)
{
	*out = o;
	return o ? AY_OK : ay_fail(e, AY_E_NOMEM, "policy", 0, "no memory");
}

enum ay_rc ay_engine_policies(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < g->refs->n_policies; i++)
		if (json_array_append_new(list, policy_json(&g->refs->policy[i])) != 0) {
			json_decref(list);
			list = NULL;
		}
	return give(list, out, e);
}

enum ay_rc ay_engine_policy(struct ay_engine *g, struct ay_bytes id, json_t **out, struct ay_err *e)
{
	struct ay_active_policy *p;
	enum ay_rc rc = find(g, id, &p, e);

	*out = NULL;
	return rc != AY_OK ? rc : give(policy_json(p), out, e);
}

/* ---- the linter, with the sets there are ---- */

struct first_error {
	enum ay_lint code;
	bool any;
};

static void note_error(void *arg, enum ay_lint code, const char *about)
{
	struct first_error *f = arg;

	(void)about;
	if (!f->any && ay_lint_row(code)->severity == AY_LINT_ERROR)
		*f = (struct first_error){ code, true };
}

/* Sets of the engine as the linter wants them; *sets is freed by the caller. */
static enum ay_rc lint_in(const struct ay_engine *g, const struct ay_policy *p,
			  struct ay_lint_in *in, const struct ay_refset ***sets, struct ay_err *e)
{
	const struct ay_refset **all = calloc(g->refs->n_sets + 1, sizeof(*all));

	*sets = all;
	if (!all)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "no memory");
	for (size_t i = 0; i < g->refs->n_sets; i++)
		all[i] = g->refs->set[i].set;
	*in = (struct ay_lint_in){ .policy = p,
				   .sets = all,
				   .n_sets = g->refs->n_sets,
				   .sets_known = true,
				   .now_ms = g->now_ms };
	return AY_OK;
}

static enum ay_rc check_lint(const struct ay_engine *g, const struct ay_policy *p, struct ay_err *e)
{
	struct first_error first = { 0 };
	const struct ay_refset **sets;
	struct ay_lint_in in;
	enum ay_rc rc = lint_in(g, p, &in, &sets, e);

	if (rc == AY_OK && AY_CHECKED("POLICY_LINT", ay_lint_policy(&in, note_error, &first) > 0))
		rc = ay_fail_code(e, AY_E_CRYPTO, "POLICY_LINT", "policy",
				  "%s: %.80s (ask the linter for all)",
				  ay_lint_row(first.code)->code, ay_lint_row(first.code)->fix);
	free(sets);
	return rc;
}

static enum ay_rc complaints(const struct ay_engine *g, const struct ay_policy *p, json_t **out,
			     struct ay_err *e)
{
	const struct ay_refset **sets;
	struct ay_lint_in in;
	size_t n;
	enum ay_rc rc = lint_in(g, p, &in, &sets, e);

	*out = NULL;
	if (rc == AY_OK)
		rc = give(ay_lint_json(&in, &n), out, e);
	free(sets);
	return rc;
}

/* A document as people send it, without what the API adds, as the next version of its name. */
static enum ay_rc read_draft(const struct ay_engine *g, const json_t *doc, struct ay_policy **out,
			     struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *copy = json_is_object(doc) ? json_deep_copy(doc) : NULL;
	const char *name = json_string_value(json_object_get(copy, "name"));

	*out = NULL;
	if (!copy)
		return ay_fail(e, AY_E_INPUT, "policy", 0, "is not a policy document");
	for (size_t i = 0; shown[i]; i++)
		json_object_del(copy, shown[i]);
	if (name)
		json_object_set_new(copy, "version",
				    json_integer(ay_policies_next_version(g->refs, name)));
	return ay_policy_from_json(copy, out, e);
}

enum ay_rc ay_engine_policy_lint(struct ay_engine *g, const json_t *doc, json_t **out,
				 struct ay_err *e)
{
	struct ay_policy *p;
	enum ay_rc rc = read_draft(g, doc, &p, e);

	*out = NULL;
	if (rc == AY_OK)
		rc = complaints(g, p, out, e);
	ay_policy_free(p);
	return rc;
}

/* ---- a new version ---- */

static enum ay_rc store_draft(struct ay_engine *g, const struct ay_policy *p,
			      struct ay_policy_row *row, struct ay_err *e)
{
	struct ay_write w = { .kind = AY_WR_POLICY_ADD, .policy = row };
	struct ay_store_result res;
	struct ay_arena a;
	enum ay_rc rc;

	ay_arena_init(&a, (size_t)4 * AY_MAX_POLICY_BYTES);
	row->id = ay_rng_uuid();
	row->name = p->name;
	row->version = p->version;
	row->sha256 = AY_BYTES(p->sha256);
	row->body = ay_policy_build(p, &a);
	rc = row->body.p ? ay_store_write(g->store, &w, 1, &res, e)
			 : ay_fail(e, AY_E_NOMEM, "policy", 0, "no memory");
	ay_arena_fini(&a);
	row->body = (struct ay_bytes){ 0 };
	return rc;
}

enum ay_rc ay_engine_policy_set(struct ay_engine *g, const json_t *doc, const char *user,
				json_t **out, struct ay_err *e)
{
	struct ay_policy_row row = { .created_at = g->now_ms, .created_by = user };
	struct ay_active_policy *at = NULL;
	json_t *list = NULL;
	struct ay_policy *p;
	enum ay_rc rc = read_draft(g, doc, &p, e);

	*out = NULL;
	if (rc == AY_OK)
		rc = check_lint(g, p, e);
	if (rc == AY_OK)
		rc = complaints(g, p, &list, e);
	if (rc == AY_OK)
		rc = store_draft(g, p, &row, e);
	if (rc == AY_OK && !(at = ay_refs_add_policy(g->refs, &row, p)))
		rc = ay_fail(e, AY_E_NOMEM, "policy", 0, "no memory");
	if (rc != AY_OK)
		ay_policy_free(p);
	else
		rc = give(policy_json(at), out, e);
	if (rc == AY_OK)
		json_object_set(*out, "complaints", json_object_get(list, "complaints"));
	json_decref(list);
	return rc;
}

/* ---- life ---- */

static enum ay_rc write_states(struct ay_engine *g, struct ay_active_policy *p,
			       struct ay_active_policy *was, enum ay_set_state to,
			       const struct ay_also *also, struct ay_err *e)
{
	size_t n_also = also ? also->n : 0, n = 0;
	struct ay_write *w = calloc(n_also + 2, sizeof(*w));
	struct ay_store_result res;
	enum ay_rc rc;

	if (!w)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "no memory");
	for (size_t i = 0; i < n_also; i++)
		w[n++] = also->w[i];
	if (was) {
		w[n] = (struct ay_write){ .kind = AY_WR_POLICY_STATE };
		w[n].by_uuid.uuid = was->id;
		w[n++].by_uuid.state = AY_SET_SUPERSEDED;
	}
	w[n] = (struct ay_write){ .kind = AY_WR_POLICY_STATE };
	w[n].by_uuid.uuid = p->id;
	w[n++].by_uuid.state = to;
	rc = ay_store_write(g->store, w, n, &res, e);
	free(w);
	return rc;
}

static enum ay_rc may_become(const struct ay_active_policy *p, enum ay_set_state to,
			     struct ay_err *e)
{
	if (p->state == to || !ay_set_state_may(p->state, to))
		return ay_fail_code(e, AY_E_EXISTS, "STATE", "policy",
				    "a policy that is %s cannot become %s",
				    ay_set_state_name(p->state), ay_set_state_name(to));
	return AY_OK;
}

static enum ay_rc move(struct ay_engine *g, struct ay_active_policy *p, enum ay_set_state to,
		       const struct ay_also *also, struct ay_err *e)
{
	struct ay_active_policy *was =
		to == AY_SET_ACTIVE ? ay_policies_active(g->refs, p->policy->name) : NULL;
	struct ay_pending_event *told = ay_event_announce(
		g, "policy", NULL, NULL, to == AY_SET_ACTIVE ? "POLICY_ACTIVE" : "POLICY_REVOKED",
		p->policy->name);
	enum ay_rc rc = write_states(g, p, was, to, also, e);

	ay_event_announced(g, told);
	if (rc != AY_OK)
		return rc;
	if (was)
		was->state = AY_SET_SUPERSEDED;
	p->state = to;
	return ay_refs_in_force(g, e);
}

enum ay_rc ay_engine_policy_activate(struct ay_engine *g, struct ay_bytes id,
				     const struct ay_also *also, json_t **out, struct ay_err *e)
{
	struct ay_active_policy *p;
	enum ay_rc rc = find(g, id, &p, e);

	*out = NULL;
	if (rc == AY_OK)
		rc = may_become(p, AY_SET_ACTIVE, e);
	if (rc == AY_OK)
		rc = check_lint(g, p->policy, e);
	if (rc == AY_OK)
		rc = move(g, p, AY_SET_ACTIVE, also, e);
	return rc == AY_OK ? give(policy_json(p), out, e) : rc;
}

/* Hosts it was attached to have no policy then, and are not trusted. */
enum ay_rc ay_engine_policy_revoke(struct ay_engine *g, struct ay_bytes id,
				   const struct ay_also *also, json_t **out, struct ay_err *e)
{
	struct ay_active_policy *p;
	enum ay_rc rc = find(g, id, &p, e);

	*out = NULL;
	if (rc == AY_OK)
		rc = may_become(p, AY_SET_REVOKED, e);
	if (rc == AY_OK)
		rc = move(g, p, AY_SET_REVOKED, also, e);
	return rc == AY_OK ? give(policy_json(p), out, e) : rc;
}

/* ---- the same by two persons ---- */

static enum ay_rc activate_target(struct ay_engine *g, struct ay_bytes object, const json_t *args,
				  struct ay_approval_target *out, struct ay_err *e)
{
	struct ay_active_policy *p, *was;
	enum ay_rc rc = find(g, object, &p, e);

	(void)args;
	*out = (struct ay_approval_target){ 0 };
	if (rc == AY_OK)
		rc = may_become(p, AY_SET_ACTIVE, e);
	if (rc == AY_OK)
		rc = check_lint(g, p->policy, e);
	if (rc != AY_OK)
		return rc;
	was = ay_policies_active(g->refs, p->policy->name);
	ay_uuid_format(&p->id, out->id);
	snprintf(out->title, sizeof(out->title), "%s@%u", p->policy->name,
		 (unsigned)p->policy->version);
	memcpy(out->content, p->policy->sha256, 32);
	if (was) /* what it replaces */
		memcpy(out->context, was->policy->sha256, 32);
	out->context[0] ^= (uint8_t)p->state;
	return AY_OK;
}

static enum ay_rc activate_run(struct ay_engine *g, struct ay_bytes id, const json_t *args,
			       const struct ay_also *also, json_t **out, struct ay_err *e)
{
	(void)args;
	return ay_engine_policy_activate(g, id, also, out, e);
}

const struct ay_approval_kind ay_approval_policy_activate = {
	.name = "policy_activate",
	.key = "policy_activate",
	.action = "POLICY_ACTIVATE",
	.doc = "put a version of a policy in force",
	.target = activate_target,
	.run = activate_run,
};

/* ---- what ends with time ---- */

int64_t ay_policies_next_end(const struct ay_engine *g)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < g->refs->n_policies; i++) {
		const struct ay_active_policy *p = &g->refs->policy[i];
		int64_t end = p->state == AY_SET_ACTIVE ? ay_policy_next_end(p->policy, g->now_ms)
							: INT64_MAX;

		next = end < next ? end : next;
	}
	return next;
}
