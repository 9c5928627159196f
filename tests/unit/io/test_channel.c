/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "io/net/cert.h"
#include "io/net/channel.h"
#include "io/net/socket.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"

#include <event2/event.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEADLINE_MS = 300 };

/* One end of a connection and what happened to it. */
struct side {
	struct ay_chan_env *env;
	struct ay_tls *tls;
	struct ay_chan *chan;
	struct ay_tls_peer peer;
	struct ay_tls_session *session;
	size_t n_up, n_frames, n_octets, n_down;
	struct ay_err why;
	bool keep_session;
};

struct net {
	struct event_base *base;
	struct ay_cert_pem root, server, agent, other_root;
	uint8_t pin[32];
	struct side s, a;
};

static void on_up(struct ay_chan *c, void *owner, const struct ay_tls_peer *peer)
{
	struct side *x = owner;

	(void)c;
	x->n_up++;
	x->peer = *peer;
}

static void on_frame(struct ay_chan *c, void *owner, const struct ay_frame *f)
{
	struct side *x = owner;

	(void)c;
	x->n_frames++;
	x->n_octets += f->body.n;
}

static void on_down(struct ay_chan *c, void *owner, const struct ay_err *why)
{
	struct side *x = owner;

	x->n_down++;
	x->why = *why;
	x->chan = NULL;
	if (x->keep_session)
		x->session = ay_tls_session_take(ay_chan_tls(c));
}

static const struct ay_chan_ops ops = { on_up, on_frame, on_down };

static void make(enum ay_cert_kind kind, const struct ay_cert_pem *by, struct ay_cert_pem *out)
{
	struct ay_cert_args a = { .kind = kind, .cn = "t", .life_s = 3600 };

	a.now_s = ay_clock_wall_ms() / 1000;
	assert_int_equal(ay_cert_make(&a, by, out, NULL), AY_OK);
}

static void open_side(struct net *n, struct side *x, enum ay_channel_role role)
{
	const struct ay_cert_pem *own = role == AY_ROLE_SERVER ? &n->server : &n->agent;
	struct ay_tls_args t = { .role = role,
				 .cert_pem = own->cert,
				 .key_pem = own->key,
				 .max_sessions = 100,
				 .has_pin = true };
	struct ay_chan_args c = { .base = n->base,
				  .role = role,
				  .ops = &ops,
				  .handshake_ms = DEADLINE_MS,
				  .hello_ms = DEADLINE_MS + 1,
				  .frame_ms = DEADLINE_MS + 2,
				  .max_out = 4 << 20 };
	struct ay_err e;

	if (role == AY_ROLE_SERVER)
		t.root_pem = n->root.cert;
	memcpy(t.root_pin, n->pin, sizeof(n->pin));
	assert_int_equal(ay_tls_new(&t, &x->tls, &e), AY_OK);
	assert_int_equal(ay_chan_env_new(&c, &x->env, &e), AY_OK);
}

static int set_up(void **state)
{
	struct net *n = calloc(1, sizeof(*n));

	signal(SIGPIPE, SIG_IGN);
	n->base = event_base_new();
	make(AY_CERT_ROOT, NULL, &n->root);
	make(AY_CERT_ROOT, NULL, &n->other_root);
	make(AY_CERT_CHANNEL, &n->root, &n->server);
	make(AY_CERT_AGENT, NULL, &n->agent);
	assert_int_equal(ay_cert_spki(n->root.cert, n->pin, NULL), AY_OK);
	open_side(n, &n->s, AY_ROLE_SERVER);
	open_side(n, &n->a, AY_ROLE_AGENT);
	*state = n;
	return 0;
}

static void close_side(struct side *x)
{
	if (x->chan != NULL)
		ay_chan_close(x->chan, "test over");
	ay_chan_env_free(x->env);
	ay_tls_free(x->tls);
	ay_tls_session_free(x->session);
}

static int tear_down(void **state)
{
	struct net *n = *state;

	close_side(&n->s);
	close_side(&n->a);
	ay_cert_pem_free(&n->root);
	ay_cert_pem_free(&n->other_root);
	ay_cert_pem_free(&n->server);
	ay_cert_pem_free(&n->agent);
	event_base_free(n->base);
	free(n);
	return 0;
}

