/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that engine wants sent, by libcurl's multi interface on libevent.
 * A name is resolved first, by libevent's resolver, and every address it has
 * is judged before libcurl hears of it; the address a socket is made for is
 * judged again. No redirect is followed, no proxy asked.
 */
#include "prog/assayd/courier.h"

#include "core/base/base64.h"
#include "io/ipc/outgoing_msg.h"
#include "io/ipc/sign_msg.h"
#include "io/net/netrange.h"
#include "io/net/url.h"
#include "io/sys/log.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	ADDRESSES_MAX = 4,
	HEAD_MAX = 65536, /* octets of an answer's headers, all together */
	KEPT_CONNECTIONS = 64,
	CONNECT_MS = 10000,
};

struct ay_courier_http {
	struct ay_loop *loop;
	struct ay_ipc *engine;
	struct evdns_base *dns; /* NULL: addresses only */
	CURLM *multi;
	struct event *timer;
	struct ay_netranges allowed;
	bool may_http;
	const char *roots;
	struct request *requests;
	size_t n_requests;
};

/* One request on its way. */
struct request {
	struct request *next;
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
	bool refused_address, too_long;
	/* the answer */
	struct ay_outgoing_answer answer;
	uint8_t *head, *body; /* what answer borrows from */
	size_t head_n, head_seen, body_n, body_max;
};

/* ---- the end of a request ---- */

static void request_free(struct request *r)
{
	struct request **at = &r->c->requests;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	r->c->n_requests--;
	if (r->easy != NULL) {
		curl_multi_remove_handle(r->c->multi, r->easy);
		curl_easy_cleanup(r->easy);
	}
	curl_slist_free_all(r->headers);
	curl_slist_free_all(r->resolve);
	if (r->found != NULL)
		evutil_freeaddrinfo(r->found);
	if (r->deadline != NULL)
		event_free(r->deadline);
	free(r->copy);
	free(r->head);
	free(r->body);
	free(r);
}

/* The resolver calls back once more for what it is told to leave. */
static void drop(struct request *r)
{
	if (r->dns == NULL) {
		request_free(r);
		return;
	}
	r->is_dead = true;
	event_del(r->deadline);
	evdns_getaddrinfo_cancel(r->dns);
}

static void say_failed(struct ay_courier_http *c, uint32_t req, const char *code, const char *text)
{
	struct ay_refusal no = { .code = ay_bytes_of(code), .text = ay_bytes_of(text) };
	uint8_t room[512];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, room, sizeof(room));
	ay_refusal_build(&w, &no);
	if (ay_wr_end(&w, "refusal", &body, NULL) == AY_OK)
		ay_ipc_send(c->engine, AY_MSG_OUTGOING_FAILED, 0, req, body);
}

static void fail(struct request *r, const char *code, const char *text)
{
	say_failed(r->c, r->req, code, text);
	drop(r);
}

static void answer(struct request *r)
{
	const struct ay_ipc_msg m = { .type = AY_MSG_OUTGOING_ANSWER, .req = r->req };
	size_t n = ay_outgoing_answer_size(&r->answer);
	uint8_t *p = ay_ipc_reserve(r->c->engine, &m, n);
	struct ay_writer w;

	if (p != NULL) {
		ay_wr_init(&w, p, n);
		ay_outgoing_answer_build(&w, &r->answer);
	}
	drop(r);
}

/* ---- what libcurl tells ---- */

static bool is_wanted(const struct request *r, struct ay_bytes name)
{
	struct ay_bytes w = r->ask.want;

	while (w.n > 0) {
		const uint8_t *comma = memchr(w.p, ',', w.n);
		size_t n = comma == NULL ? w.n : (size_t)(comma - w.p);

		if (ay_bytes_eq((struct ay_bytes){ w.p, n }, name))
			return true;
		n += comma != NULL;
		w = (struct ay_bytes){ w.p + n, w.n - n };
	}
	return false;
}

static struct ay_bytes trimmed(struct ay_bytes b)
{
	while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
		b = (struct ay_bytes){ b.p + 1, b.n - 1 };
	while (b.n > 0 && strchr(" \t\r\n", b.p[b.n - 1]) != NULL)
		b.n--;
	return b;
}

