/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_SETS_H
#define AY_APPRAISE_SETS_H

/*
 * Which reference sets a boot is compared with, and what comes of it: the sets
 * that are in force, that the policy's references choose for a part, and that
 * match host and machine (match.h). A set that the host meets never hides a PCR
 * that another one of the same part judges.
 */
#include "core/appraise/state.h"

/* PCRs by what judged them, bit N. */
struct ay_judged {
	uint32_t by_value;	       /* by a whole value */
	uint32_t by_events;	       /* event by event, all of them */
	uint32_t in_part;	       /* some events only */
	uint32_t strong;	       /* in a bank that the policy accepts */
	uint32_t launch;	       /* by rules of kind "launch" */
	uint32_t of_platform;	       /* PCRs of a launch that a set judges as part platform */
	bool wants_launch;	       /* a set expects one */
	uint32_t valued[AY_BANKS_MAX]; /* whole value in bank k of the quote */
	const struct ay_rule *golden[AY_PCR_COUNT]; /* excuses the log of that PCR; NULL: none */
};

/* Findings REF_*, REF_MATCH, BANK_UNMEASURED and coverage to rep; in->policy is not NULL. */
void ay_judge_sets(const struct ay_state_in *in, const struct ay_boot_facts *facts,
		   struct ay_judged *out, struct ay_report *rep);

/* Failures of the log among the first n findings that a golden value excuses become notes. */
void ay_excuse_log(const struct ay_judged *j, size_t n, struct ay_report *rep);

/* Is set i an allow-list for the IMA list of this host? */
bool ay_policy_uses_runtime(const struct ay_policy *p, const struct ay_refset *const *sets,
			    size_t n_sets, size_t i, bool offline, int64_t now_ms);

#endif
