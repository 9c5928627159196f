/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "pcr": the exact value of one PCR, in each bank that the set knows. */
#include "core/appraise/rule_parts.h"

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "pcr", "values", NULL };
	const json_t *values;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK)
		rc = ay_json_object(o, "reference.rule", "values", true, &values, e);
	if (rc != AY_OK)
		return rc;
	r->values = ay_arena_alloc(a, sizeof(*r->values));
	if (r->values == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	r->n_values = 1;
	return ay_rule_parse_values(values, r, r->values, e);
}

static bool build(const struct ay_rule *r, json_t *o)
{
	return json_object_set_new(o, "values", ay_rule_values_json(r, r->values)) == 0;
}

static void check_bank(const struct ay_refset *s, const struct ay_rule *r, uint16_t alg,
		       const struct ay_boot_facts *f, struct ay_report *rep)
{
	struct ay_place at = { .has_pcr = true, .pcr = r->pcr, .bank = alg };

	at.expected = ay_pcrs_value(r->values, alg, r->pcr);
	at.measured = ay_pcrs_value(f->pcrs, alg, r->pcr);
	if (at.measured.n == 0 && f->offline) {
		ay_report_add(rep, AY_CHECK_QUOTE_SELECTION, AY_FAIL, &at,
			      "set %s has a value that the quote does not cover", s->name);
	} else if (at.measured.n == 0) {
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_NOT_CHECKED, &at,
			      "set %s has a value that the quote does not cover", s->name);
	} else if (AY_CHECKED("REF_PCR", !ay_bytes_eq(at.expected, at.measured))) {
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_FAIL, &at,
			      "PCR %u (%s) is not the value of set %s", r->pcr,
			      ay_alg_bank_name(alg), s->name);
	} else {
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_PASS, &at,
			      "PCR %u (%s) is the value of set %s", r->pcr, ay_alg_bank_name(alg),
			      s->name);
	}
}

static void check(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	const char *rule = ay_arena_printf(rep->arena, "set %s v%u: exact value", s->name,
					   (unsigned)s->version);

	for (size_t i = 0; i < r->values->n_banks; i++) {
		check_bank(s, r, r->values->bank[i].alg, f, rep);
		ay_report_cover(rep, r->values->bank[i].alg, r->pcr, -1, rule);
	}
}

const struct ay_rule_kind ay_rule_pcr = {
	.name = "pcr",
	.doc = "the exact value of a PCR in each bank",
	.has_pcr = true,
	.role = AY_ROLE_WHOLE,
	.parse = parse,
	.build = build,
	.check = check,
};
