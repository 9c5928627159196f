/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/ima_sig.h"

#include "core/base/reader.h"
#include "core/tpm/alg.h"

/* enum hash_algo [include/uapi/linux/hash_info.h] */
static uint16_t alg_of(uint8_t id)
{
	static const struct {
		uint8_t id;
		uint16_t alg;
	} ids[] = {
		{ 2, AY_ALG_SHA1 },
		{ 4, AY_ALG_SHA256 },
		{ 5, AY_ALG_SHA384 },
		{ 6, AY_ALG_SHA512 },
	};

	for (size_t i = 0; i < AY_COUNT(ids); i++)
		if (ids[i].id == id)
			return ids[i].alg;
	return 0;
}

static enum ay_ima_sig_form form_of(uint8_t type, uint8_t version)
{
	if (type == AY_IMA_XATTR_PORTABLE)
		return version == 2 ? AY_IMA_SIG_PORTABLE : AY_IMA_SIG_NONE;
	if (type == AY_IMA_XATTR_VERITY)
		return version == 3 ? AY_IMA_SIG_V3 : AY_IMA_SIG_NONE;
	if (type != AY_IMA_XATTR_DIGSIG || version < 1 || version > 3)
		return AY_IMA_SIG_NONE;
	return version == 1 ? AY_IMA_SIG_V1 : version == 2 ? AY_IMA_SIG_V2 : AY_IMA_SIG_V3;
}

enum ay_rc ay_ima_sig_parse(struct ay_bytes in, struct ay_ima_sig *out, struct ay_err *e)
{
	struct ay_ima_sig s = { 0 };
	struct ay_reader r;
	uint8_t version;
	uint16_t n;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	s.type = ay_rd_u8(&r, "imaSig.type");
	version = ay_rd_u8(&r, "imaSig.version");
	s.form = form_of(s.type, version);
	if (s.form == AY_IMA_SIG_NONE)
		ay_rd_reject(&r, "imaSig.version", "type %u, version %u", s.type, version);
	if (s.form == AY_IMA_SIG_V1) {
		ay_rd_rest(&r, "imaSig.v1");
	} else {
		s.hash_id = ay_rd_u8(&r, "imaSig.hash");
		s.hash_alg = alg_of(s.hash_id);
		ay_rd_copy(&r, "imaSig.keyId", s.key_id, sizeof(s.key_id));
		n = ay_rd_be16(&r, "imaSig.length");
		s.value = ay_rd_bytes(&r, "imaSig.value", n);
		if (n == 0)
			ay_rd_reject(&r, "imaSig.length", "signature is empty");
	}
	rc = ay_rd_end(&r, "imaSig", e);
	*out = rc == AY_OK ? s : (struct ay_ima_sig){ 0 };
	return rc;
}
