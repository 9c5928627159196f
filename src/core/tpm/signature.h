/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_SIGNATURE_H
#define AY_TPM_SIGNATURE_H

/* TPMT_SIGNATURE [TPM2-P2 11.3.4]: RSASSA, RSAPSS, ECDSA. */
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/crypto/verify.h"

/*
 *   in   TPMT_SIGNATURE, at most AY_MAX_SIGNATURE_BYTES
 *   out  filled on AY_OK, zeroed on failure; its views borrow from in
 *
 * AY_E_INPUT with where "signature.sigAlg" for a scheme we do not know,
 * "signature.hash" for a hash we do not know, another field when truncated or
 * followed by more octets. Sizes and values are judged by ay_verify().
 */
AY_MUST_USE enum ay_rc ay_signature_parse(struct ay_bytes in, struct ay_signature *out,
					  struct ay_err *e);
void ay_signature_write(struct ay_writer *w, const struct ay_signature *s);

#endif
