/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/agent_msg.h"

#include "core/crypto/pinchange.h"

enum {
	TICKET_MAX = 4096,
	ID_OBJECT_MAX = 256,
	SECRET_MAX = 512,
	TEXT_MAX = 512,
	CODE_MAX = 64,
	PIN_CODE_MAX = 24
};

enum ay_rc ay_chan_welcome_parse(struct ay_bytes in, struct ay_chan_welcome *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_welcome m = { 0 };
	uint8_t bound;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	bound = ay_rd_u8(&r, "welcome.bound");
	if (bound > 1)
		ay_rd_reject(&r, "welcome.bound", "%u is neither 0 nor 1", bound);
	m.bound = bound == 1;
	ay_rd_copy(&r, "welcome.host", m.host.b, sizeof(m.host.b));
	m.name = ay_rd_vec8(&r, "welcome.name", AY_MAX_NAME_BYTES);
	rc = ay_rd_end(&r, "welcome", e);
	*out = rc == AY_OK ? m : (struct ay_chan_welcome){ 0 };
	return rc;
}

static void read_certs(struct ay_reader *r, struct ay_chan_provision *m)
{
	size_t n = ay_rd_u8(r, "provision.n");

	if (n > AY_MAX_CERT_CHAIN)
		ay_rd_limit(r, "provision.n", n, AY_MAX_CERT_CHAIN);
	while (m->n_certs < n && ay_rd_ok(r))
		m->certs[m->n_certs++] = ay_rd_vec16(r, "provision.certificate", AY_MAX_CERT_BYTES);
}

enum ay_rc ay_chan_provision_parse(struct ay_bytes in, struct ay_chan_provision *out,
				   struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_provision m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_copy(&r, "provision.host", m.host.b, sizeof(m.host.b));
	m.ticket = ay_rd_vec16(&r, "provision.ticket", TICKET_MAX);
	read_certs(&r, &m);
	ay_rd_copy(&r, "provision.nonce", m.nonce, sizeof(m.nonce));
	ay_pcr_selection_read(&r, &m.selection);
	rc = ay_rd_end(&r, "provision", e);
	*out = rc == AY_OK ? m : (struct ay_chan_provision){ 0 };
	return rc;
}

enum ay_rc ay_chan_ca_challenge_parse(struct ay_bytes in, struct ay_chan_ca_challenge *out,
				      struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_ca_challenge m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	m.id_object = ay_rd_vec16(&r, "ca_challenge.idObject", ID_OBJECT_MAX);
	m.secret = ay_rd_vec16(&r, "ca_challenge.secret", SECRET_MAX);
	rc = ay_rd_end(&r, "ca_challenge", e);
	*out = rc == AY_OK ? m : (struct ay_chan_ca_challenge){ 0 };
	return rc;
}

enum ay_rc ay_chan_ca_cert_parse(struct ay_bytes in, struct ay_chan_ca_cert *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_ca_cert m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	m.id_object = ay_rd_vec16(&r, "ca_cert.idObject", ID_OBJECT_MAX);
	m.secret = ay_rd_vec16(&r, "ca_cert.secret", SECRET_MAX);
	m.iv = ay_rd_bytes(&r, "ca_cert.iv", 12);
	m.sealed = ay_rd_vec16(&r, "ca_cert.sealed", AY_MAX_CERT_BYTES + 16);
	rc = ay_rd_end(&r, "ca_cert", e);
	*out = rc == AY_OK ? m : (struct ay_chan_ca_cert){ 0 };
	return rc;
}

enum ay_rc ay_chan_enrolled_parse(struct ay_bytes in, struct ay_chan_enrolled *out,
				  struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_enrolled m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_copy(&r, "enrolled.host", m.host.b, sizeof(m.host.b));
	m.name = ay_rd_vec8(&r, "enrolled.name", AY_MAX_NAME_BYTES);
	m.ends_at_ms = (int64_t)ay_rd_be64(&r, "enrolled.ends");
	m.renew_at_ms = (int64_t)ay_rd_be64(&r, "enrolled.renew");
	if (m.ends_at_ms < 0 || m.renew_at_ms < 0)
		ay_rd_reject(&r, "enrolled.ends", "before 1970");
	rc = ay_rd_end(&r, "enrolled", e);
	*out = rc == AY_OK ? m : (struct ay_chan_enrolled){ 0 };
	return rc;
}

enum ay_rc ay_chan_challenge_parse(struct ay_bytes in, struct ay_chan_challenge *out,
				   struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_challenge m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_copy(&r, "challenge.nonce", m.nonce, sizeof(m.nonce));
	ay_pcr_selection_read(&r, &m.selection);
	ay_rd_copy(&r, "challenge.boot", m.boot_id, sizeof(m.boot_id));
	m.ima_octets = ay_rd_be64(&r, "challenge.imaOctets");
	m.ima_entries = ay_rd_be64(&r, "challenge.imaEntries");
	ay_rd_copy(&r, "challenge.logHash", m.log_hash, sizeof(m.log_hash));
	ay_rd_copy(&r, "challenge.valuesHash", m.values_hash, sizeof(m.values_hash));
	m.deadline_ms = ay_rd_be32(&r, "challenge.deadline");
	m.last_verdict = ay_rd_u8(&r, "challenge.verdict");
	m.last_request = ay_rd_be32(&r, "challenge.request");
	rc = ay_rd_end(&r, "challenge", e);
	*out = rc == AY_OK ? m : (struct ay_chan_challenge){ 0 };
	return rc;
}

