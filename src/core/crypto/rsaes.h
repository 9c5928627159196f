/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_RSAES_H
#define AY_CRYPTO_RSAES_H

/*
 * Encryption to RSA keys [RFC8017 7], and the one RSA private key of ours: the
 * Privacy CA's, to which TPM 1.2 software encrypts. Salts are arguments, so
 * that vectors can be checked octet for octet.
 */
#include "core/crypto/key.h"
#include "core/crypto/secret.h"

#define AY_RSA_BYTES_MAX 512
#define AY_OAEP_TCPA "TCPA" /* label of everything that a TPM 1.2 decrypts [TPM12-P1 31.1.1] */

/*
 * RSAES-OAEP with this hash for label and mask. salt: digest size octets.
 * out: as long as the modulus. AY_E_INPUT: msg is too long for the key.
 */
AY_MUST_USE enum ay_rc ay_oaep_seal(const struct ay_pubkey *to, uint16_t hash,
				    struct ay_bytes label, struct ay_bytes msg, const uint8_t *salt,
				    uint8_t out[AY_RSA_BYTES_MAX], size_t *n, struct ay_err *e);

struct ay_rsakey;

/* 2048 bits, exponent 65537. */
AY_MUST_USE enum ay_rc ay_rsakey_generate(struct ay_rsakey **out, struct ay_err *e);
/* PKCS #8 in PEM. AY_E_INPUT if it is not an RSA key of 2048 to 4096 bits. */
AY_MUST_USE enum ay_rc ay_rsakey_new_pem(struct ay_bytes pem, struct ay_rsakey **out,
					 struct ay_err *e);
/* Terminated PEM text; 2048 octets are room enough. The caller wipes it. */
AY_MUST_USE enum ay_rc ay_rsakey_pem(const struct ay_rsakey *k, char *out, size_t max,
				     struct ay_err *e);
void ay_rsakey_free(struct ay_rsakey *k); /* NULL is fine */
/* The public half; borrowed. */
const struct ay_pubkey *ay_rsakey_public(const struct ay_rsakey *k);

/* TrouSerS leaves the label out where it encrypts to a CA. */
enum ay_rsaes { AY_RSAES_OAEP_TCPA = 0, AY_RSAES_OAEP, AY_RSAES_PKCS1 };
/*
 * Decrypt, by OAEP with SHA-1 and label "TCPA" or none, or by PKCS #1 v1.5. Which of the
 * many ways it failed is not told; who answers over a network must see to it
 * that it does not show either (facts: Bleichenbacher). AY_E_CRYPTO.
 */
AY_MUST_USE enum ay_rc ay_rsakey_decrypt(const struct ay_rsakey *k, enum ay_rsaes how,
					 struct ay_bytes in, uint8_t out[AY_RSA_BYTES_MAX],
					 size_t *n, struct ay_err *e);

#endif
