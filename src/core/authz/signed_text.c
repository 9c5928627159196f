/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/signed_text.h"

#include "core/base/reader.h"
#include "core/base/writer.h"

#include <strings.h>

static const char field_name[] = "authorization";

/* ---- name="value" ---- */

static bool is_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static bool is_value(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static struct ay_bytes run(struct ay_reader *r, bool (*fits)(uint8_t c))
{
	size_t from = ay_rd_offset(r);

	while (ay_rd_left(r) > 0 && fits(ay_rd_peek8(r)))
		(void)ay_rd_u8(r, field_name);
	return ay_rd_since(r, from);
}

static void octet(struct ay_reader *r, char want)
{
	if (ay_rd_u8(r, field_name) != (uint8_t)want)
		ay_rd_reject(r, field_name, "'%c' is missing", want);
}

static void keep(struct ay_reader *r, struct ay_bytes name, struct ay_bytes value,
		 const struct ay_st_param *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!ay_bytes_eq(name, ay_bytes_of(want[i].name)))
			continue;
		if (want[i].to->p != NULL)
			ay_rd_reject(r, field_name, "%s is given twice", want[i].name);
		*want[i].to = value;
		return;
	}
	ay_rd_reject(r, field_name, "what is not expected there");
}

static void one(struct ay_reader *r, const struct ay_st_param *want, size_t n)
{
	struct ay_bytes name = run(r, is_name), value;

	octet(r, '=');
	octet(r, '"');
	value = run(r, is_value);
	octet(r, '"');
	if (ay_rd_ok(r))
		keep(r, name, value, want, n);
}

/* Between two of them: a comma, blanks around it. */
static void between(struct ay_reader *r)
{
	octet(r, ',');
	while (ay_rd_peek8(r) == ' ')
		(void)ay_rd_u8(r, field_name);
}

enum ay_rc ay_st_params(struct ay_bytes text, const char *scheme, const struct ay_st_param *want,
			size_t n, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_err why = { 0 };

	ay_rd_init(&r, text);
	(void)ay_rd_bytes(&r, field_name, strlen(scheme));
	octet(&r, ' ');
	one(&r, want, n);
	while (ay_rd_left(&r) > 0) {
		between(&r);
		one(&r, want, n);
	}
	for (size_t i = 0; i < n; i++)
		if (want[i].to->p == NULL)
			ay_rd_reject(&r, field_name, "%s is missing", want[i].name);
	if (ay_rd_end(&r, field_name, &why) != AY_OK)
		return ay_fail_code(e, AY_E_DENIED, "AUTH_MALFORMED", field_name, "%s (offset %zu)",
				    why.text, why.offset);
	return AY_OK;
}

/* ---- names of headers ---- */

static bool is_listed(struct ay_bytes name, const struct ay_bytes *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].n == name.n &&
		    strncasecmp((const char *)list[i].p, (const char *)name.p, name.n) == 0)
			return true;
	return false;
}

size_t ay_st_names(struct ay_bytes list, struct ay_bytes *out, size_t max)
{
	struct ay_reader r;
	size_t n = 0;

	ay_rd_init(&r, list);
	for (;;) {
		struct ay_bytes name = run(&r, is_name);

		if (name.n == 0 || n == max || is_listed(name, out, n))
			return 0;
		out[n++] = name;
		if (ay_rd_left(&r) == 0)
			return n;
		if (ay_rd_u8(&r, field_name) != ',')
			return 0;
		if (ay_rd_peek8(&r) == ' ')
			(void)ay_rd_u8(&r, field_name);
	}
}

/* ---- the URL that was asked ---- */

static bool is_not_colon(uint8_t c)
{
	return c != ':';
}

