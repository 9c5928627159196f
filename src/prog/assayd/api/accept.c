/* SPDX-License-Identifier: Apache-2.0 */
/* Accept: may an answer of this type be given? (RFC 9110, 12.5.1) */
#include "prog/assayd/api/call.h"

static struct ay_bytes trim(struct ay_bytes b)
{
	while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
		b = (struct ay_bytes){ b.p + 1, b.n - 1 };
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	return b;
}

/* What comes before the mark; rest: what comes after it. */
static struct ay_bytes cut(struct ay_bytes *rest, uint8_t mark)
{
	struct ay_bytes head = { rest->p, 0 };

	while (head.n < rest->n && rest->p[head.n] != mark)
		head.n++;
	*rest = head.n == rest->n ? (struct ay_bytes){ NULL, 0 }
				  : (struct ay_bytes){ rest->p + head.n + 1, rest->n - head.n - 1 };
	return trim(head);
}

static bool is_word(struct ay_bytes b, const char *word, size_t n)
{
	return b.n == n && strncasecmp((const char *)b.p, word, n) == 0;
}

/* How exactly a range covers a type: 3 the type, 2 its family, 1 everything, 0 not at all. */
static int exactness(struct ay_bytes range, const char *type)
{
	size_t family = strcspn(type, "/") + 1;

	if (is_word(range, type, strlen(type)))
		return 3;
	if (range.n == family + 1 && range.p[family] == '*' &&
	    strncasecmp((const char *)range.p, type, family) == 0)
		return 2;
	return is_word(range, "*/*", 3) || is_word(range, "*", 1) ? 1 : 0;
}

/* q=0, in as many digits as one likes */
static bool is_refused(struct ay_bytes params)
{
	while (params.n > 0) {
		struct ay_bytes value = cut(&params, ';'), name = cut(&value, '=');
		bool zero = value.n > 0;

		if (!is_word(name, "q", 1))
			continue;
		for (size_t i = 0; i < value.n; i++)
			zero = zero && (value.p[i] == '0' || (i == 1 && value.p[i] == '.'));
		return zero;
	}
	return false;
}

bool ay_api_accepts(struct ay_bytes accept, const char *type)
{
	bool is_taken = trim(accept).n == 0;
	int best = 0;

	while (accept.n > 0) {
		struct ay_bytes params = cut(&accept, ',');
		struct ay_bytes range = cut(&params, ';');
		int how = exactness(range, type);

		if (how > best) {
			best = how;
			is_taken = !is_refused(params);
		}
	}
	return is_taken;
}
