/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_PROG_ENGINE_WORLD_H
#define AY_TESTS_PROG_ENGINE_WORLD_H

/*
 * The real engine, its real store and the real Privacy CA, with a played front
 * and signer around them and agents whose TPM is software. Everything runs on
 * one loop; a test says what front says and looks at what engine answers.
 */
#include "unit/appraise/boot_fixture.h"

#include "support/simtpm.h"
#include "support/t.h"

#include "core/base/hex.h"
#include "core/crypto/aikclient.h"
#include "core/crypto/pem.h"
#include "core/crypto/sign.h"
#include "core/crypto/token.h"
#include "core/tpm/credential.h"
#include "core/tpm/pcrdigest.h"
#include "core/tpm/qualify.h"
#include "core/tpm/quote.h"
#include "core/tpm/signature.h"
#include "io/net/agent_msg.h"
#include "io/net/frame.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"
#include "prog/assay-ca/ca.h"
#include "prog/assay-ca/run.h"
#include "prog/assayd/engine_impl.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A message that engine sent to front. */
struct sent {
	struct sent *next;
	uint16_t type;
	uint8_t sub;
	uint32_t conn, req;
	size_t n;
	uint8_t body[];
};

static char dir[64];
static struct ay_loop *loop;
static struct ay_store *store;
static struct ay_engine *engine;
static struct ay_ipc *front, *signer, *ca_end;
static struct ay_ca *ca;
static struct ay_privkey *ticket_key;
static struct t_ca server_root, vendor;
static AY_UNUSED struct sent *inbox, **inbox_end = &inbox;
static struct boot boot;
static struct ay_arena boot_arena;
static struct ay_engine_settings settings = { .lease_ms = 600000,
					      .interval_ms = 300000,
					      .deadline_ms = 20000,
					      .hello_ms = 20000,
					      .provision_ms = 20000,
					      .token_life_ms = 3600000,
					      .workers = 1,
					      .max_conns = 100,
					      .window = 64,
					      .servers = "127.0.0.1:7443" };
static const uint8_t server_spki[32] = { 0x5e };

