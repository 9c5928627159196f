/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_KEY12_H
#define AY_TPM_KEY12_H

/*
 * Keys of a TPM 1.2 [TPM12-P2 10] and the Name that we give them.
 *
 * The family has no Names. Ours is u16 000b || SHA-256(TPM_PUBKEY): the form of
 * a TPM 2.0 Name, so certificates, stores and reports need no second kind. The
 * two families cannot be confused: a TPM_PUBKEY begins with 0000, which is no
 * type of a TPMT_PUBLIC, so a Name also says which family its key is of.
 */
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/crypto/key.h"
#include "core/tpm/public.h"

/* TPM_ENC_SCHEME, TPM_SIG_SCHEME [TPM12-P2 4.5, 4.6], TPM_KEY_USAGE [TPM12-P2 5.8] */
enum {
	AY_ES12_NONE = 1,
	AY_ES12_RSAES_PKCS1 = 2,
	AY_ES12_RSAES_OAEP = 3,
	AY_SS12_NONE = 1,
	AY_SS12_RSASSA_SHA1 = 2,
	AY_USAGE12_STORAGE = 0x11,
	AY_USAGE12_IDENTITY = 0x12,
};
#define AY_PUBKEY12_BYTES 284 /* TPM_PUBKEY of 2048 bits with the default exponent */
#define AY_KEY12_BITS 2048

/* TPM_PUBKEY [TPM12-P2 10.5] of an RSA key. */
struct ay_public12 {
	uint16_t enc_scheme, sig_scheme;
	uint32_t bits, primes;
	uint32_t exponent; /* 65537 also when it is left out */
	bool has_exponent; /* it is written out */
	struct ay_bytes modulus;
	struct ay_bytes raw; /* what the Name is over */
};

/* True for octets that can only be a TPM_PUBKEY, and never a TPMT_PUBLIC. */
bool ay_public12_looks_like(struct ay_bytes in);
/* Views borrow from in; out zeroed on failure. Says nothing of what the key is fit for. */
AY_MUST_USE enum ay_rc ay_public12_parse(struct ay_bytes in, struct ay_public12 *out,
					 struct ay_err *e);
/* The same inside a larger structure; raw stays empty. */
void ay_public12_read(struct ay_reader *r, struct ay_public12 *out);
void ay_public12_write(struct ay_writer *w, const struct ay_public12 *k);
AY_MUST_USE enum ay_rc ay_public12_key(const struct ay_public12 *k, struct ay_pubkey **out,
				       struct ay_err *e);
void ay_public12_name(const struct ay_public12 *k, struct ay_name *out);
/* SHA-1 of the TPM_PUBKEY: how the TPM itself names a key (idDigest). */
AY_MUST_USE bool ay_public12_digest(const struct ay_public12 *k, uint8_t out[20]);

/*
 * What is wrong with it as an endorsement or as an identity key, NULL if
 * nothing: RSA of 2048 bits with the default exponent left out (one spelling,
 * so one Name), and the schemes of its kind. That an identity key can do
 * nothing but quote is not written in a TPM_PUBKEY: only TPM_ActivateIdentity
 * shows it, which takes no other key [TPM12-P3 15.2].
 */
const char *ay_ek12_fault(const struct ay_public12 *k);
const char *ay_ak12_fault(const struct ay_public12 *k);

/* The parameter of TPM_MakeIdentity or TPM_TakeOwnership: TPM_KEY12 without key [TPM12-P2 10.3]. */
void ay_key12_template_write(struct ay_writer *w, uint16_t usage);
/*
 * The public key inside a TPM_KEY12 or TPM_KEY, as TPM_PUBKEY with the
 * parameters that stand there. pub borrows from in; raw is empty.
 */
AY_MUST_USE enum ay_rc ay_key12_parse(struct ay_bytes in, struct ay_public12 *pub, uint16_t *usage,
				      struct ay_err *e);

/* The rest of a TPM_KEY12 behind its authDataUsage, inside a larger structure. */
void ay_key12_read(struct ay_reader *r, struct ay_public12 *pub);

/* The Name, or key and Name, of the public area of either family: TPM_PUBKEY or TPMT_PUBLIC. */
AY_MUST_USE enum ay_rc ay_any_name(struct ay_bytes in, struct ay_name *name, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_any_public(struct ay_bytes in, struct ay_pubkey **key,
				     struct ay_name *name, struct ay_err *e);

#endif
