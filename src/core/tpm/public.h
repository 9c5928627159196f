/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_PUBLIC_H
#define AY_TPM_PUBLIC_H

/* Public areas of TPM keys, RSA and ECC [TPM2-P2 12.2.4], and Names [TPM2-P1 16]. */
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/crypto/key.h"
#include "core/tpm/alg.h"

/* TPMA_OBJECT [TPM2-P2 8.3] */
enum ay_object_attribute {
	AY_OA_FIXED_TPM = 1 << 1,
	AY_OA_ST_CLEAR = 1 << 2,
	AY_OA_FIXED_PARENT = 1 << 4,
	AY_OA_SENSITIVE_DATA_ORIGIN = 1 << 5,
	AY_OA_USER_WITH_AUTH = 1 << 6,
	AY_OA_ADMIN_WITH_POLICY = 1 << 7,
	AY_OA_NO_DA = 1 << 10,
	AY_OA_ENCRYPTED_DUPLICATION = 1 << 11,
	AY_OA_RESTRICTED = 1 << 16,
	AY_OA_DECRYPT = 1 << 17,
	AY_OA_SIGN = 1 << 18,
};

struct ay_public {
	uint16_t type; /* AY_ALG_RSA or AY_ALG_ECC */
	uint16_t name_alg;
	uint32_t attributes; /* enum ay_object_attribute */
	struct ay_bytes auth_policy;
	uint16_t sym_alg;      /* AY_ALG_AES, or AY_ALG_NULL */
	uint16_t sym_key_bits; /* only with a symmetric algorithm */
	uint16_t sym_mode;
	uint16_t scheme;      /* AY_ALG_NULL, or a signing or encryption scheme */
	uint16_t scheme_hash; /* 0 when the scheme has none */
	/* RSA */
	uint16_t key_bits;
	uint32_t exponent; /* as on the wire: 0 means 65537 */
	struct ay_bytes modulus;
	/* ECC */
	uint16_t curve; /* AY_CURVE_* or one we do not compute with */
	uint16_t kdf;	/* AY_ALG_NULL, or a KDF with kdf_hash */
	uint16_t kdf_hash;
	struct ay_bytes x, y;

	struct ay_bytes raw; /* the TPMT_PUBLIC as it was parsed; what the Name is over */
};

struct ay_name {
	size_t n;
	uint8_t b[AY_NAME_MAX]; /* u16 algorithm and digest */
};

/*
 * Parse a TPMT_PUBLIC of an RSA or ECC key.
 *
 *   in   without a TPM2B header; at most AY_MAX_PUBLIC_BYTES
 *   out  filled on AY_OK, zeroed on failure; its views borrow from in
 *
 * Says nothing about whether the key is fit for anything. AY_E_INPUT also for
 * reserved attribute bits, an unknown nameAlg, a type that is no asymmetric
 * key, an authPolicy that is neither empty nor as long as nameAlg's digest.
 */
AY_MUST_USE enum ay_rc ay_public_parse(struct ay_bytes in, struct ay_public *out, struct ay_err *e);
/* The same behind the size of a TPM2B_PUBLIC. */
AY_MUST_USE enum ay_rc ay_public_parse_2b(struct ay_bytes in, struct ay_public *out,
					  struct ay_err *e);
/* Writes a TPMT_PUBLIC; raw is not looked at. */
void ay_public_write(struct ay_writer *w, const struct ay_public *p);

/* nameAlg || nameAlg(raw). False if the hash cannot be computed; out is then empty. */
AY_MUST_USE bool ay_public_name(const struct ay_public *p, struct ay_name *out);
/* SHA-256 of the TPMT_PUBLIC: the "EK hash" of approvals and lists. */
void ay_public_hash(const struct ay_public *p, uint8_t out[32]);
struct ay_bytes ay_name_view(const struct ay_name *n);
/* True if b has the form of a Name: a known algorithm and a digest of its size. */
bool ay_name_is_valid(struct ay_bytes b);
/*
 * nameAlg of name || nameAlg(parent || name): the qualified name of an object
 * under the one whose qualified name is parent (of a hierarchy: its handle).
 */
AY_MUST_USE bool ay_name_qualify(struct ay_bytes parent, struct ay_bytes name, struct ay_name *out);
/* Of an AK as child of an EK that is a primary key of the endorsement hierarchy. */
AY_MUST_USE bool ay_name_of_ak(struct ay_bytes ek_name, struct ay_bytes ak_name,
			       struct ay_name *out);

/* Load the key. AY_E_INPUT for sizes that do not fit, AY_E_CRYPTO for a point off its curve. */
AY_MUST_USE enum ay_rc ay_public_key(const struct ay_public *p, struct ay_pubkey **out,
				     struct ay_err *e);

#endif