static AY_UNUSED const char *at(const char *name)
{
	static char path[16][512];
	static unsigned i;

	i = (i + 1) % 16;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

/* ---- the neighbours ---- */

static AY_UNUSED void front_msg(void *arg, const struct ay_ipc_msg *m)
{
	struct sent *s = calloc(1, sizeof(*s) + m->body.n);

	(void)arg;
	assert_non_null(s);
	s->type = m->type;
	s->sub = m->sub;
	s->conn = m->conn;
	s->req = m->req;
	s->n = m->body.n;
	if (m->body.n)
		memcpy(s->body, m->body.p, m->body.n);
	*inbox_end = s;
	inbox_end = &s->next;
	ay_loop_stop(loop);
}

static unsigned n_assertions; /* that were signed */

static AY_UNUSED void signer_msg(void *arg, const struct ay_ipc_msg *m)
{
	struct ay_sign_ticket ask;
	struct ay_ticket t = { 0 };
	char text[AY_TICKET_TEXT_MAX];

	(void)arg;
	if (m->type == AY_MSG_SIGN_SAML || m->type == AY_MSG_SIGN_EAR) {
		snprintf(text, sizeof(text), "<assertion number=\"%u\"/>", ++n_assertions);
		ay_ipc_send(signer, AY_MSG_SIGNED, 0, m->req, ay_bytes_of(text));
		return;
	}
	if (m->type == AY_MSG_SIGN_ORDER) { /* any key does: whose it is, is not looked at here */
		uint8_t out[64 + AY_SPKI_P256];

		assert_int_equal(ay_privkey_sign(ticket_key, m->body, out, NULL), AY_OK);
		assert_int_equal(ay_privkey_spki(ticket_key, out + 64, NULL), AY_OK);
		ay_ipc_send(signer, AY_MSG_SIGNED, 0, m->req, AY_BYTES(out));
		return;
	}
	assert_int_equal(m->type, AY_MSG_SIGN_TICKET);
	assert_int_equal(ay_sign_ticket_parse(m->body, &ask, NULL), AY_OK);
	t.host = ask.host;
	memcpy(t.spki, ask.agent_spki, 32);
	memcpy(t.ca, ask.ca_spki, 32);
	ay_hex_encode(AY_BYTES(ask.jti), t.jti);
	t.exp_s = ask.expires_at_s;
	t.n_eks = ask.n_eks;
	memcpy(t.ek, ask.ek, sizeof(t.ek));
	assert_int_equal(ay_ticket_sign(&t, ticket_key, text, NULL), AY_OK);
	ay_ipc_send(signer, AY_MSG_SIGNED, 0, m->req, ay_bytes_of(text));
}

static bool ca_is_away; /* its courier says so */

static AY_UNUSED void ca_msg(void *arg, const struct ay_ipc_msg *m)
{
	struct ay_refusal r = { .code = ay_bytes_of("UNAVAIL"), .text = ay_bytes_of("away") };
	uint8_t buf[128];
	struct ay_writer w;
	struct ay_bytes body;

	(void)arg;
	if (ca_is_away) {
		ay_wr_init(&w, buf, sizeof(buf));
		ay_refusal_build(&w, &r);
		assert_int_equal(ay_wr_end(&w, "refusal", &body, NULL), AY_OK);
		ay_ipc_send(ca_end, AY_MSG_CA_REFUSED, m->conn, m->req, body);
		return;
	}
	ay_ca_serve(ca, ca_end, m);
}

static AY_UNUSED void gone(void *arg, const char *why)
{
	(void)arg, (void)why;
}

static const struct ay_ipc_ops front_ops = { front_msg, gone }, signer_ops = { signer_msg, gone },
			       ca_ops = { ca_msg, gone };

static AY_UNUSED void pair(enum ay_ipc_pair_id id, enum ay_ipc_side side,
			   const struct ay_ipc_ops *ops, struct ay_ipc **mine, int *theirs)
{
	int fd[2];

	assert_int_equal(ay_ipc_pair(fd, NULL), AY_OK);
	assert_int_equal(ay_ipc_open(loop, fd[0], ay_ipc_table_of(id), side, ops, NULL, mine, NULL),
			 AY_OK);
	*theirs = fd[1];
}

static AY_UNUSED void greet(void)
{
	struct ay_front_ready f = { .agents = ay_bytes_of("127.0.0.1:7443"),
				    .api = ay_bytes_of("127.0.0.1:8443") };
	struct ay_signer_ready s = { .assertion_cert = t_ca_cert(&server_root),
				     .root_cert = t_ca_cert(&server_root) };
	uint8_t buf[8192];
	struct ay_writer w;
	struct ay_bytes body;

	memcpy(f.server_spki, server_spki, 32);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_front_ready_build(&w, &f);
	assert_int_equal(ay_wr_end(&w, "f", &body, NULL), AY_OK);
	ay_ipc_send(front, AY_MSG_FRONT_READY, 0, 0, body);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_signer_ready_build(&w, &s);
	assert_int_equal(ay_wr_end(&w, "s", &body, NULL), AY_OK);
	ay_ipc_send(signer, AY_MSG_SIGNER_READY, 0, 0, body);
	ay_ca_greet(ca, ca_end);
}

/* ---- the loop ---- */

static AY_UNUSED void stop_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	ay_loop_stop(loop);
}

/* Runs until something came for front, or for so long. */
static AY_UNUSED void run_ms(int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
	struct event *ev = event_new(ay_loop_base(loop), -1, 0, stop_loop, NULL);

	event_add(ev, &tv);
	ay_loop_run(loop);
	event_free(ev);
}

/* Runs for so long, whatever comes. */
static AY_UNUSED void idle_ms(int ms)
{
	int64_t end = ay_clock_mono_ms() + ms, left;

	while ((left = end - ay_clock_mono_ms()) > 0)
		run_ms((int)left);
}

