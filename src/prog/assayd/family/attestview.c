/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/attestview.h"
#include "prog/assayd/family/await.h"

#include <stdlib.h>

enum { WAIT_MS = 60000 };

bool ay_family_wants_saml(const struct ay_api_call *c)
{
	return ay_family_media(c, AY_MEDIA_DOCUMENTS | AY_MEDIA_BIT(AY_MEDIA_SAML),
			       AY_MEDIA_JSON) == AY_MEDIA_SAML;
}

const char *ay_family_rule_name(const char *code)
{
	static const struct {
		const char *begins, *rule;
	} rules[] = {
		{ "REF_PCR", "com.intel.mtwilson.policy.rule.PcrMatchesConstant" },
		{ "REF_IMA", "com.intel.mtwilson.policy.rule.XmlMeasurementLogEquals" },
		{ "REF_MISSING", "com.intel.mtwilson.policy.rule.PcrEventLogIncludes" },
		{ "REF_", "com.intel.mtwilson.policy.rule.PcrEventLogEquals" },
		{ "QUOTE_PCR_DIGEST", "com.intel.mtwilson.policy.rule.PcrEventLogIntegrity" },
		{ "QUOTE_", "com.intel.mtwilson.policy.rule.AikCertificateTrusted" },
		{ "LOG_", "com.intel.mtwilson.policy.rule.PcrEventLogIntegrity" },
		{ "IMA_", "com.intel.mtwilson.policy.rule.XmlMeasurementLogIntegrity" },
		{ "TAG_", "com.intel.mtwilson.policy.rule.AssetTagMatches" },
	};

	for (size_t i = 0; i < AY_COUNT(rules); i++)
		if (strncmp(code, rules[i].begins, strlen(rules[i].begins)) == 0)
			return rules[i].rule;
	return code;
}

const char *ay_family_marker(const char *component, bool secl)
{
	static const struct {
		const char *ours, *cit, *secl;
	} names[] = {
		{ "platform", "BIOS", "PLATFORM" },
		{ "os", "VMM", "OS" },
		{ "runtime", "IMA", "IMA" },
		{ "asset_tag", "ASSET_TAG", "ASSET_TAG" },
	};

	for (size_t i = 0; i < AY_COUNT(names); i++)
		if (strcmp(component, names[i].ours) == 0)
			return secl ? names[i].secl : names[i].cit;
	return secl ? "HOST_UNIQUE" : "HOST";
}

/* ---- a document of one attestation ---- */

/* The latest report. */
static void show_report(struct ay_api_call *c, const struct ay_host *h,
			const struct ay_family_report_form *form)
{
	struct ay_family_attestation a;
	json_t *report = NULL;
	struct ay_err e = { 0 };

	if (ay_api_refused(c, ay_engine_report(c->api->engine, h, &report, &e), &e))
		return;
	ay_family_attestation_now(c, h, report, &a);
	ay_family_document(c, 200, form->root, form->json(&a));
	json_decref(report);
}

static void attest_left(struct ay_api_call *c)
{
	ay_engine_attest_forget(c->api->engine, c);
	c->left = NULL;
	if (c->gone)
		ay_api_empty(c, 204); /* nobody hears it; ends the call */
}

static void attested(void *arg, enum ay_rc rc, const struct ay_err *e, const struct ay_host *h)
{
	struct ay_api_call *c = arg;
	const struct ay_family_report_form *form = c->state;
	struct ay_err why;

	c->left = NULL;
	c->state = NULL;
	if (rc == AY_OK) {
		show_report(c, h, form);
		return;
	}
	why = *e;
	if (rc == AY_E_UNAVAIL) { /* a host that is silent is the client's matter, not our fault */
		why.rc = AY_E_EXISTS;
		ay_err_code(&why, e->code[0] == '\0' ? "ASYNC_TIMEOUT" : "HOST_OFFLINE");
	}
	ay_api_problem(c, &why);
}

/* The signer may still be at it when the client leaves; its answer then ends the call. */
static void asserted(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	struct ay_api_call *c = arg;

	if (!ay_api_refused(c, rc, e))
		ay_api_answer(c, 200, ay_media_type(AY_MEDIA_SAML), document, NULL, NULL);
}

static void saml(struct ay_api_call *c, const struct ay_host *h, enum ay_assertion_form form,
		 bool force)
{
	struct ay_assertion_host host = { .host = h };
	struct ay_assertion_ask ask = { .form = form,
					.nonce = ay_family_member(c->body, "challenge", "nonce"),
					.force_verify = force,
					.wait_ms = WAIT_MS };

	ay_engine_assertion(c->api->engine, &host, 1, &ask, asserted, c);
}

