/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/httpd.h"

#include "io/net/httpd_impl.h"
#include "io/net/tls_verify.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum {
	MAX_BACKLOG = 1 << 18, /* octets of casts a reader may be behind */
	TELL_DRAINED = 8192,   /* octets worth to be told */
	JOIN_MAX = 4096,       /* octets copied together, so that they are one TLS record */
	SLOT_BITS = 20,	       /* an id is a slot and a generation */
};

/* ---- ids of requests under way ---- */

static struct ay_httpd_pending *find(struct ay_httpd *h, uint32_t id)
{
	uint32_t slot = id & ((1u << SLOT_BITS) - 1);
	struct ay_httpd_pending *p = slot < h->n_slots ? &h->pending[slot] : NULL;

	return p != NULL && p->req != NULL && p->id == id ? p : NULL;
}

static struct ay_httpd_pending *take_slot(struct ay_httpd *h, struct evhttp_request *req)
{
	struct ay_httpd_pending *p;

	if (h->n_free == 0)
		return NULL;
	p = &h->pending[h->free_slot[--h->n_free]];
	p->id += 1u << SLOT_BITS; /* the next generation of this slot */
	p->h = h;
	p->req = req;
	p->is_stream = false;
	p->is_cut = false;
	p->cast = 0;
	return p;
}

static void give_slot(struct ay_httpd_pending *p)
{
	struct ay_httpd *h = p->h;

	h->n_streams -= p->is_stream;
	p->req = NULL;
	h->free_slot[h->n_free++] = p->id & ((1u << SLOT_BITS) - 1);
}

/* ---- from evhttp's request to ours ---- */

static enum ay_http_method method_of(struct evhttp_request *req)
{
	static const struct {
		enum evhttp_cmd_type theirs;
		enum ay_http_method ours;
	} map[] = {
		{ EVHTTP_REQ_GET, AY_HTTP_GET },     { EVHTTP_REQ_HEAD, AY_HTTP_HEAD },
		{ EVHTTP_REQ_POST, AY_HTTP_POST },   { EVHTTP_REQ_PUT, AY_HTTP_PUT },
		{ EVHTTP_REQ_PATCH, AY_HTTP_PATCH }, { EVHTTP_REQ_DELETE, AY_HTTP_DELETE },
	};

	for (size_t i = 0; i < AY_COUNT(map); i++)
		if (map[i].theirs == evhttp_request_get_command(req))
			return map[i].ours;
	return AY_HTTP_OPTIONS; /* the last that is let in */
}

static struct ay_bytes view(const char *s)
{
	return s == NULL ? (struct ay_bytes){ NULL, 0 } : ay_bytes_of(s);
}

static void take_headers(struct evhttp_request *req, struct ay_api_request *r)
{
	static const char *const passed[] = { AY_API_HEADERS };
	struct evkeyvalq *in = evhttp_request_get_input_headers(req);

	static_assert(AY_COUNT(passed) <= AY_API_MAX_HEADERS, "room for each");
	for (size_t i = 0; i < AY_COUNT(passed); i++) {
		const char *v = evhttp_find_header(in, passed[i]);

		if (v != NULL)
			r->header[r->n_headers++] =
				(struct ay_api_header){ view(passed[i]), view(v) };
	}
}

static SSL *ssl_of(struct evhttp_request *req)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);

	return bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(c));
}

static void take_peer(struct evhttp_request *req, char *room, size_t n, struct ay_api_request *r)
{
	char *host = NULL;
	uint16_t port = 0;
	X509 *cert = SSL_get0_peer_certificate(ssl_of(req));

	evhttp_connection_get_peer(evhttp_request_get_connection(req), &host, &port);
	snprintf(room, n, host != NULL && strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u",
		 host != NULL ? host : "?", port);
	r->peer = ay_bytes_of(room);
	r->has_cert = cert != NULL && ay_tls_spki_hash(cert, r->cert_spki);
}

/* NULL without a certificate, or for one that is too large to be passed on. */
static uint8_t *take_cert(struct evhttp_request *req, struct ay_api_request *r)
{
	X509 *cert = SSL_get0_peer_certificate(ssl_of(req));
	uint8_t *der = NULL;
	int n = cert == NULL ? 0 : i2d_X509(cert, &der);

	if (n > 0 && n <= AY_MAX_CERT_BYTES)
		r->cert = (struct ay_bytes){ der, (size_t)n };
	return der;
}