/* The next message of this kind for this connection, taken out of the inbox; NULL after ms. */
static AY_UNUSED struct sent *wait_for(uint32_t conn, uint16_t type, uint8_t sub, int ms)
{
	int64_t end = ay_clock_mono_ms() + ms;

	do {
		for (struct sent **p = &inbox; *p; p = &(*p)->next)
			if ((*p)->conn == conn && (*p)->type == type &&
			    (type != AY_MSG_FRAME || (*p)->sub == sub)) {
				struct sent *s = *p;

				*p = s->next;
				if (!s->next)
					inbox_end = p;
				return s;
			}
		run_ms(20);
	} while (ay_clock_mono_ms() < end);
	return NULL;
}

static AY_UNUSED struct ay_bytes body_of(const struct sent *s)
{
	return (struct ay_bytes){ s->body, s->n };
}

/* ---- set up ---- */

static AY_UNUSED void open_engine(void)
{
	struct ay_engine_parts p = { .set = settings,
				     .loop = loop,
				     .store = store,
				     .parent_fd = -1,
				     .keeper_fd = -1,
				     .courier_fd = -1 };
	struct ay_err e;

	pair(AY_PAIR_FRONT, AY_IPC_A, &front_ops, &front, &p.front_fd);
	pair(AY_PAIR_SIGNER, AY_IPC_B, &signer_ops, &signer, &p.signer_fd);
	pair(AY_PAIR_CA, AY_IPC_B, &ca_ops, &ca_end, &p.ca_fd);
	if (ay_engine_new(&p, &engine, &e) != AY_OK)
		fail_msg("engine: %s %s", e.where, e.text);
	greet();
	for (int i = 0; i < 200 && !ay_engine_is_ready(engine); i++)
		run_ms(20);
	assert_true(ay_engine_is_ready(engine));
}

static AY_UNUSED void close_engine(void)
{
	ay_engine_free(engine);
	engine = NULL;
	ay_ipc_close(front);
	ay_ipc_close(signer);
	ay_ipc_close(ca_end);
	while (inbox) {
		struct sent *s = inbox;

		inbox = s->next;
		free(s);
	}
	inbox_end = &inbox;
}

static AY_UNUSED void open_ca(void)
{
	struct ay_ca_settings s = { .dir = at("ca"),
				    .ticket_key = at("ticket.pub"),
				    .ek_trust_dir = at("trust"),
				    .aik_life_ms = T_YEAR_MS / 2 };
	uint8_t spki[AY_SPKI_P256];
	char pem[4096];
	struct ay_err e;

	assert_int_equal(ay_privkey_generate(&ticket_key, NULL), AY_OK);
	assert_int_equal(ay_privkey_spki(ticket_key, spki, NULL), AY_OK);
	ay_pem_write("PUBLIC KEY", AY_BYTES(spki), pem);
	assert_int_equal(ay_file_write(at("ticket.pub"), 0644, ay_bytes_of(pem), NULL), AY_OK);
	mkdir(at("trust"), 0755);
	mkdir(at("trust/vendors"), 0755);
	t_ca_make(&vendor, &(struct t_ca_spec){ .name = "TPM Vendor CA", .path_len = -1 });
	t_ca_make(&server_root, &(struct t_ca_spec){ .name = "Server root", .path_len = -1 });
	ay_pem_write("CERTIFICATE", t_ca_cert(&vendor), pem);
	assert_int_equal(ay_file_write(at("trust/vendors/root.pem"), 0644, ay_bytes_of(pem), NULL),
			 AY_OK);
	assert_int_equal(ay_ca_init(at("ca"), NULL), AY_OK);
	if (ay_ca_open(&s, &ca, &e) != AY_OK)
		fail_msg("ca: %s %s", e.where, e.text);
}

static AY_UNUSED int world_set_up(void **state)
{
	struct ay_store_config cfg = { .create = true };
	struct ay_err e;

	(void)state;
	ay_log_init("test", "engine", "error", "text");
	snprintf(dir, sizeof(dir), "/tmp/ay-test-engine-XXXXXX");
	assert_non_null(mkdtemp(dir));
	open_ca();
	cfg.path = at("assay.db");
	if (ay_store_open(&ay_store_sqlite, &cfg, &store, &e) != AY_OK)
		fail_msg("store: %s %s", e.where, e.text);
	assert_int_equal(ay_loop_new(&loop, NULL), AY_OK);
	ay_arena_init(&boot_arena, 16 << 20);
	boot_init(&boot);
	boot_make(&boot, &boot_arena);
	open_engine();
	return 0;
}

