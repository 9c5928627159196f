/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/txt.h"

#define SIG_SIZE 20
#define FRAME_SIZE 48

bool ay_txt_is_container(struct ay_bytes in)
{
	return in.n >= SIG_SIZE && memcmp(in.p, AY_TXT_CONTAINER_SIG, SIG_SIZE) == 0;
}

static void slice(struct ay_bytes in, uint32_t size, uint32_t next, struct ay_txt_container *c)
{
	c->events = (struct ay_bytes){ in.p + c->events_offset, next - c->events_offset };
	c->tail = (struct ay_bytes){ in.p + next, in.n - next };
	c->rest = size - next;
}

/* Octets: signature 20, reserved 12, four versions of 1, three sizes of 4, then events. */
enum ay_rc ay_txt_container_parse(struct ay_bytes in, struct ay_txt_container *out,
				  struct ay_err *e)
{
	struct ay_txt_container c = { 0 };
	uint32_t size, next;
	bool is_cut;
	struct ay_reader r;
	enum ay_rc rc;

	*out = (struct ay_txt_container){ 0 };
	ay_rd_init(&r, in);
	(void)ay_rd_bytes(&r, "container.signature", SIG_SIZE);
	(void)ay_rd_bytes(&r, "container.reserved", 12);
	c.version_major = ay_rd_u8(&r, "container.containerVerMajor");
	c.version_minor = ay_rd_u8(&r, "container.containerVerMinor");
	c.event_major = ay_rd_u8(&r, "container.pcrEventVerMajor");
	c.event_minor = ay_rd_u8(&r, "container.pcrEventVerMinor");
	size = ay_rd_le32(&r, "container.containerSize");
	c.events_offset = ay_rd_le32(&r, "container.pcrEventsOffset");
	next = ay_rd_le32(&r, "container.nextEventOffset");
	if (ay_rd_ok(&r) && !ay_txt_is_container(in))
		ay_rd_reject(&r, "container.signature", "is not \"%s\"", AY_TXT_CONTAINER_SIG);
	if (ay_rd_ok(&r) && c.events_offset < FRAME_SIZE)
		ay_rd_reject(&r, "container.pcrEventsOffset", "%zu is inside the frame",
			     c.events_offset);
	is_cut = next <= size && next > in.n;
	if (ay_rd_ok(&r) && (next < c.events_offset || next > size || next > in.n))
		ay_rd_reject(&r, "container.nextEventOffset", "%u is not inside the container",
			     next);
	if (ay_rd_ok(&r))
		slice(in, size, next, &c);
	(void)ay_rd_rest(&r, "container.events");
	rc = ay_rd_end(&r, "container", e);
	if (rc == AY_OK)
		*out = c;
	else
		ay_err_code(e, is_cut ? "LOG_TRUNCATED" : "LOG_HEADER");
	return rc;
}
