/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tpmdev/tpm2_priv.h"

/*
 * TCG EK Credential Profile 2.5, B.3 (low range, policy A) and B.6 (high
 * range). The low range stands first within a kind: older TPMs have only that.
 */
static const struct ay_tpm2_template templates[] = {
	{ AY_EK_ECC_P256, 0x01c0000a, 0x01c0000b, 0x01c0000c, TPM2_ALG_ECC, TPM2_ALG_SHA256, 128,
	  TPM2_ECC_NIST_P256, 32, false },
	{ AY_EK_ECC_P256, 0x01c00014, 0, 0, TPM2_ALG_ECC, TPM2_ALG_SHA256, 128, TPM2_ECC_NIST_P256,
	  0, true },
	{ AY_EK_ECC_P384, 0x01c00016, 0, 0, TPM2_ALG_ECC, TPM2_ALG_SHA384, 256, TPM2_ECC_NIST_P384,
	  0, true },
	{ AY_EK_RSA_2048, 0x01c00002, 0x01c00003, 0x01c00004, TPM2_ALG_RSA, TPM2_ALG_SHA256, 128,
	  2048, 256, false },
	{ AY_EK_RSA_2048, 0x01c00012, 0, 0, TPM2_ALG_RSA, TPM2_ALG_SHA256, 128, 2048, 0, true },
	{ AY_EK_RSA_3072, 0x01c0001c, 0, 0, TPM2_ALG_RSA, TPM2_ALG_SHA384, 256, 3072, 0, true },
	{ 0 },
};

/* PolicySecret(TPM_RH_ENDORSEMENT) and its OR with the platform's own policy. */
static const TPM2B_DIGEST policy_a = {
	.size = 32,
	.buffer = { 0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
		    0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
		    0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa },
};
static const TPM2B_DIGEST policy_b_sha256 = {
	.size = 32,
	.buffer = { 0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34,
		    0x24, 0x14, 0xef, 0xcf, 0xb3, 0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd,
		    0x45, 0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0 },
};
static const TPM2B_DIGEST policy_b_sha384 = {
	.size = 48,
	.buffer = { 0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc,
		    0xf5, 0xfd, 0x3a, 0x1a, 0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4,
		    0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca, 0xcb, 0x47, 0xba, 0x09,
		    0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12 },
};

const struct ay_tpm2_template *ay_tpm2_templates(void)
{
	return templates;
}

const struct ay_tpm2_template *ay_tpm2_template_find(uint32_t nv_cert)
{
	for (const struct ay_tpm2_template *t = templates; t->nv_cert != 0; t++)
		if (t->nv_cert == nv_cert)
			return t;
	return NULL;
}

static const TPM2B_DIGEST *policy_of(const struct ay_tpm2_template *t)
{
	if (!t->user_auth)
		return &policy_a;
	return t->name_alg == TPM2_ALG_SHA384 ? &policy_b_sha384 : &policy_b_sha256;
}

void ay_tpm2_template_public(const struct ay_tpm2_template *t, TPM2B_PUBLIC *out)
{
	TPMT_PUBLIC *p = &out->publicArea;
	TPMT_SYM_DEF_OBJECT sym = { .algorithm = TPM2_ALG_AES,
				    .keyBits.aes = t->sym_bits,
				    .mode.aes = TPM2_ALG_CFB };

	*out = (TPM2B_PUBLIC){ 0 };
	p->type = t->type;
	p->nameAlg = t->name_alg;
	p->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
			      TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
			      TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
			      (t->user_auth ? TPMA_OBJECT_USERWITHAUTH : 0);
	p->authPolicy = *policy_of(t);
	if (t->type == TPM2_ALG_RSA) {
		p->parameters.rsaDetail.symmetric = sym;
		p->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
		p->parameters.rsaDetail.keyBits = t->size;
		p->unique.rsa.size = t->unique;
		return;
	}
	p->parameters.eccDetail.symmetric = sym;
	p->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
	p->parameters.eccDetail.curveID = t->size;
	p->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
	p->unique.ecc.x.size = t->unique;
	p->unique.ecc.y.size = t->unique;
}
