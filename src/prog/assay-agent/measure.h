/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_MEASURE_H
#define AY_PROG_AGENT_MEASURE_H

/* The measurement logs and the boot id of this host, as files; never judged here. */
#include "io/net/agent_msg.h"

/* A log as it goes into EVIDENCE; bytes are freed by ay_measured_fini(). */
struct ay_measured {
	enum ay_chan_log state;
	struct ay_bytes bytes; /* if FOLLOWS */
	uint64_t offset, entries;
};
void ay_measured_fini(struct ay_measured *m);

/* known: SHA-256 of the log the server has (zero: none). An empty path is "there is none". */
void ay_measure_boot_log(const char *path, const uint8_t known[32], struct ay_measured *out);
/*
 * What the list holds beyond offset; all of it if it is shorter than that. At
 * most max octets, then cut after a whole entry.
 */
void ay_measure_ima(const char *path, uint64_t offset, uint64_t entries, size_t max,
		    struct ay_measured *out);
/* A number that grows with the list, cheap to get; 0 if there is none. */
uint64_t ay_measure_ima_mark(const char *path);
/* Length of the whole entries within the first max octets of a binary list. */
size_t ay_measure_ima_cut(struct ay_bytes list, size_t max);

AY_MUST_USE enum ay_rc ay_measure_boot_id(const char *path, struct ay_uuid *out, struct ay_err *e);

#endif
