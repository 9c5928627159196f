/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_ORDERS_H
#define AY_PROG_AGENT_ORDERS_H

/*
 * Orders, in the tpm process (docs/protocol/agent-channel.md, Orders). What is
 * not in this host's own `allow` is refused before a nonce is drawn, whoever
 * signs; what is must carry the pinned key's signature over that nonce.
 */
#include "io/net/order_msg.h"
#include "prog/assay-agent/agent.h"

/* What doing an order may use. */
struct ay_order_env {
	const struct ay_agent *agent;
	struct ay_identity *identity;
	const struct ay_pins *pins;
	const struct ay_tpmdev_ops *ops;
	struct ay_tpmdev *dev;
	const uint8_t *exporter; /* 32: of this connection */
	int64_t now_ms, mono_ms;
};

/* Does it; result is malloc'ed, empty without one. The order has been checked. */
typedef enum ay_rc ay_order_do(const struct ay_order_env *env, const struct ay_order *o,
			       struct ay_bytes args, struct ay_bytes *result, struct ay_err *e);

ay_order_do ay_order_do_tag; /* tag.c */

struct ay_order_doer {
	enum ay_order_verb verb;
	ay_order_do *fn;
};
/* Order take-ownership: own.c. */
AY_MUST_USE enum ay_rc ay_agent_own_order(const struct ay_order_env *env, const struct ay_order *o,
					  struct ay_bytes args, struct ay_bytes *result,
					  struct ay_err *e);

/* What this agent knows to do; ended by verb 0. */
extern const struct ay_order_doer ay_order_doers[];

/* The nonce that was drawn last, on this connection. Zeroed: none. */
struct ay_orders {
	enum ay_order_verb verb;
	uint8_t nonce[32];
	int64_t until_mono_ms;
};

/* Words of `allow` that are no verb are an error of the configuration. */
AY_MUST_USE enum ay_rc ay_orders_conf_check(const struct ay_config *c, struct ay_err *e);

/*
 * Answers a frame ORDER_ASK or ORDER into w: the type of the answer is
 * returned, ORDER_NONCE or ORDER_DONE. Refusals are ORDER_DONE with a code:
 * ORDER_NOT_ALLOWED, ORDER_UNKNOWN, ORDER_NONCE, those of ay_order_check(), and
 * what the doing of it met. A nonce is used up by the next frame, whichever.
 */
uint8_t ay_orders_answer(struct ay_orders *s, const struct ay_order_env *env,
			 const struct ay_order_doer *doers, uint8_t frame, struct ay_bytes body,
			 struct ay_writer *w);

#endif
