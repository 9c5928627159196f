/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_TCG_DATA_H
#define AY_EVLOG_TCG_DATA_H

/*
 * Does the digest of an event agree with the data beside it? Only for event
 * types whose digest covers the data: separator, action, UEFI variables (whole
 * structure or the variable's value alone, both are in the field), the strings
 * that GRUB measures, and whatever else happens to agree. A type is not
 * authenticated, so a match says that the data is what was measured, never
 * what it means.
 */
#include "core/evlog/tcg.h"

/* Sets agrees, differs and check of every event. */
void ay_evlog_check_data(struct ay_evlog *log);

/*
 * NULL if the data of the event has the form that its type asks for; else what
 * is wrong, in a few words (LOG_EVENT_TYPE).
 */
const char *ay_event_misfit(const struct ay_event *ev);

/* A UEFI_VARIABLE_DATA [TCG-PFP 10.2.6]. Views borrow from the event. */
struct ay_uefi_variable {
	uint8_t guid[16];
	struct ay_bytes name; /* UTF-16LE without terminator */
	struct ay_bytes value;
};

/* AY_E_INPUT if the lengths in it do not fit data. */
AY_MUST_USE enum ay_rc ay_uefi_variable_parse(struct ay_bytes data, struct ay_uefi_variable *out,
					      struct ay_err *e);

#endif
