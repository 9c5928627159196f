/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events [HTML 9.2]: what happens, as it happens; Last-Event-ID takes up where a reader
 * left. */
#include "core/base/base64.h"
#include "prog/assayd/api/session.h"

#include <stdlib.h>

enum { STREAMS_MAX = 2000, REPLAY_MAX = 1000, PING_MS = 15000, EVENT_MAX = 16384, KINDS_MAX = 512 };

struct stream {
	struct ay_subscription *sub;
	int64_t said_ms;
	uint64_t last;		   /* seen, told or not */
	bool is_behind;		   /* what comes is in the store and is read from there, in order */
	char kinds[KINDS_MAX + 3]; /* ",a,b,"; "": all */
	char host[AY_UUID_TEXT];   /* "": all */
};

static void say(struct ay_api_call *c, const char *text, size_t n)
{
	struct stream *s = c->state;

	s->said_ms = c->api->now_ms;
	c->api->out.chunk(c->api->out.arg, c->req, (struct ay_bytes){ (const uint8_t *)text, n });
}

/* The host that an event is about, from our own compact JSON; "" for none. */
static void host_of(const char *json, char out[AY_UUID_TEXT])
{
	static const char mark[] = "\"host\":\"";
	const char *at = strstr(json, mark); /* inside a string its quotes would be escaped */

	out[0] = '\0';
	if (at != NULL && strlen(at) > sizeof(mark) + AY_UUID_TEXT)
		snprintf(out, AY_UUID_TEXT, "%s", at + sizeof(mark) - 1);
}

/* May the reader know of it? Who is limited to some hosts hears of these alone. */
static bool may_hear(const struct ay_api_call *c, const char *host)
{
	const struct ay_host *h;

	if (ay_may(&c->who, AY_PERM_EVENT_READ))
		return true;
	h = host[0] != '\0' ? ay_engine_host_find(c->api->engine, ay_bytes_of(host)) : NULL;
	return !AY_CHECKED("EVENT_SCOPE",
			   h == NULL || !ay_may_host(&c->who, AY_PERM_EVENT_READ, h));
}

static bool is_wanted(const struct stream *s, const char *kind, const char *host)
{
	char word[40];

	snprintf(word, sizeof(word), ",%.36s,", kind);
	return (s->kinds[0] == '\0' || strstr(s->kinds, word) != NULL) &&
	       (s->host[0] == '\0' || strcmp(s->host, host) == 0);
}

/* json is one line: compact dumps have no line ends. */
static void tell(struct ay_api_call *c, uint64_t seq, const char *kind, const char *json)
{
	struct stream *s = c->state;
	char text[EVENT_MAX], host[AY_UUID_TEXT];
	int n;

	if (seq != 0 && seq <= s->last)
		return;
	s->last = seq;
	host_of(json, host);
	if (!is_wanted(s, kind, host) || !may_hear(c, host))
		return;
	n = snprintf(text, sizeof(text), "id: %llu\nevent: %s\ndata: %s\n\n",
		     (unsigned long long)seq, kind, json);
	if (n > 0 && (size_t)n < sizeof(text))
		say(c, text, (size_t)n);
}

static void on_event(void *arg, uint64_t seq, const char *kind, const char *json)
{
	struct ay_api_call *c = arg;
	struct stream *s = c->state;

	if (!s->is_behind)
		tell(c, seq, kind, json);
}

/* Events that retention took between what the reader has and what there is. */
static void tell_gap(struct ay_api_call *c, uint64_t next)
{
	struct stream *s = c->state;
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "id: %llu\nevent: gap\ndata: {\"after\":%llu,\"next\":%llu}\n\n",
			 (unsigned long long)next - 1, (unsigned long long)s->last,
			 (unsigned long long)next);

	say(c, text, (size_t)n);
}

/* Without data an id is no event, but a reader that is cut resumes from it: what its filters left
 * out is not read again. */
static void tell_here(struct ay_api_call *c, const char *why)
{
	const struct stream *s = c->state;
	char text[80];
	int n = snprintf(text, sizeof(text), "id: %llu\n: %s\n\n", (unsigned long long)s->last,
			 why);

	say(c, text, (size_t)n);
}

