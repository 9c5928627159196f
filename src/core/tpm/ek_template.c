/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/ek_template.h"

enum {
	LOW = AY_OA_FIXED_TPM | AY_OA_FIXED_PARENT | AY_OA_SENSITIVE_DATA_ORIGIN |
	      AY_OA_ADMIN_WITH_POLICY | AY_OA_RESTRICTED | AY_OA_DECRYPT,
	HIGH = LOW | AY_OA_USER_WITH_AUTH,
	FIXED = AY_OA_FIXED_TPM | AY_OA_FIXED_PARENT | AY_OA_SENSITIVE_DATA_ORIGIN |
		AY_OA_RESTRICTED | AY_OA_DECRYPT,
};

/* PolicySecret(endorsement hierarchy) [TCG-EK B.6.2] */
static const uint8_t policy_a_sha256[32] = {
	0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
	0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
	0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
};
/* PolicyOR(A, PolicyAuthorizeNV) [TCG-EK B.6.5] */
static const uint8_t policy_b_sha256[32] = {
	0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34,
	0x24, 0x14, 0xef, 0xcf, 0xb3, 0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd,
	0x45, 0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0,
};
static const uint8_t policy_b_sha384[48] = {
	0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc,
	0xf5, 0xfd, 0x3a, 0x1a, 0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4,
	0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca, 0xcb, 0x47, 0xba, 0x09,
	0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12,
};
static const uint8_t policy_b_sha512[64] = {
	0xb8, 0x22, 0x1c, 0xa6, 0x9e, 0x85, 0x50, 0xa4, 0x91, 0x4d, 0xe3, 0xfa, 0xa6,
	0xa1, 0x8c, 0x07, 0x2c, 0xc0, 0x12, 0x08, 0x07, 0x3a, 0x92, 0x8d, 0x5d, 0x66,
	0xd5, 0x9e, 0xf7, 0x9e, 0x49, 0xa4, 0x29, 0xc4, 0x1a, 0x6b, 0x26, 0x95, 0x71,
	0xd5, 0x7e, 0xdb, 0x25, 0xfb, 0xdb, 0x18, 0x38, 0x42, 0x56, 0x08, 0xb4, 0x13,
	0xcd, 0x61, 0x6a, 0x5f, 0x6d, 0xb5, 0xb6, 0x07, 0x1a, 0xf9, 0x9b, 0xea,
};
static const uint8_t zero[256]; /* unique of the low range */

#define VIEW(a)                                                                                    \
	{                                                                                          \
		(a), sizeof(a)                                                                     \
	}
#define COMMON(hash, attr, policy, aes)                                                            \
	.name_alg = (hash), .attributes = (attr), .auth_policy = VIEW(policy),                     \
	.sym_alg = AY_ALG_AES, .sym_key_bits = (aes), .sym_mode = AY_ALG_CFB,                      \
	.scheme = AY_ALG_NULL
#define RSA(bits) .type = AY_ALG_RSA, .key_bits = (bits)
#define ECC(id) .type = AY_ALG_ECC, .curve = (id), .kdf = AY_ALG_NULL

static const struct ay_ek_template templates[] = {
	{ "L-1",
	  "RSA 2048, low range",
	  { RSA(2048), COMMON(AY_ALG_SHA256, LOW, policy_a_sha256, 128), .modulus = { zero, 256 } },
	  0x01c00002 },
	{ "L-2",
	  "ECC P-256, low range",
	  { ECC(AY_CURVE_P256), COMMON(AY_ALG_SHA256, LOW, policy_a_sha256, 128), .x = { zero, 32 },
	    .y = { zero, 32 } },
	  0x01c0000a },
	{ "H-1",
	  "RSA 2048, high range",
	  { RSA(2048), COMMON(AY_ALG_SHA256, HIGH, policy_b_sha256, 128) },
	  0x01c00012 },
	{ "H-2",
	  "ECC P-256, high range",
	  { ECC(AY_CURVE_P256), COMMON(AY_ALG_SHA256, HIGH, policy_b_sha256, 128) },
	  0x01c00014 },
	{ "H-3",
	  "ECC P-384, high range",
	  { ECC(AY_CURVE_P384), COMMON(AY_ALG_SHA384, HIGH, policy_b_sha384, 256) },
	  0x01c00016 },
	{ "H-4",
	  "ECC P-521, high range",
	  { ECC(AY_CURVE_P521), COMMON(AY_ALG_SHA512, HIGH, policy_b_sha512, 256) },
	  0x01c00018 },
	{ "H-6",
	  "RSA 3072, high range",
	  { RSA(3072), COMMON(AY_ALG_SHA384, HIGH, policy_b_sha384, 256) },
	  0x01c0001c },
	{ "H-7",
	  "RSA 4096, high range",
	  { RSA(4096), COMMON(AY_ALG_SHA384, HIGH, policy_b_sha384, 256) },
	  0x01c0001e },
	{ 0 },
};

const struct ay_ek_template *ay_ek_templates(void)
{
	return templates;
}

const struct ay_ek_template *ay_ek_template_find(const char *name)
{
	for (const struct ay_ek_template *t = templates; t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static bool same_exponent(uint32_t a, uint32_t b)
{
	return (a == 0 ? 65537 : a) == (b == 0 ? 65537 : b);
}

/* All but unique. */
static bool is_made_from(const struct ay_public *p, const struct ay_public *t)
{
	return p->type == t->type && p->name_alg == t->name_alg && p->attributes == t->attributes &&
	       ay_bytes_eq(p->auth_policy, t->auth_policy) && p->sym_alg == t->sym_alg &&
	       p->sym_key_bits == t->sym_key_bits && p->sym_mode == t->sym_mode &&
	       p->scheme == t->scheme && p->scheme_hash == t->scheme_hash &&
	       p->key_bits == t->key_bits && same_exponent(p->exponent, t->exponent) &&
	       p->curve == t->curve && p->kdf == t->kdf && p->kdf_hash == t->kdf_hash;
}

const struct ay_ek_template *ay_ek_template_match(const struct ay_public *pub)
{
	for (const struct ay_ek_template *t = templates; t->name != NULL; t++)
		if (is_made_from(pub, &t->public))
			return t;
	return NULL;
}

bool ay_ek_template_matches(const struct ay_public *pub, const struct ay_public *from_nv)
{
	return is_made_from(pub, from_nv) && (from_nv->attributes & FIXED) == FIXED &&
	       (from_nv->attributes & (AY_OA_SIGN | AY_OA_ENCRYPTED_DUPLICATION)) == 0;
}
