/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_MANAGERS_H
#define AY_ASSAYD_MANAGERS_H

/*
 * Managers that speak for hosts: vCenters, XenServer pools. One for each
 * address and user; hosts name it in their connection string. Its password is
 * kept wrapped by keeper and told to nobody but the manager itself, over TLS
 * whose other end was verified by the manager's TLS policy.
 */
#include "core/base/connstr.h"
#include "core/crypto/tlspolicy.h"
#include "prog/assayd/engine.h"

#include <jansson.h>

struct ay_connector;
struct ay_gather;
struct ay_outgoing;

struct ay_manager {
	struct ay_manager *next;
	char *key; /* connection string without host and password */
	enum ay_connstr_vendor vendor;
	char *url; /* "https://HOST:PORT/PATH" */
	char *user;
	struct ay_tls_policy tls; /* first use: has a key once it has answered */
	char *ca;		  /* PEM of roots in place of tls; NULL: none */
	uint8_t *wrapped;
	size_t wrapped_n; /* 0: no password is known */
	int64_t created_ms;
	const struct ay_connector *connector;
	void *session; /* connector's */
	/* managed.c */
	size_t n_running;
	struct ay_gather *waiting;
};

AY_MUST_USE enum ay_rc ay_managers_load(struct ay_engine *g, struct ay_err *e);
void ay_managers_fini(struct ay_engine *g);

/* The one that c is reached through; NULL: not known. */
struct ay_manager *ay_manager_find(struct ay_engine *g, const struct ay_connstr *c);
struct ay_manager *ay_manager_by_key(struct ay_engine *g, struct ay_bytes key);

struct ay_manager_spec {
	struct ay_bytes connect;  /* a connection string; h= and c= do not matter */
	struct ay_bytes secret;	  /* password; empty: p= of connect, or the one that is kept */
	struct ay_tls_policy tls; /* none: stays */
	struct ay_bytes ca;	  /* PEM; empty: none */
};
typedef void ay_manager_fn(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_manager *m);
/*
 * A new one, or what changes of one that is known; on disk when fn is called
 * (once, maybe before this returns). Without any TLS policy a new one is
 * AY_E_INPUT. Codes NOT_OFFERED, MANAGER_TLS, MANAGER_SECRET, KEPT_*.
 */
void ay_manager_put(struct ay_engine *g, const struct ay_manager_spec *spec, ay_manager_fn *fn,
		    void *arg);
/* Whether ay_manager_put() may; known: the manager as it is, or NULL. Another TLS policy of a
 * known one needs its password again. */
AY_MUST_USE enum ay_rc ay_manager_put_check(const struct ay_manager *known,
					    const struct ay_manager_spec *s,
					    const struct ay_connstr *c, struct ay_bytes secret,
					    struct ay_err *e);
/* AY_E_EXISTS MANAGER_IN_USE while a host names it. */
AY_MUST_USE enum ay_rc ay_manager_remove(struct ay_engine *g, struct ay_manager *m,
					 struct ay_err *e);
/* As shown: never its password. */
json_t *ay_manager_json(struct ay_engine *g, const struct ay_manager *m);
AY_MUST_USE enum ay_rc ay_managers_list(struct ay_engine *g, json_t **out, struct ay_err *e);
/* What the manager's TLS policy is shown as; the caller's. */
json_t *ay_manager_tls_json(const struct ay_manager *m);

/* Whom courier is to believe. False: trust on first use, and nobody has answered yet: only what
 * is no secret may be sent, and ay_manager_seen() is told who answered. */
AY_MUST_USE bool ay_manager_trust(const struct ay_manager *m, struct ay_outgoing *o);
/* Trust on first use: this key from now on. On disk when it returns AY_OK. */
AY_MUST_USE enum ay_rc ay_manager_seen(struct ay_engine *g, struct ay_manager *m,
				       const uint8_t key[32], struct ay_err *e);
/* Its password, for one login; the octets live until fn returns. */
void ay_manager_secret(struct ay_engine *g, struct ay_manager *m, ay_document_fn *fn, void *arg);

#endif
