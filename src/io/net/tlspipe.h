/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_TLSPIPE_H
#define AY_NET_TLSPIPE_H

/*
 * A socket pair of ours carried over TLS 1.3, mutual, to one program of ours
 * on another machine: octets are passed on as they are. Each side trusts one
 * root and nothing else, and where it says so one name below that root.
 */
#include "core/base/err.h"

struct event_base;
struct ay_tlspipe;
struct ay_tlspipe_ctx;

struct ay_tlspipe_keys {
	const char *cert; /* paths, PEM */
	const char *key;
	const char *root; /* the only certificate that the peer's may chain to */
	const char *alpn; /* "assay-ca/1" */
	/*
	 * Common name of the peer's certificate; NULL: any below root. Front has
	 * a certificate of the server's root too, and is not the courier.
	 */
	const char *peer;
};
/* As `assayd init` makes the courier's certificate. */
#define AY_COURIER_CN "Assay courier"
AY_MUST_USE enum ay_rc ay_tlspipe_ctx_new(const struct ay_tlspipe_keys *k, bool is_server,
					  struct ay_tlspipe_ctx **out, struct ay_err *e);
void ay_tlspipe_ctx_free(struct ay_tlspipe_ctx *c);

/* up: the handshake is done. down: it is over (why: static text); free it then. Either may be NULL.
 */
struct ay_tlspipe_ops {
	void (*up)(void *arg);
	void (*down)(void *arg, const char *why);
};
/* Owns both descriptors from now on, also on failure. net_fd: connected or connecting. */
AY_MUST_USE enum ay_rc ay_tlspipe_open(struct event_base *base, struct ay_tlspipe_ctx *ctx,
				       int net_fd, int local_fd, const struct ay_tlspipe_ops *ops,
				       void *arg, struct ay_tlspipe **out, struct ay_err *e);
void ay_tlspipe_free(struct ay_tlspipe *p);

#endif
