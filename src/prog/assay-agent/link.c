/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/reader.h"
#include "io/ipc/tables.h"
#include "io/net/channel.h"
#include "io/net/socket.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "io/sys/rng.h"
#include "io/sys/sandbox.h"
#include "prog/assay-agent/dial.h"

/*
 * The process at the network: TLS with our own key, frames to and from the
 * tpm process. It knows pins, the TLS key and, while enrolling, K of the token;
 * it has no TPM, no measurement logs, and writes no file.
 */
static const int calls[] = {
	AY_SANDBOX_LOOP_CALLS,
	SCMP_SYS(socket),
	SCMP_SYS(connect),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(shutdown),
	SCMP_SYS(bind),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(ioctl),
	SCMP_SYS(fcntl),
	/* name service: hosts, resolv.conf */
	SCMP_SYS(openat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstat),
	SCMP_SYS(stat),
	SCMP_SYS(lseek),
	SCMP_SYS(pread64),
	SCMP_SYS(uname),
	SCMP_SYS(clock_nanosleep),
};

static const struct ay_sandbox_path paths[] = {
	{ "/etc/resolv.conf", false },	   { "/etc/hosts", false },
	{ "/etc/nsswitch.conf", false },   { "/etc/host.conf", false },
	{ "/etc/gai.conf", false },	   { "/etc/services", false },
	{ "/run/systemd/resolve", false }, { "/etc/localtime", false },
};

enum {
	HANDSHAKE_MS = 10000,
	FRAME_MS = 60000,
	MAX_OUT = AY_MAX_EVIDENCE_BYTES + (1 << 20),
	MAX_HANDSHAKES = 16, /* of strangers, at a listening agent */
	ENROL_ROUNDS = 3,
	STAYED_MS = 20000,
	HOLD_S = 1,
};

struct link {
	const struct ay_agent *agent;
	struct ay_loop *loop;
	struct ay_ipc *tpm;
	struct ay_tls *tls;
	struct ay_chan_env *env;
	struct ay_dialer dialer;
	struct event *listener, *timer, *stayed, *proof;
	int listen_fd;
	unsigned n_strangers; /* accepted, handshake under way */

	struct ay_chan *chan; /* the one in use */
	struct ay_chan *dialling;
	struct ay_tls_session *session;
	struct ay_tls_peer peer;
	uint32_t conn;
	bool knows_root; /* the certificates of all that count */
	bool asks_root;	 /* the last chain did not lead to one: ask for the root itself */
	bool was_refused;
	bool stopping;
	bool hold; /* the key may be bound: first see whether the server says so */
};

static unsigned pause_ms(const struct link *l)
{
	uint32_t random;

	ay_rng_bytes(&random, sizeof(random));
	return ay_dialer_pause_ms(&l->dialer, random);
}

static void schedule_dial(struct link *l, unsigned ms)
{
	struct timeval t = { ms / 1000, (long)(ms % 1000) * 1000 };

	if (l->dialer.n_servers > 0 && !l->agent->listen)
		(void)event_add(l->timer, &t);
}

static void tell_error(struct link *l, const char *code, const char *text)
{
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_vec8(&w, ay_bytes_of(code));
	ay_wr_vec16(&w, ay_bytes_of(text));
	if (ay_wr_end(&w, "error", &body, NULL) == AY_OK)
		ay_ipc_send(l->tpm, AY_MSG_AGENT_ERROR, 0, 0, body);
}

/* While enrolling someone waits for an answer; else the next try comes later. */
static void failed(struct link *l, const struct ay_err *e)
{
	l->dialer.failures++;
	ay_log_err(AY_LOG_WARN, "no connection to a server, trying again", e);
	if (l->agent->enrol && !l->agent->listen) {
		if (e->code[0] != '\0')
			tell_error(l, e->code, e->text);
		else if (l->dialer.failures >= ENROL_ROUNDS * l->dialer.n_servers)
			tell_error(l, "UNREACHABLE", e->text);
	}
	schedule_dial(l, pause_ms(l));
}

static void dial(evutil_socket_t unused, short what, void *arg)
{
	struct link *l = arg;
	struct ay_tls_conn *tls;
	struct ay_err e;
	int fd;

	(void)unused;
	(void)what;
	if (l->chan != NULL || l->dialling != NULL)
		return;
	if (ay_dialer_connect(&l->dialer, &fd, &e) != AY_OK) {
		failed(l, &e);
		return;
	}
	tls = ay_tls_connect(l->tls, fd, !l->knows_root || l->asks_root, l->session);
	if (tls == NULL) {
		close(fd);
		schedule_dial(l, 1000);
		return;
	}
	if (ay_chan_open(l->env, fd, tls, false, l, &l->dialling, &e) != AY_OK)
		failed(l, &e);
}

