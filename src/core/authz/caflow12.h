/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_CAFLOW12_H
#define AY_AUTHZ_CAFLOW12_H

/* What the Privacy CA does otherwise for a TPM 1.2 (docs/protocol/privacy-ca.md, "TPM 1.2"). */
#include "core/authz/caflow.h"
#include "core/tpm/identity12.h"

/*
 * Open a TPM_IDENTITY_REQ and check that its key itself signed that it was made
 * for this ticket (its id is the label) and this CA. *ak borrows from buf.
 * CA_NO_TPM12, CA_MALFORMED, AK_ATTRIBUTES, AK_BINDING.
 */
AY_MUST_USE enum ay_rc ay_ca12_open(const struct ay_ca_keys *k, struct ay_bytes request,
				    const char *jti, uint8_t *buf, size_t max, struct ay_bytes *ak,
				    struct ay_err *e);
/* The EK as a key; EK_TEMPLATE unless it is what every TPM 1.2 has. */
AY_MUST_USE enum ay_rc ay_ca12_ek(struct ay_bytes pub, struct ay_pubkey **key, struct ay_err *e);
/* AK_ATTRIBUTES. That it can only quote, TPM_ActivateIdentity shows. */
AY_MUST_USE enum ay_rc ay_ca12_ak(struct ay_bytes pub, struct ay_err *e);
/* v16 TPM_SYM_CA_ATTESTATION, v16 TPM_ASYM_CA_CONTENTS. */
AY_MUST_USE enum ay_rc ay_ca12_credential(const struct ay_ca_applicant *who, struct ay_bytes value,
					  const uint8_t random[AY_CREDENTIAL_RANDOM],
					  struct ay_writer *w, struct ay_err *e);

#endif
