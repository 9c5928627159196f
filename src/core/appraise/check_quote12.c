/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_quote12.h"

#include "core/crypto/hash.h"
#include "core/crypto/verify.h"
#include "core/evlog/ima_replay.h"

/* What the parts have in common while one quote is judged. */
struct judging {
	const struct ay_quote12_ask *ask;
	const struct ay_quote12_evidence *ev;
	struct ay_report *rep;
	struct ay_signature sig;
	struct ay_quote12 q;
	uint8_t built[AY_TPM12_QUOTE_INFO_BYTES];
};

static enum ay_sigcheck verify(const struct judging *j, struct ay_bytes message)
{
	return ay_verify(j->ask->ak, &j->sig, AY_HASHES_TPM12, message);
}

static enum ay_result refuse_signature(struct judging *j, enum ay_sigcheck r)
{
	if (r == AY_SIG_SCHEME)
		return ay_report_add(j->rep, AY_CHECK_QUOTE_SCHEME, AY_FAIL, NULL,
				     "a TPM 1.2 signs with RSA only");
	return ay_report_add(j->rep, AY_CHECK_QUOTE_SIGNATURE, AY_FAIL, NULL,
			     "signature does not verify with this key");
}

static void accept_signature(struct judging *j)
{
	(void)ay_report_add(
		j->rep, AY_CHECK_QUOTE_SIGNATURE, AY_PASS, NULL,
		"quote is signed by the given key (with SHA-1: TPM 1.2 knows no other)");
}

/* externalData of a nonce: its SHA-1; second form: itself, if it has that size. */
static bool external_of(struct ay_bytes nonce, bool itself, uint8_t out[AY_TPM12_DIGEST])
{
	if (!itself)
		return ay_hash_of(AY_ALG_SHA1, nonce, out);
	if (nonce.n != AY_TPM12_DIGEST)
		return false;
	memcpy(out, nonce.p, nonce.n);
	return true;
}

/*
 * The signed structure is not there: it must be the one over this composite
 * and this nonce. When the key signed something else, which of the two was
 * changed cannot be told, so both are named.
 */
static enum ay_result check_built(struct judging *j)
{
	uint8_t digest[AY_TPM12_DIGEST], external[AY_TPM12_DIGEST];
	enum ay_sigcheck r = AY_SIG_BAD;

	ay_composite12_digest(j->ev->composite, digest);
	for (int itself = 0; itself < 2 && r != AY_SIG_GOOD; itself++) {
		if (!external_of(j->ask->nonce, itself, external))
			continue;
		ay_quote12_info(digest, external, j->built);
		r = verify(j, AY_BYTES(j->built));
	}
	if (r != AY_SIG_GOOD && !ay_rsassa_is_of_key(j->ask->ak, &j->sig))
		return refuse_signature(j, r);
	accept_signature(j);
	if (AY_CHECKED("QUOTE12_BUILT", r != AY_SIG_GOOD)) {
		(void)ay_report_add(j->rep, AY_CHECK_QUOTE_NONCE, AY_FAIL, NULL,
				    "the key signed another nonce, or other PCR values");
		return ay_report_add(j->rep, AY_CHECK_QUOTE_PCR_DIGEST, AY_FAIL, NULL,
				     "the key signed other PCR values, or another nonce");
	}
	if (ay_quote12_parse(AY_BYTES(j->built), &j->q, NULL) != AY_OK)
		return AY_FAIL;
	(void)ay_report_add(j->rep, AY_CHECK_QUOTE_NONCE, AY_PASS, NULL, NULL);
	return AY_PASS;
}

static enum ay_result check_magic(struct judging *j)
{
	static const uint8_t version[4] = { 1, 1, 0, 0 }, tag[4] = { 0, 0x36, 0, 0 };
	bool ok = memcmp(j->q.head, j->q.info2 ? tag : version, 4) == 0 &&
		  memcmp(j->q.fixed, j->q.info2 ? "QUT2" : "QUOT", 4) == 0;

	if (AY_CHECKED("QUOTE12_MAGIC", !ok))
		return ay_report_add(j->rep, AY_CHECK_QUOTE_MAGIC, AY_FAIL, NULL,
				     "version or mark is not that of a quote");
	return ay_report_add(j->rep, AY_CHECK_QUOTE_MAGIC, AY_PASS, NULL, NULL);
}

static enum ay_result check_nonce(struct judging *j)
{
	struct ay_place at = { .measured = j->q.external };
	uint8_t external[AY_TPM12_DIGEST];
	bool found = false;

