/* SPDX-License-Identifier: Apache-2.0 */
/* EVIDENCE as it comes: in one frame or in several, and only while it may be an answer. */
#include <stdlib.h>

#include "io/net/frame.h"
#include "prog/assayd/engine_impl.h"

static bool add_part(struct ay_conn *c, struct ay_bytes part)
{
	size_t need = c->n_parts + part.n, room = c->max_parts ? c->max_parts : 64 * 1024;
	uint8_t *p;

	if (need > AY_MAX_EVIDENCE_BYTES)
		return false;
	while (room < need)
		room *= 2;
	if (room != c->max_parts) {
		p = realloc(c->parts, room);
		if (!p)
			return false;
		c->parts = p;
		c->max_parts = room;
	}
	if (part.n)
		memcpy(c->parts + c->n_parts, part.p, part.n);
	c->n_parts = need;
	return true;
}

void ay_conns_drop_parts(struct ay_conn *c)
{
	free(c->parts);
	c->parts = NULL;
	c->n_parts = c->max_parts = 0;
}

static void take_evidence(struct ay_engine *g, struct ay_conn *c, uint32_t req,
			  struct ay_bytes body)
{
	struct ay_host *h = c->host;
	uint8_t nonce[32];
	struct ay_job *j;
	struct ay_err e;

	/* Whose answer it is follows from the connection's key, never from the message. */
	if (!h ||
	    ay_challenge_consume(&c->challenge, c->serial, req, g->mono_ms, nonce, &e) != AY_OK) {
		g->count.stale++;
		if (h && ay_log_is_on(AY_LOG_DEBUG))
			ay_log_err(AY_LOG_DEBUG, "evidence refused", &e);
		return;
	}
	j = ay_job_new(g, h, c);
	if (!j || !ay_job_body(j, body)) {
		AY_LOG(AY_LOG_ERROR, "no memory for evidence", AY_LS("host", h->name));
		if (j)
			ay_job_free(g, j);
		ay_schedule_now(g, h);
		return;
	}
	memcpy(j->nonce, nonce, sizeof(j->nonce));
	j->request = req;
	ay_job_submit(g, j);
}

/* Parts are kept only while they may still become an answer: a host is given no memory for more. */
static bool is_awaited(const struct ay_conn *c, uint32_t req)
{
	return c->challenge.state == AY_CHALLENGE_ISSUED && c->challenge.request == req;
}

void ay_conns_evidence(struct ay_engine *g, struct ay_conn *c, const struct ay_ipc_msg *m)
{
	if (c->n_parts && m->req != c->parts_request) {
		ay_conns_protocol(g, c, "parts of two evidences are mixed");
		return;
	}
	if (!(m->flags & AY_FRAME_MORE) && !c->n_parts) {
		take_evidence(g, c, m->req, m->body);
		return;
	}
	if (!is_awaited(c, m->req)) {
		ay_conns_drop_parts(c);
		g->count.stale++;
		return;
	}
	c->parts_request = m->req;
	if (!add_part(c, m->body)) {
		ay_conns_protocol(g, c, "evidence is larger than EVIDENCE_BYTES");
		return;
	}
	if (m->flags & AY_FRAME_MORE)
		return;
	take_evidence(g, c, m->req, (struct ay_bytes){ c->parts, c->n_parts });
	ay_conns_drop_parts(c);
}