static void no_saml(struct ay_api_call *c)
{
	ay_api_answer(c, 200, ay_media_type(AY_MEDIA_SAML), (struct ay_bytes){ NULL, 0 }, NULL,
		      NULL);
}

/* Of what is known, without asking the host; an empty body when nothing is. */
static void show_saml(struct ay_api_call *c, const struct ay_host *h, enum ay_assertion_form form)
{
	if (ay_lease_verdict(&h->lease, c->api->now_ms) == AY_UNKNOWN)
		no_saml(c);
	else
		saml(c, h, form, false);
}

/* The first attestation of a host that is being enrolled was waited for. */
static void first_attested(struct ay_api_call *c, const struct ay_host *h, void *arg, enum ay_rc rc,
			   const struct ay_err *e)
{
	const struct ay_family_report_form *form = arg;

	if (rc != AY_OK)
		ay_api_problem(c, e);
	else if (ay_family_wants_saml(c))
		saml(c, h, form->saml, false);
	else
		show_report(c, h, form);
}

void ay_family_attest(struct ay_api_call *c, const struct ay_host *h,
		      const struct ay_family_report_form *form)
{
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (h->state != AY_HOST_ENROLLED && h->dial.connect != NULL) {
		ay_family_await(c, h, first_attested, (void *)(uintptr_t)form);
		return;
	}
	if (ay_family_wants_saml(c)) {
		saml(c, h, form->saml, true);
		return;
	}
	c->state = (void *)(uintptr_t)form;
	c->left = attest_left;
	rc = ay_engine_attest(c->api->engine, h, WAIT_MS, attested, c, &e);
	if (rc != AY_OK) {
		c->left = NULL;
		c->state = NULL;
		ay_api_problem(c, &e);
	}
}

void ay_family_attest_named(struct ay_api_call *c, const struct ay_family_report_form *form)
{
	const struct ay_host *h = ay_family_host_of_body(c);

	if (h != NULL)
		ay_family_attest(c, h, form);
}

/* ---- what was attested ---- */

void ay_family_attestation_show(struct ay_api_call *c, const struct ay_family_report_form *form)
{
	struct ay_family_attestation a;
	struct ay_kept_row row;
	json_t *report = NULL;
	struct ay_err e = { 0 };
	const struct ay_host *h = ay_family_kept_find(c, c->param[0], &row, &e);
	bool latest = h != NULL && memcmp(h->report_id, row.report.b, sizeof(row.report.b)) == 0;

	if (h == NULL)
		ay_api_problem(c, &e);
	else if (ay_family_wants_saml(c) && latest)
		show_saml(c, h, form->saml);
	else if (ay_family_wants_saml(c))
		no_saml(c);
	else if (!ay_api_refused(c, ay_family_attestation_of(c, h, &row, &report, &a, &e), &e))
		ay_family_document(c, 200, form->root, form->json(&a));
	json_decref(report);
}

static const struct ay_host *host_of(struct ay_api_call *c, const struct ay_kept_row *row)
{
	char id[AY_UUID_TEXT];

	ay_uuid_format(&row->host, id);
	return ay_api_host_find(c, ay_bytes_of(id));
}

static json_t *list_json(struct ay_api_call *c, const struct ay_kept_row *row, size_t n,
			 const struct ay_family_report_form *form)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct ay_host *h = host_of(c, &row[i]);
		struct ay_family_attestation a;
		json_t *report = NULL;

		if (h != NULL &&
		    ay_family_attestation_of(c, h, &row[i], &report, &a, NULL) == AY_OK)
			json_array_append_new(list, form->json(&a));
		json_decref(report);
	}
	return list;
}

void ay_family_attestations(struct ay_api_call *c, const struct ay_family_report_form *form)
{
	struct ay_kept_row *row = NULL;
	struct ay_err e = { 0 };
	size_t n;

	if (ay_api_refused(c, ay_family_search(c, form->limit, form->latest, &row, &n, &e), &e))
		return;
	if (!ay_family_wants_saml(c))
		ay_family_document(c, 200, form->collection,
				   json_pack("{s:o}", form->member, list_json(c, row, n, form)));
	else if (n > 0)
		show_saml(c, host_of(c, &row[0]), form->saml);
	else
		no_saml(c);
	free(row);
}
