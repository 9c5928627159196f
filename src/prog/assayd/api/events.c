/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events [HTML 9.2]: what happens, as it happens; Last-Event-ID takes up where a reader
 * left. */
#include "prog/assayd/api/session.h"

#include <stdlib.h>

enum { STREAMS_MAX = 64, REPLAY_MAX = 1000, PING_MS = 15000, EVENT_MAX = 16384 };

struct stream {
	struct ay_subscription *sub;
	int64_t said_ms;
	uint64_t last;
};

static void say(struct ay_api_call *c, const char *text, size_t n)
{
	struct stream *s = c->state;

	s->said_ms = c->api->now_ms;
	c->api->out.chunk(c->api->out.arg, c->req, (struct ay_bytes){ (const uint8_t *)text, n });
}

/* json is one line: compact dumps have no line ends. */
static void on_event(void *arg, uint64_t seq, const char *kind, const char *json)
{
	struct ay_api_call *c = arg;
	struct stream *s = c->state;
	char text[EVENT_MAX];
	int n;

	if (seq != 0 && seq <= s->last)
		return;
	n = snprintf(text, sizeof(text), "id: %llu\nevent: %s\ndata: %s\n\n",
		     (unsigned long long)seq, kind, json);
	s->last = seq;
	if (n > 0 && (size_t)n < sizeof(text))
		say(c, text, (size_t)n);
}

static void replay(void *arg, const struct ay_event_row *r)
{
	on_event(arg, r->seq, r->kind, r->body);
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

void ay_api_events_stream(struct ay_api_call *c)
{
	static const char hello[] = "retry: 3000\n\n";
	struct ay_err e = { 0 };
	uint64_t after;
	bool given;

	if (ay_api_refused(c, start_after(c, &given, &after, &e), &e))
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
	say(c, hello, sizeof(hello) - 1);
	if (given && ay_store_events(c->api->store, after, REPLAY_MAX, replay, c, &e) != AY_OK)
		c->api->metrics.refused++; /* what comes from now on is shown all the same */
}

void ay_api_tick(struct ay_api *a, int64_t now_ms)
{
	static const char ping[] = ": here\n\n";

	a->now_ms = now_ms;
	ay_denials_flush(a, false);
	ay_audit_head_tick(a);
	ay_sessions_tick(a);
	for (struct ay_api_call *c = a->calls; c != NULL; c = c->next) {
		const struct stream *s = c->state;

		if (c->streaming && !c->gone && s != NULL && now_ms - s->said_ms >= PING_MS)
			say(c, ping, sizeof(ping) - 1);
	}
}