/* Turns the loop until done or two seconds have passed. */
static void turn(struct net *n, const size_t *counter, size_t want)
{
	int64_t until = ay_clock_mono_ms() + 2000;
	struct timeval t = { 0, 20000 };

	while (*counter < want && ay_clock_mono_ms() < until) {
		event_base_loopexit(n->base, &t);
		event_base_loop(n->base, EVLOOP_ONCE);
	}
}

/* A TCP connection over the loopback device: fd[0] dialled, fd[1] accepted. */
static void tcp(int fd[2])
{
	char at[64];
	int l;

	assert_int_equal(ay_net_listen("127.0.0.1:0", &l, at, sizeof(at), NULL), AY_OK);
	assert_int_equal(ay_net_connect(at, &fd[0], NULL), AY_OK);
	for (int i = 0; i < 100 && (fd[1] = accept4(l, NULL, NULL, SOCK_NONBLOCK)) < 0; i++)
		usleep(1000);
	assert_true(fd[1] >= 0);
	close(l);
}

static void connect_agent(struct net *n, bool first, const struct ay_tls_session *session)
{
	int fd[2];

	tcp(fd);
	assert_int_equal(ay_chan_open(n->a.env, fd[0],
				      ay_tls_connect(n->a.tls, fd[0], first, session), false, &n->a,
				      &n->a.chan, NULL),
			 AY_OK);
	assert_int_equal(ay_chan_open(n->s.env, fd[1], ay_tls_accept(n->s.tls, fd[1]), true, &n->s,
				      &n->s.chan, NULL),
			 AY_OK);
}

static void hello(struct net *n)
{
	ay_chan_send(n->a.chan, AY_FRAME_HELLO, 0, ay_bytes_of("hello"));
	turn(n, &n->s.n_frames, 1);
	assert_int_equal(n->s.n_frames, 1);
}

static void an_agent_with_the_pin_alone_dials(void **state)
{
	struct net *n = *state;
	uint8_t spki[32];
	uint8_t *der;
	size_t len;

	connect_agent(n, true, NULL);
	turn(n, &n->a.n_up, 1);
	turn(n, &n->s.n_up, 1);
	assert_int_equal(n->a.n_up, 1);
	assert_int_equal(n->s.n_up, 1);
	assert_memory_equal(n->a.peer.exporter, n->s.peer.exporter, 32);
	assert_int_equal(ay_cert_spki(n->agent.cert, spki, NULL), AY_OK);
	assert_memory_equal(n->s.peer.spki, spki, 32);
	assert_memory_equal(n->a.peer.own_spki, spki, 32);
	assert_int_equal(ay_cert_spki(n->server.cert, spki, NULL), AY_OK);
	assert_memory_equal(n->a.peer.spki, spki, 32);
	assert_false(n->s.peer.is_resumed);
	assert_int_equal(ay_tls_peer_root(ay_chan_tls(n->a.chan), &der, &len, NULL), AY_OK);
	free(der);
	hello(n);
}

static void without_first_contact_the_root_is_not_sent(void **state)
{
	struct net *n = *state;

	connect_agent(n, false, NULL); /* and the agent does not know it */
	turn(n, &n->a.n_down, 1);
	assert_string_equal(n->a.why.code, "PEER_ROOT");
	turn(n, &n->s.n_down, 1);
	assert_int_equal(n->s.n_up, 0);
}

static void set_pin(struct ay_tls *t, const uint8_t pin[32])
{
	struct ay_tls_root root = { .cert = { NULL, 0 } };

	memcpy(root.pin, pin, sizeof(root.pin));
	ay_tls_set_roots(t, &root, 1);
}

static void a_server_of_another_root_is_refused(void **state)
{
	struct net *n = *state;
	uint8_t pin[32];

	assert_int_equal(ay_cert_spki(n->other_root.cert, pin, NULL), AY_OK);
	set_pin(n->a.tls, pin);
	connect_agent(n, true, NULL);
	turn(n, &n->a.n_down, 1);
	assert_string_equal(n->a.why.code, "PEER_ROOT");
}

