/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_KEY_H
#define AY_CRYPTO_KEY_H

/*
 * A public key that stays loaded: parsing one costs twice a P-256
 * verification, so nobody does it on the hot path.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

struct ay_pubkey; /* opaque; thread-safe for verification */

enum ay_key_kind { AY_KEY_NONE = 0, AY_KEY_RSA, AY_KEY_EC };

/* From raw numbers (EVP_PKEY_fromdata): RSA modulus and exponent, big-endian. */
AY_MUST_USE enum ay_rc ay_pubkey_new_rsa(struct ay_bytes n, uint32_t exponent,
					 struct ay_pubkey **out, struct ay_err *e);
/* curve: enum ay_tpm_curve; x, y big-endian. AY_E_CRYPTO if the point is not on the curve. */
AY_MUST_USE enum ay_rc ay_pubkey_new_ec(uint16_t curve, struct ay_bytes x, struct ay_bytes y,
					struct ay_pubkey **out, struct ay_err *e);
/* SubjectPublicKeyInfo, DER. rsaesOaep keys are read by hand (corpus README, certificates). */
AY_MUST_USE enum ay_rc ay_pubkey_new_spki(struct ay_bytes der, struct ay_pubkey **out,
					  struct ay_err *e);
/* From a loaded EVP_PKEY (a certificate's), by its raw numbers. */
struct evp_pkey_st;
AY_MUST_USE enum ay_rc ay_pubkey_new_pkey(struct evp_pkey_st *pkey, struct ay_pubkey **out,
					  struct ay_err *e);
struct ay_pubkey *ay_pubkey_ref(struct ay_pubkey *k);
void ay_pubkey_free(struct ay_pubkey *k);

enum ay_key_kind ay_pubkey_kind(const struct ay_pubkey *k);
unsigned ay_pubkey_bits(const struct ay_pubkey *k);
bool ay_pubkey_eq(const struct ay_pubkey *a, const struct ay_pubkey *b);
/* The loaded key, borrowed: for operations that have no function here. */
struct evp_pkey_st *ay_pubkey_pkey(const struct ay_pubkey *k);
/* AY_CURVE_*; 0 for RSA or another curve. */
uint16_t ay_pubkey_curve(const struct ay_pubkey *k);
/* RSA modulus, or EC x and y one after the other, big-endian without leading zeros dropped;
 * borrowed. */
struct ay_bytes ay_pubkey_numbers(const struct ay_pubkey *k);

#endif
