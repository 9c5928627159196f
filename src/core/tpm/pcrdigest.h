/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_PCRDIGEST_H
#define AY_TPM_PCRDIGEST_H

/*
 * pcrDigest of a quote: the hash of the signature scheme over all selected
 * values, in the order of the selection and within a bank by PCR
 * [TPM2-P1 17.6].
 */
#include "core/tpm/pcr.h"

/*
 * Writes ay_alg_digest_size(hash) octets. False when a selected value is not
 * in pcrs or the hash cannot be computed.
 */
AY_MUST_USE bool ay_pcr_digest(const struct ay_pcr_selection *s, uint16_t hash,
			       const struct ay_pcrs *pcrs, uint8_t *out);
/* True if the selected values are all there and give digest. An empty selection matches nothing. */
AY_MUST_USE bool ay_pcr_digest_matches(const struct ay_pcr_selection *s, uint16_t hash,
				       const struct ay_pcrs *pcrs, struct ay_bytes digest);

#endif
