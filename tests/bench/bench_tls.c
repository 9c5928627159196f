/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes of the agent channel as the accepting server pays for them: mutual
 * TLS 1.3, full and resumed, both ends in this thread, only the server's calls
 * counted.
 */
#include "bench/bench.h"

#include "io/net/cert.h"
#include "io/net/tls.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct ends {
	struct ay_tls *server, *agent;
	double spent; /* CPU of the server's calls */
};

static struct ay_cert_pem make_cert(enum ay_cert_kind kind, const struct ay_cert_pem *issuer)
{
	struct ay_cert_args a = {
		.kind = kind, .cn = "bench", .now_s = time(NULL), .life_s = 86400
	};
	struct ay_cert_pem out;

	if (ay_cert_make(&a, issuer, &out, NULL) != AY_OK)
		bench_die("certificate");
	return out;
}

static void make_ends(struct ends *x)
{
	struct ay_cert_pem root = make_cert(AY_CERT_ROOT, NULL);
	struct ay_cert_pem server = make_cert(AY_CERT_CHANNEL, &root);
	struct ay_cert_pem agent = make_cert(AY_CERT_AGENT, NULL);
	struct ay_tls_args s = { .role = AY_ROLE_SERVER,
				 .cert_pem = server.cert,
				 .key_pem = server.key,
				 .root_pem = root.cert,
				 .max_sessions = 1000 };
	struct ay_tls_args a = { .role = AY_ROLE_AGENT,
				 .cert_pem = agent.cert,
				 .key_pem = agent.key,
				 .root_pem = root.cert,
				 .has_pin = true };

	if (ay_cert_spki(root.cert, a.root_pin, NULL) != AY_OK ||
	    ay_tls_new(&s, &x->server, NULL) != AY_OK || ay_tls_new(&a, &x->agent, NULL) != AY_OK)
		bench_die("tls");
	ay_cert_pem_free(&root);
	ay_cert_pem_free(&server);
	ay_cert_pem_free(&agent);
}

static enum ay_tls_io step_server(struct ends *x, struct ay_tls_conn *c)
{
	double began = bench_cpu();
	enum ay_tls_io r = ay_tls_handshake(c, NULL);

	x->spent += bench_cpu() - began;
	return r;
}

/* One handshake; *session in: to resume, out: the new one. Returns whether it was resumed. */
static bool handshake(struct ends *x, struct ay_tls_session **session)
{
	enum ay_tls_io a = AY_TLS_WANT_READ, s = AY_TLS_WANT_READ;
	struct ay_tls_conn *agent, *server;
	struct ay_tls_peer peer;
	uint8_t buf[64];
	size_t n;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) != 0)
		bench_die("socketpair");
	agent = ay_tls_connect(x->agent, fd[0], false, *session);
	server = ay_tls_accept(x->server, fd[1]);
	while (a != AY_TLS_DONE || s != AY_TLS_DONE) {
		if (a != AY_TLS_DONE)
			a = ay_tls_handshake(agent, NULL);
		if (s != AY_TLS_DONE)
			s = step_server(x, server);
		if (a < AY_TLS_WANT_READ || s < AY_TLS_WANT_READ)
			bench_die("handshake");
	}
	if (ay_tls_peer(server, &peer, NULL) != AY_OK ||
	    ay_tls_read(agent, buf, sizeof(buf), &n, NULL) != AY_TLS_WANT_READ)
		bench_die("after the handshake");
	ay_tls_session_free(*session);
	*session = ay_tls_session_take(agent);
	ay_tls_conn_free(agent);
	ay_tls_conn_free(server);
	close(fd[0]);
	close(fd[1]);
	return peer.is_resumed;
}

static void run(struct ends *x, const char *label, bool resume, double seconds)
{
	struct ay_tls_session *session = NULL;
	uint64_t n = 0, resumed = 0;
	double began;

	(void)handshake(x, &session);
	x->spent = 0;
	for (began = bench_cpu(); bench_cpu() - began < seconds; n++) {
		if (!resume) {
			ay_tls_session_free(session);
			session = NULL;
		}
		resumed += handshake(x, &session);
	}
	if (resumed != (resume ? n : 0))
		bench_die("resumption is not as it should be");
	bench_print(label, (double)n / x->spent, "1/s/core");
	ay_tls_session_free(session);
}

void bench_tls(double seconds)
{
	struct ends x = { 0 };

	make_ends(&x);
	run(&x, "tls_full", false, seconds);
	run(&x, "tls_resumed", true, seconds);
	ay_tls_free(x.server);
	ay_tls_free(x.agent);
}
