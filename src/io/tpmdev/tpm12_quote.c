/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tpmdev/tpm12_priv.h"

enum { QUOTE_TRIES = 3, SELECT = 3 };

/* externalData has 20 octets: the first ones of the qualifying data [design 5]. */
static void put_external(struct ay_bytes qualifying, uint8_t out[AY_SHA1_BYTES])
{
	memset(out, 0, AY_SHA1_BYTES);
	memcpy(out, qualifying.p, qualifying.n < AY_SHA1_BYTES ? qualifying.n : AY_SHA1_BYTES);
}

struct asking {
	uint32_t key, mask;
	uint8_t external[AY_SHA1_BYTES];
	bool second; /* TPM_Quote2: it says itself which PCRs it is over */
};

static enum ay_rc quote_once(struct ay_tpmdev *d, const struct asking *q, struct ay_call12 *x,
			     struct ay_signed12 *out, struct ay_err *e)
{
	enum ay_rc rc = ay_tpm12_oiap(d, x, ay_tpm12_well_known, e);

	if (rc != AY_OK)
		return rc;
	ay_cmd12_begin(&x->c, q->second ? AY_ORD12_QUOTE2 : AY_ORD12_QUOTE);
	ay_wr_be32(&x->c.w, q->key);
	ay_cmd12_params(&x->c);
	ay_wr_bytes(&x->c.w, AY_BYTES(q->external));
	ay_selection12_write(&x->c.w, q->mask);
	if (q->second)
		ay_wr_u8(&x->c.w, 0); /* addVersion */
	rc = ay_tpm12_call(d, x, 0, e);
	return rc == AY_OK ? ay_signed12_parse(x->reply, q->second, q->external, out, e) : rc;
}

/* Old chips know only TPM_Quote. */
static enum ay_rc quote_either(struct ay_tpmdev *d, struct asking *q, struct ay_call12 *x,
			       struct ay_signed12 *out, struct ay_err *e)
{
	enum ay_rc rc = quote_once(d, q, x, out, e);

	if (rc == AY_E_UNAVAIL && q->second && x->c.code == AY_RC12_BAD_ORDINAL) {
		q->second = false;
		ay_tpm12_abandon(d, x);
		rc = quote_once(d, q, x, out, e);
	}
	return rc;
}

enum ay_rc ay_tpm12_pcr_read(struct ay_tpmdev *d, unsigned pcr, uint8_t out[AY_SHA1_BYTES],
			     struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	memset(out, 0, AY_SHA1_BYTES);
	ay_cmd12_begin(&x.c, AY_ORD12_PCR_READ);
	ay_wr_be32(&x.c.w, pcr);
	rc = ay_tpm12_call(d, &x, 0, e);
	if (rc != AY_OK)
		return rc;
	ay_rd_init(&r, x.reply);
	ay_rd_copy(&r, "pcr.value", out, AY_SHA1_BYTES);
	return ay_rd_end(&r, "pcr", e);
}

static enum ay_rc read_values(struct ay_tpmdev *d, uint32_t mask, struct ay_pcrs *out,
			      struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	*out = (struct ay_pcrs){ 0 };
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT && rc == AY_OK; pcr++) {
		uint8_t value[AY_SHA1_BYTES];

		if ((mask >> pcr & 1) == 0)
			continue;
		rc = ay_tpm12_pcr_read(d, pcr, value, e);
		if (rc == AY_OK)
			rc = ay_pcrs_set(out, AY_ALG_SHA1, pcr, AY_BYTES(value), e);
	}
	return rc;
}

/* There is no update counter: the values are steady if they have the digest that was signed. */
static bool is_steady(const struct ay_signed12 *q, const struct ay_pcrs *values, uint32_t mask)
{
	uint8_t digest[AY_TPM12_DIGEST];

	return ay_composite12_of(values, mask, SELECT, digest) &&
	       memcmp(digest, q->digest, sizeof(digest)) == 0;
}

static enum ay_rc keep(const struct ay_signed12 *q, struct ay_arena *a, struct ay_tpm_quote *out,
		       struct ay_err *e)
{
	out->attest = ay_arena_dup(a, (struct ay_bytes){ q->message, q->n });
	out->sig = ay_arena_dup(a, q->signature);
	if (out->attest.p == NULL || out->sig.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "quote", 0, "no memory");
	return AY_OK;
}

enum ay_rc ay_tpm12_quote(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			  const struct ay_pcr_selection *s, struct ay_bytes qualifying,
			  struct ay_arena *a, struct ay_tpm_quote *out, struct ay_err *e)
{
	struct asking q = { .second = true };
	struct ay_tpm_quote done = { 0 };
	bool steady = false;
	enum ay_rc rc;

	*out = done;
	if (s->n_banks != 1 || s->bank[0].alg != AY_ALG_SHA1 || s->bank[0].mask == 0)
		return ay_fail(e, AY_E_INPUT, "selection", 0, "a TPM 1.2 has one bank, SHA-1");
	q.mask = s->bank[0].mask;
	put_external(qualifying, q.external);
	rc = ay_tpm12_load(d, ak->priv, &q.key, e);
	if (rc != AY_OK)
		return rc;
	for (int i = 0; rc == AY_OK && !steady && i < QUOTE_TRIES; i++) {
		struct ay_call12 x = { 0 };
		struct ay_signed12 got;

		rc = quote_either(d, &q, &x, &got, e);
		if (rc == AY_OK)
			rc = keep(&got, a, &done, e);
		if (rc == AY_OK)
			rc = read_values(d, q.mask, &done.values, e);
		steady = rc == AY_OK && is_steady(&got, &done.values, q.mask);
		ay_tpm12_abandon(d, &x);
	}
	ay_tpm12_flush(d, q.key, AY_RT12_KEY);
	if (rc == AY_OK)
		*out = done;
	return rc;
}
