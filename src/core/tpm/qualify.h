/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_QUALIFY_H
#define AY_TPM_QUALIFY_H

/*
 * What a TPM is given to sign beside the PCRs (qualifyingData, extraData): a
 * digest that binds the quote to one nonce, one TLS connection, one host and
 * one purpose (design.md 3).
 */
#include "core/base/bytes.h"
#include "core/base/uuid.h"

#define AY_QUALIFY_QUOTE "assay-quote-1"
#define AY_QUALIFY_ENROL "assay-enrol-1"
#define AY_QUALIFY_TAG "assay-tag-1"		   /* x: SHA-256 of the index Name */
#define AY_QUALIFY_SECRET "assay-secret-1"	   /* x: SHA-256 of the secret's name */
#define AY_QUALIFY_COMPLIANCE "assay-compliance-1" /* x: SHA-256 of the result */
#define AY_QUALIFY_BYTES 32

/*
 * SHA-256(label || nonce || exporter || host id || x); x is NULL for
 * AY_QUALIFY_QUOTE and 32 octets for the other labels.
 */
void ay_qualify(const char *label, const uint8_t nonce[32], const uint8_t exporter[32],
		const struct ay_uuid *host, const uint8_t *x, uint8_t out[AY_QUALIFY_BYTES]);

/* The x of AY_QUALIFY_ENROL: SHA-256(agent's SPKI hash || SHA-256(certificate DER)). */
void ay_qualify_enrol_x(const uint8_t agent_spki[32], struct ay_bytes cert_der, uint8_t out[32]);

#endif
