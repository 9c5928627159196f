/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/orders.h"

#include <stdlib.h>

#include "core/crypto/hash.h"
#include "io/net/frame.h"
#include "io/net/order_msg.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"

enum { STEP_MS = 30000, LIFE_MS = 120000 };

enum order_step { ORDER_ASKED = 1, ORDER_SIGNING, ORDER_SENT };

struct ay_order_run {
	struct ay_order_run *next; /* of the engine's list */
	struct ay_conn *c;
	uint32_t req;
	enum order_step step;
	int64_t until; /* mono */
	struct ay_order order;
	char names[AY_MAX_APPROVERS][AY_MAX_NAME_BYTES + 1];
	struct ay_bytes args; /* malloc'ed */
	uint8_t statement[AY_ORDER_STATEMENT_MAX];
	size_t n_statement;
	ay_order_fn *fn;
	void *arg;
};

/* ---- the end of one ---- */

static void unlink_run(struct ay_engine *g, struct ay_order_run *o)
{
	struct ay_order_run **at = &g->orders;

	while (*at && *at != o)
		at = &(*at)->next;
	if (*at)
		*at = o->next;
	if (o->c)
		o->c->order = NULL;
}

static void end(struct ay_engine *g, struct ay_order_run *o, const struct ay_err *e,
		struct ay_bytes result)
{
	unlink_run(g, o);
	o->fn(g, o->arg, e, result);
	ay_file_free(&o->args);
	free(o);
}

static void end_with(struct ay_engine *g, struct ay_order_run *o, enum ay_rc rc, const char *code,
		     const char *text)
{
	struct ay_err e;

	e.rc = ay_fail_code(&e, rc, code, "order", "%s", text);
	end(g, o, &e, (struct ay_bytes){ 0 });
}

void ay_orders_drop(struct ay_engine *g, struct ay_conn *c)
{
	if (c->order)
		end_with(g, c->order, AY_E_UNAVAIL, "HOST_OFFLINE",
			 "the host's connection ended before the order was done");
}

void ay_orders_tick(struct ay_engine *g)
{
	struct ay_order_run *o = g->orders, *next;

	for (; o; o = next) {
		next = o->next;
		if (g->mono_ms >= o->until)
			end_with(g, o, AY_E_UNAVAIL, "ORDER_TIMEOUT",
				 "the host did not answer in time");
	}
}

/* ---- give ---- */

static enum ay_rc fill(struct ay_order_run *o, const struct ay_host *h,
		       const struct ay_order_spec *spec, struct ay_err *e)
{
	uint8_t *args;

	if (spec->args.n > AY_ORDER_ARGS_MAX || spec->n_approvers > AY_MAX_APPROVERS)
		return ay_fail(e, AY_E_LIMIT, "order", 0,
			       "longer arguments or more approvers than an order has");
	args = malloc(spec->args.n + 1);
	if (!args)
		return ay_fail(e, AY_E_NOMEM, "order", 0, "no room for the arguments");
	if (spec->args.n)
		memcpy(args, spec->args.p, spec->args.n);
	o->args = (struct ay_bytes){ args, spec->args.n };
	o->order.verb = spec->verb;
	o->order.host = h->id;
	o->order.id = ay_rng_uuid();
	ay_sha256(o->args, o->order.args);
	for (size_t i = 0; i < spec->n_approvers; i++) {
		snprintf(o->names[i], sizeof(o->names[i]), "%s", spec->approver[i]);
		o->order.approver[i] = ay_bytes_of(o->names[i]);
	}
	o->order.n_approvers = spec->n_approvers;
	return ay_order_may_be_given(&o->order, 0, e);
}

static void ask(struct ay_engine *g, struct ay_order_run *o)
{
	uint8_t verb = (uint8_t)o->order.verb;

	o->step = ORDER_ASKED;
	o->until = g->mono_ms + STEP_MS;
	o->req = ++g->next_req;
	o->next = g->orders;
	g->orders = o;
	o->c->order = o;
	ay_conns_send(g, o->c, AY_FRAME_ORDER_ASK, o->req, (struct ay_bytes){ &verb, 1 });
}

void ay_orders_give(struct ay_engine *g, const struct ay_host *h, const struct ay_order_spec *spec,
		    ay_order_fn *fn, void *arg)
{
	struct ay_conn *c = h->run->conn;
	struct ay_order_run *o = calloc(1, sizeof(*o));
	struct ay_err e = { 0 };

	if (!o)
		e.rc = ay_fail(&e, AY_E_NOMEM, "order", 0, "no memory");
	else if (!c || c->closing)
		e.rc = ay_fail_code(&e, AY_E_UNAVAIL, "HOST_OFFLINE", "order",
				    "%s is not connected", h->name);
	else if (c->order)
		e.rc = ay_fail_code(&e, AY_E_UNAVAIL, "ORDER_BUSY", "order",
				    "another order to %s is under way", h->name);
	else
		e.rc = fill(o, h, spec, &e);
	if (e.rc != AY_OK) {
		if (o)
			ay_file_free(&o->args);
		free(o);
		fn(g, arg, &e, (struct ay_bytes){ 0 });
		return;
	}
	o->c = c;
	o->fn = fn;
	o->arg = arg;
	ask(g, o);
}

