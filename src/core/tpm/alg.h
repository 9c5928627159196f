/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_ALG_H
#define AY_TPM_ALG_H

/* Algorithm and structure identifiers that we know [TPM2-P2 6.3], [TPM2-P2 6.9]. */
#include "core/base/bytes.h"

enum ay_tpm_alg {
	AY_ALG_RSA = 0x0001,
	AY_ALG_SHA1 = 0x0004,
	AY_ALG_AES = 0x0006,
	AY_ALG_KEYEDHASH = 0x0008,
	AY_ALG_SHA256 = 0x000b,
	AY_ALG_SHA384 = 0x000c,
	AY_ALG_SHA512 = 0x000d,
	AY_ALG_NULL = 0x0010,
	AY_ALG_SM3_256 = 0x0012,
	AY_ALG_RSASSA = 0x0014,
	AY_ALG_RSAES = 0x0015,
	AY_ALG_RSAPSS = 0x0016,
	AY_ALG_OAEP = 0x0017,
	AY_ALG_ECDSA = 0x0018,
	AY_ALG_ECC = 0x0023,
	AY_ALG_CFB = 0x0043,
};

enum ay_tpm_curve {
	AY_CURVE_P256 = 0x0003,
	AY_CURVE_P384 = 0x0004,
	AY_CURVE_P521 = 0x0005,
};

#define AY_TPM_GENERATED 0xff544347u
#define AY_TPM_ST_ATTEST_NV 0x8014u
#define AY_TPM_ST_ATTEST_CERTIFY 0x8017u
#define AY_TPM_ST_ATTEST_QUOTE 0x8018u
#define AY_TPM_RH_ENDORSEMENT 0x4000000bu

#define AY_DIGEST_MAX 64
/* A Name: u16 algorithm and digest [TPM2-P1 16]. */
#define AY_NAME_MAX (2 + AY_DIGEST_MAX)

/* Digest size of a hash algorithm in octets; 0 if it is not one we know. SM3 is known by size only.
 */
size_t ay_alg_digest_size(uint16_t alg);
/* "sha1", "sha256", ..., as in JSON and reports; NULL if unknown. */
const char *ay_alg_bank_name(uint16_t alg);
/* 0 if unknown. */
uint16_t ay_alg_from_bank_name(struct ay_bytes name);

#endif
