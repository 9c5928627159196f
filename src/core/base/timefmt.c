/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/timefmt.h"

#include <stdio.h>

#define DAY_S 86400

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back; no libc clock. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + (int64_t)doe - 719468;
}

static void date_of(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int64_t)yoe + era * 400 + (*m <= 2);
}

/* n digits of v, and what stands after them; printf costs ten times as much. */
static char *digits(char *out, unsigned v, int n, char after)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		out[i] = (char)('0' + v % 10);
	out[n] = after;
	return out + n + 1;
}

void ay_time_format(int64_t at_ms, char out[AY_TIME_ROOM])
{
	int64_t s = at_ms / 1000, ms = at_ms % 1000, days, y;
	unsigned m, d, in_day;

	if (ms < 0) {
		ms += 1000;
		s--;
	}
	days = s / DAY_S - (s % DAY_S < 0);
	in_day = (unsigned)(s - days * DAY_S);
	date_of(days, &y, &m, &d);
	if (y < 0 || y > 9999) { /* outside RFC 3339; also keeps the text in its room */
		snprintf(out, AY_TIME_ROOM, "0000-00-00T00:00:00Z");
		return;
	}
	out = digits(out, (unsigned)y, 4, '-');
	out = digits(out, m, 2, '-');
	out = digits(out, d, 2, 'T');
	out = digits(out, in_day / 3600, 2, ':');
	out = digits(out, in_day / 60 % 60, 2, ':');
	out = digits(out, in_day % 60, 2, ms != 0 ? '.' : 'Z');
	if (ms != 0)
		out = digits(out, (unsigned)ms, 3, 'Z');
	*out = '\0';
}

static bool number(struct ay_bytes t, size_t at, size_t n, unsigned *out)
{
	unsigned v = 0;

	for (size_t i = at; i < at + n; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		v = v * 10 + (t.p[i] - '0');
	}
	*out = v;
	return true;
}

static bool has_shape(struct ay_bytes t)
{
	static const char shape[] = "0000-00-00T00:00:00";
	bool whole = t.n == 20 && t.p[19] == 'Z';

	if (!whole && !(t.n == 24 && t.p[19] == '.' && t.p[23] == 'Z'))
		return false;
	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] != '0' && t.p[i] != (uint8_t)shape[i])
			return false;
	return true;
}

/* Fields of the text as they stand: year, month, day, hour, minute, second, milliseconds. */
struct fields {
	unsigned y, m, d, h, min, s, ms;
};

static bool read_fields(struct ay_bytes t, struct fields *f)
{
	return has_shape(t) && number(t, 0, 4, &f->y) && number(t, 5, 2, &f->m) &&
	       number(t, 8, 2, &f->d) && number(t, 11, 2, &f->h) && number(t, 14, 2, &f->min) &&
	       number(t, 17, 2, &f->s) && (t.n == 20 || number(t, 20, 3, &f->ms));
}

/* A day exists if counting there and back leads to it. */
static bool has_day(const struct fields *f, int64_t days)
{
	unsigned m, d;
	int64_t y;

	date_of(days, &y, &m, &d);
	return y == f->y && m == f->m && d == f->d;
}

enum ay_rc ay_time_parse(struct ay_bytes t, const char *field, int64_t *at_ms, struct ay_err *e)
{
	struct fields f = { 0 };
	int64_t days;

	*at_ms = 0;
	if (!read_fields(t, &f))
		return ay_fail(e, AY_E_INPUT, field, 0, "not a time like 2026-11-21T22:05:01Z");
	days = days_of(f.y, f.m, f.d);
	if (!has_day(&f, days) || f.h > 23 || f.min > 59 || f.s > 59)
		return ay_fail(e, AY_E_INPUT, field, 0, "no such day or time");
	*at_ms = ((days * DAY_S) + f.h * 3600 + f.min * 60 + f.s) * 1000 + f.ms;
	return AY_OK;
}
