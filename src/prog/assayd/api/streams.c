/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/streams.h"

#include <stdlib.h>

enum {
	PAGE_ROWS = 1000,  /* read at once */
	PAGES_A_TURN = 16, /* by readers at different places */
	PING_MS = 15000,
	EVENT_MAX = 16384,
	BACKLOG_MAX = 16 << 20, /* octets for all, until front took them */
};

struct ay_streams {
	struct ay_subscription *sub;
	bool is_due; /* somebody who is behind may have room */
	size_t n;
	struct ay_api_call *call[AY_MAX_EVENT_STREAMS];
	/* of one call of a function */
	struct ay_api_call *member[AY_MAX_EVENT_STREAMS];
	uint32_t req[AY_MAX_EVENT_STREAMS];
};

/* ---- room ---- */

static bool is_clogged(const struct ay_api *a)
{
	return a->out.backlog(a->out.arg) > BACKLOG_MAX;
}

static bool has_room(const struct ay_stream *s)
{
	return s->on_way < AY_MAX_EVENT_AHEAD / 2;
}

void ay_api_drained(struct ay_api *a, uint32_t req, size_t octets)
{
	struct ay_streams *all = a->streams;

	for (size_t i = 0; all != NULL && i < all->n; i++) {
		struct ay_stream *s = all->call[i]->state;

		if (all->call[i]->req != req)
			continue;
		s->on_way -= octets < s->on_way ? octets : s->on_way;
		s->full_ms = 0;
		all->is_due = all->is_due || (s->is_behind && has_room(s));
		return;
	}
}

bool ay_stream_is_stalled(struct ay_api_call *c)
{
	struct ay_stream *s = c->state;

	if (has_room(s))
		s->full_ms = 0;
	else if (s->full_ms == 0)
		s->full_ms = c->api->now_ms;
	return s->full_ms != 0 && c->api->now_ms - s->full_ms >= AY_MAX_EVENT_STALL_MS;
}

/* ---- what is said ---- */

/* To the first n of all->req. */
static void cast(struct ay_api *a, size_t n, struct ay_bytes text)
{
	if (n > 0)
		a->out.cast(a->out.arg, a->streams->req, n, text);
}

static void add(struct ay_api_call *c, size_t octets, size_t *n)
{
	struct ay_stream *s = c->state;

	s->said_ms = c->api->now_ms;
	s->on_way += octets;
	c->api->streams->req[(*n)++] = c->req;
}

void ay_stream_say(struct ay_api_call *c, const char *text)
{
	struct ay_bytes b = ay_bytes_of(text);
	size_t n = 0;

	add(c, b.n, &n);
	cast(c->api, n, b);
}

static void say_to_members(struct ay_api *a, size_t n_members, const char *text)
{
	struct ay_bytes b = ay_bytes_of(text);
	size_t n = 0;

	for (size_t i = 0; i < n_members; i++)
		add(a->streams->member[i], b.n, &n);
	cast(a, n, b);
}

/* Without data an id is no event, but a reader that is cut resumes from it. */
static void here_text(uint64_t last, const char *why, char out[80])
{
	snprintf(out, 80, "id: %llu\n: %s\n\n", (unsigned long long)last, why);
}

void ay_stream_tell_here(struct ay_api_call *c, const char *why)
{
	const struct ay_stream *s = c->state;
	char text[80];

	here_text(s->last, why, text);
	ay_stream_say(c, text);
}

/* ---- an event ---- */

struct happening {
	uint64_t seq;
	char word[40]; /* ",kind," */
	char host[AY_UUID_TEXT];
	struct ay_bytes text; /* empty: it is too long to be told */
	char room[EVENT_MAX];
};

/* The host that an event is about, from our own compact JSON; "" for none. */
static void host_of(const char *json, char out[AY_UUID_TEXT])
{
	static const char mark[] = "\"host\":\"";
	const char *at = strstr(json, mark); /* inside a string its quotes would be escaped */

	out[0] = '\0';
	if (at != NULL && strlen(at) > sizeof(mark) + AY_UUID_TEXT)
		snprintf(out, AY_UUID_TEXT, "%s", at + sizeof(mark) - 1);
}

/* json is one line: compact dumps have no line ends. */
static void write_event(struct happening *v, uint64_t seq, const char *kind, const char *json)
{
	int n = snprintf(v->room, sizeof(v->room), "id: %llu\nevent: %s\ndata: %s\n\n",
			 (unsigned long long)seq, kind, json);

	v->seq = seq;
	snprintf(v->word, sizeof(v->word), ",%.36s,", kind);
	host_of(json, v->host);
	v->text = n > 0 && (size_t)n < sizeof(v->room)
			  ? (struct ay_bytes){ (const uint8_t *)v->room, (size_t)n }
			  : (struct ay_bytes){ NULL, 0 };
}

