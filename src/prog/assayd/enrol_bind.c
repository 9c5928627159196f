/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/enrol.h"

#include "core/appraise/check_quote12.h"
#include "core/base/hex.h"
#include "core/tpm/key12.h"
#include "core/tpm/qualify.h"
#include "io/net/frame.h"

#include <stdlib.h>

/* When an AIK certificate is renewed: at this part of its life. */
#define RENEW_PART 2 / 3

/* ---- ENROL_PROOF ---- */

static enum ay_rc check_cert(struct ay_engine *g, struct ay_enrol *en,
			     const struct ay_enrol_proof *p, struct ay_err *e)
{
	struct ay_aikcert_want want = {
		.chain = g->ca_ready.cert,
		.n_chain = g->ca_ready.n_certs,
		.pin = g->ca_root_spki,
		.crl = { g->crl, g->crl_n },
		.host = &en->id,
		.ticket = en->jti,
		.now_ms = g->now_ms,
	};
	enum ay_rc rc = ay_aikcert_check(p->cert, &want, &en->aik, e);

	if (rc != AY_OK && !e->code[0])
		snprintf(e->code, sizeof(e->code), "AIK_CERT");
	return rc;
}

/* The certificate's key is the AK of the proof, and its Name is the one certified. */
static enum ay_rc check_ak(struct ay_enrol *en, const struct ay_enrol_proof *p,
			   struct ay_pubkey **ak, struct ay_err *e)
{
	struct ay_pubkey *certified = NULL;
	struct ay_name name;
	enum ay_rc rc = ay_any_public(p->public, ak, &name, e);
	bool same;

	if (rc == AY_OK)
		rc = ay_cert_key(&en->aik.cert, &certified, e);
	if (rc != AY_OK)
		return rc;
	same = ay_pubkey_eq(certified, *ak);
	ay_pubkey_free(certified);
	if (AY_CHECKED("ENROL_WRONG_AK", !same))
		return ay_fail_code(e, AY_E_CRYPTO, "QUOTE_WRONG_AK", "proof",
				    "the AIK certificate is of another key");
	if (AY_CHECKED("ENROL_AK_NAME", !ay_bytes_eq(ay_name_view(&name),
						     (struct ay_bytes){ en->aik.facts.ak_name,
									en->aik.facts.ak_name_n })))
		return ay_fail_code(e, AY_E_CRYPTO, "AK_NAME", "proof",
				    "the AIK certificate names another AK");
	return AY_OK;
}

/* The proof must be good in every respect but PCR values, which it does not carry. */
static enum ay_rc judge_proof(const struct ay_report *rep, const struct ay_quote_facts *facts,
			      struct ay_err *e)
{
	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *f = &rep->finding[i];

		if (f->result == AY_FAIL && f->code != AY_CHECK_QUOTE_PCR_DIGEST)
			return ay_fail_code(e, AY_E_CRYPTO, ay_check_row(f->code)->code, "proof",
					    "%s", f->text);
	}
	if (!facts->verified || !facts->fresh)
		return ay_fail_code(e, AY_E_CRYPTO, "QUOTE_NONCE", "proof", "proof is not fresh");
	return AY_OK;
}

/* By a TPM 1.2: the first 20 octets are its externalData. */
static enum ay_rc appraise12(const struct ay_enrol *en, const struct ay_enrol_proof *p,
			     const struct ay_pubkey *ak, const uint8_t extra[AY_QUALIFY_BYTES],
			     struct ay_quote_facts *facts, struct ay_report *rep, struct ay_err *e)
{
	struct ay_quote12_ask ask = { .nonce = { extra, AY_TPM12_DIGEST },
				      .mask = ay_quote12_mask(&en->selection),
				      .ak = ak,
				      .exact = true };
	struct ay_quote12_evidence ev = { .message = p->attest, .signature = p->signature };

	return ay_appraise_quote12(&ask, &ev, facts, rep, e);
}

