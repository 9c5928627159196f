/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds "events" and "events_excluding": the measured events of one PCR, in
 * order, none missing, none added; but for those that are excluded.
 */
#include "core/appraise/rule_parts.h"
#include "core/appraise/signatures.h"

#include <string.h>

#include "core/base/align.h"
#include "core/base/guid.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_names.h"

#define EXCLUDED_MAX 4096

/* ---- JSON ---- */

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "pcr", "events", NULL };
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	return rc == AY_OK ? ay_rule_parse_events(o, 0, a, r, e) : rc;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	return json_object_set_new(o, "events", ay_rule_events_json(r)) == 0;
}

static enum ay_rc parse_variable(const json_t *o, struct ay_arena *a, struct ay_exclude *x,
				 struct ay_err *e)
{
	static const char *const known[] = { "variable", "guid", "summary", NULL };
	const char *guid = "";
	enum ay_rc rc = ay_json_only(o, known, "reference.rule.exclude", e);

	if (rc == AY_OK)
		rc = ay_json_text(o, "reference.rule.exclude", "variable", true, AY_MAX_NAME_BYTES,
				  a, &x->variable, e);
	if (rc == AY_OK && *x->variable == '\0')
		rc = ay_json_bad(e, "reference.rule.exclude", "variable", "empty");
	if (rc == AY_OK)
		rc = ay_json_text(o, "reference.rule.exclude", "guid", true, 36, a, &guid, e);
	return rc == AY_OK ? ay_guid_parse(guid, "reference.rule.exclude.guid", x->guid, e) : rc;
}

static enum ay_rc parse_excluded(const json_t *o, struct ay_arena *a, struct ay_rule *r,
				 struct ay_err *e)
{
	static const char *const known[] = { "digests", "summary", NULL };
	struct ay_exclude *x = &r->excluded[r->n_excluded++];
	enum ay_rc rc;

	x->summary = "";
	if (json_object_get(o, "variable") != NULL)
		rc = parse_variable(o, a, x, e);
	else
		rc = ay_json_only(o, known, "reference.rule.exclude", e);
	if (rc == AY_OK && x->variable == NULL)
		rc = ay_rule_parse_digests(o, "reference.rule.exclude", a, r, x->digest, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, "reference.rule.exclude", "summary", false, AY_MAX_TEXT_BYTES,
				  a, &x->summary, e);
	return rc;
}

static enum ay_rc parse_excluding(const json_t *o, struct ay_arena *a, struct ay_rule *r,
				  struct ay_err *e)
{
	static const char *const known[] = { "kind", "pcr", "events", "exclude", NULL };
	const json_t *list;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK)
		rc = ay_rule_parse_events(o, 0, a, r, e);
	if (rc == AY_OK)
		rc = ay_json_array(o, "reference.rule", "exclude", true, &list, e);
	if (rc != AY_OK)
		return rc;
	if (json_array_size(list) == 0 || json_array_size(list) > EXCLUDED_MAX)
		return ay_json_bad(e, "reference.rule", "exclude", "needs 1 to 4096 events");
	r->excluded = ay_arena_array(a, json_array_size(list), sizeof(*r->excluded));
	if (r->excluded == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++)
		rc = parse_excluded(json_array_get(list, i), a, r, e);
	return rc;
}

static json_t *excluded_json(const struct ay_rule *r, const struct ay_exclude *x)
{
	char guid[AY_GUID_TEXT];

	if (x->variable == NULL)
		return json_pack("{so ss}", "digests", ay_rule_digests_json(r, x->digest),
				 "summary", x->summary);
	ay_guid_format(x->guid, guid);
	return json_pack("{ss ss ss}", "variable", x->variable, "guid", guid, "summary",
			 x->summary);
}

static bool build_excluding(const struct ay_rule *r, json_t *o)
{
	json_t *list = json_array();

	if (json_object_set_new(o, "exclude", list) != 0)
		return false;
	for (size_t i = 0; i < r->n_excluded; i++)
		if (json_array_append_new(list, excluded_json(r, &r->excluded[i])) != 0)
			return false;
	return build(r, o);
}

/* ---- comparison ---- */

/* One comparison: the events expected, those of the log that were measured into the PCR. */
struct match {
	const struct ay_refset *set;
	const struct ay_rule *r;
	const struct ay_boot_facts *f;
	struct ay_report *rep;
	const char *rule;
	uint32_t *at; /* index in the log of measured event i */
	size_t n;
	unsigned n_bad;
};

