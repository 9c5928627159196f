/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_HTTPD_H
#define AY_NET_HTTPD_H

/*
 * An HTTPS server on evhttp with what evhttp 2.1 lacks: total deadlines, a
 * limit of connections, strict framing, freeing of broken streams, back-
 * pressure for streams (recipes/hotpath section 2). It routes nothing: each
 * request goes to one callback and is answered by its id.
 */
#include "io/ipc/front_msg.h"

struct event_base;
struct ay_httpd;

struct ay_httpd_args {
	struct event_base *base;
	int listen_fd;		  /* taken over; requests by it are of AY_LISTENER_API */
	struct ay_bytes cert_pem; /* certificate, then its chain without the root */
	struct ay_bytes key_pem;
	int64_t deadline_ms;   /* handshake and first request in all */
	int64_t keep_alive_ms; /* from an answer to the end of the next request */
	size_t max_conns;
	size_t max_body;
	void *arg;
	/* A whole, strictly framed request; r borrows until return. Answer now or later. */
	void (*request)(void *arg, uint32_t id, const struct ay_api_request *r);
	/* So many more octets of casts to a stream left for its reader; may be NULL. */
	void (*drained)(void *arg, uint32_t id, size_t octets);
	/* The reader of an open stream left (seen at the next chunk); the id is over. */
	void (*gone)(void *arg, uint32_t id);
};
AY_MUST_USE enum ay_rc ay_httpd_new(const struct ay_httpd_args *a, struct ay_httpd **out,
				    struct ay_err *e);
/* One more address, with its own certificate; listen_fd is taken over. Limits are one for all. */
AY_MUST_USE enum ay_rc ay_httpd_listen(struct ay_httpd *h, enum ay_listener l, int listen_fd,
				       struct ay_bytes cert_pem, struct ay_bytes key_pem,
				       struct ay_err *e);
/* Runs one turn of the loop: evhttp frees its connections there. */
void ay_httpd_free(struct ay_httpd *h);

/* Answers; an id that is over is passed over. */
void ay_httpd_reply(struct ay_httpd *h, uint32_t id, const struct ay_api_reply *r);
/*
 * Begin a streamed body; then its parts, then end. Parts of one that ends soon
 * come as chunks. What goes on as long as the reader likes comes as casts, to
 * any number of streams at once; a reader that takes none of them is cut.
 */
void ay_httpd_stream(struct ay_httpd *h, uint32_t id, const struct ay_api_reply *r);
void ay_httpd_chunk(struct ay_httpd *h, uint32_t id, struct ay_bytes part);
void ay_httpd_cast(struct ay_httpd *h, const uint32_t *id, size_t n, struct ay_bytes part);
void ay_httpd_end(struct ay_httpd *h, uint32_t id);
/* A problem document [RFC9457]; code and text are ours. */
void ay_httpd_problem(struct ay_httpd *h, uint32_t id, uint16_t status, const char *code,
		      const char *text);

/* Accept no more, end the streams, say Connection: close; then wait for is_idle. */
void ay_httpd_stop(struct ay_httpd *h);
bool ay_httpd_is_idle(const struct ay_httpd *h);

struct ay_httpd_counts {
	uint64_t requests, refused, cut_late, cut_slow;
	size_t conns, in_flight, streams;
};
void ay_httpd_count(const struct ay_httpd *h, struct ay_httpd_counts *out);

#endif
