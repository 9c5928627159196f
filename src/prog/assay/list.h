/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_LIST_H
#define AY_PROG_ASSAY_LIST_H

/*
 * What most commands are: one call and what is printed of its answer, or a
 * whole list as an aligned table. With --json both print what the API gave.
 */
#include "prog/assay/client.h"
#include "prog/assay/table.h"

struct ay_column {
	const char *head;
	const char *member; /* of the item, "identity.grade" goes down; texts, numbers, yes/no and
			       lists of texts as they are */
	void (*cell)(struct ay_table *t, const json_t *item); /* instead of member, or NULL */
};

struct ay_list {
	const char *path;		 /* may have a query */
	const char *sort_by;		 /* member whose text orders the table; NULL: as it came */
	const struct ay_column *columns; /* ends with head NULL */
};

int ay_cli_list(struct ay_cli *cli, const struct ay_list *list);

typedef int ay_print_fn(struct ay_cli *cli, const json_t *answer);

/* body: taken, may be NULL. print: for people, NULL: as JSON too; not called for an empty answer.
 */
int ay_cli_call(struct ay_cli *cli, const char *method, const char *path, json_t *body,
		ay_print_fn *print);
/* As call, on the path before + segment + after, segment escaped. */
int ay_cli_call_on(struct ay_cli *cli, const char *method, const char *before, const char *segment,
		   const char *after, json_t *body, ay_print_fn *print);

/* The member that `member` names, going down at each dot; NULL = none. */
const json_t *ay_answer_at(const json_t *item, const char *member);

#endif
