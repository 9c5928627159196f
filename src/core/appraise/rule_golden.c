/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind "golden": a PCR whose log is known to be wrong. Its value is compared
 * whole, in every bank that was quoted, and then what is wrong with its events
 * is a note (ay_refset_excuses_log). Somebody answers for it.
 */
#include "core/appraise/rule_parts.h"

#include <string.h>

#include "core/evlog/replay.h"

static enum ay_rc parse_why(const json_t *o, struct ay_arena *a, struct ay_rule *r,
			    struct ay_err *e)
{
	enum ay_rc rc = ay_json_text(o, "reference.rule", "owner", true, AY_MAX_TEXT_BYTES, a,
				     &r->owner, e);

	if (rc == AY_OK)
		rc = ay_json_text(o, "reference.rule", "reason", true, AY_MAX_TEXT_BYTES, a,
				  &r->reason, e);
	if (rc == AY_OK && (*r->owner == '\0' || *r->reason == '\0'))
		rc = ay_json_bad(e, "reference.rule", "golden", "needs an owner and a reason");
	return rc;
}

/* Which SINIT modules leave a log that cannot be replayed is known one by one. */
static enum ay_rc parse_sinit(const json_t *o, struct ay_arena *a, struct ay_rule *r,
			      struct ay_err *e)
{
	bool of_launch = r->pcr >= AY_DRTM_FIRST && r->pcr <= AY_DRTM_LAST;
	struct ay_pcrs *sinit;
	const json_t *digests;
	enum ay_rc rc = ay_json_object(o, "reference.rule", "sinit", of_launch, &digests, e);

	if (rc != AY_OK || digests == NULL)
		return rc;
	if (!of_launch)
		return ay_json_bad(e, "reference.rule", "sinit", "is of PCR 17 to 22");
	sinit = ay_arena_alloc(a, sizeof(*sinit));
	if (sinit == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	r->sinit = sinit;
	return ay_rule_parse_values(digests, r, sinit, e);
}

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind",   "pcr",	"values", "owner",
					     "reason", "sinit", NULL };
	const json_t *values;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK)
		rc = parse_why(o, a, r, e);
	if (rc == AY_OK)
		rc = ay_json_object(o, "reference.rule", "values", true, &values, e);
	if (rc != AY_OK)
		return rc;
	r->values = ay_arena_alloc(a, sizeof(*r->values));
	if (r->values == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	r->n_values = 1;
	rc = ay_rule_parse_values(values, r, r->values, e);
	return rc == AY_OK ? parse_sinit(o, a, r, e) : rc;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	if (r->sinit != NULL &&
	    json_object_set_new(o, "sinit", ay_rule_values_json(r, r->sinit)) != 0)
		return false;
	return json_object_set_new(o, "values", ay_rule_values_json(r, r->values)) == 0 &&
	       json_object_set_new(o, "owner", json_string(r->owner)) == 0 &&
	       json_object_set_new(o, "reason", json_string(r->reason)) == 0;
}

/* A bank that was quoted and that the rule has no value for could hold anything. */
static bool leaves_bank_open(const struct ay_rule *r, const struct ay_boot_facts *f,
			     struct ay_place *at)
{
	for (size_t k = 0; k < f->pcrs->n_banks; k++) {
		at->bank = f->pcrs->bank[k].alg;
		if (ay_pcrs_value(f->pcrs, at->bank, r->pcr).n > 0 &&
		    ay_pcrs_value(r->values, at->bank, r->pcr).n == 0)
			return true;
	}
	return false;
}

/* The launch began with the module that the rule is for, as its log says. */
static bool is_for_sinit(const struct ay_rule *r, const struct ay_boot_facts *f)
{
	const struct ay_evlog *log = f->log;
	size_t i = 0;

	if (r->sinit == NULL)
		return true;
	if (log == NULL || !ay_evlog_has_launch(log))
		return false;
	while (log->event[i].pcr != AY_DRTM_FIRST || !ay_event_is_extended(&log->event[i]))
		i++;
	for (size_t k = 0; k < r->sinit->n_banks; k++) {
		const uint8_t *d = ay_log_digest(log, i, r->sinit->bank[k].alg);
		struct ay_bytes want = ay_pcrs_value(r->sinit, r->sinit->bank[k].alg, r->pcr);

		if (d != NULL && memcmp(d, want.p, want.n) == 0)
			return true;
	}
	return false;
}

static enum ay_result judge(const struct ay_rule *r, const struct ay_boot_facts *f,
			    struct ay_place *at)
{
	enum ay_result got = ay_rule_compare_values(r, r->values, f, at);

	if (got == AY_PASS && AY_CHECKED("GOLDEN_BANK", leaves_bank_open(r, f, at)))
		got = AY_NOT_CHECKED;
	if (got == AY_PASS && AY_CHECKED("GOLDEN_SINIT", !is_for_sinit(r, f)))
		got = AY_NOT_CHECKED;
	return got;
}

static void check(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	struct ay_place at = { .has_pcr = true, .pcr = r->pcr };
	enum ay_result got = judge(r, f, &at);
	const char *rule =
		ay_arena_printf(rep->arena, "set %s v%u: golden value only (%.60s: %.120s)",
				s->name, (unsigned)s->version, r->owner, r->reason);

	for (size_t k = 0; k < r->values->n_banks; k++)
		ay_report_cover(rep, r->values->bank[k].alg, r->pcr, -1, rule);
	if (got == AY_PASS)
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_PASS, &at,
			      "PCR %u is the golden value of set %s; its log is not judged "
			      "(%.60s: %.120s)",
			      r->pcr, s->name, r->owner, r->reason);
	else if (got == AY_NOT_CHECKED && !is_for_sinit(r, f))
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_NOT_CHECKED, &at,
			      "PCR %u: the golden value of set %s is for another SINIT module",
			      r->pcr, s->name);
	else if (got == AY_NOT_CHECKED)
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_NOT_CHECKED, &at,
			      "PCR %u (%s): set %s and the quote do not have the same banks",
			      r->pcr, ay_alg_bank_name(at.bank), s->name);
	else if (AY_CHECKED("REF_GOLDEN", true))
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_FAIL, &at,
			      "PCR %u is not the golden value of set %s", r->pcr, s->name);
}

const struct ay_rule *ay_refset_excuses_log(const struct ay_refset *s, enum ay_part part,
					    unsigned pcr, const struct ay_boot_facts *f)
{
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct ay_rule *r = &s->rule[i];
		struct ay_place at;

		if (r->kind == &ay_rule_golden && r->part == part && r->pcr == pcr &&
		    judge(r, f, &at) == AY_PASS)
			return r;
	}
	return NULL;
}

const struct ay_rule_kind ay_rule_golden = {
	.name = "golden",
	.doc = "the whole value of a PCR whose log is known to be wrong",
	.has_pcr = true,
	.role = AY_ROLE_WHOLE,
	.parse = parse,
	.build = build,
	.check = check,
};