static AY_UNUSED int world_tear_down(void **state)
{
	char command[128];

	(void)state;
	close_engine();
	ay_store_close(store);
	ay_loop_free(loop);
	ay_ca_close(ca);
	ay_arena_fini(&boot_arena);
	ay_privkey_free(ticket_key);
	t_ca_fini(&vendor);
	t_ca_fini(&server_root);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? 0 : -1;
}

/* ---- agents ---- */

struct agent {
	uint32_t conn;
	const char *name;
	uint8_t spki[32], exporter[32];
	struct t_tpmkey ek, ak;
	struct ay_name ak_name, qualified;
	struct ay_uuid id;
	struct ay_uuid boot_id;
	uint64_t clock_ms;
	uint32_t reset_count, restart_count;
	uint8_t cert[AY_MAX_CERT_BYTES];
	size_t cert_n;
	uint8_t attest[1024], sig[1024]; /* of the last answer */
	size_t attest_n, sig_n;
	bool one_bank; /* says that SHA-256 is all it has */
};

static uint32_t next_conn = 100;

/* Names of keys and an AK as child of its EK, as the TPM has them. */
static AY_UNUSED void agent_new_ak(struct agent *a)
{
	struct ay_name ek;

	t_tpmkey_fini(&a->ak);
	memset(&a->ak, 0, sizeof(a->ak));
	t_ak_make(&a->ak, false);
	assert_true(ay_public_name(&a->ek.pub, &ek));
	assert_true(ay_public_name(&a->ak.pub, &a->ak_name));
	assert_true(ay_name_of_ak(ay_name_view(&ek), ay_name_view(&a->ak_name), &a->qualified));
}

static AY_UNUSED struct agent *agent_new(const char *name)
{
	struct agent *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	a->name = name;
	ay_rng_bytes(a->spki, sizeof(a->spki));
	a->boot_id = ay_rng_uuid();
	a->clock_ms = 1000000;
	a->reset_count = 5;
	t_ek_make(&a->ek, "L-2");
	agent_new_ak(a);
	return a;
}

static AY_UNUSED void agent_free(struct agent *a)
{
	t_tpmkey_fini(&a->ek);
	t_tpmkey_fini(&a->ak);
	free(a);
}

static AY_UNUSED void say(const struct agent *a, uint8_t type, uint32_t req, struct ay_bytes body)
{
	struct ay_ipc_msg m = {
		.type = AY_MSG_FRAME, .sub = type, .conn = a->conn, .req = req, .body = body
	};

	ay_ipc_send_msg(front, &m);
}

static AY_UNUSED void connect_as(struct agent *a, uint32_t dial_id)
{
	struct ay_conn_up up = { .peer = ay_bytes_of("192.0.2.1:4711"),
				 .dial_id = dial_id,
				 .flags = dial_id ? AY_CONN_DIALLED : 0 };
	uint8_t buf[256];
	struct ay_writer w;
	struct ay_bytes body;

	a->conn = next_conn++;
	ay_rng_bytes(a->exporter, sizeof(a->exporter));
	memcpy(up.exporter, a->exporter, 32);
	memcpy(up.spki, a->spki, 32);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_conn_up_build(&w, &up);
	assert_int_equal(ay_wr_end(&w, "up", &body, NULL), AY_OK);
	ay_ipc_send(front, AY_MSG_CONN_UP, a->conn, 0, body);
}

static AY_UNUSED void disconnect(const struct agent *a)
{
	ay_ipc_send(front, AY_MSG_CONN_DOWN, a->conn, 0, ay_bytes_of("test"));
}

