/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_quote.h"

/*
 * A restricted key signs data from outside only when it does not begin with
 * TPM_GENERATED, so this value is what makes the rest the TPM's own word
 * [TPM2-P1 31.2].
 */
enum ay_result ay_check_origin(const struct ay_quote *q, struct ay_report *rep)
{
	if (AY_CHECKED("QUOTE_MAGIC", q->magic != AY_TPM_GENERATED))
		return ay_report_add(rep, AY_CHECK_QUOTE_MAGIC, AY_FAIL, NULL,
				     "magic is %08x, not %08x: not made inside a TPM", q->magic,
				     AY_TPM_GENERATED);
	if (AY_CHECKED("QUOTE_TYPE", q->type != AY_TPM_ST_ATTEST_QUOTE))
		return ay_report_add(rep, AY_CHECK_QUOTE_TYPE, AY_FAIL, NULL,
				     "type is %04x, not that of a quote (%04x)", q->type,
				     AY_TPM_ST_ATTEST_QUOTE);
	(void)ay_report_add(rep, AY_CHECK_QUOTE_MAGIC, AY_PASS, NULL, NULL);
	return ay_report_add(rep, AY_CHECK_QUOTE_TYPE, AY_PASS, NULL, NULL);
}

enum ay_result ay_check_signer(const struct ay_quote *q, struct ay_bytes qualified_name,
			       struct ay_report *rep)
{
	struct ay_place at = { .expected = qualified_name, .measured = q->signer };

	if (qualified_name.n == 0)
		return ay_report_add(rep, AY_CHECK_QUOTE_SIGNER, AY_NOT_CHECKED,
				     &(struct ay_place){ .optional = true },
				     "the qualified name of the AK is not known here");
	if (AY_CHECKED("QUOTE_SIGNER", !ay_bytes_eq(q->signer, qualified_name)))
		return ay_report_add(rep, AY_CHECK_QUOTE_SIGNER, AY_FAIL, &at,
				     "qualifiedSigner is not that of the AIK certificate");
	return ay_report_add(rep, AY_CHECK_QUOTE_SIGNER, AY_PASS, NULL, NULL);
}
