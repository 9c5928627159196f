/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_IDENTITY12_H
#define AY_TPM_IDENTITY12_H

/*
 * What a TPM 1.2 and a Privacy CA say to each other [TPM12-P1 11, TPM12-P2 12]:
 * TPM_IDENTITY_REQ there, TPM_ASYM_CA_CONTENTS and TPM_SYM_CA_ATTESTATION back.
 * Both sides of it; random octets are arguments.
 */
#include "core/crypto/rsaes.h"
#include "core/tpm/key12.h"

#define AY_LABEL12_MAX 256

/*
 * labelPrivCADigest: SHA-1(label || TPM_PUBKEY of the CA), the CA's RSA key
 * with this encryption scheme (AY_ES12_RSAES_*).
 */
AY_MUST_USE bool ay_chosen12(struct ay_bytes label, const struct ay_pubkey *ca, uint16_t enc_scheme,
			     uint8_t out[20]);
/* TPM_IDENTITY_CONTENTS [TPM12-P2 12.5], whose SHA-1 the new key signs. */
void ay_contents12_write(struct ay_writer *w, const uint8_t chosen[20], struct ay_bytes ak);

/* TPM_IDENTITY_PROOF [TPM12-P2 12.6] without its two other credentials, which nobody makes. */
struct ay_proof12 {
	struct ay_bytes label;
	struct ay_bytes ak;	 /* TPM_PUBKEY */
	struct ay_bytes binding; /* signature over TPM_IDENTITY_CONTENTS */
	struct ay_bytes ek_cert; /* may be empty */
};
AY_MUST_USE enum ay_rc ay_proof12_parse(struct ay_bytes in, struct ay_proof12 *out,
					struct ay_err *e);
void ay_proof12_write(struct ay_writer *w, const struct ay_proof12 *p);

/* AY_E_CRYPTO unless ak itself signed that it was made for this label and this CA. */
AY_MUST_USE enum ay_rc ay_proof12_check(const struct ay_proof12 *p, const struct ay_pubkey *ak,
					const struct ay_pubkey *ca, struct ay_err *e);

/* ---- agent to CA ---- */

struct ay_idreq12_random {
	uint8_t key[16], iv[16], salt[20];
};
/* TPM_IDENTITY_REQ [TPM12-P2 12.7] with the proof sealed to the CA: AES-128-CBC, OAEP. */
AY_MUST_USE enum ay_rc ay_idreq12_seal(const struct ay_proof12 *p, const struct ay_pubkey *ca,
				       const struct ay_idreq12_random *random, struct ay_writer *w,
				       struct ay_err *e);
/*
 * Open one with the CA's key. The session key comes by OAEP, label "TCPA" or none
 * (TrouSerS), or PKCS #1 v1.5; the IV before the cipher text (TrouSerS) or in the parameters. *out
 * borrows from buf (max octets).
 *
 * To learn nothing of a padding from the answer, a session key that does not
 * decrypt is replaced by HMAC-SHA-256(secret, asymBlob) and the work goes on.
 * AY_E_INPUT: not of the form; AY_E_CRYPTO: one and the same for everything else.
 */
AY_MUST_USE enum ay_rc ay_idreq12_open(struct ay_bytes in, const struct ay_rsakey *ca,
				       struct ay_bytes secret, uint8_t *buf, size_t max,
				       struct ay_proof12 *out, struct ay_err *e);

/* ---- CA to agent ---- */

#define AY_SYM12_MAX 256 /* TPM_SYM_CA_ATTESTATION of a secret */
#define AY_SECRET12_MAX 64

struct ay_credential12 {
	size_t sym_n, asym_n;
	uint8_t sym[AY_SYM12_MAX];	/* TPM_SYM_CA_ATTESTATION: the secret under a session key */
	uint8_t asym[AY_RSA_BYTES_MAX]; /* TPM_ASYM_CA_CONTENTS: that key and the AK's digest, to
					   the EK */
};
struct ay_credential12_random {
	uint8_t key[16], iv[16], salt[20];
};
/* A secret (at most AY_SECRET12_MAX) that only the TPM with this EK and this AK opens. */
AY_MUST_USE enum ay_rc ay_credential12_make(const struct ay_pubkey *ek, const uint8_t ak_digest[20],
					    struct ay_bytes value,
					    const struct ay_credential12_random *random,
					    struct ay_credential12 *out, struct ay_err *e);
/* Open sym with what TPM_ActivateIdentity returned: a TPM_SYMMETRIC_KEY. */
AY_MUST_USE enum ay_rc ay_credential12_open(struct ay_bytes sym, struct ay_bytes symmetric_key,
					    struct ay_secret *out, struct ay_err *e);

#endif
