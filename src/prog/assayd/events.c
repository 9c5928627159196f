/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/base/hex.h"

#include <stdlib.h>

/* One event on its way through the store; it is told when it is stored. */
struct ay_pending_event {
	char kind[32];
	char *json;
};

void ay_event_stored(struct ay_engine *g, struct ay_pending_event *p,
		     const struct ay_store_result *res)
{
	struct ay_subscription *s, *next;

	for (s = g->subs; s && res->rc == AY_OK; s = next) {
		next = s->next; /* a subscriber may leave while it is told */
		s->fn(s->arg, res->number, p->kind, p->json);
	}
	free(p->json);
	free(p);
}

static void submit(struct ay_engine *g, const char *kind, const struct ay_host *h, json_t *body)
{
	struct ay_pending_event *p = calloc(1, sizeof(*p));
	struct ay_event_row row = { .at = g->now_ms, .kind = kind };
	struct ay_write w = { .kind = AY_WR_EVENT, .event = &row };
	struct ay_err e;

	if (p)
		p->json = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	if (!p || !p->json) {
		free(p);
		return;
	}
	snprintf(p->kind, sizeof(p->kind), "%s", kind);
	row.body = p->json;
	if (h) {
		row.has_host = true;
		row.host = h->id;
	}
	if (ay_store_submit(g->store, &w, 1, AY_SUBMIT_LAZY,
			    (uint64_t)(uintptr_t)p | AY_COOKIE_EVENT, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "event is not stored", &e);
		free(p->json);
		free(p);
	}
}

static json_t *begin(struct ay_engine *g, const struct ay_host *h)
{
	char at[AY_TIME_ROOM], id[AY_UUID_TEXT];
	json_t *o;

	ay_time_format(g->now_ms, at);
	o = json_pack("{s:s}", "at", at);
	if (o && h) {
		ay_uuid_format(&h->id, id);
		json_object_set_new(o, "host", json_string(id));
		json_object_set_new(o, "name", json_string(h->name));
	}
	return o;
}

void ay_event_emit(struct ay_engine *g, const char *kind, const struct ay_host *h, const char *code,
		   const char *text)
{
	json_t *o = begin(g, h);

	if (!o)
		return;
	json_object_set_new(o, "code", json_string(code));
	json_object_set_new(o, "text", json_string(text));
	submit(g, kind, h, o);
}

/* A decision, and the policy it was made by. A lost audit does not stop it; the log says so. */
static void audit_verdict(struct ay_engine *g, const struct ay_host *h, enum ay_verdict was)
{
	char id[AY_UUID_TEXT];
	struct ay_host_policy p;
	struct ay_audit_row row = {
		.at = g->now_ms, .actor = "system", .action = "VERDICT", .object = h->name
	};
	struct ay_write w = { .kind = AY_WR_AUDIT, .audit = &row };
	struct ay_err e = { 0 };
	char *text;
	json_t *o;

	ay_uuid_format(&h->id, id);
	ay_engine_host_policy(g, h, &p);
	o = json_pack("{s:s, s:s, s:s, s:s?}", "host", id, "verdict",
		      ay_verdict_name(h->lease.verdict), "was", ay_verdict_name(was), "policy",
		      p.name);
	if (o && p.name && p.version)
		json_object_set_new(o, "policy_version", json_integer(p.version));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	row.detail = text;
	if (!text || ay_store_submit(g->store, &w, 1, AY_SUBMIT_LAZY, 0, &e) != AY_OK)
		ay_log_err(AY_LOG_ERROR, "a record of the audit is lost", &e);
	free(text);
}

void ay_event_verdict(struct ay_engine *g, const struct ay_host *h, enum ay_verdict was)
{
	char until[AY_TIME_ROOM];
	json_t *o = begin(g, h);

	audit_verdict(g, h, was);
	if (!o)
		return;
	json_object_set_new(o, "verdict", json_string(ay_verdict_name(h->lease.verdict)));
	json_object_set_new(o, "was", json_string(ay_verdict_name(was)));
	if (h->lease.until_ms) {
		ay_time_format(h->lease.until_ms, until);
		json_object_set_new(o, "lease_until", json_string(until));
	}
	submit(g, "verdict", h, o);
}

static void set_hex(json_t *o, const char *name, const uint8_t *p, size_t n)
{
	char text[2 * sizeof(((struct ay_signed_head *)0)->key) + 1];

	ay_hex_encode((struct ay_bytes){ p, n }, text);
	json_object_set_new(o, name, json_string(text));
}

/* The same members as GET /audit/head gives: who keeps the events keeps heads. */
void ay_event_head(struct ay_engine *g, const struct ay_signed_head *h)
{
	char at[AY_TIME_ROOM];
	json_t *o = json_object();

	if (!o)
		return;
	ay_time_format(h->at_ms, at);
	json_object_set_new(o, "at", json_string(at));
	json_object_set_new(o, "size", json_integer((json_int_t)h->size));
	set_hex(o, "root", h->root, sizeof(h->root));
	set_hex(o, "signature", h->signature, sizeof(h->signature));
	set_hex(o, "key", h->key, h->key_n);
	submit(g, "audit.head", NULL, o);
}

struct ay_subscription *ay_engine_subscribe(struct ay_engine *g, ay_event_fn *fn, void *arg)
{
	struct ay_subscription *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	*s = (struct ay_subscription){ g->subs, fn, arg };
	g->subs = s;
	return s;
}

void ay_engine_unsubscribe(struct ay_engine *g, struct ay_subscription *s)
{
	struct ay_subscription **at = &g->subs;

	while (*at && *at != s)
		at = &(*at)->next;
	if (*at)
		*at = s->next;
	free(s);
}

void ay_engine_person_event(struct ay_engine *g, const char *code, const char *text)
{
	AY_LOG(AY_LOG_ERROR, "look at this", AY_LS("code", code), AY_LS("text", text));
	ay_event_emit(g, "person", NULL, code, text);
}
