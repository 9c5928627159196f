/* SPDX-License-Identifier: Apache-2.0 */
/* assay user cert: TLS client certificates of people and programs */
#include "prog/assay/commands.h"
#include "prog/assay/list.h"

#include <stdlib.h>
#include <string.h>

enum { CERT_MAX = 16384 };

static int print_cert(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	printf("%s  %s  %s\n", ay_answer_text(j, "id", "-"), ay_answer_text(j, "state", "-"),
	       ay_answer_text(j, "user", ay_answer_text(j, "name", "-")));
	return AY_EXIT_OK;
}

static int list(struct ay_cli *cli)
{
	static const struct ay_column columns[] = {
		{ "ID", "id", NULL },	    { "STATE", "state", NULL },
		{ "USER", "user", NULL },   { "NAME", "name", NULL },
		{ "KEY", "subject", NULL }, { "UNTIL", "not_after", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list all = { "/client-certificates?limit=500", "id", columns };

	return ay_cli_list(cli, &all);
}

static int add(struct ay_cli *cli, const char *user, const char *file)
{
	uint8_t *p;
	size_t n;
	int rc = ay_cli_read_file(file, CERT_MAX, &p, &n);
	json_t *body;

	if (rc != AY_EXIT_OK)
		return rc;
	body = json_pack("{ss%}", "certificate", (const char *)p, n);
	free(p);
	if (body == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "%s: is no PEM file", file);
	return ay_cli_call_on(cli, "POST", "/users/", user, "/client-certificates", body,
			      print_cert);
}

static int run(struct ay_cli *cli, const struct ay_args *args)
{
	const char *verb = args->pos[0];
	size_t n = args->n_pos - 1;

	if (strcmp(verb, "list") == 0 && n == 0)
		return list(cli);
	if (strcmp(verb, "add") == 0 && n == 2)
		return add(cli, args->pos[1], args->pos[2]);
	if (strcmp(verb, "ask") == 0 && n == 1)
		return ay_cli_call(cli, "POST", "/client-certificates",
				   json_pack("{ss}", "name", args->pos[1]), print_cert);
	if (strcmp(verb, "approve") == 0 && n == 2)
		return ay_cli_call_on(cli, "POST", "/client-certificates/", args->pos[1],
				      "/approve", json_pack("{ss}", "user", args->pos[2]),
				      print_cert);
	if (strcmp(verb, "revoke") == 0 && n == 1)
		return ay_cli_call_on(cli, "DELETE", "/client-certificates/", args->pos[1], "",
				      NULL, NULL);
	return ay_cli_error(AY_EXIT_USAGE, "user cert list | add USER FILE | ask NAME | approve ID "
					   "USER | revoke ID");
}

const struct ay_cmd ay_cmd_user_cert = {
	"user",
	"cert",
	"list | add USER FILE | ask NAME | approve ID USER | revoke ID",
	1,
	3,
	NULL,
	"TLS client certificates: ask for one's own by --cert and --key, approve somebody's",
	run
};
