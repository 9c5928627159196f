/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_ENCAPS_H
#define AY_TPM_ENCAPS_H

/*
 * Labelled key encapsulation to a TPM's storage key [TPM2-P1 B.10, C.6]: OAEP
 * for RSA, one-pass ECDH and KDFe for ECC. The seed is as long as the digest of
 * nameAlg (of an RSA key with an OAEP scheme: of that scheme's hash).
 */
#include "core/crypto/secret.h"
#include "core/tpm/public.h"

/* Fresh random octets for one use; the first half is the seed or the ephemeral key, the second
 * OAEP's. */
#define AY_CREDENTIAL_RANDOM 128
#define AY_ENCRYPTED_SECRET_MAX 512

struct evp_pkey_st; /* EVP_PKEY */

/*
 * label: "IDENTITY" for credentials. out: contents of TPM2B_ENCRYPTED_SECRET.
 * The ephemeral ECC key is 1 + random mod (n - 1).
 */
AY_MUST_USE enum ay_rc ay_encapsulate(const struct ay_public *to, const char *label,
				      const uint8_t random[AY_CREDENTIAL_RANDOM],
				      struct ay_secret *seed, uint8_t out[AY_ENCRYPTED_SECRET_MAX],
				      size_t *out_n, struct ay_err *e);
/* With the private key. AY_E_CRYPTO: not made for it, or with another label. */
AY_MUST_USE enum ay_rc ay_decapsulate(struct evp_pkey_st *priv, const struct ay_public *to,
				      const char *label, struct ay_bytes secret,
				      struct ay_secret *seed, struct ay_err *e);

#endif