struct page {
	struct ay_api_call *c;
	size_t n;
};

static void replay(void *arg, const struct ay_event_row *r)
{
	struct page *p = arg;
	const struct stream *s = p->c->state;

	p->n++;
	if (r->seq > s->last + 1)
		tell_gap(p->c, r->seq);
	tell(p->c, r->seq, r->kind, r->body);
}

/* A page of what the reader missed; the next one comes with the next tick. */
static void catch_up(struct ay_api_call *c)
{
	struct stream *s = c->state;
	struct page p = { c, 0 };
	struct ay_err e = { 0 };

	if (ay_store_events(c->api->store, s->last, REPLAY_MAX, replay, &p, &e) == AY_OK)
		s->is_behind = p.n >= REPLAY_MAX;
	if (!s->is_behind)
		tell_here(c, "caught up");
}

static void left(struct ay_api_call *c)
{
	struct stream *s = c->state;

	ay_engine_unsubscribe(c->api->engine, s->sub);
	c->api->metrics.streams--;
	c->left = NULL;
	c->state = NULL;
	free(s);
	if (c->gone)
		ay_api_empty(c, 204); /* ends the call */
}

/* Where the reader left: the header that browsers send, or ?after=N. */
static enum ay_rc start_after(struct ay_api_call *c, bool *given, uint64_t *after, struct ay_err *e)
{
	struct ay_bytes id = c->last_event_id;

	*after = 0;
	*given = id.n > 0 || ay_api_param(c, "after").p != NULL;
	if (ay_api_param(c, "after").p != NULL)
		return ay_api_seconds(c, "after", UINT64_MAX, after, e);
	for (size_t i = 0; i < id.n; i++) {
		if (id.n > 18 || id.p[i] < '0' || id.p[i] > '9')
			return ay_fail(e, AY_E_INPUT, "last-event-id", i, "not the id of an event");
		*after = *after * 10 + (uint64_t)(id.p[i] - '0');
	}
	return AY_OK;
}

static bool begin(struct ay_api_call *c, struct ay_err *e)
{
	struct ay_api_reply head = { .status = 200, .n_headers = 3 };
	struct stream *s = calloc(1, sizeof(*s));

	head.header[0].name = ay_bytes_of("content-type");
	head.header[0].value = ay_bytes_of("text/event-stream");
	head.header[1].name = ay_bytes_of("cache-control");
	head.header[1].value = ay_bytes_of("no-store");
	head.header[2].name = ay_bytes_of("x-request-id");
	head.header[2].value = ay_bytes_of(c->id);
	if (s == NULL) {
		ay_err_set(e, AY_E_NOMEM, "events", 0, "out of memory");
		return false;
	}
	c->state = s;
	s->sub = ay_engine_subscribe(c->api->engine, on_event, c);
	if (s->sub == NULL) {
		free(s);
		c->state = NULL;
		ay_err_set(e, AY_E_NOMEM, "events", 0, "out of memory");
		return false;
	}
	c->left = left;
	c->api->metrics.streams++;
	c->streaming = true;
	c->api->out.stream(c->api->out.arg, c->req, &head);
	return true;
}

static enum ay_rc take_filters(struct ay_api_call *c, char kinds[KINDS_MAX + 3],
			       char host[AY_UUID_TEXT], struct ay_err *e)
{
	struct ay_bytes type = ay_api_param(c, "type"), name = ay_api_param(c, "host");
	const struct ay_host *h;

	kinds[0] = host[0] = '\0';
	if (type.n > KINDS_MAX)
		return ay_fail(e, AY_E_LIMIT, "type", 0, "longer than %d octets", KINDS_MAX);
	if (type.n > 0)
		snprintf(kinds, KINDS_MAX + 3, ",%.*s,", (int)type.n, (const char *)type.p);
	if (name.n == 0)
		return AY_OK;
	h = ay_api_host_find(c, name);
	if (h == NULL)
		return ay_fail(e, AY_E_NOENT, "host", 0, "no such host");
	ay_uuid_format(&h->id, host);
	return AY_OK;
}