static bool is_wanted(const struct ay_stream *s, const struct happening *v)
{
	return (s->kinds[0] == '\0' || strstr(s->kinds, v->word) != NULL) &&
	       (s->host[0] == '\0' || strcmp(s->host, v->host) == 0);
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

/* Seen by the reader; if it hears of it, it is one of the n that are told. */
static void see(struct ay_api_call *c, const struct happening *v, size_t *n)
{
	struct ay_stream *s = c->state;

	if (v->seq <= s->last)
		return;
	s->last = v->seq;
	if (v->text.n > 0 && is_wanted(s, v) && may_hear(c, v->host))
		add(c, v->text.n, n);
}

static void on_event(void *arg, uint64_t seq, const char *kind, const char *json)
{
	struct ay_api *a = arg;
	struct ay_streams *all = a->streams;
	bool clogged = is_clogged(a);
	struct happening v;
	size_t n = 0;

	write_event(&v, seq, kind, json);
	for (size_t i = 0; i < all->n; i++) {
		struct ay_stream *s = all->call[i]->state;

		s->is_behind = s->is_behind || clogged || s->on_way >= AY_MAX_EVENT_AHEAD;
		if (!s->is_behind)
			see(all->call[i], &v, &n);
	}
	cast(a, n, v.text);
}

/* ---- what was missed ---- */

struct page {
	struct ay_api *a;
	size_t n_members; /* at the same place */
	size_t n_rows;
	bool is_full; /* one of them has enough; what comes is read again */
	struct happening v;
};

static uint64_t last_of(const struct page *p)
{
	const struct ay_stream *s = p->a->streams->member[0]->state;

	return s->last;
}

/* Events that retention took between what the readers have and what there is. */
static void tell_gap(struct page *p, uint64_t next)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "id: %llu\nevent: gap\ndata: {\"after\":%llu,\"next\":%llu}\n\n",
		 (unsigned long long)next - 1, (unsigned long long)last_of(p),
		 (unsigned long long)next);
	say_to_members(p->a, p->n_members, text);
}

static void replay(void *arg, const struct ay_event_row *r)
{
	struct page *p = arg;
	struct ay_streams *all = p->a->streams;
	size_t n = 0;

	if (p->is_full)
		return;
	p->n_rows++;
	if (r->seq > last_of(p) + 1)
		tell_gap(p, r->seq);
	write_event(&p->v, r->seq, r->kind, r->body);
	for (size_t i = 0; i < p->n_members; i++) {
		const struct ay_stream *s = all->member[i]->state;

		see(all->member[i], &p->v, &n);
		p->is_full = p->is_full || !has_room(s);
	}
	cast(p->a, n, p->v.text);
}

/* All that are behind at the place of this one, and have room. */
static size_t gather(struct ay_streams *all, const struct ay_stream *first)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct ay_stream *s = all->call[i]->state;

		if (s->is_behind && s->last == first->last && has_room(s))
			all->member[n++] = all->call[i];
	}
	return n;
}

void ay_stream_catch_up(struct ay_api_call *c)
{
	struct ay_streams *all = c->api->streams;
	struct page p = { .a = c->api, .n_members = gather(all, c->state) };
	struct ay_err e = { 0 };
	char text[80];

	if (p.n_members == 0 ||
	    ay_store_events(c->api->store, last_of(&p), PAGE_ROWS, replay, &p, &e) != AY_OK)
		return;
	if (p.is_full || p.n_rows >= PAGE_ROWS) {
		all->is_due = all->is_due || !p.is_full;
		return;
	}
	for (size_t i = 0; i < p.n_members; i++)
		((struct ay_stream *)all->member[i]->state)->is_behind = false;
	here_text(last_of(&p), "caught up", text);
	say_to_members(c->api, p.n_members, text);
}

void ay_api_turn(struct ay_api *a)
{
	struct ay_streams *all = a->streams;
	size_t pages = 0;

	if (all == NULL || !all->is_due || is_clogged(a))
		return;
	all->is_due = false;
	for (size_t i = 0; i < all->n; i++) {
		const struct ay_stream *s = all->call[i]->state;

		if (!s->is_behind || !has_room(s))
			continue;
		if (pages++ == PAGES_A_TURN) {
			all->is_due = true; /* the others with the next turn */
			return;
		}
		ay_stream_catch_up(all->call[i]);
	}
}

void ay_streams_tick(struct ay_api *a)
{
	struct ay_streams *all = a->streams;
	size_t n = 0;

	for (size_t i = 0; all != NULL && i < all->n; i++) {
		struct ay_stream *s = all->call[i]->state;

		all->is_due = all->is_due || s->is_behind;
		if (a->now_ms - s->said_ms >= PING_MS && s->on_way < AY_MAX_EVENT_AHEAD)
			all->member[n++] = all->call[i];
	}
	say_to_members(a, n, ": here\n\n");
}

/* ---- the list ---- */

enum ay_rc ay_stream_open(struct ay_api_call *c, struct ay_err *e)
{
	struct ay_api *a = c->api;
	struct ay_stream *s;

	if (a->streams == NULL)
		a->streams = calloc(1, sizeof(*a->streams));
	if (a->streams != NULL && a->streams->n == AY_MAX_EVENT_STREAMS)
		return ay_fail(e, AY_E_UNAVAIL, "events", 0, "%d streams are open already",
			       AY_MAX_EVENT_STREAMS);
	if (a->streams != NULL && a->streams->n == 0)
		a->streams->sub = ay_engine_subscribe(a->engine, on_event, a);
	s = calloc(1, sizeof(*s));
	if (s == NULL || a->streams == NULL || a->streams->sub == NULL) {
		free(s);
		return ay_fail(e, AY_E_NOMEM, "events", 0, "out of memory");
	}
	s->at = a->streams->n;
	a->streams->call[a->streams->n++] = c;
	a->metrics.streams = a->streams->n;
	c->state = s;
	return AY_OK;
}

void ay_stream_close(struct ay_api_call *c)
{
	struct ay_streams *all = c->api->streams;
	struct ay_stream *s = c->state;
	struct ay_api_call *moved = all->call[--all->n];

	all->call[s->at] = moved;
	((struct ay_stream *)moved->state)->at = s->at;
	c->api->metrics.streams = all->n;
	if (all->n == 0) {
		ay_engine_unsubscribe(c->api->engine, all->sub);
		all->sub = NULL;
	}
	c->state = NULL;
	free(s);
}

struct ay_api_call *ay_streams_next(struct ay_api *a, size_t *at)
{
	size_t n = a->streams == NULL ? 0 : a->streams->n;

	*at = *at > n ? n : *at;
	return *at == 0 ? NULL : a->streams->call[--*at];
}