/* name and value are in r->head; octets that engine would refuse become '?'. */
static void keep_header(struct request *r, uint8_t *line, size_t n, size_t colon)
{
	struct ay_outgoing_header h = { { line, colon }, { NULL, 0 } };

	for (size_t i = 0; i < n; i++) {
		if (i < colon && line[i] >= 'A' && line[i] <= 'Z')
			line[i] = (uint8_t)(line[i] + 32);
		if (i > colon && (line[i] < ' ' || line[i] > '~') &&
		    strchr("\t\r\n", line[i]) == NULL)
			line[i] = '?';
	}
	h.value = trimmed((struct ay_bytes){ line + colon + 1, n - colon - 1 });
	if (is_wanted(r, h.name) && h.value.n <= 8192 &&
	    r->answer.n_headers < AY_OUTGOING_HEADERS) {
		r->answer.header[r->answer.n_headers++] = h;
		r->head_n += n;
	}
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	const char *colon = memchr(line, ':', n);

	(void)size;
	r->head_seen += n;
	if (r->head_seen > HEAD_MAX) {
		r->too_long = true;
		return 0;
	}
	if (n > 5 && memcmp(line, "HTTP/", 5) == 0) {
		r->answer.n_headers = 0; /* those before were of an interim answer */
		return n;
	}
	if (r->head == NULL)
		r->head = malloc(HEAD_MAX);
	if (r->head == NULL)
		return 0;
	if (colon != NULL && colon - line <= 64) {
		memcpy(r->head + r->head_n, line, n);
		keep_header(r, r->head + r->head_n, n, (size_t)(colon - line));
	}
	return n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	size_t max = r->body_max ? r->body_max : 4096;
	uint8_t *more;

	(void)size;
	if (n > r->ask.max_answer - r->body_n) {
		r->too_long = true;
		return 0;
	}
	while (max < r->body_n + n)
		max *= 2;
	if (max != r->body_max) {
		more = realloc(r->body, max);
		if (more == NULL)
			return 0;
		r->body = more;
		r->body_max = max;
	}
	memcpy(r->body + r->body_n, p, n);
	r->body_n += n;
	return n;
}

static bool may_call(const struct ay_courier_http *c, const struct ay_url *url,
		     const struct sockaddr *a)
{
	if (AY_CHECKED("OUTGOING_HTTP", !url->is_https && !ay_netrange_is_loopback(a)))
		return false;
	return !AY_CHECKED("OUTGOING_ADDRESS", ay_netrange_is_inner(a)) ||
	       ay_netranges_have(&c->allowed, a);
}

static curl_socket_t on_socket_wanted(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct request *r = arg;

	(void)purpose;
	if (!may_call(r->c, &r->url, &a->addr)) {
		r->refused_address = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static const char *code_of(const struct request *r, CURLcode rc)
{
	if (r->refused_address)
		return "OUTGOING_ADDRESS";
	if (r->too_long)
		return "OUTGOING_LIMIT";
	switch ((int)rc) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return "OUTGOING_CONNECT";
	case CURLE_OPERATION_TIMEDOUT:
		return "OUTGOING_TIMEOUT";
	case CURLE_SSL_CACERT_BADFILE:
		return "OUTGOING_ROOTS";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return "OUTGOING_TLS";
	default:
		return "OUTGOING_HTTP";
	}
}

static void ended(struct request *r, CURLcode rc)
{
	long status = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (rc == CURLE_OK && status >= 100 && status <= 599) {
		r->answer.status = (uint16_t)status;
		r->answer.body = (struct ay_bytes){ r->body, r->body_n };
		answer(r);
		return;
	}
	fail(r, code_of(r, rc),
	     r->refused_address ? "the address is one that is not called (outgoing_allow)"
	     : r->too_long	? "the answer is longer than is taken"
	     : r->error[0]	? r->error
				: curl_easy_strerror(rc));
}

static void look(struct ay_courier_http *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		CURLcode rc = m->data.result;
		char *p = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
		ended((struct request *)(void *)p, rc);
	}
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct ay_courier_http *c = arg;
	int how = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int n;

	curl_multi_socket_action(c->multi, fd, how, &n);
	look(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct ay_courier_http *c = arg;
	int n;

	(void)fd, (void)what;
	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &n);
	look(c);
}

