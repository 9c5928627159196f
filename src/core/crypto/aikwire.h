/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_AIKWIRE_H
#define AY_CRYPTO_AIKWIRE_H

/*
 * The field sequences inside the sealed messages of docs/protocol/privacy-ca.md,
 * read and written by both sides. Code CA_MALFORMED. Views borrow from the input.
 */
#include "core/base/writer.h"
#include "core/crypto/aikclient.h"

#define AY_CA_VERSION 1
#define AY_CA_VERSION_TPM12 2
#define AY_CA_SECRET_BYTES 32

AY_MUST_USE enum ay_rc ay_identity_request_parse(struct ay_bytes in,
						 struct ay_identity_request *out, struct ay_err *e);
void ay_identity_request_write(struct ay_writer *w, const struct ay_identity_request *q);

struct ay_ca_answer {
	char jti[AY_JTI_TEXT];
	uint8_t secret[AY_CA_SECRET_BYTES];
};
AY_MUST_USE enum ay_rc ay_ca_answer_parse(struct ay_bytes in, struct ay_ca_answer *out,
					  struct ay_err *e);
void ay_ca_answer_write(struct ay_writer *w, const struct ay_ca_answer *a);

/* AES-256-GCM(HKDF-SHA-256(k0, "assay-aikcert-1"), cert, aad = ak_name), tag at the end. */
AY_MUST_USE enum ay_rc ay_aik_seal(struct ay_bytes k0, const uint8_t iv[12], struct ay_bytes cert,
				   struct ay_bytes ak_name, uint8_t *out, size_t max, size_t *n,
				   struct ay_err *e);

#endif
