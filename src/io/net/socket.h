/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_SOCKET_H
#define AY_NET_SOCKET_H

/* TCP sockets by address literals. */
#include "core/base/err.h"

/* SO_KEEPALIVE, TCP_NODELAY and the like; on a listener they are inherited by what it accepts. */
void ay_net_socket_options(int fd);
/*
 * Listen on ADDR:PORT (literal address; [v6]:port). bound gets the address in
 * use as text, with the port the kernel gave for port 0.
 */
AY_MUST_USE enum ay_rc ay_net_listen(const char *addr, int *fd, char *bound, size_t room,
				     struct ay_err *e);
/* Begin to connect to ADDR:PORT (literal address), non-blocking. */
AY_MUST_USE enum ay_rc ay_net_connect(const char *addr, int *fd, struct ay_err *e);
/* "1.2.3.4:5" of a socket's peer; "?" if it has gone. */
void ay_net_peer_text(int fd, char *out, size_t room);

#endif