static int on_timer_wanted(CURLM *multi, long ms, void *arg)
{
	struct ay_courier_http *c = arg;
	struct timeval t = { ms / 1000, (ms % 1000) * 1000 };

	(void)multi;
	if (ms < 0)
		event_del(c->timer);
	else
		event_add(c->timer, &t);
	return 0;
}

static int on_watch_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct ay_courier_http *c = arg;
	struct event *ev = of_socket;
	short how = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
			    (what & CURL_POLL_OUT ? EV_WRITE : 0));

	(void)easy;
	if (ev != NULL)
		event_free(ev);
	ev = what == CURL_POLL_REMOVE ? NULL
				      : event_new(ay_loop_base(c->loop), fd, how, on_ready, c);
	if (ev != NULL)
		event_add(ev, NULL);
	curl_multi_assign(c->multi, fd, ev);
	return 0;
}

/* ---- a request on its way ---- */

static bool add_header(struct request *r, const char *text)
{
	struct curl_slist *more = curl_slist_append(r->headers, text);

	if (more != NULL)
		r->headers = more;
	return more != NULL;
}

/* libcurl's own additions are taken away, so that what is sent is what was asked for. */
static bool set_headers(struct request *r)
{
	char *line = malloc(16384);
	bool ok = line != NULL && add_header(r, "Expect:"), has_type = false;

	for (size_t i = 0; ok && i < r->ask.n_headers; i++) {
		struct ay_outgoing_header h = r->ask.header[i];

		has_type |= h.name.n == 12 &&
			    strncasecmp((const char *)h.name.p, "content-type", 12) == 0;
		snprintf(line, 16384, h.value.n ? "%.*s: %.*s" : "%.*s;", (int)h.name.n,
			 (const char *)h.name.p, (int)h.value.n, (const char *)h.value.p);
		ok = add_header(r, line);
	}
	if (ok && !has_type)
		ok = add_header(r, "Content-Type:");
	free(line);
	return ok && curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers) == CURLE_OK;
}

static bool set_method(struct request *r)
{
	CURLcode rc = CURLE_OK;

	if (r->ask.method != AY_OUTGOING_GET || r->ask.body.n > 0) {
		rc = curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				      (curl_off_t)r->ask.body.n);
		if (rc == CURLE_OK)
			rc = curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS,
					      r->ask.body.n > 0 ? (const char *)r->ask.body.p : "");
		if (rc == CURLE_OK)
			rc = curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST,
					      ay_outgoing_method_name(r->ask.method));
	}
	return rc == CURLE_OK;
}

static bool set_trust(struct request *r)
{
	char pin[9 + 48] = "sha256//";
	struct curl_blob ca = { .data = (void *)(uintptr_t)r->ask.ca.p,
				.len = r->ask.ca.n,
				.flags = CURL_BLOB_COPY };
	CURLcode rc = curl_easy_setopt(r->easy, CURLOPT_CAPATH, NULL);

	if (rc == CURLE_OK)
		rc = r->ask.ca.n > 0 ? curl_easy_setopt(r->easy, CURLOPT_CAINFO_BLOB, &ca)
				     : curl_easy_setopt(r->easy, CURLOPT_CAINFO, r->c->roots);
	if (rc == CURLE_OK && r->ask.ca.n > 0)
		rc = curl_easy_setopt(r->easy, CURLOPT_CAINFO, NULL);
	if (rc == CURLE_OK && AY_CHECKED("OUTGOING_PIN", r->ask.has_pin)) {
		EVP_EncodeBlock((uint8_t *)pin + 8, r->ask.spki, 32);
		rc = curl_easy_setopt(r->easy, CURLOPT_PINNEDPUBLICKEY, pin);
	}
	return rc == CURLE_OK;
}

