/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_IMA_VERIFY_H
#define AY_APPRAISE_IMA_VERIFY_H

/*
 * Is the file of an IMA entry signed by a trusted key? The digest that the
 * kernel measured is what the signature must cover; an entry whose digest is of
 * another algorithm than its signature covers nothing.
 */
#include "core/appraise/ima_keys.h"
#include "core/evlog/ima.h"

/* Zero is the one that fails. */
enum ay_ima_signed {
	AY_IMA_SIGNED_BADLY = 0, /* names a trusted key, and is not by it or not of this file */
	AY_IMA_SIGNED_REVOKED,	 /* names a key that was revoked */
	AY_IMA_SIGNED_UNKNOWN,	 /* by a key nobody trusts here */
	AY_IMA_SIGNED_ODDLY,	 /* an old form, over metadata only, or no signature at all */
	AY_IMA_SIGNED_NOT,	 /* the entry has none */
	AY_IMA_SIGNED_WELL,
};

/*
 * Good signatures met before, so that a fleet does not pay for each file on
 * each host: SHA-256 over key, digest and signature. The caller's, for one
 * thread; a full place is taken by the newer one. What is not found is
 * verified, so results never depend on it.
 */
struct ay_ima_sigcache {
	size_t room; /* a power of two; 0: none */
	uint8_t (*row)[32];
};

/* Octets of row[] that a caller gives for so many places. */
#define AY_IMA_SIGCACHE_BYTES(room) ((size_t)(room)*32)

struct ay_ima_verifier {
	size_t n;
	const struct ay_ima_key *const *key;
	bool refuse_sha1;	       /* signatures over SHA-1 digests are ODDLY */
	struct ay_ima_sigcache *cache; /* NULL: none */
};

/*
 * The signature of the fields sig and modsig of an entry (metadata of evm-sig:
 * ima_evm.h). key: of WELL, BADLY and REVOKED the index of the key that was
 * named, else 0. fault: set when it could not be evaluated (memory); the
 * result is then BADLY.
 */
enum ay_ima_signed ay_ima_verify(const struct ay_ima_verifier *v, const struct ay_ima_entry *ent,
				 size_t *key, bool *fault);

#endif
