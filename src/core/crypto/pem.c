/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/pem.h"

#include "core/base/base64.h"

#include <stdio.h>

enum { LABEL_MAX = 64, LINE_OCTETS = 48 };

/* Where needle begins in text; text.n if nowhere. */
static size_t find(struct ay_bytes text, const char *needle)
{
	const uint8_t *at = text.n > 0 ? memmem(text.p, text.n, needle, strlen(needle)) : NULL;

	return at != NULL ? (size_t)(at - text.p) : text.n;
}

static struct ay_bytes skip(struct ay_bytes b, size_t n)
{
	n = n < b.n ? n : b.n;
	return (struct ay_bytes){ b.p + n, b.n - n };
}

static struct ay_bytes without_blanks(struct ay_bytes body, struct ay_arena *a)
{
	uint8_t *out = ay_arena_alloc(a, body.n);
	size_t n = 0;

	if (out == NULL)
		return (struct ay_bytes){ 0 };
	for (size_t i = 0; i < body.n; i++)
		if (body.p[i] != '\n' && body.p[i] != '\r' && body.p[i] != ' ' && body.p[i] != '\t')
			out[n++] = body.p[i];
	return (struct ay_bytes){ out, n };
}

enum ay_rc ay_pem_next(struct ay_bytes *text, const char *label, struct ay_arena *a,
		       struct ay_bytes *der, struct ay_err *e)
{
	char begin[LABEL_MAX + 32], end[LABEL_MAX + 32];
	struct ay_bytes body;
	uint8_t *out;
	size_t n;
	enum ay_rc rc;

	*der = (struct ay_bytes){ 0 };
	snprintf(begin, sizeof(begin), "-----BEGIN %.*s-----", LABEL_MAX, label);
	snprintf(end, sizeof(end), "-----END %.*s-----", LABEL_MAX, label);
	n = find(*text, begin);
	if (n == text->n)
		return ay_fail(e, AY_E_NOENT, "pem", 0, "no block %s", label);
	*text = skip(*text, n + strlen(begin));
	n = find(*text, end);
	if (n == text->n)
		return ay_fail(e, AY_E_INPUT, "pem", 0, "block %s does not end", label);
	body = without_blanks((struct ay_bytes){ text->p, n }, a);
	*text = skip(*text, n + strlen(end));
	out = ay_arena_alloc(a, body.n);
	if (body.p == NULL || out == NULL)
		return ay_fail(e, AY_E_NOMEM, "pem", 0, "out of memory");
	rc = ay_base64_decode(AY_BASE64_STD, body, "pem", out, body.n, &n, e);
	if (rc == AY_OK)
		*der = (struct ay_bytes){ out, n };
	return rc;
}

void ay_pem_write(const char *label, struct ay_bytes der, char *out)
{
	out += snprintf(out, LABEL_MAX + 32, "-----BEGIN %.*s-----\n", LABEL_MAX, label);
	while (der.n > 0) {
		size_t n = der.n < LINE_OCTETS ? der.n : LINE_OCTETS;

		out += ay_base64_encode(AY_BASE64_STD, (struct ay_bytes){ der.p, n }, out);
		*out++ = '\n';
		der = skip(der, n);
	}
	snprintf(out, LABEL_MAX + 32, "-----END %.*s-----\n", LABEL_MAX, label);
}
