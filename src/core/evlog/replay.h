/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_REPLAY_H
#define AY_EVLOG_REPLAY_H

/*
 * The PCR values that a boot log leads to, in every bank whose hash we can
 * compute. EV_NO_ACTION is never extended; PCR 0 starts with the locality of
 * the StartupLocality event; PCR 17-22 are replayed, from zero, only if the
 * first event of PCR 17 is the D-RTM start: without a launch they start with
 * all ones, and a log that extends that is never replayed. What a manager
 * reports (reported.h) names no launch; its PCR 17-22 are replayed from zero.
 *
 * have is set only for PCRs that the log has measurements for; PCR 18-22 count
 * as measured (zero) after a launch only if they have events.
 */
#include "core/evlog/tcg.h"

/* AY_E_LIMIT never for a log that ay_evlog_parse() gave. */
AY_MUST_USE enum ay_rc ay_evlog_replay(const struct ay_evlog *log, struct ay_pcrs *out,
				       struct ay_err *e);

/* The log begins PCR 17 with a D-RTM start (HASH_START). */
bool ay_evlog_has_launch(const struct ay_evlog *log);

/* Is this event extended into its PCR? */
bool ay_event_is_extended(const struct ay_event *ev);

#endif
