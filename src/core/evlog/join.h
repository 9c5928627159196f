/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_JOIN_H
#define AY_EVLOG_JOIN_H

/*
 * One log out of the parts of a bundle: the events of the boot log, then those
 * of the launch. Nothing is gained by moving an event from one part to the
 * other: each is extended into the PCR it names, and the replay decides.
 */
#include "core/evlog/bundle.h"
#include "core/evlog/tcg.h"

/*
 * As ay_evlog_parse(), of a bundle; called by it. The log has all banks of its
 * parts; an event has no digest in a bank that its own part does not have.
 *
 * AY_E_INPUT with LOG_MALFORMED when the launch's log extends PCR 0-16 or 23.
 */
AY_MUST_USE enum ay_rc ay_evlog_join(const struct ay_bundle *b, struct ay_arena *arena,
				     struct ay_evlog *out, struct ay_err *e);

#endif
