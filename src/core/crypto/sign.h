/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_SIGN_H
#define AY_CRYPTO_SIGN_H

/* Sign as a TPM does, with a key held in software: simulated hosts and tests. */
#include "core/crypto/verify.h"

struct evp_pkey_st; /* EVP_PKEY */

struct ay_signature_buf {
	struct ay_signature sig; /* borrows from b */
	uint8_t b[512];
};

/* scheme and hash as in struct ay_signature; scheme 0: RSASSA or ECDSA by the kind of key. */
AY_MUST_USE enum ay_rc ay_sign(struct evp_pkey_st *key, uint16_t scheme, uint16_t hash,
			       struct ay_bytes msg, struct ay_signature_buf *out, struct ay_err *e);

#endif
