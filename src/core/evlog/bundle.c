/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/bundle.h"

#include "core/base/limits.h"

bool ay_bundle_is(struct ay_bytes in)
{
	return in.n >= AY_BUNDLE_MAGIC_SIZE &&
	       memcmp(in.p, AY_BUNDLE_MAGIC, AY_BUNDLE_MAGIC_SIZE) == 0;
}

static void read_part(struct ay_reader *r, uint8_t *last, struct ay_bundle *b)
{
	uint8_t kind = ay_rd_u8(r, "bundle.kind");
	struct ay_bytes octets = ay_rd_vec32(r, "bundle.part", AY_MAX_EVLOG_BYTES);

	if (!ay_rd_ok(r))
		return;
	if (kind <= *last || kind >= AY_BUNDLE_KINDS)
		ay_rd_reject(r, "bundle.kind", "%u is unknown or out of order", kind);
	else if (octets.n == 0)
		ay_rd_reject(r, "bundle.part", "part %u is empty", kind);
	else
		b->part[kind] = octets;
	*last = kind;
}

enum ay_rc ay_bundle_parse(struct ay_bytes in, struct ay_bundle *out, struct ay_err *e)
{
	struct ay_bundle b = { 0 };
	struct ay_reader r;
	uint8_t n, last = 0;
	enum ay_rc rc;

	*out = (struct ay_bundle){ 0 };
	ay_rd_init(&r, in);
	(void)ay_rd_bytes(&r, "bundle.magic", AY_BUNDLE_MAGIC_SIZE);
	if (ay_rd_ok(&r) && !ay_bundle_is(in))
		ay_rd_reject(&r, "bundle.magic", "is not \"assay-logs-1\"");
	n = ay_rd_u8(&r, "bundle.count");
	if (ay_rd_ok(&r) && n == 0)
		ay_rd_reject(&r, "bundle.count", "no part");
	while (n-- > 0 && ay_rd_ok(&r))
		read_part(&r, &last, &b);
	rc = ay_rd_end(&r, "bundle", e);
	if (rc == AY_OK)
		*out = b;
	else
		ay_err_code(e, rc == AY_E_LIMIT ? "LOG_LIMIT" : "LOG_HEADER");
	return rc;
}

size_t ay_bundle_room(const struct ay_bundle *b)
{
	size_t n = AY_BUNDLE_MAGIC_SIZE + 1;

	for (unsigned k = 1; k < AY_BUNDLE_KINDS; k++)
		n += b->part[k].n > 0 ? 5 + b->part[k].n : 0;
	return n;
}

void ay_bundle_write(struct ay_writer *w, const struct ay_bundle *b)
{
	uint8_t n = 0;

	for (unsigned k = 1; k < AY_BUNDLE_KINDS; k++)
		n = (uint8_t)(n + (b->part[k].n > 0));
	ay_wr_bytes(w, (struct ay_bytes){ (const uint8_t *)AY_BUNDLE_MAGIC, AY_BUNDLE_MAGIC_SIZE });
	ay_wr_u8(w, n);
	for (unsigned k = 1; k < AY_BUNDLE_KINDS; k++) {
		if (b->part[k].n == 0)
			continue;
		ay_wr_u8(w, (uint8_t)k);
		ay_wr_vec32(w, b->part[k]);
	}
}
