/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that stands in the place of the embedded Privacy CA when `ca`
 * names a stand-alone one: messages of ca.def from engine go over TLS and the
 * answers come back. It cannot read what agents seal for the CA. When the CA
 * is away, what waits is refused with CA_UNAVAILABLE and it dials again.
 */
#include "prog/assayd/processes.h"

#include "io/ipc/sign_msg.h"
#include "io/ipc/tables.h"
#include "io/net/socket.h"
#include "io/net/tlspipe.h"
#include "io/sys/log.h"
#include "io/sys/sandbox.h"
#include "io/sys/service.h"

#include <event2/event.h>
#include <limits.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAITING_MAX = 4096, PAUSE_MIN_S = 1, PAUSE_MAX_S = 30 };

/* Besides the loop's: one outgoing connection at a time. */
static const int calls[] = {
	AY_SANDBOX_LOOP_CALLS, SCMP_SYS(socket),     SCMP_SYS(socketpair),  SCMP_SYS(connect),
	SCMP_SYS(getsockopt),  SCMP_SYS(setsockopt), SCMP_SYS(getpeername), SCMP_SYS(shutdown),
	SCMP_SYS(fcntl),       SCMP_SYS(sendmsg),    SCMP_SYS(recvmsg),	    SCMP_SYS(ioctl),
};

/* A question of engine that the CA has not answered. */
struct waiting {
	uint32_t conn, req;
};

struct courier {
	struct ay_loop *loop;
	struct ay_ipc *engine, *parent;
	struct ay_ipc *ca; /* our end of the pair that the pipe carries; NULL: not connected */
	struct ay_tlspipe *pipe;
	struct ay_tlspipe_ctx *ctx;
	const char *addr;
	struct event *again;
	int pause_s;
	bool was_ready;
	struct waiting waiting[WAITING_MAX];
	size_t n_waiting;
};

static void refuse(struct courier *c, uint32_t conn, uint32_t req)
{
	const struct ay_refusal r = { .code = ay_bytes_of("CA_UNAVAILABLE"),
				      .text = ay_bytes_of("the Privacy CA cannot be reached") };
	uint8_t buf[128];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_refusal_build(&w, &r);
	if (ay_wr_end(&w, "refusal", &body, NULL) == AY_OK)
		ay_ipc_send(c->engine, AY_MSG_CA_REFUSED, conn, req, body);
}

static void hang_up(struct courier *c, const char *why)
{
	struct timeval pause = { .tv_sec = c->pause_s };

	AY_LOG(AY_LOG_WARN, "Privacy CA away, dialling again", AY_LS("ca", c->addr),
	       AY_LS("why", why), AY_LI("pause_s", c->pause_s));
	ay_ipc_close(c->ca);
	c->ca = NULL;
	ay_tlspipe_free(c->pipe);
	c->pipe = NULL;
	for (size_t i = 0; i < c->n_waiting; i++)
		refuse(c, c->waiting[i].conn, c->waiting[i].req);
	c->n_waiting = 0;
	c->pause_s = c->pause_s * 2 < PAUSE_MAX_S ? c->pause_s * 2 : PAUSE_MAX_S;
	event_add(c->again, &pause);
}

static void pipe_up(void *arg)
{
	struct courier *c = arg;

	c->pause_s = PAUSE_MIN_S;
	AY_LOG(AY_LOG_INFO, "Privacy CA connected", AY_LS("ca", c->addr));
}

static void pipe_down(void *arg, const char *why)
{
	hang_up(arg, why);
}

static void from_ca(void *arg, const struct ay_ipc_msg *m)
{
	struct courier *c = arg;

	if (m->type == AY_MSG_CA_READY) {
		if (!c->was_ready)
			ay_ipc_send_msg(c->engine, m);
		c->was_ready = true;
		return;
	}
	for (size_t i = 0; i < c->n_waiting; i++)
		if (c->waiting[i].conn == m->conn && c->waiting[i].req == m->req) {
			c->waiting[i] = c->waiting[--c->n_waiting];
			ay_ipc_send_msg(c->engine, m);
			return;
		}
	/* an answer to nothing: not passed on */
}

static void ca_gone(void *arg, const char *why)
{
	struct courier *c = arg;

	if (c->pipe != NULL)
		hang_up(c, why);
}

static enum ay_rc dial(struct courier *c, struct ay_err *e)
{
	static const struct ay_ipc_ops ca_ops = { from_ca, ca_gone };
	static const struct ay_tlspipe_ops pipe_ops = { pipe_up, pipe_down };
	int pair[2], fd = -1;
	enum ay_rc rc = ay_ipc_pair(pair, e);