static AY_UNUSED void hello(struct agent *a, bool has_ak)
{
	struct ay_chan_hello h = { .version = "test",
				   .name = a->name,
				   .boot_id = a->boot_id,
				   .family = 2,
				   .manufacturer = "SIM",
				   .firmware = 7,
				   .n_banks = 2,
				   .bank = { AY_ALG_SHA1, AY_ALG_SHA256 },
				   .has_ak = has_ak,
				   .sends_logs = true };
	const struct ay_chan_hello small = { .n_banks = 1, .bank = { AY_ALG_SHA256 } };
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes body;

	if (a->one_bank) {
		h.n_banks = small.n_banks;
		memcpy(h.bank, small.bank, sizeof(h.bank));
	}
	ay_wr_init(&w, buf, sizeof(buf));
	ay_chan_hello_write(&w, &h);
	assert_int_equal(ay_wr_end(&w, "hello", &body, NULL), AY_OK);
	say(a, AY_FRAME_HELLO, 0, body);
}

static AY_UNUSED void prove_token(struct agent *a, const char *text)
{
	struct ay_token t;
	uint8_t k[32], proof[32], buf[128];
	struct ay_writer w;
	struct ay_bytes body;

	assert_int_equal(ay_token_parse(ay_bytes_of(text), &t, NULL), AY_OK);
	ay_token_key(t.secret, k);
	assert_int_equal(ay_token_proof(k, a->exporter, a->spki, server_spki, proof, NULL), AY_OK);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_vec8(&w, ay_bytes_of(t.id));
	ay_wr_bytes(&w, AY_BYTES(proof));
	assert_int_equal(ay_wr_end(&w, "token", &body, NULL), AY_OK);
	say(a, AY_FRAME_TOKEN_PROOF, 0, body);
}

/* What the TPM signs. */
struct quoting {
	const struct t_tpmkey *by; /* NULL: the agent's AK */
	const struct ay_pcr_selection *sel;
	struct ay_bytes extra;
	uint64_t clock_back_ms;
};

static AY_UNUSED void quote(struct agent *a, const struct quoting *what)
{
	struct ay_quote q = { .magic = AY_TPM_GENERATED,
			      .type = AY_TPM_ST_ATTEST_QUOTE,
			      .signer = ay_name_view(&a->qualified),
			      .nonce = what->extra,
			      .reset_count = a->reset_count,
			      .restart_count = a->restart_count,
			      .clock_safe = 1,
			      .firmware = 7,
			      .selection = *what->sel };
	const struct t_tpmkey *by = what->by ? what->by : &a->ak;
	struct ay_signature_buf sig;
	struct ay_writer w;
	struct ay_bytes out;
	uint8_t digest[32];

	a->clock_ms += 1000;
	q.clock_ms = a->clock_ms - what->clock_back_ms;
	assert_true(ay_pcr_digest(what->sel, AY_ALG_SHA256, &boot.pcrs, digest));
	q.pcr_digest = AY_BYTES(digest);
	ay_wr_init(&w, a->attest, sizeof(a->attest));
	ay_quote_write(&w, &q);
	assert_int_equal(ay_wr_end(&w, "attest", &out, NULL), AY_OK);
	a->attest_n = out.n;
	assert_int_equal(ay_sign(by->key, 0, AY_ALG_SHA256, out, &sig, NULL), AY_OK);
	ay_wr_init(&w, a->sig, sizeof(a->sig));
	ay_signature_write(&w, &sig.sig);
	assert_int_equal(ay_wr_end(&w, "sig", &out, NULL), AY_OK);
	a->sig_n = out.n;
}

/* ---- enrolment, step by step ---- */

struct provision {
	uint32_t req;
	struct sent *msg;
	struct ay_chan_provision p;
	struct ay_ticket ticket;
	struct ay_ca_certs certs;
};

static AY_UNUSED bool provisioned(struct agent *a, struct provision *p)
{
	p->msg = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_PROVISION, 5000);
	if (!p->msg)
		return false;
	p->req = p->msg->req;
	assert_int_equal(ay_chan_provision_parse(body_of(p->msg), &p->p, NULL), AY_OK);
	a->id = p->p.host;
	p->certs = (struct ay_ca_certs){ p->p.certs, p->p.n_certs };
	assert_int_equal(ay_ticket_parse(p->p.ticket, &p->ticket, NULL), AY_OK);
	return true;
}

