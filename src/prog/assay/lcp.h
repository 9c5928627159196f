/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_LCP_H
#define AY_PROG_ASSAY_LCP_H

/* What `assay lcp create`, `show` and `explain` share. */
#include "core/tpm/lcp.h"
#include "core/tpm/pcr.h"
#include "prog/assay/cmd.h"

#define AY_LCP_FILE_MAX (1u << 20)

struct evp_pkey_st;

/* A file of either kind, parsed; views borrow from octets (freed by ay_lcp_file_fini()). */
struct ay_lcp_file {
	uint8_t *octets;
	size_t n;
	bool is_data;
	struct ay_lcp_policy policy;
	struct ay_lcp_data data;
};
/* An enum ay_exit; what failed was said on stderr. */
AY_MUST_USE int ay_lcp_file_open(const char *path, struct ay_lcp_file *out);
void ay_lcp_file_fini(struct ay_lcp_file *f);

/* Is the list signed by the key that stands in it? An unsigned list is not. */
bool ay_lcp_list_verify(const struct ay_lcp_list *l);

/* An RSA key for lists. key_le: its modulus, little-endian, 512 octets of room. */
AY_MUST_USE int ay_lcp_key_open(const char *path, struct evp_pkey_st **out, uint8_t key_le[512],
				size_t *n);
void ay_lcp_key_close(struct evp_pkey_st *k);
/* RSASSA over msg, little-endian as lists have it; alg: SHA-1 or SHA-256. */
AY_MUST_USE int ay_lcp_sign(struct evp_pkey_st *k, uint16_t alg, struct ay_bytes msg,
			    uint8_t sig_le[512], size_t *n);

/* PCR values of a host whose quote verifies, in an evidence folder. */
AY_MUST_USE int ay_lcp_golden(const char *dir, struct ay_pcrs *out);

#endif
