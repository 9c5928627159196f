/* SPDX-License-Identifier: Apache-2.0 */
/* assay assertion get, ek approve, config show */
#include "prog/assay/client.h"
#include "prog/assay/commands.h"

#include <stdlib.h>
#include <string.h>

static int call_json(struct ay_cli *cli, const char *method, const char *path, json_t *body)
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
		if (a.json != NULL)
			rc = ay_cli_print_json(a.json);
		ay_answer_fini(&a);
	}
	ay_client_close(c);
	return rc;
}

static void add_query(char *after, size_t max, const char *name, const char *value)
{
	size_t n = strlen(after);
	char *escaped = value == NULL ? NULL : ay_client_path("", value, "");

	if (escaped != NULL)
		snprintf(after + n, max - n, "&%s=%s", name, escaped);
	free(escaped);
}

/* The statement goes out octet by octet as the server signed it. */
static int run_assertion_get(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct {
		const char *format, *profile, *accept;
	} formats[] = {
		{ "saml", "assay", "application/samlassertion+xml" },
		{ "cit", "cit", "application/samlassertion+xml" },
		{ "secl", "secl", "application/samlassertion+xml" },
		{ "ear", "ear", "application/eat+jwt" },
	};
	const char *format = ay_args_opt(args, "format", 0), *accept = NULL;
	char after[1024] = "";
	char *path;
	struct ay_client *c;
	struct ay_answer a;
	int rc;

	for (size_t i = 0; i < AY_COUNT(formats); i++) {
		if (strcmp(format == NULL ? "saml" : format, formats[i].format) != 0)
			continue;
		accept = formats[i].accept;
		snprintf(after, sizeof(after), "/assertion?profile=%s", formats[i].profile);
	}
	if (accept == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "--format is saml, cit, secl or ear");
	add_query(after, sizeof(after), "audience", ay_args_opt(args, "audience", 0));
	add_query(after, sizeof(after), "nonce", ay_args_opt(args, "nonce", 0));
	add_query(after, sizeof(after), "force_verify", ay_args_has(args, "fresh") ? "true" : NULL);
	rc = ay_client_open(cli, &c);
	if (rc != AY_EXIT_OK)
		return rc;
	path = ay_client_path("/hosts/", args->pos[0], after);
	rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			  : ay_client_call(c, "GET", path, NULL, accept, &a);
	if (rc == AY_EXIT_OK) {
		fwrite(a.body, 1, a.n, stdout);
		ay_answer_fini(&a);
	}
	free(path);
	ay_client_close(c);
	return rc;
}

static int run_ek_approve(struct ay_cli *cli, const struct ay_args *args)
{
	return call_json(cli, "POST", "/ek-approvals", json_pack("{s:s}", "hash", args->pos[0]));
}

static int run_config_show(struct ay_cli *cli, const struct ay_args *args)
{
	(void)args;
	return call_json(cli, "GET", "/config?limit=1000", NULL);
}

static int run_key_list(struct ay_cli *cli, const struct ay_args *args)
{
	(void)args;
	return call_json(cli, "GET", "/keys", NULL);
}

static const struct ay_opt get_opts[] = {
	{ "format", "F", "saml, cit, secl or ear (saml)" },
	{ "audience", "URI", "the relying party the statement is for" },
	{ "nonce", "TEXT", "to be found in the statement, which is then made anew" },
	{ "fresh", NULL, "let the host attest first" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_assertion_get = {
	"assertion",	  "get", "HOST", 1, 1, get_opts, "a signed statement of a host's trust",
	run_assertion_get
};
const struct ay_cmd ay_cmd_ek_approve = { "ek",
					  "approve",
					  "HASH",
					  1,
					  1,
					  NULL,
					  "let a TPM without a known EK certificate enrol",
					  run_ek_approve };
const struct ay_cmd ay_cmd_config_show = {
	"config", "show", "", 0, 0, NULL, "the server's effective configuration", run_config_show
};

const struct ay_cmd ay_cmd_key_list = {
	"key",
	"list",
	"",
	0,
	0,
	NULL,
	"keys and certificates of the server, and until when they hold",
	run_key_list
};
