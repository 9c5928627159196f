/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_quote.h"
#include "core/evlog/ima_replay.h"
#include "core/tpm/pcrdigest.h"

static bool matches(const struct ay_quote *q, uint16_t hash, const struct ay_pcrs *pcrs)
{
	return ay_pcr_digest_matches(&q->selection, hash, pcrs, q->pcr_digest);
}

static bool has_padded_bank(const struct ay_ima_state *s)
{
	for (size_t i = 0; i < s->n_banks; i++)
		if (s->bank[i].padded)
			return true;
	return false;
}

/* The values with those that this prefix of the list leads to, by either rule for its banks. */
static bool prefix_fits(const struct ay_quote *q, uint16_t hash, const struct ay_ima_state *s,
			struct ay_pcrs *pcrs)
{
	ay_ima_state_apply(s, pcrs);
	if (matches(q, hash, pcrs))
		return true;
	if (!has_padded_bank(s))
		return false;
	ay_ima_state_apply_padded(s, pcrs);
	return matches(q, hash, pcrs);
}

/*
 * PCR 10 may have moved between the quote and the reading of the hints; then
 * the list tells which values it had, the longest prefix first.
 */
static bool some_prefix_fits(const struct ay_quote *q, uint16_t hash, struct ay_ima_run *ima,
			     struct ay_pcrs *pcrs)
{
	do {
		if (prefix_fits(q, hash, &ima->now, pcrs))
			return true;
	} while (ay_ima_step_back(ima));
	return false;
}

/* A PCR that is selected and has no value here: then the digest cannot even be computed. */
static bool find_missing(const struct ay_pcr_selection *s, const struct ay_pcrs *pcrs,
			 struct ay_place *at)
{
	for (size_t i = 0; i < s->n_banks; i++)
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
			if ((s->bank[i].mask >> pcr & 1) != 0 &&
			    ay_pcrs_value(pcrs, s->bank[i].alg, pcr).n == 0) {
				at->bank = s->bank[i].alg;
				at->pcr = (uint8_t)pcr;
				at->has_pcr = true;
				at->component = AY_COMP_IDENTITY;
				return true;
			}
	return false;
}

/* Values that were hinted and not quoted are nobody's word: they are not judged. */
static void keep_quoted(const struct ay_pcr_selection *s, struct ay_pcrs *pcrs)
{
	for (size_t k = 0; k < pcrs->n_banks; k++) {
		uint32_t quoted = 0;

		for (size_t i = 0; i < s->n_banks; i++)
			if (s->bank[i].alg == pcrs->bank[k].alg)
				quoted |= s->bank[i].mask;
		pcrs->bank[k].have &= quoted;
	}
}

static enum ay_result refuse(const struct ay_quote *q, const struct ay_pcrs *hints,
			     struct ay_report *rep)
{
	struct ay_place at = { .measured = q->pcr_digest };

	if (find_missing(&q->selection, hints, &at))
		return ay_report_add(rep, AY_CHECK_QUOTE_PCR_DIGEST, AY_FAIL, &at,
				     "a PCR that was quoted came without its value");
	return ay_report_add(rep, AY_CHECK_QUOTE_PCR_DIGEST, AY_FAIL, &at,
			     "the PCR values are not those that the TPM signed");
}

enum ay_result ay_check_pcr_digest(const struct ay_quote *q, uint16_t hash,
				   const struct ay_quote_evidence *ev, struct ay_pcrs *out,
				   struct ay_report *rep)
{
	bool fits;

	if (ev->hints == NULL)
		return ay_report_add(rep, AY_CHECK_QUOTE_PCR_DIGEST, AY_NOT_CHECKED, NULL,
				     "no PCR values were given");
	*out = *ev->hints;
	fits = matches(q, hash, out) ||
	       (ev->ima != NULL && some_prefix_fits(q, hash, ev->ima, out));
	if (AY_CHECKED("QUOTE_PCR_DIGEST", !fits)) {
		*out = (struct ay_pcrs){ 0 };
		return refuse(q, ev->hints, rep);
	}
	keep_quoted(&q->selection, out);
	return ay_report_add(rep, AY_CHECK_QUOTE_PCR_DIGEST, AY_PASS, NULL, NULL);
}
