/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_LCP_H
#define AY_TPM_LCP_H

/*
 * Launch control policy of Intel TXT: what SINIT lets launch. A small policy in
 * NV (LCP_POLICY, version 2 for TPM 1.2, 3 for TPM 2.0) holds the hash of the
 * lists in the policy data file (LCP_POLICY_DATA); each list has elements of
 * what is allowed: MLE (measured launch environments), PCONF (PCR values before
 * the launch), SBIOS (firmware volumes), STM, custom. Little-endian but for
 * what TPM structures stand in it. Spec [TXT-DEV D]
 */
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/tpm/alg.h"

#define AY_LCP_LISTS_MAX 8
#define AY_LCP_ELEMENTS_MAX 32
#define AY_LCP_DATA_SIG "Intel(R) TXT LCP_POLICY_DATA\0\0\0\0"
#define AY_LCP_DATA_SIG_SIZE 32

enum ay_lcp_type { AY_LCP_LIST = 0, AY_LCP_ANY = 1 };

struct ay_lcp_policy {
	uint16_t version;  /* 0x02xx, 0x03xx */
	uint16_t hash_alg; /* TPM algorithm of the policy hash */
	uint8_t type;	   /* enum ay_lcp_type */
	uint8_t sinit_min, max_sinit_min, max_biosac_min;
	uint16_t revocation[AY_LCP_LISTS_MAX]; /* lists signed with a lower counter do not count */
	uint32_t control;
	uint16_t hash_algs, aux_hash_algs; /* version 3: masks */
	uint32_t sign_algs;
	uint8_t hash[AY_DIGEST_MAX]; /* zero for AY_LCP_ANY */
};
#define AY_LCP_POLICY_MAX (38 + AY_DIGEST_MAX)

enum ay_lcp_element_type {
	AY_LCP_MLE = 0x00,
	AY_LCP_PCONF = 0x01,
	AY_LCP_SBIOS = 0x02,
	AY_LCP_CUSTOM = 0x03,
	AY_LCP_MLE2 = 0x10,
	AY_LCP_PCONF2 = 0x11,
	AY_LCP_SBIOS2 = 0x12,
	AY_LCP_CUSTOM2 = 0x13,
	AY_LCP_STM2 = 0x14,
};
/* "MLE", "PCONF2", ...; NULL: unknown. */
const char *ay_lcp_element_name(uint32_t type);

/* What a PCONF element asks of the PCRs. */
struct ay_lcp_pcrs {
	uint32_t mask;	      /* bit N */
	uint8_t locality;     /* of TPM 1.2 */
	struct ay_bytes info; /* the selection as it is hashed: TPM_PCR_SELECTION of TPM 1.2 */
	struct ay_bytes digest;
};

struct ay_lcp_element {
	uint32_t type, control;
	uint16_t alg; /* of its digests; SHA-1 of the old kinds; 0 unknown kinds */
	uint8_t sinit_min;
	struct ay_bytes fallback; /* of SBIOS */
	uint16_t n;		  /* digests, or PCR sets */
	struct ay_bytes digests;  /* n times the digest's size; empty for PCONF */
	struct ay_bytes pcrs;	  /* n PCR sets, see ay_lcp_pcrs_next() */
	struct ay_bytes data;	  /* of custom and unknown kinds */
};

/* Reads one PCR set of a PCONF or PCONF2 element; false at the end. */
bool ay_lcp_pcrs_next(const struct ay_lcp_element *el, struct ay_reader *r,
		      struct ay_lcp_pcrs *out);

struct ay_lcp_list {
	uint16_t version; /* 0x01xx, 0x02xx, 0x03xx */
	bool is_signed;
	uint16_t revocation;	       /* of a signed list */
	uint16_t sig_alg;	       /* TPM algorithm; 0 unsigned */
	struct ay_bytes signed_octets; /* what the signature is over */
	struct ay_bytes key, sig; /* little-endian as they stand; RSA lists of version 1 and 2 */
	struct ay_bytes octets;	  /* the whole list */
	struct ay_bytes plain;	  /* without its signature block */
	size_t n;
	struct ay_lcp_element element[AY_LCP_ELEMENTS_MAX];
};

struct ay_lcp_data {
	size_t n;
	struct ay_lcp_list list[AY_LCP_LISTS_MAX];
};

/* All: out zeroed on failure, views borrow from in; AY_E_INPUT or AY_E_LIMIT with code LCP. */
AY_MUST_USE enum ay_rc ay_lcp_policy_parse(struct ay_bytes in, struct ay_lcp_policy *out,
					   struct ay_err *e);
AY_MUST_USE enum ay_rc ay_lcp_data_parse(struct ay_bytes in, struct ay_lcp_data *out,
					 struct ay_err *e);

/*
 * The hash over the lists that a policy holds: of each list's own hash (an
 * unsigned list) or of its key's. AY_E_INPUT for a list signed in a way that
 * we cannot take the key from.
 */
AY_MUST_USE enum ay_rc ay_lcp_data_hash(const struct ay_lcp_data *d, uint16_t alg,
					uint8_t out[AY_DIGEST_MAX], struct ay_err *e);

/* ---- writing ---- */

void ay_lcp_policy_write(struct ay_writer *w, const struct ay_lcp_policy *p);

/* An MLE, MLE2, SBIOS or SBIOS2 element; digests one after the other, fallback for SBIOS*. */
void ay_lcp_digests_write(struct ay_writer *w, const struct ay_lcp_element *el);
/* A PCONF2 element (PCONF with AY_ALG_SHA1 and tpm12) of these PCR values, concatenated. */
struct ay_pcrs;
AY_MUST_USE enum ay_rc ay_lcp_pconf_write(struct ay_writer *w, const struct ay_pcrs *values,
					  uint16_t alg, uint32_t mask, bool tpm12,
					  struct ay_err *e);
/* A list of these elements, unsigned (key.n == 0) or up to and with its key, ready to be signed. */
void ay_lcp_list_write(struct ay_writer *w, uint16_t version, struct ay_bytes elements,
		       uint16_t revocation, struct ay_bytes key);
void ay_lcp_data_write(struct ay_writer *w, const struct ay_bytes *lists, size_t n);

#endif
