/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_LAUNCH_SOURCE_H
#define AY_EVLOG_LAUNCH_SOURCE_H

/*
 * What a measured launch left, in whatever form an operator or a kernel has
 * it, told apart by its octets: an event log (crypto-agile, SHA-1, TXT
 * container) or a dump of the TXT heap. All of it becomes parts of a bundle.
 */
#include "core/base/arena.h"
#include "core/evlog/bundle.h"

/*
 * Sets part LAUNCH, and HEAP of a dump; other parts stay as they are. Views
 * borrow from in or from the arena. Nothing is judged: a log that cannot be
 * parsed is a log still, and the server says what is wrong with it.
 *
 * AY_E_INPUT with e->code LAUNCH_SOURCE when there is no log in it.
 */
AY_MUST_USE enum ay_rc ay_launch_source_read(struct ay_bytes in, struct ay_arena *a,
					     struct ay_bundle *out, struct ay_err *e);

#endif