/* A chain in which the pinned root merely stands, without having signed the leaf. */
static void a_chain_that_only_shows_the_root_is_refused(void **state)
{
	struct net *n = *state;
	struct ay_cert_pem false_server;
	struct ay_tls_args t = { .role = AY_ROLE_SERVER };

	make(AY_CERT_CHANNEL, &n->other_root, &false_server);
	t.cert_pem = false_server.cert;
	t.key_pem = false_server.key;
	t.root_pem = n->root.cert;
	ay_tls_free(n->s.tls);
	assert_int_equal(ay_tls_new(&t, &n->s.tls, NULL), AY_OK);
	connect_agent(n, true, NULL);
	turn(n, &n->a.n_down, 1);
	assert_string_equal(n->a.why.code, "PEER_CHAIN");
	ay_cert_pem_free(&false_server);
}

/* The API's certificate has the right root and lacks clientAuth. */
static void a_certificate_of_another_use_is_refused(void **state)
{
	struct net *n = *state;
	struct ay_cert_pem api;
	struct ay_tls_args t = { .role = AY_ROLE_SERVER };

	make(AY_CERT_API, &n->root, &api);
	t.cert_pem = api.cert;
	t.key_pem = api.key;
	t.root_pem = n->root.cert;
	ay_tls_free(n->s.tls);
	assert_int_equal(ay_tls_new(&t, &n->s.tls, NULL), AY_OK);
	connect_agent(n, true, NULL);
	turn(n, &n->a.n_down, 1);
	assert_string_equal(n->a.why.code, "PEER_EKU");
	ay_cert_pem_free(&api);
}

static void refuse_as_agent(struct net *n, const struct ay_cert_pem *cert)
{
	struct ay_tls_args t = {
		.role = AY_ROLE_AGENT, .cert_pem = cert->cert, .key_pem = cert->key, .has_pin = true
	};

	memcpy(t.root_pin, n->pin, sizeof(n->pin));
	ay_tls_free(n->a.tls);
	assert_int_equal(ay_tls_new(&t, &n->a.tls, NULL), AY_OK);
	connect_agent(n, true, NULL);
	turn(n, &n->s.n_down, 1);
	assert_int_equal(n->s.n_up, 0);
	assert_string_equal(n->s.why.code, "PEER_KEY");
}

static void the_servers_own_key_is_no_agent(void **state)
{
	struct net *n = *state;
	struct ay_cert_pem disguised = { { NULL, 0 }, n->server.key };
	BIO *in = BIO_new_mem_buf(n->server.key.p, (int)n->server.key.n), *out;
	EVP_PKEY *k = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	X509 *x = X509_new(); /* self-signed, as an agent's: the key alone gives it away */
	char *data;

	X509_set_pubkey(x, k);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	assert_true(X509_sign(x, k, EVP_sha256()) > 0);
	out = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(out, x);
	disguised.cert.n = (size_t)BIO_get_mem_data(out, &data);
	disguised.cert.p = (uint8_t *)data;
	refuse_as_agent(n, &disguised);
	BIO_free(in);
	BIO_free(out);
	X509_free(x);
	EVP_PKEY_free(k);
}

static void another_servers_certificate_is_no_agent(void **state)
{
	struct net *n = *state;
	struct ay_cert_pem second;

	make(AY_CERT_CHANNEL, &n->root, &second);
	refuse_as_agent(n, &second);
	ay_cert_pem_free(&second);
}

/* Engine dials a listening agent: TLS roles turn round, application roles do not. */
static void a_server_dials(void **state)
{
	struct net *n = *state;
	int fd[2];

	tcp(fd);
	assert_int_equal(ay_chan_open(n->s.env, fd[0], ay_tls_connect(n->s.tls, fd[0], true, NULL),
				      false, &n->s, &n->s.chan, NULL),
			 AY_OK);
	assert_int_equal(ay_chan_open(n->a.env, fd[1], ay_tls_accept(n->a.tls, fd[1]), true, &n->a,
				      &n->a.chan, NULL),
			 AY_OK);
	turn(n, &n->s.n_up, 1);
	turn(n, &n->a.n_up, 1);
	assert_int_equal(n->a.n_up, 1);
	assert_true(n->s.peer.is_dialled);
	assert_false(n->a.peer.is_dialled);
	assert_memory_equal(n->a.peer.exporter, n->s.peer.exporter, 32);
	hello(n);
	ay_chan_send(n->s.chan, AY_FRAME_CHALLENGE, 1, ay_bytes_of("?"));
	turn(n, &n->a.n_frames, 1);
	assert_int_equal(n->a.n_frames, 1);
}

