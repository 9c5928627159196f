/* SPDX-License-Identifier: Apache-2.0 */
/* assay role list | add | change | remove */
#include "prog/assay/commands.h"
#include "prog/assay/list.h"
#include "prog/assay/scope.h"

#include <string.h>

static int add_label(json_t *labels, const char *text)
{
	const char *eq = strchr(text, '=');

	if (eq == NULL || eq == text)
		return ay_cli_error(AY_EXIT_USAGE, "--host-label is KEY=VALUE");
	json_object_setn_new(labels, text, (size_t)(eq - text), json_string(eq + 1));
	return AY_EXIT_OK;
}

int ay_cli_scope(const struct ay_args *args, json_t **out)
{
	const char *pool = ay_args_opt(args, "pool", 0), *text;
	json_t *scope, *labels;
	int rc = AY_EXIT_OK;

	*out = NULL;
	if (pool == NULL && ay_args_opt(args, "host-label", 0) == NULL)
		return AY_EXIT_OK;
	scope = json_object();
	labels = json_object();
	for (size_t i = 0; rc == AY_EXIT_OK && (text = ay_args_opt(args, "host-label", i)) != NULL;
	     i++)
		rc = add_label(labels, text);
	if (pool != NULL)
		json_object_set_new(scope, "pool", json_string(pool));
	json_object_set_new(scope, "labels", labels);
	if (rc == AY_EXIT_OK)
		*out = scope;
	else
		json_decref(scope);
	return rc;
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "ROLE", "name", NULL }, { "BUILT IN", "built_in", NULL },
		{ "FOR", "doc", NULL },	  { "PERMISSIONS", "permissions", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/roles?limit=500", NULL, columns };

	(void)args;
	return ay_cli_list(cli, &list);
}

static int print_role(struct ay_cli *cli, const json_t *r)
{
	json_t *v;
	size_t i;

	(void)cli;
	printf("%s ", ay_answer_text(r, "name", "-"));
	json_array_foreach (json_object_get(r, "permissions"), i, v)
		printf(" %s", json_string_value(v));
	putchar('\n');
	return AY_EXIT_OK;
}

/* Taken by the call. NULL and a message: wrong use. */
static json_t *body_of(const struct ay_args *args)
{
	const char *doc = ay_args_opt(args, "for", 0), *perm;
	json_t *body = json_object(), *perms = json_array(), *scope = NULL;

	if (ay_cli_scope(args, &scope) != AY_EXIT_OK) {
		json_decref(body);
		json_decref(perms);
		return NULL;
	}
	for (size_t i = 0; (perm = ay_args_opt(args, "permission", i)) != NULL; i++)
		json_array_append_new(perms, json_string(perm));
	if (json_array_size(perms) > 0)
		json_object_set(body, "permissions", perms);
	json_decref(perms);
	if (scope != NULL)
		json_object_set_new(body, "scope", scope);
	if (doc != NULL)
		json_object_set_new(body, "doc", json_string(doc));
	return body;
}

static int run_add(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *body = body_of(args);

	if (body == NULL)
		return AY_EXIT_USAGE;
	json_object_set_new(body, "name", json_string(args->pos[0]));
	return ay_cli_call(cli, "POST", "/roles", body, print_role);
}

static int run_change(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *body = body_of(args);

	if (body == NULL)
		return AY_EXIT_USAGE;
	return ay_cli_call_on(cli, "PATCH", "/roles/", args->pos[0], "", body, print_role);
}

static int run_remove(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "DELETE", "/roles/", args->pos[0], "", NULL, NULL);
}

static const struct ay_opt opts[] = {
	{ "permission", "NAME", "what it permits; may be repeated" },
	{ "host-label", "K=V", "only for hosts with this label; may be repeated" },
	{ "pool", "POOL", "only for hosts of this pool" },
	{ "for", "TEXT", "what it is for" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_role_list = {
	"role", "list", "", 0, 0, NULL, "roles and what they permit", run_list
};
const struct ay_cmd ay_cmd_role_add = { "role", "add", "NAME", 1, 1, opts, "make a role", run_add };
const struct ay_cmd ay_cmd_role_change = {
	"role", "change", "NAME", 1, 1, opts, "change a role that somebody made", run_change
};
const struct ay_cmd ay_cmd_role_remove = {
	"role", "remove", "NAME", 1, 1, NULL, "take a role away that nobody has", run_remove
};
