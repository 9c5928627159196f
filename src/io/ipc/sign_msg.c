/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ipc/sign_msg.h"

#include "core/base/limits.h"

#include <assert.h>

void ay_signer_ready_build(struct ay_writer *w, const struct ay_signer_ready *r)
{
	ay_wr_bytes(w, AY_BYTES(r->order_spki));
	ay_wr_bytes(w, AY_BYTES(r->ticket_spki));
	ay_wr_bytes(w, AY_BYTES(r->head_spki));
	ay_wr_vec16(w, r->assertion_cert);
	ay_wr_vec16(w, r->root_cert);
	ay_wr_u8(w, (uint8_t)r->n_jwts);
	for (size_t i = 0; i < r->n_jwts; i++) {
		ay_wr_vec16(w, r->jwt[i]);
		ay_wr_be64(w, (uint64_t)r->jwt_until_ms[i]);
	}
}

enum ay_rc ay_signer_ready_parse(struct ay_bytes in, struct ay_signer_ready *out, struct ay_err *e)
{
	struct ay_signer_ready v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_copy(&r, "signer.orderSpki", v.order_spki, sizeof(v.order_spki));
	ay_rd_copy(&r, "signer.ticketSpki", v.ticket_spki, sizeof(v.ticket_spki));
	ay_rd_copy(&r, "signer.headSpki", v.head_spki, sizeof(v.head_spki));
	v.assertion_cert = ay_rd_vec16(&r, "signer.assertionCert", AY_MAX_CERT_BYTES);
	v.root_cert = ay_rd_vec16(&r, "signer.rootCert", AY_MAX_CERT_BYTES);
	v.n_jwts = ay_rd_u8(&r, "signer.jwts");
	if (v.n_jwts > AY_MAX_JWKS_KEYS)
		ay_rd_limit(&r, "signer.jwts", v.n_jwts, AY_MAX_JWKS_KEYS);
	for (size_t i = 0; i < v.n_jwts && ay_rd_ok(&r); i++) {
		v.jwt[i] = ay_rd_vec16(&r, "signer.jwt", AY_MAX_CERT_BYTES);
		v.jwt_until_ms[i] = (int64_t)ay_rd_be64(&r, "signer.jwtUntil");
	}
	rc = ay_rd_end(&r, "signer", e);
	*out = rc == AY_OK ? v : (struct ay_signer_ready){ 0 };
	return rc;
}

void ay_sign_ticket_build(struct ay_writer *w, const struct ay_sign_ticket *t)
{
	ay_wr_bytes(w, AY_BYTES(t->host.b));
	ay_wr_bytes(w, AY_BYTES(t->agent_spki));
	ay_wr_bytes(w, AY_BYTES(t->ca_spki));
	ay_wr_bytes(w, AY_BYTES(t->jti));
	ay_wr_be64(w, (uint64_t)t->expires_at_s);
	ay_wr_u8(w, (uint8_t)t->n_eks);
	for (size_t i = 0; i < t->n_eks; i++)
		ay_wr_bytes(w, AY_BYTES(t->ek[i]));
}

enum ay_rc ay_sign_ticket_parse(struct ay_bytes in, struct ay_sign_ticket *out, struct ay_err *e)
{
	struct ay_sign_ticket v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_copy(&r, "ticket.host", v.host.b, sizeof(v.host.b));
	ay_rd_copy(&r, "ticket.spki", v.agent_spki, sizeof(v.agent_spki));
	ay_rd_copy(&r, "ticket.ca", v.ca_spki, sizeof(v.ca_spki));
	ay_rd_copy(&r, "ticket.jti", v.jti, sizeof(v.jti));
	v.expires_at_s = (int64_t)ay_rd_be64(&r, "ticket.exp");
	v.n_eks = ay_rd_u8(&r, "ticket.eks");
	if (v.n_eks > AY_MAX_TOKEN_EKS)
		ay_rd_limit(&r, "ticket.eks", v.n_eks, AY_MAX_TOKEN_EKS);
	for (size_t i = 0; i < v.n_eks && ay_rd_ok(&r); i++)
		ay_rd_copy(&r, "ticket.ek", v.ek[i], sizeof(v.ek[i]));
	rc = ay_rd_end(&r, "ticket", e);
	*out = rc == AY_OK ? v : (struct ay_sign_ticket){ 0 };
	return rc;
}

void ay_sign_head_build(struct ay_writer *w, const struct ay_sign_head *h)
{
	ay_wr_be64(w, h->size);
	ay_wr_be64(w, (uint64_t)h->at_ms);
	ay_wr_bytes(w, AY_BYTES(h->root));
}

enum ay_rc ay_sign_head_parse(struct ay_bytes in, struct ay_sign_head *out, struct ay_err *e)
{
	struct ay_sign_head v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	v.size = ay_rd_be64(&r, "head.size");
	v.at_ms = (int64_t)ay_rd_be64(&r, "head.at");
	ay_rd_copy(&r, "head.root", v.root, sizeof(v.root));
	rc = ay_rd_end(&r, "head", e);
	*out = rc == AY_OK ? v : (struct ay_sign_head){ 0 };
	return rc;
}

void ay_refusal_build(struct ay_writer *w, const struct ay_refusal *x)
{
	ay_wr_vec8(w, x->code);
	ay_wr_vec16(w, x->text);
	ay_wr_vec8(w, x->ek_hash);
}

void ay_refusal_send(struct ay_ipc *to, uint16_t type, uint32_t req, const char *code,
		     const char *text)
{
	struct ay_refusal no = { .code = ay_bytes_of(code), .text = ay_bytes_of(text) };
	uint8_t room[1024];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, room, sizeof(room));
	ay_refusal_build(&w, &no);
	if (ay_wr_end(&w, "refusal", &body, NULL) == AY_OK)
		ay_ipc_send(to, type, 0, req, body);
}

enum ay_rc ay_refusal_parse(struct ay_bytes in, struct ay_refusal *out, struct ay_err *e)
{
	struct ay_refusal v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	v.code = ay_rd_vec8(&r, "refusal.code", 31);
	v.text = ay_rd_vec16(&r, "refusal.text", 256);
	v.ek_hash = ay_rd_vec8(&r, "refusal.ekHash", 32);
	rc = ay_rd_end(&r, "refusal", e);
	*out = rc == AY_OK ? v : (struct ay_refusal){ 0 };
	return rc;
}

void ay_ca_ready_build(struct ay_writer *w, const struct ay_ca_ready *r)
{
	assert(r->n_certs <= AY_MAX_CERT_CHAIN);
	ay_wr_u8(w, (uint8_t)r->n_certs);
	for (size_t i = 0; i < r->n_certs; i++)
		ay_wr_vec16(w, r->cert[i]);
}

enum ay_rc ay_ca_ready_parse(struct ay_bytes in, struct ay_ca_ready *out, struct ay_err *e)
{
	struct ay_ca_ready v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	v.n_certs = ay_rd_u8(&r, "ca.certs");
	if (v.n_certs < 2 || v.n_certs > AY_MAX_CERT_CHAIN)
		ay_rd_reject(&r, "ca.certs", "%zu certificates", v.n_certs);
	for (size_t i = 0; i < v.n_certs && ay_rd_ok(&r); i++)
		v.cert[i] = ay_rd_vec16(&r, "ca.cert", AY_MAX_CERT_BYTES);
	rc = ay_rd_end(&r, "ca", e);
	*out = rc == AY_OK ? v : (struct ay_ca_ready){ 0 };
	return rc;
}
