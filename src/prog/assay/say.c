/* SPDX-License-Identifier: Apache-2.0 */
/* What every command says and reads the same way. */
#include "prog/assay/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int ay_cli_error(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("assay: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

int ay_cli_fault(int code, const char *what, const struct ay_err *e)
{
	return ay_cli_error(code, "%s: %s%s%s: %s (offset %zu)", what, e->code,
			    e->code[0] ? " " : "", e->where ? e->where : ay_rc_name(e->rc), e->text,
			    e->offset);
}

void ay_cli_print_safe(FILE *f, struct ay_bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e || s.p[i] == '\\')
			fprintf(f, "\\x%02x", s.p[i]);
		else
			fputc(s.p[i], f);
	}
}

static int read_all(FILE *f, const char *path, size_t max, uint8_t **p, size_t *n)
{
	size_t room = 0, got;
	uint8_t *bigger;

	do {
		if (*n == room) {
			room = room == 0 ? 65536 : room * 2;
			bigger = realloc(*p, room);
			if (bigger == NULL)
				return ay_cli_error(AY_EXIT_IO, "%s: out of memory", path);
			*p = bigger;
		}
		got = fread(*p + *n, 1, room - *n, f);
		*n += got;
		if (*n > max)
			return ay_cli_error(AY_EXIT_USAGE, "%s: larger than %zu bytes", path, max);
	} while (got > 0);
	if (ferror(f))
		return ay_cli_error(AY_EXIT_IO, "%s: %s", path, strerror(errno));
	return AY_EXIT_OK;
}

int ay_cli_read_file(const char *path, size_t max, uint8_t **p, size_t *n)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
	int rc;

	*p = NULL;
	*n = 0;
	if (f == NULL)
		return ay_cli_error(AY_EXIT_IO, "%s: %s", path, strerror(errno));
	rc = read_all(f, path, max, p, n);
	if (f != stdin)
		fclose(f);
	if (rc != AY_EXIT_OK) {
		free(*p);
		*p = NULL;
		*n = 0;
	}
	return rc;
}
