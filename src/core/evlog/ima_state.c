/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/ima_replay.h"

#define STATE_VERSION 1

static void write_slot(struct ay_writer *w, const struct ay_ima_state *s, size_t i)
{
	ay_wr_u8(w, s->slot[i].pcr);
	for (size_t k = 0; k < s->n_banks; k++)
		ay_wr_bytes(w, (struct ay_bytes){ s->slot[i].value[k],
						  ay_alg_digest_size(s->bank[k].alg) });
}

void ay_ima_state_write(struct ay_writer *w, const struct ay_ima_state *s)
{
	ay_wr_u8(w, STATE_VERSION);
	ay_wr_be64(w, s->entries);
	ay_wr_be64(w, s->octets);
	ay_wr_be64(w, s->violations);
	ay_wr_be64(w, s->mismatches);
	ay_wr_be64(w, s->first_mismatch);
	ay_wr_u8(w, s->has_aggregate);
	ay_wr_be16(w, s->aggregate_alg);
	ay_wr_vec8(w, (struct ay_bytes){ s->aggregate, s->aggregate_n });
	ay_wr_u8(w, (uint8_t)s->n_banks);
	for (size_t k = 0; k < s->n_banks; k++) {
		ay_wr_be16(w, s->bank[k].alg);
		ay_wr_u8(w, s->bank[k].padded);
	}
	ay_wr_u8(w, (uint8_t)s->n_pcrs);
	for (size_t i = 0; i < s->n_pcrs; i++)
		write_slot(w, s, i);
}

static bool read_bool(struct ay_reader *r, const char *field)
{
	uint8_t v = ay_rd_u8(r, field);

	if (v > 1)
		ay_rd_reject(r, field, "is %u, not 0 or 1", v);
	return v == 1;
}

static void read_banks(struct ay_reader *r, struct ay_ima_state *s)
{
	uint8_t n = ay_rd_u8(r, "imaState.banks");

	if (n > AY_IMA_BANKS)
		ay_rd_reject(r, "imaState.banks", "%u, at most %d", n, AY_IMA_BANKS);
	while (n-- > 0 && ay_rd_ok(r)) {
		struct ay_ima_bank *b = &s->bank[s->n_banks++];

		b->alg = ay_rd_be16(r, "imaState.alg");
		b->padded = read_bool(r, "imaState.padded");
		if (ay_alg_digest_size(b->alg) == 0)
			ay_rd_reject(r, "imaState.alg", "unknown bank 0x%04x", b->alg);
	}
}

static void read_slots(struct ay_reader *r, struct ay_ima_state *s)
{
	uint8_t n = ay_rd_u8(r, "imaState.pcrs");

	if (n > AY_IMA_PCRS)
		ay_rd_reject(r, "imaState.pcrs", "%u, at most %d", n, AY_IMA_PCRS);
	while (n-- > 0 && ay_rd_ok(r)) {
		size_t i = s->n_pcrs++;

		s->slot[i].pcr = ay_rd_u8(r, "imaState.pcr");
		if (s->slot[i].pcr >= AY_PCR_COUNT)
			ay_rd_reject(r, "imaState.pcr", "no PCR %u", s->slot[i].pcr);
		for (size_t k = 0; k < s->n_banks; k++)
			ay_rd_copy(r, "imaState.value", s->slot[i].value[k],
				   ay_alg_digest_size(s->bank[k].alg));
	}
}

enum ay_rc ay_ima_state_parse(struct ay_bytes in, struct ay_ima_state *out, struct ay_err *e)
{
	struct ay_ima_state s = { 0 };
	struct ay_bytes aggregate;
	struct ay_reader r;
	enum ay_rc rc;
	uint8_t version;

	ay_rd_init(&r, in);
	version = ay_rd_u8(&r, "imaState.version");
	if (version != STATE_VERSION)
		ay_rd_reject(&r, "imaState.version", "is %u, not %d", version, STATE_VERSION);
	s.entries = ay_rd_be64(&r, "imaState.entries");
	s.octets = ay_rd_be64(&r, "imaState.octets");
	s.violations = ay_rd_be64(&r, "imaState.violations");
	s.mismatches = ay_rd_be64(&r, "imaState.mismatches");
	s.first_mismatch = ay_rd_be64(&r, "imaState.firstMismatch");
	s.has_aggregate = read_bool(&r, "imaState.hasAggregate");
	s.aggregate_alg = ay_rd_be16(&r, "imaState.aggregateAlg");
	aggregate = ay_rd_vec8(&r, "imaState.aggregate", AY_DIGEST_MAX);
	s.aggregate_n = (uint8_t)aggregate.n;
	if (aggregate.n > 0)
		memcpy(s.aggregate, aggregate.p, aggregate.n);
	read_banks(&r, &s);
	read_slots(&r, &s);
	rc = ay_rd_end(&r, "imaState", e);
	*out = rc == AY_OK ? s : (struct ay_ima_state){ 0 };
	return rc;
}
