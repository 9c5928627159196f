/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "core/crypto/x509.h"

#include <stdlib.h>

#define ANSWER_MS 15000

bool ay_engine_is_ready(const struct ay_engine *g)
{
	return g->have_front && g->have_signer && (g->have_ca || !g->ca) && !g->stopping;
}

void ay_relay_tell_ready(struct ay_engine *g)
{
	bool ready = ay_engine_is_ready(g) && ay_keychain_holds(g);
	char text[AY_IPC_MAX_STATE];
	struct ay_ipc_msg m = { .type = AY_MSG_ENGINE_STATE,
				.sub = ready,
				.body = ay_keychain_reminders(g, text, sizeof(text)) };

	if ((ready == g->ready_told && m.body.n == g->reminded) || !g->front)
		return;
	g->ready_told = ready;
	g->reminded = m.body.n;
	ay_ipc_send_msg(g->front, &m);
}

/* ---- questions and answers ---- */

uint32_t ay_relay_ask_for(struct ay_engine *g, struct ay_ipc *to, uint16_t type,
			  struct ay_bytes body, int64_t wait_ms, ay_answer_fn *fn, void *arg)
{
	struct ay_question *q = to && !ay_ipc_is_gone(to) ? calloc(1, sizeof(*q)) : NULL;
	struct ay_err e;

	if (!q) {
		e.rc = ay_fail_code(&e, AY_E_UNAVAIL, "UNAVAIL", "relay",
				    "the process that answers this is not there");
		fn(g, arg, AY_E_UNAVAIL, &e, (struct ay_bytes){ 0 });
		return 0;
	}
	if (++g->next_req == 0)
		g->next_req = 1;
	*q = (struct ay_question){ .next = g->questions,
				   .req = g->next_req,
				   .until = g->mono_ms + wait_ms,
				   .fn = fn,
				   .arg = arg };
	g->questions = q;
	ay_ipc_send(to, type, 0, q->req, body);
	return q->req;
}

void ay_relay_ask(struct ay_engine *g, struct ay_ipc *to, uint16_t type, struct ay_bytes body,
		  ay_answer_fn *fn, void *arg)
{
	(void)ay_relay_ask_for(g, to, type, body, ANSWER_MS, fn, arg);
}

static struct ay_question *take(struct ay_engine *g, uint32_t req)
{
	struct ay_question **at = &g->questions, *q;

	while (*at && (*at)->req != req)
		at = &(*at)->next;
	q = *at;
	if (q)
		*at = q->next;
	return q;
}

static bool is_asked(const struct ay_engine *g, uint32_t req)
{
	const struct ay_question *q = g->questions;

	while (q && q->req != req)
		q = q->next;
	return q != NULL;
}

static void answered(struct ay_engine *g, const struct ay_ipc_msg *m)
{
	struct ay_question *q = take(g, m->req);

	if (!q)
		return; /* it came too late */
	q->fn(g, q->arg, AY_OK, NULL, m->body);
	free(q);
}

static void refused(struct ay_engine *g, const struct ay_ipc_msg *m)
{
	struct ay_question *q = take(g, m->req);
	struct ay_refusal no;
	struct ay_err e;

	if (!q)
		return;
	if (ay_refusal_parse(m->body, &no, &e) == AY_OK) {
		e.rc = ay_fail(&e, AY_E_CRYPTO, "relay", 0, "%.*s", (int)no.text.n,
			       (const char *)no.text.p);
		snprintf(e.code, sizeof(e.code), "%.*s", (int)no.code.n, (const char *)no.code.p);
	}
	q->fn(g, q->arg, e.rc, &e, (struct ay_bytes){ 0 });
	free(q);
}

static void end_question(struct ay_engine *g, struct ay_question *q, const char *why)
{
	struct ay_err e;

	e.rc = ay_fail_code(&e, AY_E_UNAVAIL, "UNAVAIL", "relay", "%s", why);
	q->fn(g, q->arg, AY_E_UNAVAIL, &e, (struct ay_bytes){ 0 });
	free(q);
}

void ay_relay_expire(struct ay_engine *g, uint32_t req)
{
	struct ay_question *q = take(g, req);

	if (q)
		end_question(g, q, "given up");
}

void ay_relay_tick(struct ay_engine *g)
{
	struct ay_question **at = &g->questions, *q;

	while ((q = *at)) {
		if (g->mono_ms < q->until) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		end_question(g, q, "no answer in time");
		at = &g->questions;
	}
}

void ay_relay_end(struct ay_engine *g)
{
	struct ay_question *q;

	while ((q = g->questions)) {
		g->questions = q->next;
		end_question(g, q, "the server is stopping");
	}
}

void ay_relay_fini(struct ay_engine *g)
{
	ay_relay_end(g);
	free(g->ca_certs);
	free(g->crl);
}

/* ---- signer ---- */

static void on_signer_ready(struct ay_engine *g, struct ay_bytes body)
{
	struct ay_signer_ready r;
	struct ay_err e;

	if (ay_signer_ready_parse(body, &r, &e) != AY_OK ||
	    ay_cert_spki_hash_of(r.root_cert, g->root_spki, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "signer", &e);
		return;
	}
	memcpy(g->order_spki, r.order_spki, sizeof(g->order_spki));
	ay_sha256(body, g->signer_keys);
	g->jwks.n = 0;
	for (size_t i = 0; i < r.n_jwts; i++)
		if (ay_jwk_of_spki(r.jwt[i], &g->jwks.key[g->jwks.n], &e) == AY_OK)
			g->jwks_until_ms[g->jwks.n++] = r.jwt_until_ms[i];
		else
			ay_log_err(AY_LOG_ERROR, "key of the signer", &e);
	g->have_signer = true;
	ay_relay_tell_ready(g);
}