static AY_UNUSED void say_sealed(const struct agent *a, uint8_t type, uint32_t req,
				 const uint8_t *sealed, size_t n)
{
	uint8_t buf[40000];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_vec32(&w, (struct ay_bytes){ sealed, n });
	assert_int_equal(ay_wr_end(&w, "sealed", &body, NULL), AY_OK);
	say(a, type, req, body);
}

static AY_UNUSED void activate(struct agent *a, struct ay_bytes id_object, struct ay_bytes secret,
			       struct ay_secret *out)
{
	assert_int_equal(ay_credential_open(a->ek.key, &a->ek.pub, ay_name_view(&a->ak_name),
					    id_object, secret, out, NULL),
			 AY_OK);
}

/* CA_REQUEST to CA_CERT: afterwards a->cert is there. False if the CA refused. */
static AY_UNUSED bool certify(struct agent *a, struct provision *p)
{
	uint8_t sealed[32768], ek_cert[4096];
	size_t n, m = t_ek_cert(&vendor, a->ek.key, T_NOW_MS - 1000, T_NOW_MS + T_YEAR_MS, ek_cert,
				sizeof(ek_cert));
	struct ay_identity_request q = {
		.ticket = p->p.ticket, .ak = a->ak.raw, .ek = a->ek.raw, .ek_cert = { ek_cert, m }
	};
	struct ay_chan_ca_challenge c;
	struct ay_chan_ca_cert got;
	AY_CLEANUP(ay_secret_wipe) struct ay_secret opened = { 0 };
	struct sent *s;

	assert_int_equal(ay_aikclient_request(&q, &p->certs, sealed, sizeof(sealed), &n, NULL),
			 AY_OK);
	say_sealed(a, AY_FRAME_CA_REQUEST, p->req, sealed, n);
	s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_CA_CHALLENGE, 5000);
	if (!s)
		return false;
	assert_int_equal(ay_chan_ca_challenge_parse(body_of(s), &c, NULL), AY_OK);
	activate(a, c.id_object, c.secret, &opened);
	free(s);
	assert_int_equal(ay_aikclient_answer(p->ticket.jti, ay_secret_view(&opened), &p->certs,
					     sealed, sizeof(sealed), &n, NULL),
			 AY_OK);
	say_sealed(a, AY_FRAME_CA_ANSWER, p->req, sealed, n);
	s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_CA_CERT, 5000);
	if (!s)
		return false;
	assert_int_equal(ay_chan_ca_cert_parse(body_of(s), &got, NULL), AY_OK);
	activate(a, got.id_object, got.secret, &opened);
	assert_int_equal(ay_aikclient_open(ay_secret_view(&opened), got.iv, got.sealed,
					   ay_name_view(&a->ak_name), a->cert, sizeof(a->cert),
					   &a->cert_n, NULL),
			 AY_OK);
	free(s);
	return true;
}

/* What of the proof is false; zeroed: nothing. */
struct false_proof {
	const struct agent *cert_of; /* another host's certificate */
	const struct t_tpmkey *signed_by;
	const uint8_t *exporter; /* of another connection */
};

static AY_UNUSED void send_proof(struct agent *a, const struct provision *p,
				 const struct false_proof *f)
{
	const struct agent *c = f && f->cert_of ? f->cert_of : a;
	struct ay_bytes cert = { c->cert, c->cert_n };
	uint8_t x[32], extra[32], buf[32768];
	struct quoting what = { .by = f ? f->signed_by : NULL,
				.sel = &p->p.selection,
				.extra = AY_BYTES(extra) };
	struct ay_writer w;
	struct ay_bytes body;

	ay_qualify_enrol_x(a->spki, cert, x);
	ay_qualify(AY_QUALIFY_ENROL, p->p.nonce, f && f->exporter ? f->exporter : a->exporter,
		   &a->id, x, extra);
	quote(a, &what);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_vec16(&w, cert);
	ay_wr_vec16(&w, a->ak.raw);
	ay_wr_vec16(&w, (struct ay_bytes){ a->attest, a->attest_n });
	ay_wr_vec16(&w, (struct ay_bytes){ a->sig, a->sig_n });
	assert_int_equal(ay_wr_end(&w, "proof", &body, NULL), AY_OK);
	say(a, AY_FRAME_ENROL_PROOF, p->req, body);
}