static enum ay_rc check_proof(struct ay_enrol *en, const struct ay_enrol_proof *p,
			      const struct ay_pubkey *ak, struct ay_err *e)
{
	uint8_t x[32], extra[AY_QUALIFY_BYTES];
	const struct ay_aik_facts *f = &en->aik.facts;
	struct ay_quote_ask ask = { .extra_data = AY_BYTES(extra),
				    .selection = &en->selection,
				    .ak = ak,
				    .qualified_name = { f->ak_qualified_name,
							f->ak_qualified_name_n } };
	struct ay_quote_evidence ev = { .attest = p->attest, .signature = p->signature };
	struct ay_quote_facts facts;
	struct ay_report rep;
	struct ay_arena a;
	enum ay_rc rc;

	ay_arena_init(&a, 1 << 20);
	ay_report_init(&rep, &a);
	ay_qualify_enrol_x(en->c->spki, p->cert, x);
	ay_qualify(AY_QUALIFY_ENROL, en->nonce, en->c->exporter, &en->id, x, extra);
	rc = ay_public12_looks_like(p->public) ? appraise12(en, p, ak, extra, &facts, &rep, e)
					       : ay_appraise_quote(&ask, &ev, &facts, &rep, e);
	if (rc == AY_OK)
		rc = judge_proof(&rep, &facts, e);
	ay_arena_fini(&a);
	return rc;
}

/* AK Name, pseudonym and TLS key are each unique over all hosts (the store decides races). */
static enum ay_rc check_unique(struct ay_engine *g, const struct ay_enrol *en, struct ay_err *e)
{
	const struct ay_aik_facts *f = &en->aik.facts;
	const struct ay_host *ek = ay_hosts_by_pseudonym(g, f->ek_pseudonym);
	const struct ay_host *ak = ay_hosts_by_ak(g, (struct ay_bytes){ f->ak_name, f->ak_name_n });
	const struct ay_host *tls = ay_hosts_by_key(g, en->c->spki);
	static const uint8_t zero[32];
	bool bound = en->host && memcmp(en->host->identity.pseudonym, zero, 32) != 0;

	if (en->host && AY_CHECKED("ENROL_REMOVED", en->host->state == AY_HOST_RETIRED))
		return ay_fail_code(e, AY_E_DENIED, "HOST_REMOVED", "enrol",
				    "this host was removed meanwhile");
	if (bound && memcmp(en->host->identity.pseudonym, f->ek_pseudonym, 32) != 0)
		return ay_fail_code(e, AY_E_DENIED, "EK_OTHER", "enrol",
				    "this host is bound to another EK");
	if (ek && ek != en->host)
		return ay_fail_code(e, AY_E_EXISTS, "EK_BOUND", "enrol",
				    "this TPM belongs to host %s", ek->name);
	if (ak && ak != en->host)
		return ay_fail_code(e, AY_E_EXISTS, "AK_BOUND", "enrol",
				    "this AK belongs to host %s", ak->name);
	if (tls && tls != en->host)
		return ay_fail_code(e, AY_E_EXISTS, "TLS_KEY_BOUND", "enrol",
				    "this TLS key belongs to host %s", tls->name);
	return AY_OK;
}

/* The family is the certified AK's, not what HELLO said. */
static bool tpm_json(struct ay_enrol *en, const struct ay_enrol_proof *proof)
{
	const struct ay_aik_facts *f = &en->aik.facts;
	json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "family",
			      ay_public12_looks_like(proof->public) ? "1.2" : "2.0", "manufacturer",
			      f->manufacturer, "model", f->model, "firmware", f->firmware);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	bool ok = text && strlen(text) < sizeof(en->tpm_json);

	if (ok)
		memcpy(en->tpm_json, text, strlen(text) + 1);
	free(text);
	json_decref(o);
	return ok;
}

static bool pool_label(struct ay_enrol *en)
{
	json_t *o = en->token.pool[0] ? json_pack("{s:s}", "pool", en->token.pool) : json_object();
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	bool ok = text && strlen(text) < sizeof(en->labels);

	if (ok)
		memcpy(en->labels, text, strlen(text) + 1);
	free(text);
	json_decref(o);
	return ok;
}

/* The binding, into a row that has the host's other members already. */
static void fill_binding(struct ay_enrol *en, const struct ay_enrol_proof *p,
			 struct ay_host_row *row)
{
	const struct ay_aik_facts *f = &en->aik.facts;
	const struct ay_cert *cert = &en->aik.cert;

	row->state = AY_HOST_ENROLLED;
	row->grade = en->trust_first_use ? "tls_tofu" : ay_ek_grade_name(f->grade);
	row->ak_name = (struct ay_bytes){ f->ak_name, f->ak_name_n };
	row->qualified_name = (struct ay_bytes){ f->ak_qualified_name, f->ak_qualified_name_n };
	row->ak_public = p->public;
	row->cert = p->cert;
	row->cert_serial = cert->serial;
	row->cert_until = cert->not_after_ms;
	row->cert_renew =
		cert->not_before_ms + (cert->not_after_ms - cert->not_before_ms) * RENEW_PART;
	row->pseudonym = AY_BYTES(f->ek_pseudonym);
	row->tls_spki = (struct ay_bytes){ en->c->spki, 32 };
	row->tpm = en->tpm_json;
	row->enrolled_at = en->g->now_ms;
	row->note_code = "";
	row->note_text = "";
	row->note_at = 0;
}

