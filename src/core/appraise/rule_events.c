/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "events": the measured events of one PCR, in order, none missing, none added. */
#include "core/appraise/reference.h"
#include "core/base/hex.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_names.h"

#include <string.h>

/* Longest stretch that is aligned exactly; beyond it events are paired by place. */
#define ALIGN_MAX 512

/* ---- JSON ---- */

static int bank_index(struct ay_rule *r, uint16_t alg)
{
	for (size_t k = 0; k < r->n_banks; k++)
		if (r->bank[k] == alg)
			return (int)k;
	if (r->n_banks == AY_BANKS_MAX)
		return -1;
	r->bank[r->n_banks] = alg;
	return (int)r->n_banks++;
}

static enum ay_rc parse_digest(const char *bank, const json_t *v, struct ay_arena *a,
			       struct ay_rule *r, struct ay_ref_event *ev, struct ay_err *e)
{
	uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(bank));
	size_t n = ay_alg_digest_size(alg);
	int k = n == 0 ? -1 : bank_index(r, alg);
	uint8_t *p;

	if (k < 0)
		return ay_json_bad(e, "reference.rule.events.digests", bank, "unknown bank");
	if (!json_is_string(v))
		return ay_json_bad(e, "reference.rule.events.digests", bank, "wrong type");
	p = ay_arena_alloc(a, n);
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	ev->digest[k] = p;
	return ay_hex_decode(ay_bytes_of(json_string_value(v)), "reference.rule.events.digests", p,
			     n, e);
}

static enum ay_rc parse_digests(const json_t *o, struct ay_arena *a, struct ay_rule *r,
				struct ay_ref_event *ev, struct ay_err *e)
{
	const json_t *digests;
	enum ay_rc rc = ay_json_object(o, "reference.rule.events", "digests", true, &digests, e);
	const char *bank;
	json_t *v;

	if (rc == AY_OK && json_object_size(digests) == 0)
		rc = ay_json_bad(e, "reference.rule.events", "digests", "empty");
	if (rc != AY_OK)
		return rc;
	json_object_foreach ((json_t *)(uintptr_t)digests, bank, v) {
		rc = parse_digest(bank, v, a, r, ev, e);
		if (rc != AY_OK)
			return rc;
	}
	return AY_OK;
}

static enum ay_rc parse_event(const json_t *o, struct ay_arena *a, struct ay_rule *r,
			      struct ay_err *e)
{
	static const char *const known[] = { "digests", "type", "summary", "data_mismatch", NULL };
	struct ay_ref_event *ev = &r->event[r->n_events];
	uint64_t type = 0;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule.events", e);

	ev->summary = "";
	if (rc == AY_OK)
		rc = ay_json_u64(o, "reference.rule.events", "type", false, UINT32_MAX, &type, e);
	ev->type = (uint32_t)type;
	if (rc == AY_OK)
		rc = ay_json_text(o, "reference.rule.events", "summary", false, AY_MAX_TEXT_BYTES,
				  a, &ev->summary, e);
	if (rc == AY_OK)
		rc = ay_json_bool(o, "reference.rule.events", "data_mismatch", false,
				  &ev->data_mismatch, e);
	if (rc == AY_OK)
		rc = parse_digests(o, a, r, ev, e);
	if (rc == AY_OK)
		r->n_events++;
	return rc;
}

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "pcr", "events", NULL };
	const json_t *events;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK)
		rc = ay_json_array(o, "reference.rule", "events", true, &events, e);
	if (rc != AY_OK)
		return rc;
	if (json_array_size(events) > AY_MAX_EVLOG_EVENTS)
		return ay_fail(e, AY_E_LIMIT, "reference.rule.events", 0, "more than %d events",
			       AY_MAX_EVLOG_EVENTS);
	r->event = ay_arena_array(a, json_array_size(events) + 1, sizeof(*r->event));
	if (r->event == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	for (size_t i = 0; rc == AY_OK && i < json_array_size(events); i++)
		rc = parse_event(json_array_get(events, i), a, r, e);
	return rc;
}

static json_t *event_json(const struct ay_rule *r, const struct ay_ref_event *ev)
{
	json_t *digests = json_object();
	char hex[2 * AY_DIGEST_MAX + 1];

	for (size_t k = 0; k < r->n_banks; k++) {
		if (ev->digest[k] == NULL)
			continue;
		ay_hex_encode((struct ay_bytes){ ev->digest[k], ay_alg_digest_size(r->bank[k]) },
			      hex);
		if (json_object_set_new(digests, ay_alg_bank_name(r->bank[k]), json_string(hex)) !=
		    0) {
			json_decref(digests);
			return NULL;
		}
	}
	return json_pack("{so sI ss so*}", "digests", digests, "type", (json_int_t)ev->type,
			 "summary", ev->summary, "data_mismatch",
			 ev->data_mismatch ? json_true() : NULL);
}

