/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-ca/run.h"

#include "core/base/reader.h"
#include "io/ipc/sign_msg.h"
#include "io/ipc/tables.h"
#include "io/sys/clock.h"
#include "io/sys/config.h"
#include "io/sys/log.h"

enum { BODY_MAX = 32768 };

static struct ay_ca_now now(void)
{
	return (struct ay_ca_now){ .wall_ms = ay_clock_wall_ms(), .mono_ms = ay_clock_mono_ms() };
}

static void refuse(struct ay_ipc *c, const struct ay_ipc_msg *m, const struct ay_err *e,
		   struct ay_bytes ek_hash)
{
	struct ay_refusal r = { .code = ay_bytes_of(e->code),
				.text = ay_bytes_of(e->text),
				.ek_hash = ek_hash };
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes body;

	AY_LOG(AY_LOG_INFO, "refused", AY_LS("code", e->code), AY_LS("where", e->where),
	       AY_LS("text", e->text));
	ay_wr_init(&w, buf, sizeof(buf));
	ay_refusal_build(&w, &r);
	if (ay_wr_end(&w, "refusal", &body, NULL) == AY_OK)
		ay_ipc_send(c, AY_MSG_CA_REFUSED, m->conn, m->req, body);
}

static void answer(struct ay_ipc *c, const struct ay_ipc_msg *m, uint16_t type,
		   const struct ay_writer *w)
{
	struct ay_bytes body;
	struct ay_err e = { 0 };

	if (ay_wr_end(w, "answer", &body, &e) == AY_OK) {
		ay_ipc_send(c, type, m->conn, m->req, body);
		return;
	}
	if (ay_err_coded(&e, AY_E_BUG, "CA_FAULT") != AY_OK)
		refuse(c, m, &e, (struct ay_bytes){ 0 });
}

static void identity(struct ay_ca *ca, struct ay_ipc *c, const struct ay_ipc_msg *m)
{
	uint8_t buf[BODY_MAX];
	struct ay_ca_refusal why;
	struct ay_err e = { 0 };
	struct ay_writer w;
	bool tell;

	ay_wr_init(&w, buf, 4096);
	if (ay_ca_identity(ca, m->body, now(), &w, &why, &e) == AY_OK) {
		answer(c, m, AY_MSG_CA_CHALLENGED, &w);
		return;
	}
	/* the hash goes out only where an operator needs it to approve */
	tell = why.has_ek && strcmp(e.code, "EK_CHAIN") == 0;
	refuse(c, m, &e, tell ? AY_BYTES(why.ek_hash) : (struct ay_bytes){ 0 });
}

static void activated(struct ay_ca *ca, struct ay_ipc *c, const struct ay_ipc_msg *m)
{
	uint8_t buf[BODY_MAX];
	struct ay_err e = { 0 };
	struct ay_writer w;

	ay_wr_init(&w, buf, sizeof(buf));
	if (ay_ca_activated(ca, m->body, now(), &w, &e) == AY_OK)
		answer(c, m, AY_MSG_CA_ISSUED, &w);
	else
		refuse(c, m, &e, (struct ay_bytes){ 0 });
}

static enum ay_rc approve(struct ay_ca *ca, const struct ay_ipc_msg *m, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_bytes hash, who, reason;
	enum ay_rc rc;

	ay_rd_init(&r, m->body);
	hash = ay_rd_bytes(&r, "approve.ekHash", 32);
	who = ay_rd_vec8(&r, "approve.who", 255);
	reason = ay_rd_vec16(&r, "approve.reason", 512);
	rc = ay_rd_end(&r, "approve", e);
	if (rc != AY_OK)
		return rc;
	AY_LOG(AY_LOG_INFO, "EK approved", AY_LH("ek", hash), AY_LB("who", who));
	return ay_ca_approve(ca, hash.p, who, reason, ay_clock_wall_ms(), e);
}

static enum ay_rc revoke(struct ay_ca *ca, const struct ay_ipc_msg *m, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_bytes serial;
	uint8_t reason;
	enum ay_rc rc;

	ay_rd_init(&r, m->body);
	serial = ay_rd_vec8(&r, "revoke.serial", 64);
	reason = ay_rd_u8(&r, "revoke.reason");
	rc = ay_rd_end(&r, "revoke", e);
	if (rc != AY_OK)
		return rc;
	AY_LOG(AY_LOG_INFO, "AIK certificate revoked", AY_LH("serial", serial));
	return ay_ca_revoke(ca, serial, reason, ay_clock_wall_ms(), e);
}

static void done(struct ay_ipc *c, const struct ay_ipc_msg *m, enum ay_rc rc, struct ay_err *e)
{
	if (rc == AY_OK)
		ay_ipc_send(c, AY_MSG_CA_DONE, m->conn, m->req, (struct ay_bytes){ 0 });
	else if (ay_err_coded(e, rc, rc == AY_E_INPUT ? "CA_MALFORMED" : "CA_FAULT") != AY_OK)
		refuse(c, m, e, (struct ay_bytes){ 0 });
}

static void get_crl(struct ay_ca *ca, struct ay_ipc *c, const struct ay_ipc_msg *m)
{
	struct ay_bytes crl;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_ca_crl(ca, ay_clock_wall_ms(), &crl, &e);

	if (rc == AY_OK)
		ay_ipc_send(c, AY_MSG_CA_CRL, m->conn, m->req, crl);
	else
		done(c, m, rc, &e);
	ay_certgen_free(&crl);
}

void ay_ca_serve(struct ay_ca *ca, struct ay_ipc *c, const struct ay_ipc_msg *m)
{
	struct ay_err e = { 0 };

	switch (m->type) {
	case AY_MSG_CA_IDENTITY:
		identity(ca, c, m);
		break;
	case AY_MSG_CA_ACTIVATED:
		activated(ca, c, m);
		break;
	case AY_MSG_CA_EK_APPROVE:
		done(c, m, approve(ca, m, &e), &e);
		break;
	case AY_MSG_CA_REVOKE:
		done(c, m, revoke(ca, m, &e), &e);
		break;
	case AY_MSG_CA_GET_CRL:
		get_crl(ca, c, m);
		break;
	default:
		break; /* the table lets no other type through */
	}
}

void ay_ca_settings_read(const struct ay_config *c, struct ay_ca_settings *out)
{
	*out = (struct ay_ca_settings){
		.ek_trust_dir = ay_config_str(c, "ek_trust_dir"),
		.ek_tofu = ay_config_bool(c, "ek_tofu"),
		.reveal_ek = ay_config_bool(c, "reveal_ek"),
		.ek_crl_required = strcmp(ay_config_str(c, "ek_crl"), "require") == 0,
		.ignore_ek_dates = !ay_config_bool(c, "ek_dates"),
		.aik_life_ms = ay_config_int(c, "aik_life"),
	};
}

void ay_ca_greet(struct ay_ca *ca, struct ay_ipc *c)
{
	static uint8_t buf[AY_MAX_CERT_BYTES * 3 + 64];
	struct ay_ca_ready r = { 0 };
	struct ay_bytes body;
	struct ay_writer w;
	const struct ay_bytes *certs = ay_ca_certs(ca, &r.n_certs);

	for (size_t i = 0; i < r.n_certs; i++)
		r.cert[i] = certs[i];
	ay_wr_init(&w, buf, sizeof(buf));
	ay_ca_ready_build(&w, &r);
	if (ay_wr_end(&w, "CA_READY", &body, NULL) == AY_OK)
		ay_ipc_send(c, AY_MSG_CA_READY, 0, 0, body);
}
