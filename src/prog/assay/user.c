/* SPDX-License-Identifier: Apache-2.0 */
/* assay user ...: people and programs, by who administers them */
#include "prog/assay/commands.h"
#include "prog/assay/list.h"
#include "prog/assay/prompt.h"
#include "prog/assay/scope.h"

#include <stdlib.h>
#include <string.h>

enum { PASSWORD_ROOM = 1024 };

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "NAME", "name", NULL },
		{ "ROLE", "role", NULL },
		{ "SECOND", "second_factor", NULL },
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

static int set_password(struct ay_cli *cli, const char *name, const char *file)
{
	char password[PASSWORD_ROOM];
	int rc = ay_prompt_new_password(file, password, sizeof(password));

	if (rc == AY_EXIT_OK)
		rc = ay_cli_call_on(cli, "POST", "/users/", name, "/password",
				    json_pack("{s:s}", "password", password), NULL);
	explicit_bzero(password, sizeof(password));
	return rc;
}

static int run_add(struct ay_cli *cli, const struct ay_args *args)
{
	const char *role = ay_args_opt(args, "role", 0);
	const char *file = ay_args_opt(args, "password-file", 0);
	json_t *scope = NULL;
	int rc;

	if (role == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "give --role: see assay role list");
	rc = ay_cli_scope(args, &scope);
	if (rc == AY_EXIT_OK)
		rc = ay_cli_call(cli, "POST", "/users",
				 json_pack("{s:s, s:[{s:s, s:o*}]}", "name", args->pos[0], "grants",
					   "role", role, "scope", scope),
				 print_user);
	return rc == AY_EXIT_OK && file != NULL ? set_password(cli, args->pos[0], file) : rc;
}

static int run_passwd(struct ay_cli *cli, const struct ay_args *args)
{
	return set_password(cli, args->pos[0], ay_args_opt(args, "password-file", 0));
}

/* ---- grants: read, changed, put back whole ---- */

static int get_grants(struct ay_cli *cli, const char *name, json_t **out)
{
	char *path = ay_client_path("/users/", name, "");
	struct ay_client *c = NULL;
	struct ay_answer a;
	int rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory") : ay_client_open(cli, &c);

	*out = NULL;
	if (rc == AY_EXIT_OK)
		rc = ay_client_call(c, "GET", path, NULL, NULL, &a);
	if (rc == AY_EXIT_OK) {
		*out = json_incref(json_object_get(a.json, "grants"));
		ay_answer_fini(&a);
	}
	ay_client_close(c);
	free(path);
	return rc;
}

static int put_grants(struct ay_cli *cli, const char *name, json_t *grants)
{
	return ay_cli_call_on(cli, "PATCH", "/users/", name, "",
			      json_pack("{s:o}", "grants", grants), print_user);
}

static int run_grant(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *scope = NULL, *grants;
	int rc = ay_cli_scope(args, &scope);

	if (rc == AY_EXIT_OK)
		rc = get_grants(cli, args->pos[0], &grants);
	if (rc != AY_EXIT_OK) {
		json_decref(scope);
		return rc;
	}
	json_array_append_new(grants,
			      json_pack("{s:s, s:o*}", "role", args->pos[1], "scope", scope));
	return put_grants(cli, args->pos[0], grants);
}

static int run_revoke(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *grants, *left, *g;
	size_t i;
	int rc = get_grants(cli, args->pos[0], &grants);

	if (rc != AY_EXIT_OK)
		return rc;
	left = json_array();
	json_array_foreach (grants, i, g)
		if (strcmp(ay_answer_text(g, "role", ""), args->pos[1]) != 0)
			json_array_append(left, g);
	if (json_array_size(left) == json_array_size(grants))
		rc = ay_cli_error(AY_EXIT_USAGE, "%s has no role %s", args->pos[0], args->pos[1]);
	else if (json_array_size(left) == 0)
		rc = ay_cli_error(AY_EXIT_USAGE,
				  "that is the only role: assay user disable %s, or grant another",
				  args->pos[0]);
	json_decref(grants);
	if (rc == AY_EXIT_OK)
		return put_grants(cli, args->pos[0], left);
	json_decref(left);
	return rc;
}

