/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "one_of": the value of a PCR is one of several. */
#include "core/appraise/rule_parts.h"

#define ALTERNATIVES_MAX 1024

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "pcr", "values", NULL };
	const json_t *list;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK)
		rc = ay_json_array(o, "reference.rule", "values", true, &list, e);
	if (rc != AY_OK)
		return rc;
	if (json_array_size(list) < 2 || json_array_size(list) > ALTERNATIVES_MAX)
		return ay_json_bad(e, "reference.rule", "values", "needs 2 to 1024 alternatives");
	r->values = ay_arena_array(a, json_array_size(list), sizeof(*r->values));
	if (r->values == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++)
		rc = ay_rule_parse_values(json_array_get(list, i), r, &r->values[r->n_values++], e);
	return rc;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_values; i++)
		if (json_array_append_new(list, ay_rule_values_json(r, &r->values[i])) != 0) {
			json_decref(list);
			return false;
		}
	return json_object_set_new(o, "values", list) == 0;
}

static void cover(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	const char *rule = ay_arena_printf(rep->arena, "set %s v%u: one of %zu values", s->name,
					   (unsigned)s->version, r->n_values);

	for (size_t k = 0; k < f->pcrs->n_banks; k++)
		for (size_t i = 0; i < r->n_values; i++)
			if (ay_pcrs_value(&r->values[i], f->pcrs->bank[k].alg, r->pcr).n > 0) {
				ay_report_cover(rep, f->pcrs->bank[k].alg, r->pcr, -1, rule);
				break;
			}
}

static void check(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	enum ay_result best = AY_FAIL;
	struct ay_place at = { .has_pcr = true, .pcr = r->pcr };

	cover(s, r, f, rep);
	for (size_t i = 0; best != AY_PASS && i < r->n_values; i++) {
		enum ay_result got = ay_rule_compare_values(r, &r->values[i], f, &at);

		best = got > best ? got : best;
	}
	at.expected = (struct ay_bytes){ 0 };
	if (best == AY_PASS)
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_PASS, &at,
			      "PCR %u is one of the %zu values of set %s", r->pcr, r->n_values,
			      s->name);
	else if (best == AY_NOT_CHECKED)
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_NOT_CHECKED, &at,
			      "set %s has values of PCR %u that the quote does not cover", s->name,
			      r->pcr);
	else if (AY_CHECKED("REF_ONE_OF", true))
		ay_report_add(rep, AY_CHECK_REF_PCR, AY_FAIL, &at,
			      "PCR %u is none of the %zu values of set %s", r->pcr, r->n_values,
			      s->name);
}

const struct ay_rule_kind ay_rule_one_of = {
	.name = "one_of",
	.doc = "the value of a PCR is one of several",
	.has_pcr = true,
	.role = AY_ROLE_WHOLE,
	.parse = parse,
	.build = build,
	.check = check,
};
