/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that opens every connection the server opens, except those to
 * agents. It has no keys but its own for a stand-alone Privacy CA and the password
 * of its account at a directory, no database, and reads no file but the roots
 * that it checks servers by.
 */
#include "prog/assayd/courier.h"
#include "prog/assayd/processes.h"

#include "io/ipc/tables.h"
#include "io/sys/log.h"
#include "io/sys/sandbox.h"
#include "io/sys/service.h"

#include <seccomp.h>
#include <stdlib.h>

/* Besides the loop's: sockets to the outside, and the file of roots. */
static const int calls[] = {
	AY_SANDBOX_LOOP_CALLS,
	SCMP_SYS(socketpair),
	SCMP_SYS(connect),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockname),
	SCMP_SYS(shutdown),
	SCMP_SYS(fcntl),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(ioctl),
	SCMP_SYS(poll),
	SCMP_SYS(openat),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(lseek),
	/* threads that ask the directory */
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(set_robust_list),
};

struct courier {
	struct ay_loop *loop;
	struct ay_ipc *engine, *ca_line, *parent;
	struct ay_courier_ca *ca; /* NULL: the Privacy CA is embedded */
	struct ay_courier_http *http;
	struct ay_courier_ldap *ldap; /* NULL: no directory is configured */
};

static void from_engine(void *arg, const struct ay_ipc_msg *m)
{
	struct courier *c = arg;

	if (m->type != AY_MSG_DIRECTORY_LOGIN)
		ay_courier_http_message(c->http, m);
	ay_courier_ldap_message(c->ldap, c->engine, m);
}

static void from_engine_to_ca(void *arg, const struct ay_ipc_msg *m)
{
	struct courier *c = arg;

	ay_courier_ca_message(c->ca, m);
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

static enum ay_rc open_pairs(struct courier *c, const struct ay_courier_args *a, struct ay_err *e)
{
	static const struct ay_ipc_ops engine_ops = { from_engine, gone };
	static const struct ay_ipc_ops ca_ops = { from_engine_to_ca, gone };
	static const struct ay_ipc_ops parent_ops = { from_parent, gone };
	enum ay_rc rc = AY_OK;

	if (a->parent_fd >= 0)
		rc = ay_ipc_open(c->loop, a->parent_fd, ay_ipc_table_of(AY_PAIR_PARENT), AY_IPC_B,
				 &parent_ops, c, &c->parent, e);
	if (rc == AY_OK)
		rc = ay_ipc_open(c->loop, a->engine_fd, ay_ipc_table_of(AY_PAIR_COURIER), AY_IPC_B,
				 &engine_ops, c, &c->engine, e);
	if (rc == AY_OK && a->ca_fd >= 0)
		rc = ay_ipc_open(c->loop, a->ca_fd, ay_ipc_table_of(AY_PAIR_CA), AY_IPC_B, &ca_ops,
				 c, &c->ca_line, e);
	if (rc == AY_OK)
		ay_ipc_wipe(c->engine); /* passwords */
	return rc;
}

static enum ay_rc enter_sandbox(const struct ay_config *config, struct ay_err *e)
{
	const struct ay_sandbox_path paths[] = {
		{ ay_config_str(config, "outgoing_roots"), false },
		{ "/dev/urandom", false },
	};
	const struct ay_sandbox box = { .name = "courier",
					.user = "assay-courier",
					.calls = calls,
					.n_calls = AY_COUNT(calls),
					.paths = paths,
					.n_paths = AY_COUNT(paths),
					.inet_only = true };

	return ay_sandbox_enter(&box, e);
}

static enum ay_rc start(struct courier *c, const struct ay_courier_args *a, struct ay_err *e)
{
	enum ay_rc rc = ay_loop_new(&c->loop, e);

	if (rc == AY_OK)
		rc = open_pairs(c, a, e);
	if (rc == AY_OK)
		rc = ay_courier_http_new(c->loop, a->config, &c->http, e);
	if (rc == AY_OK)
		rc = ay_courier_ldap_new(c->loop, a->config, c->http, &c->ldap, e);
	if (rc == AY_OK && a->ca_fd >= 0)
		rc = ay_courier_ca_new(c->loop, a->config, &c->ca, e);
	if (rc == AY_OK)
		rc = enter_sandbox(a->config, e);
	if (rc == AY_OK && c->ldap != NULL)
		rc = ay_courier_ldap_start(c->ldap, c->engine, e);
	if (rc != AY_OK)
		return rc;
	ay_courier_http_start(c->http, c->engine);
	if (c->ca != NULL)
		ay_courier_ca_start(c->ca, c->ca_line);
	return AY_OK;
}

static void stop(struct courier *c)
{
	ay_courier_ca_free(c->ca);
	ay_courier_ldap_free(c->ldap);
	ay_courier_http_free(c->http);
	ay_ipc_close(c->ca_line);
	ay_ipc_close(c->engine);
	ay_ipc_close(c->parent);
	if (c->loop != NULL)
		ay_loop_free(c->loop);
}

int ay_courier_run(const struct ay_courier_args *a)
{
	struct courier c = { 0 };
	struct ay_err e = { 0 };
	enum ay_rc rc;

	ay_service_init();
	rc = start(&c, a, &e);
	if (rc == AY_OK) {
		if (c.parent != NULL)
			ay_ipc_send(c.parent, AY_MSG_CHILD_READY, 0, 0, (struct ay_bytes){ 0 });
		ay_loop_run(c.loop);
	} else {
		ay_log_err(AY_LOG_ERROR, "courier cannot start", &e);
		if (c.parent != NULL)
			ay_ipc_send(c.parent, AY_MSG_CHILD_FAILED, 0, 0, ay_bytes_of(e.text));
	}
	stop(&c);
	return rc == AY_OK ? 0 : 1;
}
