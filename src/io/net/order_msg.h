/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_ORDER_MSG_H
#define AY_NET_ORDER_MSG_H

/*
 * Bodies of ORDER_ASK, ORDER_NONCE, ORDER and ORDER_DONE
 * (docs/protocol/agent-channel.md), both sides of them. Views borrow from the
 * body; a failed parse leaves out zeroed.
 */
#include "core/authz/order.h"
#include "core/base/reader.h"
#include "core/base/writer.h"

#define AY_ORDER_RESULT_MAX (AY_MAX_FRAME_BODY - 1024)
#define AY_ORDER_ARGS_MAX (AY_MAX_FRAME_BODY - 2048)

struct ay_chan_order_nonce {
	enum ay_order_verb verb;
	uint8_t nonce[32];
};

struct ay_chan_order {
	struct ay_bytes statement;
	struct ay_bytes sig; /* 64 octets: r, s */
	struct ay_bytes spki;
	struct ay_bytes args;
};

struct ay_chan_order_done {
	struct ay_bytes code; /* empty: done */
	struct ay_bytes text;
	struct ay_bytes result;
};

void ay_chan_order_ask_write(struct ay_writer *w, enum ay_order_verb verb);
AY_MUST_USE enum ay_rc ay_chan_order_ask_parse(struct ay_bytes in, enum ay_order_verb *out,
					       struct ay_err *e);
void ay_chan_order_nonce_write(struct ay_writer *w, const struct ay_chan_order_nonce *m);
AY_MUST_USE enum ay_rc ay_chan_order_nonce_parse(struct ay_bytes in,
						 struct ay_chan_order_nonce *out, struct ay_err *e);
void ay_chan_order_write(struct ay_writer *w, const struct ay_chan_order *m);
AY_MUST_USE enum ay_rc ay_chan_order_parse(struct ay_bytes in, struct ay_chan_order *out,
					   struct ay_err *e);
void ay_chan_order_done_write(struct ay_writer *w, const struct ay_chan_order_done *m);
AY_MUST_USE enum ay_rc ay_chan_order_done_parse(struct ay_bytes in, struct ay_chan_order_done *out,
						struct ay_err *e);

#endif