static int run_remove(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "DELETE", "/users/", args->pos[0], "", NULL, NULL);
}

static int run_totp_off(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "DELETE", "/users/", args->pos[0], "/totp", NULL, NULL);
}

static int run_end_sessions(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "DELETE", "/users/", args->pos[0], "/sessions", NULL, NULL);
}

/* Alone, so that it can be printed and sealed. */
static int print_sealed(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	puts(ay_answer_text(j, "password", ""));
	return AY_EXIT_OK;
}

static int run_break_glass(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "POST", "/users/", args->pos[0], "/break-glass", NULL,
			      print_sealed);
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
	json_t *body = json_object(), *scope = NULL;
	int rc = ay_cli_scope(args, &scope);

	if (rc != AY_EXIT_OK) {
		json_decref(body);
		return rc;
	}
	if (scope != NULL)
		json_object_set_new(body, "scope", scope);
	if (label != NULL)
		json_object_set_new(body, "label", json_string(label));
	if (role != NULL)
		json_object_set_new(body, "role", json_string(role));
	return ay_cli_call_on(cli, "POST", "/users/", args->pos[0], "/tokens", body, print_token);
}

#define SCOPE_OPTS                                                                                 \
	{ "host-label", "K=V", "only for hosts with this label; may be repeated" },                \
	{                                                                                          \
		"pool", "POOL", "only for hosts of this pool"                                      \
	}
static const struct ay_opt add_opts[] = {
	{ "role", "ROLE", "admin, operator, auditor, viewer, relying, or one of your own" },
	SCOPE_OPTS,
	{ "password-file", "FILE", "its first line becomes the password (- for standard input)" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt passwd_opts[] = {
	{ "password-file", "FILE", "its first line becomes the password (- for standard input)" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt grant_opts[] = {
	SCOPE_OPTS,
	{ NULL, NULL, NULL },
};
static const struct ay_opt token_opts[] = {
	{ "label", "TEXT", "what it is for" },
	{ "role", "ROLE", "a role that permits less than the person's own" },
	SCOPE_OPTS,
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_user_list = { "user",  "list", "", 0, 0, NULL, "people and programs",
					 run_list };
const struct ay_cmd ay_cmd_user_add = {
	"user", "add", "NAME", 1, 1, add_opts, "add a person or program", run_add
};
const struct ay_cmd ay_cmd_user_disable = { "user",
					    "disable",
					    "NAME",
					    1,
					    1,
					    NULL,
					    "neither password nor tokens open anything from now on",
					    run_disable };
const struct ay_cmd ay_cmd_user_enable = {
	"user", "enable", "NAME", 1, 1, NULL, "password and tokens are good again", run_enable
};
const struct ay_cmd ay_cmd_user_token = {
	"user", "token", "NAME", 1, 1, token_opts, "make an API token; prints it alone", run_token
};
const struct ay_cmd ay_cmd_user_passwd = {
	"user", "passwd", "NAME", 1, 1, passwd_opts, "set somebody's password", run_passwd
};
const struct ay_cmd ay_cmd_user_grant = { "user", "grant",    "NAME ROLE",	  2,
					  2,	  grant_opts, "give a role more", run_grant };
const struct ay_cmd ay_cmd_user_revoke = { "user", "revoke", "NAME ROLE",	 2,
					   2,	   NULL,     "take a role away", run_revoke };
const struct ay_cmd ay_cmd_user_remove = {
	"user", "remove", "NAME", 1, 1, NULL, "for good; the name stays taken", run_remove
};
const struct ay_cmd ay_cmd_user_totp_off = {
	"user", "totp-off", "NAME", 1, 1, NULL, "take somebody's second factor away", run_totp_off
};
const struct ay_cmd ay_cmd_user_end_sessions = {
	"user",		 "end-sessions", "NAME", 1, 1, NULL, "end all of somebody's sessions",
	run_end_sessions
};
const struct ay_cmd ay_cmd_user_break_glass = {
	"user",
	"break-glass",
	"NAME",
	1,
	1,
	NULL,
	"arm an account for emergencies; prints its password, good once",
	run_break_glass
};
