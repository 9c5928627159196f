/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-sim/enrol.h"

#include "core/crypto/aikclient.h"
#include "core/tpm/credential.h"
#include "core/tpm/qualify.h"
#include "io/sys/clock.h"
#include "prog/assay-sim/ekca.h"
#include "prog/assay-sim/evidence.h"
#include "prog/assay-sim/keys.h"

#include <stdlib.h>

enum { EK_MAX = 512 };

/* PROVISION is kept as it came: the ticket and the certificates serve until the end. */
struct sim_enrolment {
	struct ay_chan_provision msg; /* views of body */
	struct ay_ticket ticket;
	uint8_t ek_pub[EK_MAX];
	struct ay_public ek;
	size_t body_n;
	uint8_t body[];
};

enum ay_rc sim_token_proof(struct sim_host *h, const struct ay_tls_peer *peer, uint8_t *buf,
			   size_t max, struct ay_bytes *body, struct ay_err *e)
{
	const struct ay_token *t = &h->sim->conf.token;
	uint8_t k[32], proof[32];
	struct ay_writer w;
	enum ay_rc rc;

	ay_token_key(t->secret, k);
	rc = ay_token_proof(k, peer->exporter, peer->own_spki, peer->spki, proof, e);
	ay_wipe(k, sizeof(k));
	if (rc != AY_OK)
		return rc;
	ay_wr_init(&w, buf, max);
	ay_wr_vec8(&w, ay_bytes_of(t->id));
	ay_wr_bytes(&w, AY_BYTES(proof));
	return ay_wr_end(&w, "sim.token", body, e);
}

static struct ay_ca_certs certs_of(const struct sim_enrolment *n)
{
	return (struct ay_ca_certs){ n->msg.certs, n->msg.n_certs };
}

static enum ay_rc begin(struct sim_host *h, const struct ay_tls_peer *peer, struct ay_bytes body,
			struct ay_err *e)
{
	struct sim_enrolment *n = calloc(1, sizeof(*n) + body.n);
	const struct ay_token *t = &h->sim->conf.token;
	struct ay_ca_certs ca;
	enum ay_rc rc;

	sim_enrol_end(h);
	if (n == NULL)
		return ay_fail(e, AY_E_NOMEM, "sim.enrol", 0, "out of memory");
	h->enrolment = n;
	memcpy(n->body, body.p, body.n);
	rc = ay_chan_provision_parse((struct ay_bytes){ n->body, body.n }, &n->msg, e);
	ca = certs_of(n);
	if (rc == AY_OK)
		rc = ay_aikclient_check_ca(&ca, t->ca, ay_clock_wall_ms(), e);
	if (rc == AY_OK)
		rc = ay_aikclient_check_ticket(n->msg.ticket, peer->own_spki, &n->msg.host, t->ca,
					       ay_clock_wall_ms(), &n->ticket, e);
	if (rc == AY_OK)
		rc = sim_keys_ek_public(h, n->ek_pub, sizeof(n->ek_pub), &n->ek, e);
	return rc;
}

/* A body that is one v32. */
static enum ay_rc as_vec32(struct ay_bytes in, uint8_t *buf, size_t max, struct ay_bytes *out,
			   struct ay_err *e)
{
	struct ay_writer w;

	ay_wr_init(&w, buf, max);
	ay_wr_vec32(&w, in);
	return ay_wr_end(&w, "sim.enrol", out, e);
}

static enum ay_rc request(struct sim_host *h, uint8_t *buf, size_t max, struct ay_bytes *body,
			  struct ay_err *e)
{
	struct sim_enrolment *n = h->enrolment;
	struct ay_ca_certs ca = certs_of(n);
	struct ay_identity_request q = { .ticket = n->msg.ticket,
					 .ak = { h->ak_pub, h->ak_pub_n },
					 .ek = n->ek.raw };
	uint8_t cert[2048], sealed[8192];
	size_t cert_n = 0, sealed_n;
	enum ay_rc rc = AY_OK;

	if (h->sim->ca_key != NULL)
		rc = sim_ekca_issue(h->sim, h, cert, sizeof(cert), &cert_n, e);
	q.ek_cert = (struct ay_bytes){ cert, cert_n };
	if (rc == AY_OK)
		rc = ay_aikclient_request(&q, &ca, sealed, sizeof(sealed), &sealed_n, e);
	return rc == AY_OK ? as_vec32((struct ay_bytes){ sealed, sealed_n }, buf, max, body, e)
			   : rc;
}

static enum ay_rc activate(struct sim_host *h, struct ay_bytes id_object, struct ay_bytes secret,
			   struct ay_secret *out, struct ay_err *e)
{
	return ay_credential_open(h->ek, &h->enrolment->ek, ay_name_view(&h->ak_name), id_object,
				  secret, out, e);
}

