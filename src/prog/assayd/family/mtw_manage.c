/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mt. Wilson v1, /ManagementService: hosts that are registered without naming
 * their MLEs, whitelists taken from a good host, certificates.
 */
#include "core/base/connstr.h"
#include "core/base/hex.h"
#include "prog/assayd/family/hostview.h"
#include "prog/assayd/family/mle.h"
#include "prog/assayd/family/names.h"

#include <stdlib.h>

enum { MAX_BULK = 1000 };

/* Members of the family come in several spellings. */
static const char *member(const json_t *o, const char *one, const char *other)
{
	struct ay_bytes b = ay_family_member(o, one, other);

	return b.p == NULL ? "" : (const char *)b.p;
}

static bool flag(const json_t *o, const char *name, bool otherwise)
{
	const json_t *v = json_object_get(o, name);
	const char *s = json_string_value(v);

	if (s != NULL)
		return strcasecmp(s, "true") == 0;
	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

/* ---- which MLEs a host meets ---- */

static bool has_value(const struct ay_pcrs *pcrs, const char *pcr, const char *bank,
		      const char *hex)
{
	uint8_t want[64];
	struct ay_bytes is;
	size_t n = strlen(hex) / 2;
	struct ay_err e;

	for (size_t k = 0; k < pcrs->n_banks; k++) {
		const char *name = ay_alg_bank_name(pcrs->bank[k].alg);

		if (name == NULL || strcmp(name, bank) != 0)
			continue;
		is = ay_pcrs_value(pcrs, pcrs->bank[k].alg, (unsigned)strtoul(pcr, NULL, 10));
		return n <= sizeof(want) && is.n == n &&
		       ay_hex_decode(ay_bytes_of(hex), "pcr", want, n, &e) == AY_OK &&
		       memcmp(is.p, want, n) == 0;
	}
	return false;
}

/* Every value that the MLE has; one that has none is met by nobody. */
static bool meets(const struct ay_pcrs *pcrs, const json_t *mle)
{
	json_t *values, *hex;
	const char *pcr, *bank;

	if (json_object_get(mle, "set") == NULL)
		return false;
	json_object_foreach (json_object_get(mle, "pcrs"), pcr, values)
		json_object_foreach (values, bank, hex)
			if (!has_value(pcrs, pcr, bank, json_string_value(hex)))
				return false;
	return json_object_size(json_object_get(mle, "pcrs")) > 0;
}

/* Its id, or NULL: the family then took the last it found; we take none. */
static const char *find_met(const struct ay_api *a, const struct ay_pcrs *pcrs, const char *type)
{
	json_t *m;
	const char *id;

	json_object_foreach ((json_t *)(uintptr_t)ay_objects(a, "mle"), id, m)
		if (strcmp(member(m, "type", "type"), type) == 0 && meets(pcrs, m))
			return id;
	return NULL;
}

/* ---- registration ---- */

/* The MLE that a record names; NULL: it names none, or one that there is not. */
static const json_t *named(const struct ay_api *a, const json_t *record, bool is_bios)
{
	struct ay_mle_key bios = { .name = member(record, "BIOS_Name", "bios_name"),
				   .version = member(record, "BIOS_Version", "bios_version"),
				   .oem = member(record, "BIOS_Oem", "bios_oem") };
	struct ay_mle_key vmm = { .name = member(record, "VMM_Name", "vmm_name"),
				  .version = member(record, "VMM_Version", "vmm_version"),
				  .os = member(record, "VMM_OSName", "vmm_os_name"),
				  .os_version = member(record, "VMM_OSVersion", "vmm_os_version") };

	return ay_mle_find(a, is_bios ? &bios : &vmm);
}

static enum ay_rc bind(struct ay_api *a, const struct ay_host *h, const json_t *record,
		       const char *connection, struct ay_err *e)
{
	json_t *body =
		json_pack("{s:s, s:s, s:s, s:s}", "ip", member(record, "IPAddress", "ip_address"),
			  "email", member(record, "Email", "email"), "description",
			  member(record, "Description", "description"), "connection", connection);
	const json_t *bios = named(a, record, true), *vmm = named(a, record, false);
	struct ay_pcrs pcrs;
	bool known = ay_engine_host_pcrs(a->engine, h, &pcrs);
	const char *b = bios != NULL ? member(bios, "id", "id")
			: known	     ? find_met(a, &pcrs, "BIOS")
				     : NULL;
	const char *v = vmm != NULL ? member(vmm, "id", "id")
			: known	    ? find_met(a, &pcrs, "VMM")
				    : NULL;

	json_object_set_new(body, "bios_mle", b == NULL ? json_null() : json_string(b));
	json_object_set_new(body, "vmm_mle", v == NULL ? json_null() : json_string(v));
	return ay_family_host_keep(a, h, body, e);
}

static enum ay_rc register_host(struct ay_api_call *c, const json_t *record, struct ay_err *e)
{
	const char *name = member(record, "HostName", "host_name");
	const char *text = member(record, "AddOn_Connection_String", "add_on_connection_string");
	const struct ay_host *h = ay_api_host_find(c, ay_bytes_of(name));
	struct ay_host_spec spec = { .name = ay_bytes_of(name) };
	char safe[AY_CONNSTR_TEXT] = "", connect[300];
	struct ay_connstr s = { 0 };
	enum ay_rc rc = AY_OK;
	bool offered;

	if (name[0] == '\0')
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "HostName",
				    "HostName is missing or empty");
	if (text[0] != '\0')
		rc = ay_connstr_parse(ay_bytes_of(text), &s, e);
	if (rc != AY_OK)
		return ay_err_coded(e, rc, "BAD_CONNECTION");
	if (text[0] != '\0')
		ay_connstr_format(&s, safe);
	offered = (s.vendor == AY_CONNSTR_INTEL || s.vendor == AY_CONNSTR_PLAIN) && !s.is_nats;
	if (offered && s.port != 0) {
		snprintf(connect, sizeof(connect), "%.*s:%u", (int)s.host.n, (const char *)s.host.p,
			 s.port);
		spec.connect = ay_bytes_of(connect);
	}
	if (h == NULL)
		rc = ay_engine_host_add(c->api->engine, &spec, &h, e);
	if (rc == AY_OK)
		rc = bind(c->api, h, record, safe, e);
	if (rc == AY_OK && !offered)
		rc = ay_fail_code(e, AY_E_INPUT, "NOT_OFFERED", "AddOn_Connection_String",
				  "the host is registered and stays unknown: only intel:https:// "
				  "and HOST:PORT can be reached yet");
	return rc;
}

