/* SPDX-License-Identifier: Apache-2.0 */
/* assay token create | list | revoke */
#include "prog/assay/commands.h"
#include "prog/assay/list.h"

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

/* Alone, so that T=$(assay token create) works. */
static int print_token(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	puts(ay_answer_text(j, "token", ""));
	return AY_EXIT_OK;
}

static int run_create(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *body = json_object();
	int rc = create_body(args, body);

	if (rc != AY_EXIT_OK) {
		json_decref(body);
		return rc;
	}
	return ay_cli_call(cli, "POST", "/tokens", body, print_token);
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "ID", "id", NULL },	      { "USES LEFT", "uses_left", NULL },
		{ "EXPIRES", "until", NULL }, { "HOST", "host", NULL },
		{ "POOL", "pool", NULL },     { NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/tokens?limit=500", NULL, columns };

	(void)args;
	return ay_cli_list(cli, &list);
}

static int run_revoke(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "DELETE", "/tokens/", args->pos[0], "", NULL, NULL);
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