static bool build(const struct ay_rule *r, json_t *o)
{
	json_t *events = json_array();

	if (json_object_set_new(o, "events", events) != 0)
		return false;
	for (size_t i = 0; i < r->n_events; i++)
		if (json_array_append_new(events, event_json(r, &r->event[i])) != 0)
			return false;
	return true;
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

static const uint8_t *log_digest(const struct ay_evlog *log, size_t event, uint16_t alg)
{
	for (size_t k = 0; k < log->n_banks; k++)
		if (log->bank[k] == alg)
			return log->event[event].digest[k];
	return NULL;
}

/*
 * Same event: in every bank that the rule and the log both have, and at least
 * in one that the quote covers.
 */
static bool same(const struct match *m, size_t want, size_t got)
{
	const struct ay_ref_event *ev = &m->r->event[want];
	bool attested = false;

	for (size_t k = 0; k < m->r->n_banks; k++) {
		uint16_t alg = m->r->bank[k];
		const uint8_t *d = log_digest(m->f->log, m->at[got], alg);

		if (ev->digest[k] == NULL || d == NULL)
			continue;
		if (memcmp(ev->digest[k], d, ay_alg_digest_size(alg)) != 0)
			return false;
		attested |= ay_pcrs_value(m->f->pcrs, alg, m->r->pcr).n > 0;
	}
	return attested;
}

/* A bank to show digests in: the first of the rule that the quote covers and the log has. */
static uint16_t shown_bank(const struct match *m, int *k_of_rule)
{
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t k = 0; k < m->r->n_banks; k++) {
			uint16_t alg = m->r->bank[k];

			if (pass == 0 && alg == AY_ALG_SHA1) /* a strong one if there is any */
				continue;
			if (ay_pcrs_value(m->f->pcrs, alg, m->r->pcr).n == 0)
				continue;
			*k_of_rule = (int)k;
			return alg;
		}
	*k_of_rule = -1;
	return 0;
}

/* want < 0: nothing was expected; got < 0: nothing was measured. */
static void tell(struct match *m, enum ay_check code, long want, long got)
{
	struct ay_place at = { .has_pcr = true, .pcr = m->r->pcr };
	char measured[160] = "";
	const char *expected = "";
	int k;

	m->n_bad++;
	at.bank = shown_bank(m, &k);
	if (want >= 0) {
		const struct ay_ref_event *ev = &m->r->event[want];

		expected = ev->summary;
		if (k >= 0 && ev->digest[k] != NULL)
			at.expected =
				(struct ay_bytes){ ev->digest[k], ay_alg_digest_size(at.bank) };
	}
	if (got >= 0) {
		const uint8_t *d = log_digest(m->f->log, m->at[got], at.bank);

		at.has_event = true;
		at.event = m->at[got];
		if (d != NULL)
			at.measured = (struct ay_bytes){ d, ay_alg_digest_size(at.bank) };
		ay_event_summary(&m->f->log->event[at.event], measured, sizeof(measured));
	}
	if (code == AY_CHECK_REF_EVENT && strcmp(measured, expected) == 0)
		ay_report_add(m->rep, code, AY_FAIL, &at,
			      "PCR %u: event \"%.*s\" has another digest", m->r->pcr, 150,
			      measured);
	else if (code == AY_CHECK_REF_EVENT)
		ay_report_add(m->rep, code, AY_FAIL, &at,
			      "PCR %u: event changed: \"%.*s\" (expected \"%.*s\")", m->r->pcr, 150,
			      measured, 150, expected);
	else if (code == AY_CHECK_REF_MISSING)
		ay_report_add(m->rep, code, AY_FAIL, &at, "PCR %u: event missing: \"%.*s\"",
			      m->r->pcr, 150, expected);
	else
		ay_report_add(m->rep, code, AY_FAIL, &at, "PCR %u: event added: \"%.*s\"",
			      m->r->pcr, 150, measured);
}

