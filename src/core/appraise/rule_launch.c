/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind "launch": events of a measured launch in a PCR that several parts speak
 * of: firmware and SINIT (platform), hypervisor and kernel (os), what is one
 * host's own (host_unique). Each of the rule's events must be there, by digest;
 * what no rule of any part claims is an event too many
 * (ay_check_launch_claimed), so that nothing is left out by its name.
 */
#include "core/appraise/check_launch.h"
#include "core/appraise/rule_parts.h"

#include <string.h>

#include "core/evlog/launch.h"
#include "core/evlog/replay.h"

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "pcr", "events", NULL };
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK && (r->pcr < AY_DRTM_FIRST || r->pcr > AY_DRTM_LAST))
		rc = ay_json_bad(e, "reference.rule", "pcr", "a launch is measured into 17 to 22");
	return rc == AY_OK ? ay_rule_parse_events(o, 1, a, r, e) : rc;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	return json_object_set_new(o, "events", ay_rule_events_json(r)) == 0;
}

/* One comparison: measured event i of the PCR is log event at[i]. */
struct match {
	const struct ay_rule *r;
	const struct ay_boot_facts *f;
	struct ay_report *rep;
	const char *rule;
	uint32_t *at;
	size_t n;
	bool *taken;
	size_t n_bad;
};

static size_t find(const struct match *m, const struct ay_ref_event *ev)
{
	size_t i = 0;

	while (i < m->n && (m->taken[i] || !ay_rule_is_event(m->r, ev, m->f, m->at[i])))
		i++;
	return i;
}

static bool is_expected(const struct match *m, size_t i)
{
	for (size_t w = 0; w < m->r->n_events; w++)
		if (ay_rule_is_event(m->r, &m->r->event[w], m->f, m->at[i]))
			return true;
	return false;
}

/* What stands there under the name of the event that is missing; n: nothing. */
static size_t find_named(const struct match *m, const char *name)
{
	char buf[AY_LAUNCH_NAME];
	size_t i = 0;

	for (; i < m->n; i++) {
		const char *is = ay_launch_name(m->f->log, m->at[i], buf);

		if (!m->taken[i] && is != NULL && strcmp(is, name) == 0 && !is_expected(m, i))
			break;
	}
	return i;
}

static void tell(struct match *m, const struct ay_ref_event *ev)
{
	size_t i = find_named(m, ev->summary), k;
	struct ay_place at = { .has_pcr = true, .pcr = m->r->pcr };
	const uint8_t *d;

	m->n_bad++;
	at.bank = ay_rule_shown_bank(m->r, m->f->pcrs, &k);
	if (at.bank != 0 && ev->digest[k] != NULL)
		at.expected = (struct ay_bytes){ ev->digest[k], ay_alg_digest_size(at.bank) };
	if (i == m->n) {
		ay_report_add(m->rep, AY_CHECK_REF_MISSING, AY_FAIL, &at,
			      "PCR %u: not measured by the launch: \"%.*s\"", m->r->pcr, 150,
			      ev->summary);
		return;
	}
	m->taken[i] = true;
	at.has_event = true;
	at.event = m->at[i];
	d = ay_log_digest(m->f->log, m->at[i], at.bank);
	if (d != NULL)
		at.measured = (struct ay_bytes){ d, ay_alg_digest_size(at.bank) };
	ay_report_add(m->rep, AY_CHECK_REF_EVENT, AY_FAIL, &at,
		      "PCR %u: the launch measured another \"%.*s\"", m->r->pcr, 150, ev->summary);
}

/* All that fit first: what is left over may be what another one became. */
static void compare(struct match *m, bool *met)
{
	for (size_t w = 0; w < m->r->n_events; w++) {
		size_t i = find(m, &m->r->event[w]);

		met[w] = i < m->n;
		if (i == m->n)
			continue;
		m->taken[i] = true;
		ay_report_cover(m->rep, 0, m->r->pcr, (int32_t)m->at[i], m->rule);
	}
	for (size_t w = 0; w < m->r->n_events; w++)
		if (AY_CHECKED("REF_LAUNCH", !met[w]))
			tell(m, &m->r->event[w]);
}

static void check(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	struct match m = { .r = r, .f = f, .rep = rep };
	struct ay_place at = { .has_pcr = true, .pcr = r->pcr };
	bool *met = ay_arena_array(rep->arena, r->n_events + 1, sizeof(*met));
	size_t k;

	if (f->log == NULL)
		return; /* QUOTE_WITHOUT_LOG or a LOG_ finding says so */
	if (ay_rule_shown_bank(r, f->pcrs, &k) == 0) {
		ay_report_add(rep, AY_CHECK_REF_EVENT, AY_NOT_CHECKED, &at,
			      "PCR %u: set %s has no bank that was quoted", r->pcr, s->name);
		return;
	}
	m.rule = ay_arena_printf(rep->arena, "set %s v%u: launch", s->name, (unsigned)s->version);
	m.at = ay_rule_gather(f, r->pcr, rep, &m.n);
	m.taken = ay_arena_array(rep->arena, m.n + 1, sizeof(*m.taken));
	if (m.at == NULL || m.taken == NULL || met == NULL) {
		rep->fault = AY_E_NOMEM;
		return;
	}
	compare(&m, met);
	if (m.n_bad > 0)
		return;
	if (AY_CHECKED("REF_LAUNCH_UNEXPLAINED", (f->unexplained >> r->pcr & 1) != 0))
		ay_report_add(rep, AY_CHECK_REF_EVENT, AY_NOT_CHECKED, &at,
			      "PCR %u: the log does not explain the value, its events prove "
			      "nothing",
			      r->pcr);
	else
		ay_report_add(rep, AY_CHECK_REF_EVENT, AY_PASS, &at,
			      "PCR %u: the launch measured the %zu things that set %s expects",
			      r->pcr, r->n_events, s->name);
}

const struct ay_rule_kind ay_rule_launch = {
	.name = "launch",
	.doc = "events of a measured launch, each claimed by the part it belongs to",
	.has_pcr = true,
	.role = AY_ROLE_WHOLE,
	.by_events = true,
	.parse = parse,
	.build = build,
	.check = check,
};