/* A record as it is, or within its options. */
static const json_t *record_of(const json_t *o)
{
	const json_t *r = json_object_get(o, "TXT_Host_Record");

	r = r != NULL ? r : json_object_get(o, "txtHostRecord");
	return r != NULL ? r : o;
}

static void end_change(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e,
		       const char *what, const char *which)
{
	if (ay_api_refused(c, rc, e))
		return;
	if (ay_api_audit(c, what, ay_bytes_of(which), json_object()))
		ay_family_done(c);
}

void ay_mtw_host_register(struct ay_api_call *c)
{
	const json_t *record = record_of(c->body);
	struct ay_err e = { 0 };
	enum ay_rc rc = register_host(c, record, &e);

	end_change(c, rc, &e, "HOST_ADD", member(record, "HostName", "host_name"));
}

void ay_mtw_hosts_register(struct ay_api_call *c)
{
	const json_t *list = json_object_get(c->body, "HostRecords"), *o;
	json_t *results;
	struct ay_err e = { 0 };
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > MAX_BULK) {
		ay_err_set(&e, AY_E_INPUT, "HostRecords", 0, "an array of at most %d is needed",
			   MAX_BULK);
		ay_err_code(&e, "MISSING_INPUT");
		ay_api_problem(c, &e);
		return;
	}
	results = json_array();
	json_array_foreach (list, i, o) {
		enum ay_rc rc = register_host(c, record_of(o), &e);

		json_array_append_new(
			results, json_pack("{s:s, s:s, s:s, s:s}", "Host_Name",
					   member(record_of(o), "HostName", "host_name"), "Status",
					   rc == AY_OK ? "true" : "false", "Error_Message",
					   rc == AY_OK ? "" : e.text, "Error_Code",
					   rc == AY_OK	       ? "OK"
					   : e.code[0] == '\0' ? ay_rc_name(rc)
							       : e.code));
	}
	if (ay_api_audit(c, "HOST_ADD", ay_bytes_of("bulk"),
			 json_pack("{s:I}", "hosts", (json_int_t)json_array_size(list))))
		ay_family_document(c, 200, "host_config_response_list",
				   json_pack("{s:o}", "HostRecords", results));
	else
		json_decref(results);
}

