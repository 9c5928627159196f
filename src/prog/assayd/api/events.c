/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events [HTML 9.2]: what happens, as it happens; Last-Event-ID takes up where a reader
 * left. */
#include "core/base/base64.h"
#include "prog/assayd/api/session.h"
#include "prog/assayd/api/streams.h"
#include "prog/assayd/family/bind.h"

static void left(struct ay_api_call *c)
{
	ay_stream_close(c);
	c->left = NULL;
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

static void begin(struct ay_api_call *c)
{
	struct ay_api_reply head = { .status = 200, .n_headers = 3 };

	head.header[0].name = ay_bytes_of("content-type");
	head.header[0].value = ay_bytes_of("text/event-stream");
	head.header[1].name = ay_bytes_of("cache-control");
	head.header[1].value = ay_bytes_of("no-store");
	head.header[2].name = ay_bytes_of("x-request-id");
	head.header[2].value = ay_bytes_of(c->id);
	c->left = left;
	c->streaming = true;
	c->api->out.stream(c->api->out.arg, c->req, &head);
}

static enum ay_rc take_filters(struct ay_api_call *c, char kinds[AY_STREAM_KINDS + 3],
			       char host[AY_UUID_TEXT], struct ay_err *e)
{
	struct ay_bytes type = ay_api_param(c, "type"), name = ay_api_param(c, "host");
	const struct ay_host *h;

	kinds[0] = host[0] = '\0';
	if (type.n > AY_STREAM_KINDS)
		return ay_fail(e, AY_E_LIMIT, "type", 0, "longer than %d octets", AY_STREAM_KINDS);
	if (type.n > 0)
		snprintf(kinds, AY_STREAM_KINDS + 3, ",%.*s,", (int)type.n, (const char *)type.p);
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
	char kinds[AY_STREAM_KINDS + 3], host[AY_UUID_TEXT];
	struct ay_stream *s;
	struct ay_err e = { 0 };
	uint64_t after;
	bool given;

	if (ay_api_refused(c, start_after(c, &given, &after, &e), &e) ||
	    ay_api_refused(c, take_filters(c, kinds, host, &e), &e) ||
	    ay_api_refused(c, ay_stream_open(c, &e), &e))
		return;
	begin(c);
	s = c->state;
	memcpy(s->kinds, kinds, sizeof(s->kinds));
	memcpy(s->host, host, sizeof(s->host));
	ay_stream_say(c, "retry: 3000\n\n");
	if (given) {
		s->last = after;
		s->is_behind = true;
		ay_stream_catch_up(c);
	} else if (ay_store_event_newest(c->api->store, &s->last, &e) == AY_OK) {
		ay_stream_tell_here(c, "from now on");
	}
}

static const struct ay_api_key *key_of(const struct ay_api_call *c)
{
	const struct ay_api_key *k = c->api->accounts->keys;
	uint8_t id[sizeof(k->id)];
	size_t n;

	if (ay_base64_decode(AY_BASE64_URL, ay_bytes_of(c->who.token_id), "token.id", id,
			     sizeof(id), &n, NULL) != AY_OK)
		return NULL;
	while (k != NULL && memcmp(k->id, id, sizeof(id)) != 0)
		k = k->next;
	return k;
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

/* As if the reader had left; that ends the stream in front too. */
static void end_stream(struct ay_api_call *c)
{
	ay_api_gone(c->api, c->req);
}

/* One that takes nothing resumes when it can, from the last id that it has. */
static void look_at_stream(struct ay_api_call *c)
{
	if (!may_stay(c)) {
		ay_stream_say(c, "event: end\ndata: {\"code\":\"AUTH_FAILED\"}\n\n");
		end_stream(c);
	} else if (ay_stream_is_stalled(c)) {
		end_stream(c);
	}
}

/* Requests that wait for something that no callback tells. */
static void tick_calls(struct ay_api *a)
{
	struct ay_api_call *next;

	for (struct ay_api_call *c = a->calls; c != NULL; c = next) {
		next = c->next;
		if (c->tick != NULL)
			c->tick(c);
	}
}

void ay_api_tick(struct ay_api *a, int64_t now_ms)
{
	struct ay_api_call *c;
	size_t at = SIZE_MAX;

	a->now_ms = now_ms;
	ay_api_sweep(a);
	ay_denials_flush(a, false);
	ay_audit_head_tick(a);
	ay_sessions_tick(a);
	ay_seeds_tick(a);
	while ((c = ay_streams_next(a, &at)) != NULL)
		look_at_stream(c);
	ay_streams_tick(a);
	ay_family_bind_tick(a);
	tick_calls(a);
	ay_api_turn(a);
}