/* recipes/hotpath, trap 1: without both remedies a host that vanished never resumes. */
static void a_host_that_vanished_resumes(void **state)
{
	struct net *n = *state;
	struct ay_tls_session *session;

	n->a.keep_session = true;
	connect_agent(n, true, NULL);
	turn(n, &n->s.n_up, 1);
	hello(n);
	ay_chan_send(n->s.chan, AY_FRAME_WELCOME, 0, ay_bytes_of("w"));
	turn(n, &n->a.n_frames, 1);
	/* The agent's socket is closed; no close_notify is sent. */
	ay_chan_close(n->a.chan, "power cut");
	turn(n, &n->s.n_down, 1);
	assert_int_equal(n->s.n_down, 1);
	session = n->a.session;
	n->a.session = NULL;
	assert_non_null(session);
	connect_agent(n, false,
		      session); /* resumed: no certificate travels, so no root is needed */
	turn(n, &n->s.n_up, 2);
	turn(n, &n->a.n_up, 2);
	assert_int_equal(n->s.n_up, 2);
	assert_true(n->s.peer.is_resumed);
	assert_true(n->a.peer.is_resumed);
	assert_memory_equal(n->a.peer.exporter, n->s.peer.exporter, 32);
	ay_tls_session_free(session);
}

static void a_new_pin_ends_resumption(void **state)
{
	struct net *n = *state;
	uint8_t pin[32];

	assert_int_equal(ay_cert_spki(n->other_root.cert, pin, NULL), AY_OK);
	connect_agent(n, true, NULL);
	turn(n, &n->s.n_up, 1);
	set_pin(n->a.tls, pin);
	ay_chan_close(n->a.chan, "again");
	turn(n, &n->s.n_down, 1);
	connect_agent(n, true, NULL);
	turn(n, &n->a.n_down, 2);
	assert_int_equal(n->a.n_down, 2);
	assert_string_equal(n->a.why.code, "PEER_ROOT");
}

static void evidence_in_parts_comes_whole(void **state)
{
	struct net *n = *state;
	size_t len = 3 * AY_MAX_FRAME_BODY + 17;
	uint8_t *big = calloc(1, len);

	connect_agent(n, true, NULL);
	turn(n, &n->s.n_up, 1);
	hello(n);
	ay_chan_set_bound(n->s.chan);
	ay_chan_send(n->a.chan, AY_FRAME_EVIDENCE, 9, (struct ay_bytes){ big, len });
	turn(n, &n->s.n_frames, 5);
	assert_int_equal(n->s.n_frames, 5);
	assert_int_equal(n->s.n_octets, 5 + len);
	free(big);
}

/* Whoever takes the frames may ask for a pause; nothing is lost by it. */
static void a_pause_loses_nothing(void **state)
{
	struct net *n = *state;
	struct timeval t = { 0, 50000 };

	connect_agent(n, true, NULL);
	turn(n, &n->s.n_up, 1);
	hello(n);
	ay_chan_set_bound(n->s.chan);
	ay_chan_env_pause(n->s.env, true);
	for (int i = 0; i < 3; i++)
		ay_chan_send(n->a.chan, AY_FRAME_NOTICE, 0, ay_bytes_of("1"));
	event_base_loopexit(n->base, &t);
	event_base_loop(n->base, 0);
	assert_int_equal(n->s.n_frames, 1);
	ay_chan_env_pause(n->s.env, false);
	turn(n, &n->s.n_frames, 4);
	assert_int_equal(n->s.n_frames, 4);
	ay_chan_env_pause(n->s.env, true);
	ay_chan_send(n->a.chan, AY_FRAME_NOTICE, 0, ay_bytes_of("1"));
	event_base_loopexit(n->base, &t);
	event_base_loop(n->base, 0); /* and it may end while it is set aside */
}

