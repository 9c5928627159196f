/* SPDX-License-Identifier: Apache-2.0 */
/* assay token create | list | revoke */
#include "prog/assay/client.h"
#include "prog/assay/commands.h"
#include "prog/assay/table.h"

#include <stdlib.h>

static json_t *create_body(const struct ay_args *args)
{
	static const char *const texts[] = { "host", "pool", "ttl" };
	json_t *body = json_object(), *eks = json_array();
	const char *v;

	for (size_t i = 0; i < AY_COUNT(texts); i++)
		if ((v = ay_args_opt(args, texts[i], 0)) != NULL)
			json_object_set_new(body, texts[i], json_string(v));
	if ((v = ay_args_opt(args, "uses", 0)) != NULL)
		json_object_set_new(body, "uses", json_integer(strtol(v, NULL, 10)));
	for (size_t i = 0; (v = ay_args_opt(args, "ek", i)) != NULL; i++)
		json_array_append_new(eks, json_string(v));
	if (json_array_size(eks) > 0)
		json_object_set(body, "eks", eks);
	json_decref(eks);
	return body;
}

/* Prints the token alone, so that T=$(assay token create) works. */
static int run_create(struct ay_cli *cli, const struct ay_args *args)
{
	struct ay_client *c;
	struct ay_answer a;
	int rc = ay_client_open(cli, &c);

	if (rc != AY_EXIT_OK)
		return rc;
	rc = ay_client_call(c, "POST", "/tokens", create_body(args), NULL, &a);
	ay_client_close(c);
	if (rc != AY_EXIT_OK)
		return rc;
	if (cli->json)
		rc = ay_cli_print_json(a.json);
	else
		puts(ay_answer_text(a.json, "token", ""));
	ay_answer_fini(&a);
	return rc;
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const char *const heads[] = { "ID", "USES LEFT", "EXPIRES", "HOST", "POOL", NULL };
	struct ay_client *c;
	struct ay_table t;
	json_t *items, *i;
	size_t k;
	int rc = ay_client_open(cli, &c);

	(void)args;
	if (rc != AY_EXIT_OK)
		return rc;
	rc = ay_client_list(c, "/tokens?limit=500", &items);
	ay_client_close(c);
	if (rc != AY_EXIT_OK)
		return rc;
	ay_table_init(&t, cli, heads);
	json_array_foreach(items, k, i) {
		ay_table_add(&t, ay_answer_text(i, "id", NULL));
		ay_table_addf(&t, "%lld", (long long)json_integer_value(json_object_get(i, "uses_left")));
		ay_table_add(&t, ay_answer_text(i, "expires_at", NULL));
		ay_table_add(&t, ay_answer_text(i, "host", NULL));
		ay_table_add(&t, ay_answer_text(i, "pool", NULL));
	}
	if (cli->json)
		rc = ay_cli_print_json(items);
	else
		ay_table_print(&t, stdout);
	json_decref(items);
	return rc;
}

static int run_revoke(struct ay_cli *cli, const struct ay_args *args)
{
	struct ay_client *c;
	struct ay_answer a;
	char *path;
	int rc = ay_client_open(cli, &c);

	if (rc != AY_EXIT_OK)
		return rc;
	path = ay_client_path("/tokens/", args->pos[0], "");
	rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory") :
			    ay_client_call(c, "DELETE", path, NULL, NULL, &a);
	if (rc == AY_EXIT_OK)
		ay_answer_fini(&a);
	free(path);
	ay_client_close(c);
	return rc;
}

static const struct ay_opt create_opts[] = {
	{ "host", "NAME", "the token enrols this registered host" },
	{ "uses", "N", "how many hosts may use it (1)" },
	{ "pool", "P", "pool the hosts are put in" },
	{ "ttl", "TIME", "how long it lives: 90s, 30m, 24h (24h)" },
	{ "ek", "HASH", "only a TPM with this EK hash may use it; may be repeated" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_token_create = { "token", "create", "", 0, 0, create_opts, "make an enrolment token; prints it alone", run_create };
const struct ay_cmd ay_cmd_token_list = { "token", "list", "", 0, 0, NULL, "enrolment tokens in force", run_list };
const struct ay_cmd ay_cmd_token_revoke = { "token", "revoke", "ID", 1, 1, NULL, "end an enrolment token", run_revoke };
