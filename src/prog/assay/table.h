/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_TABLE_H
#define AY_PROG_ASSAY_TABLE_H

/*
 * Aligned text tables: rows of cells, printed once all widths are known. Cells
 * are copied; control characters from outside are escaped.
 */
#include "prog/assay/cmd.h"

enum { AY_TABLE_COLUMNS = 10 };

struct ay_table {
	size_t n_cols, n_rows, room;
	const char *head[AY_TABLE_COLUMNS];
	char **cell; /* n_rows * n_cols */
	bool color;
};

/* heads: column names, ended by NULL, kept by the caller. */
void ay_table_init(struct ay_table *t, const struct ay_cli *cli, const char *const heads[]);
/* The next cell, row by row; NULL is printed as "-". */
void ay_table_add(struct ay_table *t, const char *text);
void ay_table_addf(struct ay_table *t, const char *fmt, ...) AY_PRINTF(2, 3);
/* Prints and frees. Verdict words are coloured on a terminal. */
void ay_table_print(struct ay_table *t, FILE *f);

#endif
