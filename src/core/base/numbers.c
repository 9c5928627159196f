/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/numbers.h"

enum { DIGITS_MAX = 20 };

static bool read_number(struct ay_bytes t, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (t.n == 0 || t.n > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		unsigned digit = (unsigned)t.p[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

enum ay_rc ay_number_parse(struct ay_bytes text, const char *field, uint64_t max, uint64_t *out,
			   struct ay_err *e)
{
	return read_number(text, max, out)
		       ? AY_OK
		       : ay_fail(e, AY_E_INPUT, field, 0, "is a number from 0 to %llu",
				 (unsigned long long)max);
}

static struct ay_bytes without_spaces(struct ay_bytes t)
{
	while (t.n > 0 && t.p[0] == ' ') {
		t.p++;
		t.n--;
	}
	while (t.n > 0 && t.p[t.n - 1] == ' ')
		t.n--;
	return t;
}

enum ay_rc ay_number_set_parse(struct ay_bytes text, const char *field, unsigned max, uint64_t *out,
			       struct ay_err *e)
{
	uint64_t set = 0, one = 0;
	size_t from = 0;

	max = max < 63 ? max : 63;
	for (size_t i = 0; i <= text.n; i++) {
		struct ay_bytes part = { text.p + from, i - from };

		if (i < text.n && text.p[i] != ',')
			continue;
		if (!read_number(without_spaces(part), max, &one))
			return ay_fail(e, AY_E_INPUT, field, from,
				       "is a list of numbers from 0 to %u, with commas between",
				       max);
		set |= UINT64_C(1) << one;
		from = i + 1;
	}
	*out = set;
	return AY_OK;
}
