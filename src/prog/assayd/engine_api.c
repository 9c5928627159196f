/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/api.h"
#include "prog/assayd/engine_impl.h"

#include <event2/event.h>

/* The API inside the engine: the two know each other by api.h and engine.h alone. */

static void drained(struct ay_api *a, const struct ay_ipc_msg *m)
{
	struct ay_reader r;
	uint32_t n;

	ay_rd_init(&r, m->body);
	n = ay_rd_be32(&r, "drained.octets");
	if (ay_rd_end(&r, "drained", NULL) == AY_OK)
		ay_api_drained(a, m->req, n);
}

static void on_message(void *arg, const struct ay_ipc_msg *m)
{
	if (m->type == AY_MSG_API_REQUEST)
		ay_api_request(arg, m->req, m->body);
	else if (m->type == AY_MSG_API_GONE)
		ay_api_gone(arg, m->req);
	else if (m->type == AY_MSG_API_DRAINED)
		drained(arg, m);
}

static void on_tick(void *arg, int64_t now_ms)
{
	ay_api_tick(arg, now_ms);
}

static void on_turn(void *arg)
{
	ay_api_turn(arg);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	ay_api_woken(arg);
}

static enum ay_rc watch(struct ay_engine *g, struct ay_api *api, struct ay_err *e)
{
	g->api_wake = event_new(ay_loop_base(g->loop), ay_api_wake_fd(api), EV_READ | EV_PERSIST,
				on_wake, api);
	if (g->api_wake == NULL || event_add(g->api_wake, NULL) != 0)
		return ay_fail(e, AY_E_NOMEM, "api", 0, "no event");
	return AY_OK;
}

enum ay_rc ay_engine_open_api(struct ay_engine *g, struct ay_err *e)
{
	struct ay_api_out out = ay_api_to_front(g->front);
	struct ay_api *api = NULL;
	enum ay_rc rc = ay_api_new(g, g->store, &out, &api, e);

	if (rc != AY_OK)
		return rc;
	rc = watch(g, api, e);
	if (rc != AY_OK) {
		ay_api_free(api);
		return rc;
	}
	g->api_arg = api;
	g->api_msg = on_message;
	g->api_tick = on_tick;
	g->api_turn = on_turn;
	return AY_OK;
}

void ay_engine_close_api(struct ay_engine *g)
{
	if (!g)
		return;
	ay_relay_end(g); /* handlers that wait for an answer get one while they are there */
	if (g->api_wake != NULL)
		event_free(g->api_wake);
	g->api_wake = NULL;
	ay_api_free(g->api_arg);
	g->api_arg = NULL;
	g->api_msg = NULL;
	g->api_tick = NULL;
	g->api_turn = NULL;
}