/* The code of FAIL, or "". */
static AY_UNUSED const char *failed(const struct agent *a)
{
	static char code[64];
	struct ay_chan_fail f;
	struct sent *s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_FAIL, 5000);

	code[0] = 0;
	if (s && ay_chan_fail_parse(body_of(s), &f, NULL) == AY_OK)
		snprintf(code, sizeof(code), "%.*s", (int)f.code.n, (const char *)f.code.p);
	free(s);
	return code;
}

/* Engine ended the connection. */
static AY_UNUSED bool closed(uint32_t conn)
{
	struct sent *s = wait_for(conn, AY_MSG_CLOSE, 0, 5000);
	bool was = s != NULL;

	free(s);
	return was;
}

static AY_UNUSED const char *new_token(const char *host, uint32_t uses)
{
	static char text[AY_MAX_TOKEN_BYTES];
	struct ay_token_spec spec = { .host = ay_bytes_of(host ? host : ""), .uses = uses };
	char id[33];
	int64_t until;
	struct ay_err e;

	if (ay_engine_token_create(engine, &spec, text, id, &until, &e) != AY_OK)
		fail_msg("token: %s %s", e.where, e.text);
	return text;
}

static AY_UNUSED const struct ay_host *host_of(const struct agent *a)
{
	char id[AY_UUID_TEXT];

	ay_uuid_format(&a->id, id);
	return ay_engine_host_find(engine, ay_bytes_of(id));
}

static AY_UNUSED void enrol(struct agent *a, const char *token)
{
	struct provision p;
	struct sent *s;

	connect_as(a, 0);
	hello(a, false);
	prove_token(a, token);
	if (!provisioned(a, &p))
		fail_msg("no PROVISION: %s", failed(a));
	if (!certify(a, &p))
		fail_msg("no certificate: %s", failed(a));
	send_proof(a, &p, NULL);
	s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_ENROLLED, 5000);
	if (!s)
		fail_msg("not enrolled: %s", failed(a));
	free(s);
	free(p.msg);
	assert_non_null(host_of(a));
}

/* ---- attestation ---- */

struct asked {
	uint32_t req;
	struct ay_chan_challenge c;
};

static AY_UNUSED bool challenged(const struct agent *a, struct asked *q, int ms)
{
	struct sent *s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_CHALLENGE, ms);

	if (!s)
		return false;
	q->req = s->req;
	assert_int_equal(ay_chan_challenge_parse(body_of(s), &q->c, NULL), AY_OK);
	free(s);
	return true;
}

static AY_UNUSED void say_part(const struct agent *a, uint32_t req, struct ay_bytes part)
{
	struct ay_ipc_msg m = { .type = AY_MSG_FRAME,
				.sub = AY_FRAME_EVIDENCE,
				.flags = 1,
				.conn = a->conn,
				.req = req,
				.body = part };

	ay_ipc_send_msg(front, &m);
}

/* What of the answer is false; zeroed: nothing. */
struct lie {
	const struct t_tpmkey *signed_by;
	const uint8_t *exporter;
	const struct ay_uuid *host;
	uint64_t clock_back_ms;
	bool old_quote; /* send what was signed before */
	bool no_log;
	size_t part; /* no lie: sent in parts of so many octets */
};