static void on_accept(evutil_socket_t sock, short what, void *arg)
{
	struct link *l = arg;
	int fd = accept4(sock, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ay_tls_conn *tls;
	struct ay_chan *c;
	struct ay_err e;

	(void)what;
	if (fd < 0)
		return;
	if (l->n_strangers >= MAX_HANDSHAKES) {
		close(fd);
		return;
	}
	tls = ay_tls_accept(l->tls, fd);
	if (tls == NULL) {
		close(fd);
		return;
	}
	if (ay_chan_open(l->env, fd, tls, true, l, &c, &e) == AY_OK)
		l->n_strangers++;
}

static void tell_up(struct link *l, struct ay_chan *c)
{
	uint8_t *root = NULL, buf[256 + AY_MAX_CERT_BYTES];
	size_t n = 0;
	struct ay_writer w;
	struct ay_bytes body;

	if (l->peer.is_resumed || ay_tls_peer_root(ay_chan_tls(c), &root, &n, NULL) != AY_OK)
		n = 0;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_bytes(&w, AY_BYTES(l->peer.exporter));
	ay_wr_bytes(&w, AY_BYTES(l->peer.own_spki));
	ay_wr_bytes(&w, AY_BYTES(l->peer.spki));
	ay_wr_vec16(&w, (struct ay_bytes){ root, n });
	if (ay_wr_end(&w, "up", &body, NULL) == AY_OK)
		ay_ipc_send(l->tpm, AY_MSG_AGENT_UP, ++l->conn, 0, body);
	free(root);
}

static void tell_down(struct link *l, const char *why)
{
	size_t n = strnlen(why, 200);

	ay_ipc_send(l->tpm, AY_MSG_AGENT_DOWN, l->conn, 0,
		    (struct ay_bytes){ (const uint8_t *)why, n });
}

static void on_up(struct ay_chan *c, void *owner, const struct ay_tls_peer *peer)
{
	struct link *l = owner;
	struct timeval t = { STAYED_MS / 1000, 0 };
	struct ay_chan *old = l->chan;

	if (c == l->dialling)
		l->dialling = NULL;
	else if (l->n_strangers > 0)
		l->n_strangers--;
	/* Whoever comes up has shown the pinned root: the newer connection is the one in use. */
	l->chan = c;
	if (old != NULL) {
		tell_down(l, "a newer connection took its place");
		ay_chan_close(old, "a newer connection took its place");
	}
	l->peer = *peer;
	l->was_refused = false;
	l->asks_root = false;
	l->hold = false;
	(void)event_add(l->stayed, &t);
	AY_LOG(AY_LOG_INFO, "connected", AY_LU("resumed", peer->is_resumed),
	       AY_LU("dialled", peer->is_dialled));
	tell_up(l, c);
}

static void on_stayed(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	l->dialer.failures = 0;
}

static void send_proof(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	uint8_t k[32], proof[32], buf[128];
	struct ay_writer w;
	struct ay_bytes body;
	struct ay_err e;

	(void)fd;
	(void)what;
	if (l->chan == NULL)
		return;
	ay_token_key(l->agent->token->secret, k);
	if (ay_token_proof(k, l->peer.exporter, l->peer.own_spki, l->peer.spki, proof, &e) !=
	    AY_OK) {
		ay_log_err(AY_LOG_ERROR, "no proof of the token", &e);
		return;
	}
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_vec8(&w, ay_bytes_of(l->agent->token->id));
	ay_wr_bytes(&w, AY_BYTES(proof));
	if (ay_wr_end(&w, "proof", &body, NULL) == AY_OK)
		ay_chan_send(l->chan, AY_FRAME_TOKEN_PROOF, 0, body);
}

static void on_frame(struct ay_chan *c, void *owner, const struct ay_frame *f)
{
	struct link *l = owner;
	const struct ay_ipc_msg m = { .type = AY_MSG_AGENT_FRAME,
				      .sub = f->type,
				      .flags = f->flags,
				      .conn = l->conn,
				      .req = f->req,
				      .body = f->body };

	if (c != l->chan)
		return;
	if (f->type == AY_FRAME_FAIL)
		l->was_refused = true;
	if (f->type == AY_FRAME_WELCOME)
		(void)event_del(l->proof);
	ay_ipc_send_msg(l->tpm, &m);
}

static void keep_session(struct link *l, struct ay_chan *c)
{
	struct ay_tls_session *s = ay_tls_session_take(ay_chan_tls(c));

	if (s == NULL)
		return;
	ay_tls_session_free(l->session);
	l->session = s;
}

/*
 * Nothing leads from the server to a root that this host pins. If that is so
 * also when the server was asked for its root, only a person can help.
 */
static void root_failed(struct link *l, struct ay_err *e)
{
	bool asked = !l->knows_root || l->asks_root;

	l->asks_root = true;
	if (!asked || l->agent->enrol)
		return;
	AY_LOG(AY_LOG_ERROR, "the server's root is not the pinned one",
	       AY_LS("server", ay_dialer_last(&l->dialer)), AY_LS("todo", AY_AGENT_ROOT_TODO));
	tell_error(l, e->code, AY_AGENT_ROOT_TODO);
}

/* Which server it was, and why. */
static void dial_failed(struct link *l, const struct ay_err *why)
{
	struct ay_err e = *why;

	(void)snprintf(e.text, sizeof(e.text), "%.70s: %.120s", ay_dialer_last(&l->dialer),
		       why->text);
	if (strcmp(e.code, "PEER_ROOT") == 0 || strcmp(e.code, "PEER_CHAIN") == 0)
		root_failed(l, &e);
	failed(l, &e);
}

static void on_down(struct ay_chan *c, void *owner, const struct ay_err *why)
{
	struct link *l = owner;

	if (c == l->dialling && l->stopping)
		return;
	if (c == l->dialling) {
		l->dialling = NULL;
		ay_tls_session_free(l->session);
		l->session = NULL;
		dial_failed(l, why);
		return;
	}
	if (c != l->chan) {
		if (!ay_chan_is_up(c) && l->n_strangers > 0)
			l->n_strangers--;
		return;
	}
	keep_session(l, c);
	l->chan = NULL;
	(void)event_del(l->stayed);
	(void)event_del(l->proof);
	AY_LOG(AY_LOG_INFO, "disconnected", AY_LS("why", why->text));
	tell_down(l, why->text);
	if (l->stopping)
		return;
	if (l->agent->enrol && !l->was_refused)
		failed(l, why);
	else {
		l->dialer.failures++;
		schedule_dial(l, pause_ms(l));
	}
}

static void set_roots(struct link *l, const struct ay_tls_root *roots, size_t n)
{
	l->knows_root = n > 0;
	for (size_t i = 0; i < n; i++)
		l->knows_root = l->knows_root && roots[i].cert.n > 0;
	ay_tls_set_roots(l->tls, roots, n);
	ay_tls_session_free(l->session);
	l->session = NULL;
}

/* The tpm process has checked and stored a change; connections that stand go on. */
static void on_roots(struct link *l, struct ay_bytes body)
{
	struct ay_tls_root roots[AY_TLS_ROOTS] = { 0 };
	struct ay_reader r;
	size_t n;

	ay_rd_init(&r, body);
	n = ay_rd_u8(&r, "roots.n");
	if (n < 1 || n > AY_TLS_ROOTS)
		ay_rd_reject(&r, "roots.n", "%zu", n);
	for (size_t i = 0; i < n && ay_rd_ok(&r); i++) {
		ay_rd_copy(&r, "roots.pin", roots[i].pin, sizeof(roots[i].pin));
		roots[i].cert = ay_rd_vec16(&r, "roots.certificate", AY_MAX_CERT_BYTES);
	}
	if (ay_rd_end(&r, "roots", NULL) == AY_OK)
		set_roots(l, roots, n);
}

static void on_tpm(void *arg, const struct ay_ipc_msg *m)
{
	struct link *l = arg;
	const struct ay_frame f = {
		.type = m->sub, .flags = m->flags, .req = m->req, .body = m->body
	};

	if (m->type == AY_MSG_AGENT_ROOTS) {
		on_roots(l, m->body);
		return;
	}
	if (l->chan == NULL || m->conn != l->conn)
		return;
	if (m->type == AY_MSG_AGENT_HOLD) {
		l->hold = true;
		return;
	}
	if (m->type == AY_MSG_AGENT_END) {
		l->was_refused = true;
		ay_chan_send(l->chan, AY_FRAME_FAIL, 0, m->body);
		ay_chan_close(l->chan, "ended by the agent");
		return;
	}
	ay_chan_send_frame(l->chan, &f);
	if (f.type != AY_FRAME_HELLO || l->agent->token == NULL)
		return;
	if (l->hold)
		(void)event_add(l->proof, &(struct timeval){ HOLD_S, 0 });
	else
		send_proof(-1, 0, l);
}

static void on_tpm_gone(void *arg, const char *why)
{
	struct link *l = arg;

	(void)why;
	ay_loop_stop(l->loop);
}

static enum ay_rc make_tls(struct link *l, struct ay_err *e)
{
	const struct ay_agent *a = l->agent;
	const struct ay_tls_args args = { .role = AY_ROLE_AGENT,
					  .cert_pem = a->cert_pem,
					  .key_pem = a->key_pem,
					  .max_sessions = a->listen ? 4 : 0 };
	struct ay_tls_root roots[AY_TLS_ROOTS];
	enum ay_rc rc = ay_tls_new(&args, &l->tls, e);

	if (rc == AY_OK)
		set_roots(l, roots,
			  ay_identity_roots(&a->pins, &a->identity, ay_clock_wall_ms(), roots));
	return rc;
}

static enum ay_rc make_channel(struct link *l, struct ay_err *e)
{
	static const struct ay_chan_ops ops = { .up = on_up, .frame = on_frame, .down = on_down };
	const struct ay_chan_args args = { .base = ay_loop_base(l->loop),
					   .role = AY_ROLE_AGENT,
					   .ops = &ops,
					   .handshake_ms = HANDSHAKE_MS,
					   .hello_ms = HANDSHAKE_MS,
					   .frame_ms = FRAME_MS,
					   .max_out = MAX_OUT };

	return ay_chan_env_new(&args, &l->env, e);
}

static enum ay_rc start_listening(struct link *l, struct ay_err *e)
{
	const char *addr = ay_config_str(l->agent->conf, "listen");
	char bound[96], text[192];
	enum ay_rc rc = ay_net_listen(addr[0] != '\0' ? addr : "0.0.0.0:1443", &l->listen_fd, bound,
				      sizeof(bound), e);

	if (rc != AY_OK)
		return rc;
	(void)snprintf(text, sizeof(text), "{\"listen\":\"%s\"}\n", bound);
	rc = ay_file_write(l->agent->endpoints_path, 0644, ay_bytes_of(text), e);
	if (rc != AY_OK)
		return rc;
	AY_LOG(AY_LOG_INFO, "listening", AY_LS("at", bound));
	l->listener =
		event_new(ay_loop_base(l->loop), l->listen_fd, EV_READ | EV_PERSIST, on_accept, l);
	if (l->listener == NULL || event_add(l->listener, NULL) != 0)
		return ay_fail(e, AY_E_NOMEM, "listen", 0, "no memory");
	return AY_OK;
}

static enum ay_rc set_up(struct link *l, int fd, struct ay_err *e)
{
	static const struct ay_ipc_ops ops = { .msg = on_tpm, .gone = on_tpm_gone };
	const struct ay_sandbox sandbox = { .name = "link",
					    .user = "assay-agent",
					    .calls = calls,
					    .n_calls = AY_COUNT(calls),
					    .paths = paths,
					    .n_paths = AY_COUNT(paths) };
	enum ay_rc rc = ay_loop_new(&l->loop, e);

	if (rc == AY_OK)
		rc = ay_ipc_open(l->loop, fd, ay_ipc_table_of(AY_PAIR_AGENT), AY_IPC_A, &ops, l,
				 &l->tpm, e);
	if (rc == AY_OK)
		rc = make_tls(l, e);
	if (rc == AY_OK)
		rc = make_channel(l, e);
	if (rc == AY_OK) {
		l->timer = event_new(ay_loop_base(l->loop), -1, 0, dial, l);
		l->stayed = event_new(ay_loop_base(l->loop), -1, 0, on_stayed, l);
		l->proof = event_new(ay_loop_base(l->loop), -1, 0, send_proof, l);
		if (l->timer == NULL || l->stayed == NULL || l->proof == NULL)
			rc = ay_fail(e, AY_E_NOMEM, "link", 0, "no memory");
	}
	/* No port before the pins are known [design 4]. */
	if (rc == AY_OK && l->agent->listen && l->agent->pins.known)
		rc = start_listening(l, e);
	if (rc == AY_OK)
		rc = ay_sandbox_enter(&sandbox, e);
	return rc;
}

static void clean_up(struct link *l)
{
	l->stopping = true;
	if (l->chan != NULL)
		ay_chan_close(l->chan, "the agent stops");
	if (l->dialling != NULL)
		ay_chan_close(l->dialling, "the agent stops");
	if (l->listener != NULL)
		event_free(l->listener);
	if (l->timer != NULL)
		event_free(l->timer);
	if (l->stayed != NULL)
		event_free(l->stayed);
	if (l->proof != NULL)
		event_free(l->proof);
	ay_fd_close(&l->listen_fd);
	ay_tls_session_free(l->session);
	ay_ipc_close(l->tpm);
	ay_chan_env_free(l->env);
	ay_tls_free(l->tls);
	ay_loop_free(l->loop);
}

int ay_agent_link_run(const struct ay_agent *a, int fd)
{
	struct link l = { .agent = a, .listen_fd = -1 };
	struct ay_err e;
	int code = AY_EXIT_OK;

	ay_dialer_init(&l.dialer, a);
	if (set_up(&l, fd, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "cannot start", &e);
		if (a->enrol && l.tpm != NULL)
			tell_error(&l, "AGENT_LINK", e.text);
		code = AY_EXIT_IO;
	} else {
		schedule_dial(&l, 0);
		ay_loop_run(l.loop);
	}
	clean_up(&l);
	return code;
}
