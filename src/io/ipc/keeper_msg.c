/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ipc/keeper_msg.h"

#include <assert.h>

#define OCTETS_MAX (AY_WRAP_SECRET_MAX + AY_WRAP_MORE)

void ay_kept_build(struct ay_writer *w, const struct ay_kept *k)
{
	ay_wr_vec8(w, k->name.purpose);
	ay_wr_vec16(w, k->name.object);
	ay_wr_vec16(w, k->octets);
}

enum ay_rc ay_kept_parse(struct ay_bytes in, struct ay_kept *out, struct ay_err *e)
{
	struct ay_kept v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	v.name.purpose = ay_rd_vec8(&r, "kept.purpose", AY_WRAP_PURPOSE_MAX);
	v.name.object = ay_rd_vec16(&r, "kept.object", AY_WRAP_OBJECT_MAX);
	v.octets = ay_rd_vec16(&r, "kept.octets", OCTETS_MAX);
	rc = ay_rd_end(&r, "kept", e);
	*out = rc == AY_OK ? v : (struct ay_kept){ 0 };
	return rc;
}

void ay_kept_mac_build(struct ay_writer *w, const struct ay_kept_mac *m)
{
	assert(m->n > 0 && m->n <= AY_KEPT_KEYS);
	ay_wr_vec8(w, m->purpose);
	ay_wr_u8(w, (uint8_t)m->n);
	for (size_t i = 0; i < m->n; i++) {
		ay_wr_vec16(w, m->key[i].object);
		ay_wr_vec16(w, m->key[i].wrapped);
	}
	ay_wr_vec32(w, m->message);
}

enum ay_rc ay_kept_mac_parse(struct ay_bytes in, struct ay_kept_mac *out, struct ay_err *e)
{
	struct ay_kept_mac v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	v.purpose = ay_rd_vec8(&r, "mac.purpose", AY_WRAP_PURPOSE_MAX);
	v.n = ay_rd_u8(&r, "mac.keys");
	if (v.n == 0 || v.n > AY_KEPT_KEYS)
		ay_rd_limit(&r, "mac.keys", v.n, AY_KEPT_KEYS);
	for (size_t i = 0; i < v.n && ay_rd_ok(&r); i++) {
		v.key[i].object = ay_rd_vec16(&r, "mac.object", AY_WRAP_OBJECT_MAX);
		v.key[i].wrapped = ay_rd_vec16(&r, "mac.wrapped", OCTETS_MAX);
	}
	v.message = ay_rd_vec32(&r, "mac.message", AY_IPC_MAX_MAC);
	rc = ay_rd_end(&r, "mac", e);
	*out = rc == AY_OK ? v : (struct ay_kept_mac){ 0 };
	return rc;
}