	if (rc != AY_OK)
		return rc;
	rc = ay_net_connect(c->addr, &fd, e);
	if (rc == AY_OK)
		rc = ay_tlspipe_open(ay_loop_base(c->loop), c->ctx, fd, pair[1], &pipe_ops, c,
				     &c->pipe, e);
	else
		close(pair[1]);
	if (rc != AY_OK) {
		close(pair[0]);
		return rc;
	}
	return ay_ipc_open(c->loop, pair[0], ay_ipc_table_of(AY_PAIR_CA), AY_IPC_A, &ca_ops, c,
			   &c->ca, e);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct courier *c = arg;
	struct ay_err e = { 0 };

	(void)fd, (void)what;
	if (c->pipe == NULL && dial(c, &e) != AY_OK)
		hang_up(c, e.text);
}

static void from_engine(void *arg, const struct ay_ipc_msg *m)
{
	struct courier *c = arg;

	if (c->ca == NULL || c->n_waiting == WAITING_MAX) {
		refuse(c, m->conn, m->req);
		return;
	}
	c->waiting[c->n_waiting++] = (struct waiting){ m->conn, m->req };
	ay_ipc_send_msg(c->ca, m);
}

static void from_parent(void *arg, const struct ay_ipc_msg *m)
{
	struct courier *c = arg;

	if (m->type == AY_MSG_CHILD_STOP)
		ay_loop_stop(c->loop);
}

static void gone(void *arg, const char *why)
{
	struct courier *c = arg;

	AY_LOG(AY_LOG_INFO, "peer gone, ending", AY_LS("why", why));
	ay_loop_stop(c->loop);
}

static enum ay_rc load_keys(struct courier *c, const struct ay_config *config, struct ay_err *e)
{
	char cert[PATH_MAX], key[PATH_MAX];
	const struct ay_tlspipe_keys k = { .cert = cert,
					   .key = key,
					   .alpn = "assay-ca/1",
					   .root = ay_config_str(config, "ca_root") };

	if (!ay_config_state_path(config, AY_FILE_COURIER_CERT, cert, sizeof(cert)) ||
	    !ay_config_state_path(config, AY_FILE_COURIER_KEY, key, sizeof(key)))
		return ay_fail(e, AY_E_LIMIT, "state_dir", 0, "path too long");
	return ay_tlspipe_ctx_new(&k, false, &c->ctx, e);
}

static enum ay_rc start(struct courier *c, const struct ay_ca_args *a, struct ay_err *e)
{
	static const struct ay_ipc_ops engine_ops = { from_engine, gone };
	static const struct ay_ipc_ops parent_ops = { from_parent, gone };
	const struct ay_sandbox box = { .name = "courier",
					.user = "assay-courier",
					.calls = calls,
					.n_calls = AY_COUNT(calls) };
	enum ay_rc rc = ay_loop_new(&c->loop, e);

	if (rc == AY_OK && a->parent_fd >= 0)
		rc = ay_ipc_open(c->loop, a->parent_fd, ay_ipc_table_of(AY_PAIR_PARENT), AY_IPC_B,
				 &parent_ops, c, &c->parent, e);
	if (rc == AY_OK)
		rc = ay_ipc_open(c->loop, a->engine_fd, ay_ipc_table_of(AY_PAIR_CA), AY_IPC_B,
				 &engine_ops, c, &c->engine, e);
	if (rc == AY_OK)
		rc = load_keys(c, a->config, e);
	if (rc != AY_OK)
		return rc;
	c->addr = ay_config_str(a->config, "ca");
	c->pause_s = PAUSE_MIN_S;
	c->again = event_new(ay_loop_base(c->loop), -1, 0, on_again, c);
	if (c->again == NULL)
		return ay_fail(e, AY_E_NOMEM, "courier", 0, "out of memory");
	return ay_sandbox_enter(&box, e);
}

static void stop(struct courier *c)
{
	struct ay_tlspipe *pipe = c->pipe;

	c->pipe = NULL;
	ay_ipc_close(c->ca);
	ay_tlspipe_free(pipe);
	ay_ipc_close(c->engine);
	ay_ipc_close(c->parent);
	if (c->again != NULL)
		event_free(c->again);
	ay_tlspipe_ctx_free(c->ctx);
	ay_loop_free(c->loop);
	free(c);
}

int ay_courier_run(const struct ay_ca_args *a)
{
	const struct timeval at_once = { 0 };
	struct courier *c = calloc(1, sizeof(*c));
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (c == NULL)
		return 1;
	ay_service_init();
	rc = start(c, a, &e);
	if (rc == AY_OK) {
		if (c->parent != NULL)
			ay_ipc_send(c->parent, AY_MSG_CHILD_READY, 0, 0, (struct ay_bytes){ 0 });
		event_add(c->again, &at_once);
		ay_loop_run(c->loop);
	} else {
		ay_log_err(AY_LOG_ERROR, "courier cannot start", &e);
		if (c->parent != NULL)
			ay_ipc_send(c->parent, AY_MSG_CHILD_FAILED, 0, 0, ay_bytes_of(e.text));
	}
	stop(c);
	return rc == AY_OK ? 0 : 1;
}
