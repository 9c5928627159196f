/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_TCG_NAMES_H
#define AY_EVLOG_TCG_NAMES_H

/* Event types and events in words, for people. */
#include "core/evlog/tcg.h"

/* "EV_SEPARATOR"; NULL for a type we have no name for. */
const char *ay_event_type_name(uint32_t type);

/*
 * One printable line about the event: variable name, string, ... Octets from
 * outside are made printable ASCII. out is always terminated; "" if there is
 * nothing to say.
 */
void ay_event_summary(const struct ay_event *ev, char *out, size_t room);

#endif
