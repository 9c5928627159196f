/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of assayd that are not landed yet; each owner removes its function here. */
#include "prog/assayd/processes.h"

#include "io/ipc/front_msg.h"
#include "io/ipc/tables.h"

struct stub {
	struct ay_loop *loop;
	struct ay_ipc *parent, *front;
};

static void on_msg(void *arg, const struct ay_ipc_msg *m)
{
	struct stub *s = arg;

	if (m->type == AY_MSG_CHILD_STOP)
		ay_loop_stop(s->loop);
}

static void on_gone(void *arg, const char *why)
{
	struct stub *s = arg;

	(void)why;
	ay_loop_stop(s->loop);
}

static const struct ay_ipc_ops ops = { on_msg, on_gone };

static void on_front(void *arg, const struct ay_ipc_msg *m)
{
	struct stub *s = arg;
	struct ay_api_reply r = { .status = 501, .body = ay_bytes_of("{}\n") };
	struct ay_ipc_msg head = { .type = AY_MSG_API_REPLY, .req = m->req };
	struct ay_writer w;
	size_t n = ay_api_reply_size(&r);
	uint8_t *p = m->type == AY_MSG_API_REQUEST ? ay_ipc_reserve(s->front, &head, n) : NULL;

	if (p == NULL)
		return;
	ay_wr_init(&w, p, n);
	ay_api_reply_build(&w, &r);
}

static const struct ay_ipc_ops front_ops = { on_front, on_gone };

static int idle(int parent_fd, int front_fd)
{
	struct stub s = { 0 };
	struct ay_err e;

	if (ay_loop_new(&s.loop, &e) != AY_OK ||
	    ay_ipc_open(s.loop, parent_fd, ay_ipc_table_of(AY_PAIR_PARENT), AY_IPC_B, &ops, &s,
			&s.parent, &e) != AY_OK)
		return 1;
	if (front_fd >= 0 &&
	    ay_ipc_open(s.loop, front_fd, ay_ipc_table_of(AY_PAIR_FRONT), AY_IPC_B, &front_ops, &s,
			&s.front, &e) != AY_OK)
		return 1;
	if (front_fd >= 0)
		ay_ipc_send_msg(s.front,
				&(struct ay_ipc_msg){ .type = AY_MSG_ENGINE_STATE, .sub = 1 });
	ay_ipc_send(s.parent, AY_MSG_CHILD_READY, 0, 0, (struct ay_bytes){ NULL, 0 });
	ay_loop_run(s.loop);
	ay_loop_free(s.loop);
	return 0;
}

int ay_engine_run(const struct ay_engine_args *a)
{
	return idle(a->parent_fd, a->front_fd);
}

enum ay_rc ay_admin_init(const struct ay_config *config, struct ay_err *e)
{
	(void)config, (void)e;
	return AY_OK;
}