static void pass_on(struct ay_httpd_door *d, struct ay_httpd_pending *p)
{
	struct ay_httpd *h = d->h;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(p->req);
	struct evbuffer *in = evhttp_request_get_input_buffer(p->req);
	struct ay_api_request r = { .method = method_of(p->req), .listener = d->listener };
	uint8_t *der;
	char peer[80];

	r.path = view(evhttp_uri_get_path(uri));
	r.query = view(evhttp_uri_get_query(uri));
	r.body.n = evbuffer_get_length(in);
	r.body.p = r.body.n > 0 ? evbuffer_pullup(in, -1) : NULL;
	take_headers(p->req, &r);
	take_peer(p->req, peer, sizeof(peer), &r);
	der = take_cert(p->req, &r);
	if (r.body.n > 0 && r.body.p == NULL)
		ay_httpd_problem(h, p->id, 503, "NOMEM", "out of memory");
	else
		h->a.request(h->a.arg, p->id, &r);
	OPENSSL_free(der);
}

/* ---- the life of a request ---- */

static void on_sent(struct evhttp_request *req, void *arg)
{
	struct ay_httpd *h = arg;

	ay_httpd_guard_done(h, ssl_of(req));
}

/* The connection broke while we owed an answer; evhttp leaves the request to us. */
static void on_close(struct evhttp_connection *conn, void *arg)
{
	struct ay_httpd_pending *p = arg;
	struct evhttp_request *req = p->req;
	struct ay_httpd *h = p->h;
	uint32_t id = p->id;

	(void)conn;
	give_slot(p);
	if (evhttp_request_get_connection(req) == NULL)
		evhttp_request_free(req);
	h->a.gone(h->a.arg, id);
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct ay_httpd_door *d = arg;
	struct ay_httpd *h = d->h;
	struct ay_httpd_pending *p = take_slot(h, req);
	struct ay_httpd_wrong w;

	h->counts.requests++;
	ay_httpd_guard_busy(h, ssl_of(req));
	evhttp_request_set_on_complete_cb(req, on_sent, h);
	if (p == NULL) { /* cannot be: there are as many slots as connections */
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_close, p);
	w = ay_httpd_judge(req);
	if (w.text == NULL) {
		pass_on(d, p);
		return;
	}
	h->counts.refused++;
	evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
	ay_httpd_problem(h, p->id, w.status, w.code, w.text);
}

/* ---- answers ---- */

static bool is_ours_to_set(struct ay_bytes name)
{
	static const char *const framing[] = { "content-length", "transfer-encoding", "connection",
					       "date" };

	for (size_t i = 0; i < AY_COUNT(framing); i++)
		if (name.n == strlen(framing[i]) &&
		    strncasecmp((const char *)name.p, framing[i], name.n) == 0)
			return true;
	return false;
}

static void add_header(struct evkeyvalq *out, struct ay_api_header a)
{
	char name[65], value[8193];

	if (a.name.n >= sizeof(name) || a.value.n >= sizeof(value) || is_ours_to_set(a.name))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)a.name.n, (const char *)a.name.p);
	snprintf(value, sizeof(value), "%.*s", (int)a.value.n, (const char *)a.value.p);
	evhttp_remove_header(out, name);
	if (ay_httpd_is_token(name))
		(void)evhttp_add_header(out, name, value); /* refuses line ends itself */
}

static void set_headers(struct ay_httpd *h, struct evhttp_request *req,
			const struct ay_api_reply *r)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);

	evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(out, "Cache-Control", "no-store");
	evhttp_add_header(out, "Strict-Transport-Security", "max-age=31536000");
	if (h->is_stopping) {
		evhttp_remove_header(out, "Connection");
		evhttp_add_header(out, "Connection", "close");
	}
	for (size_t i = 0; i < r->n_headers; i++)
		add_header(out, r->header[i]);
}

void ay_httpd_reply(struct ay_httpd *h, uint32_t id, const struct ay_api_reply *r)
{
	struct ay_httpd_pending *p = find(h, id);
	struct evhttp_request *req = p == NULL ? NULL : p->req;
	struct evbuffer *body;

	if (p == NULL || p->is_stream)
		return;
	body = evbuffer_new();
	if (body == NULL || evbuffer_add(body, r->body.p, r->body.n) != 0)
		abort(); /* out of memory: the parent starts us again */
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
	give_slot(p);
	set_headers(h, req, r);
	ay_httpd_guard_sending(h, ssl_of(req));
	evhttp_send_reply(req, r->status, NULL, body);
	evbuffer_free(body);
}