/* ---- whitelists from a good host ---- */

/* PCRs of the components that the family calls BIOS and VMM. */
#define BIOS_PCRS 0x0000cfu
#define VMM_PCRS 0x7efb30u

static bool is_reset(struct ay_bytes v, unsigned pcr)
{
	uint8_t all = v.n > 0 ? v.p[0] : 0;

	for (size_t i = 1; i < v.n; i++)
		if (v.p[i] != all)
			return false;
	return pcr >= 17 ? all == 0xff : all == 0;
}

static enum ay_rc pcr_list(const char *text, unsigned otherwise, uint32_t *out, bool *given,
			   struct ay_err *e)
{
	*given = text[0] != '\0';
	*out = otherwise;
	if (!*given)
		return AY_OK;
	*out = 0;
	for (const char *p = text; *p != '\0';) {
		char *end;
		long n = strtol(p, &end, 10);

		if (end == p || n < 0 || n > 22 || (*end != '\0' && *end != ',') ||
		    ((AY_PCR_ASKED >> n) & 1) == 0)
			return ay_fail_code(e, AY_E_INPUT, "PCR_LIST", "PCRS",
					    "a list of PCR numbers like 0,17 is needed");
		*out |= 1u << n;
		p = end + (*end == ',');
	}
	return AY_OK;
}

/* Values of these PCRs as the host showed them; those nobody extended are left out or refused. */
static enum ay_rc take_values(json_t *mle, const struct ay_pcrs *pcrs, uint32_t mask, bool given,
			      struct ay_err *e)
{
	const struct ay_pcr_bank *bank = ay_pcrs_find(pcrs, AY_ALG_SHA256);
	enum ay_rc rc = AY_OK;

	bank = bank != NULL ? bank : &pcrs->bank[0];
	for (unsigned n = 0; rc == AY_OK && n < AY_PCR_COUNT; n++) {
		struct ay_bytes v = ay_pcrs_value(pcrs, bank->alg, n);
		char pcr[8], hex[130];

		if (((mask >> n) & 1) == 0 || n == 10 || v.n == 0)
			continue;
		if (is_reset(v, n) && given && n >= 17)
			return ay_fail_code(e, AY_E_INPUT, "TXT_DISABLED", "PCRS",
					    "PCR %u holds nothing: the host had no measured launch",
					    n);
		if (is_reset(v, n) && !given)
			continue;
		snprintf(pcr, sizeof(pcr), "%u", n);
		ay_hex_encode(v, hex);
		rc = ay_mle_set_pcr(mle, pcr, hex, e);
	}
	return rc;
}

static const char *or_else(const char *s, const char *otherwise)
{
	return s[0] != '\0' ? s : otherwise;
}

/* The document without values: named by the record, or by the host. */
static json_t *mle_of(const json_t *record, const char *host, bool is_bios)
{
	if (is_bios)
		return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name",
				 or_else(member(record, "BIOS_Name", "bios_name"), host), "version",
				 or_else(member(record, "BIOS_Version", "bios_version"), "1"),
				 "oem", or_else(member(record, "BIOS_Oem", "bios_oem"), "unnamed"),
				 "type", "BIOS", "attestation", "PCR", "description", "", "source",
				 host);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name",
			 or_else(member(record, "VMM_Name", "vmm_name"), host), "version",
			 or_else(member(record, "VMM_Version", "vmm_version"), "1"), "os",
			 or_else(member(record, "VMM_OSName", "vmm_os_name"), "unnamed"),
			 "os_version",
			 or_else(member(record, "VMM_OSVersion", "vmm_os_version"), "1"), "type",
			 "VMM", "attestation", "PCR", "description", "", "source", host);
}

