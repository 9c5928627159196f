/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_EKCERT_H
#define AY_CRYPTO_EKCERT_H

/*
 * Endorsement key certificates as TPMs keep them in NV: docs/formats/ek-cert.md.
 */
#include "core/crypto/x509.h"

#define AY_EK_TEXT_MAX 64

struct ay_ekcert {
	struct ay_cert cert; /* flags: also AY_CERT_NV_HEADER, AY_CERT_NV_PADDING */
	/* tcg-at-tpmManufacturer, -Model, -Version of the SAN; printable ASCII, "" if absent */
	char manufacturer[AY_EK_TEXT_MAX];
	char model[AY_EK_TEXT_MAX];
	char version[AY_EK_TEXT_MAX];
	bool eku_ek; /* extendedKeyUsage lists tcg-kp-EKCertificate */
	bool has_eku;
};

/*
 * Parse the contents of an NV index (or a DER certificate).
 *
 *   nv   as read from the TPM, at most AY_MAX_CERT_BYTES
 *   out  zeroed on failure; borrows from nv
 *
 * Nothing is verified: ay_chain_check() and ay_ekcert_check() do that.
 */
AY_MUST_USE enum ay_rc ay_ekcert_parse(struct ay_bytes nv, struct ay_ekcert *out, struct ay_err *e);

/*
 * Is this an EK certificate of this very key? EK_MISMATCH if the key is
 * another, EK_CHAIN if the certificate is a CA or its EKU, if it has one, does
 * not allow an EK.
 */
AY_MUST_USE enum ay_rc ay_ekcert_check(const struct ay_ekcert *c, const struct ay_pubkey *ek,
				       struct ay_err *e);

#endif
