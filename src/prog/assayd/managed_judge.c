/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/managed_judge.h"

#include <string.h>

extern const struct ay_managed_judge ay_judge_vcenter;

static const struct ay_managed_judge *const judges[] = { &ay_judge_vcenter };

const struct ay_managed_judge *ay_managed_judge_find(enum ay_connstr_vendor v)
{
	for (size_t i = 0; i < AY_COUNT(judges); i++)
		if (judges[i]->vendor == v)
			return judges[i];
	return NULL;
}

/* No TPMS_ATTEST begins so: its magic is 0xff544347. */
static const uint8_t magic[4] = { 'A', 'Y', 'M', 'G' };

void ay_managed_head_write(struct ay_writer *w, const struct ay_managed_head *h)
{
	ay_wr_bytes(w, AY_BYTES(magic));
	ay_wr_u8(w, 1);
	ay_wr_u8(w, (uint8_t)h->vendor);
	ay_wr_u8(w, h->first_use);
	ay_wr_u8(w, 0);
	ay_wr_bytes(w, AY_BYTES(h->bound.b));
}

void ay_managed_head_read(struct ay_reader *r, struct ay_managed_head *out)
{
	struct ay_bytes m = ay_rd_bytes(r, "managed.magic", sizeof(magic));
	uint8_t version = ay_rd_u8(r, "managed.version");
	uint8_t vendor = ay_rd_u8(r, "managed.vendor");

	out->first_use = ay_rd_u8(r, "managed.firstUse") == 1;
	(void)ay_rd_u8(r, "managed.reserved");
	ay_rd_copy(r, "managed.bound", out->bound.b, sizeof(out->bound.b));
	if (ay_rd_ok(r) && (!ay_bytes_eq(m, AY_BYTES(magic)) || version != 1))
		ay_rd_reject(r, "managed.magic", "not evidence of a connector");
	if (ay_rd_ok(r) && vendor >= AY_CONNSTR_VENDORS)
		ay_rd_reject(r, "managed.vendor", "%u", vendor);
	out->vendor = (enum ay_connstr_vendor)vendor;
}

enum ay_connstr_vendor ay_managed_vendor_of(struct ay_bytes octets)
{
	struct ay_managed_head h = { 0 };
	struct ay_reader r;

	ay_rd_init(&r, octets);
	ay_managed_head_read(&r, &h);
	return ay_rd_ok(&r) ? h.vendor : AY_CONNSTR_PLAIN;
}
