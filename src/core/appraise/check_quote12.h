/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CHECK_QUOTE12_H
#define AY_APPRAISE_CHECK_QUOTE12_H

/*
 * Checks of a TPM 1.2 quote, with the codes of TPM 2.0 quotes
 * (facts/tamper-matrix.md 2). The family signs SHA-1 and nothing else.
 */
#include "core/appraise/appraise.h"
#include "core/tpm/tpm12.h"

struct ay_quote12_ask {
	struct ay_bytes
		nonce; /* externalData is its SHA-1, or itself if 20 octets; n == 0: none known */
	uint32_t mask; /* PCRs that were asked; 0: not known */
	bool exact;    /* live: externalData is the nonce itself, and the report says what SHA-1 is
			  worth */
	const struct ay_pubkey *ak;
};

/* Either the signed structure itself, or the composite that it must have been over; or both. */
struct ay_quote12_evidence {
	struct ay_bytes
		message; /* TPM_QUOTE_INFO or _INFO2; n == 0: build it from composite and nonce */
	struct ay_bytes signature;		/* raw RSA */
	const struct ay_composite12 *composite; /* NULL: none */
	const struct ay_pcrs *hints; /* values of the SHA-1 bank; NULL: those of the composite */
	struct ay_ima_run *ima;	     /* as in ay_quote_evidence; NULL: none */
};

/* The mask of a selection that a TPM 1.2 can answer: of SHA-1 and nothing else; 0 for any other. */
uint32_t ay_quote12_mask(const struct ay_pcr_selection *s);

/* As ay_appraise_quote(); out->now stays unknown, there are no counters in such a quote. */
AY_MUST_USE enum ay_rc ay_appraise_quote12(const struct ay_quote12_ask *ask,
					   const struct ay_quote12_evidence *ev,
					   struct ay_quote_facts *out, struct ay_report *rep,
					   struct ay_err *e);

/*
 * DRTM_NOT_LAUNCHED: PCR 17 of every attested bank was reset by a measured
 * launch and extended since, so it is neither all zero nor all ones.
 */
enum ay_result ay_check_drtm_launched(const struct ay_pcrs *attested, struct ay_report *rep);

#endif
