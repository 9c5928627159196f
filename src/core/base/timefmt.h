/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_TIMEFMT_H
#define AY_BASE_TIMEFMT_H

/* Instants are int64_t milliseconds since 1970-01-01T00:00:00Z; text is RFC 3339 in UTC. */
#include "core/base/bytes.h"
#include "core/base/err.h"

#define AY_TIME_ROOM 32 /* text with terminator */

/* "2026-11-21T22:05:01Z", or with ".123" when the milliseconds are not zero. */
void ay_time_format(int64_t at_ms, char out[AY_TIME_ROOM]);

/* Reads what ay_time_format writes (UTC only, 'Z'). */
AY_MUST_USE enum ay_rc ay_time_parse(struct ay_bytes text, const char *field, int64_t *at_ms,
				     struct ay_err *e);

#endif
