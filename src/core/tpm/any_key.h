/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_ANY_KEY_H
#define AY_TPM_ANY_KEY_H

/*
 * A public key in any form that people have: PEM or DER public key or
 * certificate (not verified), TPM2B_PUBLIC, TPMT_PUBLIC, TPM_PUBKEY.
 */
#include "core/crypto/key.h"

AY_MUST_USE enum ay_rc ay_key_from_any(struct ay_bytes in, struct ay_pubkey **out,
				       struct ay_err *e);

#endif
