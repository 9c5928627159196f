/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a reference set: draft -> active -> superseded -> revoked, and who relies on it. */
#include "core/appraise/report_json.h"
#include "core/base/json.h"
#include "core/crypto/hash.h"
#include "prog/assayd/approvals.h"
#include "prog/assayd/refs.h"

#include <stdlib.h>

/* ---- a change of several sets, prepared, stored, then put in force ---- */

struct change {
	struct ay_set *set;
	enum ay_set_state to; /* its own state: only `until` changes */
	int64_t until;
	struct ay_refset *fresh;
	struct ay_old_set *old;
};

struct changes {
	struct change *of;
	size_t n, max;
};

static void changes_free(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		ay_refset_free(c->of[i].fresh);
		free(c->of[i].old);
	}
	free(c->of);
}

/* The set once more, in its new state: workers may be reading the one there is. */
static enum ay_rc copy_as(const struct ay_refset *s, enum ay_set_state to, struct ay_refset **out,
			  struct ay_err *e)
{
	struct ay_arena a;
	struct ay_bytes body;
	enum ay_rc rc;

	ay_arena_init(&a, AY_LEARN_ARENA);
	body = ay_refset_build(s, &a);
	rc = body.p ? ay_refset_parse(body, out, e)
		    : ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
	ay_arena_fini(&a);
	if (rc == AY_OK)
		(*out)->state = to;
	return rc;
}

static enum ay_rc plan(struct changes *c, struct ay_set *s, enum ay_set_state to, int64_t until,
		       struct ay_err *e)
{
	struct change *now = &c->of[c->n];

	if (s->set->state != to && !ay_set_state_may(s->set->state, to))
		return ay_fail_code(e, AY_E_EXISTS, "STATE", "reference",
				    "a set that is %s cannot become %s",
				    ay_set_state_name(s->set->state), ay_set_state_name(to));
	*now = (struct change){ .set = s, .to = to, .until = until };
	c->n++;
	if (s->set->state == to)
		return AY_OK;
	now->old = calloc(1, sizeof(*now->old));
	return now->old ? copy_as(s->set, to, &now->fresh, e)
			: ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
}

static enum ay_rc changes_init(struct ay_engine *g, struct changes *c, struct ay_err *e)
{
	*c = (struct changes){ .max = g->refs->n_sets };
	c->of = calloc(c->max + 1, sizeof(*c->of));
	return c->of ? AY_OK : ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
}

static struct ay_write write_of(const struct change *ch, int64_t now_ms)
{
	struct ay_write w = { .kind = ch->fresh ? AY_WR_REFSET_STATE : AY_WR_REFSET_UNTIL };

	w.by_uuid.uuid = ch->set->id;
	w.by_uuid.state = ch->to;
	w.by_uuid.at = ch->fresh ? now_ms : ch->until;
	return w;
}

static void put_in_force(struct ay_engine *g, struct change *ch)
{
	struct ay_set *s = ch->set;

	if (!ch->fresh) {
		s->supersede_ms = ch->until;
		return;
	}
	*ch->old = (struct ay_old_set){ g->refs->old, s->set };
	g->refs->old = ch->old;
	s->set = ch->fresh;
	if (ch->to == AY_SET_ACTIVE)
		s->activated_ms = g->now_ms;
	ch->fresh = NULL;
	ch->old = NULL;
}

/* All of them, and `also`, in one transaction. */
static enum ay_rc commit(struct ay_engine *g, struct changes *c, const struct ay_also *also,
			 struct ay_err *e)
{
	size_t n_also = also ? also->n : 0, n = 0;
	struct ay_write *w = calloc(c->n + n_also + 1, sizeof(*w));
	struct ay_store_result res;
	enum ay_rc rc;

