/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vim/evidence.h"

#define VERSION 1

void ay_vim_facts_write(struct ay_writer *w, const struct ay_managed_facts *f)
{
	struct ay_bytes message = f->message;

	if (message.n > AY_VIM_MESSAGE_MAX)
		message.n = AY_VIM_MESSAGE_MAX;
	ay_wr_u8(w, VERSION);
	ay_wr_bytes(w, AY_BYTES(f->id.b));
	ay_wr_be64(w, (uint64_t)f->boot_ms);
	ay_wr_be64(w, (uint64_t)f->attested_ms);
	ay_wr_u8(w, (uint8_t)f->status);
	ay_wr_u8(w, f->log_reliable);
	ay_wr_vec16(w, message);
}

enum ay_rc ay_vim_facts_parse(struct ay_bytes in, struct ay_managed_facts *out, struct ay_err *e)
{
	struct ay_managed_facts f = { 0 };
	uint8_t status, reliable, version;
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	version = ay_rd_u8(&r, "facts.version");
	if (ay_rd_ok(&r) && version != VERSION)
		ay_rd_reject(&r, "facts.version", "%u", version);
	ay_rd_copy(&r, "facts.id", f.id.b, sizeof(f.id.b));
	f.boot_ms = (int64_t)ay_rd_be64(&r, "facts.boot");
	f.attested_ms = (int64_t)ay_rd_be64(&r, "facts.attested");
	status = ay_rd_u8(&r, "facts.status");
	reliable = ay_rd_u8(&r, "facts.logReliable");
	if (ay_rd_ok(&r) && (status > AY_MANAGED_REFUSED || reliable > 1))
		ay_rd_reject(&r, "facts.status", "%u %u", status, reliable);
	f.status = (enum ay_managed_status)status;
	f.log_reliable = reliable == 1;
	f.message = ay_rd_vec16(&r, "facts.message", AY_VIM_MESSAGE_MAX);
	rc = ay_rd_end(&r, "facts", e);
	*out = rc == AY_OK ? f : (struct ay_managed_facts){ 0 };
	return rc;
}
