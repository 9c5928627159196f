/* SPDX-License-Identifier: Apache-2.0 */
#include "core/xml/text.h"

#include "core/base/limits.h"

#include <stdarg.h>
#include <stdio.h>

void ay_xt_init(struct ay_xml_text *t)
{
	t->buffer = xmlBufferCreateSize(4096);
	t->failed = t->buffer == NULL;
	if (!t->failed)
		xmlBufferSetAllocationScheme(t->buffer, XML_BUFFER_ALLOC_DOUBLEIT);
}

void ay_xt_fini(struct ay_xml_text *t)
{
	if (t->buffer != NULL)
		xmlBufferFree(t->buffer);
	t->buffer = NULL;
}

void ay_xt_put_bytes(struct ay_xml_text *t, struct ay_bytes b)
{
	if (t->failed || b.n == 0)
		return;
	t->failed = b.n > AY_MAX_XML_OUT ||
		    (size_t)xmlBufferLength(t->buffer) + b.n > AY_MAX_XML_OUT ||
		    xmlBufferAdd(t->buffer, b.p, (int)b.n) != 0;
}

void ay_xt_put(struct ay_xml_text *t, const char *markup)
{
	ay_xt_put_bytes(t, ay_bytes_of(markup));
}

/* What stands for the octets at p in text, NULL: themselves. *n: how many octets it is for. */
static const char *stand_in(struct ay_bytes p, size_t *n)
{
	*n = 1;
	switch (p.p[0]) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\r': /* a bare one would be read as \n [XML 2.11] */
		return "&#13;";
	case '\t':
	case '\n':
		return NULL;
	default:
		break;
	}
	if (p.p[0] < 0x20)
		return "\xef\xbf\xbd";
	if (p.n < 3 || p.p[0] != 0xef || p.p[1] != 0xbf || p.p[2] < 0xbe)
		return NULL;
	*n = 3; /* U+FFFE, U+FFFF are no characters [XML 2.2] */
	return "\xef\xbf\xbd";
}

void ay_xt_escape(struct ay_xml_text *t, struct ay_bytes text)
{
	size_t from = 0, step;

	for (size_t i = 0; i < text.n; i += step) {
		const char *s = stand_in((struct ay_bytes){ text.p + i, text.n - i }, &step);

		if (s == NULL)
			continue;
		ay_xt_put_bytes(t, (struct ay_bytes){ text.p + from, i - from });
		ay_xt_put(t, s);
		from = i + step;
	}
	ay_xt_put_bytes(t, (struct ay_bytes){ text.p + from, text.n - from });
}

void ay_xt_format(struct ay_xml_text *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		t->failed = true;
	else
		ay_xt_put(t, text);
}

void ay_xt_open(struct ay_xml_text *t, const char *name)
{
	ay_xt_put(t, "<");
	ay_xt_put(t, name);
	ay_xt_put(t, ">");
}

void ay_xt_close(struct ay_xml_text *t, const char *name)
{
	ay_xt_put(t, "</");
	ay_xt_put(t, name);
	ay_xt_put(t, ">");
}

void ay_xt_element(struct ay_xml_text *t, const char *name, struct ay_bytes text)
{
	ay_xt_open(t, name);
	ay_xt_escape(t, text);
	ay_xt_close(t, name);
}

enum ay_rc ay_xt_end(const struct ay_xml_text *t, struct ay_bytes *out, struct ay_err *e)
{
	*out = (struct ay_bytes){ NULL, 0 };
	if (t->buffer == NULL)
		return ay_fail(e, AY_E_NOMEM, "xml", 0, "out of memory");
	if (t->failed)
		return ay_fail(e, AY_E_LIMIT, "xml", 0,
			       "the answer is too long: ask for less, or by REST");
	*out = (struct ay_bytes){ xmlBufferContent(t->buffer), (size_t)xmlBufferLength(t->buffer) };
	return AY_OK;
}
