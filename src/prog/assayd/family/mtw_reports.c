/* SPDX-License-Identifier: Apache-2.0 */
/* Mt. Wilson v1: reports of what was attested, as XML attributes and as JSON. */
#include "prog/assayd/family/mle.h"
#include "prog/assayd/family/names.h"
#include "prog/assayd/family/search.h"
#include "prog/assayd/past.h"

#include <stdlib.h>

enum { MAX_HOSTS = 256, MAX_ROWS = 1000 };

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s == NULL ? "" : s;
}

/* 2013-05-24T00:12:02.014Z */
static void put_time(FILE *f, const char *name, int64_t at_ms)
{
	char at[AY_TIME_ROOM];

	ay_time_format(at_ms, at);
	fprintf(f, " %s=\"%s\"", name, at_ms == 0 ? "" : at);
}

static bool put_attr(FILE *f, const char *name, const char *value)
{
	bool ok;

	fprintf(f, " %s=\"", name);
	ok = ay_xml_text(f, ay_bytes_of(value));
	return fputc('"', f) != EOF && ok;
}

static void give(struct ay_api_call *c, FILE *f, char **text_of, bool ok)
{
	struct ay_err e;

	if (f == NULL || fclose(f) != 0 || !ok) {
		ay_err_set(&e, AY_E_NOMEM, "answer", 0, "out of memory");
		ay_api_problem(c, &e);
	} else {
		ay_api_bytes(c, 200, "application/xml", ay_bytes_of(*text_of));
	}
	free(*text_of);
}

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>"

/* ---- hosts/reports/trust ---- */

static bool put_trust(struct ay_api_call *c, FILE *f, const struct ay_host *h, bool is_trusted,
		      int64_t at_ms)
{
	const json_t *own = ay_family_host(c->api, h);
	const json_t *bios = ay_mle_by_id(c->api, text(own, "bios_mle"));
	const json_t *vmm = ay_mle_by_id(c->api, text(own, "vmm_mle"));
	char mles[600];
	bool ok;

	snprintf(mles, sizeof(mles), "BIOS:%s-%s,VMM:%s-%s:%s", text(bios, "name"),
		 text(bios, "version"), text(vmm, "os"), text(vmm, "name"), text(vmm, "version"));
	fputs("<Host", f);
	ok = put_attr(f, "Host_Name", h->name) && put_attr(f, "MLE_Info", mles);
	put_time(f, "Created_On", h->created_ms);
	fprintf(f, " Trust_Status=\"%d\"", is_trusted);
	put_time(f, "Verified_On", at_ms);
	return fputs("/>", f) >= 0 && ok;
}

/* What was said of these hosts in a span of time; without one, what is known now. */
struct trust_report {
	const struct ay_host *host[MAX_HOSTS];
	size_t n_hosts, n_rows;
	int64_t from_ms, to_ms;
	struct ay_kept_row *row; /* NULL: now */
};

static enum ay_rc trust_rows(struct ay_api_call *c, struct trust_report *r, struct ay_err *e)
{
	struct ay_bytes name[MAX_HOSTS];
	struct ay_kept_ask ask = { .host = r->host, .limit = MAX_ROWS };
	size_t n;
	enum ay_rc rc = ay_family_names(c, "hostNames", name, MAX_HOSTS, &n, e);

	for (size_t i = 0; rc == AY_OK && i < n; i++) {
		r->host[r->n_hosts] = ay_api_host_find(c, name[i]);
		r->n_hosts += r->host[r->n_hosts] != NULL;
	}
	if (rc == AY_OK)
		rc = ay_family_span(c, &ask.from_ms, &ask.to_ms, e);
	if (rc != AY_OK || (ask.from_ms == 0 && ask.to_ms == 0))
		return rc;
	ask.n_hosts = r->n_hosts;
	r->row = calloc(MAX_ROWS, sizeof(*r->row));
	return r->row == NULL ? ay_fail(e, AY_E_NOMEM, "report", 0, "out of memory")
			      : ay_engine_kept(c->api->engine, &ask, r->row, &r->n_rows, e);
}

static const struct ay_host *host_of(const struct trust_report *r, const struct ay_uuid *id)
{
	for (size_t i = 0; i < r->n_hosts; i++)
		if (memcmp(r->host[i]->id.b, id->b, sizeof(id->b)) == 0)
			return r->host[i];
	return NULL;
}

