/* SPDX-License-Identifier: Apache-2.0 */
#include <tss2/tss2_mu.h>

#include "io/tpmdev/tpm2_priv.h"

enum { QUOTE_TRIES = 3 };

static void selection_to(const struct ay_pcr_selection *s, TPML_PCR_SELECTION *out)
{
	*out = (TPML_PCR_SELECTION){ .count = (UINT32)s->n_banks };
	for (size_t i = 0; i < s->n_banks; i++) {
		TPMS_PCR_SELECTION *p = &out->pcrSelections[i];

		p->hash = s->bank[i].alg;
		p->sizeofSelect = 3;
		for (unsigned k = 0; k < 3; k++)
			p->pcrSelect[k] = (BYTE)(s->bank[i].mask >> 8 * k);
	}
}

static uint32_t mask_of(const TPMS_PCR_SELECTION *s)
{
	uint32_t m = 0;

	for (unsigned k = 0; k < s->sizeofSelect && k < 3; k++)
		m |= (uint32_t)s->pcrSelect[k] << 8 * k;
	return m;
}

/* One TPM2_PCR_Read: what it returned is put into values and taken out of rest. */
static enum ay_rc take_values(const TPML_PCR_SELECTION *got, const TPML_DIGEST *digests,
			      struct ay_pcr_selection *rest, struct ay_pcrs *values,
			      struct ay_err *e)
{
	size_t n = 0;

	for (uint32_t i = 0; i < got->count && i < TPM2_NUM_PCR_BANKS; i++) {
		uint32_t m = mask_of(&got->pcrSelections[i]);

		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			if ((m >> pcr & 1) == 0)
				continue;
			if (n >= digests->count)
				return ay_fail(e, AY_E_UNAVAIL, "pcr.read", 0, "too few values");
			const TPM2B_DIGEST *d = &digests->digests[n++];
			enum ay_rc rc = ay_pcrs_set(values, got->pcrSelections[i].hash, pcr,
						    (struct ay_bytes){ d->buffer, d->size }, e);

			if (rc != AY_OK)
				return rc;
		}
		for (size_t k = 0; k < rest->n_banks; k++)
			if (rest->bank[k].alg == got->pcrSelections[i].hash)
				rest->bank[k].mask &= ~m;
	}
	return n > 0 ? AY_OK : ay_fail(e, AY_E_UNAVAIL, "pcr.read", 0, "the TPM returns no value");
}

static enum ay_rc read_once(struct ay_tpmdev *d, struct ay_pcr_selection *rest,
			    struct ay_pcrs *values, uint32_t *counter, struct ay_err *e)
{
	TPML_PCR_SELECTION in, *got = NULL;
	TPML_DIGEST *digests = NULL;
	enum ay_rc rc;

	selection_to(rest, &in);
	TSS2_RC r = Esys_PCR_Read(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &in, counter,
				  &got, &digests);

	if (r != TSS2_RC_SUCCESS)
		return ay_tpm2_fail(e, "pcr.read", r);
	rc = take_values(got, digests, rest, values, e);
	Esys_Free(got);
	Esys_Free(digests);
	return rc;
}

static uint32_t left(const struct ay_pcr_selection *s)
{
	uint32_t m = 0;

	for (size_t i = 0; i < s->n_banks; i++)
		m |= s->bank[i].mask;
	return m;
}

/* All values of s; *steady is false if the counter was not `before` at every read. */
static enum ay_rc read_all(struct ay_tpmdev *d, const struct ay_pcr_selection *s, uint32_t before,
			   struct ay_pcrs *values, bool *steady, struct ay_err *e)
{
	struct ay_pcr_selection rest = *s;

	*values = (struct ay_pcrs){ 0 };
	*steady = true;
	/* Banks in the order of the selection, whichever the TPM answers first. */
	for (size_t i = 0; i < s->n_banks; i++)
		if (ay_pcrs_bank(values, s->bank[i].alg) == NULL)
			return ay_fail(e, AY_E_INPUT, "selection", 0, "unknown bank");
	while (left(&rest) != 0) {
		uint32_t now;
		enum ay_rc rc = read_once(d, &rest, values, &now, e);

		if (rc != AY_OK)
			return rc;
		*steady = *steady && now == before;
	}
	return AY_OK;
}

static enum ay_rc read_counter(struct ay_tpmdev *d, const struct ay_pcr_selection *s, uint32_t *out,
			       struct ay_err *e)
{
	struct ay_pcr_selection one = { .n_banks = 1 };
	struct ay_pcrs unused = { 0 };

	one.bank[0].alg = s->n_banks > 0 ? s->bank[0].alg : TPM2_ALG_SHA256;
	one.bank[0].mask = 1;
	return read_once(d, &one, &unused, out, e);
}

enum ay_rc ay_tpm2_keep_attest(const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *sig,
			       struct ay_arena *a, struct ay_tpm_quote *out, struct ay_err *e)
{
	uint8_t b[sizeof(TPMT_SIGNATURE)];
	size_t n = 0;

	if (Tss2_MU_TPMT_SIGNATURE_Marshal(sig, b, sizeof(b), &n) != TSS2_RC_SUCCESS)
		return ay_fail(e, AY_E_BUG, "quote.signature", 0, "cannot be written");
	out->sig = ay_arena_dup(a, (struct ay_bytes){ b, n });
	out->attest = ay_arena_dup(a, (struct ay_bytes){ attest->attestationData, attest->size });
	if (out->sig.p == NULL || out->attest.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "quote", 0, "no memory");
	return AY_OK;
}

static enum ay_rc quote_once(struct ay_tpmdev *d, ESYS_TR ak, const struct ay_pcr_selection *s,
			     struct ay_bytes qualifying, struct ay_arena *a,
			     struct ay_tpm_quote *out, struct ay_err *e)
{
	TPM2B_DATA data = { .size = (UINT16)qualifying.n };
	TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	TPML_PCR_SELECTION select;
	TPM2B_ATTEST *attest = NULL;
	TPMT_SIGNATURE *sig = NULL;
	enum ay_rc rc;

	if (qualifying.n > sizeof(data.buffer))
		return ay_fail(e, AY_E_INPUT, "quote.qualifying", 0, "too long");
	memcpy(data.buffer, qualifying.p, qualifying.n);
	selection_to(s, &select);
	TSS2_RC r = Esys_Quote(d->esys, ak, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data,
			       &scheme, &select, &attest, &sig);

	if (r != TSS2_RC_SUCCESS)
		return ay_tpm2_fail(e, "quote", r);
	rc = ay_tpm2_keep_attest(attest, sig, a, out, e);
	Esys_Free(attest);
	Esys_Free(sig);
	return rc;
}

enum ay_rc ay_tpm2_quote(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			 const struct ay_pcr_selection *s, struct ay_bytes qualifying,
			 struct ay_arena *a, struct ay_tpm_quote *out, struct ay_err *e)
{
	struct ay_tpm_quote q = { 0 };
	ESYS_TR key;
	bool steady = false;
	uint32_t counter;
	enum ay_rc rc = ay_tpm2_ak_load(d, ak, &key, e);

	for (int i = 0; rc == AY_OK && !steady && i < QUOTE_TRIES; i++) {
		rc = read_counter(d, s, &counter, e);
		if (rc == AY_OK)
			rc = quote_once(d, key, s, qualifying, a, &q, e);
		if (rc == AY_OK)
			rc = read_all(d, s, counter, &q.values, &steady, e);
	}
	ay_tpm2_flush(d, &key);
	*out = rc == AY_OK ? q : (struct ay_tpm_quote){ 0 };
	return rc;
}