struct binding {
	struct ay_enrol *en;
	const struct ay_enrol_proof *proof;
	enum ay_rc rc;
	struct ay_err *e;
};

static void submit(struct binding *b, const struct ay_host_row *base)
{
	struct ay_enrol *en = b->en;
	struct ay_enrol_row row = { .host = *base, .now = en->g->now_ms };
	char token[2 * sizeof(en->token_id) + 1] = "", *detail;
	json_t *o;
	struct ay_audit_row audit = { en->g->now_ms, "host", "HOST_ENROL", base->name, NULL };
	struct ay_event_row event;
	struct ay_write w[] = { { .kind = AY_WR_AUDIT, .audit = &audit },
				{ .kind = AY_WR_EVENT, .event = &event },
				{ .kind = AY_WR_ENROL, .enrol = &row } };

	fill_binding(en, b->proof, &row.host);
	if (en->has_token) {
		row.token = AY_BYTES(en->token_id);
		ay_hex_encode(AY_BYTES(en->token_id), token);
	}
	o = json_pack("{s:s, s:s, s:s}", "grade", row.host.grade, "token", token, "from",
		      en->c->peer);
	detail = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	en->told = ay_event_host_new(en->g, "enrolled", &row.host.id, row.host.name,
				     en->renewal ? "RENEWED" : "ENROLLED", "AIK certificate bound",
				     &event);
	if (!detail || !en->told) {
		free(detail);
		b->rc = ay_fail(b->e, AY_E_NOMEM, "enrol", 0, "no memory");
		return;
	}
	audit.detail = detail;
	b->rc = ay_store_submit(en->g->store, w, AY_COUNT(w), AY_SUBMIT_WAITED,
				(uint64_t)(uintptr_t)en | AY_COOKIE_ENROL, b->e);
	free(detail);
}

static void submit_known(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
			 const struct ay_host_context *c)
{
	(void)s, (void)c;
	submit(arg, row);
}

static enum ay_rc bind(struct ay_engine *g, struct ay_enrol *en, const struct ay_enrol_proof *p,
		       struct ay_err *e)
{
	struct binding b = { en, p, AY_E_BUG, e };
	struct ay_host_row fresh = { .id = en->id,
				     .name = en->name,
				     .labels = en->labels,
				     .connect = "",
				     .policy = ay_refs_default_policy(g),
				     .created_at = g->now_ms };
	enum ay_rc rc = AY_OK;

	if (!tpm_json(en, p) || !pool_label(en))
		return ay_fail(e, AY_E_NOMEM, "enrol", 0, "no memory");
	if (en->host)
		rc = ay_store_host(g->store, &en->id, submit_known, &b, e);
	else
		submit(&b, &fresh);
	return rc != AY_OK ? rc : b.rc;
}

void ay_enrol_on_proof(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body)
{
	struct ay_enrol *en = c->enrol;
	struct ay_enrol_proof p;
	struct ay_pubkey *ak = NULL;
	struct ay_err e;
	enum ay_rc rc;

	/* the nonce of the proof serves once, whatever comes of it */
	en->copy = malloc(body.n ? body.n : 1);
	if (!en->copy) {
		ay_enrol_refuse(g, c, "NOMEM", "no memory");
		return;
	}
	memcpy(en->copy, body.p, body.n);
	rc = ay_enrol_proof_parse((struct ay_bytes){ en->copy, body.n }, &p, &e);
	if (rc == AY_OK)
		rc = check_cert(g, en, &p, &e);
	if (rc == AY_OK)
		rc = check_ak(en, &p, &ak, &e);
	if (rc == AY_OK)
		rc = check_proof(en, &p, ak, &e);
	ay_pubkey_free(ak);
	ay_wipe(en->nonce, sizeof(en->nonce));
	if (rc == AY_OK)
		rc = check_unique(g, en, &e);
	en->is_new_ak = rc == AY_OK &&
			ay_hosts_by_ak(g, (struct ay_bytes){ en->aik.facts.ak_name,
							     en->aik.facts.ak_name_n }) == NULL;
	if (rc == AY_OK)
		rc = bind(g, en, &p, &e);
	if (rc != AY_OK) {
		ay_enrol_failed(g, c, &e);
		return;
	}
	ay_enrol_wait(g, en, STEP_COMMIT);
}