void ay_api_events_stream(struct ay_api_call *c)
{
	static const char hello[] = "retry: 3000\n\n";
	char kinds[KINDS_MAX + 3], host[AY_UUID_TEXT];
	struct stream *s;
	struct ay_err e = { 0 };
	uint64_t after;
	bool given;

	if (ay_api_refused(c, start_after(c, &given, &after, &e), &e) ||
	    ay_api_refused(c, take_filters(c, kinds, host, &e), &e))
		return;
	if (c->api->metrics.streams >= STREAMS_MAX) {
		ay_err_set(&e, AY_E_UNAVAIL, "events", 0, "%d streams are open already",
			   STREAMS_MAX);
		ay_api_problem(c, &e);
		return;
	}
	if (!begin(c, &e)) {
		ay_api_problem(c, &e);
		return;
	}
	s = c->state;
	memcpy(s->kinds, kinds, sizeof(s->kinds));
	memcpy(s->host, host, sizeof(s->host));
	say(c, hello, sizeof(hello) - 1);
	if (given) {
		s->last = after;
		s->is_behind = true;
		catch_up(c);
	} else if (ay_store_event_newest(c->api->store, &s->last, &e) == AY_OK) {
		tell_here(c, "from now on");
	}
}

static const struct ay_api_key *key_of(const struct ay_api_call *c)
{
	char id[16];

	for (const struct ay_api_key *k = c->api->accounts->keys; k != NULL; k = k->next) {
		ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), id);
		if (strcmp(id, c->who.token_id) == 0)
			return k;
	}
	return NULL;
}

/* Is what let the reader in still good, and does he still have the right? */
static bool may_stay(const struct ay_api_call *c)
{
	const struct ay_principal *who = &c->who;
	const struct ay_api_account *u = ay_account_by_id(c->api, who->user_id);
	const struct ay_api_key *k = who->token_id[0] != '\0' ? key_of(c) : NULL;
	struct ay_principal now;
	struct ay_err e = { 0 };

	if (who->user_id == 0)
		return true; /* a role given to a listener */
	if (u == NULL || ay_auth_user(c->api, u, &now, &e) != AY_OK ||
	    ((now.perms >> AY_PERM_EVENT_READ) & 1) == 0 ||
	    (ay_may(who, AY_PERM_EVENT_READ) && !ay_may(&now, AY_PERM_EVENT_READ)))
		return false;
	if (who->token_id[0] != '\0' &&
	    (k == NULL || k->revoked || (k->expires_at != 0 && k->expires_at <= c->api->now_ms)))
		return false;
	return who->session_id[0] == '\0' || ay_session_of(c->api, who) != NULL;
}

static void end_stream(struct ay_api_call *c)
{
	static const char why[] = "event: end\ndata: {\"code\":\"AUTH_FAILED\"}\n\n";
	struct ay_api *a = c->api;
	uint32_t req = c->req;

	say(c, why, sizeof(why) - 1);
	a->out.end(a->out.arg, req);
	ay_api_gone(a, req); /* as if the reader had left */
}

static void look_at_stream(struct ay_api_call *c)
{
	static const char ping[] = ": here\n\n";
	const struct stream *s = c->state;

	if (!may_stay(c)) {
		end_stream(c);
		return;
	}
	if (s->is_behind)
		catch_up(c);
	if (c->api->now_ms - s->said_ms >= PING_MS)
		say(c, ping, sizeof(ping) - 1);
}

void ay_api_tick(struct ay_api *a, int64_t now_ms)
{
	struct ay_api_call *next;

	a->now_ms = now_ms;
	ay_api_sweep(a);
	ay_denials_flush(a, false);
	ay_audit_head_tick(a);
	ay_sessions_tick(a);
	for (struct ay_api_call *c = a->calls; c != NULL; c = next) {
		next = c->next;
		if (c->streaming && !c->gone && c->state != NULL)
			look_at_stream(c);
	}
}
