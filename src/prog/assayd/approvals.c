/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/approvals.h"

#include "core/base/hex.h"
#include "core/base/json.h"
#include "io/sys/rng.h"
#include "prog/assayd/engine_impl.h"

#include <stdlib.h>

/* Every operation that two persons can be wanted for. */
const struct ay_approval_kind *const ay_approval_kinds[] = {
	&ay_approval_reference_activate,
	&ay_approval_reference_revoke,
	&ay_approval_reference_supersede,
	&ay_approval_policy_activate,
	NULL,
};

enum { APPROVAL_ARENA = 16 * 1024, ARGS_MAX = 4096 };

/* One in memory, as stored; its texts are in the arena. */
struct ay_approval {
	struct ay_approval *next;
	struct ay_arena arena;
	struct ay_approval_row row;
};

struct ay_approvals {
	struct ay_approval *first; /* newest first */
	size_t n_pending;
};

static const struct ay_approval_kind *kind_of(const char *name)
{
	for (size_t i = 0; ay_approval_kinds[i]; i++)
		if (strcmp(ay_approval_kinds[i]->name, name) == 0)
			return ay_approval_kinds[i];
	return NULL;
}

bool ay_engine_two_persons(const struct ay_engine *g, const struct ay_approval_kind *k)
{
	char key[80];

	snprintf(key, sizeof(key), "approval.%s", k->key);
	return g->config && ay_config_bool(g->config, key);
}

static int64_t setting(const struct ay_engine *g, const char *key)
{
	return g->config ? ay_config_int(g->config, key) : 0;
}

/* ---- memory ---- */

static void approval_free(struct ay_approval *p)
{
	ay_arena_fini(&p->arena);
	free(p);
}

static bool copy_texts(struct ay_approval *p)
{
	struct ay_approval_row *r = &p->row;
	const char **const texts[] = { &r->kind,       &r->object,    &r->title,      &r->args,
				       &r->permission, &r->requester, &r->decided_by, &r->reason };

	for (size_t i = 0; i < AY_COUNT(texts); i++) {
		*texts[i] = ay_arena_str(&p->arena, ay_bytes_of(*texts[i]));
		if (!*texts[i])
			return false;
	}
	r->hash = ay_arena_dup(&p->arena, r->hash);
	return r->hash.n == 32;
}

/* NULL without memory. */
static struct ay_approval *add(struct ay_engine *g, const struct ay_approval_row *row)
{
	struct ay_approval *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	ay_arena_init(&p->arena, APPROVAL_ARENA);
	p->row = *row;
	if (!copy_texts(p)) {
		approval_free(p);
		return NULL;
	}
	p->next = g->approvals->first;
	g->approvals->first = p;
	g->approvals->n_pending += row->state == AY_APPROVAL_PENDING;
	return p;
}

static void load(void *arg, const struct ay_approval_row *row)
{
	if (!add(arg, row)) /* one that cannot be read is never carried out */
		AY_LOG(AY_LOG_ERROR, "a stored approval cannot be read", AY_LS("kind", row->kind));
}

enum ay_rc ay_approvals_load(struct ay_engine *g, struct ay_err *e)
{
	g->approvals = calloc(1, sizeof(*g->approvals));
	if (!g->approvals)
		return ay_fail(e, AY_E_NOMEM, "approvals", 0, "no memory");
	return ay_store_approvals(g->store, load, g, e);
}

void ay_approvals_fini(struct ay_engine *g)
{
	struct ay_approval *p;

	if (!g->approvals)
		return;
	while ((p = g->approvals->first)) {
		g->approvals->first = p->next;
		approval_free(p);
	}
	free(g->approvals);
	g->approvals = NULL;
}

static enum ay_rc find(struct ay_engine *g, struct ay_bytes id_text, struct ay_approval **out,
		       struct ay_err *e)
{
	struct ay_uuid id;

	*out = NULL;
	if (ay_uuid_parse(id_text, "approval", &id, NULL) == AY_OK)
		for (struct ay_approval *p = g->approvals->first; p && !*out; p = p->next)
			if (memcmp(p->row.id.b, id.b, 16) == 0)
				*out = p;
	return *out ? AY_OK : ay_fail(e, AY_E_NOENT, "approval", 0, "no approval has this id");
}