static void evidence_on_an_unbound_connection_ends_it(void **state)
{
	struct net *n = *state;

	connect_agent(n, true, NULL);
	turn(n, &n->s.n_up, 1);
	hello(n);
	ay_chan_send(n->a.chan, AY_FRAME_EVIDENCE, 9, ay_bytes_of("e"));
	turn(n, &n->s.n_down, 1);
	assert_string_equal(n->s.why.code, "PEER_PROTOCOL");
	assert_int_equal(n->s.n_frames, 1);
}

static void a_peer_without_hello_is_cut(void **state)
{
	struct net *n = *state;

	connect_agent(n, true, NULL);
	turn(n, &n->s.n_up, 1);
	turn(n, &n->s.n_down, 1);
	assert_string_equal(n->s.why.text, "deadline of HELLO");
}

/* A frame's head says 100 octets, and one octet comes at a time. */
static void a_dripping_frame_is_cut(void **state)
{
	struct net *n = *state;
	struct ay_bytes head = t_hex("00000064 13 00 0000 00000000");
	struct timeval t = { 0, 20000 };
	struct ay_err e;
	size_t done;

	connect_agent(n, true, NULL);
	turn(n, &n->s.n_up, 1);
	hello(n);
	ay_chan_set_bound(n->s.chan);
	assert_int_equal(ay_tls_write(ay_chan_tls(n->a.chan), head.p, head.n, &done, &e),
			 AY_TLS_DONE);
	for (int i = 0; i < 60 && n->s.n_down == 0; i++) {
		(void)!ay_tls_write(ay_chan_tls(n->a.chan), head.p, 1, &done, &e);
		event_base_loopexit(n->base, &t);
		event_base_loop(n->base, 0);
	}
	assert_int_equal(n->s.n_down, 1);
	assert_string_equal(n->s.why.text, "deadline of a frame");
}

static void a_silent_or_dripping_handshake_is_cut(void **state)
{
	struct net *n = *state;
	struct timeval t = { 0, 20000 };
	int fd[2];

	for (int drip = 0; drip < 2; drip++) {
		n->s.n_down = 0;
		tcp(fd);
		assert_int_equal(ay_chan_open(n->s.env, fd[1], ay_tls_accept(n->s.tls, fd[1]), true,
					      &n->s, &n->s.chan, NULL),
				 AY_OK);
		for (int i = 0; i < 60 && n->s.n_down == 0; i++) {
			if (drip == 1)
				(void)!send(fd[0], i == 0 ? "\x16\x03\x01\x02\x00" : "\x01",
					    i == 0 ? 5 : 1, MSG_NOSIGNAL);
			event_base_loopexit(n->base, &t);
			event_base_loop(n->base, 0);
		}
		assert_int_equal(n->s.n_down, 1);
		assert_string_equal(n->s.why.text, "deadline of the handshake");
		close(fd[0]);
	}
}

static void an_agent_that_does_not_read_is_cut(void **state)
{
	struct net *n = *state;
	static uint8_t body[65536];
	int fd[2];
	struct ay_tls_conn *raw;
	struct ay_err e;
	size_t done;

	tcp(fd);
	raw = ay_tls_connect(n->a.tls, fd[0], true, NULL);
	assert_int_equal(ay_chan_open(n->s.env, fd[1], ay_tls_accept(n->s.tls, fd[1]), true, &n->s,
				      &n->s.chan, NULL),
			 AY_OK);
	for (int i = 0; i < 200 && ay_tls_handshake(raw, &e) != AY_TLS_DONE; i++)
		event_base_loop(n->base, EVLOOP_NONBLOCK), usleep(1000);
	turn(n, &n->s.n_up, 1);
	assert_int_equal(
		ay_tls_write(raw, t_hex("00000001 01 00 0000 00000000 41").p, 13, &done, &e),
		AY_TLS_DONE);
	turn(n, &n->s.n_frames, 1);
	for (int i = 0; i < 400 && n->s.chan != NULL; i++) {
		ay_chan_send(n->s.chan, AY_FRAME_PROVISION, 1, AY_BYTES(body));
		event_base_loop(n->base, EVLOOP_NONBLOCK);
	}
	turn(n, &n->s.n_down, 1);
	assert_string_equal(n->s.why.text, "the peer does not read");
	ay_tls_conn_free(raw);
	close(fd[0]);
}

