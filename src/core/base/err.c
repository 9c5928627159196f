/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
	int http;
} rows[] = {
	[AY_OK] = { "OK", "done", 200 },
#define X(name, http, soap, retry, text) [AY_E_##name] = { #name, text, http },
#include "core/base/err.def"
#undef X
};

static void make_printable(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

AY_PRINTF(6, 0)
static void fill(struct ay_err *e, enum ay_rc rc, const char *code, const char *where,
		 size_t offset, const char *fmt, va_list ap)
{
	if (e == NULL)
		return;
	*e = (struct ay_err){ .rc = rc, .where = where, .offset = offset };
	if (code != NULL)
		strncpy(e->code, code, sizeof(e->code) - 1);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	make_printable(e->text);
}

enum ay_rc ay_fail(struct ay_err *e, enum ay_rc rc, const char *where, size_t offset,
		   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, rc, NULL, where, offset, fmt, ap);
	va_end(ap);
	return rc;
}

enum ay_rc ay_fail_code(struct ay_err *e, enum ay_rc rc, const char *code, const char *where,
			const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, rc, code, where, 0, fmt, ap);
	va_end(ap);
	return rc;
}

void ay_err_code(struct ay_err *e, const char *code)
{
	if (e == NULL)
		return;
	memset(e->code, 0, sizeof(e->code));
	strncpy(e->code, code, sizeof(e->code) - 1);
}

enum ay_rc ay_err_coded(struct ay_err *e, enum ay_rc rc, const char *code)
{
	if (e != NULL && rc != AY_OK && e->code[0] == '\0')
		strncpy(e->code, code, sizeof(e->code) - 1);
	return rc;
}

void ay_err_set(struct ay_err *e, enum ay_rc rc, const char *where, size_t offset, const char *fmt,
		...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, rc, NULL, where, offset, fmt, ap);
	va_end(ap);
}

const char *ay_rc_name(enum ay_rc rc)
{
	return (size_t)rc < AY_COUNT(rows) ? rows[rc].name : "BUG";
}

const char *ay_rc_text(enum ay_rc rc)
{
	return (size_t)rc < AY_COUNT(rows) ? rows[rc].text : "internal error";
}

int ay_rc_http(enum ay_rc rc)
{
	return (size_t)rc < AY_COUNT(rows) ? rows[rc].http : 500;
}
