/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/evidence.h"

#define AGENT_TEXT_MAX 128

static void read_log(struct ay_reader *r, struct ay_evidence *ev)
{
	uint8_t given = ay_rd_u8(r, "evidence.log");

	if (given > AY_GIVEN_UNREADABLE)
		ay_rd_reject(r, "evidence.log", "%u is not one of 0 to 3", given);
	ev->log = given;
	if (ay_rd_ok(r) && given == AY_GIVEN_NEW)
		ev->log_octets = ay_rd_vec32(r, "evidence.logOctets", AY_MAX_EVLOG_BYTES);
}

static void read_ima(struct ay_reader *r, struct ay_evidence *ev)
{
	uint8_t given = ay_rd_u8(r, "evidence.ima");

	if (given > AY_GIVEN_UNREADABLE)
		ay_rd_reject(r, "evidence.ima", "%u is not one of 0 to 3", given);
	ev->ima = given;
	if (!ay_rd_ok(r) || given != AY_GIVEN_NEW)
		return;
	ev->ima_offset = ay_rd_be64(r, "evidence.imaOffset");
	ev->ima_entries = ay_rd_be64(r, "evidence.imaEntries");
	ev->ima_octets = ay_rd_vec32(r, "evidence.imaOctets", AY_MAX_EVIDENCE_BYTES);
}

/* The values are read for their size only; they are read again on top of the known ones. */
static void read_values(struct ay_reader *r, struct ay_evidence *ev)
{
	struct ay_pcrs skipped;
	const uint8_t *from;
	size_t left;

	ev->hints = ay_rd_u8(r, "evidence.hints");
	if (ev->hints > 2)
		ay_rd_reject(r, "evidence.hints", "%u is not one of 0 to 2", ev->hints);
	if (!ay_rd_ok(r) || ev->hints == 0)
		return;
	from = r->p;
	left = ay_rd_left(r);
	ay_pcrs_read(r, &skipped);
	if (ay_rd_ok(r))
		ev->values = (struct ay_bytes){ from, left - ay_rd_left(r) };
}

enum ay_rc ay_evidence_parse(struct ay_bytes body, struct ay_evidence *out, struct ay_err *e)
{
	struct ay_evidence ev = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, body);
	ev.attest = ay_rd_vec16(&r, "evidence.attest", AY_MAX_ATTEST_BYTES);
	ev.signature = ay_rd_vec16(&r, "evidence.signature", AY_MAX_SIGNATURE_BYTES);
	ay_rd_copy(&r, "evidence.bootId", ev.boot_id, sizeof(ev.boot_id));
	read_values(&r, &ev);
	read_log(&r, &ev);
	read_ima(&r, &ev);
	rc = ay_rd_end(&r, "evidence", e);
	*out = rc == AY_OK ? ev : (struct ay_evidence){ 0 };
	return rc;
}

static void overlay(struct ay_pcrs *all, const struct ay_pcrs *changed, struct ay_reader *r)
{
	for (size_t i = 0; i < changed->n_banks; i++) {
		const struct ay_pcr_bank *b = &changed->bank[i];

		for (unsigned pcr = 0; pcr < AY_PCR_COUNT && ay_rd_ok(r); pcr++)
			if ((b->have >> pcr & 1) &&
			    ay_pcrs_set(all, b->alg, pcr, ay_pcrs_value(changed, b->alg, pcr),
					NULL) != AY_OK)
				ay_rd_reject(r, "evidence.values", "no room for a bank");
	}
}

