/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/wrap.h"

#include "core/base/writer.h"
#include "core/crypto/secret.h"

#define VERSION 1
#define LABEL "assay-keeper-1"

enum { AAD_MAX = 32 + AY_WRAP_KEY_ID + 1 + AY_WRAP_PURPOSE_MAX + 2 + AY_WRAP_OBJECT_MAX };

static enum ay_rc make_aad(const uint8_t id[AY_WRAP_KEY_ID], const struct ay_wrap_name *name,
			   uint8_t room[AAD_MAX], struct ay_bytes *out, struct ay_err *e)
{
	struct ay_writer w;

	if (name->purpose.n == 0 || name->purpose.n > AY_WRAP_PURPOSE_MAX || name->object.n == 0 ||
	    name->object.n > AY_WRAP_OBJECT_MAX)
		return ay_fail_code(e, AY_E_INPUT, "KEPT_NAME", "kept.name",
				    "a secret has a purpose and an object");
	ay_wr_init(&w, room, AAD_MAX);
	ay_wr_str(&w, LABEL);
	ay_wr_u8(&w, VERSION);
	ay_wr_bytes(&w, (struct ay_bytes){ id, AY_WRAP_KEY_ID });
	ay_wr_vec8(&w, name->purpose);
	ay_wr_vec16(&w, name->object);
	return ay_wr_end(&w, "kept.aad", out, e);
}

enum ay_rc ay_wrap_seal(const struct ay_wrap_key *k, const uint8_t iv[AY_GCM_IV],
			const struct ay_wrap_name *name, struct ay_bytes secret, uint8_t *out,
			struct ay_err *e)
{
	uint8_t room[AAD_MAX];
	struct ay_bytes aad;
	enum ay_rc rc = make_aad(k->id, name, room, &aad, e);

	if (rc == AY_OK && (secret.n == 0 || secret.n > AY_WRAP_SECRET_MAX))
		rc = ay_fail_code(e, AY_E_LIMIT, "KEPT_SIZE", "kept.secret", "1 to %d octets",
				  AY_WRAP_SECRET_MAX);
	if (rc != AY_OK)
		return rc;
	out[0] = VERSION;
	memcpy(out + 1, k->id, AY_WRAP_KEY_ID);
	memcpy(out + 1 + AY_WRAP_KEY_ID, iv, AY_GCM_IV);
	return ay_gcm_seal(k->key, iv, aad, secret, out + AY_WRAP_HEAD, e);
}

enum ay_rc ay_wrap_key_of(struct ay_bytes wrapped, uint8_t id[AY_WRAP_KEY_ID], struct ay_err *e)
{
	memset(id, 0, AY_WRAP_KEY_ID);
	if (wrapped.n <= AY_WRAP_MORE || wrapped.n > AY_WRAP_SECRET_MAX + AY_WRAP_MORE ||
	    wrapped.p[0] != VERSION)
		return ay_fail_code(e, AY_E_INPUT, "KEPT_MALFORMED", "kept",
				    "%zu octets are no kept secret of this version", wrapped.n);
	memcpy(id, wrapped.p + 1, AY_WRAP_KEY_ID);
	return AY_OK;
}

enum ay_rc ay_wrap_open(const struct ay_wrap_key *k, const struct ay_wrap_name *name,
			struct ay_bytes wrapped, uint8_t *out, struct ay_err *e)
{
	uint8_t room[AAD_MAX], id[AY_WRAP_KEY_ID];
	struct ay_bytes aad, sealed;
	enum ay_rc rc = ay_wrap_key_of(wrapped, id, e);

	if (rc == AY_OK)
		rc = make_aad(id, name, room, &aad, e);
	if (rc != AY_OK)
		return rc;
	sealed = (struct ay_bytes){ wrapped.p + AY_WRAP_HEAD, wrapped.n - AY_WRAP_HEAD };
	rc = ay_gcm_open(k->key, wrapped.p + 1 + AY_WRAP_KEY_ID, aad, sealed, out, e);
	if (rc == AY_E_CRYPTO)
		ay_err_code(e, "KEPT_TAG");
	return rc;
}
