/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_QUOTE_H
#define AY_TPM_QUOTE_H

/*
 * What a TPM 2.0 says about its PCRs [TPM2-P2 10.12.12]. Parsing trusts
 * nothing: a wrong magic or type is kept in the struct and judged by a check.
 */
#include "core/base/limits.h"
#include "core/tpm/pcr.h"

struct ay_quote {
	uint32_t magic;
	uint16_t type;
	struct ay_bytes signer; /* qualifiedSigner: a Name */
	struct ay_bytes nonce;	/* extraData */
	uint64_t clock_ms;
	uint32_t reset_count;
	uint32_t restart_count;
	uint8_t clock_safe; /* 1 = yes */
	uint64_t firmware;
	struct ay_pcr_selection selection; /* set only when type is a quote */
	struct ay_bytes pcr_digest;
	struct ay_bytes attested; /* of any other type: what it is about, unread */
};

/*
 * Parse the attested structure of a TPM 2.0 quote.
 *
 *   in   TPMS_ATTEST as signed by the TPM, big-endian, without a TPM2B
 *        header; at most AY_MAX_ATTEST_BYTES
 *   out  filled on AY_OK; zeroed on failure. Its views borrow from in.
 *
 * AY_E_INPUT  truncated, trailing bytes, a selection that is not 3 bytes wide,
 *             or the same bank twice
 */
AY_MUST_USE enum ay_rc ay_quote_parse(struct ay_bytes in, struct ay_quote *out, struct ay_err *e);

/* Write a TPMS_ATTEST (simulated hosts and tests build theirs with it). */
void ay_quote_write(struct ay_writer *w, const struct ay_quote *q);

#endif
