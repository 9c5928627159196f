/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/approvals.h"
#include "prog/assayd/claims.h"
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/rewrap.h"
#include "prog/assayd/hooks.h"
#include "prog/assayd/orders.h"
#include "prog/assayd/managed.h"
#include "prog/assayd/managers.h"

#include "io/sys/clock.h"
#include "io/sys/listeners.h"

#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#define SECOND_MS 1000
#define SWEEP_S 60
#define CRL_EVERY_MS (15 * 60 * SECOND_MS)
#define RETAIN_EVERY_MS (60 * 60 * SECOND_MS)

void ay_engine_clock(struct ay_engine *g)
{
	g->now_ms = ay_clock_wall_ms();
	g->mono_ms = ay_clock_mono_ms();
}

int64_t ay_engine_now_ms(const struct ay_engine *g)
{
	return g->now_ms;
}

struct ay_store *ay_engine_store(struct ay_engine *g)
{
	return g->store;
}

void ay_engine_overview(const struct ay_engine *g, struct ay_overview *out)
{
	*out = g->count;
}

const struct ay_own_names *ay_engine_own_names(const struct ay_engine *g)
{
	return g->own;
}

const struct ay_config *ay_engine_config_of(const struct ay_engine *g)
{
	return g->config;
}

json_t *ay_engine_warnings(const struct ay_engine *g)
{
	json_t *list = json_array();
	char key[32], text[AY_LISTENER_WARNING];

	for (int l = AY_LISTENER_API + 1; g->config && l < AY_LISTENERS; l++)
		if (ay_listener_warning(g->config, (enum ay_listener)l, key, text))
			json_array_append_new(list,
					      json_pack("{s:s, s:s}", "key", key, "text", text));
	ay_keychain_warn(g, list);
	return list;
}

/* Each beside the key that it is about. */
static bool add_warnings(const struct ay_engine *g, json_t *list)
{
	AY_CLEANUP(ay_json_unref) json_t *all = ay_engine_warnings(g);
	json_t *warning, *row;
	size_t i, k;

	json_array_foreach (all, i, warning)
		json_array_foreach (list, k, row)
			if (json_equal(json_object_get(row, "key"),
				       json_object_get(warning, "key")))
				json_object_set(row, "warning", json_object_get(warning, "text"));
	return all != NULL;
}

enum ay_rc ay_engine_config(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	json_t *list = json_array();
	struct ay_config_shown row;

	for (size_t i = 0; list && g->config && ay_config_show(g->config, i, &row); i++)
		if (json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "key", row.row->key,
							  "value", row.value, "from", row.source,
							  "doc", row.row->doc)) != 0) {
			json_decref(list);
			list = NULL;
		}
	*out = list;
	return list && add_warnings(g, list) ? AY_OK
					     : ay_fail(e, AY_E_NOMEM, "config", 0, "no memory");
}

/* ---- messages ---- */

static void from_front(void *arg, const struct ay_ipc_msg *m)
{
	struct ay_engine *g = arg;

	switch (m->type) {
	case AY_MSG_FRAME:
		ay_conns_frame(g, m);
		break;
	case AY_MSG_CONN_UP:
		ay_conns_up(g, m->conn, m->body);
		break;
	case AY_MSG_CONN_DOWN:
		ay_conns_down(g, m->conn);
		break;
	case AY_MSG_DIAL_FAILED:
		ay_dial_failed(g, m->req, m->sub, m->body);
		break;
	case AY_MSG_FRONT_READY:
		ay_relay_front_ready(g, m->body);
		break;
	default: /* API_REQUEST, API_GONE, API_DRAINED */
		if (g->api_msg)
			g->api_msg(g->api_arg, m);
	}
}

static void from_signer(void *arg, const struct ay_ipc_msg *m)
{
	ay_relay_signer(arg, m);
}