	if (j->ask->nonce.n == 0)
		return ay_report_add(j->rep, AY_CHECK_QUOTE_NONCE, AY_NOT_CHECKED, NULL,
				     "no nonce was given: the quote may be an old one");
	for (int itself = j->ask->exact; itself < 2; itself++)
		found |= external_of(j->ask->nonce, itself, external) &&
			 ay_bytes_eq(j->q.external, AY_BYTES(external));
	if (AY_CHECKED("QUOTE12_NONCE", !found))
		return ay_report_add(j->rep, AY_CHECK_QUOTE_NONCE, AY_FAIL, &at,
				     "externalData is neither the nonce nor its SHA-1");
	return ay_report_add(j->rep, AY_CHECK_QUOTE_NONCE, AY_PASS, NULL, NULL);
}

/* Signature, mark and nonce of a structure that is there. */
static enum ay_result check_message(struct judging *j)
{
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_quote12_parse(j->ev->message, &j->q, &e);
	enum ay_sigcheck r = verify(j, j->ev->message);

	if (rc != AY_OK)
		(void)ay_report_add(j->rep, AY_CHECK_QUOTE_MALFORMED, AY_FAIL, NULL,
				    "%s: %s (offset %zu)", e.where ? e.where : "quote", e.text,
				    e.offset);
	if (AY_CHECKED("QUOTE12_SIGNATURE", r != AY_SIG_GOOD))
		return refuse_signature(j, r);
	accept_signature(j);
	if (rc != AY_OK || check_magic(j) != AY_PASS)
		return AY_FAIL;
	return check_nonce(j);
}

/* The composite of these values: TPM_QUOTE_INFO does not say how long its mask was. */
static bool values_fit(const struct judging *j, const struct ay_pcrs *pcrs, uint32_t mask)
{
	uint8_t digest[AY_TPM12_DIGEST];

	for (unsigned n = 3; n >= 2; n--)
		if (ay_composite12_of(pcrs, mask, n, digest) &&
		    ay_bytes_eq(j->q.digest, AY_BYTES(digest)))
			return true;
	return false;
}

/* PCR 10 may have moved between quote and reading: the list tells which values it had. */
static bool some_prefix_fits(const struct judging *j, struct ay_pcrs *pcrs, uint32_t mask)
{
	struct ay_ima_run *ima = j->ev->ima;

	if (ima == NULL)
		return false;
	do {
		ay_ima_state_apply(&ima->now, pcrs);
		if (values_fit(j, pcrs, mask))
			return true;
	} while (ay_ima_step_back(ima));
	return false;
}

/* Values that were hinted and not quoted are nobody's word: they are not judged. */
static void keep_quoted(struct ay_pcrs *pcrs, uint32_t mask)
{
	for (size_t i = 0; i < pcrs->n_banks; i++)
		pcrs->bank[i].have &= pcrs->bank[i].alg == AY_ALG_SHA1 ? mask : 0;
}

static uint32_t quoted_mask(const struct judging *j, const struct ay_pcrs *pcrs)
{
	const struct ay_pcr_bank *bank = ay_pcrs_find(pcrs, AY_ALG_SHA1);

	if (j->q.info2)
		return j->q.mask;
	if (j->ev->composite != NULL)
		return j->ev->composite->mask;
	return bank != NULL ? bank->have : 0;
}

static enum ay_result check_values(struct judging *j, struct ay_quote_facts *out)
{
	struct ay_pcrs pcrs = { 0 };
	uint32_t mask;

	if (j->ev->hints != NULL)
		pcrs = *j->ev->hints;
	else if (j->ev->composite != NULL)
		ay_composite12_pcrs(j->ev->composite, &pcrs);
	else
		return ay_report_add(j->rep, AY_CHECK_QUOTE_PCR_DIGEST, AY_NOT_CHECKED, NULL,
				     "no PCR values were given");
	mask = quoted_mask(j, &pcrs);
	if (AY_CHECKED("QUOTE12_PCR_DIGEST",
		       !values_fit(j, &pcrs, mask) && !some_prefix_fits(j, &pcrs, mask)))
		return ay_report_add(j->rep, AY_CHECK_QUOTE_PCR_DIGEST, AY_FAIL,
				     &(struct ay_place){ .measured = j->q.digest },
				     "the PCR values are not those that the TPM signed");
	keep_quoted(&pcrs, mask);
	out->pcrs = pcrs;
	return ay_report_add(j->rep, AY_CHECK_QUOTE_PCR_DIGEST, AY_PASS, NULL, NULL);
}

uint32_t ay_quote12_mask(const struct ay_pcr_selection *s)
{
	return s->n_banks == 1 && s->bank[0].alg == AY_ALG_SHA1 ? s->bank[0].mask : 0;
}

/*
 * Can what was asked and what was quoted be compared? Live the one is always
 * known, and the other is not only where a TPM_QUOTE_INFO came without values.
 */
static bool is_known(const struct judging *j, uint32_t mask)
{
	if (j->ask->exact)
		return j->q.info2 || j->ev->hints != NULL;
	return j->ask->mask != 0 && mask != 0;
}

