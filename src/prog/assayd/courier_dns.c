/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name is resolved first, by libevent's resolver, and every address it has
 * is judged before libcurl hears of it.
 */
#include "prog/assayd/courier_http_impl.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { ADDRESSES_MAX = 4 };

bool ay_courier_may_call(const struct ay_courier_http *c, const struct ay_url *url,
			 const struct sockaddr *a)
{
	if (AY_CHECKED("OUTGOING_HTTP", !url->is_https && !ay_netrange_is_loopback(a)))
		return false;
	return !AY_CHECKED("OUTGOING_ADDRESS", ay_netrange_is_inner(a)) ||
	       ay_netranges_have(&c->allowed, a);
}

/* Appends the address as libcurl wants it in CURLOPT_RESOLVE. */
static size_t put_address(char *out, size_t room, const struct sockaddr *a)
{
	char text[INET6_ADDRSTRLEN];
	bool is_v6 = a->sa_family == AF_INET6;
	const void *octets =
		is_v6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr
		      : (const void *)&((const struct sockaddr_in *)(const void *)a)->sin_addr;
	int n;

	if (inet_ntop(a->sa_family, octets, text, sizeof(text)) == NULL)
		return 0;
	n = snprintf(out, room, is_v6 ? "[%s]" : "%s", text);
	return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

/* Those of the found addresses that may be called; libcurl tries them in turn. */
static size_t take_addresses(struct ay_courier_request *r)
{
	char line[AY_URL_HOST_MAX + 16 + ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)];
	int head = snprintf(line, sizeof(line), "%s:%u:", r->url.host, r->url.port);
	size_t n = 0, at = (size_t)head;

	for (struct evutil_addrinfo *i = r->found; i != NULL && n < ADDRESSES_MAX; i = i->ai_next) {
		if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
			continue;
		if (!ay_courier_may_call(r->c, &r->url, i->ai_addr)) {
			r->refused_address = true;
			continue;
		}
		if (n > 0)
			line[at++] = ',';
		at += put_address(line + at, sizeof(line) - at, i->ai_addr);
		n++;
	}
	if (n > 0 && !r->url.is_literal)
		r->resolve = curl_slist_append(NULL, line);
	return n;
}

static void go_on(struct ay_courier_request *r)
{
	if (r->is_dead) {
		ay_courier_request_free(r);
		return;
	}
	if (r->dns_fault != 0) {
		ay_courier_fail(r, "OUTGOING_DNS", evutil_gai_strerror(r->dns_fault));
		return;
	}
	if (take_addresses(r) == 0) {
		ay_courier_fail(r, r->refused_address ? "OUTGOING_ADDRESS" : "OUTGOING_DNS",
				r->refused_address
					? "the address is one that is not called (outgoing_allow)"
					: "the name has no address");
		return;
	}
	r->refused_address = false;
	ay_courier_launch(r);
}

static void on_resolved(int fault, struct evutil_addrinfo *found, void *arg)
{
	struct ay_courier_request *r = arg;

	r->dns = NULL;
	r->dns_fault = fault;
	r->found = found;
	r->is_resolved = true;
	if (!r->is_asking) /* else ay_courier_resolve() goes on by itself */
		go_on(r);
}

void ay_courier_resolve(struct ay_courier_request *r)
{
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
					 .ai_socktype = SOCK_STREAM,
					 .ai_protocol = IPPROTO_TCP };
	struct evdns_getaddrinfo_request *q;
	char port[8];

	snprintf(port, sizeof(port), "%u", r->url.port);
	if (r->url.is_literal) {
		hints.ai_flags = EVUTIL_AI_NUMERICHOST;
		r->dns_fault = evutil_getaddrinfo(r->url.host, port, &hints, &r->found);
		go_on(r);
		return;
	}
	if (r->c->dns == NULL) {
		ay_courier_fail(r, "OUTGOING_DNS", "no name server is known");
		return;
	}
	r->is_asking = true;
	q = evdns_getaddrinfo(r->c->dns, r->url.host, port, &hints, on_resolved, r);
	r->is_asking = false;
	if (r->is_resolved)
		go_on(r);
	else
		r->dns = q;
}
