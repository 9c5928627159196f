/* SPDX-License-Identifier: Apache-2.0 */
/* SecL: /hvs/v2 and the token that its clients ask for. */
#include "prog/assayd/api/auth.h"
#include "prog/assayd/family/attestview.h"
#include "prog/assayd/family/register.h"

#include <stdlib.h>

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

/* ---- token ---- */

/* The password is an API token; it is the bearer token, too. Nothing new is made. */
void ay_hvs_token(struct ay_api_call *c)
{
	struct ay_bytes name = ay_family_member(c->body, "username", "user");
	struct ay_bytes token = ay_family_member(c->body, "password", "password");
	struct ay_principal who = { 0 };
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_bearer_check(c->api, token, &who, &e);

	if (rc == AY_OK && !ay_bytes_eq(name, ay_bytes_of(who.user)))
		rc = ay_auth_wrong(&e);
	if (rc == AY_OK) {
		ay_api_answer(c, 200, "application/jwt", token, NULL, NULL);
		return;
	}
	ay_api_denied(c, 401, &e);
	if (ay_auth_failed(c->api, c->peer))
		ay_api_problem_as(c, 401, &e, NULL, NULL);
	else
		ay_api_problem_as(c, 429, &e, "retry-after", "10");
}

/* ---- reports ---- */

static json_t *rule_json(const json_t *f)
{
	bool pass = strcmp(text_of(f, "result"), "pass") == 0;
	json_t *faults = json_array();

	if (!pass)
		json_array_append_new(faults, json_pack("{s:s, s:s}", "name", text_of(f, "code"),
							"description", text_of(f, "text")));
	return json_pack("{s:{s:s, s:[s]}, s:o, s:b}", "rule", "rule_name",
			 ay_family_rule_name(text_of(f, "code")), "markers",
			 ay_family_marker(text_of(f, "component"), true), "faults", faults,
			 "trusted", (int)pass);
}

static json_t *part_json(const struct ay_family_attestation *a, enum ay_component part)
{
	json_t *rules = json_array(), *f;
	size_t i;

	json_array_foreach (json_object_get(a->report, "findings"), i, f)
		if (strcmp(text_of(f, "component"), ay_component_name(part)) == 0)
			json_array_append_new(rules, rule_json(f));
	return json_pack("{s:b, s:o}", "trust", (int)(a->components[part] == AY_TRUSTED), "rules",
			 rules);
}

static json_t *report_json(const struct ay_family_attestation *a)
{
	char id[AY_UUID_TEXT], host[AY_UUID_TEXT];
	json_t *parts = json_object();

	for (size_t i = AY_COMP_PLATFORM; i < AY_COMPONENTS; i++) {
		const char *marker =
			ay_family_marker(ay_component_name((enum ay_component)i), true);

		if (strcmp(marker, "HOST_UNIQUE") != 0)
			json_object_set_new(parts, marker, part_json(a, (enum ay_component)i));
	}
	ay_uuid_format(&a->row.report, id);
	ay_uuid_format(&a->h->id, host);
	return json_pack("{s:s, s:s, s:s, s:{s:b, s:o}, s:o, s:o}", "id", id, "host_id", host,
			 "host_name", a->h->name, "trust_information", "OVERALL",
			 (int)a->trust.whole, "flavors_trust", parts, "created",
			 ay_api_time(a->row.at_ms), "expiration",
			 ay_api_time(a->row.lease_until_ms));
}

static const struct ay_family_report_form form = { .json = report_json,
						   .root = "report",
						   .collection = "reports",
						   .member = "reports",
						   .limit = 2000,
						   .latest = true,
						   .saml = AY_ASSERTION_SECL };

void ay_hvs_report_create(struct ay_api_call *c)
{
	ay_family_attest_named(c, &form);
}

void ay_hvs_report(struct ay_api_call *c)
{
	ay_family_attestation_show(c, &form);
}

