/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/receipts.h"

#include "core/appraise/policy.h"
#include "prog/assayd/history.h"
#include "prog/assayd/receipt.h"
#include "prog/assayd/refs.h"
#include "prog/assayd/rules.h"

#define ROWS_BACK 1000000
#define ARENA (512u << 20)

static enum ay_rc not_kept(const char *what, struct ay_err *e)
{
	return ay_fail_code(e, AY_E_NOENT, "NOT_KEPT", what,
			    "not everything was kept that this verdict was made from");
}

/* ---- which row ---- */

struct looking {
	const struct ay_uuid *report;
	uint64_t seq;
};

static void see(void *arg, const struct ay_attest_past *p)
{
	struct looking *l = arg;

	if (l->seq == 0 && memcmp(p->report_id, l->report->b, sizeof(p->report_id)) == 0)
		l->seq = p->seq;
}

enum ay_rc ay_receipt_row(struct ay_engine *g, const struct ay_host *h,
			  const struct ay_uuid *report, uint64_t *seq, struct ay_err *e)
{
	struct looking l = { .report = report };
	enum ay_rc rc = AY_OK;

	*seq = h->run->seq;
	if (report && memcmp(report->b, h->report_id, sizeof(h->report_id)) != 0) {
		rc = ay_store_attestations(g->store, *seq, ROWS_BACK, see, &l, e);
		*seq = l.seq;
	}
	if (rc == AY_OK && *seq == 0)
		rc = ay_fail(e, AY_E_NOENT, "report", 0, "the host has no such report");
	return rc;
}

/* ---- rules by their hashes ---- */

static json_t *policy_json(const struct ay_refs *r, const struct ay_rules *rules)
{
	for (size_t i = 0; i < r->n_policies; i++)
		if (memcmp(r->policy[i].policy->sha256, rules->policy, sizeof(rules->policy)) == 0)
			return ay_policy_json(r->policy[i].policy);
	return NULL;
}

static json_t *set_json(const struct ay_refs *r, const struct ay_rules_set *want)
{
	for (size_t i = 0; i < r->n_sets; i++) {
		json_t *set;

		if (memcmp(r->set[i].set->sha256, want->sha256, sizeof(want->sha256)) != 0)
			continue;
		set = ay_refset_json(r->set[i].set, true);
		if (!set)
			return NULL;
		json_object_set_new(set, "state", json_string(ay_set_state_name(want->state)));
		return json_pack("{s:s, s:I, s:o}", "state", ay_set_state_name(want->state),
				 "parts", (json_int_t)want->parts, "set", set);
	}
	return NULL;
}

static enum ay_rc add_rules(struct ay_engine *g, struct ay_bytes kept, struct ay_receipt_parts *p,
			    struct ay_err *e)
{
	struct ay_rules rules = { 0 };
	enum ay_rc rc = kept.n ? ay_rules_parse(kept, &rules, e) : AY_OK;

	p->sets = json_array();
	if (rc != AY_OK)
		return rc;
	if (rules.has_policy && !(p->policy = policy_json(g->refs, &rules)))
		return not_kept("policy", e);
	for (uint32_t i = 0; i < rules.n_sets; i++) {
		struct ay_rules_set want = ay_rules_at(&rules, i);
		json_t *set = set_json(g->refs, &want);

		if (!set)
			return not_kept("reference set", e);
		json_array_append_new(p->sets, set);
	}
	return AY_OK;
}

/* ---- the receipt ---- */

static enum ay_rc build(struct ay_engine *g, const struct ay_host *h, struct ay_history *past,
			struct ay_arena *a, json_t **out, struct ay_err *e)
{
	char id[AY_UUID_TEXT], at[AY_TIME_ROOM];
	struct ay_uuid report;
	struct ay_receipt_parts p = { .in = &past->in,
				      .report_id = id,
				      .host_name = h->name,
				      .at = at,
				      .cert = past->cert,
				      .chain = g->aik_chain,
				      .n_chain = g->n_aik_chain };
	enum ay_rc rc = add_rules(g, past->rules, &p, e);

	memcpy(report.b, past->report_id, sizeof(report.b));
	ay_uuid_format(&report, id);
	ay_time_format(past->at_ms, at);
	if (rc == AY_OK)
		rc = ay_json_load(past->report, past->report.n, "report", &p.report, e);
	if (rc != AY_OK) {
		json_decref(p.policy);
		json_decref(p.sets);
		return rc;
	}
	*out = ay_receipt_build(&p, a);
	return *out ? AY_OK : ay_fail(e, AY_E_NOMEM, "receipt", 0, "no memory");
}

enum ay_rc ay_engine_receipt(struct ay_engine *g, const struct ay_host *h,
			     const struct ay_uuid *report, json_t **out, struct ay_err *e)
{
	struct ay_history *past;
	struct ay_arena a;
	uint64_t seq;
	enum ay_rc rc = ay_receipt_row(g, h, report, &seq, e);

	*out = NULL;
	if (rc != AY_OK)
		return rc;
	ay_arena_init(&a, ARENA);
	past = ay_arena_alloc(&a, sizeof(*past));
	rc = past ? ay_history_load(g->store, &h->id, seq, true, &a, past, e)
		  : ay_fail(e, AY_E_NOMEM, "receipt", 0, "no memory");
	if (rc == AY_OK)
		rc = build(g, h, past, &a, out, e);
	ay_arena_fini(&a);
	return rc;
}