	if (!w)
		return ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
	for (size_t i = 0; i < n_also; i++)
		w[n++] = also->w[i];
	for (size_t i = 0; i < c->n; i++)
		w[n++] = write_of(&c->of[i], g->now_ms);
	rc = n ? ay_store_write(g->store, w, n, &res, e) : AY_OK;
	free(w);
	for (size_t i = 0; rc == AY_OK && i < c->n; i++)
		put_in_force(g, &c->of[i]);
	return rc;
}

static enum ay_rc commit_told(struct ay_engine *g, struct changes *c, const struct ay_also *also,
			      const char *code, const char *name, struct ay_err *e)
{
	struct ay_pending_event *told = ay_event_announce(g, "reference", NULL, NULL, code, name);
	enum ay_rc rc = commit(g, c, also, e);

	ay_event_announced(g, told);
	return rc;
}

/* ---- who relies on a set ---- */

/* Was this host's state judged by that very version? */
static bool memo_names(const struct ay_memo *m, const struct ay_refset *s, struct ay_arena *a)
{
	struct ay_report boot;
	struct ay_err e;
	bool named = false;

	if (ay_report_parse(ay_memo_boot(m), a, &boot, &e) == AY_OK)
		for (size_t i = 0; i < boot.n_references && !named; i++)
			named = memcmp(boot.reference[i].sha256, s->sha256, 32) == 0;
	ay_arena_reset(a);
	return named;
}

static bool judge_takes(const struct ay_judge *j, const struct ay_refset *s)
{
	for (size_t i = 0; j && i < j->n_sets; i++)
		if (memcmp(j->sets[i]->sha256, s->sha256, 32) == 0)
			return true;
	return false;
}

/* Not attested since the server started: it may rely on every set its policy takes. */
static bool relies(const struct ay_host *h, const struct ay_refset *s, struct ay_arena *a)
{
	const struct ay_host_run *r = h->run;

	if (h->state != AY_HOST_ENROLLED || s->state != AY_SET_ACTIVE || !judge_takes(r->judge, s))
		return false;
	if (!r->memo)
		return h->attested_ms != 0;
	return (ay_refset_parts(s) & AY_PART_BIT(AY_PART_RUNTIME)) != 0 ||
	       memo_names(r->memo, s, a);
}

size_t ay_refs_users(struct ay_engine *g, const struct ay_set *s)
{
	const struct ay_memo *last = NULL;
	const struct ay_judge *last_judge = NULL;
	bool last_answer = false;
	struct ay_arena a;
	size_t n = 0;

	if (s->set->state != AY_SET_ACTIVE)
		return 0;
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	for (size_t i = 0; i < g->n_hosts; i++) {
		const struct ay_host *h = g->host[i];

		if (h->state != AY_HOST_ENROLLED)
			continue;
		/* hosts of one kind share what they were judged to be */
		if (!h->run->memo || h->run->memo != last || h->run->judge != last_judge)
			last_answer = relies(h, s->set, &a);
		last = h->run->memo;
		last_judge = h->run->judge;
		n += last_answer;
	}
	ay_arena_fini(&a);
	return n;
}

/* Those that are there are asked anew by the rebuild; the others' trust ends now. */
static void end_trust(struct ay_engine *g, const struct ay_refset *s)
{
	struct ay_arena a;
	struct ay_err e;

	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	for (size_t i = 0; i < g->n_hosts; i++) {
		struct ay_host *h = g->host[i];

		if (h->run->conn || h->lease.verdict != AY_TRUSTED || !relies(h, s, &a))
			continue;
		ay_hosts_set_verdict(g, h, AY_LEASE_SILENT);
		if (ay_hosts_write_status(g, h, &e) != AY_OK)
			ay_log_err(AY_LOG_ERROR, "end of a verdict is not stored", &e);
	}
	ay_arena_fini(&a);
}

/* ---- the three moves ---- */

static enum ay_rc get(struct ay_engine *g, struct ay_bytes id, struct ay_set **out,
		      struct ay_err *e)
{
	*out = ay_refs_find(g->refs, id);
	return *out ? AY_OK : ay_fail(e, AY_E_NOENT, "reference", 0, "no such reference set");
}