void ay_httpd_stream(struct ay_httpd *h, uint32_t id, const struct ay_api_reply *r)
{
	struct ay_httpd_pending *p = find(h, id);

	if (p == NULL || p->is_stream)
		return;
	p->is_stream = true;
	h->n_streams++;
	set_headers(h, p->req, r);
	evhttp_send_reply_start(p->req, r->status, NULL);
	if (h->is_stopping)
		ay_httpd_end(h, id);
}

/* A reader that does not keep up is cut: it comes back with Last-Event-ID. */
static bool keeps_up(struct ay_httpd_pending *p)
{
	struct evhttp_connection *c = evhttp_request_get_connection(p->req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(c);

	if (p->is_cut)
		return false;
	if (evbuffer_get_length(bufferevent_get_output(bev)) <= MAX_BACKLOG)
		return true;
	p->is_cut = true;
	p->h->counts.cut_slow++;
	shutdown(bufferevent_getfd(bev), SHUT_RDWR); /* evhttp sees the end and cleans up */
	return false;
}

static void send_part(struct ay_httpd_pending *p, struct ay_bytes part,
		      void (*cb)(struct evhttp_connection *, void *))
{
	struct evbuffer *b = evbuffer_new();

	if (b == NULL || evbuffer_add(b, part.p, part.n) != 0)
		abort();
	evhttp_send_reply_chunk_with_cb(p->req, b, cb, p);
	evbuffer_free(b);
}

void ay_httpd_chunk(struct ay_httpd *h, uint32_t id, struct ay_bytes part)
{
	struct ay_httpd_pending *p = find(h, id);

	if (p != NULL && p->is_stream && part.n > 0)
		send_part(p, part, NULL);
}

/* All that waited went to the socket. The slot may be another request's by now. */
static void on_drained(struct evhttp_connection *c, void *arg)
{
	struct ay_httpd_pending *p = arg;
	size_t n = p->cast;

	if (p->req == NULL || evhttp_request_get_connection(p->req) != c || n < TELL_DRAINED)
		return;
	p->cast = 0;
	if (p->h->a.drained != NULL)
		p->h->a.drained(p->h->a.arg, p->id, n);
}

/* libevent makes a record and a system call of each piece: length, part and line end are three. */
static void join(struct ay_httpd_pending *p)
{
	struct evhttp_connection *c = evhttp_request_get_connection(p->req);
	struct evbuffer *out = bufferevent_get_output(evhttp_connection_get_bufferevent(c));

	if (evbuffer_get_length(out) <= JOIN_MAX)
		evbuffer_pullup(out, -1);
}

void ay_httpd_cast(struct ay_httpd *h, const uint32_t *id, size_t n, struct ay_bytes part)
{
	for (size_t i = 0; part.n > 0 && i < n; i++) {
		struct ay_httpd_pending *p = find(h, id[i]);

		if (p == NULL || !p->is_stream || !keeps_up(p))
			continue;
		p->cast += part.n;
		send_part(p, part, on_drained);
		join(p);
	}
}

void ay_httpd_end(struct ay_httpd *h, uint32_t id)
{
	struct ay_httpd_pending *p = find(h, id);
	struct evhttp_request *req = p == NULL ? NULL : p->req;

	if (p == NULL || !p->is_stream)
		return;
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
	give_slot(p);
	ay_httpd_guard_sending(h, ssl_of(req));
	evhttp_send_reply_end(req);
}

void ay_httpd_problem(struct ay_httpd *h, uint32_t id, uint16_t status, const char *code,
		      const char *text)
{
	struct ay_api_reply r = { .status = status, .n_headers = 1 };
	char body[512];
	int n = snprintf(body, sizeof(body),
			 "{\"status\":%u,\"title\":\"%s\",\"error\":{\"code\":\"%s\","
			 "\"text\":\"%s\"}}\n",
			 status, text, code, text);

	r.header[0] = (struct ay_api_header){ ay_bytes_of("Content-Type"),
					      ay_bytes_of("application/problem+json") };
	r.body = (struct ay_bytes){ (const uint8_t *)body, (size_t)n };
	ay_httpd_reply(h, id, &r);
}

/* ---- set up and end ---- */

static enum ay_rc new_http(struct ay_httpd_door *d, int listen_fd, struct ay_err *e)
{
	const struct ay_httpd_args *a = &d->h->a;
	struct evconnlistener *l;

	d->http = evhttp_new(a->base);
	l = evconnlistener_new(a->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
			       0, listen_fd);
	if (d->http == NULL || l == NULL)
		return ay_fail(e, AY_E_NOMEM, "httpd", 0, "no memory");
	evhttp_set_bevcb(d->http, ay_httpd_guard_new, d);
	evhttp_set_max_headers_size(d->http, (ev_ssize_t)2 * AY_MAX_API_HEADERS);
	evhttp_set_max_body_size(d->http, (ev_ssize_t)a->max_body);
	evhttp_set_timeout(d->http, (int)(a->keep_alive_ms / 1000) + 60);
	evhttp_set_allowed_methods(d->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						    EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
						    EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
	evhttp_set_gencb(d->http, on_request, d);
	d->bound = evhttp_bind_listener(d->http, l);
	if (d->bound == NULL)
		return ay_fail(e, AY_E_NOMEM, "httpd", 0, "no listener");
	return AY_OK;
}

enum ay_rc ay_httpd_listen(struct ay_httpd *h, enum ay_listener l, int listen_fd,
			   struct ay_bytes cert_pem, struct ay_bytes key_pem, struct ay_err *e)
{
	struct ay_httpd_door *d = &h->door[h->n_doors];
	enum ay_rc rc;

	assert(h->n_doors < AY_COUNT(h->door));
	h->n_doors++;
	d->h = h;
	d->listener = l;
	rc = ay_httpd_guard_tls(d, cert_pem, key_pem, e);
	return rc == AY_OK ? new_http(d, listen_fd, e) : rc;
}

static enum ay_rc new_slots(struct ay_httpd *h, struct ay_err *e)
{
	h->n_slots = h->a.max_conns + 1;
	h->pending = calloc(h->n_slots, sizeof(*h->pending));
	h->free_slot = calloc(h->n_slots, sizeof(*h->free_slot));
	if (h->pending == NULL || h->free_slot == NULL)
		return ay_fail(e, AY_E_NOMEM, "httpd", 0, "no memory");
	for (uint32_t i = 0; i < h->n_slots; i++) {
		h->pending[i].id = i;
		h->free_slot[h->n_free++] = (uint32_t)h->n_slots - 1 - i;
	}
	return AY_OK;
}

enum ay_rc ay_httpd_new(const struct ay_httpd_args *a, struct ay_httpd **out, struct ay_err *e)
{
	struct ay_httpd *h = calloc(1, sizeof(*h));
	enum ay_rc rc;

	*out = NULL;
	if (h == NULL)
		return ay_fail(e, AY_E_NOMEM, "httpd", 0, "no memory");
	h->a = *a;
	rc = ay_httpd_guard_init(h, e);
	if (rc == AY_OK)
		rc = new_slots(h, e);
	if (rc == AY_OK)
		rc = ay_httpd_listen(h, AY_LISTENER_API, a->listen_fd, a->cert_pem, a->key_pem, e);
	if (rc != AY_OK) {
		ay_httpd_free(h);
		return rc;
	}
	*out = h;
	return AY_OK;
}

void ay_httpd_free(struct ay_httpd *h)
{
	if (h == NULL)
		return;
	h->is_stopping = true;
	for (size_t i = 0; i < h->n_doors; i++)
		if (h->door[i].http != NULL)
			evhttp_free(h->door[i].http);
	event_base_loop(h->a.base,
			EVLOOP_NONBLOCK); /* bufferevents are freed in a turn of the loop */
	for (size_t i = 0; i < h->n_doors; i++)
		SSL_CTX_free(h->door[i].tls);
	free(h->pending);
	free(h->free_slot);
	free(h);
}

void ay_httpd_stop(struct ay_httpd *h)
{
	if (h->is_stopping)
		return;
	h->is_stopping = true;
	for (size_t i = 0; i < h->n_doors; i++) {
		evhttp_del_accept_socket(h->door[i].http, h->door[i].bound);
		h->door[i].bound = NULL;
	}
	for (size_t i = 0; i < h->n_slots; i++)
		if (h->pending[i].req != NULL && h->pending[i].is_stream)
			ay_httpd_end(h, h->pending[i].id);
}

bool ay_httpd_is_idle(const struct ay_httpd *h)
{
	return h->counts.in_flight == 0;
}

void ay_httpd_count(const struct ay_httpd *h, struct ay_httpd_counts *out)
{
	*out = h->counts;
	out->streams = h->n_streams;
}
