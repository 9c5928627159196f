/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_IMA_TALLY_H
#define AY_APPRAISE_IMA_TALLY_H

/*
 * What the entries of an IMA list were judged to be, so far. Kept with the host
 * between attestations, so that only new entries are judged; the report about
 * the whole list is told from it. Plain values; zeroed: nothing judged.
 */
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/tpm/alg.h"

/* What an entry is. Those that must not be there first: zero is one of them. */
enum ay_ima_outcome {
	AY_IMA_UNKNOWN = 0,   /* REF_IMA */
	AY_IMA_FORBIDDEN,     /* REF_FORBIDDEN */
	AY_IMA_DENIED,	      /* IMA_DENIED */
	AY_IMA_BAD_SIGNATURE, /* IMA_SIGNATURE: it does not verify */
	AY_IMA_REVOKED_KEY,   /* IMA_SIGNATURE */
	AY_IMA_UNSIGNED,      /* IMA_SIGNATURE: the policy requires one */
	AY_IMA_WEAK,	/* IMA_WEAK_DIGEST: allowed, but by SHA-1, and the policy refuses that */
	AY_IMA_BAD_KEY, /* IMA_BUF_KEY */
	AY_IMA_BAD_CMDLINE,	/* IMA_BUF_CMDLINE */
	AY_IMA_BAD_DM,		/* IMA_BUF_DM */
	AY_IMA_BAD_DATA,	/* IMA_BUF_DATA */
	AY_IMA_BAD_BUFFER,	/* IMA_BUF_HASH: its digest is not that of its octets */
	AY_IMA_VIOLATION,	/* counted against the policy's number */
	AY_IMA_LISTED_OUTCOMES, /* ---- those above are listed one by one ---- */
	AY_IMA_KNOWN = AY_IMA_LISTED_OUTCOMES, /* in an allow-list */
	AY_IMA_SIGNED,	  /* by a trusted key, under a rule that accepts that */
	AY_IMA_ALLOWED,	  /* by its path alone */
	AY_IMA_IGNORED,	  /* by its path or name: not judged */
	AY_IMA_BUFFER,	  /* a buffer that is accepted */
	AY_IMA_AGGREGATE, /* boot_aggregate */
	AY_IMA_OUTCOMES,
};

#define AY_TALLY_LISTED 32
#define AY_TALLY_OTHERS 8 /* places of those that are for other outcomes than unknown */
#define AY_TALLY_RULES 64 /* rules that are counted one by one; the last counts the rest too */

struct ay_ima_listed {
	uint8_t outcome; /* enum ay_ima_outcome, below AY_IMA_LISTED_OUTCOMES */
	uint64_t entry;
	uint16_t alg;
	uint8_t digest_n;
	uint8_t digest[AY_DIGEST_MAX];
	uint8_t path_n;
	uint8_t path[160]; /* cut to this */
};

struct ay_ima_tally {
	uint8_t key[32]; /* of the rules it was judged by: ay_tally_key() */
	uint64_t entries;
	uint64_t n[AY_IMA_OUTCOMES];
	uint64_t weak;			  /* of those known: by a SHA-1 digest */
	uint64_t by_rule[AY_TALLY_RULES]; /* in the order of ay_ima_judge_begin() */
	size_t n_listed;
	struct ay_ima_listed listed[AY_TALLY_LISTED]; /* the first of them */
};

/* One more entry of a kind that is listed. Both views are copied, path cut. */
void ay_tally_list(struct ay_ima_tally *t, enum ay_ima_outcome outcome, uint16_t alg,
		   struct ay_bytes digest, struct ay_bytes path);

/* Entries that must not be there, of all kinds but violations. */
uint64_t ay_tally_bad(const struct ay_ima_tally *t);

/*
 * Octets to keep. They begin with a mark of their version: a tally written by
 * another one does not parse (AY_E_INPUT), and the list is judged anew.
 */
#define AY_TALLY_WIRE_MAX                                                                          \
	(4 + 32 + 8 * (2 + AY_IMA_OUTCOMES + AY_TALLY_RULES) + 1 +                                 \
	 AY_TALLY_LISTED * (1 + 8 + 2 + 1 + AY_DIGEST_MAX + 1 + 160))
void ay_tally_write(struct ay_writer *w, const struct ay_ima_tally *t);
AY_MUST_USE enum ay_rc ay_tally_parse(struct ay_bytes in, struct ay_ima_tally *out,
				      struct ay_err *e);

#endif
