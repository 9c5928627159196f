/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/config_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KEY = 48 };

static const struct {
	enum ay_config_type type;
	const char *unit;
	int64_t factor;
} units[] = {
	{ AY_CONFIG_INT, "", 1 },
	{ AY_CONFIG_DURATION, "ms", 1 },
	{ AY_CONFIG_DURATION, "s", 1000 },
	{ AY_CONFIG_DURATION, "m", 60 * 1000 },
	{ AY_CONFIG_DURATION, "h", 3600 * 1000 },
	{ AY_CONFIG_DURATION, "d", 24 * 3600 * 1000 },
	{ AY_CONFIG_SIZE, "", 1 },
	{ AY_CONFIG_SIZE, "KiB", 1 << 10 },
	{ AY_CONFIG_SIZE, "MiB", 1 << 20 },
	{ AY_CONFIG_SIZE, "GiB", 1 << 30 },
};

bool ay_config_number(enum ay_config_type type, const char *text, int64_t *out)
{
	char *end;
	long long v;

	*out = 0;
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno != 0)
		return false;
	for (size_t i = 0; i < AY_COUNT(units); i++) {
		if (units[i].type == type && strcmp(units[i].unit, end) == 0)
			return !__builtin_mul_overflow((int64_t)v, units[i].factor, out);
	}
	return false;
}

static const char *judge_number(const struct ay_config_row *row, const char *text, char *room,
				size_t n)
{
	int64_t v;

	if (!ay_config_number(row->type, text, &v))
		return row->type == AY_CONFIG_DURATION ? "not a time such as 500ms, 30s, 5m, 24h"
		       : row->type == AY_CONFIG_SIZE   ? "not a size such as 4096, 64KiB, 4MiB"
						       : "not a number";
	if (v >= row->min && v <= row->max)
		return NULL;
	snprintf(room, n, "must be from %" PRId64 " to %" PRId64 "%s", row->min, row->max,
		 row->type == AY_CONFIG_DURATION ? " ms" : "");
	return room;
}

/* ADDR:PORT or [V6]:PORT; the port is a number. */
static const char *judge_addr(const char *text)
{
	const char *colon = strrchr(text, ':');
	int64_t port;

	if (colon == NULL || colon == text)
		return "not ADDRESS:PORT";
	if (memchr(text, ':', (size_t)(colon - text)) != NULL &&
	    (text[0] != '[' || colon[-1] != ']'))
		return "an IPv6 address stands in brackets: [::]:8443";
	if (!ay_config_number(AY_CONFIG_INT, colon + 1, &port) || port > 65535)
		return "the port is no number up to 65535";
	return NULL;
}

/* The words of a WORD row stand in its doc before the first colon. */
static const char *judge_word(const struct ay_config_row *row, const char *text, char *room,
			      size_t n)
{
	const char *colon = strchr(row->doc, ':');
	int len = colon == NULL ? 0 : (int)(colon - row->doc);
	char words[128], one[32];

	snprintf(words, sizeof(words), "%.*s", len, row->doc);
	for (size_t i = 0; ay_config_list_word(words, i, one, sizeof(one)); i++)
		if (strcmp(one, text) == 0)
			return NULL;
	snprintf(room, n, "must be one of: %s", words);
	return room;
}

static const char *judge_length(const struct ay_config_row *row, const char *text, char *room,
				size_t n)
{
	int64_t len = (int64_t)strlen(text);

	if (len >= row->min && len <= row->max)
		return NULL;
	snprintf(room, n, "must have %" PRId64 " to %" PRId64 " characters", row->min, row->max);
	return room;
}

const char *ay_config_judge(const struct ay_config_row *row, const char *text, char *room, size_t n)
{
	const char *wrong;

	switch (row->type) {
	case AY_CONFIG_INT:
	case AY_CONFIG_DURATION:
	case AY_CONFIG_SIZE:
		return judge_number(row, text, room, n);
	case AY_CONFIG_BOOL:
		return strcmp(text, "yes") == 0 || strcmp(text, "no") == 0 ? NULL
									   : "must be yes or no";
	case AY_CONFIG_WORD:
		return judge_word(row, text, room, n);
	case AY_CONFIG_ADDR:
		wrong = judge_length(row, text, room, n);
		return wrong != NULL || text[0] == 0 ? wrong : judge_addr(text);
	case AY_CONFIG_STR:
	case AY_CONFIG_PATH:
	case AY_CONFIG_LIST:
		break;
	}
	return judge_length(row, text, room, n);
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

size_t ay_config_distance(const char *a, const char *b)
{
	size_t na = strnlen(a, MAX_KEY), nb = strnlen(b, MAX_KEY);
	size_t row[MAX_KEY + 1];

	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t cost = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, cost);
		}
	}
	return row[nb];
}

bool ay_config_list_word(const char *list, size_t i, char *out, size_t room)
{
	static const char between[] = ", \t";
	const char *p = list + strspn(list, between);
	size_t n;

	for (; i > 0 && *p != 0; i--) {
		p += strcspn(p, between);
		p += strspn(p, between);
	}
	n = strcspn(p, between);
	if (n == 0 || n >= room)
		return false;
	snprintf(out, room, "%.*s", (int)n, p);
	return true;
}
