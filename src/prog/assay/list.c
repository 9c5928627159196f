/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/list.h"

#include <stdlib.h>
#include <string.h>

const json_t *ay_answer_at(const json_t *item, const char *member)
{
	char name[64];
	size_t n;

	while (item != NULL) {
		n = strcspn(member, ".");
		snprintf(name, sizeof(name), "%.*s", (int)n, member);
		item = json_object_get(item, name);
		if (member[n] == '\0')
			return item;
		member += n + 1;
	}
	return NULL;
}

/* "a,b,c" of a list of texts. */
static void add_texts(struct ay_table *t, const json_t *list)
{
	char text[256] = "";
	size_t i, n = 0;
	json_t *v;

	json_array_foreach (list, i, v)
		if (json_is_string(v) && n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? "," : "",
					      json_string_value(v));
	ay_table_add(t, n > 0 ? text : NULL);
}

static void add_cell(struct ay_table *t, const struct ay_column *c, const json_t *item)
{
	const json_t *v = c->cell == NULL ? ay_answer_at(item, c->member) : NULL;

	if (c->cell != NULL)
		c->cell(t, item);
	else if (json_is_integer(v))
		ay_table_addf(t, "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		ay_table_add(t, json_is_true(v) ? "yes" : "no");
	else if (json_is_array(v))
		add_texts(t, v);
	else
		ay_table_add(t, json_string_value(v));
}

/* qsort has no room for what to sort by, and the list is short: insertion keeps equals in order. */
static void sort(const json_t **row, size_t n, const char *by)
{
	for (size_t i = 1; i < n; i++) {
		const json_t *r = row[i];
		const char *key = ay_answer_text(r, by, "");
		size_t low = 0, high = i;

		while (low < high) {
			size_t mid = (low + high) / 2;

			if (strcmp(ay_answer_text(row[mid], by, ""), key) <= 0)
				low = mid + 1;
			else
				high = mid;
		}
		memmove(&row[low + 1], &row[low], (i - low) * sizeof(*row));
		row[low] = r;
	}
}

static int print_table(struct ay_cli *cli, const struct ay_list *l, const json_t *items)
{
	const char *heads[AY_TABLE_COLUMNS + 1] = { NULL };
	size_t n = json_array_size(items), n_cols = 0;
	const json_t **row = calloc(n + 1, sizeof(*row));
	struct ay_table t;

	if (row == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	while (n_cols < AY_TABLE_COLUMNS && l->columns[n_cols].head != NULL) {
		heads[n_cols] = l->columns[n_cols].head;
		n_cols++;
	}
	for (size_t i = 0; i < n; i++)
		row[i] = json_array_get(items, i);
	if (l->sort_by != NULL)
		sort(row, n, l->sort_by);
	ay_table_init(&t, cli, heads);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n_cols; k++)
			add_cell(&t, &l->columns[k], row[i]);
	ay_table_print(&t, stdout);
	free(row);
	return AY_EXIT_OK;
}

int ay_cli_list(struct ay_cli *cli, const struct ay_list *list)
{
	struct ay_client *c;
	json_t *items;
	int rc = ay_client_open(cli, &c);

	if (rc != AY_EXIT_OK)
		return rc;
	rc = ay_client_list(c, list->path, &items);
	ay_client_close(c);
	if (rc != AY_EXIT_OK)
		return rc;
	rc = cli->json ? ay_cli_print_items(items) : print_table(cli, list, items);
	json_decref(items);
	return rc;
}

int ay_cli_call(struct ay_cli *cli, const char *method, const char *path, json_t *body,
		ay_print_fn *print)
{
	struct ay_client *c;
	struct ay_answer a;
	int rc = ay_client_open(cli, &c);

	if (rc != AY_EXIT_OK) {
		json_decref(body);
		return rc;
	}
	rc = ay_client_call(c, method, path, body, NULL, &a);
	ay_client_close(c);
	if (rc != AY_EXIT_OK)
		return rc;
	if (a.json != NULL)
		rc = cli->json || print == NULL ? ay_cli_print_json(a.json) : print(cli, a.json);
	ay_answer_fini(&a);
	return rc;
}

int ay_cli_call_on(struct ay_cli *cli, const char *method, const char *before, const char *segment,
		   const char *after, json_t *body, ay_print_fn *print)
{
	char *path = ay_client_path(before, segment, after);
	int rc;

	if (path == NULL) {
		json_decref(body);
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	}
	rc = ay_cli_call(cli, method, path, body, print);
	free(path);
	return rc;
}
