/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/base/hex.h"

#include <stdlib.h>

/* One event on its way through the store; it is told when it is stored. */
struct ay_pending_event {
	char kind[32];
	char *json;
	uint64_t seq; /* stored already, by this number; else 0 */
	struct ay_event_row row;
};

void ay_event_free(struct ay_pending_event *p)
{
	if (!p)
		return;
	free(p->json);
	free(p);
}

void ay_event_stored(struct ay_engine *g, struct ay_pending_event *p,
		     const struct ay_store_result *res)
{
	uint64_t seq = p->seq ? p->seq : res->event;
	struct ay_subscription *s, *next;

	for (s = g->subs; s && res->rc == AY_OK; s = next) {
		next = s->next; /* a subscriber may leave while it is told */
		s->fn(s->arg, seq, p->kind, p->json);
	}
	ay_event_free(p);
}

/* Takes body. NULL without memory. */
static struct ay_pending_event *pending(struct ay_engine *g, const char *kind,
					const struct ay_uuid *host, json_t *body)
{
	struct ay_pending_event *p = calloc(1, sizeof(*p));

	if (p)
		p->json = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	if (!p || !p->json) {
		free(p);
		return NULL;
	}
	snprintf(p->kind, sizeof(p->kind), "%s", kind);
	p->row = (struct ay_event_row){ .at = g->now_ms, .kind = p->kind, .body = p->json };
	if (host) {
		p->row.has_host = true;
		p->row.host = *host;
	}
	return p;
}

/* n 0: it is stored, and told after those before it. Takes p. */
static void submit(struct ay_engine *g, struct ay_pending_event *p, size_t n)
{
	struct ay_write w = { .kind = AY_WR_EVENT, .event = p ? &p->row : NULL };
	struct ay_err e;

	if (!p)
		return;
	if (ay_store_submit(g->store, &w, n, AY_SUBMIT_LAZY,
			    (uint64_t)(uintptr_t)p | AY_COOKIE_EVENT, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, n ? "event is not stored" : "event is not told", &e);
		ay_event_free(p);
	}
}

static json_t *begin(struct ay_engine *g, const struct ay_uuid *host, const char *name)
{
	char at[AY_TIME_ROOM], id[AY_UUID_TEXT];
	json_t *o;

	ay_time_format(g->now_ms, at);
	o = json_pack("{s:s}", "at", at);
	if (o && host) {
		ay_uuid_format(host, id);
		json_object_set_new(o, "host", json_string(id));
		json_object_set_new(o, "name", json_string(name));
	}
	return o;
}

static struct ay_pending_event *told(struct ay_engine *g, const char *kind,
				     const struct ay_uuid *host, const char *name, const char *code,
				     const char *text)
{
	json_t *o = begin(g, host, name);

	if (!o)
		return NULL;
	json_object_set_new(o, "code", json_string(code));
	json_object_set_new(o, "text", json_string(text));
	return pending(g, kind, host, o);
}

void ay_event_emit(struct ay_engine *g, const char *kind, const struct ay_host *h, const char *code,
		   const char *text)
{
	submit(g, told(g, kind, h ? &h->id : NULL, h ? h->name : NULL, code, text), 1);
}

struct ay_pending_event *ay_event_host_new(struct ay_engine *g, const char *kind,
					   const struct ay_uuid *host, const char *name,
					   const char *code, const char *text,
					   struct ay_event_row *row)
{
	struct ay_pending_event *p = told(g, kind, host, name, code, text);

	if (p)
		*row = p->row;
	return p;
}

struct ay_pending_event *ay_event_announce(struct ay_engine *g, const char *kind,
					   const struct ay_uuid *host, const char *name,
					   const char *code, const char *text)
{
	struct ay_pending_event *p = told(g, kind, host, name, code, text);

	if (p && !ay_store_announce(g->store, &p->row))
		AY_LOG(AY_LOG_ERROR, "event is not stored", AY_LS("code", code));
	return p;
}

void ay_event_announced(struct ay_engine *g, struct ay_pending_event *p)
{
	if (!p)
		return;
	p->seq = ay_store_announced(g->store, &p->row);
	if (p->seq)
		submit(g, p, 0);
	else
		ay_event_free(p);
}

/* A decision, and the policy it was made by. A lost audit does not stop it; the log says so. */
void ay_event_audit_verdict(struct ay_engine *g, const struct ay_host *h, enum ay_verdict was)
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

struct ay_pending_event *ay_event_verdict_new(struct ay_engine *g, const struct ay_host *h,
					      const struct ay_lease *to, enum ay_verdict was,
					      struct ay_event_row *row)
{
	char until[AY_TIME_ROOM];
	struct ay_pending_event *p;
	json_t *o = begin(g, &h->id, h->name);

	if (!o)
		return NULL;
	json_object_set_new(o, "verdict", json_string(ay_verdict_name(to->verdict)));
	json_object_set_new(o, "was", json_string(ay_verdict_name(was)));
	if (to->until_ms) {
		ay_time_format(to->until_ms, until);
		json_object_set_new(o, "lease_until", json_string(until));
	}
	p = pending(g, "verdict", &h->id, o);
	if (p)
		*row = p->row;
	return p;
}

void ay_event_verdict(struct ay_engine *g, const struct ay_host *h, enum ay_verdict was)
{
	struct ay_event_row row;

	ay_event_audit_verdict(g, h, was);
	submit(g, ay_event_verdict_new(g, h, &h->lease, was, &row), 1);
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
	submit(g, pending(g, "audit.head", NULL, o), 1);
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
