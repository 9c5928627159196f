/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_CREDENTIAL_H
#define AY_TPM_CREDENTIAL_H

/*
 * Make a secret that only the TPM with a given EK can open, and only if it
 * holds the key with a given Name: TPM2_MakeCredential in software
 * [TPM2-P1 24], for RSA 2048/3072 and ECC P-256/P-384 EKs.
 */
#include "core/tpm/encaps.h"

#define AY_ID_OBJECT_MAX (2 + AY_DIGEST_MAX + 2 + AY_SECRET_MAX)

struct ay_credential {
	size_t id_object_n;
	size_t secret_n;
	uint8_t id_object[AY_ID_OBJECT_MAX];	 /* contents of TPM2B_ID_OBJECT */
	uint8_t secret[AY_ENCRYPTED_SECRET_MAX]; /* contents of TPM2B_ENCRYPTED_SECRET */
};

/*
 * value: at most the digest size of the EK's nameAlg [TPM2-P3 12.6].
 * AY_E_INPUT  the EK has no symmetric cipher we know, or value is too long
 * AY_E_CRYPTO the EK's numbers are no key
 */
AY_MUST_USE enum ay_rc ay_credential_make(const struct ay_public *ek, struct ay_bytes name,
					  struct ay_bytes value,
					  const uint8_t random[AY_CREDENTIAL_RANDOM],
					  struct ay_credential *out, struct ay_err *e);

/*
 * TPM2_ActivateCredential in software, for simulated hosts and tests: opens
 * what was made for ek (whose private key is ek_private) and name.
 * AY_E_CRYPTO: not made for them, or changed.
 */
AY_MUST_USE enum ay_rc ay_credential_open(struct evp_pkey_st *ek_private,
					  const struct ay_public *ek, struct ay_bytes name,
					  struct ay_bytes id_object, struct ay_bytes secret,
					  struct ay_secret *out, struct ay_err *e);

#endif
