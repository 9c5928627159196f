/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sse.h"

#include <string.h>

enum { ID_DIGITS = 18 };

void ay_sse_reset(struct ay_sse *s)
{
	uint64_t id = s->id;

	*s = (struct ay_sse){ .id = id, .id_now = id };
}

static bool is_field(struct ay_bytes name, const char *text)
{
	return ay_bytes_eq(name, ay_bytes_of(text));
}

/* Ours are decimal; what is none leaves the id as it is, as one with a NUL does [HTML 9.2.6]. */
static void take_id(struct ay_sse *s, struct ay_bytes v)
{
	uint64_t id = 0;

	if (v.n == 0 || v.n > ID_DIGITS)
		return;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return;
		id = id * 10 + (uint64_t)(v.p[i] - '0');
	}
	s->id_now = id;
}

/* A name that does not fit or is no plain text is none that anybody asked for. */
static void take_type(struct ay_sse *s, struct ay_bytes v)
{
	static const char other[] = "?";

	memset(s->type, 0, sizeof(s->type));
	if (v.n >= sizeof(s->type)) {
		memcpy(s->type, other, sizeof(other));
		return;
	}
	for (size_t i = 0; i < v.n; i++)
		s->type[i] = v.p[i] > ' ' && v.p[i] < 0x7f ? (char)v.p[i] : '?';
}

static enum ay_rc take_data(struct ay_sse *s, struct ay_bytes v, struct ay_err *e)
{
	size_t more = v.n + (s->has_data ? 1 : 0);

	if (more > sizeof(s->data) - s->data_n)
		return ay_fail(e, AY_E_LIMIT, "event", 0, "longer than %d octets",
			       AY_MAX_SSE_BYTES);
	if (s->has_data)
		s->data[s->data_n++] = '\n';
	if (v.n > 0)
		memcpy(s->data + s->data_n, v.p, v.n);
	s->data_n += v.n;
	s->has_data = true;
	return AY_OK;
}

/* A blank line: the event is complete. The id counts even when there is no data. */
static bool dispatch(struct ay_sse *s, ay_sse_fn *fn, void *arg)
{
	const struct ay_sse_event ev = { .id = s->id_now,
					 .type = s->type[0] == '\0' ? "message" : s->type,
					 .data = { s->data, s->data_n } };
	bool go_on = true;

	s->id = s->id_now;
	if (s->has_data)
		go_on = fn(arg, &ev);
	s->data_n = 0;
	s->has_data = false;
	s->type[0] = '\0';
	return go_on;
}

static enum ay_rc take_field(struct ay_sse *s, struct ay_bytes line, struct ay_err *e)
{
	const uint8_t *colon = memchr(line.p, ':', line.n);
	size_t n = colon == NULL ? line.n : (size_t)(colon - line.p);
	struct ay_bytes name = { line.p, n }, value = { line.p + line.n, 0 };

	if (colon != NULL)
		value = (struct ay_bytes){ colon + 1, line.n - n - 1 };
	if (value.n > 0 && value.p[0] == ' ')
		value = (struct ay_bytes){ value.p + 1, value.n - 1 };
	if (is_field(name, "data"))
		return take_data(s, value, e);
	if (is_field(name, "id"))
		take_id(s, value);
	else if (is_field(name, "event"))
		take_type(s, value);
	return AY_OK; /* retry and what is unknown: not for us */
}

static enum ay_rc take_line(struct ay_sse *s, ay_sse_fn *fn, void *arg, bool *go_on,
			    struct ay_err *e)
{
	static const uint8_t bom[] = { 0xef, 0xbb, 0xbf };
	struct ay_bytes line = { s->line, s->line_n };
	struct ay_sse_event ev = { .is_comment = true, .type = "" };

	s->line_n = 0;
	if (!s->is_begun && line.n >= sizeof(bom) && memcmp(line.p, bom, sizeof(bom)) == 0)
		line = (struct ay_bytes){ line.p + sizeof(bom), line.n - sizeof(bom) };
	s->is_begun = true;
	if (line.n == 0) {
		*go_on = dispatch(s, fn, arg);
		return AY_OK;
	}
	if (line.p[0] != ':')
		return take_field(s, line, e);
	line = (struct ay_bytes){ line.p + 1, line.n - 1 };
	if (line.n > 0 && line.p[0] == ' ')
		line = (struct ay_bytes){ line.p + 1, line.n - 1 };
	ev.data = line;
	*go_on = fn(arg, &ev);
	return AY_OK;
}

static enum ay_rc take_octet(struct ay_sse *s, uint8_t c, ay_sse_fn *fn, void *arg, bool *go_on,
			     struct ay_err *e)
{
	bool skip = s->skip_lf && c == '\n';

	s->skip_lf = c == '\r';
	if (skip)
		return AY_OK;
	if (c == '\r' || c == '\n')
		return take_line(s, fn, arg, go_on, e);
	if (s->line_n == sizeof(s->line))
		return ay_fail(e, AY_E_LIMIT, "line", 0, "longer than %d octets", AY_MAX_SSE_BYTES);
	s->line[s->line_n++] = c;
	return AY_OK;
}

enum ay_rc ay_sse_feed(struct ay_sse *s, struct ay_bytes in, ay_sse_fn *fn, void *arg,
		       struct ay_err *e)
{
	enum ay_rc rc = AY_OK;
	bool go_on = true;

	if (s->is_failed)
		return ay_fail(e, AY_E_LIMIT, "stream", 0, "refused before");
	for (size_t i = 0; rc == AY_OK && go_on && i < in.n; i++)
		rc = take_octet(s, in.p[i], fn, arg, &go_on, e);
	s->is_failed = rc != AY_OK;
	return rc;
}
