/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/base64.h"

static const char *const alphabet[] = {
	[AY_BASE64_STD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	[AY_BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t ay_base64_encode(enum ay_base64 kind, struct ay_bytes b, char *out)
{
	const char *abc = alphabet[kind];
	size_t o = 0, i = 0;

	for (; i + 3 <= b.n; i += 3) {
		uint32_t v = (uint32_t)b.p[i] << 16 | (uint32_t)b.p[i + 1] << 8 | b.p[i + 2];

		for (int k = 18; k >= 0; k -= 6)
			out[o++] = abc[v >> k & 63];
	}
	if (i < b.n) {
		uint32_t v = (uint32_t)b.p[i] << 16;

		if (i + 1 < b.n)
			v |= (uint32_t)b.p[i + 1] << 8;
		out[o++] = abc[v >> 18 & 63];
		out[o++] = abc[v >> 12 & 63];
		if (i + 1 < b.n)
			out[o++] = abc[v >> 6 & 63];
		while (kind == AY_BASE64_STD && o % 4 != 0)
			out[o++] = '=';
	}
	out[o] = '\0';
	return o;
}

static int value_of(enum ay_base64 kind, uint8_t c)
{
	const char *at = c == 0 ? NULL : strchr(alphabet[kind], c);

	return at == NULL ? -1 : (int)(at - alphabet[kind]);
}

/* The text without its padding; AY_E_INPUT if the padding is not what the length demands. */
static enum ay_rc strip(enum ay_base64 kind, struct ay_bytes *t, const char *field,
			struct ay_err *e)
{
	if (kind == AY_BASE64_STD) {
		if (t->n % 4 != 0)
			return ay_fail(e, AY_E_INPUT, field, t->n, "length is not a multiple of 4");
		for (int i = 0; i < 2 && t->n > 0 && t->p[t->n - 1] == '='; i++)
			t->n--;
	}
	if (t->n % 4 == 1)
		return ay_fail(e, AY_E_INPUT, field, t->n, "impossible length");
	return AY_OK;
}

enum ay_rc ay_base64_decode(enum ay_base64 kind, struct ay_bytes text, const char *field, void *out,
			    size_t max, size_t *n, struct ay_err *e)
{
	uint8_t *o = out;
	uint32_t acc = 0;
	size_t bits = 0, len = 0;
	enum ay_rc rc = strip(kind, &text, field, e);

	*n = 0;
	if (rc != AY_OK)
		return rc;
	if (text.n / 4 * 3 + text.n % 4 * 3 / 4 > max)
		return ay_fail(e, AY_E_LIMIT, field, 0, "more than %zu bytes", max);
	for (size_t i = 0; i < text.n; i++) {
		int v = value_of(kind, text.p[i]);

		if (v < 0)
			return ay_fail(e, AY_E_INPUT, field, i, "not a base64 character");
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			o[len++] = (uint8_t)(acc >> bits);
			acc &= (1u << bits) - 1;
		}
	}
	if (acc != 0)
		return ay_fail(e, AY_E_INPUT, field, text.n, "spare bits are not zero");
	*n = len;
	return AY_OK;
}
