/* SPDX-License-Identifier: Apache-2.0 */
/* assay approval list | show | approve | deny */
#include "prog/assay/approval.h"

#include "prog/assay/commands.h"
#include "prog/assay/list.h"

#include <string.h>

int ay_approval_print(struct ay_cli *cli, const json_t *a)
{
	(void)cli;
	printf("%s of %s is %s", ay_answer_text(a, "kind", "-"), ay_answer_text(a, "title", "-"),
	       ay_answer_text(a, "state", "-"));
	if (strcmp(ay_answer_text(a, "state", ""), "pending") == 0)
		printf(" until %s: somebody else than %s runs\n  assay approval approve %s",
		       ay_answer_text(a, "expires_at", "-"), ay_answer_text(a, "requester", "-"),
		       ay_answer_text(a, "id", "-"));
	putchar('\n');
	return AY_EXIT_OK;
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "KIND", "kind", NULL },
		{ "OBJECT", "title", NULL },
		{ "STATE", "state", NULL },
		{ "ASKED BY", "requester", NULL },
		{ "ASKED", "requested_at", NULL },
		{ "EXPIRES", "expires_at", NULL },
		{ "DECIDED BY", "decided_by", NULL },
		{ "ID", "id", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list pending = { "/approvals?limit=500&state=pending", NULL,
						columns };
	static const struct ay_list all = { "/approvals?limit=500", NULL, columns };

	return ay_cli_list(cli, ay_args_has(args, "all") ? &all : &pending);
}

static int run_show(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "GET", "/approvals/", args->pos[0], "", NULL, NULL);
}

static int print_done(struct ay_cli *cli, const json_t *j)
{
	const json_t *a = json_object_get(j, "approval");

	return ay_approval_print(cli, a == NULL ? j : a);
}

static int decide(struct ay_cli *cli, const struct ay_args *args, const char *verb)
{
	const char *reason = ay_args_opt(args, "reason", 0);
	json_t *body = json_object();

	if (reason != NULL)
		json_object_set_new(body, "reason", json_string(reason));
	return ay_cli_call_on(cli, "POST", "/approvals/", args->pos[0], verb, body, print_done);
}

static int run_approve(struct ay_cli *cli, const struct ay_args *args)
{
	return decide(cli, args, "/approve");
}

static int run_deny(struct ay_cli *cli, const struct ay_args *args)
{
	return decide(cli, args, "/deny");
}

static const struct ay_opt list_opts[] = {
	{ "all", NULL, "those decided too" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt decide_opts[] = {
	{ "reason", "TEXT", "why; kept in the audit" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_approval_list = {
	"approval", "list", "", 0, 0, list_opts, "operations that wait for a second person",
	run_list
};
const struct ay_cmd ay_cmd_approval_show = { "approval", "show", "ID",		1,
					     1,		 NULL,	 "one of them", run_show };
const struct ay_cmd ay_cmd_approval_approve = {
	"approval", "approve", "ID", 1, 1, decide_opts, "do what somebody else asked for",
	run_approve
};
const struct ay_cmd ay_cmd_approval_deny = {
	"approval", "deny", "ID", 1, 1, decide_opts, "refuse what somebody else asked for", run_deny
};
