/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_ENCAPS_RSA_H
#define AY_TPM_ENCAPS_RSA_H

/* OAEP with nameAlg and the label, terminator included [TPM2-P1 B.4, B.10.4]. Contracts: encaps.h.
 */
#include "core/tpm/encaps.h"

AY_MUST_USE enum ay_rc ay_encaps_rsa(const struct ay_public *to, const char *label,
				     const uint8_t random[AY_CREDENTIAL_RANDOM],
				     struct ay_secret *seed, uint8_t out[AY_ENCRYPTED_SECRET_MAX],
				     size_t *out_n, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_decaps_rsa(struct evp_pkey_st *priv, const struct ay_public *to,
				     const char *label, struct ay_bytes secret,
				     struct ay_secret *seed, struct ay_err *e);

#endif
