/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_CONNS_H
#define AY_ASSAYD_CONNS_H

/* Agent connections, a part of engine_impl.h, which is what files include. */
struct ay_engine;
struct ay_job;

enum ay_conn_state {
	AY_CONN_NEW = 0,   /* no HELLO yet */
	AY_CONN_WAITING,   /* HELLO seen, who it is must still be proved (token) */
	AY_CONN_ENROLLING, /* provisioning of a key that is not bound yet */
	AY_CONN_BOUND,
};

/* One agent connection. Its challenge dies with it. */
struct ay_conn {
	struct ay_conn *chain; /* next in the bucket */
	uint64_t serial;       /* never used twice */
	uint32_t number;       /* front's */
	enum ay_conn_state state;
	struct ay_host *host; /* whose key it is; NULL unless bound */
	struct ay_wake wake;  /* deadline of HELLO, token, provisioning */
	uint8_t exporter[32];
	uint8_t spki[32];
	uint8_t cert[32];    /* SHA-256 of its TLS certificate */
	uint8_t boot_id[16]; /* of HELLO */
	bool dialled;
	bool closing;
	bool proved;		  /* gave a quote that verified, while two connections stood */
	struct ay_host *dial_for; /* the host we dialled it for */
	struct ay_challenge challenge;
	struct ay_counters asked_with; /* counters when the challenge was sent */
	uint64_t asked_ima_octets;
	struct ay_pcr_selection selection; /* what HELLO says is allocated */
	struct ay_enrol *enrol;
	struct ay_order_run *order; /* under way; orders.c */
	char *name;		    /* of HELLO, until it is enrolled */
	uint8_t *parts;		    /* EVIDENCE that comes in several frames */
	size_t n_parts, max_parts;
	uint32_t parts_request;
	char manufacturer[5];
	uint64_t firmware;
	uint8_t tpm_family;
	uint8_t ak_state;
	bool takes_pins; /* HELLO: it understands PIN_CHANGE */
	char peer[64];
};

void ay_conns_up(struct ay_engine *g, uint32_t number, struct ay_bytes body);
void ay_conns_down(struct ay_engine *g, uint32_t number);
void ay_conns_frame(struct ay_engine *g, const struct ay_ipc_msg *m);
void ay_conns_duplicate(struct ay_engine *g, struct ay_host *h);
void ay_conns_welcome_unbound(struct ay_engine *g, struct ay_conn *c);
struct ay_conn *ay_conns_find(struct ay_engine *g, uint32_t number);
/* NULL when that very connection is gone. */
struct ay_conn *ay_conns_of_job(struct ay_engine *g, const struct ay_job *j);
void ay_conns_send(struct ay_engine *g, struct ay_conn *c, uint8_t type, uint32_t req,
		   struct ay_bytes body);
/* FAIL frame with the code, then close. */
void ay_conns_fail(struct ay_engine *g, struct ay_conn *c, uint32_t req, const struct ay_err *e);
void ay_conns_close(struct ay_engine *g, struct ay_conn *c, const char *why);
/* What came of an EVIDENCE in several frames is of no use any more. */
void ay_conns_drop_parts(struct ay_conn *c);
void ay_conns_peer_code(struct ay_err *e, struct ay_bytes code);
void ay_conns_close_host(struct ay_engine *g, struct ay_host *h, const char *why);
void ay_conns_bind(struct ay_engine *g, struct ay_conn *c, struct ay_host *h);
/* A verified answer came while two connections stood: true when both gave one. */
bool ay_conns_proved(struct ay_engine *g, struct ay_conn *c);
void ay_conns_silent(struct ay_engine *g, struct ay_host *h, struct ay_conn *c);
void ay_conns_wake(struct ay_engine *g, struct ay_conn *c);
void ay_conns_fini(struct ay_engine *g);
/* What cannot be framed ends the connection and changes no verdict (design 6). */
void ay_conns_protocol(struct ay_engine *g, struct ay_conn *c, const char *text);
/* conn_evidence.c: EVIDENCE of an agent, whole or a part of it. */
void ay_conns_evidence(struct ay_engine *g, struct ay_conn *c, const struct ay_ipc_msg *m);

#endif
