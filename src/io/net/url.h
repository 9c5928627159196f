/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_URL_H
#define AY_NET_URL_H

/*
 * The addresses that we call: a small part of [RFC3986], so that nobody reads
 * them differently. scheme "https" or "http", a host, an optional port, path
 * and query. No user information, no fragment, no octet outside printable
 * ASCII, no host that some would take for a number ("127.1", "0x7f000001").
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

#define AY_URL_MAX 2048
#define AY_URL_HOST_MAX 253

struct ay_url {
	bool is_https;
	bool is_literal;		/* host is an address, without brackets */
	char host[AY_URL_HOST_MAX + 1]; /* lower case */
	uint16_t port;			/* 443 or 80 when none is given */
	struct ay_bytes target;		/* path and query; borrows from the text; may be empty */
};

/* AY_E_INPUT or AY_E_LIMIT, with code URL. */
AY_MUST_USE enum ay_rc ay_url_parse(struct ay_bytes text, struct ay_url *out, struct ay_err *e);

#endif