/* ---- sign ---- */

struct sign_wait {
	uint32_t conn, req;
};

static struct ay_order_run *run_of(struct ay_engine *g, uint32_t conn, uint32_t req)
{
	struct ay_conn *c = ay_conns_find(g, conn);

	return c && c->order && c->order->req == req ? c->order : NULL;
}

static void send_order(struct ay_engine *g, struct ay_order_run *o, struct ay_bytes signature)
{
	struct ay_chan_order m = { .statement = { o->statement, o->n_statement },
				   .sig = { signature.p, 64 },
				   .spki = { signature.p + 64, signature.n - 64 },
				   .args = o->args };
	uint8_t *buf = malloc(AY_MAX_FRAME_BODY);
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, buf ? AY_MAX_FRAME_BODY : 0);
	ay_chan_order_write(&w, &m);
	if (ay_wr_end(&w, "order", &body, NULL) == AY_OK) {
		o->step = ORDER_SENT;
		o->until = g->mono_ms + STEP_MS;
		ay_conns_send(g, o->c, AY_FRAME_ORDER, o->req, body);
	} else {
		end_with(g, o, AY_E_NOMEM, "NOMEM", "no memory");
	}
	free(buf);
}

static void on_signed(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *e,
		      struct ay_bytes answer)
{
	struct sign_wait w = *(struct sign_wait *)arg;
	struct ay_order_run *o = run_of(g, w.conn, w.req);

	free(arg);
	if (!o || o->step != ORDER_SIGNING)
		return;
	if (rc != AY_OK)
		end(g, o, e, (struct ay_bytes){ 0 });
	else if (answer.n != 64 + AY_SPKI_P256)
		end_with(g, o, AY_E_BUG, "SIGNER", "the signer's answer is no signature");
	else
		send_order(g, o, answer);
}

static void on_nonce(struct ay_engine *g, struct ay_order_run *o, struct ay_bytes body)
{
	struct ay_chan_order_nonce m;
	struct sign_wait *wait = malloc(sizeof(*wait));
	struct ay_bytes statement;
	struct ay_err e;
	enum ay_rc rc = ay_chan_order_nonce_parse(body, &m, &e);

	if (rc == AY_OK && m.verb != o->order.verb)
		rc = ay_fail_code(&e, AY_E_DENIED, "ORDER_VERB", "order",
				  "the nonce is for another verb");
	memcpy(o->order.nonce, m.nonce, sizeof(m.nonce));
	o->order.expires_ms = g->now_ms + LIFE_MS;
	if (rc == AY_OK)
		rc = ay_order_write(&o->order, o->statement, &statement, &e);
	if (rc == AY_OK && !wait)
		rc = ay_fail(&e, AY_E_NOMEM, "order", 0, "no memory");
	if (rc != AY_OK) {
		free(wait);
		end(g, o, &e, (struct ay_bytes){ 0 });
		return;
	}
	o->n_statement = statement.n;
	o->step = ORDER_SIGNING;
	*wait = (struct sign_wait){ o->c->number, o->req };
	ay_relay_ask(g, g->signer, AY_MSG_SIGN_ORDER, statement, on_signed, wait);
}

/* ---- what became of it ---- */

static void on_done(struct ay_engine *g, struct ay_order_run *o, struct ay_bytes body)
{
	struct ay_chan_order_done m;
	struct ay_err e;

	if (ay_chan_order_done_parse(body, &m, &e) != AY_OK) {
		end(g, o, &e, (struct ay_bytes){ 0 });
		return;
	}
	if (m.code.n == 0 && o->step == ORDER_SENT) {
		end(g, o, NULL, m.result);
		return;
	}
	e.rc = ay_fail(&e, AY_E_DENIED, "order", 0, "the agent says: %.*s", (int)m.text.n,
		       (const char *)m.text.p);
	ay_conns_peer_code(&e, m.code.n ? m.code : ay_bytes_of("PEER_PROTOCOL"));
	end(g, o, &e, (struct ay_bytes){ 0 });
}

void ay_orders_frame(struct ay_engine *g, struct ay_conn *c, uint8_t type, uint32_t req,
		     struct ay_bytes body)
{
	struct ay_order_run *o = c->order;

	if (!o || o->req != req) {
		g->count.stale++; /* it came too late */
		return;
	}
	if (type == AY_FRAME_ORDER_DONE)
		on_done(g, o, body);
	else if (o->step == ORDER_ASKED)
		on_nonce(g, o, body);
}
