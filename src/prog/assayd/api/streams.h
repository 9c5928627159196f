/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_STREAMS_H
#define AY_ASSAYD_API_STREAMS_H

/*
 * Readers of events. What happens is written once and cast to all who hear of
 * it. No more than AY_MAX_EVENT_AHEAD octets are on their way to one reader:
 * one that takes them slowly, or resumes, is behind and reads from the store at
 * its own pace, those at the same place together. So neither many readers nor
 * slow ones cost memory, and nobody misses anything.
 */
#include "prog/assayd/api/call.h"

enum { AY_STREAM_KINDS = 512 };

struct ay_stream {
	size_t at;     /* in the list of all */
	size_t on_way; /* octets cast that front did not tell as drained */
	int64_t said_ms;
	int64_t full_ms; /* since when it has no room for more; 0: it has */
	uint64_t last;	 /* seen, told or not */
	bool is_behind;	 /* what comes is in the store and is read from there, in order */
	char kinds[AY_STREAM_KINDS + 3]; /* ",a,b,"; "": all */
	char host[AY_UUID_TEXT];	 /* "": all */
};

/* Adds a stream of no events yet as c->state. AY_E_UNAVAIL: there are too many. */
AY_MUST_USE enum ay_rc ay_stream_open(struct ay_api_call *c, struct ay_err *e);
/* Takes it out of the list and frees it. */
void ay_stream_close(struct ay_api_call *c);
void ay_stream_say(struct ay_api_call *c, const char *text);
/* From which id on the reader can resume: what its filters left out is not read again. */
void ay_stream_tell_here(struct ay_api_call *c, const char *why);
/* Of a stream that is behind: what fits now. */
void ay_stream_catch_up(struct ay_api_call *c);
/* Signs of life to those that heard nothing for long, and a look at who is behind. */
void ay_streams_tick(struct ay_api *a);
/* It took nothing of what waits for it for AY_MAX_EVENT_STALL_MS. */
bool ay_stream_is_stalled(struct ay_api_call *c);
/* One after the other, from the last on, so that what fn is given may be closed; *at: ~0 at first.
 */
struct ay_api_call *ay_streams_next(struct ay_api *a, size_t *at);

#endif
