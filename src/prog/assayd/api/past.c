/* SPDX-License-Identifier: Apache-2.0 */
/* What one attestation was made of: its evidence, and its PCRs, events and files one by one. */
#include "prog/assayd/past.h"
#include "prog/assayd/api/call.h"

enum { EVIDENCE_ARENA = 1 << 30 };

/* False: the call was answered. */
static bool report_of(struct ay_api_call *c, struct ay_uuid *id)
{
	struct ay_err e = { 0 };

	return !ay_api_refused(c, ay_uuid_parse(c->param[1], "report", id, &e), &e);
}

static void evidence(struct ay_api_call *c, const struct ay_uuid *report)
{
	const struct ay_host *h = ay_api_host(c);
	const char *media;
	struct ay_bytes out;
	struct ay_arena a;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (h == NULL)
		return;
	ay_arena_init(&a, EVIDENCE_ARENA);
	rc = ay_engine_evidence(c->api->engine, h, report, ay_api_param(c, "part"), &a, &out,
				&media, &e);
	if (!ay_api_refused(c, rc, &e))
		ay_api_long(c, media, out);
	ay_arena_fini(&a);
}

void ay_api_evidence_show(struct ay_api_call *c)
{
	struct ay_uuid id;

	if (report_of(c, &id))
		evidence(c, &id);
}

void ay_api_evidence_latest(struct ay_api_call *c)
{
	evidence(c, NULL);
}

static void view(struct ay_api_call *c, enum ay_past_view which)
{
	const struct ay_host *h = ay_api_host(c);
	struct ay_past_ask ask = { .host = h, .view = which };
	struct ay_bytes result = ay_api_param(c, "result");
	struct ay_uuid id;
	uint64_t next;
	json_t *items;
	struct ay_err e = { 0 };

	if (h == NULL || !report_of(c, &id) ||
	    ay_api_refused(c, ay_api_page(c, &ask.from, &ask.limit, &e), &e))
		return;
	if (result.n > 0 && !ay_bytes_eq(result, ay_bytes_of("fail"))) {
		ay_err_set(&e, AY_E_INPUT, "result", 0, "result is fail, or left out");
		ay_api_problem(c, &e);
		return;
	}
	ask.report = &id;
	ask.failed_only = result.n > 0;
	ask.text = ay_api_param(c, "text");
	if (!ay_api_refused(c, ay_engine_past(c->api->engine, &ask, &items, &next, &e), &e))
		ay_api_json(c, 200, ay_api_list(c, items, next));
}

void ay_api_reports_pcrs(struct ay_api_call *c)
{
	view(c, AY_PAST_PCRS);
}

void ay_api_reports_events(struct ay_api_call *c)
{
	view(c, AY_PAST_EVENTS);
}

void ay_api_reports_ima(struct ay_api_call *c)
{
	view(c, AY_PAST_IMA);
}