static enum ay_rc show(struct ay_engine *g, const struct ay_set *s, json_t **out, struct ay_err *e)
{
	*out = ay_refs_set_json(s, false);
	if (*out)
		json_object_set_new(*out, "hosts", json_integer((json_int_t)ay_refs_users(g, s)));
	return *out ? AY_OK : ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
}

static bool is_other_active(const struct ay_set *a, const struct ay_set *s)
{
	return a != s && a->set->state == AY_SET_ACTIVE && strcmp(a->set->name, s->set->name) == 0;
}

enum ay_rc ay_refs_activate(struct ay_engine *g, struct ay_set *s,
			    const struct ay_reference_change *how, const struct ay_also *also,
			    struct ay_err *e)
{
	enum ay_set_state was = s->set->state;
	struct changes c;
	enum ay_rc rc = changes_init(g, &c, e);

	if (rc == AY_OK && how->supersede)
		for (size_t i = 0; rc == AY_OK && i < g->refs->n_sets; i++)
			if (is_other_active(&g->refs->set[i], s))
				rc = plan(&c, &g->refs->set[i],
					  how->supersede_at ? AY_SET_ACTIVE : AY_SET_SUPERSEDED,
					  how->supersede_at, e);
	if (rc == AY_OK && (was != AY_SET_ACTIVE || also))
		rc = was == AY_SET_ACTIVE ? ay_fail_code(e, AY_E_EXISTS, "STATE", "reference",
							 "the set is active already")
					  : plan(&c, s, AY_SET_ACTIVE, 0, e);
	if (rc == AY_OK)
		rc = commit_told(g, &c, also, "REFERENCE_ACTIVE", s->set->name, e);
	changes_free(&c);
	return rc == AY_OK ? ay_refs_in_force(g, e) : rc;
}

enum ay_rc ay_engine_reference_activate(struct ay_engine *g, struct ay_bytes id,
					const struct ay_reference_change *how,
					const struct ay_also *also, json_t **out, struct ay_err *e)
{
	struct ay_set *s;
	enum ay_rc rc = get(g, id, &s, e);

	*out = NULL;
	if (rc == AY_OK)
		rc = ay_refs_activate(g, s, how, also, e);
	return rc != AY_OK ? rc : show(g, s, out, e);
}

/* An operator must say that they know: hosts or a policy would lose what they are judged by. */
static enum ay_rc not_in_use(struct ay_engine *g, const struct ay_set *s, struct ay_err *e)
{
	size_t users = ay_refs_users(g, s);
	const char *policy = ay_refs_policy_naming(g, s);

	if (users)
		return ay_fail_code(e, AY_E_EXISTS, "REFERENCE_IN_USE", "reference",
				    "%zu hosts rely on it: activate what replaces it, or force it",
				    users);
	if (policy)
		return ay_fail_code(e, AY_E_EXISTS, "REFERENCE_IN_USE", "reference",
				    "policy %.60s names it and nothing else of that name is active",
				    policy);
	return AY_OK;
}

static enum ay_rc take_out(struct ay_engine *g, struct ay_set *s, enum ay_set_state to,
			   const struct ay_also *also, struct ay_err *e)
{
	const struct ay_refset *was = s->set;
	struct changes c;
	enum ay_rc rc = changes_init(g, &c, e);

	if (rc == AY_OK)
		rc = plan(&c, s, to, 0, e);
	if (rc == AY_OK)
		rc = commit_told(g, &c, also,
				 to == AY_SET_REVOKED ? "REFERENCE_REVOKED"
						      : "REFERENCE_SUPERSEDED",
				 was->name, e);
	changes_free(&c);
	if (rc != AY_OK)
		return rc;
	if (to == AY_SET_REVOKED && was->state == AY_SET_ACTIVE)
		end_trust(g, was); /* still there: kept until the end */
	return ay_refs_in_force(g, e);
}

