/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_BUNDLE_H
#define AY_EVLOG_BUNDLE_H

/*
 * The logs of one boot in one piece, where there are more than the firmware's:
 * a host with a measured launch has a second log, what the launch left in
 * memory, and what NV holds of its launch control policy. Travels, is stored
 * and is named by hash as a boot log is (docs/formats/logs-bundle.md).
 *
 * Octets: 16 of magic, u8 n, then n parts in ascending order of kind, each u8
 * kind and v32 octets (big-endian).
 */
#include "core/base/reader.h"
#include "core/base/writer.h"

#define AY_BUNDLE_MAGIC "assay-logs-1\0\0\0\0"
#define AY_BUNDLE_MAGIC_SIZE 16

enum ay_bundle_kind {
	AY_BUNDLE_BOOT = 1, /* boot event log of the firmware */
	AY_BUNDLE_LAUNCH,   /* event log of the measured launch (PCR 17-22) */
	AY_BUNDLE_HEAP,	    /* tables of the TXT heap (txt_heap.h) */
	AY_BUNDLE_REGS,	    /* TXT registers, text "NAME=HEX" a line */
	AY_BUNDLE_NV,	    /* NV indices of the launch: n times u32 index, v16 octets */
	AY_BUNDLE_KINDS,
};

/* part[kind]; n == 0: not there. Views borrow from the input. */
struct ay_bundle {
	struct ay_bytes part[AY_BUNDLE_KINDS];
};

bool ay_bundle_is(struct ay_bytes in);

/* AY_E_INPUT with e->code LOG_HEADER: no part, an unknown or repeated kind, octets left over. */
AY_MUST_USE enum ay_rc ay_bundle_parse(struct ay_bytes in, struct ay_bundle *out, struct ay_err *e);

/* Octets that ay_bundle_write() needs. */
size_t ay_bundle_room(const struct ay_bundle *b);
void ay_bundle_write(struct ay_writer *w, const struct ay_bundle *b);

#endif
