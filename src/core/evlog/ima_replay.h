/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_IMA_REPLAY_H
#define AY_EVLOG_IMA_REPLAY_H

/*
 * The PCR values that an IMA list leads to, entry by entry, continuing from a
 * prefix that was verified before. In every bank the hash of the template data
 * is extended; the stored template hash is only compared; a violation extends
 * all ones.
 *
 * To find which prefix a quote covers:
 *
 *	ay_ima_replay(&state, list, keep, &run, arena, e)
 *	do {
 *		ay_ima_state_apply(&run.now, &pcrs);
 *		if (pcrs complete the quote)
 *			break;
 *	} while (ay_ima_step_back(&run));
 *
 * goes from the longest prefix backwards, the same prefix in all banks, at
 * most keep steps and never behind the state that was given. run.now is then
 * the state to store.
 */
#include "core/base/arena.h"
#include "core/evlog/ima.h"
#include "core/tpm/pcr.h"

/* One list may extend more than one PCR (10 and 11 are in the field). */
#define AY_IMA_PCRS 4

/* A bank that is replayed; padded: as kernels before 5.8 did, SHA-1 hash and zeroes. */
struct ay_ima_bank {
	uint16_t alg;
	bool padded;
};

#define AY_IMA_BANKS (2 * AY_BANKS_MAX)

/* Where a replay stands. Zeroed with n_banks == 0: not begun. Plain values. */
struct ay_ima_state {
	uint64_t entries;
	uint64_t octets; /* of the binary list up to here */
	uint64_t violations;
	uint64_t mismatches;	 /* stored template hash differs from its data */
	uint64_t first_mismatch; /* entry, from 1; 0: none */
	size_t n_banks;
	struct ay_ima_bank bank[AY_IMA_BANKS];
	size_t n_pcrs;
	struct {
		uint8_t pcr;
		uint8_t value[AY_IMA_BANKS][AY_DIGEST_MAX];
	} slot[AY_IMA_PCRS];
	/* First entry: is it boot_aggregate, and with which digest? */
	bool has_aggregate;
	uint16_t aggregate_alg;
	uint8_t aggregate_n;
	uint8_t aggregate[AY_DIGEST_MAX];
};

/* Start before the first entry, in these banks (hashes we cannot compute are passed over). */
void ay_ima_state_init(struct ay_ima_state *s, const struct ay_ima_bank *banks, size_t n);
/* The unpadded banks of a selection of PCR values; padded banks too if asked. */
void ay_ima_state_init_for(struct ay_ima_state *s, const struct ay_pcrs *pcrs, bool padded);

/* Set the PCRs that the list extended, in unpadded banks (or in padded ones). */
void ay_ima_state_apply(const struct ay_ima_state *s, struct ay_pcrs *pcrs);
void ay_ima_state_apply_padded(const struct ay_ima_state *s, struct ay_pcrs *pcrs);
/* The value of one PCR; {NULL, 0} if the list has not extended it. Borrows from s. */
struct ay_bytes ay_ima_state_value(const struct ay_ima_state *s, uint16_t alg, bool padded,
				   unsigned pcr);

/* Canonical octets of a state, to be stored with the host. */
#define AY_IMA_STATE_WIRE_MAX                                                                      \
	(64 + AY_DIGEST_MAX + AY_IMA_BANKS * (3 + AY_IMA_PCRS * (1 + AY_DIGEST_MAX)))
void ay_ima_state_write(struct ay_writer *w, const struct ay_ima_state *s);
AY_MUST_USE enum ay_rc ay_ima_state_parse(struct ay_bytes in, struct ay_ima_state *out,
					  struct ay_err *e);

struct ay_ima_undo; /* one entry that can be taken back */

struct ay_ima_run {
	struct ay_ima_state now;
	uint64_t from;			    /* entries of the state it started with */
	uint64_t total;			    /* entries at the end of the list */
	size_t n_undo, max_undo, next_undo; /* a ring: the oldest is overwritten */
	struct ay_ima_undo *undo;	    /* in the arena */
	uint8_t *values; /* in the arena: PCR values before each of those entries */
	size_t stride;
};

/*
 * Replay a piece of list that begins where state ends.
 *
 *   state  where to start; not changed
 *   list   binary entries after state->octets; may be empty
 *   keep   how many entries can be taken back, at most AY_MAX_IMA_PREFIXES
 *   arena  holds what is kept
 *   run    filled on AY_OK, zeroed on failure
 *
 * Faults as ay_ima_end(); AY_E_LIMIT also for more than AY_IMA_PCRS PCRs.
 * A template hash that differs is counted, not a fault.
 */
AY_MUST_USE enum ay_rc ay_ima_replay(const struct ay_ima_state *state, struct ay_bytes list,
				     size_t keep, struct ay_ima_run *run, struct ay_arena *arena,
				     struct ay_err *e);

/* Take the last entry of run->now back; false when nothing more is kept. */
AY_MUST_USE bool ay_ima_step_back(struct ay_ima_run *run);

#endif
