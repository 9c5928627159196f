/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ipc/outgoing_msg.h"

#include "core/base/limits.h"
#include "io/net/url.h"

#include <assert.h>

#define VALUE_MAX 8192
#define WANT_MAX 256
#define CA_MAX (64 * 1024)
/* what is pinned */
#define HAS_KEY 1u
#define HAS_CERT 2u

const char *ay_outgoing_method_name(enum ay_outgoing_method m)
{
	static const char *const names[AY_OUTGOING_METHODS] = { "", "GET", "POST", "PUT",
								"DELETE" };

	assert(m < AY_OUTGOING_METHODS);
	return names[m];
}

static bool is_token(struct ay_bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		bool is_letter = (b.p[i] | 32) >= 'a' && (b.p[i] | 32) <= 'z';

		if (!is_letter && !(b.p[i] >= '0' && b.p[i] <= '9') && b.p[i] != '-' &&
		    b.p[i] != '_')
			return false;
	}
	return b.n > 0;
}

/* A line end in a value would be a header of its own. */
static bool is_printable(struct ay_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if ((b.p[i] < ' ' && b.p[i] != '\t') || b.p[i] > '~')
			return false;
	return true;
}

static void put_headers(struct ay_writer *w, const struct ay_outgoing_header *h, size_t n)
{
	assert(n <= AY_OUTGOING_HEADERS);
	ay_wr_u8(w, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		ay_wr_vec8(w, h[i].name);
		ay_wr_vec16(w, h[i].value);
	}
}

static size_t headers_size(const struct ay_outgoing_header *h, size_t n)
{
	size_t size = 1;

	for (size_t i = 0; i < n; i++)
		size += 3 + h[i].name.n + h[i].value.n;
	return size;
}

static size_t take_headers(struct ay_reader *r, struct ay_outgoing_header *h)
{
	size_t n = ay_rd_u8(r, "outgoing.headers");

	if (n > AY_OUTGOING_HEADERS) {
		ay_rd_limit(r, "outgoing.headers", n, AY_OUTGOING_HEADERS);
		return 0;
	}
	for (size_t i = 0; i < n && ay_rd_ok(r); i++) {
		h[i].name = ay_rd_vec8(r, "outgoing.header", 64);
		h[i].value = ay_rd_vec16(r, "outgoing.value", VALUE_MAX);
		if (ay_rd_ok(r) && (!is_token(h[i].name) || !is_printable(h[i].value)))
			ay_rd_reject(r, "outgoing.header", "not a header");
	}
	return n;
}

void ay_outgoing_build(struct ay_writer *w, const struct ay_outgoing *o)
{
	ay_wr_u8(w, (uint8_t)o->method);
	ay_wr_vec16(w, o->url);
	put_headers(w, o->header, o->n_headers);
	ay_wr_vec32(w, o->ca);
	ay_wr_u8(w, (uint8_t)o->trust);
	ay_wr_u8(w, (uint8_t)((o->has_pin ? HAS_KEY : 0) | (o->has_cert ? HAS_CERT : 0)));
	ay_wr_bytes(w, AY_BYTES(o->spki));
	ay_wr_bytes(w, AY_BYTES(o->cert));
	ay_wr_be32(w, o->deadline_ms);
	ay_wr_be32(w, o->max_answer);
	ay_wr_vec16(w, o->want);
	ay_wr_vec32(w, o->body);
}

size_t ay_outgoing_size(const struct ay_outgoing *o)
{
	return 1 + 2 + o->url.n + headers_size(o->header, o->n_headers) + 4 + o->ca.n + 2 + 64 + 8 +
	       2 + o->want.n + 4 + o->body.n;
}

/* A pin that nobody would look at is a mistake of whoever asked. */
static void check_trust(struct ay_reader *r, const struct ay_outgoing *v)
{
	bool pinned = v->has_pin || v->has_cert;

	if (v->trust >= AY_OUTGOING_TRUSTS)
		ay_rd_reject(r, "outgoing.trust", "unknown trust %u", v->trust);
	else if (v->trust == AY_OUTGOING_CHAIN && v->has_cert)
		ay_rd_reject(r, "outgoing.trust", "a chain and one certificate");
	else if (v->trust == AY_OUTGOING_PINNED && !pinned)
		ay_rd_reject(r, "outgoing.trust", "pinned, and no pin");
	else if (v->trust == AY_OUTGOING_FIRST && pinned)
		ay_rd_reject(r, "outgoing.trust", "a pin, and whoever answers");
}