/* Options of every request. */
static bool set_common(struct request *r)
{
	static const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
		{ CURLOPT_DNS_CACHE_TIMEOUT, -1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS },
		{ CURLOPT_MAXAGE_CONN, 60 },
		{ CURLOPT_HTTP09_ALLOWED, 0 },
		{ CURLOPT_TCP_KEEPALIVE, 1 },
	};
	CURL *h = r->easy;
	bool ok = true;

	for (size_t i = 0; ok && i < AY_COUNT(numbers); i++)
		ok = curl_easy_setopt(h, numbers[i].option, numbers[i].value) == CURLE_OK;
	return ok && curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR,
				r->c->may_http ? "http,https" : "https") == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_USERAGENT, "assay/" AY_VERSION) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PRIVATE, r) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_ERRORBUFFER, r->error) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HEADERDATA, r) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_WRITEDATA, r) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_socket_wanted) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, r) == CURLE_OK;
}

static bool set_url(struct request *r)
{
	char *url = strndup((const char *)r->ask.url.p, r->ask.url.n);
	bool ok = url != NULL && curl_easy_setopt(r->easy, CURLOPT_URL, url) == CURLE_OK &&
		  curl_easy_setopt(r->easy, CURLOPT_RESOLVE, r->resolve) == CURLE_OK;

	free(url);
	return ok;
}

