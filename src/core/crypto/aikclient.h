/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_AIKCLIENT_H
#define AY_CRYPTO_AIKCLIENT_H

/*
 * The agent's side of AIK provisioning (docs/protocol/privacy-ca.md): what it
 * checks before it says anything, the sealed messages to the Privacy CA, and
 * the certificate that only its TPM can open. Buffers are the caller's.
 */
#include "core/crypto/aikcert.h"

/* The list of certificates in PROVISION: first the encryption certificate, root last. */
struct ay_ca_certs {
	const struct ay_bytes *der;
	size_t n;
};

/*
 * The list ends in the root with this pin, and its first certificate chains to
 * it, is in date and is for keyAgreement. AY_E_CRYPTO, code CA_PIN.
 */
AY_MUST_USE enum ay_rc ay_aikclient_check_ca(const struct ay_ca_certs *ca, const uint8_t pin[32],
					     int64_t now_ms, struct ay_err *e);

/*
 * The ticket names my TLS key, my host id and this CA, and is not expired.
 * AY_E_CRYPTO, code TICKET. (Its signature is the CA's to check.)
 */
AY_MUST_USE enum ay_rc ay_aikclient_check_ticket(struct ay_bytes ticket, const uint8_t my_spki[32],
						 const struct ay_uuid *host, const uint8_t pin[32],
						 int64_t now_ms, struct ay_ticket *out,
						 struct ay_err *e);

/*
 * The RSA key in the list, to which a TPM_IDENTITY_REQ is encrypted: it chains
 * to the pin like the first one. AY_E_NOENT, code CA_NO_TPM12: there is none.
 */
AY_MUST_USE enum ay_rc ay_aikclient_rsa(const struct ay_ca_certs *ca, const uint8_t pin[32],
					int64_t now_ms, struct ay_pubkey **out, struct ay_err *e);

struct ay_identity_request {
	struct ay_bytes ticket;
	bool is_tpm12;
	struct ay_bytes ak;	 /* TPMT_PUBLIC; of a TPM 1.2 the TPM_IDENTITY_REQ */
	struct ay_bytes ek;	 /* TPMT_PUBLIC; TPM_PUBKEY */
	struct ay_bytes ek_cert; /* as read from NV; empty: none */
	struct ay_bytes certs[AY_MAX_CERT_CHAIN]; /* of NV 0x01c00100-0x01c001ff */
	size_t n_certs;
};

/* The body of CA_REQUEST: sealed to ca->der[0]. */
AY_MUST_USE enum ay_rc ay_aikclient_request(const struct ay_identity_request *q,
					    const struct ay_ca_certs *ca, uint8_t *out, size_t max,
					    size_t *n, struct ay_err *e);

/* The body of CA_ANSWER: jti of the ticket, and what TPM2_ActivateCredential gave (32 octets). */
AY_MUST_USE enum ay_rc ay_aikclient_answer(const char *jti, struct ay_bytes secret,
					   const struct ay_ca_certs *ca, uint8_t *out, size_t max,
					   size_t *n, struct ay_err *e);

/*
 * Open the certificate of CA_CERT with K0 (what the second
 * TPM2_ActivateCredential gave). Code AIK_CERT if it was altered.
 */
AY_MUST_USE enum ay_rc ay_aikclient_open(struct ay_bytes k0, struct ay_bytes iv,
					 struct ay_bytes sealed, struct ay_bytes ak_name,
					 uint8_t *out, size_t max, size_t *n, struct ay_err *e);

/*
 * The certificate chains to the pin, names my host and this ticket, and
 * certifies my own AK (key and Name). Code AIK_CERT.
 *   ak       my AK's public key;  ak_name  its Name
 */
AY_MUST_USE enum ay_rc ay_aikclient_check_cert(struct ay_bytes der, const struct ay_ca_certs *ca,
					       const uint8_t pin[32],
					       const struct ay_ticket *ticket,
					       const struct ay_pubkey *ak, struct ay_bytes ak_name,
					       int64_t now_ms, struct ay_aikcert *out,
					       struct ay_err *e);

#endif