static bool same(void *arg, size_t want, size_t got)
{
	const struct match *m = arg;

	return ay_rule_is_event(m->r, &m->r->event[want], m->f, m->at[got]);
}

/* How a changed event differs, as exactly as is known. */
static void tell_change(struct match *m, const struct ay_place *at, const struct ay_ref_event *want,
			const char *measured)
{
	const char *diff = ay_signatures_diff(want, &m->f->log->event[at->event], m->rep->arena);

	if (diff != NULL)
		ay_report_add(m->rep, AY_CHECK_REF_EVENT, AY_FAIL, at,
			      "PCR %u: \"%.*s\" changed: %s", at->pcr, 150, measured, diff);
	else if (strcmp(measured, want->summary) == 0)
		ay_report_add(m->rep, AY_CHECK_REF_EVENT, AY_FAIL, at,
			      "PCR %u: event \"%.*s\" has another digest", at->pcr, 150, measured);
	else
		ay_report_add(m->rep, AY_CHECK_REF_EVENT, AY_FAIL, at,
			      "PCR %u: event changed: \"%.*s\" (expected \"%.*s\")", at->pcr, 150,
			      measured, 150, want->summary);
}

/* want < 0: nothing was expected; got < 0: nothing was measured. */
static void tell(struct match *m, enum ay_check code, long want, long got)
{
	const struct ay_ref_event *ev = want < 0 ? NULL : &m->r->event[want];
	struct ay_place at = { .has_pcr = true, .pcr = m->r->pcr };
	char measured[160] = "";
	size_t k;

	m->n_bad++;
	at.bank = ay_rule_shown_bank(m->r, m->f->pcrs, &k);
	if (ev != NULL && at.bank != 0 && ev->digest[k] != NULL)
		at.expected = (struct ay_bytes){ ev->digest[k], ay_alg_digest_size(at.bank) };
	if (got >= 0) {
		const uint8_t *d = ay_log_digest(m->f->log, m->at[got], at.bank);

		at.has_event = true;
		at.event = m->at[got];
		if (d != NULL)
			at.measured = (struct ay_bytes){ d, ay_alg_digest_size(at.bank) };
		ay_event_summary(&m->f->log->event[at.event], measured, sizeof(measured));
	}
	if (code == AY_CHECK_REF_EVENT)
		tell_change(m, &at, ev, measured);
	else if (code == AY_CHECK_REF_MISSING)
		ay_report_add(m->rep, code, AY_FAIL, &at, "PCR %u: event missing: \"%.*s\"",
			      m->r->pcr, 150, ev->summary);
	else
		ay_report_add(m->rep, code, AY_FAIL, &at, "PCR %u: event added: \"%.*s\"",
			      m->r->pcr, 150, measured);
}

/* A stretch without any common event: pairs are changes, what is left over missing or added. */
static void tell_gap(void *arg, size_t want, size_t n_want, size_t got, size_t n_got)
{
	struct match *m = arg;
	size_t i = 0;

	for (; i < n_want && i < n_got; i++)
		if (AY_CHECKED("REF_EVENT", true))
			tell(m, AY_CHECK_REF_EVENT, (long)(want + i), (long)(got + i));
	for (; i < n_want; i++)
		if (AY_CHECKED("REF_MISSING", true))
			tell(m, AY_CHECK_REF_MISSING, (long)(want + i), -1);
	for (; i < n_got; i++)
		if (AY_CHECKED("REF_ADDED", true))
			tell(m, AY_CHECK_REF_ADDED, -1, (long)(got + i));
}

static void compare(struct match *m)
{
	struct ay_align al = {
		.n_a = m->r->n_events, .n_b = m->n, .same = same, .gap = tell_gap, .arg = m
	};

	ay_align(&al, m->rep->arena);
}

static const struct ay_exclude *excluded(const struct match *m, size_t event)
{
	for (size_t i = 0; i < m->r->n_excluded; i++) {
		const struct ay_exclude *x = &m->r->excluded[i];

		if (x->variable != NULL ? ay_rule_is_variable(x, m->f, event)
					: ay_rule_is_digest(m->r, x->digest, m->f, event))
			return x;
	}
	return NULL;
}

