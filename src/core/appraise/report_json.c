/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/report_json.h"

#include <stdio.h>

#include "core/appraise/causes.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/tpm/alg.h"

/* Members that apply only sometimes. A failed set leaves too few and is seen by the caller's pack.
 */
static bool put(json_t *o, const char *key, json_t *v)
{
	return json_object_set_new(o, key, v) == 0;
}

static bool put_text(json_t *o, const char *key, const char *s)
{
	return s == NULL || put(o, key, json_string(s));
}

static const char *bank_name(uint16_t alg)
{
	const char *name = ay_alg_bank_name(alg);

	return name == NULL ? "unknown" : name;
}

static bool put_place(json_t *o, const struct ay_finding *f)
{
	const char *clause = ay_check_row(f->code)->clause;

	return (f->bank == 0 || put_text(o, "bank", bank_name(f->bank))) &&
	       (!f->has_pcr || put(o, "pcr", json_integer(f->pcr))) &&
	       (!f->has_event || put(o, "event", json_integer(f->event))) &&
	       (!f->has_entry || put(o, "entry", json_integer((json_int_t)f->entry))) &&
	       put_text(o, "cause", f->cause) && put_text(o, "path", f->path) &&
	       put_text(o, "expected", f->expected) && put_text(o, "measured", f->measured) &&
	       put_text(o, "clause", clause[0] == '\0' ? NULL : clause);
}

json_t *ay_finding_json(const struct ay_finding *f)
{
	json_t *o = json_pack("{ss ss ss ss}", "code", ay_check_row(f->code)->code, "result",
			      ay_result_name(f->result), "component",
			      ay_component_name(f->component), "text", f->text);

	if (o != NULL && !put_place(o, f))
		ay_json_unref(&o);
	return o;
}

static json_t *components_json(const struct ay_report *rep)
{
	json_t *o = json_object();

	for (unsigned c = AY_COMP_IDENTITY; c < AY_COMPONENTS; c++) {
		const struct ay_component_state *s = &rep->component[c];

		if (c > AY_COMP_OS && !s->required && s->n_fail + s->n_open + s->n_judged == 0)
			continue; /* nothing was asked or said of it */
		if (!put(o, ay_component_name((enum ay_component)c),
			 json_pack("{ss ss}", "verdict", ay_verdict_name(s->verdict), "grade",
				   ay_grade_name(s->grade))))
			ay_json_unref(&o);
	}
	return o;
}

static json_t *findings_json(const struct ay_report *rep)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rep->n_findings && list != NULL; i++)
		if (json_array_append_new(list, ay_finding_json(&rep->finding[i])) != 0)
			ay_json_unref(&list);
	return list;
}

static json_t *coverage_json(const struct ay_report *rep)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rep->n_coverage && list != NULL; i++) {
		const struct ay_coverage *c = &rep->coverage[i];
		json_t *bank = c->bank == 0 ? json_null() : json_string(bank_name(c->bank));
		json_t *event = c->event < 0 ? json_null() : json_integer(c->event);

		if (json_array_append_new(list, json_pack("{so si so ss}", "bank", bank, "pcr",
							  (int)c->pcr, "event", event, "rule",
							  c->rule == NULL ? "" : c->rule)) != 0)
			ay_json_unref(&list);
	}
	return list;
}

static json_t *causes_json(const struct ay_report *rep)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rep->n_causes && list != NULL; i++) {
		const struct ay_cause *c = &rep->cause[i];

		if (json_array_append_new(list, json_pack("{ss ss ss ss}", "class", c->class,
							  "kind", ay_cause_kind_name(c->kind),
							  "text", c->text, "fix", c->fix)) != 0)
			ay_json_unref(&list);
	}
	return list;
}

static json_t *named_json(const struct ay_named *n)
{
	char hex[65];

	if (n->name == NULL)
		return json_null();
	ay_hex_encode(AY_BYTES(n->sha256), hex);
	return json_pack("{ss sI ss}", "name", n->name, "version", (json_int_t)n->version, "sha256",
			 hex);
}

static json_t *references_json(const struct ay_report *rep)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rep->n_references && list != NULL; i++)
		if (json_array_append_new(list, named_json(&rep->reference[i])) != 0)
			ay_json_unref(&list);
	return list;
}

json_t *ay_report_json(const struct ay_report *rep, const struct ay_report_head *head)
{
	char evidence[65];
	json_t *o;

	ay_hex_encode(AY_BYTES(head->evidence), evidence);
	o = json_pack("{ss? ss? ss? ss so so so so ss? so so ss}", "id", head->id, "host",
		      head->host, "at", head->at, "verdict", ay_verdict_name(rep->verdict),
		      "components", components_json(rep), "findings", findings_json(rep),
		      "coverage", coverage_json(rep), "causes", causes_json(rep), "evidence",
		      head->has_evidence ? evidence : NULL, "policy", named_json(&rep->policy),
		      "references", references_json(rep), "engine", AY_VERSION);
	if (o != NULL && rep->n_dropped > 0 &&
	    !put(o, "findings_dropped", json_integer((json_int_t)rep->n_dropped)))
		ay_json_unref(&o);
	return o;
}
