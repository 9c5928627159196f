/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_CBC_H
#define AY_CRYPTO_CBC_H

/*
 * AES-128-CBC with PKCS #7 padding: what TPM 1.2 seals credentials with. It
 * authenticates nothing, so what it opens is only as good as a later check.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

#define AY_CBC_BLOCK 16

/* out has room for in.n + AY_CBC_BLOCK octets. */
AY_MUST_USE enum ay_rc ay_cbc_seal(const uint8_t key[16], const uint8_t iv[AY_CBC_BLOCK],
				   struct ay_bytes in, uint8_t *out, size_t *n, struct ay_err *e);
/* out has room for in.n octets. AY_E_CRYPTO: no multiple of the block, or no padding. */
AY_MUST_USE enum ay_rc ay_cbc_open(const uint8_t key[16], const uint8_t iv[AY_CBC_BLOCK],
				   struct ay_bytes in, uint8_t *out, size_t *n, struct ay_err *e);

#endif
