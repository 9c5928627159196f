/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CORE_BASE_SSE_H
#define AY_CORE_BASE_SSE_H

/*
 * Server-sent events [HTML 9.2.6] as they come, in pieces of any size. Every
 * field is bounded (AY_MAX_SSE_*): a peer that says more is AY_E_LIMIT, and
 * what it says afterwards is not read.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/base/limits.h"

struct ay_sse {
	size_t line_n, data_n;
	uint64_t id;	 /* of the last event that was complete; 0: none */
	uint64_t id_now; /* of the event under way */
	bool skip_lf;	 /* a CR ended the line; an LF belongs to it */
	bool is_begun;	 /* the byte order mark may come no more */
	bool is_failed;
	bool has_data;
	char type[40]; /* "": message */
	uint8_t line[AY_MAX_SSE_BYTES];
	uint8_t data[AY_MAX_SSE_BYTES];
};

/* Borrowed for the call. */
struct ay_sse_event {
	bool is_comment; /* data is its text; the rest is empty */
	uint64_t id;	 /* decimal, as ours are; 0: none yet */
	const char *type;
	struct ay_bytes data; /* lines joined by LF; any octets */
};

/* False: enough; the rest of the piece is not read. */
typedef bool ay_sse_fn(void *arg, const struct ay_sse_event *ev);

/* For a new connection; the id stays, since it is what the reader resumes from. */
void ay_sse_reset(struct ay_sse *s);
/* AY_E_LIMIT for a line or an event that is too long; from then on always. */
AY_MUST_USE enum ay_rc ay_sse_feed(struct ay_sse *s, struct ay_bytes in, ay_sse_fn *fn, void *arg,
				   struct ay_err *e);

#endif