/* ---- showing ---- */

static json_t *time_json(int64_t at_ms)
{
	char at[AY_TIME_ROOM];

	if (at_ms == 0)
		return json_null();
	ay_time_format(at_ms, at);
	return json_string(at);
}

static json_t *approval_json(const struct ay_approval *p)
{
	const struct ay_approval_row *r = &p->row;
	char id[AY_UUID_TEXT], hash[65];

	ay_uuid_format(&r->id, id);
	ay_hex_encode(r->hash, hash);
	return json_pack("{ss ss ss ss so* ss ss so so ss so so so}", "id", id, "kind", r->kind,
			 "object", r->object, "title", r->title, "args",
			 json_loads(r->args, 0, NULL), "sha256", hash, "requester", r->requester,
			 "requested_at", time_json(r->requested_at), "expires_at",
			 time_json(r->expires_at), "state",
			 ay_approval_state_name((enum ay_approval_state)r->state), "decided_by",
			 r->decided_by[0] ? json_string(r->decided_by) : json_null(), "decided_at",
			 time_json(r->decided_at), "reason",
			 r->reason[0] ? json_string(r->reason) : json_null());
}

static enum ay_rc give(json_t *o, json_t **out, struct ay_err *e)
{
	*out = o;
	return o ? AY_OK : ay_fail(e, AY_E_NOMEM, "approvals", 0, "no memory");
}

enum ay_rc ay_engine_approvals(struct ay_engine *g, struct ay_bytes state, json_t **out,
			       struct ay_err *e)
{
	enum ay_approval_state want = AY_APPROVAL_PENDING;
	json_t *list;

	*out = NULL;
	if (state.n && !ay_approval_state_find(state, &want))
		return ay_fail(e, AY_E_INPUT, "state", 0,
			       "state is pending, approved, denied, expired or void");
	list = json_array();
	for (const struct ay_approval *p = g->approvals->first; list && p; p = p->next)
		if ((!state.n || p->row.state == want) &&
		    json_array_append_new(list, approval_json(p)) != 0) {
			json_decref(list);
			list = NULL;
		}
	return give(list, out, e);
}

enum ay_rc ay_engine_approval(struct ay_engine *g, struct ay_bytes id, json_t **out,
			      struct ay_err *e)
{
	struct ay_approval *p;
	enum ay_rc rc = find(g, id, &p, e);

	*out = NULL;
	return rc != AY_OK ? rc : give(approval_json(p), out, e);
}

const char *ay_engine_approval_permission(struct ay_engine *g, struct ay_bytes id,
					  const char **requester)
{
	struct ay_approval *p;
	struct ay_err e;

	if (find(g, id, &p, &e) != AY_OK)
		return NULL;
	*requester = p->row.requester;
	return p->row.permission;
}

/* ---- asking ---- */

/* What this operation would do now, as one hash. */
static enum ay_rc hash_now(struct ay_engine *g, const struct ay_approval_kind *k,
			   struct ay_bytes object, const char *args, struct ay_approval_target *t,
			   uint8_t out[32], struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *a = json_loads(args, JSON_REJECT_DUPLICATES, NULL);
	enum ay_rc rc = a ? k->target(g, object, a, t, e)
			  : ay_fail(e, AY_E_NOMEM, "approvals", 0, "no memory");

	memset(out, 0, 32);
	if (rc != AY_OK)
		return rc;
	ay_approval_hash(&(struct ay_approval_object){ .kind = k->name,
						       .id = t->id,
						       .content = AY_BYTES(t->content),
						       .context = AY_BYTES(t->context),
						       .args = args },
			 out);
	return AY_OK;
}

static enum ay_rc may_ask(struct ay_engine *g, const char *kind, const char *object,
			  struct ay_err *e)
{
	char id[AY_UUID_TEXT];

	if (g->approvals->n_pending >= AY_MAX_APPROVALS_PENDING)
		return ay_fail_code(e, AY_E_LIMIT, "LIMIT", "approval",
				    "%d operations wait for approval already: decide some first",
				    AY_MAX_APPROVALS_PENDING);
	for (const struct ay_approval *p = g->approvals->first; p; p = p->next)
		if (p->row.state == AY_APPROVAL_PENDING && strcmp(p->row.kind, kind) == 0 &&
		    strcmp(p->row.object, object) == 0) {
			ay_uuid_format(&p->row.id, id);
			return ay_fail_code(e, AY_E_EXISTS, "APPROVAL_PENDING", "approval",
					    "%.40s asked for it already: approval %s",
					    p->row.requester, id);
		}
	return AY_OK;
}

