/* SPDX-License-Identifier: Apache-2.0 */
/* assay reference learn | list | show | activate */
#include "prog/assay/appraise.h"
#include "prog/assay/client.h"
#include "prog/assay/commands.h"
#include "prog/assay/table.h"

#include <stdlib.h>

static int print_one(struct ay_cli *cli, const struct ay_answer *a)
{
	if (cli->json)
		return ay_cli_print_json(a->json);
	printf("%s version %lld: %s\n", ay_answer_text(a->json, "name", "-"),
	       (long long)json_integer_value(json_object_get(a->json, "version")),
	       ay_answer_text(a->json, "state", "-"));
	return AY_EXIT_OK;
}

static int call(struct ay_cli *cli, const char *method, const char *path, json_t *body,
		int (*print)(struct ay_cli *cli, const struct ay_answer *a))
{
	struct ay_client *c;
	struct ay_answer a;
	int rc = ay_client_open(cli, &c);

	if (rc != AY_EXIT_OK) {
		json_decref(body);
		return rc;
	}
	rc = ay_client_call(c, method, path, body, NULL, &a);
	if (rc == AY_EXIT_OK) {
		rc = print(cli, &a);
		ay_answer_fini(&a);
	}
	ay_client_close(c);
	return rc;
}

static int run_learn(struct ay_cli *cli, const struct ay_args *args)
{
	const char *name = ay_args_opt(args, "name", 0), *part;
	json_t *body, *parts;

	if (ay_args_has(args, "offline"))
		return args->n_pos == 0
			       ? ay_learn_offline_run(cli, args)
			       : ay_cli_error(AY_EXIT_USAGE, "a host or --offline, not both");
	if (args->n_pos == 0)
		return ay_cli_error(AY_EXIT_USAGE, "give a host, or a folder with --offline");
	parts = json_array();
	if (name == NULL) {
		json_decref(parts);
		return ay_cli_error(AY_EXIT_USAGE, "give the set a name with --name");
	}
	for (size_t i = 0; (part = ay_args_opt(args, "part", i)) != NULL; i++)
		json_array_append_new(parts, json_string(part));
	body = json_pack("{s:s, s:s, s:b}", "host", args->pos[0], "name", name, "activate",
			 (int)ay_args_has(args, "activate"));
	if (json_array_size(parts) > 0)
		json_object_set(body, "parts", parts);
	json_decref(parts);
	return call(cli, "POST", "/reference-sets/learn", body, print_one);
}

static void list_row(struct ay_table *t, const json_t *s)
{
	char parts[128] = "";
	size_t i, n = 0;
	json_t *p;

	json_array_foreach (json_object_get(s, "parts"), i, p)
		if (json_is_string(p) && n < sizeof(parts))
			n += (size_t)snprintf(parts + n, sizeof(parts) - n, "%s%s", n ? "," : "",
					      json_string_value(p));
	ay_table_add(t, ay_answer_text(s, "name", NULL));
	ay_table_addf(t, "%lld", (long long)json_integer_value(json_object_get(s, "version")));
	ay_table_add(t, ay_answer_text(s, "state", NULL));
	ay_table_add(t, parts);
	ay_table_add(t, ay_answer_text(s, "created_at", NULL));
	ay_table_add(t, ay_answer_text(s, "id", NULL));
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const char *const heads[] = { "NAME",	"VERSION", "STATE", "PARTS",
					     "CREATED", "ID",	   NULL };
	struct ay_client *c;
	struct ay_table t;
	json_t *items, *s;
	size_t i;
	int rc = ay_client_open(cli, &c);

	(void)args;
	if (rc != AY_EXIT_OK)
		return rc;
	rc = ay_client_list(c, "/reference-sets?limit=500", &items);
	ay_client_close(c);
	if (rc != AY_EXIT_OK)
		return rc;
	ay_table_init(&t, cli, heads);
	json_array_foreach (items, i, s)
		list_row(&t, s);
	if (cli->json)
		rc = ay_cli_print_items(items);
	else
		ay_table_print(&t, stdout);
	json_decref(items);
	return rc;
}

static int print_document(struct ay_cli *cli, const struct ay_answer *a)
{
	(void)cli;
	return ay_cli_print_json(a->json);
}

static int run_show(struct ay_cli *cli, const struct ay_args *args)
{
	char *path = ay_client_path("/reference-sets/", args->pos[0], "");
	int rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			      : call(cli, "GET", path, NULL, print_document);

	free(path);
	return rc;
}

static int run_activate(struct ay_cli *cli, const struct ay_args *args)
{
	char *path = ay_client_path("/reference-sets/", args->pos[0], "/activate");
	int rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			      : call(cli, "POST", path, NULL, print_one);

	free(path);
	return rc;
}

static const struct ay_opt learn_opts[] = {
	{ "name", "N", "name of the reference set" },
	{ "part", "P",
	  "platform, os, host_unique or runtime; may be repeated (all there is evidence for)" },
	{ "offline", "DIR", "learn from the evidence of a folder, without a server" },
	{ "out", "SET.json", "with --offline: the file to write" },
	{ "activate", NULL, "put it in force at once, with the default policy if there is none" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_reference_learn = {
	"reference", "learn", "[HOST]", 0, 1, learn_opts, "learn reference values from a good host",
	run_learn
};
const struct ay_cmd ay_cmd_reference_list = {
	"reference", "list", "", 0, 0, NULL, "reference sets and their states", run_list
};
const struct ay_cmd ay_cmd_reference_show = { "reference",	   "show",  "SET", 1, 1, NULL,
					      "one reference set", run_show };
const struct ay_cmd ay_cmd_reference_activate = {
	"reference", "activate", "SET", 1, 1, NULL, "put a draft in force", run_activate
};
