/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_quote.h"
#include "core/crypto/secret.h"

/* issued is the qualifyingData computed from nonce, exporter and host id (design 3). */
enum ay_result ay_check_nonce(const struct ay_quote *q, struct ay_bytes issued,
			      struct ay_report *rep)
{
	struct ay_place at = { .expected = issued, .measured = q->nonce };

	if (issued.n == 0)
		return ay_report_add(rep, AY_CHECK_QUOTE_NONCE, AY_NOT_CHECKED, NULL,
				     "no nonce was given: the quote may be an old one");
	if (AY_CHECKED("QUOTE_NONCE", !ay_bytes_eq_secret(q->nonce, issued)))
		return ay_report_add(rep, AY_CHECK_QUOTE_NONCE, AY_FAIL, &at,
				     q->nonce.n == issued.n
					     ? "extraData is not what was issued"
					     : "extraData has another length than what was issued");
	return ay_report_add(rep, AY_CHECK_QUOTE_NONCE, AY_PASS, NULL, NULL);
}
