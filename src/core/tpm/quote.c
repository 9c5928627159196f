/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/quote.h"

/* TPMS_QUOTE_INFO [TPM2-P2 10.12.1] */
static void read_quoted(struct ay_reader *r, struct ay_quote *q)
{
	ay_pcr_selection_read(r, &q->selection);
	q->pcr_digest = ay_rd_vec16(r, "quote.pcrDigest", AY_DIGEST_MAX);
}

static uint8_t read_yes_no(struct ay_reader *r, const char *field)
{
	uint8_t v = ay_rd_u8(r, field);

	if (v > 1)
		ay_rd_reject(r, field, "is %u, neither yes nor no", v);
	return v;
}

enum ay_rc ay_quote_parse(struct ay_bytes in, struct ay_quote *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_quote q = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	if (in.n > AY_MAX_ATTEST_BYTES)
		ay_rd_limit(&r, "quote", in.n, AY_MAX_ATTEST_BYTES);
	q.magic = ay_rd_be32(&r, "quote.magic"); /* judged by a check */
	q.type = ay_rd_be16(&r, "quote.type");
	q.signer = ay_rd_vec16(&r, "quote.qualifiedSigner", AY_NAME_MAX);
	q.nonce = ay_rd_vec16(&r, "quote.extraData", AY_MAX_QUOTE_NONCE_BYTES);
	q.clock_ms = ay_rd_be64(&r, "quote.clock");
	q.reset_count = ay_rd_be32(&r, "quote.resetCount");
	q.restart_count = ay_rd_be32(&r, "quote.restartCount");
	q.clock_safe = read_yes_no(&r, "quote.safe");
	q.firmware = ay_rd_be64(&r, "quote.firmwareVersion");
	if (q.type == AY_TPM_ST_ATTEST_QUOTE)
		read_quoted(&r, &q);
	else
		q.attested = ay_rd_rest(&r, "quote.attested");

	rc = ay_rd_end(&r, "quote", e);
	*out = rc == AY_OK ? q : (struct ay_quote){ 0 };
	return rc;
}

void ay_quote_write(struct ay_writer *w, const struct ay_quote *q)
{
	ay_wr_be32(w, q->magic);
	ay_wr_be16(w, q->type);
	ay_wr_vec16(w, q->signer);
	ay_wr_vec16(w, q->nonce);
	ay_wr_be64(w, q->clock_ms);
	ay_wr_be32(w, q->reset_count);
	ay_wr_be32(w, q->restart_count);
	ay_wr_u8(w, q->clock_safe);
	ay_wr_be64(w, q->firmware);
	if (q->type != AY_TPM_ST_ATTEST_QUOTE) {
		ay_wr_bytes(w, q->attested);
		return;
	}
	ay_pcr_selection_write(w, &q->selection);
	ay_wr_vec16(w, q->pcr_digest);
}
