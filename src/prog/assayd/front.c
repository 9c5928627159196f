/* SPDX-License-Identifier: Apache-2.0 */
/* The front process: ends TLS of agents and people, parses frames and HTTP, decides nothing. */
#include "prog/assayd/front.h"

#include "io/ipc/front_msg.h"
#include "io/net/cert.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "io/sys/sandbox.h"
#include "io/sys/service.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <limits.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

/*
 * Every system call of this process. No open, no fork, no exec; sockets only to
 * dial agents and to ask for their addresses.
 */
static const int calls[] = {
	AY_SANDBOX_LOOP_CALLS, SCMP_SYS(accept4),    SCMP_SYS(shutdown),   SCMP_SYS(getpeername),
	SCMP_SYS(getsockname), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt), SCMP_SYS(connect),
	SCMP_SYS(fcntl),       SCMP_SYS(ioctl),	     SCMP_SYS(sendmsg),	   SCMP_SYS(recvmsg),
	SCMP_SYS(sendmmsg),
};

static const struct ay_sandbox box = { .name = "front",
				       .user = "assay-front",
				       .calls = calls,
				       .n_calls = AY_COUNT(calls),
				       .inet_only = true };

enum { STOP_POLL_MS = 50 };

const struct ay_sandbox *ay_front_sandbox(void)
{
	return &box;
}

static void from_engine(void *arg, const struct ay_ipc_msg *m)
{
	struct ay_front *f = arg;

	if (m->type == AY_MSG_ENGINE_STATE) {
		f->is_engine_ready = m->sub == 1;
		snprintf(f->reminders, sizeof(f->reminders), "%.*s", (int)m->body.n,
			 (const char *)m->body.p);
	} else if (m->type >= AY_MSG_API_REPLY)
		ay_front_api_from_engine(f, m);
	else
		ay_front_agents_from_engine(f, m);
}

/* Without engine or parent front is of no use; the parent starts all anew. */
static void on_pair_gone(void *arg, const char *why)
{
	struct ay_front *f = arg;

	if (!f->is_stopping)
		AY_LOG(AY_LOG_WARN, "front ends", AY_LS("why", why));
	f->status = f->is_stopping ? 0 : 1;
	ay_loop_stop(f->loop);
}

static void on_stop_poll(evutil_socket_t fd, short what, void *arg)
{
	struct ay_front *f = arg;

	(void)fd, (void)what;
	if (ay_httpd_is_idle(f->api))
		ay_loop_stop(f->loop);
}

/* Clean end: no new work, what is under way is answered, then leave. */
static void begin_to_stop(struct ay_front *f)
{
	struct timeval poll = { 0, STOP_POLL_MS * 1000 };
	struct event *ev;

	if (f->is_stopping)
		return;
	f->is_stopping = true;
	ay_httpd_stop(f->api);
	ay_front_agents_stop(f);
	ev = event_new(ay_loop_base(f->loop), -1, EV_PERSIST, on_stop_poll, f);
	if (ev == NULL || event_add(ev, &poll) != 0)
		ay_loop_stop(f->loop);
}

static void from_parent(void *arg, const struct ay_ipc_msg *m)
{
	if (m->type == AY_MSG_CHILD_STOP)
		begin_to_stop(arg);
}

static void after_flush(void *arg)
{
	ay_front_agents_turn(arg);
}

static const struct ay_ipc_ops engine_ops = { from_engine, on_pair_gone };
static const struct ay_ipc_ops parent_ops = { from_parent, on_pair_gone };

static enum ay_rc open_pairs(struct ay_front *f, const struct ay_front_args *a, struct ay_err *e)
{
	enum ay_rc rc = ay_loop_new(&f->loop, e);

	if (rc == AY_OK)
		rc = ay_ipc_open(f->loop, a->parent_fd, ay_ipc_table_of(AY_PAIR_PARENT), AY_IPC_B,
				 &parent_ops, f, &f->parent, e);
	if (rc == AY_OK)
		rc = ay_ipc_open(f->loop, a->engine_fd, ay_ipc_table_of(AY_PAIR_FRONT), AY_IPC_A,
				 &engine_ops, f, &f->engine, e);
	return rc;
}

static enum ay_rc read_state(const struct ay_front *f, const char *name, struct ay_bytes *out,
			     struct ay_err *e)
{
	char path[PATH_MAX];

