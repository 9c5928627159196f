/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_TXT_H
#define AY_EVLOG_TXT_H

/*
 * The TPM 1.2 event log container of Intel TXT: a 20-octet signature, a frame
 * of offsets, then events of the SHA-1 form up to next_event_offset. (With a
 * TPM 2.0 the launch keeps a plain crypto-agile log.) [TXT-DEV G.2]
 */
#include "core/base/reader.h"

#define AY_TXT_CONTAINER_SIG "TXT Event Container"

struct ay_txt_container {
	uint8_t version_major, version_minor;
	uint8_t event_major, event_minor;
	size_t events_offset;
	struct ay_bytes events; /* borrows from the input */
	size_t rest;		/* octets after the last event */
	struct ay_bytes tail;	/* those octets */
};

/* Does the log begin with the container's signature? */
bool ay_txt_is_container(struct ay_bytes in);

/* AY_E_INPUT with e->code LOG_HEADER when the frame's sizes and offsets do not fit each other. */
AY_MUST_USE enum ay_rc ay_txt_container_parse(struct ay_bytes in, struct ay_txt_container *out,
					      struct ay_err *e);

#endif
