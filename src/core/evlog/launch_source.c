/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/launch_source.h"

#include "core/evlog/txt.h"
#include "core/evlog/txt_heap.h"

/* A TCG_PCR_EVENT of PCR 0 that says EV_NO_ACTION, or one of PCR 17-22, in the first octets. */
static bool looks_like_log(struct ay_bytes in)
{
	uint32_t pcr, type;
	struct ay_reader r;

	ay_rd_init(&r, in);
	pcr = ay_rd_le32(&r, "event.pcrIndex");
	type = ay_rd_le32(&r, "event.eventType");
	return ay_rd_ok(&r) && ((pcr == 0 && type == 3) || (pcr >= 17 && pcr <= 22));
}

static enum ay_rc read_heap(struct ay_bytes in, struct ay_arena *a, struct ay_bundle *out,
			    struct ay_err *e)
{
	struct ay_txt_heap h;
	struct ay_writer w;
	struct ay_bytes log;
	uint8_t *buf;
	enum ay_rc rc = ay_txt_heap_parse(in, &h, e);

	if (rc != AY_OK)
		return rc;
	log = ay_txt_heap_find_log(&h, in);
	buf = ay_arena_alloc(a, ay_txt_heap_room(&h));
	if (buf == NULL)
		return ay_fail(e, AY_E_NOMEM, "heap", 0, "no memory");
	ay_wr_init(&w, buf, ay_txt_heap_room(&h));
	ay_txt_heap_write(&w, &h);
	rc = ay_wr_end(&w, "heap", &out->part[AY_BUNDLE_HEAP], e);
	if (rc == AY_OK)
		out->part[AY_BUNDLE_LAUNCH] = log;
	return rc;
}

enum ay_rc ay_launch_source_read(struct ay_bytes in, struct ay_arena *a, struct ay_bundle *out,
				 struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	if (ay_txt_is_container(in) || looks_like_log(in))
		out->part[AY_BUNDLE_LAUNCH] = in;
	else
		rc = read_heap(in, a, out, e);
	if (rc == AY_E_INPUT)
		ay_err_code(e, "LAUNCH_SOURCE");
	return rc;
}