enum ay_rc ay_engine_reference_revoke(struct ay_engine *g, struct ay_bytes id,
				      const struct ay_reference_change *how,
				      const struct ay_also *also, json_t **out, struct ay_err *e)
{
	struct ay_set *s;
	enum ay_rc rc = get(g, id, &s, e);

	*out = NULL;
	if (rc == AY_OK && !how->force && s->set->state == AY_SET_ACTIVE)
		rc = not_in_use(g, s, e);
	if (rc == AY_OK && (s->set->state != AY_SET_REVOKED || also))
		rc = s->set->state == AY_SET_REVOKED
			     ? ay_fail_code(e, AY_E_EXISTS, "STATE", "reference",
					    "the set is revoked already")
			     : take_out(g, s, AY_SET_REVOKED, also, e);
	return rc != AY_OK ? rc : show(g, s, out, e);
}

/* Now, or at an instant to come: until then old and new are both accepted. */
enum ay_rc ay_engine_reference_supersede(struct ay_engine *g, struct ay_bytes id,
					 const struct ay_reference_change *how,
					 const struct ay_also *also, json_t **out, struct ay_err *e)
{
	struct changes c;
	struct ay_set *s;
	enum ay_rc rc = get(g, id, &s, e);

	*out = NULL;
	if (rc == AY_OK && s->set->state != AY_SET_ACTIVE)
		rc = ay_fail_code(e, AY_E_EXISTS, "STATE", "reference",
				  "a set that is %s cannot become superseded",
				  ay_set_state_name(s->set->state));
	if (rc != AY_OK)
		return rc;
	if (how->supersede_at > g->now_ms) {
		rc = changes_init(g, &c, e);
		if (rc == AY_OK)
			rc = plan(&c, s, AY_SET_ACTIVE, how->supersede_at, e);
		if (rc == AY_OK)
			rc = commit(g, &c, also, e);
		changes_free(&c);
	} else {
		if (!how->force)
			rc = not_in_use(g, s, e);
		if (rc == AY_OK)
			rc = take_out(g, s, AY_SET_SUPERSEDED, also, e);
	}
	return rc != AY_OK ? rc : show(g, s, out, e);
}

/* Sets whose planned end has come. */
void ay_refs_tick(struct ay_engine *g)
{
	struct ay_err e;

	for (size_t i = 0; i < g->refs->n_sets; i++) {
		struct ay_set *s = &g->refs->set[i];
		struct ay_audit_row audit = { g->now_ms, "system", "REFERENCE_SUPERSEDE",
					      s->set->name, "{\"planned\":true}" };
		struct ay_write w = { .kind = AY_WR_AUDIT, .audit = &audit };
		const struct ay_also also = { &w, 1 };

		if (s->set->state != AY_SET_ACTIVE || !s->supersede_ms ||
		    g->now_ms < s->supersede_ms)
			continue;
		if (take_out(g, s, AY_SET_SUPERSEDED, &also, &e) != AY_OK)
			ay_log_err(AY_LOG_ERROR, "planned end of a reference set", &e);
	}
}

/* ---- the same by two persons ---- */

static struct ay_reference_change change_of(const json_t *args)
{
	struct ay_reference_change how = {
		.supersede = json_is_true(json_object_get(args, "supersede")),
		.supersede_at = json_integer_value(json_object_get(args, "supersede_at")),
		.force = json_is_true(json_object_get(args, "force")),
	};

	return how;
}

json_t *ay_reference_change_json(const struct ay_reference_change *how)
{
	return json_pack("{sb sI sb}", "supersede", (int)how->supersede, "supersede_at",
			 (json_int_t)how->supersede_at, "force", (int)how->force);
}

static void put(struct ay_hash *h, const void *p, size_t n)
{
	ay_hash_update(h, (struct ay_bytes){ p, n });
}