/* ---- clients that are not ours, by libssl itself ---- */

enum flaw { NO_ALPN, WRONG_ALPN, TLS_1_2, NO_CERT, P384_KEY };

static void load_client(SSL_CTX *ctx, const struct net *n, enum flaw flaw)
{
	BIO *c = BIO_new_mem_buf(n->agent.cert.p, (int)n->agent.cert.n);
	BIO *k = BIO_new_mem_buf(n->agent.key.p, (int)n->agent.key.n);
	X509 *x = PEM_read_bio_X509(c, NULL, NULL, NULL);
	EVP_PKEY *key = flaw == P384_KEY ? EVP_EC_gen("P-384")
					 : PEM_read_bio_PrivateKey(k, NULL, NULL, NULL);

	if (flaw == P384_KEY) {
		X509_set_pubkey(x, key);
		X509_sign(x, key, EVP_sha384());
	}
	SSL_CTX_use_certificate(ctx, x);
	SSL_CTX_use_PrivateKey(ctx, key);
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(c);
	BIO_free(k);
}

static SSL_CTX *client_with(const struct net *n, enum flaw flaw)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (flaw != NO_CERT)
		load_client(ctx, n, flaw);
	if (flaw == TLS_1_2)
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	if (flaw == WRONG_ALPN)
		SSL_CTX_set_alpn_protos(ctx, (const uint8_t *)"\x08http/1.1", 9);
	else if (flaw != NO_ALPN)
		SSL_CTX_set_alpn_protos(ctx,
					(const uint8_t *)"\x0d"
							 "assay-agent/1",
					14);
	return ctx;
}

static void flawed_clients_are_refused(void **state)
{
	struct net *n = *state;

	for (int flaw = NO_ALPN; flaw <= P384_KEY; flaw++) {
		SSL_CTX *ctx = client_with(n, (enum flaw)flaw);
		SSL *ssl = SSL_new(ctx);
		int fd[2];

		n->s.n_down = 0;
		tcp(fd);
		SSL_set_fd(ssl, fd[0]);
		SSL_set_connect_state(ssl);
		assert_int_equal(ay_chan_open(n->s.env, fd[1], ay_tls_accept(n->s.tls, fd[1]), true,
					      &n->s, &n->s.chan, NULL),
				 AY_OK);
		for (int i = 0; i < 200 && n->s.n_down == 0; i++) {
			SSL_do_handshake(ssl);
			event_base_loop(n->base, EVLOOP_NONBLOCK);
			usleep(1000);
		}
		print_message("flaw %d: %s\n", flaw, n->s.why.text);
		assert_int_equal(n->s.n_down, 1);
		assert_int_equal(n->s.n_up, 0);
		assert_null(strstr(n->s.why.text, "deadline"));
		SSL_free(ssl);
		SSL_CTX_free(ctx);
		close(fd[0]);
	}
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_agent_with_the_pin_alone_dials),
		T(without_first_contact_the_root_is_not_sent),
		T(a_server_of_another_root_is_refused),
		T(a_chain_that_only_shows_the_root_is_refused),
		T(a_certificate_of_another_use_is_refused),
		T(the_servers_own_key_is_no_agent),
		T(another_servers_certificate_is_no_agent),
		T(a_server_dials),
		T(a_host_that_vanished_resumes),
		T(a_new_pin_ends_resumption),
		T(evidence_in_parts_comes_whole),
		T(a_pause_loses_nothing),
		T(evidence_on_an_unbound_connection_ends_it),
		T(a_peer_without_hello_is_cut),
		T(a_dripping_frame_is_cut),
		T(a_silent_or_dripping_handshake_is_cut),
		T(an_agent_that_does_not_read_is_cut),
		T(flawed_clients_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
