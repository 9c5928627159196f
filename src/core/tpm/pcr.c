/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/pcr.h"

#include <string.h>

#define PCR_ALL ((1u << AY_PCR_COUNT) - 1)

static bool is_selected(const struct ay_pcr_selection *s, uint16_t alg)
{
	for (size_t i = 0; i < s->n_banks; i++)
		if (s->bank[i].alg == alg)
			return true;
	return false;
}

static void read_selected(struct ay_reader *r, struct ay_pcr_selection *s)
{
	uint16_t alg = ay_rd_be16(r, "pcrSelect.hash");
	uint8_t size;

	if (ay_rd_ok(r) && ay_alg_digest_size(alg) == 0)
		ay_rd_reject(r, "pcrSelect.hash", "unknown algorithm 0x%04x", alg);
	if (ay_rd_ok(r) && is_selected(s, alg))
		ay_rd_reject(r, "pcrSelect.hash", "bank 0x%04x stands twice", alg);
	size = ay_rd_u8(r, "pcrSelect.sizeofSelect");
	if (ay_rd_ok(r) && size != 3)
		ay_rd_reject(r, "pcrSelect.sizeofSelect", "is %u, not 3", size);
	s->bank[s->n_banks].alg = alg;
	for (unsigned i = 0; i < 3; i++)
		s->bank[s->n_banks].mask |= (uint32_t)ay_rd_u8(r, "pcrSelect.pcrSelect") << (8 * i);
	if (ay_rd_ok(r))
		s->n_banks++;
}

void ay_pcr_selection_read(struct ay_reader *r, struct ay_pcr_selection *out)
{
	struct ay_pcr_selection s = { 0 };
	uint32_t n = ay_rd_be32(r, "pcrSelect.count");

	if (n > AY_BANKS_MAX)
		ay_rd_reject(r, "pcrSelect.count", "%u banks, at most %d", n, AY_BANKS_MAX);
	while (n-- > 0 && ay_rd_ok(r))
		read_selected(r, &s);
	*out = ay_rd_ok(r) ? s : (struct ay_pcr_selection){ 0 };
}

void ay_pcr_selection_write(struct ay_writer *w, const struct ay_pcr_selection *s)
{
	ay_wr_be32(w, (uint32_t)s->n_banks);
	for (size_t i = 0; i < s->n_banks; i++) {
		ay_wr_be16(w, s->bank[i].alg);
		ay_wr_u8(w, 3);
		for (unsigned k = 0; k < 3; k++)
			ay_wr_u8(w, (uint8_t)(s->bank[i].mask >> (8 * k)));
	}
}

bool ay_pcr_selection_eq(const struct ay_pcr_selection *a, const struct ay_pcr_selection *b)
{
	if (a->n_banks != b->n_banks)
		return false;
	for (size_t i = 0; i < a->n_banks; i++)
		if (a->bank[i].alg != b->bank[i].alg || a->bank[i].mask != b->bank[i].mask)
			return false;
	return true;
}

const struct ay_pcr_bank *ay_pcrs_find(const struct ay_pcrs *p, uint16_t alg)
{
	for (size_t i = 0; i < p->n_banks; i++)
		if (p->bank[i].alg == alg)
			return &p->bank[i];
	return NULL;
}

struct ay_pcr_bank *ay_pcrs_bank(struct ay_pcrs *p, uint16_t alg)
{
	for (size_t i = 0; i < p->n_banks; i++)
		if (p->bank[i].alg == alg)
			return &p->bank[i];
	if (p->n_banks == AY_BANKS_MAX || ay_alg_digest_size(alg) == 0)
		return NULL;
	p->bank[p->n_banks] = (struct ay_pcr_bank){ .alg = alg };
	return &p->bank[p->n_banks++];
}

struct ay_bytes ay_pcrs_value(const struct ay_pcrs *p, uint16_t alg, unsigned pcr)
{
	const struct ay_pcr_bank *b = ay_pcrs_find(p, alg);

	if (b == NULL || pcr >= AY_PCR_COUNT || (b->have >> pcr & 1) == 0)
		return (struct ay_bytes){ 0 };
	return (struct ay_bytes){ b->value[pcr], ay_alg_digest_size(alg) };
}

enum ay_rc ay_pcrs_set(struct ay_pcrs *p, uint16_t alg, unsigned pcr, struct ay_bytes value,
		       struct ay_err *e)
{
	struct ay_pcr_bank *b;

	if (pcr >= AY_PCR_COUNT)
		return ay_fail(e, AY_E_INPUT, "pcr", 0, "no PCR %u", pcr);
	if (value.n == 0 || value.n != ay_alg_digest_size(alg))
		return ay_fail(e, AY_E_INPUT, "pcr", 0, "%zu bytes are no value of bank 0x%04x",
			       value.n, alg);
	b = ay_pcrs_bank(p, alg);
	if (b == NULL)
		return ay_fail(e, AY_E_LIMIT, "pcr", 0, "more than %d banks", AY_BANKS_MAX);
	memcpy(b->value[pcr], value.p, value.n);
	b->have |= 1u << pcr;
	return AY_OK;
}

static void read_bank(struct ay_reader *r, struct ay_pcrs *p)
{
	uint16_t alg = ay_rd_be16(r, "pcrs.alg");
	uint32_t mask = ay_rd_be32(r, "pcrs.mask");
	size_t size = ay_alg_digest_size(alg);
	struct ay_pcr_bank *b;

	if (ay_rd_ok(r) && (size == 0 || ay_pcrs_find(p, alg) != NULL))
		ay_rd_reject(r, "pcrs.alg", "unknown or repeated bank 0x%04x", alg);
	if (ay_rd_ok(r) && (mask & ~PCR_ALL) != 0)
		ay_rd_reject(r, "pcrs.mask", "0x%08x selects PCRs that do not exist", mask);
	b = ay_rd_ok(r) ? ay_pcrs_bank(p, alg) : NULL;
	if (b == NULL)
		return;
	b->have = mask;
	for (unsigned i = 0; i < AY_PCR_COUNT; i++)
		if (mask >> i & 1)
			ay_rd_copy(r, "pcrs.value", b->value[i], size);
}

void ay_pcrs_read(struct ay_reader *r, struct ay_pcrs *out)
{
	uint8_t n = ay_rd_u8(r, "pcrs.banks");

	*out = (struct ay_pcrs){ 0 };
	if (n > AY_BANKS_MAX)
		ay_rd_reject(r, "pcrs.banks", "%u banks, at most %d", n, AY_BANKS_MAX);
	while (n-- > 0 && ay_rd_ok(r))
		read_bank(r, out);
	if (!ay_rd_ok(r))
		*out = (struct ay_pcrs){ 0 };
}

void ay_pcrs_write(struct ay_writer *w, const struct ay_pcrs *p)
{
	ay_wr_u8(w, (uint8_t)p->n_banks);
	for (size_t i = 0; i < p->n_banks; i++) {
		const struct ay_pcr_bank *b = &p->bank[i];

		ay_wr_be16(w, b->alg);
		ay_wr_be32(w, b->have);
		for (unsigned k = 0; k < AY_PCR_COUNT; k++)
			if (b->have >> k & 1)
				ay_wr_bytes(w, (struct ay_bytes){ b->value[k],
								  ay_alg_digest_size(b->alg) });
	}
}
