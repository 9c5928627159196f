/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_IMA_ASCII_H
#define AY_EVLOG_IMA_ASCII_H

/*
 * ascii_runtime_measurements: one line an entry. Blanks separate the fields
 * and may also stand in a path, so a line can have several readings; the one
 * whose template hash is the stored one is taken. Meant for tools: agents send
 * the binary list.
 */
#include "core/base/arena.h"
#include "core/base/err.h"

/* Does the list look like the ASCII form (a PCR number in decimal and a blank)? */
bool ay_ima_is_ascii(struct ay_bytes list);

/*
 * The same list in binary form, in the arena. AY_E_INPUT with e->code
 * IMA_MALFORMED, e->offset of the line; AY_E_LIMIT; AY_E_NOMEM.
 */
AY_MUST_USE enum ay_rc ay_ima_ascii_parse(struct ay_bytes text, struct ay_arena *arena,
					  struct ay_bytes *list, struct ay_err *e);

#endif
