/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/appraise/policy.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/crypto/aikcert.h"
#include "core/crypto/token.h"
#include "core/tpm/public.h"
#include "core/tpm/qualify.h"
#include "io/net/frame.h"
#include "io/sys/rng.h"

#include <stdlib.h>

/* Which message the exchange waits for; any other one ends the connection. */
enum step {
	STEP_TICKET = 0, /* from signer */
	STEP_REQUEST,	 /* CA_REQUEST */
	STEP_CA_FIRST,	 /* from assay-ca */
	STEP_ANSWER,	 /* CA_ANSWER */
	STEP_CA_SECOND,	 /* from assay-ca */
	STEP_PROOF,	 /* ENROL_PROOF */
	STEP_COMMIT,	 /* the store */
};

/* One provisioning of an AIK: first contact, a new AK by order of an operator, or a renewal. */
struct ay_enrol {
	struct ay_engine *g;
	struct ay_conn *c;    /* NULL: its connection is gone */
	struct ay_host *host; /* NULL: the token's agent names a new one */
	struct ay_uuid id;
	char name[AY_MAX_NAME_BYTES + 1];
	enum step step;
	bool renewal;
	bool by_operator; /* a token for this host, or an operator's dial */
	bool trust_first_use;
	bool has_token;
	struct ay_token_view token;
	char jti[AY_JTI_TEXT];
	uint8_t nonce[32];
	struct ay_pcr_selection selection;
	uint32_t req;
	/* what the store is asked to bind */
	struct ay_public pub;
	struct ay_aikcert aik;
	uint8_t *copy; /* of ENROL_PROOF: pub and aik point into it */
	char tpm_json[256];
	char labels[AY_MAX_NAME_BYTES * 2 + 16];
	uint8_t token_id[16];
};

#define RENEW_PART 2 / 3 /* of its life */

static void wait_for(struct ay_engine *g, struct ay_enrol *en, enum step step)
{
	en->step = step;
	if (en->c && !ay_sched_set(&g->conn_sched, &en->c->wake, g->mono_ms + g->set.provision_ms))
		ay_log_write(AY_LOG_WARN, "no memory for a deadline", NULL, 0);
}

static void enrol_free(struct ay_enrol *en)
{
	if (!en)
		return;
	free(en->copy);
	ay_wipe(&en->token, sizeof(en->token));
	free(en);
}

void ay_enrol_drop(struct ay_engine *g, struct ay_conn *c)
{
	struct ay_enrol *en = c->enrol;
	struct ay_host *h = en ? en->host : NULL;

	if (!en)
		return;
	c->enrol = NULL;
	en->c = NULL;
	if (h && h->state == AY_HOST_PROVISIONING && en->step != STEP_COMMIT)
		ay_hosts_move(g, h, AY_HOST_REGISTERED);
	if (en->step != STEP_COMMIT)
		enrol_free(en); /* else it belongs to the store's answer */
}

bool ay_enrol_holds(const struct ay_conn *c)
{
	return c->enrol && c->enrol->step == STEP_COMMIT;
}

/* ---- refusals ---- */

/*
 * The operator gets the failing step's own code, and it is kept. Only what came
 * over a connection that proved a token, a pin or a bound key is written to a
 * host's record.
 */
void ay_enrol_failed(struct ay_engine *g, struct ay_conn *c, const struct ay_err *e)
{
	struct ay_enrol *en = c->enrol;
	struct ay_host *h = en ? en->host : c->dial_for;
	bool proved = en != NULL || c->dial_for != NULL;

	g->count.enrolment_failures++;
	ay_log_err(AY_LOG_WARN, "enrolment failed", e);
	if (h && proved)
		ay_hosts_note(g, h, e);
	ay_event_emit(g, "enrol_failed", h, e->code[0] ? e->code : ay_rc_name(e->rc), e->text);
	if (en && en->renewal) { /* the binding in force stays, and so does the connection */
		ay_enrol_drop(g, c);
		return;
	}
	ay_conns_fail(g, c, en ? en->req : 0, e);
	ay_enrol_drop(g, c);
}

static void refuse(struct ay_engine *g, struct ay_conn *c, const char *code, const char *text)
{
	struct ay_err e;

	e.rc = ay_fail_code(&e, AY_E_DENIED, code, "enrol", "%s", text);
	ay_enrol_failed(g, c, &e);
}

