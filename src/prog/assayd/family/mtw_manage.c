/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mt. Wilson v1, /ManagementService: hosts that are registered without naming
 * their MLEs, whitelists taken from a good host, certificates.
 */
#include "prog/assayd/family/members.h"
#include "prog/assayd/family/register.h"
#include "prog/assayd/family/whitelist.h"

/* ---- registration ---- */

/* A record as it is, or within its options. */
static const json_t *record_of(const json_t *o)
{
	const json_t *r = ay_member(o, "TXT_Host_Record,txtHostRecord,txt_host_record");

	return r != NULL ? r : o;
}

/* name: of the record, for the audit. */
static enum ay_rc register_host(struct ay_api_call *c, const json_t *o, struct ay_bytes *name,
				struct ay_err *e)
{
	json_t *doc = json_copy((json_t *)(uintptr_t)o);
	struct ay_family_record ask;
	const struct ay_host *h;
	enum ay_rc rc;

	if (record_of(o) != o)
		json_object_update(doc, (json_t *)(uintptr_t)record_of(o));
	ay_family_record_of(doc, &ask);
	*name = ay_arena_dup(&c->arena, ask.name);
	rc = ay_family_register(c, &ask, AY_FAMILY_EITHER, &h, e);
	json_decref(doc);
	return rc;
}

void ay_mtw_host_register(struct ay_api_call *c)
{
	struct ay_bytes name;
	struct ay_err e = { 0 };

	if (ay_api_refused(c, register_host(c, c->body, &name, &e), &e))
		return;
	if (ay_api_audit(c, "HOST_ADD", name, json_object()))
		ay_family_done(c);
}

static json_t *register_row(struct ay_api_call *c, const json_t *o)
{
	struct ay_bytes name;
	struct ay_err e = { 0 };
	enum ay_rc rc = register_host(c, o, &name, &e);

	return json_pack("{s:s%, s:s, s:s, s:s}", "Host_Name",
			 name.n == 0 ? "" : (const char *)name.p, name.n, "Status",
			 rc == AY_OK ? "true" : "false", "Error_Message", rc == AY_OK ? "" : e.text,
			 "Error_Code",
			 rc == AY_OK	     ? "OK"
			 : e.code[0] == '\0' ? ay_rc_name(rc)
					     : e.code);
}

void ay_mtw_hosts_register(struct ay_api_call *c)
{
	const json_t *list = ay_member(c->body, "HostRecords,host_records");
	size_t n = ay_member_items(list);
	json_t *results;
	struct ay_err e = { 0 };

	if (list == NULL || n > AY_MAX_RPC_HOSTS) {
		ay_err_set(&e, AY_E_INPUT, "HostRecords", 0, "an array of at most %d is needed",
			   AY_MAX_RPC_HOSTS);
		ay_err_code(&e, "MISSING_INPUT");
		ay_api_problem(c, &e);
		return;
	}
	results = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(results, register_row(c, ay_member_item(list, i)));
	if (ay_api_audit(c, "HOST_ADD", ay_bytes_of("bulk"),
			 json_pack("{s:I}", "hosts", (json_int_t)n)))
		ay_family_document(c, 200, "host_config_response_list",
				   json_pack("{s:o}", "HostRecords", results));
	else
		json_decref(results);
}

/* ---- whitelists from a good host ---- */

void ay_mtw_whitelist(struct ay_api_call *c)
{
	ay_family_whitelist(c, c->body, record_of(c->body), ay_family_done);
}

/* ---- certificates, and the rest ---- */

void ay_mtw_ca_certificate(struct ay_api_call *c)
{
	ay_family_certificate(c, c->param[0]);
}

void ay_mtw_saml_certificate(struct ay_api_call *c)
{
	ay_family_certificate(c, ay_bytes_of("saml"));
}

void ay_mtw_locales(struct ay_api_call *c)
{
	ay_family_document(c, 200, "locales", json_pack("[s]", "en-US"));
}

/* That of whoever asks: answers are in one language. */
void ay_mtw_locale(struct ay_api_call *c)
{
	ay_family_text(c, 200, "en-US");
}