enum ay_rc ay_chan_result_parse(struct ay_bytes in, struct ay_chan_result *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_result m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	m.verdict = ay_rd_u8(&r, "result.verdict");
	m.lease_ms = (int64_t)ay_rd_be64(&r, "result.lease");
	m.text = ay_rd_vec16(&r, "result.text", TEXT_MAX);
	rc = ay_rd_end(&r, "result", e);
	*out = rc == AY_OK ? m : (struct ay_chan_result){ 0 };
	return rc;
}

enum ay_rc ay_chan_pin_change_parse(struct ay_bytes in, struct ay_chan_pin_change *out,
				    struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_pin_change m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	m.statement = ay_rd_vec16(&r, "pin_change.statement", AY_PIN_CHANGE_MAX);
	m.cert = ay_rd_vec16(&r, "pin_change.certificate", AY_MAX_CERT_BYTES);
	rc = ay_rd_end(&r, "pin_change", e);
	*out = rc == AY_OK ? m : (struct ay_chan_pin_change){ 0 };
	return rc;
}

static bool is_code(struct ay_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (!(b.p[i] >= 'A' && b.p[i] <= 'Z') && !(b.p[i] >= '0' && b.p[i] <= '9') &&
		    b.p[i] != '_')
			return false;
	return true;
}

enum ay_rc ay_chan_pin_state_parse(struct ay_bytes in, struct ay_chan_pin_state *out,
				   struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_pin_state m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	m.purpose = ay_rd_u8(&r, "pin_state.purpose");
	if (m.purpose < 1 || m.purpose > AY_PIN_PURPOSES)
		ay_rd_reject(&r, "pin_state.purpose", "%u is not known", m.purpose);
	ay_rd_copy(&r, "pin_state.pin", m.pin, sizeof(m.pin));
	m.code = ay_rd_vec8(&r, "pin_state.code", PIN_CODE_MAX);
	if (!is_code(m.code))
		ay_rd_reject(&r, "pin_state.code", "is no code");
	rc = ay_rd_end(&r, "pin_state", e);
	*out = rc == AY_OK ? m : (struct ay_chan_pin_state){ 0 };
	return rc;
}

void ay_chan_pin_state_write(struct ay_writer *w, const struct ay_chan_pin_state *m)
{
	ay_wr_u8(w, m->purpose);
	ay_wr_bytes(w, AY_BYTES(m->pin));
	ay_wr_vec8(w, m->code);
}

enum ay_rc ay_chan_fail_parse(struct ay_bytes in, struct ay_chan_fail *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_chan_fail m = { 0 };
	enum ay_rc rc;

	ay_rd_init(&r, in);
	m.code = ay_rd_vec8(&r, "fail.code", CODE_MAX);
	m.text = ay_rd_vec16(&r, "fail.text", 1024);
	rc = ay_rd_end(&r, "fail", e);
	*out = rc == AY_OK ? m : (struct ay_chan_fail){ 0 };
	return rc;
}

void ay_chan_hello_write(struct ay_writer *w, const struct ay_chan_hello *h)
{
	ay_wr_be16(w, AY_CHANNEL_VERSION);
	ay_wr_vec8(w, ay_bytes_of(h->version));
	ay_wr_vec8(w, ay_bytes_of(h->name));
	ay_wr_bytes(w, (struct ay_bytes){ h->boot_id.b, sizeof(h->boot_id.b) });
	ay_wr_u8(w, h->family);
	ay_wr_bytes(w, (struct ay_bytes){ (const uint8_t *)h->manufacturer, 4 });
	ay_wr_be64(w, h->firmware);
	ay_wr_u8(w, (uint8_t)h->n_banks);
	for (size_t i = 0; i < h->n_banks; i++)
		ay_wr_be16(w, h->bank[i]);
	ay_wr_u8(w, h->has_ak ? 1 : 0);
	ay_wr_u8(w, (uint8_t)((h->sends_logs ? AY_CHAN_FEATURE_LOGS : 0) |
			      (h->takes_pins ? AY_CHAN_FEATURE_PINS : 0)));
}

void ay_chan_evidence_write(struct ay_writer *w, const struct ay_chan_evidence *m)
{
	ay_wr_vec16(w, m->attest);
	ay_wr_vec16(w, m->sig);
	ay_wr_bytes(w, (struct ay_bytes){ m->boot_id.b, sizeof(m->boot_id.b) });
	ay_wr_u8(w, (uint8_t)m->hints);
	if (m->hints != AY_CHAN_HINTS_NONE)
		ay_pcrs_write(w, m->values);
	ay_wr_u8(w, (uint8_t)m->log);
	if (m->log == AY_CHAN_LOG_FOLLOWS)
		ay_wr_vec32(w, m->log_bytes);
	ay_wr_u8(w, (uint8_t)m->ima);
	if (m->ima != AY_CHAN_LOG_FOLLOWS)
		return;
	ay_wr_be64(w, m->ima_offset);
	ay_wr_be64(w, m->ima_entries);
	ay_wr_vec32(w, m->ima_bytes);
}

size_t ay_chan_evidence_room(const struct ay_chan_evidence *m)
{
	return m->attest.n + m->sig.n + m->log_bytes.n + m->ima_bytes.n + AY_PCRS_WIRE_MAX + 64;
}

void ay_chan_fail_write(struct ay_writer *w, const char *code, const char *text)
{
	ay_wr_vec8(w, ay_bytes_of(code));
	ay_wr_vec16(w, ay_bytes_of(text));
}