static void from_ca(void *arg, const struct ay_ipc_msg *m)
{
	ay_relay_ca(arg, m);
}

static void from_keeper(void *arg, const struct ay_ipc_msg *m)
{
	ay_relay_answer(arg, m, m->type == AY_MSG_KEEPER_REFUSED);
}

static void from_courier(void *arg, const struct ay_ipc_msg *m)
{
	ay_relay_answer(arg, m, m->type == AY_MSG_OUTGOING_FAILED);
}

static void from_parent(void *arg, const struct ay_ipc_msg *m)
{
	struct ay_engine *g = arg;

	if (m->type != AY_MSG_CHILD_STOP)
		return;
	g->stopping = true;
	if (g->front)
		ay_ipc_send(g->front, AY_MSG_STOPPING, 0, 0, (struct ay_bytes){ 0 });
	ay_loop_stop(g->loop);
}

/* Without its neighbours the engine cannot go on: the parent starts all anew. */
static void lost(struct ay_engine *g, const char *who, const char *why)
{
	if (!g->stopping) {
		AY_LOG(AY_LOG_WARN, "a neighbour ended", AY_LS("process", who), AY_LS("why", why));
		g->exit_status = 1;
	}
	g->stopping = true;
	ay_loop_stop(g->loop);
}

static void gone_front(void *arg, const char *why)
{
	lost(arg, "front", why);
}

static void gone_signer(void *arg, const char *why)
{
	lost(arg, "signer", why);
}

static void gone_parent(void *arg, const char *why)
{
	lost(arg, "parent", why);
}

static void gone_ca(void *arg, const char *why)
{
	lost(arg, "assay-ca", why);
}

static void gone_keeper(void *arg, const char *why)
{
	lost(arg, "keeper", why);
}

static void gone_courier(void *arg, const char *why)
{
	lost(arg, "courier", why);
}

/* ---- the turn ---- */

/* `assayd restore` put a backup in force: what is in memory is of another past. */
static void check_store(struct ay_engine *g)
{
	struct ay_store_stats stats;

	ay_store_stats(g->store, &stats);
	if (!stats.replaced || g->stopping)
		return;
	AY_LOG(AY_LOG_WARN, "the store was restored, starting anew", AY_LS("process", "engine"));
	g->exit_status = 1;
	g->stopping = true;
	ay_loop_stop(g->loop);
}

