/* SPDX-License-Identifier: Apache-2.0 */
/* assay user list | add | disable | enable | token */
#include "prog/assay/commands.h"
#include "prog/assay/list.h"

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "NAME", "name", NULL },
		{ "ROLE", "role", NULL },
		{ "DISABLED", "disabled", NULL },
		{ "CREATED", "created_at", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/users?limit=500", "name", columns };

	(void)args;
	return ay_cli_list(cli, &list);
}

static int print_user(struct ay_cli *cli, const json_t *u)
{
	(void)cli;
	printf("%s  %s%s\n", ay_answer_text(u, "name", "-"), ay_answer_text(u, "role", "-"),
	       json_is_true(json_object_get(u, "disabled")) ? "  disabled" : "");
	return AY_EXIT_OK;
}

static int run_add(struct ay_cli *cli, const struct ay_args *args)
{
	const char *role = ay_args_opt(args, "role", 0);

	if (role == NULL)
		return ay_cli_error(AY_EXIT_USAGE,
				    "give --role: admin, operator, auditor, viewer or relying");
	return ay_cli_call(cli, "POST", "/users",
			   json_pack("{ss ss}", "name", args->pos[0], "role", role), print_user);
}

static int set_disabled(struct ay_cli *cli, const char *name, bool disabled)
{
	return ay_cli_call_on(cli, "PATCH", "/users/", name, "",
			      json_pack("{sb}", "disabled", (int)disabled), print_user);
}

static int run_disable(struct ay_cli *cli, const struct ay_args *args)
{
	return set_disabled(cli, args->pos[0], true);
}

static int run_enable(struct ay_cli *cli, const struct ay_args *args)
{
	return set_disabled(cli, args->pos[0], false);
}

/* Alone, so that it can go straight into the file of its owner. */
static int print_token(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	puts(ay_answer_text(j, "token", ""));
	return AY_EXIT_OK;
}

static int run_token(struct ay_cli *cli, const struct ay_args *args)
{
	const char *label = ay_args_opt(args, "label", 0), *role = ay_args_opt(args, "role", 0);
	json_t *body = json_object();

	if (label != NULL)
		json_object_set_new(body, "label", json_string(label));
	if (role != NULL)
		json_object_set_new(body, "role", json_string(role));
	return ay_cli_call_on(cli, "POST", "/users/", args->pos[0], "/tokens", body, print_token);
}

static const struct ay_opt add_opts[] = {
	{ "role", "ROLE", "admin, operator, auditor, viewer or relying" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt token_opts[] = {
	{ "label", "TEXT", "what it is for" },
	{ "role", "ROLE", "a role that permits less than the person's own" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_user_list = { "user",  "list", "", 0, 0, NULL, "people and programs",
					 run_list };
const struct ay_cmd ay_cmd_user_add = {
	"user", "add", "NAME", 1, 1, add_opts, "add a person or program", run_add
};
const struct ay_cmd ay_cmd_user_disable = {
	"user", "disable", "NAME", 1, 1, NULL, "its tokens open nothing from now on", run_disable
};
const struct ay_cmd ay_cmd_user_enable = {
	"user", "enable", "NAME", 1, 1, NULL, "its tokens are good again", run_enable
};
const struct ay_cmd ay_cmd_user_token = {
	"user", "token", "NAME", 1, 1, token_opts, "make an API token; prints it alone", run_token
};
