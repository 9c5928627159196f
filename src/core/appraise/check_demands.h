/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CHECK_DEMANDS_H
#define AY_APPRAISE_CHECK_DEMANDS_H

/* What a policy demands of the quote and of the rules: banks and PCRs. */
#include "core/appraise/policy.h"
#include "core/appraise/reference.h"

/* Does the rule judge in a bank that was quoted and that the policy does not refuse? */
bool ay_rule_is_strong(const struct ay_policy *p, const struct ay_rule *r,
		       const struct ay_pcrs *quoted);

/*
 * POLICY_BANK, POLICY_BANK_WEAK, POLICY_PCR. judged: PCRs that a rule judged;
 * strong: ... by ay_rule_is_strong(). Bit N: PCR N.
 */
void ay_check_demands(const struct ay_policy *p, const struct ay_pcrs *quoted, uint32_t judged,
		      uint32_t strong, struct ay_report *rep);

#endif
