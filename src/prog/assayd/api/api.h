/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_API_H
#define AY_ASSAYD_API_API_H

/*
 * The REST API inside the engine process: routes, permissions, people and
 * their tokens. A request comes from front as one message; routes.def says
 * what may be asked and which permission it needs; no row, no access. Each
 * request is answered exactly once, now or later, unless its client left.
 */
#include "io/ipc/front_msg.h"

#include <jansson.h>

struct ay_api;
struct ay_engine;
struct ay_store;
struct ay_ipc;

/* Where answers go. ay_api_to_front() sends them to front; tests keep them. */
struct ay_api_out {
	void (*reply)(void *arg, uint32_t req, const struct ay_api_reply *r);
	void (*stream)(void *arg, uint32_t req, const struct ay_api_reply *head);
	void (*chunk)(void *arg, uint32_t req, struct ay_bytes part);
	void (*end)(void *arg, uint32_t req);
	/* text for each of n streams */
	void (*cast)(void *arg, const uint32_t *req, size_t n, struct ay_bytes text);
	size_t (*backlog)(void *arg); /* octets that front has not taken yet */
	void *arg;
};
struct ay_api_out ay_api_to_front(struct ay_ipc *front);

/* Loads people and tokens from the store; both are borrowed until ay_api_free(). */
AY_MUST_USE enum ay_rc ay_api_new(struct ay_engine *g, struct ay_store *store,
				  const struct ay_api_out *out, struct ay_api **api,
				  struct ay_err *e);
/* What waits is answered 503. NULL is fine. */
void ay_api_free(struct ay_api *a);

/* API_REQUEST, with its body. One that does not parse is answered 400. */
void ay_api_request(struct ay_api *a, uint32_t req, struct ay_bytes message);
/* API_GONE. */
void ay_api_gone(struct ay_api *a, uint32_t req);
/* API_DRAINED: so many octets of a stream's casts left for its reader. */
void ay_api_drained(struct ay_api *a, uint32_t req, size_t octets);
/* At the end of each turn: readers of events that were behind and may be told more. */
void ay_api_turn(struct ay_api *a);
/* {"routes":[..],"roles":{name:[permission]}}: what there is, for tests and documents. */
json_t *ay_api_tables(void);
/* About once a second: signs of life on event streams. */
void ay_api_tick(struct ay_api *a, int64_t now_ms);

/* Readable when work done elsewhere has ended: then call ay_api_woken(). */
int ay_api_wake_fd(const struct ay_api *a);
void ay_api_woken(struct ay_api *a);

/* An API token as text, with terminator: asy1.<id>.<secret> */
#define AY_API_TOKEN_TEXT 72
/*
 * `assayd init`: the account "admin" and its first token. The store must be
 * new: AY_E_EXISTS. keep gets the token's text before anything is stored, so
 * that an init cut short leaves no account whose token nobody has.
 */
typedef enum ay_rc ay_api_keep_fn(void *arg, const char *text, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_api_make_admin(struct ay_store *s, int64_t now_ms, ay_api_keep_fn *keep,
					 void *arg, struct ay_err *e);

#endif
