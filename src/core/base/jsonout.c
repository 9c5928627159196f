/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/jsonout.h"

#include "core/base/hex.h"
#include "core/base/timefmt.h"
#include "core/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ay_jo_init(struct ay_json_out *o)
{
	memset(o, 0, sizeof(*o));
}

void ay_jo_fini(struct ay_json_out *o)
{
	free(o->p);
	ay_jo_init(o);
}

/* Room for so many more octets; NULL without memory. */
static char *more(struct ay_json_out *o, size_t n)
{
	size_t room = o->room == 0 ? 4096 : o->room;
	char *p;

	while (room - o->n < n)
		room *= 2;
	if (room != o->room && !o->failed) {
		p = realloc(o->p, room);
		o->failed = p == NULL;
		o->p = p == NULL ? o->p : p;
		o->room = p == NULL ? o->room : room;
	}
	return o->failed ? NULL : o->p + o->n;
}

static void put(struct ay_json_out *o, const void *p, size_t n)
{
	char *to = more(o, n);

	if (to == NULL || n == 0)
		return;
	memcpy(to, p, n);
	o->n += n;
}

/* Between two of the same level. */
static void comma(struct ay_json_out *o)
{
	char last = o->n == 0 ? '{' : o->p[o->n - 1];

	if (!o->failed && last != '{' && last != '[' && last != ':')
		put(o, ",", 1);
}

void ay_jo_open(struct ay_json_out *o, char bracket)
{
	comma(o);
	put(o, &bracket, 1);
}

void ay_jo_close(struct ay_json_out *o, char bracket)
{
	put(o, &bracket, 1);
}

static void escape(struct ay_json_out *o, uint8_t c)
{
	char text[8];
	int n = c == '"' || c == '\\'
			? snprintf(text, sizeof(text), "\\%c", c)
			: snprintf(text, sizeof(text), "\\u%04x", c < 0x20 ? c : 0xfffdU);

	put(o, text, (size_t)n);
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void quoted(struct ay_json_out *o, const char *text)
{
	const uint8_t *at = (const uint8_t *)text, *from = at, *end = at + strlen(text);

	put(o, "\"", 1);
	while (at < end) {
		size_t n = is_plain(*at) ? 1 : 0;

		if (*at >= 0x80)
			n = ay_utf8_length(at, (size_t)(end - at));
		at += n;
		if (n > 0)
			continue;
		put(o, from, (size_t)(at - from));
		escape(o, *at);
		from = ++at;
	}
	put(o, from, (size_t)(at - from));
	put(o, "\"", 1);
}

void ay_jo_key(struct ay_json_out *o, const char *key)
{
	comma(o);
	quoted(o, key);
	put(o, ":", 1);
}

void ay_jo_text(struct ay_json_out *o, const char *text)
{
	if (text == NULL) {
		ay_jo_null(o);
		return;
	}
	comma(o);
	quoted(o, text);
}

void ay_jo_hex(struct ay_json_out *o, struct ay_bytes b)
{
	char *to;

	if (b.n == 0) {
		ay_jo_null(o);
		return;
	}
	comma(o);
	put(o, "\"", 1);
	to = more(o, 2 * b.n + 1); /* ay_hex_encode() ends with a terminator */
	if (to != NULL) {
		ay_hex_encode(b, to);
		o->n += 2 * b.n;
	}
	put(o, "\"", 1);
}

void ay_jo_time(struct ay_json_out *o, int64_t at_ms)
{
	char text[AY_TIME_ROOM];

	if (at_ms != 0)
		ay_time_format(at_ms, text);
	ay_jo_text(o, at_ms != 0 ? text : NULL);
}

void ay_jo_raw(struct ay_json_out *o, struct ay_bytes json)
{
	comma(o);
	put(o, json.p, json.n);
}

void ay_jo_int(struct ay_json_out *o, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	ay_jo_raw(o, ay_bytes_of(text));
}

void ay_jo_bool(struct ay_json_out *o, bool v)
{
	ay_jo_raw(o, ay_bytes_of(v ? "true" : "false"));
}

void ay_jo_null(struct ay_json_out *o)
{
	ay_jo_raw(o, ay_bytes_of("null"));
}

struct ay_bytes ay_jo_end(const struct ay_json_out *o)
{
	return (struct ay_bytes){ (const uint8_t *)o->p, o->failed ? 0 : o->n };
}