/* {"kind","object","title",..} of audit records about it; freed by free(). */
static char *detail_of(const struct ay_approval_row *r, const char *reason)
{
	char id[AY_UUID_TEXT], hash[65];
	json_t *o;
	char *text;

	ay_uuid_format(&r->id, id);
	ay_hex_encode(r->hash, hash);
	o = json_pack("{ss ss ss ss ss ss}", "approval", id, "kind", r->kind, "object", r->object,
		      "sha256", hash, "requester", r->requester, "reason", reason);
	text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(o);
	return text;
}

static struct ay_bytes args_text(const json_t *args, struct ay_arena *a)
{
	AY_CLEANUP(ay_json_unref) json_t *none = json_object();

	return ay_json_canonical(args ? args : none, a);
}

static enum ay_rc store_request(struct ay_engine *g, const struct ay_approval_row *row,
				struct ay_err *e)
{
	char actor[AY_MAX_NAME_BYTES + 8], *detail = detail_of(row, "");
	struct ay_audit_row audit = { g->now_ms, actor, "APPROVAL_ASK", row->title, detail };
	struct ay_write w[] = { { .kind = AY_WR_APPROVAL_ADD, .approval = row },
				{ .kind = AY_WR_AUDIT, .audit = &audit } };
	struct ay_store_result res;
	enum ay_rc rc;

	snprintf(actor, sizeof(actor), "user:%s", row->requester);
	rc = detail ? ay_store_write(g->store, w, AY_COUNT(w), &res, e)
		    : ay_fail(e, AY_E_NOMEM, "approvals", 0, "no memory");
	free(detail);
	return rc;
}

static enum ay_rc ask(struct ay_engine *g, const struct ay_approval_request *r, const char *args,
		      json_t **out, struct ay_err *e)
{
	struct ay_approval_target t = { 0 };
	uint8_t hash[32];
	struct ay_approval_row row = { .id = ay_rng_uuid(),
				       .kind = r->kind->name,
				       .object = t.id,
				       .title = t.title,
				       .args = args,
				       .permission = r->permission,
				       .hash = AY_BYTES(hash),
				       .requester = r->user,
				       .requested_at = g->now_ms,
				       .decided_by = "",
				       .reason = "" };
	struct ay_pending_event *told = NULL;
	struct ay_approval *p;
	enum ay_rc rc = hash_now(g, r->kind, r->object, args, &t, hash, e);

	row.expires_at = g->now_ms + setting(g, "approval.expires");
	if (rc == AY_OK)
		rc = may_ask(g, row.kind, row.object, e);
	if (rc == AY_OK) {
		told = ay_event_announce(g, "approval", NULL, NULL, "APPROVAL_ASKED", row.title);
		rc = store_request(g, &row, e);
	}
	ay_event_announced(g, told);
	if (rc != AY_OK)
		return rc;
	p = add(g, &row);
	if (!p)
		return ay_fail(e, AY_E_NOMEM, "approvals", 0, "no memory");
	return give(approval_json(p), out, e);
}

enum ay_rc ay_engine_approval_ask(struct ay_engine *g, const struct ay_approval_request *r,
				  json_t **out, struct ay_err *e)
{
	struct ay_bytes args;
	struct ay_arena a;
	const char *text;
	enum ay_rc rc;

	*out = NULL;
	ay_arena_init(&a, (size_t)4 * ARGS_MAX);
	args = args_text(r->args, &a);
	text = args.p ? ay_arena_str(&a, args) : NULL;
	if (args.n > ARGS_MAX)
		rc = ay_fail(e, AY_E_LIMIT, "approval.args", 0, "more than %d octets", ARGS_MAX);
	else
		rc = text ? ask(g, r, text, out, e)
			  : ay_fail(e, AY_E_NOMEM, "approvals", 0, "no memory");
	ay_arena_fini(&a);
	return rc;
}

