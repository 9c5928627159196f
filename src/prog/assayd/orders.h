/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_ORDERS_H
#define AY_ASSAYD_ORDERS_H

/*
 * Orders to the agent of a host, over its connection: ask for a nonce, have the
 * order signed, send it, hear what became of it. One at a time per connection;
 * it ends with the connection.
 */
#include "core/authz/order.h"
#include "prog/assayd/engine_impl.h"

/* What came of it: e is NULL when the agent did it; result is borrowed. */
typedef void ay_order_fn(struct ay_engine *g, void *arg, const struct ay_err *e,
			 struct ay_bytes result);

struct ay_order_spec {
	enum ay_order_verb verb;
	struct ay_bytes args; /* copied; at most AY_ORDER_ARGS_MAX */
	size_t n_approvers;
	const char *approver[AY_MAX_APPROVERS]; /* names; copied */
};

/*
 * fn is called exactly once, perhaps before this returns. Codes HOST_OFFLINE,
 * ORDER_BUSY (another one is under way there), ORDER_TIMEOUT, ORDER_APPROVERS, those
 * of the signer, and the agent's own (ORDER_NOT_ALLOWED, ...).
 */
void ay_orders_give(struct ay_engine *g, const struct ay_host *h, const struct ay_order_spec *spec,
		    ay_order_fn *fn, void *arg);

/* ORDER_NONCE or ORDER_DONE of an agent. */
void ay_orders_frame(struct ay_engine *g, struct ay_conn *c, uint8_t type, uint32_t req,
		     struct ay_bytes body);
/* The connection ends. */
void ay_orders_drop(struct ay_engine *g, struct ay_conn *c);
void ay_orders_tick(struct ay_engine *g);

#endif
