/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "includes": events that must be there, in any order; others may be. */
#include "core/appraise/rule_parts.h"

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "pcr", "events", NULL };
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	return rc == AY_OK ? ay_rule_parse_events(o, 1, a, r, e) : rc;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	return json_object_set_new(o, "events", ay_rule_events_json(r)) == 0;
}

/* An event of the log that no expected one has taken yet; n: none. */
static size_t find(const struct ay_rule *r, const struct ay_ref_event *ev,
		   const struct ay_boot_facts *f, const uint32_t *at, size_t n, const bool *taken)
{
	size_t i = 0;

	while (i < n && (taken[i] || !ay_rule_is_event(r, ev, f, at[i])))
		i++;
	return i;
}

static void tell_missing(const struct ay_rule *r, const struct ay_ref_event *ev,
			 const struct ay_boot_facts *f, struct ay_report *rep)
{
	size_t k;
	struct ay_place at = { .has_pcr = true,
			       .pcr = r->pcr,
			       .bank = ay_rule_shown_bank(r, f->pcrs, &k) };

	if (ev->digest[k] != NULL)
		at.expected = (struct ay_bytes){ ev->digest[k], ay_alg_digest_size(at.bank) };
	ay_report_add(rep, AY_CHECK_REF_MISSING, AY_FAIL, &at, "PCR %u: event missing: \"%.*s\"",
		      r->pcr, 150, ev->summary);
}

/* How many of the expected events are missing. */
static size_t compare(const struct ay_refset *s, const struct ay_rule *r,
		      const struct ay_boot_facts *f, struct ay_report *rep)
{
	const char *rule =
		ay_arena_printf(rep->arena, "set %s v%u: includes", s->name, (unsigned)s->version);
	size_t n, missing = 0;
	uint32_t *at = ay_rule_gather(f, r->pcr, rep, &n);
	bool *taken = ay_arena_array(rep->arena, n + 1, sizeof(*taken));

	if (at == NULL || taken == NULL) {
		rep->fault = AY_E_NOMEM;
		return 1;
	}
	for (size_t w = 0; w < r->n_events; w++) {
		size_t i = find(r, &r->event[w], f, at, n, taken);

		if (i < n) {
			taken[i] = true;
			ay_report_cover(rep, 0, r->pcr, (int32_t)at[i], rule);
		} else if (AY_CHECKED("REF_INCLUDES", true)) {
			tell_missing(r, &r->event[w], f, rep);
			missing++;
		}
	}
	return missing;
}

static void check(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	struct ay_place at = { .has_pcr = true, .pcr = r->pcr };
	size_t k;

	if (!ay_boot_has_log(f, r->pcr))
		return; /* QUOTE_WITHOUT_LOG or a LOG_ finding says so */
	if (ay_rule_shown_bank(r, f->pcrs, &k) == 0) {
		ay_report_add(rep, AY_CHECK_REF_EVENT, AY_NOT_CHECKED, &at,
			      "PCR %u: set %s has no bank that was quoted", r->pcr, s->name);
		return;
	}
	if (compare(s, r, f, rep) > 0)
		return;
	if (AY_CHECKED("REF_INCLUDES_UNEXPLAINED", (f->unexplained & (1u << r->pcr)) != 0))
		ay_report_add(rep, AY_CHECK_REF_EVENT, AY_NOT_CHECKED, &at,
			      "PCR %u: the log does not explain the value, its events prove "
			      "nothing",
			      r->pcr);
	else
		ay_report_add(rep, AY_CHECK_REF_EVENT, AY_PASS, &at,
			      "PCR %u has the %zu events that set %s asks for", r->pcr, r->n_events,
			      s->name);
}

const struct ay_rule_kind ay_rule_includes = {
	.name = "includes",
	.doc = "events that a PCR must have; others may be there",
	.has_pcr = true,
	.role = AY_ROLE_SOME,
	.by_events = true,
	.parse = parse,
	.build = build,
	.check = check,
};
