/* SPDX-License-Identifier: Apache-2.0 */
/* assay token create | list | revoke */
#include "prog/assay/client.h"
#include "prog/assay/commands.h"
#include "prog/assay/table.h"

#include <stdlib.h>
#include <string.h>

/* A whole number; with_unit: 90s, 30m, 24h, 7d in seconds. Zero: none of these. */
static json_int_t number(const char *text, bool with_unit)
{
	static const struct {
		char unit;
		json_int_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end = NULL;
	long v = strtol(text, &end, 10);

	if (end == text || v <= 0 || v > 1000000000)
		return 0;
	if (!with_unit)
		return *end == '\0' ? v : 0;
	for (size_t i = 0; i < AY_COUNT(units); i++)
		if (end[0] == units[i].unit && end[1] == '\0')
			return v * units[i].seconds;
	return 0;
}

/* eks: ["..",..] from every --ek HASH. */
static int add_eks(const struct ay_args *args, json_t *body)
{
	json_t *eks = json_array();
	const char *hash;

	for (size_t i = 0; (hash = ay_args_opt(args, "ek", i)) != NULL; i++) {
		if (strlen(hash) != 64 || strspn(hash, "0123456789abcdefABCDEF") != 64) {
			json_decref(eks);
			return ay_cli_error(AY_EXIT_USAGE, "--ek %s: 64 hexadecimal digits", hash);
		}
		json_array_append_new(eks, json_string(hash));
	}
	if (json_array_size(eks) > 0)
		json_object_set_new(body, "eks", eks);
	else
		json_decref(eks);
	return AY_EXIT_OK;
}

static int create_body(const struct ay_args *args, json_t *body)
{
	static const char *const texts[] = { "host", "pool" };
	const char *uses = ay_args_opt(args, "uses", 0), *ttl = ay_args_opt(args, "ttl", 0), *v;

	for (size_t i = 0; i < AY_COUNT(texts); i++)
		if ((v = ay_args_opt(args, texts[i], 0)) != NULL)
			json_object_set_new(body, texts[i], json_string(v));
	if (uses != NULL && number(uses, false) == 0)
		return ay_cli_error(AY_EXIT_USAGE, "--uses %s: a number from 1", uses);
	if (ttl != NULL && number(ttl, true) == 0)
		return ay_cli_error(AY_EXIT_USAGE, "--ttl %s: write 90s, 30m, 24h or 7d", ttl);
	if (uses != NULL)
		json_object_set_new(body, "uses", json_integer(number(uses, false)));
	if (ttl != NULL)
		json_object_set_new(body, "ttl_s", json_integer(number(ttl, true)));
	return add_eks(args, body);
}

/* Prints the token alone, so that T=$(assay token create) works. */
static int run_create(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *body = json_object();
	struct ay_client *c = NULL;
	struct ay_answer a;
	int rc = create_body(args, body);

	if (rc == AY_EXIT_OK)
		rc = ay_client_open(cli, &c);
	if (rc != AY_EXIT_OK) {
		json_decref(body);
		return rc;
	}
	rc = ay_client_call(c, "POST", "/tokens", body, NULL, &a);
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
	json_array_foreach (items, k, i) {
		ay_table_add(&t, ay_answer_text(i, "id", NULL));
		ay_table_addf(&t, "%lld",
			      (long long)json_integer_value(json_object_get(i, "uses_left")));
		ay_table_add(&t, ay_answer_text(i, "until", NULL));
		ay_table_add(&t, ay_answer_text(i, "host", NULL));
		ay_table_add(&t, ay_answer_text(i, "pool", NULL));
	}
	if (cli->json)
		rc = ay_cli_print_items(items);
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
	rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			  : ay_client_call(c, "DELETE", path, NULL, NULL, &a);
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
	{ "ek", "HASH",
	  "only a TPM with this EK (SHA-256 of its public area) may use it; may be repeated" },
	{ "ttl", "TIME", "how long it lives: 90s, 30m, 24h, 7d (24h)" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_token_create = {
	"token",   "create", "", 0, 0, create_opts, "make an enrolment token; prints it alone",
	run_create
};
const struct ay_cmd ay_cmd_token_list = {
	"token", "list", "", 0, 0, NULL, "enrolment tokens in force", run_list
};
const struct ay_cmd ay_cmd_token_revoke = {
	"token", "revoke", "ID", 1, 1, NULL, "end an enrolment token", run_revoke
};
