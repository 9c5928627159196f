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

static json_t *attestation_json(struct ay_api_call *c, const struct ay_host *h,
				const json_t *report)
{
	struct ay_family_trust t = ay_family_trust_of(c, h);
	struct ay_uuid rid;
	char id[AY_UUID_TEXT], host[AY_UUID_TEXT];
	const char *policy = text_of(json_object_get(report, "policy"), "name");

	memcpy(rid.b, h->report_id, sizeof(rid.b));
	ay_uuid_format(&rid, id);
	ay_uuid_format(&h->id, host);
	return json_pack("{s:s, s:s, s:s, s:o, s:{s:s, s:{s:b, s:b, s:b, s:b}}, "
			 "s:{s:{s:{}}, s:s, s:o, s:b}}",
			 "id", id, "host_uuid", host, "host_name", h->name, "created_on",
			 ay_api_time(h->attested_ms), "host_trust_response", "hostname", h->name,
			 "trust", "bios", (int)t.bios, "vmm", (int)t.vmm, "location", (int)t.tag,
			 "asset_tag", (int)t.tag, "trust_report", "host_report", "variables",
			 "policy_name", policy, "results", results_json(report), "trusted",
			 (int)t.whole);
}

static const struct ay_family_report_form form = { attestation_json, "host_attestation",
						   AY_ASSERTION_CIT };

void ay_cit_attest(struct ay_api_call *c)
{
	const struct ay_host *h = ay_family_host_of_body(c);

	if (h != NULL)
		ay_family_attest(c, h, &form);
}

void ay_cit_attestation(struct ay_api_call *c)
{
	const struct ay_host *h = ay_family_host_of_report(c);

	if (h == NULL)
		return;
	if (ay_family_wants_saml(c))
		ay_family_show_saml(c, h, form.saml);
	else
		ay_family_show_report(c, h, &form);
}

/* The next that the query wants and that has a report. */
static const struct ay_host *next_wanted(struct ay_api_call *c, size_t *at)
{
	const struct ay_host *h;

	while ((h = ay_api_host_next(c, at)) != NULL)
		if (h->attested_ms != 0 && ay_family_wanted(c, h))
			return h;
	return NULL;
}

static void search_saml(struct ay_api_call *c)
{
	size_t at = 0;
	const struct ay_host *h = next_wanted(c, &at);

	if (h != NULL)
		ay_family_show_saml(c, h, form.saml);
	else
		ay_api_answer(c, 200, ay_media_type(AY_MEDIA_SAML), (struct ay_bytes){ NULL, 0 },
			      NULL, NULL);
}

void ay_cit_attestations(struct ay_api_call *c)
{
	struct ay_family_page page;
	const struct ay_host *h;
	json_t *list, *report;
	struct ay_err e;
	size_t at = 0;

	if (ay_family_wants_saml(c)) {
		search_saml(c);
		return;
	}
	if (ay_api_refused(c, ay_family_page(c, 10, &page, &e), &e))
		return;
	list = json_array();
	while (json_array_size(list) < page.limit && (h = next_wanted(c, &at)) != NULL) {
		if (page.skip > 0) {
			page.skip--;
			continue;
		}
		report = NULL;
		if (ay_engine_report(c->api->engine, h, &report, &e) == AY_OK)
			json_array_append_new(list, attestation_json(c, h, report));
		json_decref(report);
	}
	ay_family_document(c, 200, "host_attestation_collection",
			   json_pack("{s:o}", "host_attestations", list));
}
