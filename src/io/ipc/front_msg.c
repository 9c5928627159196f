/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ipc/front_msg.h"

#include <assert.h>

enum { MAX_ADDR = 255 };

void ay_front_ready_build(struct ay_writer *w, const struct ay_front_ready *r)
{
	ay_wr_bytes(w, AY_BYTES(r->server_spki));
	ay_wr_vec8(w, r->agents);
	ay_wr_vec8(w, r->api);
}

enum ay_rc ay_front_ready_parse(struct ay_bytes in, struct ay_front_ready *out, struct ay_err *e)
{
	struct ay_front_ready v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_copy(&r, "ready.serverSpki", v.server_spki, sizeof(v.server_spki));
	v.agents = ay_rd_vec8(&r, "ready.agents", MAX_ADDR);
	v.api = ay_rd_vec8(&r, "ready.api", MAX_ADDR);
	rc = ay_rd_end(&r, "ready", e);
	*out = rc == AY_OK ? v : (struct ay_front_ready){ 0 };
	return rc;
}

void ay_conn_up_build(struct ay_writer *w, const struct ay_conn_up *u)
{
	ay_wr_bytes(w, AY_BYTES(u->exporter));
	ay_wr_bytes(w, AY_BYTES(u->spki));
	ay_wr_bytes(w, AY_BYTES(u->cert));
	ay_wr_u8(w, u->flags);
	ay_wr_be32(w, u->dial_id);
	ay_wr_vec8(w, u->peer);
}

enum ay_rc ay_conn_up_parse(struct ay_bytes in, struct ay_conn_up *out, struct ay_err *e)
{
	struct ay_conn_up v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_copy(&r, "up.exporter", v.exporter, sizeof(v.exporter));
	ay_rd_copy(&r, "up.spki", v.spki, sizeof(v.spki));
	ay_rd_copy(&r, "up.cert", v.cert, sizeof(v.cert));
	v.flags = ay_rd_u8(&r, "up.flags");
	v.dial_id = ay_rd_be32(&r, "up.dialId");
	v.peer = ay_rd_vec8(&r, "up.peer", MAX_ADDR);
	rc = ay_rd_end(&r, "up", e);
	*out = rc == AY_OK ? v : (struct ay_conn_up){ 0 };
	return rc;
}

void ay_dial_build(struct ay_writer *w, const struct ay_dial *d)
{
	ay_wr_u8(w, (uint8_t)((d->first_contact ? 1 : 0) | (d->pinned ? 2 : 0)));
	ay_wr_bytes(w, AY_BYTES(d->agent_spki));
	ay_wr_vec8(w, d->addr);
}

enum ay_rc ay_dial_parse(struct ay_bytes in, struct ay_dial *out, struct ay_err *e)
{
	struct ay_dial v = { 0 };
	struct ay_reader r;
	uint8_t flags;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	flags = ay_rd_u8(&r, "dial.flags");
	v.first_contact = (flags & 1) != 0;
	v.pinned = (flags & 2) != 0;
	ay_rd_copy(&r, "dial.agentSpki", v.agent_spki, sizeof(v.agent_spki));
	v.addr = ay_rd_vec8(&r, "dial.addr", MAX_ADDR);
	rc = ay_rd_end(&r, "dial", e);
	*out = rc == AY_OK ? v : (struct ay_dial){ 0 };
	return rc;
}

static void build_headers(struct ay_writer *w, const struct ay_api_header *h, size_t n)
{
	assert(n <= AY_API_MAX_HEADERS);
	ay_wr_u8(w, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		ay_wr_vec8(w, h[i].name);
		ay_wr_vec16(w, h[i].value);
	}
}

static size_t parse_headers(struct ay_reader *r, struct ay_api_header *h)
{
	size_t n = ay_rd_u8(r, "api.headers");

	if (n > AY_API_MAX_HEADERS) {
		ay_rd_limit(r, "api.headers", n, AY_API_MAX_HEADERS);
		return 0;
	}
	for (size_t i = 0; i < n && ay_rd_ok(r); i++) {
		h[i].name = ay_rd_vec8(r, "api.header.name", 64);
		h[i].value = ay_rd_vec16(r, "api.header.value", AY_API_MAX_HEADER);
	}
	return n;
}

void ay_api_request_build(struct ay_writer *w, const struct ay_api_request *r)
{
	ay_wr_u8(w, (uint8_t)r->method);
	ay_wr_vec16(w, r->path);
	ay_wr_vec16(w, r->query);
	ay_wr_vec8(w, r->peer);
	ay_wr_u8(w, r->has_cert);
	ay_wr_bytes(w, AY_BYTES(r->cert_spki));
	ay_wr_vec16(w, r->cert);
	ay_wr_u8(w, (uint8_t)r->listener);
	build_headers(w, r->header, r->n_headers);
	ay_wr_bytes(w, r->body);
}

