/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/sqlite_impl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* Statements are made of our own constant tables; no value from outside is ever part of one. */
static void put(char out[AY_SQL_MAX], const char *fmt, ...) AY_PRINTF(2, 3);

static void put(char out[AY_SQL_MAX], const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vsnprintf(out + n, AY_SQL_MAX - n, fmt, ap);
	va_end(ap);
	assert(r >= 0 && (size_t)r < AY_SQL_MAX - n);
}

static void put_columns(const struct ay_row_type *t, char out[AY_SQL_MAX])
{
	for (size_t i = 0; i < t->n; i++)
		put(out, "%s%s", i == 0 ? "" : ", ", t->fields[i].column);
}

/* first: a column before the described ones, or NULL; parameters are numbered in that order. */
void ay_sql_insert(const struct ay_row_type *t, const char *first, char out[AY_SQL_MAX])
{
	size_t params = t->n + (first != NULL);

	out[0] = '\0';
	put(out, "INSERT INTO %s (%s%s", t->table, first == NULL ? "" : first,
	    first == NULL ? "" : ", ");
	put_columns(t, out);
	put(out, ") VALUES (");
	for (size_t i = 1; i <= params; i++)
		put(out, "%s?%zu", i == 1 ? "" : ", ", i);
	put(out, ")");
}

/* As insert; a row with the same `first` is overwritten. */
void ay_sql_upsert(const struct ay_row_type *t, const char *first, char out[AY_SQL_MAX])
{
	ay_sql_insert(t, first, out);
	put(out, " ON CONFLICT (%s) DO UPDATE SET ", first);
	for (size_t i = 0; i < t->n; i++)
		put(out, "%s%s = excluded.%s", i == 0 ? "" : ", ", t->fields[i].column,
		    t->fields[i].column);
}

/* Parameters 1..n are the fields, those of `where` come after. */
void ay_sql_update(const struct ay_row_type *t, const char *where, char out[AY_SQL_MAX])
{
	out[0] = '\0';
	put(out, "UPDATE %s SET ", t->table);
	for (size_t i = 0; i < t->n; i++)
		put(out, "%s%s = ?%zu", i == 0 ? "" : ", ", t->fields[i].column, i + 1);
	put(out, " WHERE %s", where);
}

void ay_sql_select(const struct ay_row_type *t, const char *table, const char *tail,
		   char out[AY_SQL_MAX])
{
	out[0] = '\0';
	put(out, "SELECT ");
	put_columns(t, out);
	put(out, " FROM %s %s", table, tail);
}

void ay_sql_bind_bytes(sqlite3_stmt *st, int at, struct ay_bytes b)
{
	if (b.n == 0)
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_blob64(st, at, b.p, b.n, SQLITE_STATIC);
}

static int64_t number_of(const struct ay_field *f, const void *m)
{
	switch (f->type) {
	case AY_F_BOOL:
		return *(const bool *)m;
	case AY_F_U8:
		return *(const uint8_t *)m;
	case AY_F_U32:
		return *(const uint32_t *)m;
	case AY_F_U64:
		return (int64_t) * (const uint64_t *)m;
	default:
		return *(const int64_t *)m;
	}
}

void ay_sql_bind(sqlite3_stmt *st, int first, const struct ay_row_type *t, const void *row)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct ay_field *f = &t->fields[i];
		const void *m = (const uint8_t *)row + f->offset;
		int at = first + (int)i;

		if (f->type == AY_F_TEXT) {
			const char *text = *(const char *const *)m;

			sqlite3_bind_text(st, at, text == NULL ? "" : text, -1, SQLITE_STATIC);
		} else if (f->type == AY_F_BYTES) {
			ay_sql_bind_bytes(st, at, *(const struct ay_bytes *)m);
		} else if (f->type == AY_F_OCT16) {
			sqlite3_bind_blob(st, at, m, 16, SQLITE_STATIC);
		} else {
			sqlite3_bind_int64(st, at, number_of(f, m));
		}
	}
}

struct ay_bytes ay_sql_bytes(sqlite3_stmt *st, int at)
{
	const void *p = sqlite3_column_blob(st, at);
	int n = sqlite3_column_bytes(st, at);

	return p == NULL || n <= 0 ? (struct ay_bytes){ NULL, 0 }
				   : (struct ay_bytes){ p, (size_t)n };
}

static void read_number(const struct ay_field *f, int64_t v, void *m)
{
	switch (f->type) {
	case AY_F_BOOL:
		*(bool *)m = v != 0;
		break;
	case AY_F_U8:
		*(uint8_t *)m = (uint8_t)v;
		break;
	case AY_F_U32:
		*(uint32_t *)m = (uint32_t)v;
		break;
	case AY_F_U64:
		*(uint64_t *)m = (uint64_t)v;
		break;
	default:
		*(int64_t *)m = v;
		break;
	}
}

void ay_sql_read(sqlite3_stmt *st, int first, const struct ay_row_type *t, void *row)
{
	memset(row, 0, t->size);
	for (size_t i = 0; i < t->n; i++) {
		const struct ay_field *f = &t->fields[i];
		void *m = (uint8_t *)row + f->offset;
		int at = first + (int)i;

		if (f->type == AY_F_TEXT) {
			const char *text = (const char *)sqlite3_column_text(st, at);

			*(const char **)m = text == NULL ? "" : text;
		} else if (f->type == AY_F_BYTES) {
			*(struct ay_bytes *)m = ay_sql_bytes(st, at);
		} else if (f->type == AY_F_OCT16) {
			struct ay_bytes b = ay_sql_bytes(st, at);

			if (b.n == 16)
				memcpy(m, b.p, 16);
		} else {
			read_number(f, sqlite3_column_int64(st, at), m);
		}
	}
}
