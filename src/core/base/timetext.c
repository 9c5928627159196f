/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/timetext.h"

#include "core/base/reader.h"

#include <stdio.h>
#include <strings.h>

/* ---- pieces ---- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* min to max digits, not followed by one more. */
static unsigned digits(struct ay_reader *r, const char *field, unsigned min, unsigned max)
{
	unsigned v = 0, n = 0;

	for (; n < max && is_digit(ay_rd_peek8(r)); n++)
		v = v * 10 + (unsigned)(ay_rd_u8(r, field) - '0');
	if (n < min || is_digit(ay_rd_peek8(r)))
		ay_rd_reject(r, field, "not a number of %u to %u digits", min, max);
	return v;
}

static void mark(struct ay_reader *r, const char *field, char want)
{
	if (ay_rd_u8(r, field) != (uint8_t)want)
		ay_rd_reject(r, field, "'%c' is missing", want);
}

/* Letters up to something else; at most three: names of days, months and zones. */
static struct ay_bytes word(struct ay_reader *r, const char *field)
{
	size_t from = ay_rd_offset(r);

	for (int n = 0; n < 4 && ((ay_rd_peek8(r) | 0x20) >= 'a' && (ay_rd_peek8(r) | 0x20) <= 'z');
	     n++)
		(void)ay_rd_u8(r, field);
	return ay_rd_since(r, from);
}

static bool is_word(struct ay_bytes w, const char *name)
{
	return w.n == strlen(name) && strncasecmp((const char *)w.p, name, w.n) == 0;
}

/* Digits of an offset without its sign, to minutes. */
static int hours_minutes(struct ay_reader *r, const char *field, bool colon_may_be)
{
	struct ay_bytes h = ay_rd_bytes(r, field, 2), m;

	if (colon_may_be && ay_rd_peek8(r) == ':')
		(void)ay_rd_u8(r, field);
	m = ay_rd_bytes(r, field, 2);
	if (!ay_rd_ok(r))
		return 0;
	if (!is_digit(h.p[0]) || !is_digit(h.p[1]) || !is_digit(m.p[0]) || !is_digit(m.p[1]) ||
	    m.p[0] > '5' || h.p[0] > '1')
		ay_rd_reject(r, field, "no such time zone");
	return ((h.p[0] - '0') * 10 + h.p[1] - '0') * 60 + (m.p[0] - '0') * 10 + m.p[1] - '0';
}

static int numeric_zone(struct ay_reader *r, const char *field, bool colon_may_be)
{
	int sign = ay_rd_u8(r, field) == '-' ? -1 : 1;

	return sign * hours_minutes(r, field, colon_may_be);
}

/* ---- RFC 822 ---- */

static int named_zone(struct ay_reader *r, const char *field)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {
		{ "GMT", 0 },  { "UTC", 0 },  { "UT", 0 },   { "Z", 0 },
		{ "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
		{ "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
	};
	struct ay_bytes w = word(r, field);

	for (size_t i = 0; i < AY_COUNT(zones); i++)
		if (is_word(w, zones[i].name))
			return zones[i].hours * 60;
	ay_rd_reject(r, field, "no such time zone");
	return 0;
}

static unsigned month(struct ay_reader *r, const char *field)
{
	static const char names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct ay_bytes w = word(r, field);

	for (unsigned i = 0; i < 12; i++)
		if (is_word(w, names[i]))
			return i + 1;
	ay_rd_reject(r, field, "no such month");
	return 0;
}

/* From the fields as they stand and the zone's offset in minutes. */
static enum ay_rc instant(const char text[static AY_TIME_ROOM], int zone, const char *field,
			  int64_t *at_ms, struct ay_err *e)
{
	enum ay_rc rc = ay_time_parse(ay_bytes_of(text), field, at_ms, e);

	if (rc == AY_OK)
		*at_ms -= (int64_t)zone * 60000;
	return rc;
}

enum ay_rc ay_time_parse_rfc822(struct ay_bytes in, const char *field, int64_t *at_ms,
				struct ay_err *e)
{
	char text[AY_TIME_ROOM + 16];
	unsigned y, mon, d, h, min, s;
	struct ay_reader r;
	enum ay_rc rc;
	int zone;

	*at_ms = 0;
	ay_rd_init(&r, in);
	if (!is_digit(ay_rd_peek8(&r))) {
		if (word(&r, field).n != 3)
			ay_rd_reject(&r, field, "no name of a day");
		mark(&r, field, ',');
		mark(&r, field, ' ');
	}
	d = digits(&r, field, 1, 2);
	mark(&r, field, ' ');
	mon = month(&r, field);
	mark(&r, field, ' ');
	y = digits(&r, field, 4, 4);
	mark(&r, field, ' ');
	h = digits(&r, field, 2, 2);
	mark(&r, field, ':');
	min = digits(&r, field, 2, 2);
	mark(&r, field, ':');
	s = digits(&r, field, 2, 2);
	mark(&r, field, ' ');
	zone = ay_rd_peek8(&r) == '+' || ay_rd_peek8(&r) == '-' ? numeric_zone(&r, field, false)
								: named_zone(&r, field);
	rc = ay_rd_end(&r, field, e);
	if (rc != AY_OK)
		return rc;
	snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02uZ", y, mon, d, h, min, s);
	return instant(text, zone, field, at_ms, e);
}

/* ---- ISO 8601 ---- */

enum ay_rc ay_time_parse_iso(struct ay_bytes in, const char *field, int64_t *at_ms,
			     struct ay_err *e)
{
	enum { FIELDS = 19 };
	char text[AY_TIME_ROOM];
	struct ay_bytes fields, ms = { NULL, 0 };
	struct ay_reader r;
	enum ay_rc rc;
	int zone = 0;

	*at_ms = 0;
	ay_rd_init(&r, in);
	fields = ay_rd_bytes(&r, field, FIELDS);
	if (ay_rd_peek8(&r) == '.')
		ms = ay_rd_bytes(&r, field, 4);
	if (ay_rd_peek8(&r) == 'Z')
		(void)ay_rd_u8(&r, field);
	else if (ay_rd_peek8(&r) == '+' || ay_rd_peek8(&r) == '-')
		zone = numeric_zone(&r, field, true);
	rc = ay_rd_end(&r, field, e);
	if (rc != AY_OK)
		return rc;
	snprintf(text, sizeof(text), "%.*s%.*sZ", FIELDS, (const char *)fields.p, (int)ms.n,
		 ms.n == 0 ? "" : (const char *)ms.p);
	return instant(text, zone, field, at_ms, e);
}