static bool put_rows(struct ay_api_call *c, FILE *f, const struct trust_report *r)
{
	bool ok = fputs(XML_HEAD "<hosts_trust_report>", f) >= 0;

	for (size_t i = 0; ok && r->row == NULL && i < r->n_hosts; i++)
		ok = put_trust(c, f, r->host[i], ay_family_trust_of(c, r->host[i]).whole,
			       r->host[i]->attested_ms);
	for (size_t i = 0; ok && i < r->n_rows; i++)
		ok = put_trust(c, f, host_of(r, &r->row[i].host), r->row[i].verdict == AY_TRUSTED,
			       r->row[i].at_ms);
	return ok && fputs("</hosts_trust_report>", f) >= 0;
}

void ay_mtw_report_trust(struct ay_api_call *c)
{
	struct trust_report r = { .n_hosts = 0 };
	struct ay_err e = { 0 };
	char *out = NULL;
	size_t room = 0;
	FILE *f;

	if (!ay_api_refused(c, trust_rows(c, &r, &e), &e)) {
		f = open_memstream(&out, &room);
		give(c, f, &out, f != NULL && put_rows(c, f, &r));
	}
	free(r.row);
}

/* ---- PCRs ---- */

/* Rows of the last report, one a PCR: that of the bank that a rule judged, else of SHA-256. */
static json_t *pcr_rows(struct ay_api_call *c, const struct ay_host *h, struct ay_err *e)
{
	struct ay_past_ask ask = { .host = h, .view = AY_PAST_PCRS, .limit = MAX_ROWS };
	json_t *rows = NULL, *best[24] = { NULL }, *out, *r;
	uint64_t next;
	size_t i;

	if (ay_engine_past(c->api->engine, &ask, &rows, &next, e) != AY_OK)
		return NULL;
	json_array_foreach (rows, i, r) {
		json_int_t pcr = json_integer_value(json_object_get(r, "pcr"));
		bool judged = json_is_string(json_object_get(r, "rule"));

		if (pcr < 0 || pcr > 23)
			continue;
		if (best[pcr] == NULL ||
		    (judged && !json_is_string(json_object_get(best[pcr], "rule"))) ||
		    (strcmp(text(r, "bank"), "sha256") == 0 &&
		     judged == json_is_string(json_object_get(best[pcr], "rule"))))
			best[pcr] = r;
	}
	out = json_array();
	for (i = 0; i < 24; i++)
		if (best[i] != NULL)
			json_array_append(out, best[i]);
	json_decref(rows);
	return out;
}

static bool passed(const json_t *row)
{
	return strcmp(text(row, "result"), "pass") == 0;
}

/* Only what something was compared with is reported. */
static bool is_judged(const json_t *row)
{
	return json_is_string(json_object_get(row, "rule")) ||
	       strcmp(text(row, "result"), "fail") == 0;
}

void ay_mtw_report_manifest(struct ay_api_call *c)
{
	const struct ay_host *h = ay_family_named_host(c, "hostName");
	struct ay_err e = { 0 };
	json_t *rows, *r;
	char *out = NULL;
	size_t room = 0, i;
	bool ok;
	FILE *f;

	if (h == NULL)
		return;
	rows = pcr_rows(c, h, &e);
	if (rows == NULL) {
		ay_api_problem(c, &e);
		return;
	}
	f = open_memstream(&out, &room);
	ok = f != NULL && fputs(XML_HEAD "<host_manifest_report><Host", f) >= 0 &&
	     put_attr(f, "Name", h->name) && fputc('>', f) != EOF;
	json_array_foreach (rows, i, r) {
		if (!ok || !is_judged(r))
			continue;
		fprintf(f, "<Manifest Name=\"%d\" Value=\"%s\" TrustStatus=\"%d\"",
			(int)json_integer_value(json_object_get(r, "pcr")), text(r, "measured"),
			passed(r));
		put_time(f, "Verified_On", h->attested_ms);
		fputs("/>", f);
	}
	if (ok)
		fputs("</Host></host_manifest_report>", f);
	json_decref(rows);
	give(c, f, &out, ok);
}

