/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_UUID_H
#define AY_BASE_UUID_H

/* Host ids: 16 octets as in RFC 9562, text 8-4-4-4-12 in lower case. */
#include "core/base/bytes.h"
#include "core/base/err.h"

#define AY_UUID_TEXT 37 /* with terminator */

struct ay_uuid {
	uint8_t b[16];
};

void ay_uuid_format(const struct ay_uuid *u, char out[AY_UUID_TEXT]);
/* True for any spelling of a UUID (both cases): names that look so are refused. */
bool ay_uuid_looks_like(struct ay_bytes text);
AY_MUST_USE enum ay_rc ay_uuid_parse(struct ay_bytes text, const char *field, struct ay_uuid *out,
				     struct ay_err *e);
/* A version 4 UUID from 16 octets of random. */
struct ay_uuid ay_uuid_from_random(const uint8_t random[16]);
/*
 * A version 7 UUID: begins with the instant, in milliseconds since 1970, so
 * that what has it can be found by time. at_ms: not negative.
 */
struct ay_uuid ay_uuid_from_time(int64_t at_ms, const uint8_t random[16]);
/* That instant; -1: another version. */
int64_t ay_uuid_time(const struct ay_uuid *u);

#endif
