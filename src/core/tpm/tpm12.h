/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_TPM12_H
#define AY_TPM_TPM12_H

/*
 * Structures of TPM 1.2 around a quote [TPM12-P2]. Parsing trusts nothing.
 * SHA-1 throughout: the family knows nothing else.
 */
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/crypto/key.h"
#include "core/tpm/pcr.h"

#define AY_TPM12_DIGEST 20
#define AY_TPM12_QUOTE_INFO_BYTES 48

/* TPM_QUOTE_INFO [TPM12-P2 11.3] or TPM_QUOTE_INFO2 [TPM12-P2 11.4]. */
struct ay_quote12 {
	bool info2;
	uint8_t head[4];	  /* version 1.1.0.0; of INFO2 the tag 0036 and zeroes */
	uint8_t fixed[4];	  /* "QUOT" or "QUT2" */
	struct ay_bytes digest;	  /* of the PCR composite */
	struct ay_bytes external; /* externalData */
	uint32_t mask;		  /* INFO2: PCRs; INFO does not say */
	uint8_t locality;	  /* INFO2: localityAtRelease */
};

/* Whether these octets look like a quote of this family (a wrong version or mark still does). */
bool ay_quote12_looks_like(struct ay_bytes in);
/* Views borrow from in. AY_E_INPUT: truncated, trailing, a mask that is not 2 or 3 octets. */
AY_MUST_USE enum ay_rc ay_quote12_parse(struct ay_bytes in, struct ay_quote12 *out,
					struct ay_err *e);
/* The TPM_QUOTE_INFO over a composite digest and externalData. */
void ay_quote12_info(const uint8_t digest[AY_TPM12_DIGEST], const uint8_t external[AY_TPM12_DIGEST],
		     uint8_t out[AY_TPM12_QUOTE_INFO_BYTES]);

/* TPM_PCR_COMPOSITE [TPM12-P2 8.2]: selection and values. */
struct ay_composite12 {
	uint8_t select_n; /* octets of the mask: the digest covers them */
	uint32_t mask;
	struct ay_bytes values; /* 20 octets each, in order of PCR */
	struct ay_bytes raw;	/* all of it; what the digest is over */
};

/*
 * The quote file of the family (facts/mtwilson.md 4.4): a TPM_PCR_COMPOSITE
 * followed by the RSA signature, which is all that is left.
 */
struct ay_file12 {
	struct ay_composite12 composite;
	struct ay_bytes signature;
};

/* Refused: a mask size other than 2 or 3, valueSize other than 20 for each PCR, no PCR, no
 * signature. */
AY_MUST_USE enum ay_rc ay_file12_parse(struct ay_bytes in, struct ay_file12 *out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_composite12_parse(struct ay_bytes in, struct ay_composite12 *out,
					    struct ay_err *e);
void ay_composite12_digest(const struct ay_composite12 *c, uint8_t out[AY_TPM12_DIGEST]);
/* Into the SHA-1 bank. */
void ay_composite12_pcrs(const struct ay_composite12 *c, struct ay_pcrs *out);
/*
 * Digest of the composite of these PCRs of the SHA-1 bank, with a mask of
 * select_n octets. False if a value is missing or the mask does not fit.
 */
AY_MUST_USE bool ay_composite12_of(const struct ay_pcrs *pcrs, uint32_t mask, unsigned select_n,
				   uint8_t out[AY_TPM12_DIGEST]);

/* TPM_PUBKEY [TPM12-P2 10.5] of an RSA key. */
AY_MUST_USE enum ay_rc ay_pubkey12_parse(struct ay_bytes in, struct ay_pubkey **out,
					 struct ay_err *e);

#endif
