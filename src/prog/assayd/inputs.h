/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_INPUTS_H
#define AY_ASSAYD_INPUTS_H

/*
 * What a verdict was made from beside what the store keeps anyway: stored
 * with every attestation (columns inputs and extra), so that recheck.c can put
 * the same job together again (docs/formats/receipt.md). Big and rare things
 * stand in extra; what equals stored content is only said to.
 */
#include "prog/assayd/engine_impl.h"

#define AY_INPUTS_MAX 512

/* Where the octets of one thing are. */
enum ay_kept_in {
	AY_KEPT_NOT = 0, /* there was none, or it did not matter */
	AY_KEPT_STORED,	 /* they are what the row of history names */
	AY_KEPT_EXTRA,
	AY_KEPT_LOST, /* too long to be kept: this verdict cannot be derived again */
};

/* Parsed: views borrow from the octets. Zeroed: nothing was kept. */
struct ay_inputs {
	bool malformed; /* EVIDENCE could not be parsed: body holds it */
	bool sticky_counter, sticky_duplicate, cert_revoked;
	int64_t cert_until_ms;
	uint8_t identity_grade; /* ay_identity_grade() of the binding */
	uint8_t ak[8]; /* of its qualified name: which of the host's AIKs */
	struct ay_pcr_selection asked;
	struct ay_counters last;
	struct ay_boot_mark known_boot;
	struct ay_bytes boot_id; /* that the evidence gives, 16 octets */
	/* the evidence */
	uint8_t hints, log, ima; /* as in EVIDENCE */
	uint64_t ima_offset, ima_entries, ima_n;
	/* what was known before it */
	uint64_t known_ima_octets, known_ima_entries;
	bool has_known_log;
	struct ay_bytes known_log; /* its id when it is not the row's log */
	enum ay_kept_in body_in, values_in, known_pcrs_in, known_ima_in, tail_in;
	struct ay_bytes values; /* inline when they are few */
	/* extra */
	struct ay_bytes x_body, x_values, x_known_pcrs, x_known_ima, x_tail;
};

/* After ay_judge_job(): j->inputs and, when something must be kept, j->extra. a: scratch. */
void ay_inputs_make(struct ay_job *j, struct ay_arena *a);

/* inputs and extra as stored (extra may be none). AY_E_INPUT names the field. */
AY_MUST_USE enum ay_rc ay_inputs_parse(struct ay_bytes inputs, struct ay_bytes extra,
				       struct ay_inputs *out, struct ay_err *e);
/* Which of a host's AIKs: eight octets of its qualified name. */
void ay_inputs_ak(struct ay_bytes qualified_name, uint8_t out[8]);
/* Is all there that its own words ask for? */
bool ay_inputs_whole(const struct ay_inputs *in);

#endif
