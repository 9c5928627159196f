/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/target.h"

#include "core/base/utf8.h"

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_text(struct ay_bytes b)
{
	for (size_t at = 0, step; at < b.n; at += step) {
		step = ay_utf8_length(b.p + at, b.n - at);
		if (step == 0 || b.p[at] < 0x20 || b.p[at] == 0x7f)
			return false;
	}
	return true;
}

/* base: offset of in, for the error. */
static enum ay_rc decode(struct ay_bytes in, const char *where, char separator, size_t base,
			 struct ay_arena *a, struct ay_bytes *out, struct ay_err *e)
{
	uint8_t *to = ay_arena_alloc(a, in.n + 1);
	size_t n = 0;

	if (to == NULL)
		return ay_fail(e, AY_E_NOMEM, where, base, "out of memory");
	for (size_t i = 0; i < in.n; i++) {
		int hi, lo;

		if (in.p[i] != '%') {
			to[n++] = in.p[i];
			continue;
		}
		hi = in.n - i > 2 ? hex_value(in.p[i + 1]) : -1;
		lo = in.n - i > 2 ? hex_value(in.p[i + 2]) : -1;
		if (hi < 0 || lo < 0)
			return ay_fail(e, AY_E_INPUT, where, base + i, "bad percent escape");
		to[n] = (uint8_t)(hi * 16 + lo);
		if (to[n] == separator || to[n] < 0x20)
			return ay_fail(e, AY_E_INPUT, where, base + i,
				       "escape of a separator or control character");
		n++;
		i += 2;
	}
	to[n] = '\0';
	*out = (struct ay_bytes){ to, n };
	if (!is_text(*out))
		return ay_fail(e, AY_E_INPUT, where, base, "not printable UTF-8");
	return AY_OK;
}

static size_t until(struct ay_bytes in, size_t at, uint8_t stop)
{
	while (at < in.n && in.p[at] != stop)
		at++;
	return at;
}

static enum ay_rc take_segment(struct ay_target *t, struct ay_bytes in, size_t at,
			       struct ay_arena *a, struct ay_err *e)
{
	struct ay_bytes *s;
	enum ay_rc rc;

	if (t->n_segments == AY_TARGET_SEGMENTS)
		return ay_fail(e, AY_E_NOENT, "path", at, "no such path");
	s = &t->segment[t->n_segments];
	rc = decode(in, "path", '/', at, a, s, e);
	if (rc != AY_OK)
		return rc;
	if (s->n == 0 || ay_bytes_eq(*s, ay_bytes_of(".")) || ay_bytes_eq(*s, ay_bytes_of("..")))
		return ay_fail(e, AY_E_INPUT, "path", at, "empty or relative segment");
	t->n_segments++;
	return AY_OK;
}

static enum ay_rc parse_path(struct ay_bytes path, struct ay_arena *a, struct ay_target *t,
			     struct ay_err *e)
{
	size_t at = 0;

	if (path.n == 0 || path.p[0] != '/')
		return ay_fail(e, AY_E_INPUT, "path", 0, "does not begin with /");
	while (at < path.n) {
		size_t end = until(path, ++at, '/');
		enum ay_rc rc =
			take_segment(t, (struct ay_bytes){ path.p + at, end - at }, at, a, e);

		if (rc != AY_OK)
			return rc;
		at = end;
	}
	return AY_OK;
}

static enum ay_rc take_param(struct ay_target *t, struct ay_bytes in, size_t at, struct ay_arena *a,
			     struct ay_err *e)
{
	size_t eq = until(in, 0, '=');
	struct ay_bytes name = { in.p, eq }, value = { NULL, 0 };
	enum ay_rc rc;

	if (t->n_params == AY_TARGET_PARAMS)
		return ay_fail(e, AY_E_LIMIT, "query", at, "more than %d parameters",
			       AY_TARGET_PARAMS);
	if (eq < in.n)
		value = (struct ay_bytes){ in.p + eq + 1, in.n - eq - 1 };
	rc = decode(name, "query", '\0', at, a, &name, e);
	if (rc == AY_OK)
		rc = decode(value, "query", '\0', at + eq + 1, a, &value, e);
	if (rc != AY_OK)
		return rc;
	if (name.n == 0)
		return ay_fail(e, AY_E_INPUT, "query", at, "parameter without a name");
	if (ay_target_param(t, (const char *)name.p).p != NULL)
		return ay_fail(e, AY_E_INPUT, "query", at, "parameter given twice");
	t->param[t->n_params].name = name;
	t->param[t->n_params].value = value;
	t->param[t->n_params++].offset = at;
	return AY_OK;
}

enum ay_rc ay_target_parse(struct ay_bytes path, struct ay_bytes query, struct ay_arena *a,
			   struct ay_target *out, struct ay_err *e)
{
	struct ay_target t = { 0 };
	enum ay_rc rc = parse_path(path, a, &t, e);

	*out = (struct ay_target){ 0 };
	for (size_t at = 0; rc == AY_OK && at < query.n;) {
		size_t end = until(query, at, '&');

		rc = take_param(&t, (struct ay_bytes){ query.p + at, end - at }, at, a, e);
		at = end + 1;
	}
	if (rc == AY_OK)
		*out = t;
	return rc;
}

struct ay_bytes ay_target_param(const struct ay_target *t, const char *name)
{
	for (size_t i = 0; i < t->n_params; i++)
		if (ay_bytes_eq(t->param[i].name, ay_bytes_of(name)))
			return t->param[i].value;
	return (struct ay_bytes){ NULL, 0 };
}
