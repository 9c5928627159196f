/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CHECK_LAUNCH_H
#define AY_APPRAISE_CHECK_LAUNCH_H

/*
 * What a measured launch (Intel TXT, Linux Secure Launch) is worth. It sets
 * PCR 17-22 to zero and extends PCR 17 in one step that no software can do
 * (locality 4); before it they hold all ones. Extends at locality 2 and 3 are
 * open to whoever runs the machine, launch or not.
 */
#include "core/appraise/sets.h"

/*
 * The values by themselves: TXT_FORGED when of PCR 17-19 some hold all ones
 * and some do not. A launch leaves none of them so, and nothing but a launch
 * resets them.
 */
void ay_check_launch_values(const struct ay_pcrs *attested, struct ay_report *rep);

/*
 * What the launch was, as notes (TXT_LAUNCH, TXT_FACT): mapping, SINIT, MLE,
 * LCP, STM, BIOS ACM; and what heap, registers and NV say, self-reported.
 */
void ay_check_launch_facts(const struct ay_boot_facts *f, struct ay_report *rep);

/*
 * A launch is demanded, by the policy or by a set that expects one:
 * DRTM_NOT_LAUNCHED (check_quote12.h).
 */
void ay_check_launch_demand(const struct ay_policy *p, const struct ay_judged *j,
			    const struct ay_pcrs *attested, struct ay_report *rep);

/*
 * In each PCR that a rule of kind "launch" spoke of: an extended event that no
 * rule claims is REF_ADDED.
 */
void ay_check_launch_claimed(const struct ay_judged *j, const struct ay_boot_facts *f,
			     struct ay_report *rep);

/* Does the rule expect that a launch happened? */
bool ay_rule_wants_launch(const struct ay_rule *r);

#endif
