/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/log.h"

#include "core/base/timefmt.h"
#include "io/sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_ROOM = 4096, END_ROOM = 4, VALUE_MAX = 256 };

/* The log sink is one per process: the one mutable state of file scope in io. */
static struct {
	const char *program, *process;
	enum ay_log_level level;
	bool json, journal;
} sink = { "assay", "main", AY_LOG_INFO, false, false };

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const char journal_prefix[] = { '3', '4', '6', '7' }; /* sd-daemon(3) */

void ay_log_init(const char *program, const char *process, const char *level, const char *format)
{
	sink.program = program;
	sink.process = process;
	sink.json = strcmp(format, "json") == 0;
	sink.journal =
		getenv("JOURNAL_STREAM") != NULL; /* set by systemd, read by sd_journal too */
	for (size_t i = 0; i < AY_COUNT(level_names); i++)
		if (strcmp(level, level_names[i]) == 0)
			sink.level = (enum ay_log_level)i;
}

bool ay_log_is_on(enum ay_log_level level)
{
	return level <= sink.level;
}

struct line {
	char text[LINE_ROOM];
	size_t n;
	bool is_full; /* something did not fit; the field is taken back */
};

static void put(struct line *l, const char *s, size_t n)
{
	size_t room = sizeof(l->text) - END_ROOM - l->n;

	l->is_full |= n > room;
	if (l->is_full)
		return;
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

static void put_str(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

static void put_escaped_octet(struct line *l, uint8_t c)
{
	char text[8];
	int n;

	if (c == '"' || c == '\\')
		n = snprintf(text, sizeof(text), "\\%c", c);
	else if (c >= 0x20 && c < 0x7f)
		n = snprintf(text, sizeof(text), "%c", c);
	else
		n = snprintf(text, sizeof(text), sink.json ? "\\u%04x" : "\\x%02x", c);
	put(l, text, (size_t)n);
}

/* Quoted always, so that no value can look like a further key. */
static void put_text(struct line *l, struct ay_bytes b)
{
	put_str(l, "\"");
	for (size_t i = 0; i < b.n && i < VALUE_MAX; i++)
		put_escaped_octet(l, b.p[i]);
	put_str(l, b.n > VALUE_MAX ? "...\"" : "\"");
}

static void put_hex(struct line *l, struct ay_bytes b)
{
	char digits[3];

	put_str(l, "\"");
	for (size_t i = 0; i < b.n && i < VALUE_MAX / 2; i++) {
		snprintf(digits, sizeof(digits), "%02x", b.p[i]);
		put(l, digits, 2);
	}
	put_str(l, "\"");
}

static void put_key(struct line *l, const char *key)
{
	put_str(l, sink.json ? ",\"" : " ");
	put_str(l, key);
	put_str(l, sink.json ? "\":" : "=");
}

static void put_value(struct line *l, const struct ay_log_field *f)
{
	char number[32];

	switch (f->kind) {
	case AY_LOG_STR:
		put_text(l, ay_bytes_of(f->v.s != NULL ? f->v.s : ""));
		return;
	case AY_LOG_BYTES:
		put_text(l, f->v.b);
		return;
	case AY_LOG_HEX:
		put_hex(l, f->v.b);
		return;
	case AY_LOG_UINT:
		snprintf(number, sizeof(number), "%" PRIu64, f->v.u);
		break;
	case AY_LOG_INT:
		snprintf(number, sizeof(number), "%" PRId64, f->v.i);
		break;
	}
	put_str(l, number);
}

/* Whole or not at all, so that a line is well-formed however long its values are. */
static void put_field(struct line *l, const struct ay_log_field *f)
{
	size_t before = l->n;

	put_key(l, f->key);
	put_value(l, f);
	if (l->is_full)
		l->n = before;
	l->is_full = false;
}

static void put_head(struct line *l, enum ay_log_level level)
{
	char at[AY_TIME_ROOM], pid[16];

	ay_time_format(ay_clock_wall_ms(), at);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (sink.journal && !sink.json)
		put(l, (const char[]){ '<', journal_prefix[level], '>' }, 3);
	put_str(l, sink.json ? "{\"at\":\"" : "at=");
	put_str(l, at);
	put_str(l, sink.json ? "\",\"level\":\"" : " level=");
	put_str(l, level_names[level]);
	put_str(l, sink.json ? "\",\"program\":\"" : " program=");
	put_str(l, sink.program);
	put_str(l, sink.json ? "\",\"process\":\"" : " process=");
	put_str(l, sink.process);
	put_str(l, sink.json ? "\",\"pid\":" : " pid=");
	put_str(l, pid);
}

void ay_log_write(enum ay_log_level level, const char *what, const struct ay_log_field *f, size_t n)
{
	struct line l = { .n = 0 };
	ssize_t done;

	if (!ay_log_is_on(level))
		return;
	put_head(&l, level);
	put_field(&l, &AY_LS("msg", what));
	for (size_t i = 0; i < n; i++)
		put_field(&l, &f[i]);
	if (sink.json)
		l.text[l.n++] = '}'; /* END_ROOM is for these */
	l.text[l.n++] = '\n';
	done = write(STDERR_FILENO, l.text, l.n); /* one call, so lines of processes do not mix */
	(void)done;
}

void ay_log(enum ay_log_level level, const char *what)
{
	ay_log_write(level, what, NULL, 0);
}

void ay_log_err(enum ay_log_level level, const char *what, const struct ay_err *e)
{
	AY_LOG(level, what, AY_LS("rc", ay_rc_name(e->rc)), AY_LS("where", e->where),
	       AY_LU("offset", e->offset), AY_LS("code", e->code), AY_LS("text", e->text));
}
