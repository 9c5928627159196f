/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_AEAD_H
#define AY_CRYPTO_AEAD_H

/* AES-256-GCM with a 12-octet IV and the 16-octet tag at the end of the ciphertext. */
#include "core/base/bytes.h"
#include "core/base/err.h"

#define AY_GCM_IV 12
#define AY_GCM_TAG 16

/* out has room for plain.n + AY_GCM_TAG octets. An IV serves once per key: the caller's duty. */
AY_MUST_USE enum ay_rc ay_gcm_seal(const uint8_t key[32], const uint8_t iv[AY_GCM_IV],
				   struct ay_bytes aad, struct ay_bytes plain, uint8_t *out,
				   struct ay_err *e);
/*
 * sealed with its tag; out has room for sealed.n - AY_GCM_TAG octets and is
 * zeroed on failure. AY_E_CRYPTO if the tag does not fit, AY_E_INPUT if there
 * is no room for one.
 */
AY_MUST_USE enum ay_rc ay_gcm_open(const uint8_t key[32], const uint8_t iv[AY_GCM_IV],
				   struct ay_bytes aad, struct ay_bytes sealed, uint8_t *out,
				   struct ay_err *e);

#endif
