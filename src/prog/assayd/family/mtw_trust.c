/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mt. Wilson v1: trust and assertions of one host, several, or by AIK
 * (facts/mtwilson.md 2.4).
 */
#include "core/base/numbers.h"
#include "prog/assayd/family/hostview.h"
#include "prog/assayd/family/names.h"

#include <stdlib.h>

enum { MAX_WAIT_S = 600, DEFAULT_WAIT_S = 60 };

/* ---- one host ---- */

static json_t *trust_json(const struct ay_api_call *c, const struct ay_host *h)
{
	struct ay_family_trust t = ay_family_trust_of(c, h);

	return json_pack("{s:s, s:{s:b, s:b, s:b, s:b}}", "hostname", h->name, "trust", "bios",
			 (int)t.bios, "vmm", (int)t.vmm, "location", 0, "asset_tag", (int)t.tag);
}

/* Release 0.5.1 answered text; whoever asks for it still gets it. */
static void give_trust(struct ay_api_call *c, const struct ay_host *h)
{
	struct ay_family_trust t = ay_family_trust_of(c, h);
	enum ay_media m =
		ay_family_media(c, AY_MEDIA_DOCUMENTS | AY_MEDIA_BIT(AY_MEDIA_TEXT), AY_MEDIA_JSON);
	char text[32];

	if (m != AY_MEDIA_TEXT) {
		ay_family_document(c, 200, "host_trust_response", trust_json(c, h));
		return;
	}
	snprintf(text, sizeof(text), "BIOS:%d,VMM:%d", t.bios, t.vmm);
	ay_family_text(c, 200, text);
}

void ay_mtw_trust(struct ay_api_call *c)
{
	const struct ay_host *h = ay_family_named_host(c, "hostName");

	if (h != NULL)
		give_trust(c, h);
}

/* ---- SAML ---- */

static void saml_done(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	struct ay_api_call *c = arg;

	if (!ay_api_refused(c, rc, e))
		ay_api_bytes(c, 200, ay_assertion_type(AY_ASSERTION_CIT), document);
}

static struct ay_assertion_ask how(const struct ay_api_call *c)
{
	const char *force = ay_family_arg(c, "force_verify");
	const char *timeout = ay_family_arg(c, "timeout");
	uint64_t s = DEFAULT_WAIT_S;

	if (timeout != NULL &&
	    ay_number_parse(ay_bytes_of(timeout), "timeout", MAX_WAIT_S, &s, NULL) != AY_OK)
		s = MAX_WAIT_S; /* what is no number, or too long, is as long as may be */

	return (struct ay_assertion_ask){
		.form = AY_ASSERTION_CIT,
		.force_verify = force != NULL && strcasecmp(force, "true") == 0,
		.wait_ms = (int64_t)(s < 1 ? MAX_WAIT_S : s) * 1000,
	};
}

/* One host: about it alone; several: one assertion about all of them. */
void ay_mtw_saml(struct ay_api_call *c)
{
	struct ay_assertion_host host[AY_MAX_ASSERTION_HOSTS];
	struct ay_assertion_ask ask = how(c);
	struct ay_bytes name[AY_MAX_ASSERTION_HOSTS];
	struct ay_err e = { 0 };
	size_t n;

	if (ay_api_refused(c, ay_family_names(c, "hostName", name, AY_COUNT(name), &n, &e), &e))
		return;
	for (size_t i = 0; i < n; i++)
		host[i] = (struct ay_assertion_host){ ay_api_host_find(c, name[i]), name[i] };
	if (n == 1 && host[0].host == NULL) {
		ay_family_no_host(c);
		return;
	}
	ay_engine_assertion(c->api->engine, host, n, &ask, saml_done, c);
}

/* ---- bulk ---- */

/* One host of a bulk request. */
struct item {
	struct bulk *bulk;
	struct ay_bytes name; /* in the arena of the call */
	char *assertion;      /* NULL: it failed */
	enum ay_rc rc;
	bool silent;
	char why[200];
};

