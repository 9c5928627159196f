/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/ima_tally.h"

#include <string.h>

#define MARK 0x54414c32u /* "TAL2" */

void ay_tally_list(struct ay_ima_tally *t, enum ay_ima_outcome outcome, uint16_t alg,
		   struct ay_bytes digest, struct ay_bytes path)
{
	size_t room = AY_TALLY_LISTED - (outcome == AY_IMA_UNKNOWN ? AY_TALLY_OTHERS : 0);
	struct ay_ima_listed *u;

	if (t->n_listed >= room)
		return;
	u = &t->listed[t->n_listed++];
	*u = (struct ay_ima_listed){ .outcome = (uint8_t)outcome, .entry = t->entries, .alg = alg };
	u->digest_n = (uint8_t)(digest.n < sizeof(u->digest) ? digest.n : sizeof(u->digest));
	u->path_n = (uint8_t)(path.n < sizeof(u->path) ? path.n : sizeof(u->path));
	if (u->digest_n > 0)
		memcpy(u->digest, digest.p, u->digest_n);
	if (u->path_n > 0)
		memcpy(u->path, path.p, u->path_n);
}

uint64_t ay_tally_bad(const struct ay_ima_tally *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < AY_IMA_VIOLATION; i++)
		n += t->n[i];
	return n;
}

/* ---- outside memory ---- */

static void write_listed(struct ay_writer *w, const struct ay_ima_listed *u)
{
	ay_wr_u8(w, u->outcome);
	ay_wr_be64(w, u->entry);
	ay_wr_be16(w, u->alg);
	ay_wr_vec8(w, (struct ay_bytes){ u->digest, u->digest_n });
	ay_wr_vec8(w, (struct ay_bytes){ u->path, u->path_n });
}

void ay_tally_write(struct ay_writer *w, const struct ay_ima_tally *t)
{
	ay_wr_be32(w, MARK);
	ay_wr_bytes(w, AY_BYTES(t->key));
	ay_wr_be64(w, t->entries);
	ay_wr_be64(w, t->weak);
	for (size_t i = 0; i < AY_IMA_OUTCOMES; i++)
		ay_wr_be64(w, t->n[i]);
	for (size_t i = 0; i < AY_TALLY_RULES; i++)
		ay_wr_be64(w, t->by_rule[i]);
	ay_wr_u8(w, (uint8_t)t->n_listed);
	for (size_t i = 0; i < t->n_listed; i++)
		write_listed(w, &t->listed[i]);
}

static void read_listed(struct ay_reader *r, struct ay_ima_listed *u)
{
	struct ay_bytes digest, path;

	u->outcome = ay_rd_u8(r, "tally.outcome");
	if (u->outcome >= AY_IMA_LISTED_OUTCOMES)
		ay_rd_reject(r, "tally.outcome", "no outcome %u", u->outcome);
	u->entry = ay_rd_be64(r, "tally.entry");
	u->alg = ay_rd_be16(r, "tally.alg");
	digest = ay_rd_vec8(r, "tally.digest", sizeof(u->digest));
	path = ay_rd_vec8(r, "tally.path", sizeof(u->path));
	u->digest_n = (uint8_t)digest.n;
	u->path_n = (uint8_t)path.n;
	if (digest.n > 0)
		memcpy(u->digest, digest.p, digest.n);
	if (path.n > 0)
		memcpy(u->path, path.p, path.n);
}

enum ay_rc ay_tally_parse(struct ay_bytes in, struct ay_ima_tally *out, struct ay_err *e)
{
	struct ay_ima_tally t = { 0 };
	struct ay_reader r;
	size_t n;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_expect32(&r, "tally.mark", MARK);
	ay_rd_copy(&r, "tally.key", t.key, sizeof(t.key));
	t.entries = ay_rd_be64(&r, "tally.entries");
	t.weak = ay_rd_be64(&r, "tally.weak");
	for (size_t i = 0; i < AY_IMA_OUTCOMES; i++)
		t.n[i] = ay_rd_be64(&r, "tally.count");
	for (size_t i = 0; i < AY_TALLY_RULES; i++)
		t.by_rule[i] = ay_rd_be64(&r, "tally.rule");
	n = ay_rd_u8(&r, "tally.listed");
	if (n > AY_TALLY_LISTED)
		ay_rd_limit(&r, "tally.listed", n, AY_TALLY_LISTED);
	while (t.n_listed < n && ay_rd_ok(&r))
		read_listed(&r, &t.listed[t.n_listed++]);
	rc = ay_rd_end(&r, "tally", e);
	*out = rc == AY_OK ? t : (struct ay_ima_tally){ 0 };
	return rc;
}
