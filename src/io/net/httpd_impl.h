/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_HTTPD_IMPL_H
#define AY_NET_HTTPD_IMPL_H

/* Inside of httpd.c and httpd_guard.c. */
#include "io/net/httpd.h"

#include <event2/event.h>
#include <openssl/ssl.h>

struct evhttp;
struct evhttp_request;
struct evhttp_bound_socket;
struct bufferevent;

/* A request that we owe an answer, or whose stream goes on. */
struct ay_httpd_pending {
	struct ay_httpd *h;
	struct evhttp_request *req; /* NULL: free */
	uint32_t id;
	bool is_stream, is_cut;
	size_t cast; /* octets of casts, not yet told as drained */
};

/* One address with its certificate. */
struct ay_httpd_door {
	struct ay_httpd *h;
	enum ay_listener listener;
	SSL_CTX *tls;
	struct evhttp *http;
	struct evhttp_bound_socket *bound;
};

struct ay_httpd {
	struct ay_httpd_args a;
	int guard_index; /* of the guard in an SSL object */
	size_t n_doors;
	struct ay_httpd_door door[AY_LISTENERS];
	const struct timeval *deadline, *keep_alive, *sending;
	struct ay_httpd_pending *pending;
	uint32_t *free_slot;
	size_t n_slots, n_free, n_streams;
	bool is_stopping, is_paused;
	struct ay_httpd_counts counts;
};

/*
 * One guard per connection, owned by its SSL object: OpenSSL's free callback
 * is the only sure sign that evhttp let go of it. It holds the total deadline
 * and counts.
 */
AY_MUST_USE enum ay_rc ay_httpd_guard_init(struct ay_httpd *h, struct ay_err *e);
/* The TLS of one door. */
AY_MUST_USE enum ay_rc ay_httpd_guard_tls(struct ay_httpd_door *d, struct ay_bytes cert_pem,
					  struct ay_bytes key_pem, struct ay_err *e);
/* evhttp's callback for a new connection; arg is the door. */
struct bufferevent *ay_httpd_guard_new(struct event_base *base, void *arg);
void ay_httpd_guard_busy(struct ay_httpd *h, SSL *ssl);	   /* a whole request is there */
void ay_httpd_guard_sending(struct ay_httpd *h, SSL *ssl); /* its answer is on its way */
void ay_httpd_guard_done(struct ay_httpd *h, SSL *ssl);	   /* it is sent */

/* httpd_judge.c: what is wrong with a request; text NULL: nothing. */
struct ay_httpd_wrong {
	uint16_t status;
	const char *code, *text;
};
struct ay_httpd_wrong ay_httpd_judge(struct evhttp_request *req);
bool ay_httpd_is_token(const char *s); /* [RFC9110 5.6.2] */

#endif
