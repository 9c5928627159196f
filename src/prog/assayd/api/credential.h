/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_CREDENTIAL_H
#define AY_ASSAYD_API_CREDENTIAL_H

/* What credentials look like on the wire: octets of anybody. Pure. */
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/err.h"

/*
 * The value of one cookie of a Cookie header [RFC6265 4.2.1]. AY_E_NOENT: it
 * is not there. AY_E_INPUT: the header is malformed, or has it twice: who could
 * set a second one must not choose which counts.
 */
AY_MUST_USE enum ay_rc ay_cookie_find(struct ay_bytes header, const char *name,
				      struct ay_bytes *value, struct ay_err *e);

/*
 * user and password of the base64 text after "Basic " [RFC7617]: UTF-8
 * without control characters; both terminated, in the arena. AY_E_INPUT.
 */
AY_MUST_USE enum ay_rc ay_basic_parse(struct ay_bytes text, struct ay_arena *a,
				      struct ay_bytes *user, struct ay_bytes *password,
				      struct ay_err *e);

/*
 * Network of "ADDR:PORT" or "[ADDR]:PORT" as octets for a key: the first 24
 * bits of an IPv4 address, 56 of an IPv6 address; zero when it is neither.
 */
void ay_network_of(struct ay_bytes peer, uint8_t out[8]);

#endif
