/* SPDX-License-Identifier: Apache-2.0 */
/* The agent channel in front: connections, their numbers, frames to and from engine. */
#include "prog/assayd/front.h"

#include "io/ipc/front_msg.h"
#include "io/net/socket.h"
#include "io/sys/log.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SLOT_BITS = 20,		   /* the rest of a conn number is the slot's generation */
	ENGINE_BACKLOG = 16 << 20, /* above it front reads no more from agents */
	MAX_OUT = 1 << 20,	   /* octets to an agent that does not read */
	RETRY_ACCEPT_MS = 200,
	TRIM_S = 5,
};

/* ---- numbers ---- */

struct ay_front_conn *ay_front_conn_take(struct ay_front *f)
{
	struct ay_front_conn *c;

	if (f->n_free == 0)
		return NULL;
	c = &f->conn[f->free_slot[--f->n_free]];
	c->id += 1u << SLOT_BITS;
	c->f = f;
	c->chan = NULL;
	c->dial_id = 0;
	c->is_up = false;
	c->is_pinned = false;
	return c;
}

void ay_front_conn_give(struct ay_front_conn *c)
{
	c->chan = NULL;
	c->f->free_slot[c->f->n_free++] = c->id & ((1u << SLOT_BITS) - 1);
}

static struct ay_front_conn *find(struct ay_front *f, uint32_t id)
{
	uint32_t slot = id & ((1u << SLOT_BITS) - 1);
	struct ay_front_conn *c = slot < f->n_slots ? &f->conn[slot] : NULL;

	return c != NULL && c->chan != NULL && c->id == id ? c : NULL;
}

/* ---- to engine ---- */

static void tell_up(struct ay_front_conn *c, const struct ay_tls_peer *peer)
{
	struct ay_conn_up up = { .dial_id = c->dial_id, .peer = ay_bytes_of(c->peer) };
	uint8_t room[256];
	struct ay_writer w;
	struct ay_bytes body;

	memcpy(up.exporter, peer->exporter, sizeof(up.exporter));
	memcpy(up.spki, peer->spki, sizeof(up.spki));
	memcpy(up.cert, peer->cert, sizeof(up.cert));
	up.flags = (uint8_t)((peer->is_dialled ? AY_CONN_DIALLED : 0) |
			     (peer->is_resumed ? AY_CONN_RESUMED : 0));
	ay_wr_init(&w, room, sizeof(room));
	ay_conn_up_build(&w, &up);
	if (ay_wr_end(&w, "up", &body, NULL) == AY_OK)
		ay_ipc_send(c->f->engine, AY_MSG_CONN_UP, c->id, 0, body);
}

static void on_up(struct ay_chan *chan, void *owner, const struct ay_tls_peer *peer)
{
	struct ay_front_conn *c = owner;

	c->is_other = c->is_pinned && CRYPTO_memcmp(c->pin, peer->spki, sizeof(c->pin)) != 0;
	if (AY_CHECKED("DIAL_PIN", c->is_other)) {
		ay_chan_close(chan, "the agent's key is not the pinned one");
		return;
	}
	c->is_up = true;
	memcpy(c->spki, peer->spki, sizeof(c->spki));
	c->f->n_handshakes++;
	tell_up(c, peer);
}

/* Engine is behind: agents wait in their sockets until it has read what is queued. */
static void slow_down(struct ay_front *f)
{
	if (f->is_paused || ay_ipc_backlog(f->engine) < ENGINE_BACKLOG)
		return;
	f->is_paused = true;
	ay_chan_env_pause(f->env, true);
}

void ay_front_agents_turn(struct ay_front *f)
{
	if (!f->is_paused || ay_ipc_backlog(f->engine) > ENGINE_BACKLOG / 2)
		return;
	f->is_paused = false;
	ay_chan_env_pause(f->env, false);
}

static void on_frame(struct ay_chan *chan, void *owner, const struct ay_frame *fr)
{
	struct ay_front_conn *c = owner;
	struct ay_ipc_msg m = { .type = AY_MSG_FRAME,
				.sub = fr->type,
				.flags = fr->flags,
				.conn = c->id,
				.req = fr->req,
				.body = fr->body };

	(void)chan;
	ay_ipc_send_msg(c->f->engine, &m);
	slow_down(c->f);
}

static void tell_dial_failed(struct ay_front_conn *c, const struct ay_err *why)
{
	struct ay_ipc_msg m = { .type = AY_MSG_DIAL_FAILED,
				.sub = c->is_other ? AY_DIAL_POLICY : AY_DIAL_UNREACHED,
				.req = c->dial_id,
				.body = ay_bytes_of(why->text) };

	ay_ipc_send_msg(c->f->engine, &m);
}

static void on_down(struct ay_chan *chan, void *owner, const struct ay_err *why)
{
	struct ay_front_conn *c = owner;

	(void)chan;
	AY_LOG(why->rc == AY_OK ? AY_LOG_DEBUG : AY_LOG_INFO, "agent connection ended",
	       AY_LU("conn", c->id), AY_LS("peer", c->peer), AY_LS("code", why->code),
	       AY_LS("why", why->text));
	if (c->is_up && c->dial_id != 0)
		ay_front_dial_remember(c);
	if (c->is_up)
		ay_ipc_send(c->f->engine, AY_MSG_CONN_DOWN, c->id, 0, ay_bytes_of(why->text));
	else if (c->dial_id != 0)
		tell_dial_failed(c, why);
	ay_front_conn_give(c);
}

static const struct ay_chan_ops ops = { on_up, on_frame, on_down };

/* ---- from engine ---- */

