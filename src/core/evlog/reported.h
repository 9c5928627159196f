/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_REPORTED_H
#define AY_EVLOG_REPORTED_H

/*
 * What a hypervisor's manager reports as measured, kept as a boot log so that
 * everything that looks at boot logs looks at it too: 16 octets that no
 * firmware writes, then a crypto-agile log (docs/formats/reported-log.md).
 * Event data are words of the manager that no digest covers; events are
 * matched by digest alone.
 *
 * It is taken only where a manager is believed for the host: an agent that
 * sends one is refused, since PCR 17-22 are replayed without a launch in it.
 */
#include "core/base/writer.h"
#include "core/evlog/tcg.h"

#define AY_REPORTED_LOG_HEAD 16
bool ay_reported_log_is(struct ay_bytes in);

/* Kinds of events [VIM HostTpmEventDetails]; numbers as the Mt. Wilson family has them. */
#define AY_EV_REPORTED_SOFTWARE 0x60000001u
#define AY_EV_REPORTED_COMMAND 0x60000002u
#define AY_EV_REPORTED_OPTION 0x60000003u
#define AY_EV_REPORTED_SECURITY 0x60000004u
#define AY_EV_REPORTED_OTHER 0x6000ffffu

struct ay_reported_event {
	uint32_t pcr, type;
	uint16_t bank;
	uint8_t digest[AY_DIGEST_MAX];
	struct ay_bytes text; /* what the manager says it is */
};

/* Its beginning, for these banks in this order; then each event in order. */
void ay_reported_log_begin(struct ay_writer *w, const uint16_t *bank, size_t n_banks);
void ay_reported_log_event(struct ay_writer *w, const struct ay_reported_event *ev);
/* Octets that the two calls write. */
size_t ay_reported_log_room(size_t n_banks, size_t n_events, size_t text_bytes);

#endif