/* ---- PROVISION ---- */

static bool write_provision(struct ay_engine *g, const struct ay_enrol *en, struct ay_bytes ticket,
			    struct ay_writer *w)
{
	ay_wr_bytes(w, AY_BYTES(en->id.b));
	ay_wr_vec16(w, ticket);
	ay_wr_u8(w, (uint8_t)g->ca_ready.n_certs);
	for (size_t i = 0; i < g->ca_ready.n_certs; i++)
		ay_wr_vec16(w, g->ca_ready.cert[i]);
	ay_wr_bytes(w, AY_BYTES(en->nonce));
	ay_pcr_selection_write(w, &en->selection);
	return w->fail.rc == AY_OK;
}

static struct ay_conn *conn_of(struct ay_engine *g, uint32_t number, uint32_t req)
{
	struct ay_conn *c = ay_conns_find(g, number);

	return c && c->enrol && c->enrol->req == req && !c->closing ? c : NULL;
}

struct ticket_wait {
	uint32_t number, req;
};

static void on_ticket(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *e,
		      struct ay_bytes ticket)
{
	struct ticket_wait *t = arg;
	struct ay_conn *c = conn_of(g, t->number, t->req);
	uint8_t *buf;
	struct ay_writer w;
	struct ay_bytes body;

	free(t);
	if (!c || c->enrol->step != STEP_TICKET)
		return;
	if (rc != AY_OK) {
		ay_enrol_failed(g, c, e);
		return;
	}
	buf = malloc(65536);
	if (!buf) {
		refuse(g, c, "NOMEM", "no memory");
		return;
	}
	ay_wr_init(&w, buf, 65536);
	if (write_provision(g, c->enrol, ticket, &w) &&
	    ay_wr_end(&w, "provision", &body, NULL) == AY_OK) {
		wait_for(g, c->enrol, STEP_REQUEST);
		ay_conns_send(g, c, AY_FRAME_PROVISION, c->enrol->req, body);
	}
	free(buf);
}

static void ask_ticket(struct ay_engine *g, struct ay_enrol *en)
{
	struct ay_sign_ticket t = { .host = en->id };
	struct ticket_wait *wait = malloc(sizeof(*wait));
	uint8_t jti[16], buf[256];
	struct ay_writer w;
	struct ay_bytes body;

	if (!wait) {
		refuse(g, en->c, "NOMEM", "no memory");
		return;
	}
	ay_rng_bytes(jti, sizeof(jti));
	ay_hex_encode(AY_BYTES(jti), en->jti);
	memcpy(t.agent_spki, en->c->spki, 32);
	memcpy(t.ca_spki, g->ca_root_spki, 32);
	memcpy(t.jti, jti, sizeof(jti));
	t.expires_at_s = g->now_ms / 1000 + 590; /* at most 10 min by the signer's clock */
	ay_wr_init(&w, buf, sizeof(buf));
	ay_sign_ticket_build(&w, &t);
	*wait = (struct ticket_wait){ en->c->number, en->req };
	if (ay_wr_end(&w, "ticket", &body, NULL) == AY_OK)
		ay_relay_ask(g, g->signer, AY_MSG_SIGN_TICKET, body, on_ticket, wait);
}

/* The proof quotes one PCR, so that its selection is not empty. */
static void proof_selection(const struct ay_conn *c, struct ay_pcr_selection *s)
{
	*s = (struct ay_pcr_selection){ .n_banks = 1 };
	s->bank[0].alg = c->selection.bank[0].alg;
	s->bank[0].mask = 1;
}

static struct ay_enrol *begin(struct ay_engine *g, struct ay_conn *c, struct ay_host *h)
{
	struct ay_enrol *en;

	if (!g->have_signer || !g->have_ca) {
		refuse(g, c, "UNAVAIL", "the Privacy CA is not ready");
		return NULL;
	}
	en = calloc(1, sizeof(*en));
	if (!en) {
		refuse(g, c, "NOMEM", "no memory");
		return NULL;
	}
	en->g = g;
	en->c = c;
	en->host = h;
	en->id = h ? h->id : ay_rng_uuid();
	en->req = ++g->next_req;
	ay_nonce_draw(g, en->nonce);
	proof_selection(c, &en->selection);
	c->enrol = en;
	return en;
}

