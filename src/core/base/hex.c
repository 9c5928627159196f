/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/hex.h"

void ay_hex_encode(struct ay_bytes b, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < b.n; i++) {
		out[2 * i] = digits[b.p[i] >> 4];
		out[2 * i + 1] = digits[b.p[i] & 15];
	}
	out[2 * b.n] = '\0';
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum ay_rc ay_hex_decode(struct ay_bytes text, const char *field, void *out, size_t n,
			 struct ay_err *e)
{
	uint8_t *o = out;

	memset(out, 0, n);
	if (text.n != 2 * n)
		return ay_fail(e, AY_E_INPUT, field, 0, "need %zu hex digits, got %zu", 2 * n,
			       text.n);
	for (size_t i = 0; i < text.n; i++) {
		int d = digit(text.p[i]);

		if (d < 0) {
			memset(out, 0, n);
			return ay_fail(e, AY_E_INPUT, field, i, "not a hex digit");
		}
		o[i / 2] = (uint8_t)(o[i / 2] << 4 | d);
	}
	return AY_OK;
}
