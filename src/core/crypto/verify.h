/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_VERIFY_H
#define AY_CRYPTO_VERIFY_H

/*
 * Signatures in the parts that a TPM gives. The hot path of the server: no
 * decoder, no fetch, two small allocations inside libcrypto.
 */
#include "core/crypto/key.h"
#include "core/tpm/alg.h"

struct ay_signature {
	uint16_t scheme;     /* AY_ALG_RSASSA, AY_ALG_RSAPSS or AY_ALG_ECDSA */
	uint16_t hash;	     /* of the signed message */
	struct ay_bytes rsa; /* RSA: the value, as long as the modulus */
	struct ay_bytes r;   /* ECDSA: big-endian */
	struct ay_bytes s;
};

/* Hashes that a signature may use, as a set. */
#define AY_HASHES_TPM2 (AY_HASH_BIT_SHA256 | AY_HASH_BIT_SHA384 | AY_HASH_BIT_SHA512)
#define AY_HASHES_TPM12 AY_HASH_BIT_SHA1
enum ay_hash_bit {
	AY_HASH_BIT_SHA1 = 1,
	AY_HASH_BIT_SHA256 = 2,
	AY_HASH_BIT_SHA384 = 4,
	AY_HASH_BIT_SHA512 = 8,
};
/* 0 for a hash that cannot be computed. */
unsigned ay_hash_bit(uint16_t alg);

enum ay_sigcheck {
	AY_SIG_BAD = 0, /* does not verify, or its numbers are out of range */
	AY_SIG_SCHEME,	/* the scheme is not one of this kind of key, or not the one of the key */
	AY_SIG_HASH,	/* the hash is not allowed */
	AY_SIG_FAULT,	/* could not be evaluated (memory) */
	AY_SIG_GOOD,
};

/*
 * Verify s over msg. allowed: set of enum ay_hash_bit. Strict: an RSA value
 * has exactly the size of the modulus and is less than it; r and s are in
 * 1 .. n-1; PSS salt is as long as the digest or as long as it can be
 * [TPM2-P1 B.7].
 */
AY_MUST_USE enum ay_sigcheck ay_verify(const struct ay_pubkey *key, const struct ay_signature *s,
				       unsigned allowed, struct ay_bytes msg);
/* As ay_verify, over a digest made by s->hash. */
AY_MUST_USE enum ay_sigcheck ay_verify_digest(const struct ay_pubkey *key,
					      const struct ay_signature *s, unsigned allowed,
					      struct ay_bytes digest);
/*
 * Whether an RSASSA signature that does not verify is at least one by this key
 * over some other message: it opens to a well-formed digest of s->hash. Only to
 * say more precisely why a quote is refused.
 */
AY_MUST_USE bool ay_rsassa_is_of_key(const struct ay_pubkey *key, const struct ay_signature *s);

#endif