/* ---- deciding ---- */

/* How one ends: the row and its audit record, to be part of a transaction. */
struct ending {
	struct ay_approval_end end;
	struct ay_audit_row audit, done; /* done: of the operation itself, when it is carried out */
	struct ay_write w[3];
	char actor[AY_MAX_NAME_BYTES + 8], asker[AY_MAX_NAME_BYTES + 8];
	char *detail, *reason;
};

static enum ay_rc ending_init(struct ay_engine *g, const struct ay_approval *p,
			      enum ay_approval_state to, const char *user, struct ay_bytes reason,
			      struct ending *n, struct ay_err *e)
{
	static const char *const actions[AY_APPROVAL_STATES] = {
		[AY_APPROVAL_PENDING] = "APPROVAL_ASK", [AY_APPROVAL_APPROVED] = "APPROVAL_APPROVE",
		[AY_APPROVAL_DENIED] = "APPROVAL_DENY", [AY_APPROVAL_EXPIRED] = "APPROVAL_EXPIRE",
		[AY_APPROVAL_VOID] = "APPROVAL_VOID",
	};

	*n = (struct ending){ 0 };
	n->reason = strndup(reason.n ? (const char *)reason.p : "", reason.n);
	n->detail = n->reason ? detail_of(&p->row, n->reason) : NULL;
	if (!n->detail)
		return ay_fail(e, AY_E_NOMEM, "approvals", 0, "no memory");
	snprintf(n->actor, sizeof(n->actor), user[0] ? "user:%s" : "system", user);
	n->end = (struct ay_approval_end){ p->row.id, (uint8_t)to, user, g->now_ms, n->reason };
	n->audit =
		(struct ay_audit_row){ g->now_ms, n->actor, actions[to], p->row.title, n->detail };
	n->w[0] = (struct ay_write){ .kind = AY_WR_APPROVAL_END, .approval_end = &n->end };
	n->w[1] = (struct ay_write){ .kind = AY_WR_AUDIT, .audit = &n->audit };
	snprintf(n->asker, sizeof(n->asker), "user:%s", p->row.requester);
	n->done = (struct ay_audit_row){ g->now_ms, n->asker, "", p->row.title, n->detail };
	n->w[2] = (struct ay_write){ .kind = AY_WR_AUDIT, .audit = &n->done };
	return AY_OK;
}

static void ending_fini(struct ending *n)
{
	free(n->detail);
	free(n->reason);
}

/* Stored: in memory too. A text that has no memory is shown empty; the store has it. */
static void ended(struct ay_engine *g, struct ay_approval *p, const struct ending *n)
{
	const char *by = ay_arena_str(&p->arena, ay_bytes_of(n->end.decided_by));
	const char *reason = ay_arena_str(&p->arena, ay_bytes_of(n->end.reason));

	g->approvals->n_pending--;
	p->row.state = n->end.state;
	p->row.decided_at = n->end.decided_at;
	p->row.decided_by = by ? by : "";
	p->row.reason = reason ? reason : "";
}

/* Ends it without doing anything. */
static enum ay_rc close_as(struct ay_engine *g, struct ay_approval *p, enum ay_approval_state to,
			   const char *user, struct ay_bytes reason, struct ay_err *e)
{
	struct ay_pending_event *told = NULL;
	struct ay_store_result res;
	struct ending n;
	enum ay_rc rc = ending_init(g, p, to, user, reason, &n, e);

	if (rc == AY_OK) {
		told = ay_event_announce(g, "approval", NULL, NULL, n.audit.action, p->row.title);
		rc = ay_store_write(g->store, n.w, 2, &res, e);
	}
	ay_event_announced(g, told);
	if (rc == AY_OK)
		ended(g, p, &n);
	ending_fini(&n);
	return rc;
}

static struct ay_approval_ask asked(const struct ay_approval *p)
{
	return (struct ay_approval_ask){ .state = (enum ay_approval_state)p->row.state,
					 .requester = p->row.requester,
					 .expires_at = p->row.expires_at };
}

