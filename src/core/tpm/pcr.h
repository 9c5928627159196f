/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_PCR_H
#define AY_TPM_PCR_H

/*
 * Platform configuration registers: which are selected, and their values.
 * Plain values, no ownership. A zeroed struct selects or holds nothing.
 */
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/tpm/alg.h"

#define AY_PCR_COUNT 24
#define AY_BANKS_MAX 5

/* PCRs we ask for: 0-15 and 17-22. 16 and 23 may be reset by software and are never judged. */
#define AY_PCR_ASKED 0x007effffu

/* TPML_PCR_SELECTION in the order it was given; a bank stands in it once. */
struct ay_pcr_selection {
	size_t n_banks;
	struct {
		uint16_t alg;
		uint32_t mask; /* bit N: PCR N */
	} bank[AY_BANKS_MAX];
};

struct ay_pcr_bank {
	uint16_t alg;
	uint32_t have; /* bit N: value[N] is set */
	uint8_t value[AY_PCR_COUNT][AY_DIGEST_MAX];
};

struct ay_pcrs {
	size_t n_banks;
	struct ay_pcr_bank bank[AY_BANKS_MAX];
};

/*
 * Read a TPML_PCR_SELECTION. Refused: more than AY_BANKS_MAX banks, an unknown
 * hash, the same bank twice, sizeofSelect other than 3 [TPM2-P2 10.9.7].
 */
void ay_pcr_selection_read(struct ay_reader *r, struct ay_pcr_selection *out);
void ay_pcr_selection_write(struct ay_writer *w, const struct ay_pcr_selection *s);
/* Same banks in the same order with the same bitmaps. */
bool ay_pcr_selection_eq(const struct ay_pcr_selection *a, const struct ay_pcr_selection *b);

/* NULL = none. */
const struct ay_pcr_bank *ay_pcrs_find(const struct ay_pcrs *p, uint16_t alg);
/* The bank, added if there is room; NULL if not, or if alg is unknown. */
struct ay_pcr_bank *ay_pcrs_bank(struct ay_pcrs *p, uint16_t alg);
/* The value, or {NULL, 0} when the bank or the PCR is not there. Borrows from p. */
struct ay_bytes ay_pcrs_value(const struct ay_pcrs *p, uint16_t alg, unsigned pcr);
/* AY_E_INPUT if alg, pcr or the size of value do not fit together. */
AY_MUST_USE enum ay_rc ay_pcrs_set(struct ay_pcrs *p, uint16_t alg, unsigned pcr,
				   struct ay_bytes value, struct ay_err *e);

/*
 * Values on the wire, also the form that is hashed and stored: u8 banks, then
 * per bank u16 alg, u32 mask, the values in order of PCR. Canonical.
 */
void ay_pcrs_read(struct ay_reader *r, struct ay_pcrs *out);
void ay_pcrs_write(struct ay_writer *w, const struct ay_pcrs *p);
#define AY_PCRS_WIRE_MAX (1 + AY_BANKS_MAX * (6 + AY_PCR_COUNT * AY_DIGEST_MAX))

#endif
