/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_ENCAPS_ECC_H
#define AY_TPM_ENCAPS_ECC_H

/* One-pass ECDH and KDFe with both x coordinates [TPM2-P1 C.6.1, C.6.3]. Contracts: encaps.h. */
#include "core/tpm/encaps.h"

AY_MUST_USE enum ay_rc ay_encaps_ecc(const struct ay_public *to, const char *label,
				     const uint8_t random[AY_CREDENTIAL_RANDOM],
				     struct ay_secret *seed, uint8_t out[AY_ENCRYPTED_SECRET_MAX],
				     size_t *out_n, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_decaps_ecc(struct evp_pkey_st *priv, const struct ay_public *to,
				     const char *label, struct ay_bytes secret,
				     struct ay_secret *seed, struct ay_err *e);

#endif
