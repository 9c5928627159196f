/* SPDX-License-Identifier: Apache-2.0 */
/* What sets that are not in force say about a report that is shown. */
#include "core/appraise/causes.h"

#include <string.h>

#include "core/base/hex.h"
#include "core/base/json.h"

/* A failing finding of a report: where it is and what was measured there. */
struct place {
	bool is_file;
	int pcr; /* -1: none */
	uint16_t bank;
	uint8_t octets[AY_DIGEST_MAX];
	struct ay_bytes measured;
};

static bool read_place(const json_t *f, struct place *p)
{
	const char *bank = json_string_value(json_object_get(f, "bank"));
	const char *hex = json_string_value(json_object_get(f, "measured"));
	const json_t *pcr = json_object_get(f, "pcr");
	size_t n;

	*p = (struct place){ .pcr = json_is_integer(pcr) ? (int)json_integer_value(pcr) : -1 };
	p->is_file = json_object_get(f, "path") != NULL;
	if (bank == NULL || hex == NULL)
		return false;
	p->bank = ay_alg_from_bank_name(ay_bytes_of(bank));
	n = ay_alg_digest_size(p->bank);
	p->measured = (struct ay_bytes){ p->octets, n };
	return n > 0 && ay_hex_decode(ay_bytes_of(hex), "measured", p->octets, n, NULL) == AY_OK;
}

static bool has_value(const struct ay_rule *r, const struct place *p)
{
	for (size_t i = 0; i < r->n_values; i++)
		if (ay_bytes_eq(ay_pcrs_value(&r->values[i], p->bank, r->pcr), p->measured))
			return true;
	return false;
}

static bool has_event(const struct ay_rule *r, const struct place *p)
{
	for (size_t k = 0; k < r->n_banks; k++)
		for (size_t i = 0; r->bank[k] == p->bank && i < r->n_events; i++)
			if (r->event[i].digest[k] != NULL &&
			    memcmp(r->event[i].digest[k], p->octets, p->measured.n) == 0)
				return true;
	return false;
}

static bool expects(const struct ay_refset *s, const struct place *p)
{
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct ay_rule *r = &s->rule[i];

		if (p->is_file && r->kind == &ay_rule_files &&
		    ay_digest_set_find(&r->files, p->bank, p->measured) != NULL)
			return true;
		if (r->kind->has_pcr && r->pcr == p->pcr && (has_value(r, p) || has_event(r, p)))
			return true;
	}
	return false;
}

/* The set that says most: revoked before draft before superseded, the newest first. */
static const struct ay_refset *known_from(const struct ay_refset *const *others, size_t n,
					  const json_t *finding)
{
	static const enum ay_set_state order[] = { AY_SET_REVOKED, AY_SET_DRAFT,
						   AY_SET_SUPERSEDED };
	struct place p;

	if (!read_place(finding, &p))
		return NULL;
	for (size_t k = 0; k < AY_COUNT(order); k++)
		for (size_t i = n; i-- > 0;)
			if (others[i]->state == order[k] && expects(others[i], &p))
				return others[i];
	return NULL;
}

/* Most suspicious first; 0: nothing is known. */
static int weight(const struct ay_refset *s)
{
	if (s == NULL)
		return 1;
	if (s->state == AY_SET_REVOKED)
		return 0;
	return s->state == AY_SET_SUPERSEDED ? 2 : 3;
}

/*
 * The set that explains every failing finding of a class. One difference that
 * an update explains never speaks for another that nothing explains: the worst
 * counts. NULL: nothing is said.
 */
static const struct ay_refset *explanation(const json_t *report, const char *class,
					   const struct ay_refset *const *others, size_t n)
{
	const struct ay_refset *worst = NULL, *from;
	bool any = false;
	const json_t *f;
	size_t i;

	json_array_foreach (json_object_get(report, "findings"), i, f) {
		const char *cause = json_string_value(json_object_get(f, "cause"));
		const char *result = json_string_value(json_object_get(f, "result"));

		if (cause == NULL || result == NULL || strcmp(cause, class) != 0 ||
		    strcmp(result, "fail") != 0)
			continue;
		from = known_from(others, n, f);
		if (!any || weight(from) < weight(worst))
			worst = from;
		any = true;
	}
	return worst;
}

static json_t *fix_text(const struct ay_refset *s)
{
	if (s->state == AY_SET_DRAFT)
		return json_sprintf("it is as draft set %s v%u expects: if the update is meant, "
				    "activate that set",
				    s->name, (unsigned)s->version);
	if (s->state == AY_SET_SUPERSEDED)
		return json_sprintf("it is as set %s v%u expected, which was superseded: update "
				    "the host, or give the policy an update window",
				    s->name, (unsigned)s->version);
	return json_sprintf("it is as set %s v%u expected, which was revoked: install what "
			    "replaced it",
			    s->name, (unsigned)s->version);
}

static enum ay_cause_kind kind_of(const struct ay_refset *s)
{
	if (s->state == AY_SET_DRAFT)
		return AY_CAUSE_EXPECTED;
	return s->state == AY_SET_SUPERSEDED ? AY_CAUSE_UNKNOWN : AY_CAUSE_SUSPICIOUS;
}

bool ay_causes_explain(json_t *report, const struct ay_refset *const *others, size_t n_others)
{
	bool ok = true;
	json_t *c;
	size_t i;

	json_array_foreach (json_object_get(report, "causes"), i, c) {
		const char *class = json_string_value(json_object_get(c, "class"));
		const struct ay_refset *s =
			class == NULL ? NULL : explanation(report, class, others, n_others);

		if (s == NULL)
			continue;
		ok &= json_object_set_new(c, "kind", json_string(ay_cause_kind_name(kind_of(s)))) ==
			      0 &&
		      json_object_set_new(c, "fix", fix_text(s)) == 0;
	}
	return ok;
}
