/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_PCRS_JSON_H
#define AY_TPM_PCRS_JSON_H

/* PCR values from JSON: {"sha256":{"0":"hex",..},..} (design.md 8). */
#include "core/tpm/pcr.h"

/* AY_E_INPUT: another form, an unknown bank, a PCR above 23, a digest of another size. */
AY_MUST_USE enum ay_rc ay_pcrs_from_json(struct ay_bytes text, struct ay_pcrs *out,
					 struct ay_err *e);

#endif
