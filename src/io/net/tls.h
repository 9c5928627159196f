/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_TLS_H
#define AY_NET_TLS_H

/*
 * All TLS of the agent channel behind these functions, so that the engine
 * below (libssl) can be changed: TLS 1.3, mutual, ALPN assay-agent/1, exporter,
 * resumption from memory (docs/protocol/agent-channel.md).
 *
 * The application role (server or agent) says whose certificate we hold and
 * what we demand of the peer; who dials is said by accept or connect.
 *
 *   agent's peer    a chain that ends in the pinned root and carries serverAuth
 *                   and clientAuth
 *   server's peer   a P-256 key in a certificate without serverAuth that is not
 *                   our own key; whose key it is, is engine's to judge
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "io/net/frame.h"

struct ay_tls;	       /* keys and demands; one per process */
struct ay_tls_conn;    /* one connection */
struct ay_tls_session; /* what a client needs to resume */

struct ay_tls_args {
	enum ay_channel_role role;
	struct ay_bytes cert_pem; /* own certificate, then its chain without the root */
	struct ay_bytes key_pem;
	struct ay_bytes root_pem; /* server: sent at first contact. Agent: known root, or empty */
	bool has_pin;		  /* agent: false = accept nobody, until ay_tls_set_roots() */
	uint8_t root_pin[32];	  /* agent: SHA-256 of the SPKI of the server's root */
	size_t max_sessions;	  /* kept for those who dialled us; 0: none */
};

AY_MUST_USE enum ay_rc ay_tls_new(const struct ay_tls_args *a, struct ay_tls **out,
				  struct ay_err *e);
void ay_tls_free(struct ay_tls *t);
/* SHA-256 of our own SPKI. */
void ay_tls_own_spki(const struct ay_tls *t, uint8_t out[32]);
/* A root that a server's chain may end in. */
struct ay_tls_root {
	uint8_t pin[32];      /* SHA-256 of its SPKI */
	struct ay_bytes cert; /* DER, if it is known; else empty: it must be sent */
};
#define AY_TLS_ROOTS 2
/* Agent: these count from now on (n at most AY_TLS_ROOTS); sessions of before are forgotten. */
void ay_tls_set_roots(struct ay_tls *t, const struct ay_tls_root *roots, size_t n);

/* fd stays the caller's to close, after ay_tls_conn_free(). NULL: no memory. */
struct ay_tls_conn *ay_tls_accept(struct ay_tls *t, int fd);
/* first_contact: ask for the root by SNI (agent), or send it (server). session may be NULL. */
struct ay_tls_conn *ay_tls_connect(struct ay_tls *t, int fd, bool first_contact,
				   const struct ay_tls_session *session);
/* Keeps the session resumable also when the peer vanished. NULL is fine. */
void ay_tls_conn_free(struct ay_tls_conn *c);
/*
 * Another key of our own for this one connection, before its handshake: how one
 * process plays many agents (assay-sim). Both are referenced. False: no memory,
 * or they do not belong together.
 */
struct x509_st;	    /* X509 */
struct evp_pkey_st; /* EVP_PKEY */
AY_MUST_USE bool ay_tls_conn_use(struct ay_tls_conn *c, struct x509_st *cert,
				 struct evp_pkey_st *key);

enum ay_tls_io {
	AY_TLS_FAILED = 0, /* why is in e */
	AY_TLS_CLOSED,	   /* the peer ended the connection */
	AY_TLS_WANT_READ,
	AY_TLS_WANT_WRITE,
	AY_TLS_DONE,
};
AY_MUST_USE enum ay_tls_io ay_tls_handshake(struct ay_tls_conn *c, struct ay_err *e);
/* DONE: *n octets, at least 1. */
AY_MUST_USE enum ay_tls_io ay_tls_read(struct ay_tls_conn *c, uint8_t *buf, size_t room, size_t *n,
				       struct ay_err *e);
AY_MUST_USE enum ay_tls_io ay_tls_write(struct ay_tls_conn *c, const uint8_t *buf, size_t len,
					size_t *n, struct ay_err *e);
/* True when a read would give more without asking the kernel. */
bool ay_tls_has_pending(const struct ay_tls_conn *c);

/* Who is there; after the handshake. */
struct ay_tls_peer {
	uint8_t exporter[32];
	uint8_t spki[32]; /* SHA-256 of the peer's SPKI */
	uint8_t cert[32]; /* SHA-256 of the peer's certificate */
	uint8_t own_spki[32];
	bool is_resumed;
	bool is_dialled; /* we did */
};
AY_MUST_USE enum ay_rc ay_tls_peer(const struct ay_tls_conn *c, struct ay_tls_peer *out,
				   struct ay_err *e);
/* Agent: DER of the root the peer's chain ended in (after a full handshake); malloc'ed. */
AY_MUST_USE enum ay_rc ay_tls_peer_root(const struct ay_tls_conn *c, uint8_t **der, size_t *n,
					struct ay_err *e);

/* Client: the newest session of this connection, or NULL; the caller frees it. */
struct ay_tls_session *ay_tls_session_take(struct ay_tls_conn *c);
void ay_tls_session_free(struct ay_tls_session *s);

#endif
