/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/enrol.h"

#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/crypto/token.h"
#include "io/net/frame.h"
#include "io/sys/rng.h"

#include <stdlib.h>

void ay_enrol_wait(struct ay_engine *g, struct ay_enrol *en, enum ay_enrol_step step)
{
	en->step = step;
	if (en->c && !ay_sched_set(&g->conn_sched, &en->c->wake, g->mono_ms + g->set.provision_ms))
		ay_log_write(AY_LOG_WARN, "no memory for a deadline", NULL, 0);
}

void ay_enrol_free(struct ay_enrol *en)
{
	if (!en)
		return;
	free(en->copy);
	ay_event_free(en->told);
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
		ay_enrol_free(en); /* else it belongs to the store's answer */
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

void ay_enrol_refuse(struct ay_engine *g, struct ay_conn *c, const char *code, const char *text)
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
		ay_enrol_refuse(g, c, "NOMEM", "no memory");
		return;
	}
	ay_wr_init(&w, buf, 65536);
	if (write_provision(g, c->enrol, ticket, &w) &&
	    ay_wr_end(&w, "provision", &body, NULL) == AY_OK) {
		ay_enrol_wait(g, c->enrol, STEP_REQUEST);
		ay_conns_send(g, c, AY_FRAME_PROVISION, c->enrol->req, body);
	}
	free(buf);
}

static void ask_ticket(struct ay_engine *g, struct ay_enrol *en)
{
	struct ay_sign_ticket t = { .host = en->id };
	struct ticket_wait *wait = malloc(sizeof(*wait));
	uint8_t jti[16], buf[1024];
	struct ay_writer w;
	struct ay_bytes body;

	if (!wait) {
		ay_enrol_refuse(g, en->c, "NOMEM", "no memory");
		return;
	}
	ay_rng_bytes(jti, sizeof(jti));
	ay_hex_encode(AY_BYTES(jti), en->jti);
	memcpy(t.agent_spki, en->c->spki, 32);
	memcpy(t.ca_spki, g->ca_root_spki, 32);
	memcpy(t.jti, jti, sizeof(jti));
	t.expires_at_s = g->now_ms / 1000 + 590; /* at most 10 min by the signer's clock */
	t.n_eks = en->token.n_eks;
	memcpy(t.ek, en->token.ek, sizeof(t.ek));
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
		ay_enrol_refuse(g, c, "UNAVAIL", "the Privacy CA is not ready");
		return NULL;
	}
	en = calloc(1, sizeof(*en));
	if (!en) {
		ay_enrol_refuse(g, c, "NOMEM", "no memory");
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
	ay_enrol_wait(g, en, STEP_TICKET);
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

	if (h->dial.tls.kind == AY_TLS_NONE) {
		if (!h->dial.token_id[0])
			ay_enrol_refuse(
				g, c, "AGENT_UNPINNED",
				"register the host with --tls-policy, --agent-key, --token or "
				"--trust-first-use");
		return; /* else its TOKEN_PROOF is awaited */
	}
	/* the first key only: a host that has one is never taken over by another */
	if (h->dial.tls.kind == AY_TLS_TRUST_FIRST_USE &&
	    AY_CHECKED("TRUST_FIRST_USE", memcmp(h->identity.tls_key, zero, 32) != 0)) {
		ay_enrol_refuse(g, c, "TLS_POLICY", "another key was trusted at first use");
		return;
	}
	en = begin(g, c, h);
	if (!en)
		return;
	en->by_operator = true;
	en->trust_first_use = h->dial.tls.kind == AY_TLS_TRUST_FIRST_USE;
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
		ay_enrol_refuse(g, c, "HOST_NAME", "the agent's name cannot be the name of a host");
		return false;
	}
	if (ay_hosts_by_name(g, ay_bytes_of(c->name))) {
		ay_enrol_refuse(g, c, "NAME_TAKEN",
				"a host of this name is registered: make its token with --host");
		return false;
	}
	memcpy(en->name, c->name, n + 1);
	return true;
}

/* A host registered with --token takes that token and no other. */
static bool is_other_token(const struct ay_conn *c, const struct ay_token_view *token)
{
	char id[33];

	if (!c->dial_for || !c->dial_for->dial.token_id[0])
		return false;
	ay_hex_encode(AY_BYTES(token->id), id);
	return strcmp(id, c->dial_for->dial.token_id) != 0;
}

static void start_with_token(struct ay_engine *g, struct ay_conn *c,
			     const struct ay_token_view *token)
{
	struct ay_host *h = token->for_host ? ay_hosts_by_id(g, &token->host) : c->dial_for;
	struct ay_enrol *en;

	if (token->for_host && (!h || h->state == AY_HOST_RETIRED)) {
		ay_enrol_refuse(g, c, "TOKEN_HOST", "the host of this token is not there any more");
		return;
	}
	if (AY_CHECKED("TOKEN_HOST",
		       (c->dial_for && c->dial_for != h) || is_other_token(c, token))) {
		ay_enrol_refuse(g, c, "TOKEN_HOST", "the token is of another host");
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
	/* a token of a pool says nothing about this host: a machine may have kept one */
	en->by_operator = token->for_host || c->dial_for;
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

static void to_ca(struct ay_engine *g, struct ay_conn *c, uint16_t type, enum ay_enrol_step next,
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
		ay_enrol_refuse(g, c, "UNAVAIL", "the Privacy CA is not there");
		return;
	}
	ay_enrol_wait(g, c->enrol, next);
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
		ay_enrol_wait(g, c->enrol, STEP_ANSWER);
		ay_conns_send(g, c, AY_FRAME_CA_CHALLENGE, m->req, m->body);
	} else if (m->type == AY_MSG_CA_ISSUED && c->enrol->step == STEP_CA_SECOND) {
		ay_enrol_wait(g, c->enrol, STEP_PROOF);
		ay_conns_send(g, c, AY_FRAME_CA_CERT, m->req, m->body);
	}
}

/* ---- frames ---- */

void ay_enrol_frame(struct ay_engine *g, struct ay_conn *c, uint8_t type, uint32_t req,
		    struct ay_bytes body)
{
	enum ay_enrol_step at = c->enrol ? c->enrol->step : STEP_TICKET;

	if (type == AY_FRAME_TOKEN_PROOF) {
		if (!c->enrol)
			on_token(g, c, body);
		return;
	}
	if (!c->enrol || req != c->enrol->req) {
		ay_enrol_refuse(g, c, "PEER_PROTOCOL",
				"no provisioning of this number is under way");
		return;
	}
	if (type == AY_FRAME_CA_REQUEST && at == STEP_REQUEST)
		to_ca(g, c, AY_MSG_CA_IDENTITY, STEP_CA_FIRST, body);
	else if (type == AY_FRAME_CA_ANSWER && at == STEP_ANSWER)
		to_ca(g, c, AY_MSG_CA_ACTIVATED, STEP_CA_SECOND, body);
	else if (type == AY_FRAME_ENROL_PROOF && at == STEP_PROOF)
		ay_enrol_on_proof(g, c, body);
	else
		ay_enrol_refuse(g, c, "PEER_PROTOCOL", "provisioning messages are out of order");
}