static void start(struct ay_engine *g, struct ay_enrol *en)
{
	if (en->host && en->host->state == AY_HOST_REGISTERED)
		ay_hosts_move(g, en->host, AY_HOST_PROVISIONING);
	if (!en->renewal) {
		en->c->state = AY_CONN_ENROLLING;
		ay_conns_welcome_unbound(g, en->c);
	}
	wait_for(g, en, STEP_TICKET);
	ask_ticket(g, en);
}

void ay_enrol_renew(struct ay_engine *g, struct ay_conn *c)
{
	struct ay_enrol *en;

	if (c->enrol || !c->host || !g->have_signer || !g->have_ca)
		return;
	en = begin(g, c, c->host);
	if (!en)
		return;
	en->renewal = true;
	start(g, en);
}

/* ---- who is it ---- */

static void start_dialled(struct ay_engine *g, struct ay_conn *c)
{
	struct ay_host *h = c->dial_for;
	struct ay_enrol *en;
	static const uint8_t zero[32];

	if (h->dial.has_agent_key &&
	    AY_CHECKED("AGENT_KEY", memcmp(h->dial.agent_key, c->spki, 32) != 0)) {
		refuse(g, c, "AGENT_KEY", "the agent's key is not the pinned one");
		return;
	}
	if (!h->dial.has_agent_key && !h->dial.trust_first_use) {
		if (!h->dial.token_id[0])
			refuse(g, c, "AGENT_UNPINNED",
			       "register the host with --agent-key, --token or --trust-first-use");
		return; /* else its TOKEN_PROOF is awaited */
	}
	/* the first key only: a host that has one is never taken over by another */
	if (!h->dial.has_agent_key &&
	    AY_CHECKED("TRUST_FIRST_USE", memcmp(h->identity.tls_key, zero, 32) != 0)) {
		refuse(g, c, "AGENT_KEY", "another key was trusted at first use");
		return;
	}
	en = begin(g, c, h);
	if (!en)
		return;
	en->by_operator = true;
	en->trust_first_use = !h->dial.has_agent_key;
	if (en->trust_first_use)
		ay_event_emit(g, "trust_first_use", h, "TRUST_FIRST_USE",
			      "an agent's key is taken at first sight");
	start(g, en);
}

void ay_enrol_hello(struct ay_engine *g, struct ay_conn *c)
{
	/* a bound key whose AK is lost: only a token brings it back */
	if (ay_hosts_by_key(g, c->spki) == NULL && c->dial_for)
		start_dialled(g, c);
}

static bool take_name(struct ay_engine *g, struct ay_conn *c, struct ay_enrol *en)
{
	size_t n = c->name ? strlen(c->name) : 0;

	if (n == 0 || n > AY_MAX_NAME_BYTES || !ay_json_is_name(c->name) ||
	    ay_uuid_looks_like(ay_bytes_of(c->name))) {
		refuse(g, c, "HOST_NAME", "the agent's name cannot be the name of a host");
		return false;
	}
	if (ay_hosts_by_name(g, ay_bytes_of(c->name))) {
		refuse(g, c, "NAME_TAKEN",
		       "a host of this name is registered: make its token with --host");
		return false;
	}
	memcpy(en->name, c->name, n + 1);
	return true;
}

static void start_with_token(struct ay_engine *g, struct ay_conn *c,
			     const struct ay_token_view *token)
{
	struct ay_host *h = token->for_host ? ay_hosts_by_id(g, &token->host) : c->dial_for;
	struct ay_enrol *en;

	if (token->for_host && (!h || h->state == AY_HOST_RETIRED)) {
		refuse(g, c, "TOKEN_HOST", "the host of this token is not there any more");
		return;
	}
	if (c->dial_for && AY_CHECKED("TOKEN_HOST", c->dial_for != h)) {
		refuse(g, c, "TOKEN_HOST", "the token is of another host");
		return;
	}
	if (!h)
		h = ay_hosts_by_key(g,
				    c->spki); /* the agent lost its AK and was given a new token */
	en = begin(g, c, h);
	if (!en)
		return;
	en->has_token = true;
	en->token = *token;
	en->by_operator = true;
	memcpy(en->token_id, token->id, sizeof(en->token_id));
	if (!h && !take_name(g, c, en))
		return;
	start(g, en);
}

