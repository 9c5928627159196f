/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_TIMETEXT_H
#define AY_BASE_TIMETEXT_H

/* Instants as other programs write them; our own form is in timefmt.h. */
#include "core/base/timefmt.h"

/*
 * The date of a message header [RFC5322 3.3, RFC1123 5.2.14]: "Sun, 22 Nov 2026
 * 04:17:17 GMT". The day's name may be missing; the zone is +hhmm, GMT, UT, UTC,
 * Z or one of the American names of [RFC5322 4.3]. AY_E_INPUT otherwise.
 */
AY_MUST_USE enum ay_rc ay_time_parse_rfc822(struct ay_bytes text, const char *field, int64_t *at_ms,
					    struct ay_err *e);

/*
 * ISO 8601 as clients of the Mt. Wilson family write it: "2012-02-14T08:15:00"
 * with or without .mmm, then nothing (UTC), Z, +hh:mm or +hhmm.
 */
AY_MUST_USE enum ay_rc ay_time_parse_iso(struct ay_bytes text, const char *field, int64_t *at_ms,
					 struct ay_err *e);

#endif