/* OEM or OS of the document, made when it is not there yet. */
static enum ay_rc make_owner(struct ay_api *a, const json_t *mle, struct ay_err *e)
{
	const char *oem = member(mle, "oem", "oem"), *os = member(mle, "os", "os");
	const char *version = member(mle, "os_version", "os_version");

	if (oem[0] != '\0')
		return ay_oem_find(a, oem) != NULL ? AY_OK : ay_oem_put(a, true, oem, "", e);
	return ay_os_find(a, os, version) != NULL ? AY_OK : ay_os_put(a, true, os, version, "", e);
}

struct source {
	const struct ay_host *host;
	const struct ay_pcrs *pcrs;
	const json_t *config, *record;
};

static enum ay_rc make_whitelist(struct ay_api_call *c, const struct source *s, bool is_bios,
				 char id[AY_UUID_TEXT], struct ay_err *e)
{
	json_t *mle = mle_of(s->record, s->host->name, is_bios);
	struct ay_mle_key k = { member(mle, "name", "name"), member(mle, "version", "version"),
				member(mle, "oem", "oem"), member(mle, "os", "os"),
				member(mle, "os_version", "os_version") };
	const json_t *old = ay_mle_find(c->api, &k);
	uint32_t mask;
	bool given;
	enum ay_rc rc = pcr_list(is_bios ? member(s->config, "BIOS_PCRS", "biosPCRs")
					 : member(s->config, "VMM_PCRS", "vmmPCRs"),
				 is_bios ? BIOS_PCRS : VMM_PCRS, &mask, &given, e);

	if (rc == AY_OK)
		rc = make_owner(c->api, mle, e);
	if (rc == AY_OK)
		rc = take_values(mle, s->pcrs, mask, given, e);
	if (old != NULL && flag(s->config, "Overwrite_Whitelist", false))
		json_object_set(mle, "id", json_object_get(old, "id"));
	if (rc == AY_OK)
		return ay_mle_keep(c, mle, id, e);
	json_decref(mle);
	return rc;
}

static enum ay_rc whitelist(struct ay_api_call *c, const struct source *s, struct ay_err *e)
{
	char bios[AY_UUID_TEXT] = "", vmm[AY_UUID_TEXT] = "";
	json_t *body;
	enum ay_rc rc = AY_OK;

	if (flag(s->config, "Add_BIOS_WhiteList", true))
		rc = make_whitelist(c, s, true, bios, e);
	if (rc == AY_OK && flag(s->config, "Add_VMM_WhiteList", true))
		rc = make_whitelist(c, s, false, vmm, e);
	if (rc != AY_OK || !flag(s->config, "Register_Host", true))
		return rc;
	body = json_deep_copy(ay_family_host(c->api, s->host));
	body = body != NULL ? body : json_object();
	if (bios[0] != '\0')
		json_object_set_new(body, "bios_mle", json_string(bios));
	if (vmm[0] != '\0')
		json_object_set_new(body, "vmm_mle", json_string(vmm));
	return ay_family_host_keep(c->api, s->host, body, e);
}

void ay_mtw_whitelist(struct ay_api_call *c)
{
	const json_t *record = record_of(c->body);
	const char *name = member(record, "HostName", "host_name");
	struct ay_pcrs pcrs;
	struct source s = { ay_api_host_find(c, ay_bytes_of(name)), &pcrs, c->body, record };
	struct ay_err e = { 0 };

	if (s.host == NULL) {
		ay_family_no_host(c);
		return;
	}
	if (!ay_engine_host_pcrs(c->api->engine, s.host, &pcrs)) {
		ay_err_set(&e, AY_E_UNAVAIL, "HostName", 0, "the host has not attested yet");
		e.rc = AY_E_INPUT;
		ay_err_code(&e, "NO_REPORT");
		ay_api_problem(c, &e);
		return;
	}
	end_change(c, whitelist(c, &s, &e), &e, "WHITELIST", name);
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

void ay_mtw_roles(struct ay_api_call *c)
{
	ay_family_document(c, 200, "roles",
			   json_pack("[s, s, s, s, s]", "Attestation", "Whitelist", "Security",
				     "Report", "Audit"));
}

void ay_mtw_locales(struct ay_api_call *c)
{
	ay_family_document(c, 200, "locales", json_pack("[s]", "en-US"));
}