struct bulk {
	struct ay_api_call *call;
	size_t n, waiting;
	bool is_saml;
	struct item *item;
};

static void bulk_free(struct bulk *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->item[i].assertion);
	free(b->item);
	free(b);
}

static const char *code_of(const struct item *i)
{
	if (i->rc == AY_OK)
		return "OK";
	if (i->silent)
		return "AS_ASYNC_TIMEOUT";
	return i->rc == AY_E_NOENT ? "AS_HOST_NOT_FOUND" : "SYSTEM_ERROR";
}

/* An assertion as CDATA; the end mark of one cannot stand in it. */
static void write_cdata(FILE *f, const char *text)
{
	const char *end;

	fputs("<![CDATA[", f);
	for (; (end = strstr(text, "]]>")) != NULL; text = end + 3)
		fprintf(f, "%.*s]]]]><![CDATA[>", (int)(end - text), text);
	fprintf(f, "%s]]>", text);
}

static void write_item(FILE *f, const struct item *i)
{
	bool ok;

	fputs("<Host><Name>", f);
	ok = ay_xml_text(f, i->name);
	fprintf(f, "</Name><ErrorCode>%s</ErrorCode>", code_of(i));
	if (i->rc == AY_OK) {
		fputs("<Assertion>", f);
		write_cdata(f, i->assertion);
		fputs("</Assertion>", f);
	} else {
		fputs("<ErrorMessage>", f);
		ok = ok && ay_xml_text(f, ay_bytes_of(i->why));
		fputs("</ErrorMessage>", f);
	}
	if (ok)
		fputs("</Host>", f);
}

static void give_xml(struct bulk *b)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct ay_err e;

	if (f != NULL) {
		fputs("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><Hosts>", f);
		for (size_t i = 0; i < b->n; i++)
			write_item(f, &b->item[i]);
		fputs("</Hosts>", f);
	}
	if (f == NULL || fclose(f) != 0) {
		ay_err_set(&e, AY_E_NOMEM, "answer", 0, "out of memory");
		ay_api_problem(b->call, &e);
	} else {
		ay_api_bytes(b->call, 200, "application/xml", ay_bytes_of(text));
	}
	free(text);
}

static void give_json(struct bulk *b)
{
	struct ay_api_call *c = b->call;
	json_t *list = json_array();

	for (size_t i = 0; i < b->n; i++) {
		const struct item *it = &b->item[i];
		const struct ay_host *h = ay_api_host_find(c, it->name);
		struct ay_family_trust t = { 0 };

		if (h != NULL && it->rc == AY_OK)
			t = ay_family_trust_of(c, h);
		json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:s, s:s}", "host_name",
						      (const char *)it->name.p, "bios_status",
						      (int)t.bios, "vmm_status", (int)t.vmm,
						      "error_code", code_of(it), "error_message",
						      it->rc == AY_OK ? "OK" : it->why));
	}
	ay_family_document(c, 200, "bulk_host_trust_response", json_pack("{s:o}", "hosts", list));
}

static void bulk_end(struct bulk *b)
{
	if (--b->waiting > 0)
		return;
	if (b->is_saml)
		give_xml(b);
	else
		give_json(b);
	bulk_free(b);
}

static void note(struct item *i, enum ay_rc rc, const struct ay_err *e)
{
	i->rc = rc;
	i->silent = rc == AY_E_UNAVAIL &&
		    (e->code[0] == '\0' || strcmp(e->code, "ATTEST_TIMEOUT") == 0 ||
		     strcmp(e->code, "HOST_OFFLINE") == 0);
	snprintf(i->why, sizeof(i->why), "%s", e->text);
}

