/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/tag_index.h"

#include "core/base/writer.h"
#include "core/crypto/hash.h"

enum {
	CC_NV_WRITE = 0x137,
	CC_POLICY_SIGNED = 0x160,
	CC_POLICY_COMMAND_CODE = 0x16c,
	NONCE_LEAST = 16,
	NONCE_MOST = 32,
};

static void add32(struct ay_hash *h, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
			       (uint8_t)v };

	ay_hash_update(h, AY_BYTES(b));
}

static void add16(struct ay_hash *h, size_t v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	ay_hash_update(h, AY_BYTES(b));
}

/* digest = SHA-256(digest || code || b) [TPM2-P1 19.7] */
static void policy_update(uint8_t digest[32], uint32_t code, struct ay_bytes b)
{
	struct ay_hash h;

	if (!ay_hash_init(&h, AY_ALG_SHA256))
		return;
	ay_hash_update(&h, (struct ay_bytes){ digest, 32 });
	if (code != 0)
		add32(&h, code);
	ay_hash_update(&h, b);
	ay_hash_final(&h, digest);
}

void ay_tag_policy(struct ay_bytes key_name, uint8_t out[32])
{
	static const uint8_t nv_write[4] = { 0, 0, CC_NV_WRITE >> 8, CC_NV_WRITE & 0xff };

	memset(out, 0, 32);
	policy_update(out, CC_POLICY_SIGNED, key_name);
	policy_update(out, 0, ay_bytes_of(AY_TAG_POLICY_REF));
	policy_update(out, CC_POLICY_COMMAND_CODE, AY_BYTES(nv_write));
}

void ay_tag_nv_public(struct ay_bytes key_name, bool written, struct ay_writer *w)
{
	uint8_t policy[32];

	ay_tag_policy(key_name, policy);
	ay_wr_be32(w, AY_TAG_INDEX);
	ay_wr_be16(w, AY_ALG_SHA256);
	ay_wr_be32(w, AY_TAG_ATTRIBUTES | (written ? AY_NV_WRITTEN : 0));
	ay_wr_vec16(w, AY_BYTES(policy));
	ay_wr_be16(w, AY_TAG_CONTENTS);
}

void ay_tag_index_name(struct ay_bytes key_name, bool written, struct ay_name *out)
{
	uint8_t buf[AY_TAG_NV_PUBLIC_MAX];
	struct ay_writer w;
	struct ay_bytes pub;

	*out = (struct ay_name){ 0 };
	ay_wr_init(&w, buf, sizeof(buf));
	ay_tag_nv_public(key_name, written, &w);
	if (ay_wr_end(&w, "nv", &pub, NULL) != AY_OK)
		return;
	out->b[0] = AY_ALG_SHA256 >> 8;
	out->b[1] = AY_ALG_SHA256 & 0xff;
	ay_sha256(pub, out->b + 2);
	out->n = 2 + 32;
}

void ay_tag_cp_hash(const struct ay_name *index, const uint8_t contents[AY_TAG_CONTENTS],
		    uint8_t out[32])
{
	struct ay_hash h;

	memset(out, 0, 32);
	if (!ay_hash_init(&h, AY_ALG_SHA256))
		return;
	add32(&h, CC_NV_WRITE);
	ay_hash_update(&h, ay_name_view(index));
	ay_hash_update(&h, ay_name_view(index));
	add16(&h, AY_TAG_CONTENTS);
	ay_hash_update(&h, (struct ay_bytes){ contents, AY_TAG_CONTENTS });
	add16(&h, 0); /* offset */
	ay_hash_final(&h, out);
}

enum ay_rc ay_tag_write_permit(struct ay_writer *w, struct ay_bytes nonce_tpm,
			       struct ay_bytes key_name, bool written,
			       const uint8_t contents[AY_TAG_CONTENTS], struct ay_err *e)
{
	struct ay_name index;
	uint8_t cp[32];

	if (nonce_tpm.n < NONCE_LEAST || nonce_tpm.n > NONCE_MOST)
		return ay_fail(e, AY_E_INPUT, "tag.nonce", 0, "%zu octets are no nonce of a TPM",
			       nonce_tpm.n);
	ay_tag_index_name(key_name, written, &index);
	ay_tag_cp_hash(&index, contents, cp);
	ay_wr_bytes(w, nonce_tpm);
	ay_wr_be32(w, 0);
	ay_wr_bytes(w, AY_BYTES(cp));
	ay_wr_str(w, AY_TAG_POLICY_REF);
	return AY_OK;
}

void ay_tag_ca_public(struct ay_bytes x, struct ay_bytes y, struct ay_writer *w)
{
	const struct ay_public p = { .type = AY_ALG_ECC,
				     .name_alg = AY_ALG_SHA256,
				     .attributes = AY_OA_USER_WITH_AUTH | AY_OA_SIGN,
				     .sym_alg = AY_ALG_NULL,
				     .scheme = AY_ALG_NULL,
				     .curve = AY_CURVE_P256,
				     .kdf = AY_ALG_NULL,
				     .x = x,
				     .y = y };

	ay_public_write(w, &p);
}
