/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/tag_msg.h"

static bool read_flag(struct ay_reader *r, const char *field)
{
	uint8_t v = ay_rd_u8(r, field);

	if (v > 1)
		ay_rd_reject(r, field, "%u is neither 0 nor 1", v);
	return v == 1;
}

void ay_tag_order_write(struct ay_writer *w, const struct ay_tag_order *o)
{
	ay_wr_u8(w, (uint8_t)o->op);
	ay_wr_bytes(w, AY_BYTES(o->x));
	ay_wr_bytes(w, AY_BYTES(o->y));
	if (o->op == AY_TAG_BEGIN) {
		ay_wr_u8(w, o->replace);
		return;
	}
	ay_wr_bytes(w, AY_BYTES(o->contents));
	ay_wr_bytes(w, AY_BYTES(o->rs));
	ay_wr_vec16(w, o->cert);
}

enum ay_rc ay_tag_order_parse(struct ay_bytes in, struct ay_tag_order *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_tag_order o = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	o.op = (enum ay_tag_op)ay_rd_u8(&r, "tag.op");
	ay_rd_copy(&r, "tag.x", o.x, sizeof(o.x));
	ay_rd_copy(&r, "tag.y", o.y, sizeof(o.y));
	if (o.op == AY_TAG_BEGIN) {
		o.replace = read_flag(&r, "tag.replace");
	} else if (o.op == AY_TAG_WRITE) {
		ay_rd_copy(&r, "tag.contents", o.contents, sizeof(o.contents));
		ay_rd_copy(&r, "tag.signature", o.rs, sizeof(o.rs));
		o.cert = ay_rd_vec16(&r, "tag.certificate", AY_MAX_CERT_BYTES);
	} else {
		ay_rd_reject(&r, "tag.op", "unknown step %u", (unsigned)o.op);
	}
	rc = ay_rd_end(&r, "tag", e);
	*out = rc == AY_OK ? o : (struct ay_tag_order){ 0 };
	return rc;
}

void ay_tag_begun_write(struct ay_writer *w, const struct ay_tag_begun *b)
{
	ay_wr_u8(w, b->written);
	ay_wr_vec8(w, b->nonce);
}

enum ay_rc ay_tag_begun_parse(struct ay_bytes in, struct ay_tag_begun *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_tag_begun b = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	b.written = read_flag(&r, "tag.written");
	b.nonce = ay_rd_vec8(&r, "tag.nonce", 32);
	rc = ay_rd_end(&r, "tag", e);
	*out = rc == AY_OK ? b : (struct ay_tag_begun){ 0 };
	return rc;
}