enum ay_rc ay_evidence_values(const struct ay_evidence *ev, struct ay_bytes known,
			      struct ay_pcrs *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_pcrs given;
	enum ay_rc rc;

	*out = (struct ay_pcrs){ 0 };
	if (ev->hints == 0)
		return AY_OK;
	if (ev->hints == 2) {
		if (known.n == 0)
			return ay_fail(e, AY_E_INPUT, "evidence.hints", 0,
				       "only changes were sent, and no values are known");
		ay_rd_init(&r, known);
		ay_pcrs_read(&r, out);
		rc = ay_rd_end(&r, "known values", e);
		if (rc != AY_OK)
			return rc;
		if (ev->values.n == 1) /* no bank: nothing changed */
			return AY_OK;
	}
	ay_rd_init(&r, ev->values);
	ay_pcrs_read(&r, ev->hints == 2 ? &given : out);
	if (ev->hints == 2)
		overlay(out, &given, &r);
	rc = ay_rd_end(&r, "evidence.values", e);
	if (rc != AY_OK)
		*out = (struct ay_pcrs){ 0 };
	return rc;
}

enum ay_rc ay_hello_parse(struct ay_bytes body, struct ay_hello *out, struct ay_err *e)
{
	struct ay_hello h = { 0 };
	struct ay_reader r;
	enum ay_rc rc;
	uint8_t n;

	ay_rd_init(&r, body);
	h.version = ay_rd_be16(&r, "hello.version");
	if (ay_rd_ok(&r) && h.version != 1)
		ay_rd_reject(&r, "hello.version", "version %u is not 1", h.version);
	h.agent = ay_rd_vec8(&r, "hello.agent", AGENT_TEXT_MAX);
	h.name = ay_rd_vec8(&r, "hello.name", AY_MAX_NAME_BYTES);
	ay_rd_copy(&r, "hello.bootId", h.boot_id, sizeof(h.boot_id));
	h.tpm_family = ay_rd_u8(&r, "hello.tpmFamily");
	ay_rd_copy(&r, "hello.manufacturer", h.manufacturer, sizeof(h.manufacturer));
	h.firmware = ay_rd_be64(&r, "hello.firmware");
	n = ay_rd_u8(&r, "hello.banks");
	if (n > AY_HELLO_BANKS)
		ay_rd_limit(&r, "hello.banks", n, AY_HELLO_BANKS);
	while (h.n_banks < n && ay_rd_ok(&r))
		h.bank[h.n_banks++] = ay_rd_be16(&r, "hello.bank");
	h.ak_state = ay_rd_u8(&r, "hello.akState");
	h.features = ay_rd_u8(&r, "hello.features");
	rc = ay_rd_end(&r, "hello", e);
	*out = rc == AY_OK ? h : (struct ay_hello){ 0 };
	return rc;
}

void ay_challenge_write(struct ay_writer *w, const struct ay_challenge_body *b)
{
	ay_wr_bytes(w, AY_BYTES(b->nonce));
	ay_pcr_selection_write(w, &b->selection);
	ay_wr_bytes(w, AY_BYTES(b->boot_id));
	ay_wr_be64(w, b->ima_octets);
	ay_wr_be64(w, b->ima_entries);
	ay_wr_bytes(w, AY_BYTES(b->log_hash));
	ay_wr_bytes(w, AY_BYTES(b->pcrs_hash));
	ay_wr_be32(w, b->deadline_ms);
	ay_wr_u8(w, b->last_verdict);
	ay_wr_be32(w, b->last_request);
}

enum ay_rc ay_enrol_proof_parse(struct ay_bytes body, struct ay_enrol_proof *out, struct ay_err *e)
{
	struct ay_enrol_proof p = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, body);
	p.cert = ay_rd_vec16(&r, "proof.certificate", AY_MAX_CERT_BYTES);
	p.public = ay_rd_vec16(&r, "proof.public", AY_MAX_PUBLIC_BYTES);
	p.attest = ay_rd_vec16(&r, "proof.attest", AY_MAX_ATTEST_BYTES);
	p.signature = ay_rd_vec16(&r, "proof.signature", AY_MAX_SIGNATURE_BYTES);
	rc = ay_rd_end(&r, "proof", e);
	*out = rc == AY_OK ? p : (struct ay_enrol_proof){ 0 };
	return rc;
}