static bool is_not_bracket(uint8_t c)
{
	return c != ']';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

struct host {
	struct ay_bytes name, whole, port;
	bool ok;
};

static struct host split(struct ay_bytes authority)
{
	struct host h = { 0 };
	struct ay_reader r;

	ay_rd_init(&r, authority);
	if (ay_rd_peek8(&r) == '[') {
		(void)ay_rd_u8(&r, field_name);
		h.name = run(&r, is_not_bracket);
		octet(&r, ']');
	} else {
		h.name = run(&r, is_not_colon);
	}
	h.whole = ay_rd_since(&r, 0);
	if (ay_rd_left(&r) > 0) {
		octet(&r, ':');
		h.port = run(&r, is_digit);
	}
	h.ok = ay_rd_ok(&r) && ay_rd_left(&r) == 0 && h.name.n > 0;
	return h;
}

struct ay_bytes ay_st_host_name(struct ay_bytes authority)
{
	struct host h = split(authority);

	return h.ok ? h.name : (struct ay_bytes){ NULL, 0 };
}

static void write_url(struct ay_writer *w, const struct ay_sr_asked *q, unsigned form)
{
	struct host h = split(q->authority);
	bool is_default = ay_bytes_eq(h.port, ay_bytes_of("443"));

	ay_wr_str(w, "https://");
	ay_wr_bytes(w, form == 1 && is_default ? h.whole : q->authority);
	if (form == 1 && h.port.n == 0)
		ay_wr_str(w, ":443");
	ay_wr_bytes(w, q->path);
	if (q->query.n > 0) {
		ay_wr_u8(w, '?');
		ay_wr_bytes(w, q->query);
	}
}

static size_t url_room(const struct ay_sr_asked *q)
{
	return sizeof("https://:443?") + q->authority.n + q->path.n + q->query.n;
}

static struct ay_bytes written(const struct ay_writer *w)
{
	struct ay_bytes out = { NULL, 0 };

	return ay_wr_end(w, field_name, &out, NULL) == AY_OK ? out : (struct ay_bytes){ NULL, 0 };
}

static bool begin(struct ay_writer *w, struct ay_arena *a, size_t room)
{
	uint8_t *p = ay_arena_alloc(a, room);

	if (p != NULL)
		ay_wr_init(w, p, room);
	return p != NULL;
}

struct ay_bytes ay_st_url(const struct ay_sr_asked *q, unsigned form, struct ay_arena *a)
{
	struct ay_writer w;

	if (!begin(&w, a, url_room(q)))
		return (struct ay_bytes){ NULL, 0 };
	write_url(&w, q, form);
	return written(&w);
}

/* ---- signed texts ---- */

static void line(struct ay_writer *w, struct ay_bytes name, struct ay_bytes value)
{
	ay_wr_bytes(w, name);
	ay_wr_str(w, ": ");
	ay_wr_bytes(w, value);
	ay_wr_u8(w, '\n');
}

static void request_line(struct ay_writer *w, const struct ay_sr_asked *q, unsigned form)
{
	ay_wr_str(w, "Request: ");
	ay_wr_str(w, q->method);
	ay_wr_u8(w, ' ');
	write_url(w, q, form);
	ay_wr_u8(w, '\n');
}

static void end_with_body(struct ay_writer *w, const struct ay_sr_asked *q)
{
	ay_wr_u8(w, '\n');
	ay_wr_bytes(w, q->body);
}

enum { WORDS = 256 }; /* more than all fixed words of a text */

struct ay_bytes ay_st_x509_text(const struct ay_sr_x509 *s, const struct ay_sr_asked *q,
				const struct ay_sr_field *field, unsigned form, struct ay_arena *a)
{
	size_t room = WORDS + url_room(q) + s->realm.n + s->fingerprint_text.n + s->algorithm.n +
		      q->body.n;
	struct ay_writer w;

	for (size_t i = 0; i < s->n_headers; i++)
		room += field[i].name.n + field[i].value.n + 3;
	if (!begin(&w, a, room))
		return (struct ay_bytes){ NULL, 0 };
	request_line(&w, q, form);
	line(&w, ay_bytes_of("Realm"), s->realm);
	line(&w, ay_bytes_of("From"), s->fingerprint_text);
	line(&w, ay_bytes_of("Signature-Algorithm"), s->algorithm);
	for (size_t i = 0; i < s->n_headers; i++)
		line(&w, field[i].name, field[i].value);
	end_with_body(&w, q);
	return written(&w);
}

/* The URL stands as the client wrote it: same_url() holds it against the one that was asked. */
struct ay_bytes ay_st_hmac_text(const struct ay_sr_hmac *s, const struct ay_sr_asked *q,
				struct ay_arena *a)
{
	size_t room = WORDS + s->method.n + s->uri.n + s->user_text.n + s->timestamp.n +
		      s->nonce.n + s->algorithm.n + q->body.n;
	struct ay_writer w;

	if (!begin(&w, a, room))
		return (struct ay_bytes){ NULL, 0 };
	ay_wr_str(&w, "Request: ");
	ay_wr_bytes(&w, s->method);
	ay_wr_u8(&w, ' ');
	ay_wr_bytes(&w, s->uri);
	ay_wr_u8(&w, '\n');
	line(&w, ay_bytes_of("From"), s->user_text);
	line(&w, ay_bytes_of("Timestamp"), s->timestamp);
	line(&w, ay_bytes_of("Nonce"), s->nonce);
	line(&w, ay_bytes_of("Signature-Method"), s->algorithm);
	end_with_body(&w, q);
	return written(&w);
}
