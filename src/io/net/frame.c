/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/frame.h"

#include "core/base/reader.h"
#include "core/base/writer.h"

static const struct row {
	const char *name;
	uint32_t max;
	char sender, bound; /* as in channel.def */
	bool is_known;
} rows[256] = {
#define X(name, number, sender, bound, max, doc)                                                   \
	[number] = { #name, (max), #sender[0], #bound[0], true },
#include "io/net/channel.def"
#undef X
};

enum ay_rc ay_frame_head_parse(struct ay_bytes in, struct ay_frame_head *out, struct ay_err *e)
{
	struct ay_frame_head h = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	h.length = ay_rd_be32(&r, "frame.length");
	h.type = ay_rd_u8(&r, "frame.type");
	h.flags = ay_rd_u8(&r, "frame.flags");
	if (ay_rd_be16(&r, "frame.reserved") != 0)
		ay_rd_reject(&r, "frame.reserved", "not zero");
	h.req = ay_rd_be32(&r, "frame.requestId");
	rc = ay_rd_end(&r, "frame", e);
	*out = rc == AY_OK ? h : (struct ay_frame_head){ 0 };
	return rc;
}

void ay_frame_head_build(const struct ay_frame_head *h, uint8_t out[AY_FRAME_HEAD])
{
	for (int i = 0; i < 4; i++) {
		out[i] = (uint8_t)(h->length >> (24 - 8 * i));
		out[8 + i] = (uint8_t)(h->req >> (24 - 8 * i));
	}
	out[4] = h->type;
	out[5] = h->flags;
	out[6] = 0;
	out[7] = 0;
}

static const char *judge_sender(const struct ay_frame_rules *r, const struct row *row)
{
	char who = r->sender == AY_ROLE_SERVER ? 'S' : 'A';

	return row->sender == who || row->sender == 'B' ? NULL : "from the wrong side";
}

static const char *judge_state(const struct ay_frame_rules *r, const struct row *row, uint8_t type)
{
	if (r->sender == AY_ROLE_AGENT && !r->is_hello_done && type != AY_FRAME_HELLO)
		return "before HELLO";
	if (type == AY_FRAME_HELLO && r->is_hello_done)
		return "a second HELLO";
	if (!r->judges_bound || row->bound == 'B')
		return NULL;
	if (row->bound == 'Y')
		return r->is_bound ? NULL : "on a connection that is not bound";
	return r->is_bound ? "on a bound connection" : NULL;
}

static const char *judge_more(const struct ay_frame_rules *r, const struct ay_frame_head *h)
{
	if ((h->flags & ~AY_FRAME_MORE) != 0)
		return "unknown flag";
	if ((h->flags & AY_FRAME_MORE) != 0 && h->type != AY_FRAME_EVIDENCE)
		return "flag MORE is for EVIDENCE";
	if (r->more_type == 0)
		return NULL;
	if (h->type != r->more_type || h->req != r->more_req)
		return "between the parts of a body";
	if (r->more_sum + h->length > AY_MAX_EVIDENCE_BYTES)
		return "parts exceed EVIDENCE_BYTES";
	return NULL;
}

static void move_on(struct ay_frame_rules *r, const struct ay_frame_head *h)
{
	if (h->type == AY_FRAME_HELLO)
		r->is_hello_done = true;
	if ((h->flags & AY_FRAME_MORE) != 0) {
		r->more_type = h->type;
		r->more_req = h->req;
		r->more_sum += h->length;
	} else {
		r->more_type = 0;
		r->more_sum = 0;
	}
}

enum ay_rc ay_frame_check(struct ay_frame_rules *r, const struct ay_frame_head *h, struct ay_err *e)
{
	const struct row *row = &rows[h->type];
	const char *wrong;

	if (AY_CHECKED("FRAME_TYPE", !row->is_known))
		return ay_fail_code(e, AY_E_INPUT, "PEER_PROTOCOL", "frame.type", "type %u unknown",
				    h->type);
	if (AY_CHECKED("FRAME_LENGTH", h->length > row->max))
		return ay_fail_code(e, AY_E_LIMIT, "PEER_PROTOCOL", "frame.length",
				    "%s of %u bytes, at most %u", row->name, h->length, row->max);
	wrong = judge_sender(r, row);
	if (AY_CHECKED("FRAME_SENDER", wrong != NULL))
		return ay_fail_code(e, AY_E_INPUT, "PEER_PROTOCOL", "frame.type", "%s %s",
				    row->name, wrong);
	wrong = judge_state(r, row, h->type);
	if (AY_CHECKED("FRAME_STATE", wrong != NULL))
		return ay_fail_code(e, AY_E_INPUT, "PEER_PROTOCOL", "frame.type", "%s %s",
				    row->name, wrong);
	wrong = judge_more(r, h);
	if (AY_CHECKED("FRAME_MORE", wrong != NULL))
		return ay_fail_code(e, AY_E_INPUT, "PEER_PROTOCOL", "frame.flags", "%s: %s",
				    row->name, wrong);
	move_on(r, h);
	return AY_OK;
}

const char *ay_frame_name(uint8_t type)
{
	return rows[type].is_known ? rows[type].name : "?";
}

uint32_t ay_frame_max(uint8_t type)
{
	return rows[type].max;
}
