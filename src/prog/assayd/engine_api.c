/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/api.h"
#include "prog/assayd/engine_impl.h"

/* The API inside the engine: the two know each other by api.h and engine.h alone. */

static void on_message(void *arg, const struct ay_ipc_msg *m)
{
	if (m->type == AY_MSG_API_REQUEST)
		ay_api_request(arg, m->req, m->body);
	else if (m->type == AY_MSG_API_GONE)
		ay_api_gone(arg, m->req);
}

static void on_tick(void *arg, int64_t now_ms)
{
	ay_api_tick(arg, now_ms);
}

enum ay_rc ay_engine_open_api(struct ay_engine *g, struct ay_err *e)
{
	struct ay_api_out out = ay_api_to_front(g->front);
	struct ay_api *api = NULL;
	enum ay_rc rc = ay_api_new(g, g->store, &out, &api, e);

	if (rc != AY_OK)
		return rc;
	g->api_arg = api;
	g->api_msg = on_message;
	g->api_tick = on_tick;
	return AY_OK;
}

void ay_engine_close_api(struct ay_engine *g)
{
	if (!g)
		return;
	ay_relay_end(g); /* handlers that wait for an answer get one while they are there */
	ay_api_free(g->api_arg);
	g->api_arg = NULL;
	g->api_msg = NULL;
	g->api_tick = NULL;
}
