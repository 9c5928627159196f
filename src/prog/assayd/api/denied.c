/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was refused stands in the audit: of one source and person once, then as
 * a count, minutes apart, so that nobody can fill the disk by asking.
 */
#include "io/sys/log.h"
#include "prog/assayd/api/auth.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { SOURCES = 64, WINDOW_MS = 60 * 1000, WINDOW_MAX_MS = 60 * 60 * 1000 };

struct denial {
	char source[INET6_ADDRSTRLEN];
	char actor[AY_ACTOR_TEXT];
	char code[32];
	int64_t until_ms, window_ms; /* 0: free */
	uint64_t more;
};

struct ay_denials {
	struct denial of[SOURCES + 1]; /* the last: all for whom there is no place */
};

/* The address without port; of IPv6 the first 64 bits, which one customer has to himself. */
static void source_of(struct ay_bytes peer, char out[INET6_ADDRSTRLEN])
{
	char text[INET6_ADDRSTRLEN + 3];
	struct in6_addr a;
	size_t n = peer.n;

	while (n > 0 && peer.p[n - 1] != ':')
		n--;
	n = n > 0 ? n - 1 : peer.n;
	if (n >= 2 && peer.p[0] == '[' && peer.p[n - 1] == ']')
		peer = (struct ay_bytes){ peer.p + 1, n -= 2 };
	snprintf(text, sizeof(text), "%.*s", (int)n, n == 0 ? "" : (const char *)peer.p);
	snprintf(out, INET6_ADDRSTRLEN, "%.*s", INET6_ADDRSTRLEN - 1, text);
	if (inet_pton(AF_INET6, text, &a) != 1)
		return;
	memset(a.s6_addr + 8, 0, 8);
	inet_ntop(AF_INET6, &a, out, INET6_ADDRSTRLEN);
}

/* The slot of this source and person; a free one is made theirs, else that of all others. */
static struct denial *slot_of(struct ay_denials *all, const char *source, const char *actor)
{
	struct denial *free_one = NULL;

	for (size_t i = 0; i < SOURCES; i++) {
		struct denial *d = &all->of[i];

		if (d->window_ms == 0)
			free_one = free_one == NULL ? d : free_one;
		else if (strcmp(d->source, source) == 0 && strcmp(d->actor, actor) == 0)
			return d;
	}
	if (free_one == NULL) {
		free_one = &all->of[SOURCES];
		source = "many";
		actor = "anybody";
	}
	snprintf(free_one->source, sizeof(free_one->source), "%s", source);
	snprintf(free_one->actor, sizeof(free_one->actor), "%s", actor);
	return free_one;
}

static void count_record(struct ay_api *a, struct denial *d)
{
	char *text = NULL;
	json_t *o = json_pack("{s:I, s:s, s:{s:s, s:s}}", "more", (json_int_t)d->more, "code",
			      d->code, "call", "from", d->source, "outcome", "denied");

	if (o != NULL)
		text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text != NULL)
		ay_audit_leave(a, &(struct ay_audit_row){ a->now_ms, d->actor, "DENIED_MORE",
							  d->source, text });
	free(text);
	d->more = 0;
}

void ay_denials_flush(struct ay_api *a, bool all)
{
	for (size_t i = 0; a->denials != NULL && i <= SOURCES; i++) {
		struct denial *d = &a->denials->of[i];

		if (d->window_ms == 0 || (!all && d->until_ms > a->now_ms))
			continue;
		if (d->more == 0) {
			d->window_ms = 0;
			continue;
		}
		count_record(a, d);
		d->window_ms = d->window_ms * 2 > WINDOW_MAX_MS ? WINDOW_MAX_MS : d->window_ms * 2;
		d->until_ms = a->now_ms + d->window_ms;
	}
}

void ay_api_denied(struct ay_api_call *c, int status, const struct ay_err *e)
{
	char source[INET6_ADDRSTRLEN], actor[AY_ACTOR_TEXT], outcome[24];
	struct ay_api *a = c->api;
	struct denial *d;

	a->metrics.forbidden += status == 403;
	if (a->denials == NULL)
		return;
	source_of(c->peer, source);
	d = slot_of(a->denials, source, ay_api_actor(c, actor));
	snprintf(d->code, sizeof(d->code), "%s", e->code);
	if (d->window_ms != 0) {
		d->more++;
		return;
	}
	AY_LOG(AY_LOG_INFO, "a request was denied", AY_LS("code", e->code),
	       AY_LS("user", c->who.user), AY_LS("id", c->id));
	d->window_ms = WINDOW_MS;
	d->until_ms = a->now_ms + WINDOW_MS;
	snprintf(outcome, sizeof(outcome), "denied %d", status);
	ay_api_leave(c, "DENIED", ay_api_object(c), json_pack("{s:s}", "code", e->code), outcome);
}

struct ay_denials *ay_denials_new(void)
{
	return calloc(1, sizeof(struct ay_denials));
}
