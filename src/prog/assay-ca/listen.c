/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-ca/listen.h"

#include "io/ipc/tables.h"
#include "io/net/socket.h"
#include "io/net/tlspipe.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "io/sys/sandbox.h"
#include "io/sys/service.h"
#include "prog/assay-ca/run.h"

#include <event2/event.h>
#include <limits.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEERS_MAX = 8 };

/* As the embedded one, and the port. */
static const int calls[] = {
	AY_CA_CALLS,	       SCMP_SYS(accept4),    SCMP_SYS(socketpair), SCMP_SYS(getpeername),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(shutdown),
	SCMP_SYS(sendmsg),     SCMP_SYS(recvmsg),    SCMP_SYS(ioctl),
};

struct server;

/* One connected assayd. */
struct peer {
	struct server *s;
	struct ay_tlspipe *pipe;
	struct ay_ipc *ipc;
	char addr[64];
};

struct server {
	struct ay_ca *ca;
	struct ay_loop *loop;
	struct ay_tlspipe_ctx *ctx;
	int fd;
	char bound[64];
	struct event *accepts, *term, *intr;
	struct peer *peer[PEERS_MAX];
};

static void drop(struct peer *p, const char *why)
{
	AY_LOG(AY_LOG_INFO, "server gone", AY_LS("peer", p->addr), AY_LS("why", why));
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (p->s->peer[i] == p)
			p->s->peer[i] = NULL;
	ay_ipc_close(p->ipc);
	ay_tlspipe_free(p->pipe);
	free(p);
}

static void on_msg(void *arg, const struct ay_ipc_msg *m)
{
	struct peer *p = arg;

	ay_ca_serve(p->s->ca, p->ipc, m);
}

static void on_gone(void *arg, const char *why)
{
	drop(arg, why);
}

/* The peer has proved that it is the server: only now it is told anything. */
static void on_up(void *arg)
{
	struct peer *p = arg;

	AY_LOG(AY_LOG_INFO, "server connected", AY_LS("peer", p->addr));
	ay_ca_greet(p->s->ca, p->ipc);
}

static enum ay_rc open_peer(struct peer *p, int fd, struct ay_err *e)
{
	static const struct ay_ipc_ops ipc_ops = { on_msg, on_gone };
	static const struct ay_tlspipe_ops pipe_ops = { on_up, on_gone };
	int pair[2];
	enum ay_rc rc = ay_ipc_pair(pair, e);

	if (rc != AY_OK) {
		close(fd);
		return rc;
	}
	rc = ay_tlspipe_open(ay_loop_base(p->s->loop), p->s->ctx, fd, pair[1], &pipe_ops, p,
			     &p->pipe, e);
	if (rc != AY_OK) {
		close(pair[0]);
		return rc;
	}
	return ay_ipc_open(p->s->loop, pair[0], ay_ipc_table_of(AY_PAIR_CA), AY_IPC_B, &ipc_ops, p,
			   &p->ipc, e);
}

static struct peer **free_place(struct server *s)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (s->peer[i] == NULL)
			return &s->peer[i];
	return NULL;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct peer **place = free_place(s), *p;
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ay_err e = { 0 };

	(void)what;
	if (conn < 0)
		return;
	p = place != NULL ? calloc(1, sizeof(*p)) : NULL;
	if (p == NULL) {
		close(conn);
		return;
	}
	p->s = s;
	*place = p;
	ay_net_peer_text(conn, p->addr, sizeof(p->addr));
	if (open_peer(p, conn, &e) != AY_OK)
		drop(p, e.text);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd, (void)what;
	ay_loop_stop(s->loop);
}

static enum ay_rc load_tls(struct server *s, const struct ay_config *c, struct ay_err *e)
{
	char cert[PATH_MAX], key[PATH_MAX];
	const struct ay_tlspipe_keys k = { .cert = cert,
					   .key = key,
					   .alpn = "assay-ca/1",
					   .root = ay_config_str(c, "server_root"),
					   .peer = AY_COURIER_CN };

