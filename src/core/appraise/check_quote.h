/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CHECK_QUOTE_H
#define AY_APPRAISE_CHECK_QUOTE_H

/*
 * The single checks of a TPM 2.0 quote, each one idea and one code (or one
 * family of codes). ay_appraise_quote() puts them in order; each appends its
 * findings and returns the worst result.
 *
 * Nothing in q may be believed before ay_check_signature() passed; clock and
 * counters not before ay_check_origin() passed too.
 */
#include "core/appraise/appraise.h"
#include "core/crypto/verify.h"

/* The two structures as they were parsed; an error where rc of it is not AY_OK. */
struct ay_quote_parts {
	struct ay_quote quote;
	struct ay_err quote_err; /* rc AY_OK: quote is filled */
	struct ay_signature signature;
	struct ay_err signature_err;
};

/*
 * QUOTE_SIGNATURE, QUOTE_SCHEME, QUOTE_HASH; QUOTE_WRONG_AK beside the first
 * when the quote names another key than the enrolled one. Sets *rc when the
 * signature could not be evaluated.
 */
enum ay_result ay_check_signature(const struct ay_quote_ask *ask,
				  const struct ay_quote_evidence *ev,
				  const struct ay_quote_parts *p, struct ay_report *rep,
				  enum ay_rc *rc);
/* QUOTE_MAGIC, QUOTE_TYPE: made inside a TPM, and a quote. */
enum ay_result ay_check_origin(const struct ay_quote *q, struct ay_report *rep);
/* QUOTE_SIGNER: the qualified name in the AIK certificate. */
enum ay_result ay_check_signer(const struct ay_quote *q, struct ay_bytes qualified_name,
			       struct ay_report *rep);
/* QUOTE_NONCE: extraData is exactly what was issued. */
enum ay_result ay_check_nonce(const struct ay_quote *q, struct ay_bytes issued,
			      struct ay_report *rep);
/* QUOTE_SELECTION: what was asked, in order and bitmap, and never nothing. */
enum ay_result ay_check_selection(const struct ay_quote *q, const struct ay_pcr_selection *asked,
				  struct ay_report *rep);
/* COUNTER_BACK, and the notes CLOCK_UNSAFE and INFO_*. *rebooted: resetCount moved. */
enum ay_result ay_check_counters(const struct ay_quote *q, const struct ay_counters *last,
				 struct ay_report *rep, bool *rebooted);
/*
 * QUOTE_PCR_DIGEST: the hints, or the hints with PCR values of a prefix of the
 * IMA list, give pcrDigest. out: the values that do.
 */
enum ay_result ay_check_pcr_digest(const struct ay_quote *q, uint16_t hash,
				   const struct ay_quote_evidence *ev, struct ay_pcrs *out,
				   struct ay_report *rep);

#endif