/* The log's events that were extended into the rule's PCR and are to be compared. */
static bool gather(struct match *m)
{
	const char *excused = ay_arena_printf(m->rep->arena, "set %s v%u: excluded event",
					      m->set->name, (unsigned)m->set->version);
	size_t n, kept = 0;

	m->at = ay_rule_gather(m->f, m->r->pcr, m->rep, &n);
	for (size_t i = 0; m->at != NULL && i < n; i++) {
		bool skip = excluded(m, m->at[i]) != NULL;

		ay_report_cover(m->rep, 0, m->r->pcr, (int32_t)m->at[i], skip ? excused : m->rule);
		if (!skip)
			m->at[kept++] = m->at[i];
	}
	m->n = kept;
	return m->at != NULL;
}

/* The value is not what the log makes of it, or holds something although the log has nothing. */
static bool is_unproven(const struct ay_boot_facts *f, unsigned pcr)
{
	if ((f->unexplained & (1u << pcr)) != 0)
		return true;
	for (size_t i = 0; i < f->log->n_events; i++)
		if (f->log->event[i].pcr == pcr && ay_event_is_extended(&f->log->event[i]))
			return false;
	return !ay_pcr_is_unextended(f, pcr);
}

static void check(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	struct match m = { .set = s, .r = r, .f = f, .rep = rep };
	struct ay_place at = { .has_pcr = true, .pcr = r->pcr };
	size_t k;

	if (!ay_boot_has_log(f, r->pcr))
		return; /* QUOTE_WITHOUT_LOG or a LOG_ finding says so; values are compared whole */
	if (r->n_banks > 0 && ay_rule_shown_bank(r, f->pcrs, &k) == 0) {
		ay_report_add(rep, AY_CHECK_REF_EVENT, AY_NOT_CHECKED, &at,
			      "PCR %u: set %s has no bank that was quoted", r->pcr, s->name);
		return;
	}
	m.rule = ay_arena_printf(rep->arena, "set %s v%u: events", s->name, (unsigned)s->version);
	if (!gather(&m))
		return;
	compare(&m);
	if (m.n_bad > 0)
		return;
	if (AY_CHECKED("REF_EVENT_UNEXPLAINED", is_unproven(f, r->pcr)))
		ay_report_add(
			rep, AY_CHECK_REF_EVENT, AY_NOT_CHECKED, &at,
			"PCR %u: the log does not explain the value, its events prove nothing",
			r->pcr);
	else
		ay_report_add(rep, AY_CHECK_REF_EVENT, AY_PASS, &at,
			      "PCR %u: all %zu events are those of set %s", r->pcr, m.n, s->name);
}

/* ---- recorded oddities of firmware ---- */

static bool is_same(const struct ay_rule *r, const struct ay_ref_event *ev,
		    const struct ay_evlog *log, size_t i)
{
	bool any = false;

	for (size_t k = 0; k < r->n_banks; k++) {
		const uint8_t *d = ay_log_digest(log, i, r->bank[k]);

		if (ev->digest[k] == NULL || d == NULL)
			continue;
		if (memcmp(ev->digest[k], d, ay_alg_digest_size(r->bank[k])) != 0)
			return false;
		any = true;
	}
	return any;
}

/* Is the log's event i an event of the rule whose mismatch was recorded? */
static bool knows(const struct ay_rule *r, const struct ay_evlog *log, size_t i)
{
	for (size_t w = 0; w < r->n_events; w++) {
		const struct ay_ref_event *ev = &r->event[w];

		if (ev->data_mismatch && is_same(r, ev, log, i))
			return true;
		for (size_t k = 0; k < ev->n_alternatives; k++)
			if (ev->alternative[k].data_mismatch &&
			    is_same(r, &ev->alternative[k], log, i))
				return true;
	}
	return false;
}

bool ay_refset_knows_mismatch(const struct ay_refset *s, const struct ay_evlog *log, size_t event)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rule[i].pcr == log->event[event].pcr && knows(&s->rule[i], log, event))
			return true;
	return false;
}

const struct ay_rule_kind ay_rule_events = {
	.name = "events",
	.doc = "the measured events of a PCR in order, none missing, none added",
	.has_pcr = true,
	.role = AY_ROLE_WHOLE,
	.by_events = true,
	.parse = parse,
	.build = build,
	.check = check,
};

const struct ay_rule_kind ay_rule_events_excluding = {
	.name = "events_excluding",
	.doc = "as events, but for named ones that may be there",
	.has_pcr = true,
	.role = AY_ROLE_WHOLE,
	.by_events = true,
	.parse = parse_excluding,
	.build = build_excluding,
	.check = check,
};