static void on_token(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body)
{
	struct ay_token_view token;
	struct ay_reader r;
	struct ay_bytes id, proof;
	struct ay_err e;

	ay_rd_init(&r, body);
	id = ay_rd_vec8(&r, "token.id", 64);
	proof = ay_rd_bytes(&r, "token.hmac", 32);
	if (ay_rd_end(&r, "token", &e) != AY_OK) {
		ay_enrol_failed(g, c, &e);
		return;
	}
	if (c->state != AY_CONN_WAITING)
		return; /* pinned by the operator already: the token adds nothing */
	if (ay_tokens_find(g, id, &token, &e) != AY_OK) {
		ay_enrol_failed(g, c, &e);
		return;
	}
	if (AY_CHECKED("TOKEN_PROOF", ay_token_proof_check(token.k, c->exporter, c->spki,
							   g->server_spki, proof, &e) != AY_OK))
		ay_enrol_failed(g, c, &e);
	else
		start_with_token(g, c, &token);
	ay_wipe(&token, sizeof(token));
}

/* ---- to and from the Privacy CA ---- */

static void to_ca(struct ay_engine *g, struct ay_conn *c, uint16_t type, enum step next,
		  struct ay_bytes body)
{
	struct ay_reader r;
	struct ay_bytes sealed;
	struct ay_err e;

	ay_rd_init(&r, body);
	sealed = ay_rd_vec32(&r, "envelope", AY_IPC_MAX_SEALED);
	if (ay_rd_end(&r, "envelope", &e) != AY_OK) {
		ay_enrol_failed(g, c, &e);
		return;
	}
	if (!g->ca) {
		refuse(g, c, "UNAVAIL", "the Privacy CA is not there");
		return;
	}
	wait_for(g, c->enrol, next);
	ay_ipc_send(g->ca, type, c->number, c->enrol->req, sealed);
}

static void refused_by_ca(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body)
{
	struct ay_refusal no;
	struct ay_err e;
	char hash[65] = "";

	if (ay_refusal_parse(body, &no, &e) != AY_OK) {
		ay_enrol_failed(g, c, &e);
		return;
	}
	if (no.ek_hash.n == 32)
		ay_hex_encode(no.ek_hash, hash);
	if (hash[0])
		e.rc = ay_fail(&e, AY_E_CRYPTO, "ca", 0, "assay ek approve %s", hash);
	else
		e.rc = ay_fail(&e, AY_E_CRYPTO, "ca", 0, "%.*s", (int)no.text.n,
			      (const char *)no.text.p);
	snprintf(e.code, sizeof(e.code), "%.*s", (int)no.code.n, (const char *)no.code.p);
	ay_enrol_failed(g, c, &e);
}

