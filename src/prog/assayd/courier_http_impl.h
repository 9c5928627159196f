/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_COURIER_HTTP_IMPL_H
#define AY_ASSAYD_COURIER_HTTP_IMPL_H

/*
 * Of courier's requests alone. courier_http.c takes them from engine and
 * answers; courier_dns.c finds and judges addresses; courier_curl.c has libcurl
 * send them. A request ends by ay_courier_answer() or ay_courier_fail(), after
 * which it is not to be touched.
 */
#include "io/ipc/outgoing_msg.h"
#include "io/net/netrange.h"
#include "io/net/url.h"
#include "prog/assayd/courier.h"

#include <curl/curl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

struct ay_courier_request;
struct ay_courier_http {
	struct ay_loop *loop;
	struct ay_ipc *engine;
	struct evdns_base *dns; /* NULL: addresses only */
	CURLM *multi;
	struct event *timer;
	struct ay_netranges allowed;
	bool may_http;
	const char *roots;
	struct ay_courier_request *requests;
	size_t n_requests;
};

/* One request on its way. */
struct ay_courier_request {
	struct ay_courier_request *next;
	struct ay_courier_http *c;
	uint32_t req;
	uint8_t *copy; /* what ask borrows from */
	struct ay_outgoing ask;
	struct ay_url url;
	struct event *deadline;
	struct evdns_getaddrinfo_request *dns;
	bool is_asking, is_resolved, is_dead;
	int dns_fault;
	struct evutil_addrinfo *found;
	CURL *easy;
	struct curl_slist *headers, *resolve;
	char error[CURL_ERROR_SIZE];
	bool refused_address, refused_peer, too_long;
	/* the answer */
	struct ay_outgoing_answer answer;
	uint8_t *head, *body; /* what answer borrows from */
	size_t head_n, head_seen, body_n, body_max;
};

/* r->answer goes to engine. */
void ay_courier_answer(struct ay_courier_request *r);
void ay_courier_fail(struct ay_courier_request *r, const char *code, const char *text);

/* Finds the addresses, now or later, then launches the request; or fails it. */
void ay_courier_resolve(struct ay_courier_request *r);
/* Judges an address: asked for each that is found, and for each a socket is made for. */
bool ay_courier_may_call(const struct ay_courier_http *c, const struct ay_url *url,
			 const struct sockaddr *a);

/* Gives the request to libcurl, which tries r->resolve; or fails it. */
void ay_courier_launch(struct ay_courier_request *r);
/* c->timer and c->multi; what there is of them is freed by ay_courier_http_free(). */
AY_MUST_USE enum ay_rc ay_courier_curl_new(struct ay_courier_http *c, struct ay_err *e);

void ay_courier_request_free(struct ay_courier_request *r);

#endif