static void send_frame(struct ay_front_conn *c, const struct ay_ipc_msg *m)
{
	struct ay_frame fr = { m->sub, m->flags, m->req, m->body };

	if (m->body.n <= ay_frame_max(m->sub))
		ay_chan_send_frame(c->chan, &fr);
	else
		AY_LOG(AY_LOG_ERROR, "engine's frame is too long", AY_LU("type", m->sub));
}

void ay_front_agents_from_engine(struct ay_front *f, const struct ay_ipc_msg *m)
{
	struct ay_front_conn *c;

	if (m->type == AY_MSG_DIAL) {
		ay_front_dial(f, m);
		return;
	}
	c = find(f, m->conn);
	if (c == NULL) /* it went meanwhile */
		return;
	if (m->type == AY_MSG_FRAME)
		send_frame(c, m);
	else if (m->type == AY_MSG_BOUND)
		ay_chan_set_bound(c->chan);
	else if (m->type == AY_MSG_CLOSE)
		ay_chan_close(c->chan, "closed by engine");
}

/* ---- those who dial us ---- */

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n,
		      void *arg)
{
	struct ay_front *f = arg;
	struct ay_front_conn *c = f->is_stopping ? NULL : ay_front_conn_take(f);
	struct ay_err e;

	(void)l, (void)sa, (void)n;
	if (c == NULL) {
		close(fd);
		return;
	}
	ay_net_peer_text(fd, c->peer, sizeof(c->peer));
	if (ay_chan_open(f->env, fd, ay_tls_accept(f->tls, fd), true, c, &c->chan, &e) != AY_OK) {
		ay_log_err(AY_LOG_WARN, "agent connection not taken", &e);
		ay_front_conn_give(c);
	}
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct ay_front *f = arg;

	(void)fd, (void)what;
	if (!f->is_stopping)
		evconnlistener_enable(f->agents);
}

/* No descriptor left: accepting again at once would only spin. */
static void on_accept_failed(struct evconnlistener *l, void *arg)
{
	struct ay_front *f = arg;
	struct timeval pause = { 0, RETRY_ACCEPT_MS * 1000 };

	AY_LOG(AY_LOG_WARN, "cannot accept agents: retrying", AY_LI("errno", errno));
	evconnlistener_disable(l);
	event_add(f->retry_accept, &pause);
}

/* ---- set up ---- */

static enum ay_rc new_slots(struct ay_front *f, struct ay_err *e)
{
	f->n_slots = (size_t)ay_config_int(f->config, "max_connections");
	f->conn = calloc(f->n_slots, sizeof(*f->conn));
	f->free_slot = calloc(f->n_slots, sizeof(*f->free_slot));
	if (f->conn == NULL || f->free_slot == NULL)
		return ay_fail(e, AY_E_NOMEM, "front", 0, "no memory for connections");
	for (uint32_t i = 0; i < f->n_slots; i++)
		f->free_slot[f->n_free++] = (uint32_t)f->n_slots - 1 - i;
	for (uint32_t i = 0; i < f->n_slots; i++)
		f->conn[i].id = i;
	return AY_OK;
}

/*
 * A handshake needs three times the memory of a connection at rest; after a
 * storm of them the heap is full of holes (44 KiB for a connection, 24 after).
 */
static void on_trim(evutil_socket_t fd, short what, void *arg)
{
	struct ay_front *f = arg;

	(void)fd, (void)what;
	if (f->n_handshakes == 0)
		return;
	f->n_handshakes = 0;
	(void)malloc_trim(0);
}

static enum ay_rc open_trim(struct ay_front *f, struct ay_err *e)
{
	struct timeval t = { TRIM_S, 0 };

	f->trim = event_new(ay_loop_base(f->loop), -1, EV_PERSIST, on_trim, f);
	if (f->trim == NULL || event_add(f->trim, &t) != 0)
		return ay_fail(e, AY_E_NOMEM, "front", 0, "no memory for a timer");
	return AY_OK;
}

static enum ay_rc listen_for_agents(struct ay_front *f, struct ay_err *e)
{
	struct event_base *base = ay_loop_base(f->loop);

	f->agents = evconnlistener_new(base, on_accept, f,
				       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0,
				       f->args->agents_fd);
	f->retry_accept = evtimer_new(base, on_retry, f);
	if (f->agents == NULL || f->retry_accept == NULL)
		return ay_fail(e, AY_E_NOMEM, "front", 0, "no memory for the listener");
	evconnlistener_set_error_cb(f->agents, on_accept_failed);
	return AY_OK;
}

enum ay_rc ay_front_agents_open(struct ay_front *f, const struct ay_tls_args *tls, struct ay_err *e)
{
	struct ay_chan_args a = {
		.base = ay_loop_base(f->loop),
		.role = AY_ROLE_SERVER,
		.ops = &ops,
		.handshake_ms = ay_config_int(f->config, "handshake_deadline"),
		.hello_ms = ay_config_int(f->config, "hello_deadline"),
		.frame_ms = ay_config_int(f->config, "frame_deadline"),
		.max_out = MAX_OUT,
	};
	enum ay_rc rc = ay_tls_new(tls, &f->tls, e);

	if (rc == AY_OK)
		rc = ay_chan_env_new(&a, &f->env, e);
	if (rc == AY_OK)
		rc = new_slots(f, e);
	if (rc == AY_OK)
		rc = open_trim(f, e);
	return rc == AY_OK ? listen_for_agents(f, e) : rc;
}

void ay_front_agents_stop(struct ay_front *f)
{
	evconnlistener_disable(f->agents);
	for (size_t i = 0; i < f->n_slots; i++)
		if (f->conn[i].chan != NULL)
			ay_chan_close(f->conn[i].chan, "the server stops");
}