static enum ay_rc carry_out(struct ay_engine *g, struct ay_approval *p,
			    const struct ay_approval_kind *k, struct ending *n, json_t **result,
			    struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref)
	json_t *args = json_loads(p->row.args, JSON_REJECT_DUPLICATES, NULL);
	const struct ay_also also = { n->w, AY_COUNT(n->w) };
	struct ay_pending_event *told;
	enum ay_rc rc;

	if (!args)
		return ay_fail(e, AY_E_NOMEM, "approvals", 0, "no memory");
	n->done.action = k->action;
	told = ay_event_announce(g, "approval", NULL, NULL, n->audit.action, p->row.title);
	rc = k->run(g, ay_bytes_of(p->row.object), args, &also, result, e);
	ay_event_announced(g, told);
	return rc;
}

/* Is it what was asked for? If not it never will be: void. */
static enum ay_rc still_same(struct ay_engine *g, struct ay_approval *p,
			     const struct ay_approval_kind *k, const struct ay_approver *by,
			     struct ay_err *e)
{
	struct ay_approval_target t = { 0 };
	struct ay_err why = { 0 };
	uint8_t now[32];
	enum ay_rc rc = hash_now(g, k, ay_bytes_of(p->row.object), p->row.args, &t, now, &why);

	if (rc == AY_E_NOMEM || rc == AY_E_UNAVAIL) {
		*e = why;
		return rc;
	}
	if (ay_approval_same(p->row.hash.p, now, e) == AY_OK)
		return AY_OK;
	rc = close_as(g, p, AY_APPROVAL_VOID, by->user, ay_bytes_of("the object has changed"),
		      &why);
	if (rc != AY_OK)
		*e = why;
	return rc != AY_OK ? rc : AY_E_EXISTS;
}

enum ay_rc ay_engine_approval_approve(struct ay_engine *g, struct ay_bytes id,
				      const struct ay_approver *by, struct ay_bytes reason,
				      json_t **out, struct ay_err *e)
{
	struct ay_approval_rules rules = { setting(g, "approval.token_age") };
	const struct ay_approval_kind *k;
	struct ay_approval *p;
	json_t *result = NULL;
	struct ending n = { 0 };
	struct ay_approval_ask what;
	enum ay_rc rc = find(g, id, &p, e);

	*out = NULL;
	if (rc != AY_OK)
		return rc;
	what = asked(p);
	rc = ay_approval_may_approve(&what, by, &rules, g->now_ms, e);
	k = kind_of(p->row.kind);
	if (rc == AY_OK && !k)
		rc = ay_fail(e, AY_E_INPUT, "approval.kind", 0,
			     "this server knows no such operation");
	if (rc == AY_OK)
		rc = still_same(g, p, k, by, e);
	if (rc == AY_OK)
		rc = ending_init(g, p, AY_APPROVAL_APPROVED, by->user, reason, &n, e);
	if (rc == AY_OK)
		rc = carry_out(g, p, k, &n, &result, e);
	if (rc == AY_OK) {
		ended(g, p, &n);
		rc = give(json_pack("{so so*}", "approval", approval_json(p), "result", result),
			  out, e);
	}
	ending_fini(&n);
	return rc;
}

enum ay_rc ay_engine_approval_deny(struct ay_engine *g, struct ay_bytes id,
				   const struct ay_approver *by, struct ay_bytes reason,
				   json_t **out, struct ay_err *e)
{
	struct ay_approval_ask what;
	struct ay_approval *p;
	enum ay_rc rc = find(g, id, &p, e);

	*out = NULL;
	if (rc != AY_OK)
		return rc;
	what = asked(p);
	rc = ay_approval_may_deny(&what, by, g->now_ms, e);
	if (rc == AY_OK)
		rc = close_as(g, p, AY_APPROVAL_DENIED, by->user, reason, e);
	return rc != AY_OK ? rc : give(approval_json(p), out, e);
}

void ay_approvals_tick(struct ay_engine *g)
{
	struct ay_err e;

	if (!g->approvals->n_pending)
		return;
	for (struct ay_approval *p = g->approvals->first; p; p = p->next)
		if (p->row.state == AY_APPROVAL_PENDING && g->now_ms >= p->row.expires_at &&
		    close_as(g, p, AY_APPROVAL_EXPIRED, "", ay_bytes_of(""), &e) != AY_OK)
			ay_log_err(AY_LOG_WARN, "an approval that has expired", &e);
}
