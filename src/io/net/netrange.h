/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_NETRANGE_H
#define AY_NET_NETRANGE_H

/* Ranges of IP addresses, and which of them the server never calls by itself. */
#include "core/base/err.h"

#include <sys/socket.h>

/* IPv4 is kept as ::ffff:a.b.c.d, so that both are compared alike. */
struct ay_netrange {
	uint8_t addr[16];
	uint8_t bits;
};

/* "10.0.0.0/8", "fe80::/10", or one address. */
AY_MUST_USE enum ay_rc ay_netrange_parse(const char *text, struct ay_netrange *out,
					 struct ay_err *e);
/* False for families other than IPv4 and IPv6. */
bool ay_netrange_has(const struct ay_netrange *r, const struct sockaddr *a);

#define AY_NETRANGES_MAX 32
struct ay_netranges {
	size_t n;
	struct ay_netrange range[AY_NETRANGES_MAX];
};
bool ay_netranges_have(const struct ay_netranges *r, const struct sockaddr *a);

/*
 * Loopback, link-local (where clouds keep their metadata), unspecified,
 * multicast, reserved; and IPv6 addresses that carry such an IPv4 one.
 */
bool ay_netrange_is_inner(const struct sockaddr *a);
bool ay_netrange_is_loopback(const struct sockaddr *a);

#endif
