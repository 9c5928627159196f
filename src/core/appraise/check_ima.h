/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CHECK_IMA_H
#define AY_APPRAISE_CHECK_IMA_H

/*
 * What an IMA list is worth against the PCR values that the TPM signed
 * (codes IMA_*, facts/tamper-matrix.md 4). Facts to findings; no verdict, and
 * no policy: violations, padded banks and signatures are judged by rules.
 */
#include "core/appraise/report.h"
#include "core/evlog/ima_replay.h"

/* The list could not be parsed: the finding of e->code (IMA_MALFORMED if it has none). */
void ay_check_ima_refused(const struct ay_err *e, struct ay_report *rep);

/* IMA_TEMPLATE_HASH: stored template hashes against their data, up to the covered prefix. */
enum ay_result ay_check_ima_templates(const struct ay_ima_state *s, struct ay_report *rep);

/*
 * Go back from the end of the list to the longest prefix that fits the PCR
 * values (the same one in every bank that is attested); run->now is then its
 * state. Values are those of a quote that were hinted and found covered.
 * For a quote without hints the caller does the same with its own predicate.
 * False: no prefix fits, run->now is the shortest one tried.
 */
AY_MUST_USE bool ay_ima_run_fit(struct ay_ima_run *run, const struct ay_pcrs *attested,
				bool padded);

/*
 * IMA_PCR, and IMA_UNATTESTED_TAIL for entries after the covered prefix.
 *   fits  what ay_ima_run_fit() or the caller's own search said
 */
enum ay_result ay_check_ima_pcrs(const struct ay_ima_run *run, bool fits,
				 const struct ay_pcrs *attested, struct ay_report *rep);

/*
 * IMA_BOOT_AGGREGATE: the first entry is boot_aggregate and its digest is the
 * hash over the attested PCR 0-7 or 0-9 of the bank of its algorithm. The text
 * says which.
 * not_checked when those PCRs are not attested in that bank.
 */
enum ay_result ay_check_ima_aggregate(const struct ay_ima_state *s, const struct ay_pcrs *attested,
				      struct ay_report *rep);

/*
 * IMA_CONTINUITY: a piece of list that starts at entry from must start where
 * the last verified one of this boot ended; after a reboot, at the first entry.
 * Who asks for the whole list again gives a zeroed last.
 */
enum ay_result ay_check_ima_continuity(const struct ay_ima_state *last, bool rebooted,
				       uint64_t from_entries, uint64_t from_octets,
				       struct ay_report *rep);

/* Paths that a text form could confuse, or the name boot_aggregate in a later place. Zeroed: none.
 */
struct ay_ima_odd {
	uint64_t n_odd, n_again;
	struct ay_place odd, again; /* the first ones; they borrow from the list */
};

/* One more entry; index from 1 in the whole list. */
void ay_ima_odd_note(struct ay_ima_odd *o, const struct ay_ima_entry *ent, uint64_t index);
/* IMA_PATH: notes of what was met. */
void ay_ima_odd_tell(const struct ay_ima_odd *o, struct ay_report *rep);
/* Both, for the first n entries of a list. */
void ay_check_ima_paths(struct ay_bytes list, uint64_t n, uint64_t first_index,
			struct ay_report *rep);

#endif
