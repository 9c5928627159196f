/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/outgoing.h"

#include "core/base/limits.h"
#include "core/crypto/secret.h"
#include "io/net/url.h"
#include "prog/assayd/engine_impl.h"

#include <stdlib.h>

/* Courier keeps the deadline; this is for a courier that does not. */
#define GRACE_MS 5000

/* A request under way. */
struct ay_outgoing_open {
	struct ay_outgoing_open *next;
	struct ay_engine *g;
	uint32_t number;
	uint16_t port;
	char host[AY_URL_HOST_MAX + 1];
	ay_outgoing_fn *fn; /* NULL: forgotten */
	void *arg;
};

static void unlink_open(struct ay_engine *g, struct ay_outgoing_open *o)
{
	struct ay_outgoing_open **at = &g->outgoing;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	g->n_outgoing--;
}

static void on_answer(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *why,
		      struct ay_bytes body)
{
	struct ay_outgoing_open *o = arg;
	struct ay_outgoing_answer a = { 0 };
	struct ay_err e = { 0 };

	unlink_open(g, o);
	if (rc == AY_OK) {
		rc = ay_outgoing_answer_parse(body, &a, &e);
	} else {
		e = *why;
		rc = AY_E_UNAVAIL; /* whoever refused it, it could not be done */
	}
	if (rc != AY_OK) {
		e.rc = rc;
		rc = ay_err_coded(&e, rc, "OUTGOING_HTTP");
	}
	if (o->fn != NULL)
		o->fn(o->arg, rc, &e, &a);
	free(o);
}

static size_t count_same(const struct ay_engine *g, const struct ay_url *url)
{
	size_t n = 0;

	for (const struct ay_outgoing_open *o = g->outgoing; o != NULL; o = o->next)
		n += o->port == url->port && strcmp(o->host, url->host) == 0;
	return n;
}

static enum ay_rc open_new(struct ay_engine *g, const struct ay_outgoing *ask,
			   struct ay_outgoing_open **out, struct ay_err *e)
{
	struct ay_outgoing_open *o;
	struct ay_url url;
	enum ay_rc rc = ay_url_parse(ask->url, &url, e);

	*out = NULL;
	if (rc != AY_OK) {
		ay_err_code(e, "OUTGOING_INPUT");
		return rc;
	}
	if (g->n_outgoing >= AY_MAX_OUTGOING_OPEN || count_same(g, &url) >= AY_MAX_OUTGOING_SAME)
		return ay_fail_code(e, AY_E_UNAVAIL, "OUTGOING_BUSY", "outgoing",
				    "too many requests are under way");
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return ay_fail(e, AY_E_NOMEM, "outgoing", 0, "no memory");
	memcpy(o->host, url.host, sizeof(o->host));
	o->port = url.port;
	o->g = g;
	o->next = g->outgoing;
	g->outgoing = o;
	g->n_outgoing++;
	*out = o;
	return AY_OK;
}

static enum ay_rc build(const struct ay_outgoing *ask, struct ay_bytes *body, struct ay_err *e)
{
	size_t n = ay_outgoing_size(ask);
	uint8_t *room = n > AY_IPC_MAX_OUTGOING ? NULL : malloc(n);
	struct ay_outgoing check;
	struct ay_writer w;
	enum ay_rc rc;

	*body = (struct ay_bytes){ NULL, 0 };
	if (room == NULL)
		return ay_fail_code(e, AY_E_LIMIT, "OUTGOING_INPUT", "outgoing", "%zu octets", n);
	ay_wr_init(&w, room, n);
	ay_outgoing_build(&w, ask);
	rc = ay_wr_end(&w, "outgoing", body, e);
	if (rc == AY_OK)
		rc = ay_outgoing_parse(*body, &check, e); /* what courier will say of it */
	if (rc != AY_OK) {
		ay_err_code(e, "OUTGOING_INPUT");
		free(room);
	}
	return rc;
}

uint32_t ay_outgoing_send(struct ay_engine *g, const struct ay_outgoing *ask, ay_outgoing_fn *fn,
			  void *arg)
{
	static const struct ay_outgoing_answer none;
	struct ay_outgoing_open *o = NULL;
	struct ay_bytes body = { NULL, 0 };
	struct ay_err e = { 0 };
	uint32_t number;
	enum ay_rc rc = build(ask, &body, &e);

	if (rc == AY_OK)
		rc = open_new(g, ask, &o, &e);
	if (rc != AY_OK || o == NULL) {
		free((void *)(uintptr_t)body.p);
		fn(arg, rc, &e, &none);
		return 0;
	}
	o->fn = fn;
	o->arg = arg;
	number = ay_relay_ask_for(g, g->courier, AY_MSG_OUTGOING, body,
				  (int64_t)ask->deadline_ms + GRACE_MS, on_answer, o);
	ay_wipe((void *)(uintptr_t)body.p, body.n); /* it may hold a password */
	free((void *)(uintptr_t)body.p);
	if (number != 0)
		o->number = number;
	return number;
}

void ay_outgoing_forget(struct ay_engine *g, uint32_t number)
{
	for (struct ay_outgoing_open *o = g->outgoing; number != 0 && o != NULL; o = o->next)
		if (o->number == number && o->fn != NULL) {
			o->fn = NULL;
			ay_ipc_send(g->courier, AY_MSG_OUTGOING_FORGET, 0, number,
				    (struct ay_bytes){ NULL, 0 });
			ay_relay_expire(g, number);
			return;
		}
}
