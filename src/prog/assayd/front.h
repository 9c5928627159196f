/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FRONT_H
#define AY_ASSAYD_FRONT_H

/* Inside of the front process: front.c (agents), front_api.c (people). */
#include "io/ipc/tables.h"
#include "io/net/channel.h"
#include "io/net/httpd.h"
#include "io/sys/sandbox.h"
#include "prog/assayd/processes.h"

#define AY_FRONT_RESUMES 8192
#define AY_FRONT_PEM_MAX (256 * 1024)

struct evconnlistener;
struct evdns_base;
struct ay_front;

/* One connection of the agent channel; conn numbers are slot and generation. */
struct ay_front_conn {
	struct ay_front *f;
	struct ay_chan *chan; /* NULL: free */
	uint32_t id;
	uint32_t dial_id; /* 0: it came in */
	bool is_up;
	bool is_pinned;
	bool is_other;	  /* not the key that was pinned */
	uint8_t spki[32]; /* the peer's, once up */
	uint8_t pin[32];  /* the agent's SPKI hash, when pinned */
	char peer[80];	  /* as text, until engine was told; then empty */
};

/* What resumes a connection to an agent we dialled before; one place per address's hash. */
struct ay_front_resume {
	char peer[80];
	uint8_t spki[32]; /* of the agent: used only while it is the pinned one */
	struct ay_tls_session *session;
};

struct ay_front {
	const struct ay_config *config; /* of args */
	struct ay_loop *loop;
	struct ay_ipc *engine, *parent;
	struct ay_tls *tls;
	struct ay_chan_env *env;
	struct evconnlistener *agents;
	struct event *trim;	    /* gives memory of finished handshakes back */
	size_t n_handshakes;	    /* since the last trim */
	struct event *retry_accept; /* after the kernel had no descriptor for us */
	struct evdns_base *dns;
	struct ay_front_resume *resume; /* AY_FRONT_RESUMES of them */
	struct ay_httpd *api;
	struct ay_front_conn *conn;
	uint32_t *free_slot;
	size_t n_slots, n_free;
	const struct ay_front_args *args;
	bool is_engine_ready, is_stopping;
	char reminders[AY_IPC_MAX_STATE + 1]; /* as engine said with its state; "" : none */
	bool is_paused; /* no frames are read from agents */
	int status;
};

/* What front gives up before it reads from the network; a test plays a taken-over one. */
const struct ay_sandbox *ay_front_sandbox(void);

/* front_api.c */
AY_MUST_USE enum ay_rc ay_front_api_open(struct ay_front *f, struct ay_bytes cert_pem,
					 struct ay_bytes key_pem, struct ay_err *e);
/* The listeners of [compat]; certificate and key of the API serve where none are given. */
AY_MUST_USE enum ay_rc ay_front_compat_open(struct ay_front *f, struct ay_bytes api_cert,
					    struct ay_bytes api_key, struct ay_err *e);
void ay_front_api_from_engine(struct ay_front *f, const struct ay_ipc_msg *m);

/* front_conn.c */
AY_MUST_USE enum ay_rc ay_front_agents_open(struct ay_front *f, const struct ay_tls_args *tls,
					    struct ay_err *e);
void ay_front_agents_from_engine(struct ay_front *f, const struct ay_ipc_msg *m);
void ay_front_agents_stop(struct ay_front *f);
/* After each turn's flush: goes on reading from agents when engine has caught up. */
void ay_front_agents_turn(struct ay_front *f);
/* front_dial.c: begin what a DIAL message asks for. */
void ay_front_dial(struct ay_front *f, const struct ay_ipc_msg *m);
/* A dialled connection ends: keep what resumes it. */
void ay_front_dial_remember(struct ay_front_conn *c);
void ay_front_dial_forget_all(struct ay_front *f);
/* A connection for a socket that is connecting or was accepted; NULL: no room. */
struct ay_front_conn *ay_front_conn_take(struct ay_front *f);
void ay_front_conn_give(struct ay_front_conn *c);

#endif
