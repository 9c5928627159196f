/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_quote.h"

/* A signature that could not be parsed is a bad one, unless its tags were the reason. */
static enum ay_result refuse_structure(const struct ay_err *why, struct ay_report *rep)
{
	enum ay_check code = AY_CHECK_QUOTE_SIGNATURE;

	if (why->where != NULL && strcmp(why->where, "signature.sigAlg") == 0)
		code = AY_CHECK_QUOTE_SCHEME;
	if (why->where != NULL && strcmp(why->where, "signature.hash") == 0)
		code = AY_CHECK_QUOTE_HASH;
	return ay_report_add(rep, code, AY_FAIL, NULL, "%s: %s",
			     why->where ? why->where : "signature", why->text);
}

/* The structure names its signer; when it is not ours the reason is plain. */
static void name_other_key(const struct ay_quote_ask *ask, const struct ay_quote_parts *p,
			   struct ay_report *rep)
{
	struct ay_place at = { .expected = ask->qualified_name, .measured = p->quote.signer };

	if (p->quote_err.rc == AY_OK && ask->qualified_name.n > 0 &&
	    !ay_bytes_eq(p->quote.signer, ask->qualified_name))
		(void)ay_report_add(rep, AY_CHECK_QUOTE_WRONG_AK, AY_FAIL, &at,
				    "the quote says that another key signed it");
}

enum ay_result ay_check_signature(const struct ay_quote_ask *ask,
				  const struct ay_quote_evidence *ev,
				  const struct ay_quote_parts *p, struct ay_report *rep,
				  enum ay_rc *rc)
{
	enum ay_sigcheck r;

	*rc = AY_OK;
	if (p->signature_err.rc != AY_OK)
		return refuse_structure(&p->signature_err, rep);
	r = ay_verify(ask->ak, &p->signature, AY_HASHES_TPM2, ev->attest);
	if (r == AY_SIG_FAULT) {
		*rc = AY_E_NOMEM;
		return AY_FAIL;
	}
	if (AY_CHECKED("QUOTE_SCHEME", r == AY_SIG_SCHEME))
		return ay_report_add(rep, AY_CHECK_QUOTE_SCHEME, AY_FAIL, NULL,
				     "scheme 0x%04x is not the one this key signs with",
				     p->signature.scheme);
	if (AY_CHECKED("QUOTE_HASH", r == AY_SIG_HASH))
		return ay_report_add(rep, AY_CHECK_QUOTE_HASH, AY_FAIL, NULL,
				     "hash 0x%04x is not permitted, or not the one that was signed",
				     p->signature.hash);
	if (AY_CHECKED("QUOTE_SIGNATURE", r == AY_SIG_BAD)) {
		name_other_key(ask, p, rep);
		return ay_report_add(rep, AY_CHECK_QUOTE_SIGNATURE, AY_FAIL, NULL,
				     "signature does not verify with the enrolled AK");
	}
	return ay_report_add(rep, AY_CHECK_QUOTE_SIGNATURE, AY_PASS, NULL, NULL);
}