/* ---- after the commit ---- */

static void send_enrolled(struct ay_engine *g, struct ay_conn *c, const struct ay_host *h,
			  uint32_t req)
{
	uint8_t buf[256];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_bytes(&w, AY_BYTES(h->id.b));
	ay_wr_vec8(&w, ay_bytes_of(h->name));
	ay_wr_be64(&w, (uint64_t)h->identity.cert_until_ms);
	ay_wr_be64(&w, (uint64_t)h->identity.cert_renew_ms);
	if (ay_wr_end(&w, "enrolled", &body, NULL) == AY_OK)
		ay_conns_send(g, c, AY_FRAME_ENROLLED, req, body);
}

static void read_stored(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
			const struct ay_host_context *c)
{
	struct ay_enrol *en = arg;

	(void)s, (void)c;
	en->host = ay_hosts_bind(en->g, en->host, row);
}

/* A new AK of the same EK that an operator started ends what only an operator may end. */
static void end_sticky(struct ay_engine *g, struct ay_enrol *en)
{
	struct ay_host *h = en->host;
	struct ay_err e;

	if (AY_CHECKED("STICKY_BY_OPERATOR", !en->by_operator || !en->is_new_ak) ||
	    (!h->sticky && h->lease.verdict != AY_UNTRUSTED))
		return;
	if (h->sticky)
		h->run->counters = (struct ay_counters){ 0 };
	h->sticky = h->sticky_duplicate = false;
	h->run->boot = (struct ay_boot_mark){ 0 };
	if (ay_hosts_write_status(g, h, &e) != AY_OK)
		ay_log_err(AY_LOG_ERROR, "end of a standing failure is not stored", &e);
}

static void bound(struct ay_engine *g, struct ay_enrol *en)
{
	struct ay_conn *c = en->c;
	struct ay_host *h = en->host;

	g->count.enrolments++;
	AY_LOG(AY_LOG_INFO, "host enrolled", AY_LS("host", h->name),
	       AY_LS("grade", h->identity.grade));
	end_sticky(g, en);
	if (!c || c->closing)
		return;
	c->enrol = NULL;
	send_enrolled(g, c, h, en->req);
	if (en->renewal) {
		struct ay_err e;

		/* what was asked before is signed by the old AK: ask anew with the new one */
		ay_challenge_abandon(&c->challenge);
		if (ay_hosts_load_ak(g, h, &e) == AY_OK)
			ay_schedule_now(g, h);
		return;
	}
	if (h->run->conn && h->run->conn != c)
		ay_conns_close_host(g, h, "enrolled anew");
	ay_conns_bind(g, c, h);
}

static void not_bound(struct ay_engine *g, struct ay_enrol *en, const struct ay_store_result *res)
{
	struct ay_err e;

	e.rc = ay_fail_code(&e, res->rc, res->code, "enrol", "refused by the store: %s",
			    res->code[0] ? res->code : ay_rc_name(res->rc));
	en->step = STEP_PROOF; /* it is not the store's any more */
	if (en->host && en->host->state == AY_HOST_PROVISIONING)
		ay_hosts_move(g, en->host, AY_HOST_REGISTERED);
	if (en->c)
		ay_enrol_failed(g, en->c, &e);
	else
		ay_enrol_free(en);
}

void ay_enrol_stored(struct ay_engine *g, struct ay_enrol *en, const struct ay_store_result *res)
{
	struct ay_err e;

	if (res->rc != AY_OK) {
		not_bound(g, en, res);
		return;
	}
	ay_event_stored(g, en->told, res);
	en->told = NULL;
	if (en->has_token)
		ay_tokens_used(g, en->token_id);
	if (en->host && en->host->state == AY_HOST_RETIRED) { /* removed while it was committed */
		ay_relay_revoke(g, en->aik.cert.serial);
		if (en->c)
			ay_conns_close(g, en->c, "HOST_REMOVED");
	} else if (ay_store_host(g->store, &en->id, read_stored, en, &e) == AY_OK && en->host)
		bound(g, en);
	else
		AY_LOG(AY_LOG_ERROR, "enrolled host cannot be read", AY_LS("name", en->name));
	if (en->c)
		en->c->enrol = NULL;
	ay_enrol_free(en);
}
