/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_ATTESTED_H
#define AY_TPM_ATTESTED_H

/*
 * What a TPMS_ATTEST that is no quote is about [TPM2-P2 10.12]: an NV index and
 * what it holds, or a key. Who signed it, and over which nonce, is looked at as
 * with a quote (ay_quote_parse() reads all that comes before).
 */
#include "core/tpm/quote.h"

/* TPMS_NV_CERTIFY_INFO [TPM2-P2 10.12.8] */
struct ay_nv_certified {
	struct ay_bytes index_name;
	uint16_t offset;
	struct ay_bytes contents;
};

/* TPMS_CERTIFY_INFO [TPM2-P2 10.12.3] */
struct ay_key_certified {
	struct ay_bytes name;
	struct ay_bytes qualified_name;
};

/* AY_E_INPUT also when it is of another type; out is then zeroed. Views borrow from q. */
AY_MUST_USE enum ay_rc ay_nv_certified_parse(const struct ay_quote *q, struct ay_nv_certified *out,
					     struct ay_err *e);
AY_MUST_USE enum ay_rc ay_key_certified_parse(const struct ay_quote *q,
					      struct ay_key_certified *out, struct ay_err *e);

#endif