static void item_signed(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	static const struct ay_err short_of = { .rc = AY_E_NOMEM, .text = "out of memory" };
	struct item *i = arg;

	if (rc == AY_OK)
		i->assertion = strndup((const char *)document.p, document.n);
	if (rc != AY_OK)
		note(i, rc, e);
	else if (i->assertion == NULL)
		note(i, AY_E_NOMEM, &short_of);
	bulk_end(i->bulk);
}

static void item_attested(void *arg, enum ay_rc rc, const struct ay_err *e, const struct ay_host *h)
{
	struct item *i = arg;

	(void)h;
	if (rc != AY_OK)
		note(i, rc, e);
	bulk_end(i->bulk);
}

/* Ask for what this host needs; it calls bulk_end() once. */
static void begin(struct item *i, const struct ay_assertion_ask *ask)
{
	struct ay_engine *g = i->bulk->call->api->engine;
	struct ay_assertion_host host = { ay_api_host_find(i->bulk->call, i->name), i->name };
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (host.host == NULL) {
		ay_err_set(&e, AY_E_NOENT, "hosts", 0, "host not found");
		item_attested(i, e.rc, &e, NULL);
	} else if (i->bulk->is_saml) {
		ay_engine_assertion(g, &host, 1, ask, item_signed, i);
	} else if (ask->force_verify) {
		rc = ay_engine_attest(g, host.host, ask->wait_ms, item_attested, i, &e);
		if (rc != AY_OK)
			item_attested(i, rc, &e, host.host);
	} else {
		bulk_end(i->bulk);
	}
}

static void bulk(struct ay_api_call *c, bool is_saml)
{
	struct ay_bytes name[AY_MAX_ASSERTION_HOSTS];
	struct ay_assertion_ask ask = how(c);
	struct ay_err e = { 0 };
	struct bulk *b;
	size_t n;

	if (ay_api_refused(c, ay_family_names(c, "hosts", name, AY_COUNT(name), &n, &e), &e))
		return;
	b = calloc(1, sizeof(*b));
	if (b != NULL)
		b->item = calloc(n, sizeof(*b->item));
	if (b == NULL || b->item == NULL) {
		free(b);
		ay_err_set(&e, AY_E_NOMEM, "hosts", 0, "out of memory");
		ay_api_problem(c, &e);
		return;
	}
	*b = (struct bulk){ c, n, n + 1, is_saml, b->item };
	for (size_t i = 0; i < n; i++) {
		b->item[i] = (struct item){ .bulk = b, .name = name[i] };
		begin(&b->item[i], &ask);
	}
	bulk_end(b);
}

void ay_mtw_bulk_saml(struct ay_api_call *c)
{
	bulk(c, true);
}

void ay_mtw_bulk_trust(struct ay_api_call *c)
{
	bulk(c, false);
}

/* ---- by AIK ---- */

/* The host whose AIK certificate has this SHA-1; the segment is aik-HEX. */
static const struct ay_host *by_aik(struct ay_api_call *c)
{
	struct ay_bytes want = c->param[0];
	const struct ay_host *h;
	char sha1[41];
	size_t at = 0;

	if (want.n != 44 || memcmp(want.p, "aik-", 4) != 0)
		return NULL;
	while ((h = ay_api_host_next(c, &at)) != NULL) {
		free(ay_family_aik(c, h, sha1));
		if (strncasecmp(sha1, (const char *)want.p + 4, 40) == 0)
			return h;
	}
	return NULL;
}

void ay_mtw_aik_trust(struct ay_api_call *c)
{
	const struct ay_host *h = by_aik(c);
	struct ay_assertion_host host = { h, { NULL, 0 } };
	struct ay_assertion_ask ask = how(c);

	if (h == NULL)
		ay_family_no_host(c);
	else if (ay_family_media(c, AY_MEDIA_DOCUMENTS | AY_MEDIA_BIT(AY_MEDIA_SAML),
				 AY_MEDIA_JSON) == AY_MEDIA_SAML)
		ay_engine_assertion(c->api->engine, &host, 1, &ask, saml_done, c);
	else
		give_trust(c, h);
}
