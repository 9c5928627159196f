/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_quote.h"

/* A bank that stands there with no PCR, or no bank at all. */
static bool has_empty_bank(const struct ay_pcr_selection *s)
{
	for (size_t i = 0; i < s->n_banks; i++)
		if (s->bank[i].mask == 0)
			return true;
	return s->n_banks == 0;
}

/* The first bank in which the two differ, for the report. */
static enum ay_result refuse(const struct ay_pcr_selection *got,
			     const struct ay_pcr_selection *asked, struct ay_report *rep)
{
	for (size_t i = 0; i < asked->n_banks && i < got->n_banks; i++) {
		struct ay_place at = { .bank = asked->bank[i].alg };

		if (got->bank[i].alg != asked->bank[i].alg)
			return ay_report_add(rep, AY_CHECK_QUOTE_SELECTION, AY_FAIL, &at,
					     "bank %zu is another one than was asked", i + 1);
		if (got->bank[i].mask != asked->bank[i].mask)
			return ay_report_add(rep, AY_CHECK_QUOTE_SELECTION, AY_FAIL, &at,
					     "PCRs %06x were asked, %06x quoted",
					     asked->bank[i].mask, got->bank[i].mask);
	}
	return ay_report_add(rep, AY_CHECK_QUOTE_SELECTION, AY_FAIL, NULL,
			     "%zu banks were asked, %zu quoted", asked->n_banks, got->n_banks);
}

enum ay_result ay_check_selection(const struct ay_quote *q, const struct ay_pcr_selection *asked,
				  struct ay_report *rep)
{
	if (AY_CHECKED("QUOTE_SELECTION_EMPTY", has_empty_bank(&q->selection)))
		return ay_report_add(rep, AY_CHECK_QUOTE_SELECTION, AY_FAIL, NULL,
				     "the quote covers no PCR, or none of a bank that it names");
	if (asked == NULL)
		return ay_report_add(rep, AY_CHECK_QUOTE_SELECTION, AY_NOT_CHECKED,
				     &(struct ay_place){ .optional = true },
				     "what was asked is not known here");
	if (AY_CHECKED("QUOTE_SELECTION", !ay_pcr_selection_eq(&q->selection, asked)))
		return refuse(&q->selection, asked, rep);
	return ay_report_add(rep, AY_CHECK_QUOTE_SELECTION, AY_PASS, NULL, NULL);
}