static enum ay_rc answer(struct sim_host *h, struct ay_bytes in, uint8_t *buf, size_t max,
			 struct ay_bytes *body, struct ay_err *e)
{
	AY_CLEANUP(ay_secret_wipe) struct ay_secret secret = { 0 };
	struct ay_ca_certs ca = certs_of(h->enrolment);
	struct ay_chan_ca_challenge m;
	uint8_t sealed[4096];
	size_t n;
	enum ay_rc rc = ay_chan_ca_challenge_parse(in, &m, e);

	if (rc == AY_OK)
		rc = activate(h, m.id_object, m.secret, &secret, e);
	if (rc == AY_OK)
		rc = ay_aikclient_answer(h->enrolment->ticket.jti, ay_secret_view(&secret), &ca,
					 sealed, sizeof(sealed), &n, e);
	return rc == AY_OK ? as_vec32((struct ay_bytes){ sealed, n }, buf, max, body, e) : rc;
}

/* The quote by the new AK, bound to connection, host and certificate. */
static enum ay_rc proof(struct sim_host *h, const struct ay_tls_peer *peer, struct ay_bytes cert,
			uint8_t *buf, size_t max, struct ay_bytes *body, struct ay_err *e)
{
	const struct ay_chan_provision *m = &h->enrolment->msg;
	uint8_t x[32], data[AY_QUALIFY_BYTES], room[SIM_QUOTE_ROOM];
	struct ay_bytes attest, sig;
	struct ay_writer w;
	enum ay_rc rc;

	ay_qualify_enrol_x(peer->own_spki, cert, x);
	ay_qualify(AY_QUALIFY_ENROL, m->nonce, peer->exporter, &m->host, x, data);
	rc = sim_quote(h, &m->selection, AY_BYTES(data), SIM_GOOD, room, &attest, &sig, e);
	if (rc != AY_OK)
		return rc;
	ay_wr_init(&w, buf, max);
	ay_wr_vec16(&w, cert);
	ay_wr_vec16(&w, (struct ay_bytes){ h->ak_pub, h->ak_pub_n });
	ay_wr_vec16(&w, attest);
	ay_wr_vec16(&w, sig);
	return ay_wr_end(&w, "sim.proof", body, e);
}

static enum ay_rc certificate(struct sim_host *h, const struct ay_tls_peer *peer,
			      struct ay_bytes in, uint8_t *buf, size_t max, struct ay_bytes *body,
			      struct ay_err *e)
{
	AY_CLEANUP(ay_secret_wipe) struct ay_secret k0 = { 0 };
	struct ay_chan_ca_cert m;
	uint8_t cert[AY_MAX_CERT_BYTES + 16];
	size_t n;
	enum ay_rc rc = ay_chan_ca_cert_parse(in, &m, e);

	if (rc == AY_OK)
		rc = activate(h, m.id_object, m.secret, &k0, e);
	if (rc == AY_OK)
		rc = ay_aikclient_open(ay_secret_view(&k0), m.iv, m.sealed,
				       ay_name_view(&h->ak_name), cert, sizeof(cert), &n, e);
	return rc == AY_OK ? proof(h, peer, (struct ay_bytes){ cert, n }, buf, max, body, e) : rc;
}

enum ay_rc sim_enrol_step(struct sim_host *h, const struct ay_tls_peer *peer,
			  const struct ay_frame *f, uint8_t *buf, size_t max, uint8_t *type,
			  struct ay_bytes *body, struct ay_err *e)
{
	enum ay_rc rc;

	if (f->type == AY_FRAME_PROVISION) {
		*type = AY_FRAME_CA_REQUEST;
		rc = begin(h, peer, f->body, e);
		return rc == AY_OK ? request(h, buf, max, body, e) : rc;
	}
	if (h->enrolment == NULL)
		return ay_fail_code(e, AY_E_INPUT, "PEER_PROTOCOL", "sim.enrol", "out of step");
	if (f->type == AY_FRAME_CA_CHALLENGE) {
		*type = AY_FRAME_CA_ANSWER;
		return answer(h, f->body, buf, max, body, e);
	}
	*type = AY_FRAME_ENROL_PROOF;
	return certificate(h, peer, f->body, buf, max, body, e);
}

enum ay_rc sim_enrol_done(struct sim_host *h, const struct ay_frame *f, struct ay_err *e)
{
	struct ay_chan_enrolled m;
	enum ay_rc rc = ay_chan_enrolled_parse(f->body, &m, e);

	sim_enrol_end(h);
	if (rc != AY_OK)
		return rc;
	h->id = m.host;
	h->enrolled = true;
	return AY_OK;
}

void sim_enrol_end(struct sim_host *h)
{
	free(h->enrolment);
	h->enrolment = NULL;
}
