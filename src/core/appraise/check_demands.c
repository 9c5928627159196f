/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_demands.h"

#include "core/tpm/alg.h"

static bool is_quoted(const struct ay_pcrs *quoted, uint16_t alg)
{
	for (size_t k = 0; k < quoted->n_banks; k++)
		if (quoted->bank[k].alg == alg && quoted->bank[k].have != 0)
			return true;
	return false;
}

static bool is_refused(const struct ay_policy *p, uint16_t alg)
{
	for (size_t i = 0; i < p->banks.n_refused; i++)
		if (p->banks.refused[i] == alg)
			return true;
	return false;
}

static bool is_good(const struct ay_policy *p, const struct ay_pcrs *quoted, uint16_t alg)
{
	return is_quoted(quoted, alg) && !is_refused(p, alg);
}

static bool has_good_value(const struct ay_policy *p, const struct ay_pcrs *values,
			   const struct ay_pcrs *quoted)
{
	for (size_t k = 0; k < values->n_banks; k++)
		if (is_good(p, quoted, values->bank[k].alg))
			return true;
	return false;
}

bool ay_rule_is_strong(const struct ay_policy *p, const struct ay_rule *r,
		       const struct ay_pcrs *quoted)
{
	bool all = true;

	for (size_t i = 0; i < r->n_values; i++) /* of alternatives each */
		all &= has_good_value(p, &r->values[i], quoted);
	if (r->n_values > 0 && all)
		return true;
	for (size_t k = 0; k < r->n_banks; k++)
		if (is_good(p, quoted, r->bank[k]))
			return true;
	if (r->values != NULL || r->n_banks > 0)
		return false;
	for (size_t k = 0; k < quoted->n_banks; k++) /* a kind that goes by the log's data */
		if (is_good(p, quoted, quoted->bank[k].alg))
			return true;
	return false;
}

void ay_check_demands(const struct ay_policy *p, const struct ay_pcrs *quoted, uint32_t judged,
		      uint32_t strong, struct ay_report *rep)
{
	struct ay_place at = { 0 };

	for (size_t i = 0; i < p->banks.n_required; i++) {
		at = (struct ay_place){ .bank = p->banks.required[i] };
		if (AY_CHECKED("POLICY_BANK", !is_quoted(quoted, at.bank)))
			ay_report_add(rep, AY_CHECK_POLICY_BANK, AY_FAIL, &at,
				      "bank %s, which the policy demands, was not quoted",
				      ay_alg_bank_name(at.bank));
	}
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		at = (struct ay_place){ .has_pcr = true, .pcr = (uint8_t)pcr };
		if ((judged & ~strong & 1u << pcr) != 0 && p->banks.n_refused > 0 &&
		    AY_CHECKED("POLICY_BANK_WEAK", true))
			ay_report_add(rep, AY_CHECK_POLICY_BANK_WEAK, AY_FAIL, &at,
				      "PCR %u is judged in banks only that the policy refuses",
				      pcr);
		if ((p->pcrs_judged & ~judged & 1u << pcr) != 0 && AY_CHECKED("POLICY_PCR", true))
			ay_report_add(rep, AY_CHECK_POLICY_PCR, AY_NOT_CHECKED, &at,
				      "no rule judges PCR %u, which the policy demands", pcr);
	}
}
