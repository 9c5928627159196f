/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_TCG_FRAME_H
#define AY_EVLOG_TCG_FRAME_H

/*
 * The frame of one event: TCG_PCR_EVENT in SHA-1 logs (and for the first event
 * of every log), TCG_PCR_EVENT2 in crypto-agile ones [TCG-PFP 10.2].
 */
#include "core/base/reader.h"
#include "core/evlog/tcg.h"

/* PCR of the TrustPoint event that Windows appends to its logs; it is never extended. */
#define AY_EVLOG_NO_PCR 0xffffffffu

/* A run of this many equal octets where an event should begin is no event. */
#define AY_EVLOG_FILLER 12

/* Read one event in the form of log->format (the SHA-1 form unless it is agile). */
void ay_event_read(struct ay_reader *r, const struct ay_evlog *log, struct ay_event *out);

/* Octets of 0x00, or of 0xff, that b begins with. */
size_t ay_evlog_filler(struct ay_bytes b);

/*
 * No event could be read at offset at: say which kind of fault that is. A
 * prefix of an event is LOG_TRUNCATED; an event with an impossible field, or
 * octets that further events follow, LOG_MALFORMED; an event beyond the limit
 * LOG_LIMIT; anything else LOG_TRAILING.
 */
const char *ay_evlog_diagnose(struct ay_bytes in, size_t at, const struct ay_evlog *log);

#endif
