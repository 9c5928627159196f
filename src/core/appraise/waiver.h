/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_WAIVER_H
#define AY_APPRAISE_WAIVER_H

/*
 * Waivers and update windows of a policy: what they name, when they end, and
 * how a failure that one of them excuses becomes a note.
 */
#include "core/appraise/policy.h"

/* What a waiver names, and what its code asks it to name (waiver.def). */
enum {
	AY_WAIVER_PCR = 1,
	AY_WAIVER_PATH = 2,
	AY_WAIVER_EXPECTED = 4,
	AY_WAIVER_MEASURED = 8,
};
unsigned ay_waiver_needs(enum ay_check code);
unsigned ay_waiver_names(const struct ay_waiver *w);

/* Does it excuse this very finding at this instant (0: unknown, then nothing is excused)? */
bool ay_waiver_excuses(const struct ay_waiver *w, const struct ay_finding *f, int64_t now_ms);

/* Each failure that a waiver of the policy excuses becomes a note. Before ay_report_conclude(). */
void ay_waivers_apply(const struct ay_policy *p, int64_t now_ms, struct ay_report *rep);

#endif
