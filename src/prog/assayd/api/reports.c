/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"
#include "prog/assayd/kept.h"

void ay_api_reports_latest(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	struct ay_err e = { 0 };
	json_t *report;

	if (h == NULL)
		return;
	if (ay_api_refused(c, ay_engine_report(c->api->engine, h, &report, &e), &e))
		return;
	ay_engine_explain(c->api->engine, report);
	ay_api_json(c, 200, report);
}

/* ---- history ---- */

struct past {
	struct ay_api_call *call;
	json_t *items;
	uint64_t next;
	/* one wanted by its id */
	bool wanted, found;
	uint8_t id[16];
	uint64_t seq;
	struct ay_uuid host;
};

/* The number of a host's newest row. */
static void see_status(void *arg, const struct ay_host_row *h, const struct ay_host_status *s,
		       const struct ay_host_context *x)
{
	(void)h;
	(void)x;
	*(uint64_t *)arg = s->attestation;
}

static void report_id_text(const uint8_t id[16], char text[AY_UUID_TEXT])
{
	struct ay_uuid u;

	memcpy(u.b, id, sizeof(u.b));
	ay_uuid_format(&u, text);
}

static void see_past(void *arg, const struct ay_attest_past *p)
{
	char id[AY_UUID_TEXT], host[AY_UUID_TEXT];
	struct past *past = arg;

	past->next = p->prev;
	if (past->items != NULL) {
		report_id_text(p->report_id, id);
		ay_uuid_format(&p->host, host);
		json_array_append_new(past->items,
				      json_pack("{s:s, s:s, s:o, s:I, s:s, s:o}", "id", id, "host",
						host, "at", ay_api_time(p->at), "version",
						(json_int_t)p->version, "verdict",
						ay_verdict_name((enum ay_verdict)p->verdict),
						"lease_until", ay_api_time(p->lease_until)));
	}
	if (past->wanted && !past->found && memcmp(past->id, p->report_id, 16) == 0) {
		past->found = true;
		past->seq = p->seq;
	}
}

static enum ay_rc newest(struct ay_api_call *c, const struct ay_host *h, uint64_t *seq,
			 struct ay_err *e)
{
	*seq = 0;
	return ay_store_host(c->api->store, &h->id, see_status, seq, e);
}

/* The cursor is the number of a row; one of another host shows nothing of it. */
static void see_mine(void *arg, const struct ay_attest_past *p)
{
	struct past *past = arg;

	if (memcmp(p->host.b, past->host.b, 16) == 0)
		see_past(arg, p);
}

void ay_api_reports_list(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	struct past past = { .call = c };
	uint64_t from;
	size_t limit;
	struct ay_err e = { 0 };

	if (h == NULL || ay_api_refused(c, ay_api_page(c, &from, &limit, &e), &e))
		return;
	if (from == 0 && ay_api_refused(c, newest(c, h, &from, &e), &e))
		return;
	past.host = h->id;
	past.items = json_array();
	if (ay_api_refused(c,
			   ay_store_attestations(c->api->store, from, limit, see_mine, &past, &e),
			   &e)) {
		json_decref(past.items);
		return;
	}
	if (json_array_size(past.items) < limit)
		past.next = 0;
	ay_api_json(c, 200, ay_api_list(c, past.items, past.next));
}

void ay_api_reports_show(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	struct past past = { .call = c, .wanted = true };
	json_t *report = NULL;
	struct ay_uuid id;
	uint64_t from;
	struct ay_err e = { 0 };

	if (h == NULL || ay_api_refused(c, ay_uuid_parse(c->param[1], "report", &id, &e), &e))
		return;
	memcpy(past.id, id.b, sizeof(past.id));
	past.host = h->id;
	if (ay_api_refused(c, newest(c, h, &from, &e), &e))
		return;
	/* by walking back: history has no index, and people look at what is young */
	while (!past.found && from != 0) {
		past.next = 0;
		if (ay_api_refused(
			    c, ay_store_attestations(c->api->store, from, 256, see_mine, &past, &e),
			    &e))
			return;
		from = past.next;
	}
	if (!past.found) {
		ay_err_set(&e, AY_E_NOENT, "report", 0, "the host has no such report");
		ay_api_problem(c, &e);
		return;
	}
	if (ay_api_refused(c, ay_engine_kept_report(c->api->engine, past.seq, &report, &e), &e))
		return;
	ay_engine_explain(c->api->engine, report);
	ay_api_json(c, 200, report);
}

/* ---- changes of the verdict ---- */

struct changes {
	struct ay_api_call *call;
	struct ay_uuid host;
	json_t *items;
	size_t limit;
	bool have;
	struct ay_attest_past newer; /* the row seen before, without its views */
	uint64_t next;		     /* row to go on with, once the page is full */
	uint64_t last;
};

static void put_change(struct changes *h, const struct ay_attest_past *older)
{
	const struct ay_attest_past *p = &h->newer;
	char report[AY_UUID_TEXT];

	report_id_text(p->report_id, report);
	json_array_append_new(
		h->items,
		json_pack("{s:o, s:s, s:s?, s:s}", "at", ay_api_time(p->at), "verdict",
			  ay_verdict_name((enum ay_verdict)p->verdict), "was",
			  older == NULL ? NULL : ay_verdict_name((enum ay_verdict)older->verdict),
			  "report", report));
}

static void see_change(void *arg, const struct ay_attest_past *p)
{
	struct changes *h = arg;

	h->last = p->prev;
	if (memcmp(p->host.b, h->host.b, 16) != 0 || h->next != 0)
		return;
	if (h->have && h->newer.verdict != p->verdict)
		put_change(h, p);
	if (json_array_size(h->items) == h->limit)
		h->next = p->seq;
	h->newer = *p;
	h->have = true;
}

void ay_api_hosts_history(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	struct changes all = { .call = c };
	uint64_t from;
	struct ay_err e = { 0 };

	if (h == NULL || ay_api_refused(c, ay_api_page(c, &from, &all.limit, &e), &e))
		return;
	if (from == 0 && ay_api_refused(c, newest(c, h, &from, &e), &e))
		return;
	all.host = h->id;
	all.items = json_array();
	while (from != 0 && all.next == 0) {
		all.last = 0;
		if (ay_api_refused(
			    c,
			    ay_store_attestations(c->api->store, from, 256, see_change, &all, &e),
			    &e)) {
			json_decref(all.items);
			return;
		}
		from = all.last;
	}
	if (all.next == 0 && all.have)
		put_change(&all, NULL);
	ay_api_json(c, 200, ay_api_list(c, all.items, all.next));
}