void ay_enrol_from_ca(struct ay_engine *g, const struct ay_ipc_msg *m)
{
	struct ay_conn *c = conn_of(g, m->conn, m->req);

	if (!c)
		return; /* its connection is gone meanwhile */
	if (m->type == AY_MSG_CA_REFUSED) {
		refused_by_ca(g, c, m->body);
	} else if (m->type == AY_MSG_CA_CHALLENGED && c->enrol->step == STEP_CA_FIRST) {
		wait_for(g, c->enrol, STEP_ANSWER);
		ay_conns_send(g, c, AY_FRAME_CA_CHALLENGE, m->req, m->body);
	} else if (m->type == AY_MSG_CA_ISSUED && c->enrol->step == STEP_CA_SECOND) {
		wait_for(g, c->enrol, STEP_PROOF);
		ay_conns_send(g, c, AY_FRAME_CA_CERT, m->req, m->body);
	}
}

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
	enum ay_rc rc = ay_public_parse(p->public, &en->pub, e);
	bool same;

	if (rc == AY_OK)
		rc = ay_public_key(&en->pub, ak, e);
	if (rc == AY_OK)
		rc = ay_cert_key(&en->aik.cert, &certified, e);
	if (rc != AY_OK)
		return rc;
	same = ay_pubkey_eq(certified, *ak);
	ay_pubkey_free(certified);
	if (AY_CHECKED("ENROL_WRONG_AK", !same))
		return ay_fail_code(e, AY_E_CRYPTO, "QUOTE_WRONG_AK", "proof",
				    "the AIK certificate is of another key");
	if (AY_CHECKED("ENROL_AK_NAME",
		       !ay_public_name(&en->pub, &name) ||
			       !ay_bytes_eq(ay_name_view(&name),
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
	rc = ay_appraise_quote(&ask, &ev, &facts, &rep, e);
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

static bool tpm_json(struct ay_enrol *en)
{
	const struct ay_aik_facts *f = &en->aik.facts;
	json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "family", en->c->tpm_family == 1 ? "1.2" : "2.0",
			      "manufacturer", f->manufacturer, "model", f->model, "firmware",
			      f->firmware);
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
	struct ay_write w = { .kind = AY_WR_ENROL, .enrol = &row };

	fill_binding(en, b->proof, &row.host);
	if (en->has_token)
		row.token = AY_BYTES(en->token_id);
	b->rc = ay_store_submit(en->g->store, &w, 1, AY_SUBMIT_WAITED,
				(uint64_t)(uintptr_t)en | AY_COOKIE_ENROL, b->e);
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

	if (!tpm_json(en) || !pool_label(en))
		return ay_fail(e, AY_E_NOMEM, "enrol", 0, "no memory");
	if (en->host)
		rc = ay_store_host(g->store, &en->id, submit_known, &b, e);
	else
		submit(&b, &fresh);
	return rc != AY_OK ? rc : b.rc;
}

static void on_proof(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body)
{
	struct ay_enrol *en = c->enrol;
	struct ay_enrol_proof p;
	struct ay_pubkey *ak = NULL;
	struct ay_err e;
	enum ay_rc rc;

	/* the nonce of the proof serves once, whatever comes of it */
	en->copy = malloc(body.n ? body.n : 1);
	if (!en->copy) {
		refuse(g, c, "NOMEM", "no memory");
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
	if (rc == AY_OK)
		rc = bind(g, en, &p, &e);
	if (rc != AY_OK) {
		ay_enrol_failed(g, c, &e);
		return;
	}
	wait_for(g, en, STEP_COMMIT);
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

	if (!en->by_operator || !h->sticky)
		return;
	h->sticky = h->sticky_duplicate = false;
	h->run->counters = (struct ay_counters){ 0 };
	if (ay_hosts_write_status(g, h, &e) != AY_OK)
		ay_log_err(AY_LOG_ERROR, "end of a standing failure is not stored", &e);
}

static void bound(struct ay_engine *g, struct ay_enrol *en)
{
	struct ay_conn *c = en->c;
	struct ay_host *h = en->host;

	g->count.enrolments++;
	ay_event_emit(g, "enrolled", h, en->renewal ? "RENEWED" : "ENROLLED",
		      "AIK certificate bound");
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
		enrol_free(en);
}

void ay_enrol_stored(struct ay_engine *g, struct ay_enrol *en, const struct ay_store_result *res)
{
	struct ay_err e;

	if (res->rc != AY_OK) {
		not_bound(g, en, res);
		return;
	}
	if (en->has_token)
		ay_tokens_used(g, en->token_id);
	if (ay_store_host(g->store, &en->id, read_stored, en, &e) == AY_OK && en->host)
		bound(g, en);
	else
		AY_LOG(AY_LOG_ERROR, "enrolled host cannot be read", AY_LS("name", en->name));
	if (en->c)
		en->c->enrol = NULL;
	enrol_free(en);
}

/* ---- frames ---- */

void ay_enrol_frame(struct ay_engine *g, struct ay_conn *c, uint8_t type, uint32_t req,
		    struct ay_bytes body)
{
	enum step at = c->enrol ? c->enrol->step : STEP_TICKET;

	if (type == AY_FRAME_TOKEN_PROOF) {
		if (!c->enrol)
			on_token(g, c, body);
		return;
	}
	if (!c->enrol || req != c->enrol->req) {
		refuse(g, c, "PEER_PROTOCOL", "no provisioning of this number is under way");
		return;
	}
	if (type == AY_FRAME_CA_REQUEST && at == STEP_REQUEST)
		to_ca(g, c, AY_MSG_CA_IDENTITY, STEP_CA_FIRST, body);
	else if (type == AY_FRAME_CA_ANSWER && at == STEP_ANSWER)
		to_ca(g, c, AY_MSG_CA_ACTIVATED, STEP_CA_SECOND, body);
	else if (type == AY_FRAME_ENROL_PROOF && at == STEP_PROOF)
		on_proof(g, c, body);
	else
		refuse(g, c, "PEER_PROTOCOL", "provisioning messages are out of order");
}