/* What the host measured, without a judgement. */
void ay_mtw_report_raw(struct ay_api_call *c)
{
	const struct ay_host *h = ay_family_named_host(c, "hostName");
	struct ay_past_ask ask = { .host = h, .view = AY_PAST_PCRS, .limit = MAX_ROWS };
	struct ay_err e = { 0 };
	json_t *rows = NULL, *r;
	char *out = NULL;
	size_t room = 0, i;
	uint64_t next;
	bool ok;
	FILE *f;

	if (h == NULL ||
	    ay_api_refused(c, ay_engine_past(c->api->engine, &ask, &rows, &next, &e), &e))
		return;
	f = open_memstream(&out, &room);
	ok = f != NULL && fputs(XML_HEAD "<Host_Attestation_Report", f) >= 0 &&
	     put_attr(f, "Host_Name", h->name) && put_attr(f, "Host_VMM", "") &&
	     put_attr(f, "TXT_Support", "") && fputc('>', f) != EOF;
	json_array_foreach (rows, i, r)
		if (ok)
			fprintf(f,
				"<PCRInfo ComponentName=\"%d\" DigestValue=\"%s\" "
				"DigestAlgorithm=\"%s\"/>",
				(int)json_integer_value(json_object_get(r, "pcr")),
				text(r, "measured"), text(r, "bank"));
	if (ok)
		fputs("</Host_Attestation_Report>", f);
	json_decref(rows);
	give(c, f, &out, ok);
}

/* ---- attestationreport ---- */

/* Events of one PCR that the report says something of. */
static json_t *module_logs(const json_t *events, json_int_t pcr, bool failure_only)
{
	json_t *list = json_array(), *ev, *digest;
	const char *bank;
	size_t i;

	json_array_foreach (events, i, ev) {
		const char *value = "";

		if (json_integer_value(json_object_get(ev, "pcr")) != pcr ||
		    (failure_only && strcmp(text(ev, "result"), "fail") != 0))
			continue;
		json_object_foreach (json_object_get(ev, "digests"), bank, digest)
			value = json_string_value(digest);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i}", "ComponentName",
						      text(ev, "summary"), "Value", value,
						      "WhitelistValue", text(ev, "expected"),
						      "TrustStatus", (int)passed(ev)));
	}
	return list;
}

static json_t *log_report(const json_t *rows, const json_t *events, const struct ay_host *h,
			  bool failure_only)
{
	json_t *list = json_array(), *r;
	char at[AY_TIME_ROOM];
	size_t i;

	ay_time_format(h->attested_ms, at);
	json_array_foreach (rows, i, r) {
		json_int_t pcr = json_integer_value(json_object_get(r, "pcr"));
		const char *expected = text(r, "expected");

		if (!is_judged(r) || (failure_only && passed(r)))
			continue;
		if (expected[0] == '\0' && passed(r))
			expected = text(r, "measured");
		json_array_append_new(list, json_pack("{s:I, s:s, s:i, s:s, s:s, s:o}", "Name", pcr,
						      "Value", text(r, "measured"), "TrustStatus",
						      (int)passed(r), "Verified_On", at,
						      "WhitelistValue", expected, "ModuleLogs",
						      module_logs(events, pcr, failure_only)));
	}
	return json_pack("{s:o}", "PcrLogReport", list);
}

void ay_mtw_report_log(struct ay_api_call *c)
{
	const struct ay_host *h = ay_family_named_host(c, "hostName");
	const char *only = ay_family_arg(c, "failure_only");
	struct ay_past_ask ask = { .host = h, .view = AY_PAST_EVENTS, .limit = 100 * MAX_ROWS };
	struct ay_err e = { 0 };
	json_t *rows, *events = NULL, *out;
	uint64_t next;

	if (h == NULL)
		return;
	rows = pcr_rows(c, h, &e);
	if (rows == NULL) {
		ay_api_problem(c, &e);
		return;
	}
	if (ay_engine_past(c->api->engine, &ask, &events, &next, &e) != AY_OK)
		events = NULL; /* a host without a log has PCRs alone */
	out = log_report(rows, events, h, only != NULL && strcasecmp(only, "true") == 0);
	json_decref(rows);
	json_decref(events);
	ay_family_document(c, 200, "attestation_report", out);
}