	if (!ay_config_state_path(c, "tls.pem", cert, sizeof(cert)) ||
	    !ay_config_state_path(c, "tls.key", key, sizeof(key)))
		return ay_fail(e, AY_E_LIMIT, "state_dir", 0, "path too long");
	return ay_tlspipe_ctx_new(&k, true, &s->ctx, e);
}

static enum ay_rc add_events(struct server *s, struct ay_err *e)
{
	struct event_base *base = ay_loop_base(s->loop);

	s->accepts = event_new(base, s->fd, EV_READ | EV_PERSIST, on_accept, s);
	s->term = evsignal_new(base, SIGTERM, on_signal, s);
	s->intr = evsignal_new(base, SIGINT, on_signal, s);
	if (s->accepts == NULL || s->term == NULL || s->intr == NULL ||
	    event_add(s->accepts, NULL) != 0 || event_add(s->term, NULL) != 0 ||
	    event_add(s->intr, NULL) != 0)
		return ay_fail(e, AY_E_NOMEM, "listen", 0, "out of memory");
	return AY_OK;
}

static enum ay_rc write_endpoints(const struct server *s, const struct ay_config *c,
				  struct ay_err *e)
{
	char path[PATH_MAX], text[128];

	snprintf(text, sizeof(text), "{\"ca\":\"%s\"}\n", s->bound);
	if (!ay_config_state_path(c, "endpoints.json", path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "state_dir", 0, "path too long");
	return ay_file_write(path, 0644, ay_bytes_of(text), e);
}

static enum ay_rc start(struct server *s, const struct ay_config *c, struct ay_err *e)
{
	struct ay_ca_settings set;
	struct ay_sandbox_path paths[2] = { { 0 } };
	struct ay_sandbox box = { .name = "assay-ca",
				  .calls = calls,
				  .n_calls = AY_COUNT(calls),
				  .paths = paths,
				  .n_paths = 2 };
	enum ay_rc rc;

	ay_ca_settings_read(c, &set);
	set.dir = ay_config_str(c, "state_dir");
	set.ticket_key = ay_config_str(c, "ticket_key");
	paths[0] = (struct ay_sandbox_path){ set.dir, true };
	paths[1] = (struct ay_sandbox_path){ set.ek_trust_dir, false };
	rc = ay_ca_open(&set, &s->ca, e);
	if (rc == AY_OK)
		rc = load_tls(s, c, e);
	if (rc == AY_OK)
		rc = ay_net_listen(ay_config_str(c, "listen_ca"), &s->fd, s->bound,
				   sizeof(s->bound), e);
	if (rc == AY_OK)
		rc = ay_loop_new(&s->loop, e);
	if (rc == AY_OK)
		rc = add_events(s, e);
	if (rc == AY_OK)
		rc = write_endpoints(s, c, e);
	return rc == AY_OK ? ay_sandbox_enter(&box, e) : rc;
}

static void stop(struct server *s)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (s->peer[i] != NULL)
			drop(s->peer[i], "stopping");
	if (s->accepts != NULL)
		event_free(s->accepts);
	if (s->term != NULL)
		event_free(s->term);
	if (s->intr != NULL)
		event_free(s->intr);
	if (s->fd >= 0)
		close(s->fd);
	ay_loop_free(s->loop);
	ay_tlspipe_ctx_free(s->ctx);
	ay_ca_close(s->ca);
}

enum ay_rc ay_ca_listen(const struct ay_config *c, struct ay_err *e)
{
	struct server s = { .fd = -1 };
	enum ay_rc rc = start(&s, c, e);

	if (rc == AY_OK) {
		AY_LOG(AY_LOG_INFO, "ready", AY_LS("ca", s.bound));
		ay_service_ready();
		ay_loop_run(s.loop);
		ay_service_stopping();
	}
	stop(&s);
	return rc;
}
