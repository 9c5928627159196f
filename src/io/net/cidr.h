/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_CIDR_H
#define AY_NET_CIDR_H

/*
 * Networks as people write them: 10.0.0.0/8, 2001:db8::/32, or one address.
 * An IPv4 address that came in as ::ffff:a.b.c.d is an IPv4 address; ::/0 has
 * no IPv4 addresses in it.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

struct ay_cidr {
	bool is_v6;
	uint8_t bits; /* of the prefix: at most 32, or 128 */
	uint8_t addr[16];
};

/* AY_E_INPUT: no network, or bits behind the prefix (10.0.0.1/8). Zeroed on failure. */
AY_MUST_USE enum ay_rc ay_cidr_parse(struct ay_bytes text, struct ay_cidr *out, struct ay_err *e);
/* peer: ADDR:PORT or [ADDR]:PORT as front tells it. What is no address is in no network. */
AY_MUST_USE bool ay_cidr_has_peer(const struct ay_cidr *c, struct ay_bytes peer);

#endif