/* In the writer, in small steps; nobody waits for it. */
static void drop_old(struct ay_engine *g)
{
	int64_t keep_ms = g->config ? ay_config_int(g->config, "retention") : INT64_MAX;
	struct ay_retention r = { g->now_ms - keep_ms, g->now_ms - keep_ms };
	struct ay_err e = { 0 };

	g->next_retain = g->mono_ms + RETAIN_EVERY_MS;
	if (keep_ms < g->now_ms && ay_store_retain(g->store, &r, false, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "retention", &e);
}

static void once_a_second(struct ay_engine *g)
{
	if (g->mono_ms < g->next_second)
		return;
	g->next_second = g->mono_ms + SECOND_MS;
	check_store(g);
	if (g->mono_ms >= g->next_retain)
		drop_old(g);
	ay_schedule_tick(g);
	ay_freshness_look(g);
	ay_relay_tick(g);
	ay_orders_tick(g);
	ay_refs_tick(g);
	ay_approvals_tick(g);
	ay_refs_expire(g);
	ay_keychain_tick(g);
	ay_pinning_tick(g);
	ay_hooks_tick(g);
	ay_rewrap_tick(g);
	if (++g->seconds % SWEEP_S == 0)
		ay_hosts_sweep(g);
	if (g->api_tick)
		g->api_tick(g->api_arg, g->now_ms);
	if (g->have_ca && g->mono_ms >= g->next_crl) {
		g->next_crl = g->mono_ms + CRL_EVERY_MS;
		ay_relay_refresh_crl(g);
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void at_turn(void *arg)
{
	struct ay_engine *g = arg;
	int64_t next, gather;
	struct timeval tv;

	ay_engine_clock(g);
	gather = ay_workers_flush(g);
	ay_schedule_turn(g);
	once_a_second(g);
	if (g->api_turn)
		g->api_turn(g->api_arg);
	next = sooner(ay_sched_next(&g->host_sched), ay_sched_next(&g->conn_sched));
	next = sooner(sooner(next, gather), g->next_second) - g->mono_ms;
	if (next < 0 || g->n_again)
		next = 0;
	tv = (struct timeval){ .tv_sec = next / 1000, .tv_usec = (next % 1000) * 1000 };
	event_add(g->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg; /* the turn does the work */
}

static void on_stored(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	ay_engine_clock(arg);
	ay_settle_stored(arg);
}

/* ---- set-up ---- */

static const struct ay_ipc_ops front_ops = { from_front, gone_front };
static const struct ay_ipc_ops signer_ops = { from_signer, gone_signer };
static const struct ay_ipc_ops parent_ops = { from_parent, gone_parent };
static const struct ay_ipc_ops ca_ops = { from_ca, gone_ca };
static const struct ay_ipc_ops keeper_ops = { from_keeper, gone_keeper };
static const struct ay_ipc_ops courier_ops = { from_courier, gone_courier };

static enum ay_rc open_pair(struct ay_engine *g, int fd, enum ay_ipc_pair_id pair,
			    enum ay_ipc_side side, const struct ay_ipc_ops *ops,
			    struct ay_ipc **out, struct ay_err *e)
{
	if (fd < 0)
		return AY_OK;
	return ay_ipc_open(g->loop, fd, ay_ipc_table_of(pair), side, ops, g, out, e);
}

static enum ay_rc open_pairs(struct ay_engine *g, const struct ay_engine_parts *p, struct ay_err *e)
{
	enum ay_rc rc =
		open_pair(g, p->parent_fd, AY_PAIR_PARENT, AY_IPC_B, &parent_ops, &g->parent, e);

	if (rc == AY_OK)
		rc = open_pair(g, p->front_fd, AY_PAIR_FRONT, AY_IPC_B, &front_ops, &g->front, e);
	if (rc == AY_OK)
		rc = open_pair(g, p->signer_fd, AY_PAIR_SIGNER, AY_IPC_A, &signer_ops, &g->signer,
			       e);
	if (rc == AY_OK)
		rc = open_pair(g, p->ca_fd, AY_PAIR_CA, AY_IPC_A, &ca_ops, &g->ca, e);
	if (rc == AY_OK)
		rc = open_pair(g, p->keeper_fd, AY_PAIR_KEEPER, AY_IPC_A, &keeper_ops, &g->keeper,
			       e);
	if (rc == AY_OK)
		rc = open_pair(g, p->courier_fd, AY_PAIR_COURIER, AY_IPC_A, &courier_ops,
			       &g->courier, e);
	if (rc == AY_OK && g->courier != NULL)
		ay_ipc_wipe(g->courier); /* passwords for the directory */
	return rc;
}

static enum ay_rc set_up(struct ay_engine *g, const struct ay_engine_parts *p, struct ay_err *e)
{
	struct event_base *base = ay_loop_base(g->loop);
	enum ay_rc rc = ay_hosts_init(g, e);

	if (rc == AY_OK)
		rc = ay_hosts_load(g, e);
	if (rc == AY_OK)
		rc = ay_refs_load(g, e);
	if (rc == AY_OK)
		rc = ay_tokens_load(g, e);
	if (rc == AY_OK)
		rc = ay_approvals_load(g, e);
	if (rc == AY_OK)
		rc = ay_hooks_load(g, e);
	if (rc == AY_OK)
		rc = ay_managers_load(g, e);
	if (rc == AY_OK)
		rc = ay_workers_start(g, e);
	if (rc != AY_OK)
		return rc;
	g->timer = event_new(base, -1, 0, on_timer, g);
	g->stored = event_new(base, ay_store_done_fd(g->store), EV_READ | EV_PERSIST, on_stored, g);
	if (!g->timer || !g->stored || event_add(g->stored, NULL) != 0)
		return ay_fail(e, AY_E_NOMEM, "engine", 0, "no memory for its events");
	ay_loop_at_turn(g->loop, at_turn, g);
	return open_pairs(g, p, e);
}

/* Hosts that listen are dialled, as soon as front is there. */
static void dial_all(struct ay_engine *g)
{
	for (size_t i = 0; i < g->n_hosts; i++)
		if (g->host[i]->dial.connect && g->host[i]->state != AY_HOST_RETIRED) {
			g->host[i]->run->dial_at = g->mono_ms + 1;
			ay_schedule_host(g, g->host[i]);
		}
}

/* Bound hosts that stay away are missed as any other silence is. */
static void expect_all(struct ay_engine *g)
{
	for (size_t i = 0; i < g->n_hosts; i++)
		if (g->host[i]->state == AY_HOST_ENROLLED)
			ay_schedule_expect(g, g->host[i]);
}

enum ay_rc ay_engine_new(const struct ay_engine_parts *p, struct ay_engine **out, struct ay_err *e)
{
	struct ay_engine *g = calloc(1, sizeof(*g));
	enum ay_rc rc;

	*out = NULL;
	if (!g)
		return ay_fail(e, AY_E_NOMEM, "engine", 0, "no memory");
	g->config = p->config;
	g->set = p->set;
	g->loop = p->loop;
	g->signers = p->signers;
	g->own = p->own;
	g->store = p->store;
	ay_engine_clock(g);
	g->next_second = g->mono_ms + SECOND_MS;
	g->next_crl = g->mono_ms + CRL_EVERY_MS;
	g->next_retain = g->mono_ms + 60 * SECOND_MS;
	ay_sched_init(&g->host_sched);
	ay_sched_init(&g->conn_sched);
	ay_pace_init(&g->pace, g->set.window);
	rc = set_up(g, p, e);
	if (rc != AY_OK) {
		ay_engine_free(g);
		return rc;
	}
	ay_keychain_load(g);
	ay_pinning_load(g);
	dial_all(g);
	expect_all(g);
	*out = g;
	return AY_OK;
}

void ay_engine_free(struct ay_engine *g)
{
	struct ay_waiter *w;

	if (!g)
		return;
	ay_loop_at_turn(g->loop, NULL, NULL);
	ay_managed_end(g);
	ay_relay_fini(g);
	ay_conns_fini(g);
	while ((w = g->waiters)) {
		g->waiters = w->next;
		free(w);
	}
	/* what was given to the store is committed, and its answers are taken, before hosts go */
	if (g->workers)
		ay_settle_drain(g);
	ay_workers_stop(g);
	ay_ipc_close(g->front);
	ay_ipc_close(g->signer);
	ay_ipc_close(g->ca);
	ay_ipc_close(g->keeper);
	ay_ipc_close(g->courier);
	ay_ipc_close(g->parent);
	if (g->timer)
		event_free(g->timer);
	if (g->stored)
		event_free(g->stored);
	ay_hosts_fini(g);
	ay_refs_fini(g);
	ay_tokens_fini(g);
	ay_managers_fini(g);
	ay_hooks_fini(g);
	ay_approvals_fini(g);
	ay_sched_fini(&g->host_sched);
	ay_sched_fini(&g->conn_sched);
	ay_pace_fini(&g->pace);
	ay_freshness_fini(g);
	ay_issued_fini(g);
	ay_claims_forget(g);
	ay_pinning_fini(g);
	while (g->subs)
		ay_engine_unsubscribe(g, g->subs);
	free(g->again);
	free(g);
}