	if (!ay_config_state_path(f->config, name, path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "front", 0, "state_dir is too long");
	return ay_file_read(path, AY_FRONT_PEM_MAX, out, e);
}

static enum ay_rc open_agents(struct ay_front *f, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes cert = { NULL, 0 }, key = { NULL, 0 };
	AY_CLEANUP(ay_file_free) struct ay_bytes root = { NULL, 0 };
	struct ay_tls_args t = { .role = AY_ROLE_SERVER };
	enum ay_rc rc = read_state(f, AY_FILE_CHANNEL_CERT, &cert, e);

	if (rc == AY_OK)
		rc = read_state(f, AY_FILE_CHANNEL_KEY, &key, e);
	if (rc == AY_OK)
		rc = read_state(f, AY_FILE_ROOT_CERT, &root, e);
	if (rc != AY_OK)
		return rc;
	t.cert_pem = cert;
	t.key_pem = key;
	t.root_pem = root;
	t.max_sessions = (size_t)ay_config_int(f->config, "max_connections");
	return ay_front_agents_open(f, &t, e);
}

static enum ay_rc open_api(struct ay_front *f, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes cert = { NULL, 0 }, key = { NULL, 0 };
	enum ay_rc rc = read_state(f, AY_FILE_API_CERT, &cert, e);

	if (rc == AY_OK)
		rc = read_state(f, AY_FILE_API_KEY, &key, e);
	if (rc == AY_OK)
		rc = ay_front_api_open(f, cert, key, e);
	return rc == AY_OK ? ay_front_compat_open(f, cert, key, e) : rc;
}

/* Told to engine and, for endpoints.json, to the parent. */
static enum ay_rc tell_ready(struct ay_front *f, struct ay_err *e)
{
	struct ay_front_ready r = { .agents = ay_bytes_of(f->args->agents_at),
				    .api = ay_bytes_of(f->args->api_at) };
	uint8_t room[1024];
	struct ay_writer w;
	struct ay_bytes body;
	enum ay_rc rc;

	ay_tls_own_spki(f->tls, r.server_spki);
	ay_wr_init(&w, room, sizeof(room));
	ay_front_ready_build(&w, &r);
	rc = ay_wr_end(&w, "ready", &body, e);
	if (rc != AY_OK)
		return rc;
	ay_ipc_send(f->engine, AY_MSG_FRONT_READY, 0, 0, body);
	ay_ipc_send(f->parent, AY_MSG_CHILD_READY, 0, 0, body);
	return AY_OK;
}

static enum ay_rc set_up(struct ay_front *f, const struct ay_front_args *a, struct ay_err *e)
{
	enum ay_rc rc = open_pairs(f, a, e);

	if (rc == AY_OK)
		rc = open_agents(f, e);
	if (rc == AY_OK)
		rc = open_api(f, e);
	if (rc != AY_OK)
		return rc;
	f->dns = evdns_base_new(ay_loop_base(f->loop), EVDNS_BASE_INITIALIZE_NAMESERVERS);
	ay_loop_after_flush(f->loop, after_flush, f);
	rc = ay_sandbox_enter(&box, e);
	return rc == AY_OK ? tell_ready(f, e) : rc;
}

static void tear_down(struct ay_front *f)
{
	ay_httpd_free(f->api);
	if (f->dns != NULL)
		evdns_base_free(f->dns, 0);
	ay_front_dial_forget_all(f);
	ay_chan_env_free(f->env);
	ay_tls_free(f->tls);
	ay_loop_free(f->loop);
	free(f->conn);
	free(f->free_slot);
	free(f);
}

static void tell_failed(struct ay_front *f, const struct ay_err *e)
{
	ay_log_err(AY_LOG_ERROR, "front cannot start", e);
	if (f->parent != NULL) {
		ay_ipc_send(f->parent, AY_MSG_CHILD_FAILED, 0, 0, ay_bytes_of(e->text));
		ay_ipc_close(f->parent);
	}
}

int ay_front_run(const struct ay_front_args *a)
{
	struct ay_front *f = calloc(1, sizeof(*f));
	struct ay_err e = { 0 };
	int status;

	if (f == NULL)
		return 1;
	f->args = a;
	f->config = a->config;
	if (set_up(f, a, &e) == AY_OK) {
		ay_loop_run(f->loop);
	} else {
		tell_failed(f, &e);
		f->status = 1;
	}
	status = f->status;
	if (f->status == 0)
		tear_down(f); /* only where all was set up */
	return status;
}
