/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_APPRAISE_H
#define AY_APPRAISE_APPRAISE_H

/*
 * From evidence to a report, in two steps, so that the second can be shared:
 *
 *   ay_appraise_quote  what the TPM signed, for this challenge: signature,
 *                      signer, nonce, selection, counters, PCR values. Once per
 *                      attestation, about 50 us.
 *   ay_appraise_state  what the machine is: logs against PCR values, values
 *                      and events against reference sets, by policy. Depends
 *                      only on its inputs, so a caller that sees the same
 *                      inputs again (ay_state_key) may keep the findings.
 *   ay_report_conclude findings of both to components and verdict.
 *
 * A returned fault means "could not evaluate": no verdict may be drawn from it.
 */
#include "core/appraise/report.h"
#include "core/crypto/key.h"
#include "core/tpm/quote.h"

/* TPM counters of the last verified signature of a host. Zeroed: none yet. */
struct ay_counters {
	bool known;
	uint64_t clock_ms;
	uint64_t firmware;
	uint32_t reset_count;
	uint32_t restart_count;
};

/* What was asked and of whom. Views are borrowed for the call. */
struct ay_quote_ask {
	struct ay_bytes extra_data;		  /* expected extraData; n == 0: none known */
	const struct ay_pcr_selection *selection; /* what was asked; NULL offline */
	const struct ay_pubkey *ak;		  /* the enrolled AK, loaded */
	struct ay_bytes qualified_name;		  /* of the AIK certificate; n == 0 offline */
	struct ay_counters last;
};

struct ay_ima_run;

struct ay_quote_evidence {
	struct ay_bytes attest;	     /* TPMS_ATTEST */
	struct ay_bytes signature;   /* TPMT_SIGNATURE */
	const struct ay_pcrs *hints; /* all values read beside the quote; NULL: none */
	/*
	 * The IMA list replayed (core/evlog/ima_replay.h), or NULL. When the hints
	 * as they are do not meet pcrDigest, its prefixes are tried for the PCRs
	 * that it extends, the same one in every bank, by ay_ima_step_back(); when
	 * one fits, ima->now is left there. Without hints the caller gives replayed
	 * values as hints.
	 */
	struct ay_ima_run *ima;
};

/* What came of it. Zeroed: nothing verified. */
struct ay_quote_facts {
	bool verified;		/* signature by the enrolled AK over a well-formed quote */
	bool fresh;		/* ... and the nonce is ours */
	bool pcrs_attested;	/* ... and pcrs are covered by pcrDigest */
	uint16_t hash;		/* of the signature scheme, and so of pcrDigest */
	struct ay_counters now; /* advance the host's counters whenever verified */
	struct ay_pcr_selection selection;
	struct ay_pcrs
		pcrs; /* the values, when pcrs_attested; those of the IMA prefix that fitted */
	uint8_t pcr_digest[AY_DIGEST_MAX];
	size_t pcr_digest_n;
	bool rebooted; /* resetCount moved */
};

/*
 * Check a quote. Findings go to rep. AY_OK whatever the findings say; faults
 * only for memory and our own bugs.
 */
AY_MUST_USE enum ay_rc ay_appraise_quote(const struct ay_quote_ask *ask,
					 const struct ay_quote_evidence *ev,
					 struct ay_quote_facts *out, struct ay_report *rep,
					 struct ay_err *e);

#endif
