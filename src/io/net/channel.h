/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_CHANNEL_H
#define AY_NET_CHANNEL_H

/*
 * One connection of the agent channel: TLS and frames on plain libevent
 * events. Both ends use it. A connection at rest owns nothing but this struct
 * and what libssl keeps.
 */
#include "io/net/frame.h"
#include "io/net/tls.h"

struct event_base;
struct ay_chan;
struct ay_chan_env;

/*
 * up     the handshake ended well
 * frame  one frame that channel.def permits; the body borrows until return
 * down   gone, or refused; why is static or lives until return. Called exactly
 *        once for every channel; it is freed after the call
 * All may call ay_chan_send() and ay_chan_close() on any channel.
 */
struct ay_chan_ops {
	void (*up)(struct ay_chan *c, void *owner, const struct ay_tls_peer *peer);
	void (*frame)(struct ay_chan *c, void *owner, const struct ay_frame *f);
	void (*down)(struct ay_chan *c, void *owner, const struct ay_err *why);
};

/* What all channels of a process share: loop, buffers, deadlines. */
struct ay_chan_args {
	struct event_base *base;
	enum ay_channel_role role; /* ours */
	const struct ay_chan_ops *ops;
	int64_t handshake_ms; /* for the whole handshake */
	int64_t hello_ms;     /* server: until HELLO */
	int64_t frame_ms;     /* for the rest of a frame, and for a write to move */
	size_t max_out;	      /* octets waiting for a peer that does not read */
};
AY_MUST_USE enum ay_rc ay_chan_env_new(const struct ay_chan_args *a, struct ay_chan_env **out,
				       struct ay_err *e);
void ay_chan_env_free(struct ay_chan_env *env);

/*
 * Take over the socket fd (connected or connecting, non-blocking) and tls. On
 * failure both are released. is_accepted: tls is of ay_tls_accept().
 */
AY_MUST_USE enum ay_rc ay_chan_open(struct ay_chan_env *env, int fd, struct ay_tls_conn *tls,
				    bool is_accepted, void *owner, struct ay_chan **out,
				    struct ay_err *e);
/* Ends the connection; down() comes before this returns, or when the running callback returns. */
void ay_chan_close(struct ay_chan *c, const char *why);

/*
 * Send one message. An EVIDENCE longer than a frame goes out in parts. What
 * does not fit max_out ends the connection (down comes later, from the loop).
 */
void ay_chan_send(struct ay_chan *c, uint8_t type, uint32_t req, struct ay_bytes body);
/* One frame as it is, flags included (front passes engine's frames on). */
void ay_chan_send_frame(struct ay_chan *c, const struct ay_frame *f);
/*
 * Read no more from any connection that is up, until resumed: whoever takes
 * the frames does not keep up. Deadlines of frames wait as well.
 */
void ay_chan_env_pause(struct ay_chan_env *env, bool pause);
/* Server: the peer's key is bound to a host from now on. */
void ay_chan_set_bound(struct ay_chan *c);

bool ay_chan_is_up(const struct ay_chan *c);
struct ay_tls_conn *ay_chan_tls(struct ay_chan *c);
void *ay_chan_owner(const struct ay_chan *c);

#endif