static void launch(struct request *r)
{
	r->easy = curl_easy_init();
	if (r->easy == NULL || !set_common(r) || !set_url(r) || !set_trust(r) || !set_method(r) ||
	    !set_headers(r)) {
		fail(r, "OUTGOING_HTTP", "the request cannot be set up");
		return;
	}
	if (curl_multi_add_handle(r->c->multi, r->easy) != CURLM_OK)
		fail(r, "OUTGOING_HTTP", "the request cannot be started");
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
static size_t take_addresses(struct request *r)
{
	char line[AY_URL_HOST_MAX + 16 + ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)];
	int head = snprintf(line, sizeof(line), "%s:%u:", r->url.host, r->url.port);
	size_t n = 0, at = (size_t)head;

	for (struct evutil_addrinfo *i = r->found; i != NULL && n < ADDRESSES_MAX; i = i->ai_next) {
		if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
			continue;
		if (!may_call(r->c, &r->url, i->ai_addr)) {
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

static void go_on(struct request *r)
{
	if (r->is_dead) {
		request_free(r);
		return;
	}
	if (r->dns_fault != 0) {
		fail(r, "OUTGOING_DNS", evutil_gai_strerror(r->dns_fault));
		return;
	}
	if (take_addresses(r) == 0) {
		fail(r, r->refused_address ? "OUTGOING_ADDRESS" : "OUTGOING_DNS",
		     r->refused_address ? "the address is one that is not called (outgoing_allow)"
					: "the name has no address");
		return;
	}
	r->refused_address = false;
	launch(r);
}

static void on_resolved(int fault, struct evutil_addrinfo *found, void *arg)
{
	struct request *r = arg;

	r->dns = NULL;
	r->dns_fault = fault;
	r->found = found;
	r->is_resolved = true;
	if (!r->is_asking) /* else resolve() goes on by itself */
		go_on(r);
}

static void resolve(struct request *r)
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
		fail(r, "OUTGOING_DNS", "no name server is known");
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

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	fail(arg, "OUTGOING_TIMEOUT", "no whole answer in time");
}

/* ---- what engine asks ---- */

static struct request *request_new(struct ay_courier_http *c, const struct ay_ipc_msg *m)
{
	struct request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->c = c;
	r->req = m->req;
	r->copy = malloc(m->body.n + 1);
	r->deadline = event_new(ay_loop_base(c->loop), -1, 0, on_deadline, r);
	r->next = c->requests;
	c->requests = r;
	c->n_requests++;
	if (r->copy == NULL || r->deadline == NULL) {
		request_free(r);
		return NULL;
	}
	memcpy(r->copy, m->body.p, m->body.n);
	return r;
}

static void begin(struct ay_courier_http *c, const struct ay_ipc_msg *m)
{
	struct request *r;
	struct ay_err e = { 0 };
	struct timeval t;

	r = c->n_requests < AY_MAX_OUTGOING_OPEN ? request_new(c, m) : NULL;
	if (r == NULL) {
		say_failed(c, m->req, "OUTGOING_BUSY", "too many requests are under way");
		return;
	}
	if (ay_outgoing_parse((struct ay_bytes){ r->copy, m->body.n }, &r->ask, &e) != AY_OK ||
	    ay_url_parse(r->ask.url, &r->url, &e) != AY_OK) {
		fail(r, "OUTGOING_INPUT", e.text);
		return;
	}
	if (!r->url.is_https && !c->may_http) {
		fail(r, "OUTGOING_SCHEME", "only https is called");
		return;
	}
	t = (struct timeval){ r->ask.deadline_ms / 1000, (r->ask.deadline_ms % 1000) * 1000 };
	event_add(r->deadline, &t);
	resolve(r);
}

void ay_courier_http_message(struct ay_courier_http *c, const struct ay_ipc_msg *m)
{
	if (m->type == AY_MSG_OUTGOING)
		begin(c, m);
	else
		for (struct request *r = c->requests; r != NULL; r = r->next)
			if (r->req == m->req && !r->is_dead) {
				drop(r);
				return;
			}
}

/* ---- set up ---- */

static enum ay_rc read_settings(struct ay_courier_http *c, const struct ay_config *config,
				struct ay_err *e)
{
	char word[64];
	enum ay_rc rc = AY_OK;

	c->roots = ay_config_str(config, "outgoing_roots");
	c->may_http = ay_config_bool(config, "outgoing_http");
	for (size_t i = 0;
	     rc == AY_OK && ay_config_word(config, "outgoing_allow", i, word, sizeof(word)); i++)
		rc = c->allowed.n == AY_NETRANGES_MAX
			     ? ay_fail(e, AY_E_LIMIT, "outgoing_allow", 0, "more than %d ranges",
				       AY_NETRANGES_MAX)
			     : ay_netrange_parse(word, &c->allowed.range[c->allowed.n++], e);
	return rc;
}

/* OpenSSL and libcurl read files and load things at their first use, which is forbidden later. */
static enum ay_rc warm_up(struct ay_err *e)
{
	SSL_CTX *ctx;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ay_fail(e, AY_E_UNAVAIL, "courier", 0, "libcurl cannot start");
	ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_free(ctx);
	return AY_OK;
}

static enum ay_rc set_up(struct ay_courier_http *c, const struct ay_config *config,
			 struct ay_err *e)
{
	enum ay_rc rc = read_settings(c, config, e);

	if (rc == AY_OK)
		rc = warm_up(e);
	if (rc != AY_OK)
		return rc;
	(void)evutil_secure_rng_init();
	c->dns = evdns_base_new(ay_loop_base(c->loop), EVDNS_BASE_INITIALIZE_NAMESERVERS |
							       EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (c->dns == NULL)
		ay_log(AY_LOG_WARN, "no name servers: addresses alone can be called");
	c->timer = event_new(ay_loop_base(c->loop), -1, 0, on_timer, c);
	c->multi = curl_multi_init();
	if (c->timer == NULL || c->multi == NULL ||
	    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_watch_wanted) != CURLM_OK ||
	    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) != CURLM_OK ||
	    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) != CURLM_OK ||
	    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) != CURLM_OK ||
	    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) != CURLM_OK)
		return ay_fail(e, AY_E_NOMEM, "courier", 0, "out of memory");
	return AY_OK;
}

enum ay_rc ay_courier_http_new(struct ay_loop *loop, const struct ay_config *config,
			       struct ay_courier_http **out, struct ay_err *e)
{
	struct ay_courier_http *c = calloc(1, sizeof(*c));
	enum ay_rc rc;

	*out = NULL;
	if (c == NULL)
		return ay_fail(e, AY_E_NOMEM, "courier", 0, "out of memory");
	c->loop = loop;
	rc = set_up(c, config, e);
	if (rc != AY_OK)
		ay_courier_http_free(c);
	else
		*out = c;
	return rc;
}

void ay_courier_http_start(struct ay_courier_http *c, struct ay_ipc *engine)
{
	c->engine = engine;
}

void ay_courier_http_free(struct ay_courier_http *c)
{
	if (c == NULL)
		return;
	/* first, since it calls back for what it was asked */
	for (struct request *r = c->requests; r != NULL; r = r->next)
		r->is_dead = true;
	if (c->dns != NULL)
		evdns_base_free(c->dns, 1);
	while (c->requests != NULL)
		request_free(c->requests);
	if (c->multi != NULL)
		curl_multi_cleanup(c->multi);
	if (c->timer != NULL)
		event_free(c->timer);
	free(c);
}
