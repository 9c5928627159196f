/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_quote.h"

#include "core/tpm/signature.h"

/* Parsing trusts nothing and fails nothing here: what is wrong is said behind the signature. */
static void parse(const struct ay_quote_evidence *ev, struct ay_quote_parts *p)
{
	p->quote_err.rc = ay_quote_parse(ev->attest, &p->quote, &p->quote_err);
	p->signature_err.rc = ay_signature_parse(ev->signature, &p->signature, &p->signature_err);
}

static enum ay_result check_form(const struct ay_quote_parts *p, struct ay_report *rep)
{
	if (p->quote_err.rc == AY_OK)
		return ay_report_add(rep, AY_CHECK_QUOTE_MALFORMED, AY_PASS, NULL, NULL);
	return ay_report_add(rep, AY_CHECK_QUOTE_MALFORMED, AY_FAIL, NULL, "%s: %s (offset %zu)",
			     p->quote_err.where ? p->quote_err.where : "quote", p->quote_err.text,
			     p->quote_err.offset);
}

static void remember(const struct ay_quote *q, uint16_t hash, struct ay_quote_facts *out)
{
	out->verified = true;
	out->hash = hash;
	out->selection = q->selection;
	out->pcr_digest_n = q->pcr_digest.n;
	memcpy(out->pcr_digest, q->pcr_digest.p, q->pcr_digest.n);
	out->now = (struct ay_counters){
		.known = true,
		.clock_ms = q->clock_ms,
		.firmware = q->firmware,
		.reset_count = q->reset_count,
		.restart_count = q->restart_count,
	};
}

/* What the TPM said, now that it is known to have said it. */
static void check_content(const struct ay_quote_ask *ask, const struct ay_quote_evidence *ev,
			  const struct ay_quote *q, struct ay_quote_facts *out,
			  struct ay_report *rep)
{
	enum ay_result signer = ay_check_signer(q, ask->qualified_name, rep);
	enum ay_result nonce = ay_check_nonce(q, ask->extra_data, rep);
	enum ay_result selection = ay_check_selection(q, ask->selection, rep);
	enum ay_result digest = AY_NOT_CHECKED;

	(void)ay_check_counters(q, &ask->last, rep, &out->rebooted);
	out->fresh = signer != AY_FAIL && nonce == AY_PASS;
	if (signer != AY_FAIL && nonce != AY_FAIL && selection != AY_FAIL)
		digest = ay_check_pcr_digest(q, out->hash, ev, &out->pcrs, rep);
	out->pcrs_attested = digest == AY_PASS;
}

enum ay_rc ay_appraise_quote(const struct ay_quote_ask *ask, const struct ay_quote_evidence *ev,
			     struct ay_quote_facts *out, struct ay_report *rep, struct ay_err *e)
{
	struct ay_quote_parts p = { 0 };
	enum ay_result signature, form;
	enum ay_rc rc;

	*out = (struct ay_quote_facts){ 0 };
	if (ask->ak == NULL)
		return ay_fail(e, AY_E_BUG, "quote", 0, "no AK to verify with");
	parse(ev, &p);
	signature = ay_check_signature(ask, ev, &p, rep, &rc);
	if (rc != AY_OK)
		return ay_fail(e, rc, "quote", 0, "signature could not be evaluated");
	form = check_form(&p, rep);
	if (signature != AY_PASS || form != AY_PASS || ay_check_origin(&p.quote, rep) != AY_PASS)
		return AY_OK;
	remember(&p.quote, p.signature.hash, out);
	ay_report_grade(rep, AY_COMP_IDENTITY, AY_GRADE_TPM_SIGNED);
	check_content(ask, ev, &p.quote, out, rep);
	return AY_OK;
}
