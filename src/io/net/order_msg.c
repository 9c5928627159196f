/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/order_msg.h"

enum { SIG_BYTES = 64, CODE_MAX = 64, TEXT_MAX = 512 };

static enum ay_order_verb read_verb(struct ay_reader *r, const char *field)
{
	enum ay_order_verb verb = (enum ay_order_verb)ay_rd_u8(r, field);

	if (ay_rd_ok(r) && ay_order_name(verb) == NULL)
		ay_rd_reject(r, field, "unknown verb %u", (unsigned)verb);
	return verb;
}

void ay_chan_order_ask_write(struct ay_writer *w, enum ay_order_verb verb)
{
	ay_wr_u8(w, (uint8_t)verb);
}

enum ay_rc ay_chan_order_ask_parse(struct ay_bytes in, enum ay_order_verb *out, struct ay_err *e)
{
	struct ay_reader r;
	enum ay_order_verb verb;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	verb = read_verb(&r, "order_ask.verb");
	rc = ay_rd_end(&r, "order_ask", e);
	*out = rc == AY_OK ? verb : (enum ay_order_verb)0;
	return rc;
}

void ay_chan_order_nonce_write(struct ay_writer *w, const struct ay_chan_order_nonce *m)
{
	ay_wr_u8(w, (uint8_t)m->verb);
	ay_wr_bytes(w, AY_BYTES(m->nonce));
}

enum ay_rc ay_chan_order_nonce_parse(struct ay_bytes in, struct ay_chan_order_nonce *out,
				     struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_order_nonce m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	m.verb = read_verb(&r, "order_nonce.verb");
	ay_rd_copy(&r, "order_nonce.nonce", m.nonce, sizeof(m.nonce));
	rc = ay_rd_end(&r, "order_nonce", e);
	*out = rc == AY_OK ? m : (struct ay_chan_order_nonce){ 0 };
	return rc;
}

void ay_chan_order_write(struct ay_writer *w, const struct ay_chan_order *m)
{
	ay_wr_vec16(w, m->statement);
	ay_wr_bytes(w, m->sig);
	ay_wr_vec16(w, m->spki);
	ay_wr_vec32(w, m->args);
}

enum ay_rc ay_chan_order_parse(struct ay_bytes in, struct ay_chan_order *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_order m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	m.statement = ay_rd_vec16(&r, "order.statement", AY_ORDER_STATEMENT_MAX);
	m.sig = ay_rd_bytes(&r, "order.signature", SIG_BYTES);
	m.spki = ay_rd_vec16(&r, "order.key", AY_SPKI_P256);
	m.args = ay_rd_vec32(&r, "order.args", AY_ORDER_ARGS_MAX);
	rc = ay_rd_end(&r, "order", e);
	*out = rc == AY_OK ? m : (struct ay_chan_order){ 0 };
	return rc;
}

void ay_chan_order_done_write(struct ay_writer *w, const struct ay_chan_order_done *m)
{
	ay_wr_vec8(w, m->code);
	ay_wr_vec16(w, m->text);
	ay_wr_vec32(w, m->result);
}

enum ay_rc ay_chan_order_done_parse(struct ay_bytes in, struct ay_chan_order_done *out,
				    struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_order_done m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	m.code = ay_rd_vec8(&r, "order_done.code", CODE_MAX);
	m.text = ay_rd_vec16(&r, "order_done.text", TEXT_MAX);
	m.result = ay_rd_vec32(&r, "order_done.result", AY_ORDER_RESULT_MAX);
	rc = ay_rd_end(&r, "order_done", e);
	*out = rc == AY_OK ? m : (struct ay_chan_order_done){ 0 };
	return rc;
}