/* States of all versions of that name: what activation replaces is part of what is approved. */
static void context_of(const struct ay_refs *r, const struct ay_set *s, uint8_t out[32])
{
	struct ay_hash h;

	memset(out, 0, 32);
	if (!ay_hash_init(&h, AY_ALG_SHA256))
		return;
	for (size_t i = 0; i < r->n_sets; i++)
		if (strcmp(r->set[i].set->name, s->set->name) == 0 &&
		    (&r->set[i] == s || r->set[i].set->state == AY_SET_ACTIVE)) {
			uint8_t state = (uint8_t)r->set[i].set->state;

			put(&h, r->set[i].id.b, 16);
			put(&h, &state, 1);
		}
	ay_hash_final(&h, out);
}

static enum ay_rc target(struct ay_engine *g, struct ay_bytes object, enum ay_set_state to,
			 struct ay_approval_target *out, struct ay_err *e)
{
	struct ay_set *s;
	enum ay_rc rc = get(g, object, &s, e);

	if (rc != AY_OK)
		return rc;
	if (!ay_set_state_may(s->set->state, to))
		return ay_fail_code(e, AY_E_EXISTS, "STATE", "reference",
				    "a set that is %s cannot become %s",
				    ay_set_state_name(s->set->state), ay_set_state_name(to));
	ay_uuid_format(&s->id, out->id);
	snprintf(out->title, sizeof(out->title), "%s@%u", s->set->name, s->set->version);
	memcpy(out->content, s->set->sha256, 32);
	context_of(g->refs, s, out->context);
	return AY_OK;
}

static enum ay_rc activate_target(struct ay_engine *g, struct ay_bytes object, const json_t *args,
				  struct ay_approval_target *out, struct ay_err *e)
{
	(void)args;
	return target(g, object, AY_SET_ACTIVE, out, e);
}

static enum ay_rc revoke_target(struct ay_engine *g, struct ay_bytes object, const json_t *args,
				struct ay_approval_target *out, struct ay_err *e)
{
	(void)args;
	return target(g, object, AY_SET_REVOKED, out, e);
}

static enum ay_rc supersede_target(struct ay_engine *g, struct ay_bytes object, const json_t *args,
				   struct ay_approval_target *out, struct ay_err *e)
{
	(void)args;
	return target(g, object, AY_SET_SUPERSEDED, out, e);
}

static enum ay_rc run_activate(struct ay_engine *g, struct ay_bytes id, const json_t *args,
			       const struct ay_also *also, json_t **out, struct ay_err *e)
{
	struct ay_reference_change how = change_of(args);

	return ay_engine_reference_activate(g, id, &how, also, out, e);
}

static enum ay_rc run_revoke(struct ay_engine *g, struct ay_bytes id, const json_t *args,
			     const struct ay_also *also, json_t **out, struct ay_err *e)
{
	struct ay_reference_change how = change_of(args);

	return ay_engine_reference_revoke(g, id, &how, also, out, e);
}

static enum ay_rc run_supersede(struct ay_engine *g, struct ay_bytes id, const json_t *args,
				const struct ay_also *also, json_t **out, struct ay_err *e)
{
	struct ay_reference_change how = change_of(args);

	return ay_engine_reference_supersede(g, id, &how, also, out, e);
}

const struct ay_approval_kind ay_approval_reference_activate = {
	"reference_activate",		"reference_activate", "REFERENCE_ACTIVATE",
	"put a reference set in force", activate_target,      run_activate
};
const struct ay_approval_kind ay_approval_reference_revoke = {
	"reference_revoke", "reference_revoke",
	"REFERENCE_REVOKE", "take a reference set out of force for good",
	revoke_target,	    run_revoke
};
const struct ay_approval_kind ay_approval_reference_supersede = {
	"reference_supersede", "reference_revoke",
	"REFERENCE_SUPERSEDE", "take a reference set out of force",
	supersede_target,      run_supersede
};