void ay_hvs_reports(struct ay_api_call *c)
{
	ay_family_attestations(c, &form);
}

/* Of the host's latest attestation; null before the first. */
static json_t *latest_json(struct ay_api_call *c, const struct ay_host *h)
{
	struct ay_family_attestation a;
	json_t *report = NULL, *out;

	if (h->attested_ms == 0 || ay_engine_report(c->api->engine, h, &report, NULL) != AY_OK)
		return json_null();
	ay_family_attestation_now(c, h, report, &a);
	out = report_json(&a);
	json_decref(report);
	return out;
}

/* ---- hosts ---- */

static json_t *host_json(struct ay_api_call *c, const struct ay_host *h)
{
	char id[AY_UUID_TEXT], url[AY_FAMILY_URL];

	ay_uuid_format(&h->id, id);
	ay_family_connection_url(h, url);
	json_t *o = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:[s], s:b}", "id", id, "host_name", h->name,
		"connection_string", url, "hardware_uuid", id, "description",
		ay_family_label(h, "description") == NULL ? "" : ay_family_label(h, "description"),
		"flavorgroup_names", "automatic", "trusted", (int)ay_family_trust_of(c, h).whole);

	if (ay_family_truth(c, "getHostStatus", false))
		json_object_set_new(o, "status",
				    json_pack("{s:s}", "host_state", ay_family_host_state(h)));
	if (ay_family_truth(c, "getReport", false))
		json_object_set_new(o, "report", latest_json(c, h));
	return o;
}

typedef json_t *row_fn(struct ay_api_call *c, const struct ay_host *h);

static void search(struct ay_api_call *c, const char *member, row_fn *row)
{
	struct ay_family_page page;
	const struct ay_host *h;
	json_t *list, *one;
	struct ay_err e;
	size_t at = 0;

	if (ay_api_refused(c, ay_family_page(c, 10000, &page, &e), &e))
		return;
	list = json_array();
	while (json_array_size(list) < page.limit && (h = ay_api_host_next(c, &at)) != NULL) {
		one = ay_family_wanted(c, h, true) ? row(c, h) : NULL;
		if (one == NULL)
			continue;
		if (page.skip == 0)
			json_array_append(list, one);
		else
			page.skip--;
		json_decref(one);
	}
	ay_family_document(c, 200, member, json_pack("{s:o}", member, list));
}

void ay_hvs_hosts(struct ay_api_call *c)
{
	search(c, "hosts", host_json);
}

void ay_hvs_host(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);

	if (h != NULL)
		ay_family_document(c, 200, "host", host_json(c, h));
}

void ay_hvs_host_create(struct ay_api_call *c)
{
	ay_family_host_put(c, NULL, 201, host_json);
}

void ay_hvs_host_update(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);

	if (h != NULL)
		ay_family_host_put(c, h, 200, host_json);
}

void ay_hvs_host_delete(struct ay_api_call *c)
{
	ay_cit_hosts_delete(c);
}

/* ---- host-status ---- */

static json_t *status_json(struct ay_api_call *c, const struct ay_host *h)
{
	char id[AY_UUID_TEXT];

	(void)c;
	ay_uuid_format(&h->id, id);
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:o}}", "id", id, "host_id", id, "host_name",
			 h->name, "status", "host_state", ay_family_host_state(h),
			 "last_time_connected", ay_api_time(h->attested_ms));
}

void ay_hvs_host_status(struct ay_api_call *c)
{
	search(c, "host_status", status_json);
}

/* ---- certificates ---- */

void ay_hvs_certificates(struct ay_api_call *c)
{
	struct ay_bytes only = ay_api_param(c, "domain");

	if (only.n > 0)
		ay_family_certificate(c, only);
	else
		ay_family_document(
			c, 200, "ca_certificates",
			json_pack("{s:o}", "ca_certificates", ay_family_certificates(c)));
}

void ay_hvs_certificate(struct ay_api_call *c)
{
	ay_family_certificate(c, c->param[0]);
}
