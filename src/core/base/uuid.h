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

#endif
