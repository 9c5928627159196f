/* SPDX-License-Identifier: Apache-2.0 */
/* CIT v2: /host-attestations */
#include "prog/assayd/family/attestview.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

/* "0: hex\n1: hex\n" of the bank, as CIT writes it. */
static json_t *result_json(const json_t *f)
{
	bool pass = strcmp(text_of(f, "result"), "pass") == 0;
	const char *code = text_of(f, "code"), *rule = ay_family_rule_name(code);
	json_t *faults = json_array();

	if (!pass)
		json_array_append_new(faults, json_pack("{s:s, s:s}", "fault_name", code,
							"description", text_of(f, "text")));
	return json_pack("{s:{s:s, s:[s]}, s:o, s:s, s:b}", "rule", "rule_name", rule, "markers",
			 ay_family_marker(text_of(f, "component"), false), "faults", faults,
			 "rule_name", rule, "trusted", (int)pass);
}

static json_t *results_json(const json_t *report)
{
	json_t *list = json_array(), *f;
	size_t i;

	json_array_foreach (json_object_get(report, "findings"), i, f)
		json_array_append_new(list, result_json(f));
	return list;
}

static json_t *attestation_json(const struct ay_family_attestation *a)
{
	const struct ay_family_trust *t = &a->trust;
	char id[AY_UUID_TEXT], host[AY_UUID_TEXT];
	const char *policy = text_of(json_object_get(a->report, "policy"), "name");

	ay_uuid_format(&a->row.report, id);
	ay_uuid_format(&a->h->id, host);
	return json_pack("{s:s, s:s, s:s, s:o, s:{s:s, s:{s:b, s:b, s:b, s:b}}, "
			 "s:{s:{s:{}}, s:s, s:o, s:b}}",
			 "id", id, "host_uuid", host, "host_name", a->h->name, "created_on",
			 ay_api_time(a->row.at_ms), "host_trust_response", "hostname", a->h->name,
			 "trust", "bios", (int)t->bios, "vmm", (int)t->vmm, "location", (int)t->tag,
			 "asset_tag", (int)t->tag, "trust_report", "host_report", "variables",
			 "policy_name", policy, "results", results_json(a->report), "trusted",
			 (int)t->whole);
}

static const struct ay_family_report_form form = { .json = attestation_json,
						   .root = "host_attestation",
						   .collection = "host_attestation_collection",
						   .member = "host_attestations",
						   .limit = 10,
						   .saml = AY_ASSERTION_CIT };

void ay_cit_attest(struct ay_api_call *c)
{
	ay_family_attest_named(c, &form);
}

void ay_cit_attestation(struct ay_api_call *c)
{
	ay_family_attestation_show(c, &form);
}

void ay_cit_attestations(struct ay_api_call *c)
{
	ay_family_attestations(c, &form);
}