static AY_UNUSED void answer(struct agent *a, const struct asked *q, const struct lie *lie)
{
	static const struct lie none;
	struct ay_pcrs sha256 = { 0 };
	const struct lie *l = lie ? lie : &none;
	uint8_t extra[32], buf[40000];
	struct quoting what = { .by = l->signed_by,
				.sel = &q->c.selection,
				.extra = AY_BYTES(extra),
				.clock_back_ms = l->clock_back_ms };
	struct ay_chan_evidence ev = { .boot_id = a->boot_id,
				       .hints = AY_CHAN_HINTS_ALL,
				       .values = &boot.pcrs,
				       .log = AY_CHAN_LOG_FOLLOWS,
				       .log_bytes = boot.octets,
				       .ima = AY_CHAN_LOG_NONE };
	struct ay_writer w;
	struct ay_bytes body;

	ay_qualify(AY_QUALIFY_QUOTE, q->c.nonce, l->exporter ? l->exporter : a->exporter,
		   l->host ? l->host : &a->id, NULL, extra);
	if (!l->old_quote)
		quote(a, &what);
	if (a->one_bank) {
		assert_non_null(ay_pcrs_bank(&sha256, AY_ALG_SHA256));
		sha256.bank[0] = *ay_pcrs_find(&boot.pcrs, AY_ALG_SHA256);
		ev.values = &sha256;
	}
	ev.attest = (struct ay_bytes){ a->attest, a->attest_n };
	ev.sig = (struct ay_bytes){ a->sig, a->sig_n };
	if (l->no_log)
		ev.log = AY_CHAN_LOG_NONE;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_chan_evidence_write(&w, &ev);
	assert_int_equal(ay_wr_end(&w, "evidence", &body, NULL), AY_OK);
	while (l->part && body.n > l->part) {
		say_part(a, q->req, (struct ay_bytes){ body.p, l->part });
		body = (struct ay_bytes){ body.p + l->part, body.n - l->part };
	}
	say(a, AY_FRAME_EVIDENCE, q->req, body);
}

/* Waits for RESULT; the verdict it tells, or -1. */
static AY_UNUSED int result(const struct agent *a)
{
	struct ay_chan_result r;
	struct sent *s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_RESULT, 5000);
	int v = -1;

	if (s && ay_chan_result_parse(body_of(s), &r, NULL) == AY_OK)
		v = r.verdict;
	free(s);
	return v;
}

static AY_UNUSED bool reports(const struct agent *a, const char *code)
{
	json_t *report, *list, *f;
	bool found = false;
	size_t i;

	assert_int_equal(ay_engine_report(engine, host_of(a), &report, NULL), AY_OK);
	list = json_object_get(report, "findings");
	json_array_foreach (list, i, f)
		found = found ||
			(strcmp(json_string_value(json_object_get(f, "code")), code) == 0 &&
			 strcmp(json_string_value(json_object_get(f, "result")), "fail") == 0);
	if (!found) {
		char *text = json_dumps(list, JSON_INDENT(1));

		print_message("no failing %s in %s\n", code, text);
		free(text);
	}
	json_decref(report);
	return found;
}

static AY_UNUSED enum ay_verdict verdict_of(const struct agent *a)
{
	return ay_lease_verdict(&host_of(a)->lease, ay_engine_now_ms(engine));
}

static AY_UNUSED void ask_now(const struct agent *a)
{
	struct ay_err e;

	if (ay_engine_attest(engine, host_of(a), 0, NULL, NULL, &e) != AY_OK)
		fail_msg("attest: %s %s", e.code, e.text);
}

/* One honest round. */
static AY_UNUSED int attest(struct agent *a)
{
	struct asked q;

	if (!challenged(a, &q, 100)) {
		ask_now(a);
		assert_true(challenged(a, &q, 5000));
	}
	answer(a, &q, NULL);
	return result(a);
}

/* Learn from a host, so that it is trusted. */
static AY_UNUSED void trust(struct agent *a)
{
	json_t *set;
	struct ay_err e;

	if (ay_engine_learn(engine,
			    &(struct ay_learn_ask){ .host = host_of(a),
						    .name = ay_bytes_of("boot"),
						    .activate = true,
						    .user = "tester" },
			    &set, &e) != AY_OK)
		fail_msg("learn: %s %s %s", e.code, e.where, e.text);
	json_decref(set);
	assert_int_equal(attest(a), AY_TRUSTED);
}

static AY_UNUSED struct agent *enrolled_agent(const char *name)
{
	struct agent *a = agent_new(name);

	enrol(a, new_token(NULL, 1));
	assert_true(attest(a) >= 0);
	return a;
}

#endif
