/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_IMA_H
#define AY_EVLOG_IMA_H

/*
 * The measurement list of Linux IMA, in the binary form of
 * binary_runtime_measurements (little-endian). An ASCII list is first turned
 * into a binary one (ima_ascii.h).
 *
 * Reading an entry trusts nothing. Walking the list is cheap (no allocation,
 * no hashing), so whoever judges entries walks again after the replay
 * (ima_replay.h) said which prefix the TPM vouches for.
 */
#include "core/base/limits.h"
#include "core/base/reader.h"
#include "core/tpm/alg.h"

/* What the digest of an entry is over: the word before the algorithm in d-ngv2. */
enum ay_ima_digest_kind {
	AY_IMA_DIGEST_FILE = 0, /* contents: no word, or "ima" */
	AY_IMA_DIGEST_VERITY,	/* the fs-verity descriptor: "verity" */
	AY_IMA_DIGEST_OTHER,	/* a word that we do not know */
};

struct ay_ima_entry {
	size_t offset;
	uint64_t index; /* from 1 within this piece of list */
	uint32_t pcr;
	bool violation;		      /* stored template hash is all zero */
	const uint8_t *template_hash; /* 20 octets */
	struct ay_bytes template_name;
	struct ay_bytes data; /* template data; for "ima": digest, length, name as in the list */
	bool is_old;	      /* template "ima": hashed as 20 octets and a name padded to 256 */

	/* Fields that the template has; {NULL, 0} for the others. */
	enum ay_ima_digest_kind digest_kind;
	bool is_buf;		     /* has the field buf, empty or not */
	uint16_t digest_alg;	     /* TPM number; 0 if unknown */
	struct ay_bytes digest_name; /* "sha256"; "sha1" for "ima" */
	struct ay_bytes digest;
	struct ay_bytes path; /* without terminator; for ima-buf the name of what was measured */
	struct ay_bytes sig;
	struct ay_bytes buf;
	struct ay_bytes modsig;
	struct ay_bytes evmsig;
};

/* Must stay where it is: the reader in it points into itself. */
struct ay_ima_cursor {
	struct ay_reader r;
	uint64_t index;
};

void ay_ima_begin(struct ay_ima_cursor *c, struct ay_bytes list);
/* False at the end of the list and at the first failure: ask ay_ima_end(). */
AY_MUST_USE bool ay_ima_next(struct ay_ima_cursor *c, struct ay_ima_entry *out);
/* AY_E_INPUT with e->code IMA_MALFORMED, AY_E_LIMIT with IMA_LIMIT. */
AY_MUST_USE enum ay_rc ay_ima_end(struct ay_ima_cursor *c, struct ay_err *e);

/* Count the entries of a whole list, which is thereby found well formed; codes as ay_ima_end(). */
AY_MUST_USE enum ay_rc ay_ima_parse(struct ay_bytes list, uint64_t *n_entries, struct ay_err *e);

/* Is the path one that a text form could confuse (blank, control, >= 0x80)? */
bool ay_ima_path_is_odd(struct ay_bytes path);

#endif
