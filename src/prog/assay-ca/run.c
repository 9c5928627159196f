/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-ca/run.h"

#include "io/ipc/tables.h"
#include "io/sys/log.h"
#include "io/sys/sandbox.h"
#include "io/sys/service.h"
#include "prog/assayd/processes.h"

#include <seccomp.h>
#include <stdio.h>

static const int calls[] = { AY_CA_CALLS };

struct process {
	struct ay_ca *ca;
	struct ay_loop *loop;
	struct ay_ipc *engine;
	struct ay_ipc *parent;
};

static void engine_msg(void *arg, const struct ay_ipc_msg *m)
{
	struct process *p = arg;

	ay_ca_serve(p->ca, p->engine, m);
}

static void parent_msg(void *arg, const struct ay_ipc_msg *m)
{
	struct process *p = arg;

	if (m->type == AY_MSG_CHILD_STOP)
		ay_loop_stop(p->loop);
}

static void gone(void *arg, const char *why)
{
	struct process *p = arg;

	AY_LOG(AY_LOG_INFO, "peer gone, ending", AY_LS("why", why));
	ay_loop_stop(p->loop);
}

static enum ay_rc settings_of(const struct ay_config *c, struct ay_ca_settings *s, char dir[4096],
			      char ticket[4096], struct ay_err *e)
{
	if (!ay_config_state_path(c, AY_DIR_CA, dir, 4096) ||
	    !ay_config_state_path(c, AY_FILE_TICKET_PUB, ticket, 4096))
		return ay_fail(e, AY_E_INPUT, "state_dir", 0, "path too long");
	ay_ca_settings_read(c, s);
	s->dir = dir;
	s->ticket_key = ticket;
	return AY_OK;
}

static enum ay_rc enter_sandbox(const struct ay_ca_settings *s, struct ay_err *e)
{
	const struct ay_sandbox_path paths[] = {
		{ s->dir, true },
		{ s->ek_trust_dir, false },
	};
	const struct ay_sandbox box = { .name = "assay-ca",
					.calls = calls,
					.n_calls = AY_COUNT(calls),
					.paths = paths,
					.n_paths = AY_COUNT(paths) };

	return ay_sandbox_enter(&box, e);
}

static enum ay_rc open_pairs(struct process *p, const struct ay_ca_args *a, struct ay_err *e)
{
	static const struct ay_ipc_ops engine_ops = { engine_msg, gone };
	static const struct ay_ipc_ops parent_ops = { parent_msg, gone };
	enum ay_rc rc = ay_loop_new(&p->loop, e);

	if (rc == AY_OK)
		rc = ay_ipc_open(p->loop, a->engine_fd, ay_ipc_table_of(AY_PAIR_CA), AY_IPC_B,
				 &engine_ops, p, &p->engine, e);
	if (rc == AY_OK && a->parent_fd >= 0)
		rc = ay_ipc_open(p->loop, a->parent_fd, ay_ipc_table_of(AY_PAIR_PARENT), AY_IPC_B,
				 &parent_ops, p, &p->parent, e);
	return rc;
}

static enum ay_rc start(struct process *p, const struct ay_ca_args *a, struct ay_err *e)
{
	char dir[4096], ticket[4096];
	struct ay_ca_settings s;
	enum ay_rc rc = settings_of(a->config, &s, dir, ticket, e);

	if (rc == AY_OK)
		rc = ay_ca_open(&s, &p->ca, e);
	if (rc == AY_OK)
		rc = open_pairs(p, a, e);
	return rc == AY_OK ? enter_sandbox(&s, e) : rc;
}

static void tell_failure(struct process *p, const struct ay_err *e)
{
	ay_log_err(AY_LOG_ERROR, "Privacy CA cannot start", e);
	if (p->parent != NULL)
		ay_ipc_send(p->parent, AY_MSG_CHILD_FAILED, 0, 0, ay_bytes_of(e->text));
}

int ay_ca_run(const struct ay_ca_args *a)
{
	struct process p = { 0 };
	struct ay_err e = { 0 };
	enum ay_rc rc;

	ay_service_init();
	rc = start(&p, a, &e);
	if (rc == AY_OK) {
		ay_ca_greet(p.ca, p.engine);
		if (p.parent != NULL)
			ay_ipc_send(p.parent, AY_MSG_CHILD_READY, 0, 0, (struct ay_bytes){ 0 });
		ay_loop_run(p.loop);
	} else {
		tell_failure(&p, &e);
	}
	ay_ipc_close(p.engine);
	ay_ipc_close(p.parent);
	ay_loop_free(p.loop);
	ay_ca_close(p.ca);
	return rc == AY_OK ? 0 : 1;
}