enum ay_rc ay_api_request_parse(struct ay_bytes in, struct ay_api_request *out, struct ay_err *e)
{
	struct ay_api_request v = { 0 };
	struct ay_reader r;
	uint8_t method, listener;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	method = ay_rd_u8(&r, "api.method");
	if (method < AY_HTTP_GET || method > AY_HTTP_OPTIONS)
		ay_rd_reject(&r, "api.method", "unknown method %u", method);
	v.method = (enum ay_http_method)method;
	v.path = ay_rd_vec16(&r, "api.path", AY_API_MAX_TARGET);
	v.query = ay_rd_vec16(&r, "api.query", AY_API_MAX_TARGET);
	v.peer = ay_rd_vec8(&r, "api.peer", MAX_ADDR);
	v.has_cert = ay_rd_u8(&r, "api.hasCert");
	ay_rd_copy(&r, "api.certSpki", v.cert_spki, sizeof(v.cert_spki));
	v.cert = ay_rd_vec16(&r, "api.cert", AY_MAX_CERT_BYTES);
	listener = ay_rd_u8(&r, "api.listener");
	if (listener >= AY_LISTENERS)
		ay_rd_reject(&r, "api.listener", "unknown listener %u", listener);
	v.listener = (enum ay_listener)listener;
	v.n_headers = parse_headers(&r, v.header);
	v.body = ay_rd_rest(&r, "api.body");
	rc = ay_rd_end(&r, "api", e);
	if (rc == AY_OK)
		*out = v;
	else
		*out = (struct ay_api_request){ 0 };
	return rc;
}

struct ay_bytes ay_api_request_header(const struct ay_api_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (ay_bytes_eq(r->header[i].name, ay_bytes_of(name)))
			return r->header[i].value;
	return (struct ay_bytes){ NULL, 0 };
}

const char *ay_listener_name(enum ay_listener l)
{
	static const char *const names[] = {
		"api",
#define X(id, name, doc) #name,
#include "io/ipc/listeners.def"
#undef X
	};

	return (size_t)l < AY_COUNT(names) ? names[l] : NULL;
}

const char *ay_http_method_name(enum ay_http_method m)
{
	static const char *const names[] = {
		[AY_HTTP_GET] = "GET",	      [AY_HTTP_HEAD] = "HEAD",
		[AY_HTTP_POST] = "POST",      [AY_HTTP_PUT] = "PUT",
		[AY_HTTP_PATCH] = "PATCH",    [AY_HTTP_DELETE] = "DELETE",
		[AY_HTTP_OPTIONS] = "OPTIONS"
	};

	return m >= AY_HTTP_GET && m <= AY_HTTP_OPTIONS ? names[m] : "?";
}

void ay_api_reply_build(struct ay_writer *w, const struct ay_api_reply *r)
{
	ay_wr_be16(w, r->status);
	build_headers(w, r->header, r->n_headers);
	ay_wr_bytes(w, r->body);
}

enum ay_rc ay_api_reply_parse(struct ay_bytes in, struct ay_api_reply *out, struct ay_err *e)
{
	struct ay_api_reply v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	v.status = ay_rd_be16(&r, "reply.status");
	v.n_headers = parse_headers(&r, v.header);
	v.body = ay_rd_rest(&r, "reply.body");
	rc = ay_rd_end(&r, "reply", e);
	if (rc == AY_OK)
		*out = v;
	else
		*out = (struct ay_api_reply){ 0 };
	return rc;
}

static size_t headers_size(const struct ay_api_header *h, size_t n)
{
	size_t sum = 1;

	for (size_t i = 0; i < n; i++)
		sum += 3 + h[i].name.n + h[i].value.n;
	return sum;
}

size_t ay_api_reply_size(const struct ay_api_reply *r)
{
	return 2 + headers_size(r->header, r->n_headers) + r->body.n;
}

size_t ay_api_request_size(const struct ay_api_request *r)
{
	return 1 + 2 + r->path.n + 2 + r->query.n + 1 + r->peer.n + 1 + sizeof(r->cert_spki) + 2 +
	       r->cert.n + 1 + headers_size(r->header, r->n_headers) + r->body.n;
}

void ay_api_cast_build(struct ay_writer *w, const uint32_t *req, size_t n, struct ay_bytes text)
{
	ay_wr_be16(w, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		ay_wr_be32(w, req[i]);
	ay_wr_bytes(w, text);
}

size_t ay_api_cast_size(size_t n, struct ay_bytes text)
{
	return 2 + 4 * n + text.n;
}

enum ay_rc ay_api_cast_parse(struct ay_bytes in, struct ay_api_cast *out, struct ay_err *e)
{
	struct ay_reader r;
	enum ay_rc rc;
	size_t n;

	out->n = 0;
	ay_rd_init(&r, in);
	n = ay_rd_be16(&r, "cast.count");
	if (n > AY_COUNT(out->req))
		ay_rd_reject(&r, "cast.count", "more than %zu streams", AY_COUNT(out->req));
	for (size_t i = 0; i < n && ay_rd_ok(&r); i++)
		out->req[i] = ay_rd_be32(&r, "cast.req");
	out->text = ay_rd_rest(&r, "cast.text");
	rc = ay_rd_end(&r, "cast", e);
	if (rc == AY_OK)
		out->n = n;
	else
		out->text = (struct ay_bytes){ NULL, 0 };
	return rc;
}
