/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void ay_table_init(struct ay_table *t, const struct ay_cli *cli, const char *const heads[])
{
	*t = (struct ay_table){ .color = cli->color };
	while (t->n_cols < AY_TABLE_COLUMNS && heads[t->n_cols] != NULL) {
		t->head[t->n_cols] = heads[t->n_cols];
		t->n_cols++;
	}
}

/* Control characters become '?': a name must not move the cursor. UTF-8 passes. */
static void tame(char *s)
{
	for (; *s != '\0'; s++)
		if ((uint8_t)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

void ay_table_add(struct ay_table *t, const char *text)
{
	if (t->n_rows == t->room) {
		size_t room = t->room == 0 ? 256 : t->room * 2;
		char **bigger = realloc(t->cell, room * sizeof(*bigger));

		if (bigger == NULL)
			abort();
		t->cell = bigger;
		t->room = room;
	}
	t->cell[t->n_rows] = strdup(text == NULL || text[0] == '\0' ? "-" : text);
	if (t->cell[t->n_rows] == NULL)
		abort();
	tame(t->cell[t->n_rows++]);
}

void ay_table_addf(struct ay_table *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ay_table_add(t, text);
}

/* Columns on screen: octets that do not continue a UTF-8 character. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((uint8_t)*s & 0xc0) != 0x80;
	return n;
}

static const char *color_of(const char *s)
{
	static const struct {
		const char *word, *code;
	} words[] = {
		{ "trusted", "\033[32m" }, { "pass", "\033[32m" },
		{ "active", "\033[32m" },  { "untrusted", "\033[31m" },
		{ "fail", "\033[31m" },	   { "revoked", "\033[31m" },
		{ "unknown", "\033[33m" }, { "not_checked", "\033[33m" },
	};

	for (size_t i = 0; i < AY_COUNT(words); i++)
		if (strcmp(s, words[i].word) == 0)
			return words[i].code;
	return NULL;
}

static void print_cell(const struct ay_table *t, FILE *f, const char *s, size_t room, bool last)
{
	const char *code = t->color ? color_of(s) : NULL;

	fprintf(f, "%s%s%s", code ? code : "", s, code ? "\033[0m" : "");
	if (!last)
		fprintf(f, "%*s", (int)(room - width(s) + 2), "");
}

void ay_table_print(struct ay_table *t, FILE *f)
{
	size_t room[AY_TABLE_COLUMNS];

	for (size_t c = 0; c < t->n_cols; c++)
		room[c] = width(t->head[c]);
	for (size_t i = 0; i < t->n_rows; i++)
		if (width(t->cell[i]) > room[i % t->n_cols])
			room[i % t->n_cols] = width(t->cell[i]);
	for (size_t c = 0; c < t->n_cols; c++)
		print_cell(t, f, t->head[c], room[c], c + 1 == t->n_cols);
	fputc('\n', f);
	for (size_t i = 0; i < t->n_rows; i++) {
		bool last = (i + 1) % t->n_cols == 0;

		print_cell(t, f, t->cell[i], room[i % t->n_cols], last);
		if (last)
			fputc('\n', f);
		free(t->cell[i]);
	}
	free(t->cell);
	*t = (struct ay_table){ 0 };
}