static enum ay_result check_selection(struct judging *j, struct ay_quote_facts *out)
{
	struct ay_pcrs none = { 0 };
	uint32_t mask = quoted_mask(j, j->ev->hints ? j->ev->hints : &none);

	out->selection.n_banks = mask != 0;
	out->selection.bank[0].alg = AY_ALG_SHA1;
	out->selection.bank[0].mask = mask;
	if (mask == 0 && j->q.info2)
		return ay_report_add(j->rep, AY_CHECK_QUOTE_SELECTION, AY_FAIL, NULL,
				     "the quote covers no PCR");
	if (!is_known(j, mask))
		return ay_report_add(j->rep, AY_CHECK_QUOTE_SELECTION, AY_NOT_CHECKED,
				     &(struct ay_place){ .optional = true },
				     "what was asked is not known here");
	if (AY_CHECKED("QUOTE12_SELECTION", mask != j->ask->mask || mask == 0))
		return ay_report_add(j->rep, AY_CHECK_QUOTE_SELECTION, AY_FAIL, NULL,
				     "PCRs %06x were asked, %06x quoted", j->ask->mask, mask);
	return ay_report_add(j->rep, AY_CHECK_QUOTE_SELECTION, AY_PASS, NULL, NULL);
}

/* What this family cannot say, and what its word is worth. */
static void note_limits(struct judging *j)
{
	(void)ay_report_add(j->rep, AY_CHECK_INFO_TPM12, AY_PASS, NULL,
			    "TPM 1.2: signature, PCR values and log are SHA-1, which no longer "
			    "resists collisions");
	(void)ay_report_add(j->rep, AY_CHECK_COUNTER_BACK, AY_NOT_CHECKED,
			    &(struct ay_place){ .optional = true },
			    "a TPM 1.2 signs no clock and no counters: only the nonce shows that "
			    "the quote is new");
	ay_report_grade(j->rep, AY_COMP_IDENTITY, AY_GRADE_TPM_SIGNED);
}

enum ay_rc ay_appraise_quote12(const struct ay_quote12_ask *ask,
			       const struct ay_quote12_evidence *ev, struct ay_quote_facts *out,
			       struct ay_report *rep, struct ay_err *e)
{
	struct judging j = {
		.ask = ask,
		.ev = ev,
		.rep = rep,
		.sig = { .scheme = AY_ALG_RSASSA, .hash = AY_ALG_SHA1, .rsa = ev->signature }
	};
	enum ay_result said;

	*out = (struct ay_quote_facts){ 0 };
	if (ask->ak == NULL || (ev->message.n == 0 && (ev->composite == NULL || ask->nonce.n == 0)))
		return ay_fail(e, AY_E_BUG, "quote", 0,
			       "nothing to verify, or nothing to verify with");
	said = ev->message.n > 0 ? check_message(&j) : check_built(&j);
	if (j.q.digest.n == 0)
		return AY_OK; /* refused before anything of it could be used */
	out->verified = said != AY_FAIL;
	out->fresh = said == AY_PASS;
	out->hash = AY_ALG_SHA1;
	out->pcr_digest_n = AY_TPM12_DIGEST;
	memcpy(out->pcr_digest, j.q.digest.p, AY_TPM12_DIGEST);
	if (ask->exact && out->verified)
		note_limits(&j);
	if (check_selection(&j, out) != AY_FAIL && said != AY_FAIL)
		out->pcrs_attested = check_values(&j, out) == AY_PASS;
	return AY_OK;
}

static bool is_all(struct ay_bytes v, uint8_t octet)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != octet)
			return false;
	return true;
}

enum ay_result ay_check_drtm_launched(const struct ay_pcrs *attested, struct ay_report *rep)
{
	struct ay_place at = { .has_pcr = true, .pcr = 17 };
	bool seen = false;

	for (size_t i = 0; i < attested->n_banks; i++) {
		struct ay_bytes v = ay_pcrs_value(attested, attested->bank[i].alg, 17);

		at.bank = attested->bank[i].alg;
		at.measured = v;
		seen |= v.n > 0;
		if (AY_CHECKED("DRTM_NOT_LAUNCHED",
			       v.n > 0 && (is_all(v, 0x00) || is_all(v, 0xff))))
			return ay_report_add(rep, AY_CHECK_DRTM_NOT_LAUNCHED, AY_FAIL, &at,
					     "PCR 17 was never extended: no measured launch");
	}
	if (!seen)
		return ay_report_add(rep, AY_CHECK_DRTM_NOT_LAUNCHED, AY_NOT_CHECKED, NULL,
				     "PCR 17 was not quoted");
	return ay_report_add(rep, AY_CHECK_DRTM_NOT_LAUNCHED, AY_PASS, NULL, NULL);
}