/* A stretch without any common event: pairs are changes, what is left over missing or added. */
static void tell_gap(struct match *m, size_t want, size_t n_want, size_t got, size_t n_got)
{
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

/* Length of the longest common subsequence of the two tails, by dynamic programming. */
static uint16_t *align_table(struct match *m, size_t want, size_t n_want, size_t got, size_t n_got)
{
	size_t w = n_got + 1;
	uint16_t *t = ay_arena_array(m->rep->arena, (n_want + 1) * w, sizeof(*t));

	for (size_t i = n_want; t != NULL && i-- > 0;)
		for (size_t j = n_got; j-- > 0;) {
			uint16_t down = t[(i + 1) * w + j], right = t[i * w + j + 1];

			t[i * w + j] = down > right ? down : right;
			if (same(m, want + i, got + j))
				t[i * w + j] = (uint16_t)(t[(i + 1) * w + j + 1] + 1);
		}
	return t;
}

/* What differs between two stretches whose first and last events differ. */
static void tell_differences(struct match *m, size_t want, size_t n_want, size_t got, size_t n_got)
{
	uint16_t *t = NULL;
	size_t w = n_got + 1, i = 0, j = 0, gap_i = 0, gap_j = 0;

	if (n_want > 0 && n_got > 0 && n_want <= ALIGN_MAX && n_got <= ALIGN_MAX)
		t = align_table(m, want, n_want, got, n_got);
	while (t != NULL && i < n_want && j < n_got) {
		if (same(m, want + i, got + j)) {
			tell_gap(m, want + gap_i, i - gap_i, got + gap_j, j - gap_j);
			gap_i = ++i;
			gap_j = ++j;
		} else if (t[(i + 1) * w + j] >= t[i * w + j + 1]) {
			i++;
		} else {
			j++;
		}
	}
	tell_gap(m, want + gap_i, n_want - gap_i, got + gap_j, n_got - gap_j);
}

static void compare(struct match *m)
{
	size_t want = m->r->n_events, got = m->n, head = 0, tail = 0;

	while (head < want && head < got && same(m, head, head))
		head++;
	while (tail < want - head && tail < got - head && same(m, want - tail - 1, got - tail - 1))
		tail++;
	if (head + tail < want || head + tail < got)
		tell_differences(m, head, want - head - tail, head, got - head - tail);
}

/* The log's events that were extended into the rule's PCR. */
static bool gather(struct match *m)
{
	const struct ay_evlog *log = m->f->log;

	m->at = ay_arena_array(m->rep->arena, log->n_events + 1, sizeof(*m->at));
	if (m->at == NULL) {
		m->rep->fault = AY_E_NOMEM;
		return false;
	}
	for (size_t i = 0; i < log->n_events; i++)
		if (log->event[i].pcr == m->r->pcr && ay_event_is_extended(&log->event[i])) {
			ay_report_cover(m->rep, 0, m->r->pcr, (int32_t)i, m->rule);
			m->at[m->n++] = (uint32_t)i;
		}
	return true;
}

static void check(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	struct match m = { .set = s, .r = r, .f = f, .rep = rep };
	struct ay_place at = { .has_pcr = true, .pcr = r->pcr };
	int k;

	if (f->log == NULL)
		return; /* QUOTE_WITHOUT_LOG or a LOG_ finding says so; values are compared whole */
	if (r->n_events > 0 && shown_bank(&m, &k) == 0) {
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
	if ((f->unexplained & (1u << r->pcr)) != 0)
		ay_report_add(
			rep, AY_CHECK_REF_EVENT, AY_NOT_CHECKED, &at,
			"PCR %u: the log does not explain the value, its events prove nothing",
			r->pcr);
	else
		ay_report_add(rep, AY_CHECK_REF_EVENT, AY_PASS, &at,
			      "PCR %u: all %zu events are those of set %s", r->pcr, m.n, s->name);
}

/* Is the log's event i an event of the rule whose mismatch was recorded? */
static bool knows(const struct ay_rule *r, const struct ay_evlog *log, size_t i)
{
	for (size_t w = 0; w < r->n_events; w++) {
		const struct ay_ref_event *ev = &r->event[w];
		bool any = false, all = true;

		for (size_t k = 0; ev->data_mismatch && k < r->n_banks; k++) {
			const uint8_t *d = log_digest(log, i, r->bank[k]);

			if (ev->digest[k] == NULL || d == NULL)
				continue;
			any = true;
			all &= memcmp(ev->digest[k], d, ay_alg_digest_size(r->bank[k])) == 0;
		}
		if (any && all)
			return true;
	}
	return false;
}

bool ay_refset_knows_mismatch(const struct ay_refset *s, const struct ay_evlog *log, size_t event)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rule[i].kind == &ay_rule_events && s->rule[i].pcr == log->event[event].pcr &&
		    knows(&s->rule[i], log, event))
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
