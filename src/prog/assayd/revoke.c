/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/crypto/x509.h"

#include <stdlib.h>

/*
 * AIK certificates that end before their time. Which ones must be on the CA's
 * list is kept nowhere but in the rows of removed hosts: each time the list
 * comes they are compared with it, and what is missing is asked for again. So a
 * revocation outlives every process, and a CA that was away.
 */
#define REASON_CESSATION 5 /* of operation [RFC5280 5.3.1] */
#define AGAIN_MS 5000
#define AGAIN_LAST_MS (15 * 60 * 1000)
#define AT_ONCE 64 /* asked for after one look at the list */

struct revoked {
	struct ay_engine *g;
	const struct ay_crl *crl;
	size_t n_missing;
};

/* ---- what the CA was not told ---- */

/* The next list is fetched sooner, each time later than the last. */
static void try_later(struct ay_engine *g, const struct ay_err *e)
{
	int64_t pause = AGAIN_MS;

	for (uint32_t i = 0; i < g->revoke_fails && pause < AGAIN_LAST_MS; i++)
		pause *= 2;
	g->next_crl = g->mono_ms + (pause < AGAIN_LAST_MS ? pause : AGAIN_LAST_MS);
	if (g->revoke_fails++)
		return;
	ay_log_err(AY_LOG_ERROR, "AIK certificate of a removed host is not revoked yet", e);
	if (!g->stopping)
		ay_event_emit(g, "revocation", NULL, "REVOKE_PENDING",
			      "the Privacy CA could not be told that a host was removed; it is "
			      "asked again until it answers");
}

static void nothing_missing(struct ay_engine *g)
{
	if (g->revoke_fails)
		ay_event_emit(g, "revocation", NULL, "REVOKE_DONE",
			      "the Privacy CA lists every removed host's certificate");
	g->revoke_fails = 0;
}

static void on_revoked(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *e,
		       struct ay_bytes answer)
{
	(void)arg, (void)answer;
	g->revoking--;
	if (rc != AY_OK)
		try_later(g, e);
	else if (g->revoking == 0)
		ay_relay_refresh_crl(g);
}

void ay_relay_revoke(struct ay_engine *g, struct ay_bytes serial)
{
	uint8_t buf[128];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_vec8(&w, serial);
	ay_wr_u8(&w, REASON_CESSATION);
	if (ay_wr_end(&w, "revoke", &body, NULL) != AY_OK)
		return;
	g->revoking++;
	ay_relay_ask(g, g->ca, AY_MSG_CA_REVOKE, body, on_revoked, NULL);
}

/* ---- the list ---- */

static void compare(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
		    const struct ay_host_context *c)
{
	struct revoked *r = arg;
	bool is_listed = row->cert_serial.n && ay_crl_lists(r->crl, row->cert_serial);
	struct ay_host *h;

	(void)s, (void)c;
	if (!row->cert_serial.n)
		return;
	if (row->state == AY_HOST_RETIRED && !is_listed && row->cert_until > r->g->now_ms) {
		if (r->n_missing++ < AT_ONCE)
			ay_relay_revoke(r->g, row->cert_serial);
		return;
	}
	if (row->state != AY_HOST_ENROLLED || !is_listed)
		return;
	h = ay_hosts_by_id(r->g, &row->id);
	if (h && !h->run->revoked)
		ay_hosts_revoked(r->g, h);
}

static void on_crl(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *e,
		   struct ay_bytes der)
{
	struct revoked r = { .g = g };
	struct ay_crl crl;
	struct ay_err bad;
	uint8_t *copy;

	(void)arg;
	if (rc != AY_OK) {
		ay_log_err(AY_LOG_WARN, "list of revoked AIK certificates", e);
		if (g->revoke_fails)
			try_later(g, e);
		return;
	}
	copy = malloc(der.n ? der.n : 1);
	if (!copy)
		return;
	memcpy(copy, der.p, der.n);
	free(g->crl);
	g->crl = copy;
	g->crl_n = der.n;
	r.crl = &crl;
	if (g->revoking)
		return; /* its answer brings the list again */
	if (ay_crl_parse((struct ay_bytes){ g->crl, g->crl_n }, &crl, &bad) != AY_OK ||
	    ay_store_hosts(g->store, compare, &r, &bad) != AY_OK)
		ay_log_err(AY_LOG_ERROR, "list of revoked AIK certificates", &bad);
	else if (r.n_missing == 0)
		nothing_missing(g);
}

void ay_relay_refresh_crl(struct ay_engine *g)
{
	if (g->ca)
		ay_relay_ask(g, g->ca, AY_MSG_CA_GET_CRL, (struct ay_bytes){ 0 }, on_crl, NULL);
}
