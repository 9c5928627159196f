/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "io/net/frame.h"
#include "io/sys/rng.h"

#include <openssl/crypto.h>

/* 64 nonces in one draw; each is handed out once and wiped from the pool. */
void ay_nonce_draw(struct ay_engine *g, uint8_t out[32])
{
	uint8_t *n;

	if (g->n_nonces == 0) {
		ay_rng_bytes(g->nonces, sizeof(g->nonces));
		g->n_nonces = AY_COUNT(g->nonces);
	}
	n = g->nonces[--g->n_nonces];
	memcpy(out, n, 32);
	OPENSSL_cleanse(n, 32);
}

void ay_report_id_draw(struct ay_engine *g, int64_t at_ms, uint8_t out[16])
{
	uint8_t drawn[32];

	ay_nonce_draw(g, drawn);
	memcpy(out, ay_uuid_from_time(at_ms, drawn).b, 16);
}

/* What we know of the host, so that it need not send it again. */
static void fill_known(const struct ay_host_run *r, struct ay_challenge_body *b)
{
	memcpy(b->boot_id, r->boot.boot_id, sizeof(b->boot_id));
	if (!r->ima_whole) {
		b->ima_octets = r->ima_octets;
		b->ima_entries = r->ima_entries;
	}
	if (r->has_log)
		memcpy(b->log_hash, r->log_id, sizeof(b->log_hash));
	if (r->pcrs)
		memcpy(b->pcrs_hash, ay_blob_id(r->pcrs).p, sizeof(b->pcrs_hash));
}

void ay_challenge_send(struct ay_engine *g, struct ay_host *h, struct ay_conn *c)
{
	struct ay_host_run *r = h->run;
	struct ay_challenge_body b = { .selection = c->selection,
				       .deadline_ms = (uint32_t)g->set.deadline_ms,
				       .last_verdict = r->said_verdict,
				       .last_request = r->said_request };
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes body;

	ay_pace_withdraw(&g->pace, &r->pace);
	ay_nonce_draw(g, b.nonce);
	ay_challenge_issue(&c->challenge, b.nonce, c->serial, ++r->next_request,
			   g->mono_ms + g->set.deadline_ms);
	/* with two connections, neither may lean on what the other one sent */
	if (!r->rival)
		fill_known(r, &b);
	c->asked_ima_octets = b.ima_octets;
	c->asked_with = r->counters;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_challenge_write(&w, &b);
	OPENSSL_cleanse(b.nonce, sizeof(b.nonce));
	if (ay_wr_end(&w, "challenge", &body, NULL) != AY_OK)
		return; /* cannot be: the selection has at most AY_BANKS_MAX banks */
	ay_conns_send(g, c, AY_FRAME_CHALLENGE, r->next_request, body);
	g->count.challenges++;
	r->due = AY_NEVER;
	ay_schedule_host(g, h);
}