void ay_relay_signer(struct ay_engine *g, const struct ay_ipc_msg *m)
{
	if (m->type == AY_MSG_SIGNER_READY)
		on_signer_ready(g, m->body);
	else if (m->type == AY_MSG_SIGNED)
		answered(g, m);
	else if (m->type == AY_MSG_SIGN_REFUSED)
		refused(g, m);
}

/* ---- keeper, courier: they only answer ---- */

void ay_relay_answer(struct ay_engine *g, const struct ay_ipc_msg *m, bool is_refusal)
{
	if (is_refusal)
		refused(g, m);
	else
		answered(g, m);
}

/* ---- front ---- */

void ay_relay_front_ready(struct ay_engine *g, struct ay_bytes body)
{
	struct ay_front_ready r;
	struct ay_err e;

	if (ay_front_ready_parse(body, &r, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "front", &e);
		return;
	}
	memcpy(g->server_spki, r.server_spki, sizeof(g->server_spki));
	snprintf(g->agents_addr, sizeof(g->agents_addr), "%.*s", (int)r.agents.n,
		 (const char *)r.agents.p);
	g->have_front = true;
	ay_relay_tell_ready(g);
}

/* ---- assay-ca ---- */

/* The others are there to encrypt to: no certificate of an AIK hangs on them. */
static void keep_issuers(struct ay_engine *g)
{
	struct ay_cert cert;

	g->n_aik_chain = 0;
	for (size_t i = 0; i < g->ca_ready.n_certs; i++)
		if (ay_cert_parse(g->ca_ready.cert[i], &cert, NULL) == AY_OK && cert.is_ca)
			g->aik_chain[g->n_aik_chain++] = g->ca_ready.cert[i];
}

static void on_ca_ready(struct ay_engine *g, struct ay_bytes body)
{
	uint8_t *copy = malloc(body.n ? body.n : 1);
	struct ay_ca_ready r;
	struct ay_err e;

	if (!copy)
		return;
	memcpy(copy, body.p, body.n);
	if (ay_ca_ready_parse((struct ay_bytes){ copy, body.n }, &r, &e) != AY_OK ||
	    r.n_certs == 0 ||
	    ay_cert_spki_hash_of(r.cert[r.n_certs - 1], g->ca_root_spki, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "privacy ca", &e);
		free(copy);
		return;
	}
	free(g->ca_certs);
	g->ca_certs = copy;
	g->ca_ready = r;
	keep_issuers(g);
	g->have_ca = true;
	ay_relay_refresh_crl(g);
	ay_relay_tell_ready(g);
}

void ay_relay_ca(struct ay_engine *g, const struct ay_ipc_msg *m)
{
	switch (m->type) {
	case AY_MSG_CA_READY:
		on_ca_ready(g, m->body);
		break;
	case AY_MSG_CA_CRL:
	case AY_MSG_CA_DONE:
		answered(g, m);
		break;
	case AY_MSG_CA_REFUSED:
		if (is_asked(g, m->req))
			refused(g, m);
		else
			ay_enrol_from_ca(g, m);
		break;
	default:
		ay_enrol_from_ca(g, m);
	}
}

/* ---- for the API ---- */

struct document {
	ay_document_fn *fn;
	void *arg;
};

static void on_document(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *e,
			struct ay_bytes answer)
{
	struct document *d = arg;

	(void)g;
	d->fn(d->arg, rc, e, answer);
	free(d);
}

void ay_relay_document(struct ay_engine *g, struct ay_ipc *to, uint16_t type, struct ay_bytes body,
		       ay_document_fn *fn, void *arg)
{
	struct document *d = malloc(sizeof(*d));
	struct ay_err e;

	if (!d) {
		e.rc = ay_fail(&e, AY_E_NOMEM, "relay", 0, "no memory");
		fn(arg, AY_E_NOMEM, &e, (struct ay_bytes){ 0 });
		return;
	}
	*d = (struct document){ fn, arg };
	ay_relay_ask(g, to, type, body, on_document, d);
}

void ay_engine_ek_approve(struct ay_engine *g, struct ay_bytes hash, ay_document_fn *fn, void *arg)
{
	uint8_t ek[32], buf[64];
	struct ay_writer w;
	struct ay_bytes body;
	struct ay_err e;
	enum ay_rc rc = ay_hex_decode(hash, "hash", ek, sizeof(ek), &e);

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_bytes(&w, AY_BYTES(ek));
	ay_wr_vec8(&w, ay_bytes_of("operator"));
	ay_wr_vec16(&w, ay_bytes_of(""));
	if (rc == AY_OK)
		rc = ay_wr_end(&w, "approve", &body, &e);
	if (rc != AY_OK) {
		fn(arg, rc, &e, (struct ay_bytes){ 0 });
		return;
	}
	ay_relay_document(g, g->ca, AY_MSG_CA_EK_APPROVE, body, fn, arg);
}

void ay_engine_crl(struct ay_engine *g, ay_document_fn *fn, void *arg)
{
	struct ay_err e;

	if (g->crl) {
		fn(arg, AY_OK, NULL, (struct ay_bytes){ g->crl, g->crl_n });
		return;
	}
	e.rc = ay_fail_code(&e, AY_E_UNAVAIL, "UNAVAIL", "crl",
			    "the Privacy CA has given no list yet");
	fn(arg, AY_E_UNAVAIL, &e, (struct ay_bytes){ 0 });
}