static void check_outgoing(struct ay_reader *r, const struct ay_outgoing *v)
{
	struct ay_url url;
	struct ay_err e = { 0 };

	if (!ay_rd_ok(r))
		return;
	if (v->method == 0 || v->method >= AY_OUTGOING_METHODS)
		ay_rd_reject(r, "outgoing.method", "unknown method %u", v->method);
	else if (ay_url_parse(v->url, &url, &e) != AY_OK)
		ay_rd_reject(r, "outgoing.url", "%s", e.text);
	else if (v->deadline_ms == 0 || v->deadline_ms > AY_MAX_OUTGOING_MS)
		ay_rd_limit(r, "outgoing.deadline", v->deadline_ms, AY_MAX_OUTGOING_MS);
	else if (v->max_answer > AY_MAX_OUTGOING_ANSWER)
		ay_rd_limit(r, "outgoing.maxAnswer", v->max_answer, AY_MAX_OUTGOING_ANSWER);
	else
		check_trust(r, v);
}

enum ay_rc ay_outgoing_parse(struct ay_bytes in, struct ay_outgoing *out, struct ay_err *e)
{
	struct ay_outgoing v = { 0 };
	struct ay_reader r;
	uint8_t pin;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	v.method = (enum ay_outgoing_method)ay_rd_u8(&r, "outgoing.method");
	v.url = ay_rd_vec16(&r, "outgoing.url", AY_URL_MAX);
	v.n_headers = take_headers(&r, v.header);
	v.ca = ay_rd_vec32(&r, "outgoing.ca", CA_MAX);
	v.trust = (enum ay_outgoing_trust)ay_rd_u8(&r, "outgoing.trust");
	pin = ay_rd_u8(&r, "outgoing.pins");
	v.has_pin = (pin & HAS_KEY) != 0;
	v.has_cert = (pin & HAS_CERT) != 0;
	if (pin > (HAS_KEY | HAS_CERT))
		ay_rd_reject(&r, "outgoing.pins", "%u", pin);
	ay_rd_copy(&r, "outgoing.spki", v.spki, sizeof(v.spki));
	ay_rd_copy(&r, "outgoing.cert", v.cert, sizeof(v.cert));
	v.deadline_ms = ay_rd_be32(&r, "outgoing.deadline");
	v.max_answer = ay_rd_be32(&r, "outgoing.maxAnswer");
	v.want = ay_rd_vec16(&r, "outgoing.want", WANT_MAX);
	v.body = ay_rd_vec32(&r, "outgoing.body", AY_MAX_OUTGOING_BODY);
	check_outgoing(&r, &v);
	rc = ay_rd_end(&r, "outgoing", e);
	*out = rc == AY_OK ? v : (struct ay_outgoing){ 0 };
	return rc;
}

void ay_outgoing_answer_build(struct ay_writer *w, const struct ay_outgoing_answer *a)
{
	ay_wr_be16(w, a->status);
	put_headers(w, a->header, a->n_headers);
	ay_wr_bytes(w, AY_BYTES(a->spki));
	ay_wr_bytes(w, AY_BYTES(a->cert));
	ay_wr_vec32(w, a->body);
}

size_t ay_outgoing_answer_size(const struct ay_outgoing_answer *a)
{
	return 2 + headers_size(a->header, a->n_headers) + 64 + 4 + a->body.n;
}

enum ay_rc ay_outgoing_answer_parse(struct ay_bytes in, struct ay_outgoing_answer *out,
				    struct ay_err *e)
{
	struct ay_outgoing_answer v = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	v.status = ay_rd_be16(&r, "answer.status");
	if (v.status < 100 || v.status > 599)
		ay_rd_reject(&r, "answer.status", "%u", v.status);
	v.n_headers = take_headers(&r, v.header);
	ay_rd_copy(&r, "answer.spki", v.spki, sizeof(v.spki));
	ay_rd_copy(&r, "answer.cert", v.cert, sizeof(v.cert));
	v.body = ay_rd_vec32(&r, "answer.body", AY_MAX_OUTGOING_ANSWER);
	rc = ay_rd_end(&r, "answer", e);
	*out = rc == AY_OK ? v : (struct ay_outgoing_answer){ 0 };
	return rc;
}

struct ay_bytes ay_outgoing_answer_header(const struct ay_outgoing_answer *a, const char *name)
{
	for (size_t i = 0; i < a->n_headers; i++)
		if (ay_bytes_eq(a->header[i].name, ay_bytes_of(name)))
			return a->header[i].value;
	return (struct ay_bytes){ NULL, 0 };
}
