/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_WRAP_H
#define AY_CRYPTO_WRAP_H

/*
 * A secret as it is stored: u8 1, key id (8), IV (12), AES-256-GCM of the
 * secret with its tag. The tag also covers the head, the purpose and the id of
 * the object it belongs to: moved to another object it does not open.
 * aad = "assay-keeper-1" || u8 1 || key id || u8 n, purpose || u16 n, object.
 */
#include "core/crypto/aead.h"

#define AY_WRAP_KEY_ID 8
#define AY_WRAP_HEAD (1 + AY_WRAP_KEY_ID + AY_GCM_IV)
#define AY_WRAP_MORE (AY_WRAP_HEAD + AY_GCM_TAG) /* longer than the secret by that */
#define AY_WRAP_PURPOSE_MAX 32
#define AY_WRAP_OBJECT_MAX 256
#define AY_WRAP_SECRET_MAX 16384

struct ay_wrap_key {
	uint8_t id[AY_WRAP_KEY_ID];
	uint8_t key[32];
};

/* Whose secret it is. */
struct ay_wrap_name {
	struct ay_bytes purpose; /* 1 to AY_WRAP_PURPOSE_MAX octets */
	struct ay_bytes object;	 /* 1 to AY_WRAP_OBJECT_MAX octets */
};

/* out has room for secret.n + AY_WRAP_MORE octets. iv: fresh for every call. */
AY_MUST_USE enum ay_rc ay_wrap_seal(const struct ay_wrap_key *k, const uint8_t iv[AY_GCM_IV],
				    const struct ay_wrap_name *name, struct ay_bytes secret,
				    uint8_t *out, struct ay_err *e);
/* Which key it needs; AY_E_INPUT with code KEPT_MALFORMED. */
AY_MUST_USE enum ay_rc ay_wrap_key_of(struct ay_bytes wrapped, uint8_t id[AY_WRAP_KEY_ID],
				      struct ay_err *e);
/*
 * out has room for wrapped.n - AY_WRAP_MORE octets. AY_E_CRYPTO with code
 * KEPT_TAG: changed, of another object or purpose, or of another key.
 */
AY_MUST_USE enum ay_rc ay_wrap_open(const struct ay_wrap_key *k, const struct ay_wrap_name *name,
				    struct ay_bytes wrapped, uint8_t *out, struct ay_err *e);

#endif
