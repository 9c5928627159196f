/* SPDX-License-Identifier: Apache-2.0 */
/* assay reference learn | list | show | activate | supersede | revoke */
#include "prog/assay/reference.h"

#include "prog/assay/appraise.h"
#include "prog/assay/approval.h"
#include "prog/assay/commands.h"

#include <string.h>

int ay_reference_print(struct ay_cli *cli, const json_t *j)
{
	const json_t *approval = json_object_get(j, "approval");

	if (json_object_get(j, "name") != NULL)
		printf("%s version %lld: %s\n", ay_answer_text(j, "name", "-"),
		       (long long)json_integer_value(json_object_get(j, "version")),
		       ay_answer_text(j, "state", "-"));
	return approval == NULL ? AY_EXIT_OK : ay_approval_print(cli, approval);
}

static int learn_body(const struct ay_args *args, json_t *body)
{
	const char *name = ay_args_opt(args, "name", 0), *part;
	json_t *parts;

	if (args->n_pos == 0)
		return ay_cli_error(AY_EXIT_USAGE, "give a host, or a folder with --offline");
	if (name == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "give the set a name with --name");
	json_object_set_new(body, "host", json_string(args->pos[0]));
	json_object_set_new(body, "name", json_string(name));
	json_object_set_new(body, "activate", json_boolean(ay_args_has(args, "activate")));
	json_object_set_new(body, "supersede", json_boolean(ay_args_has(args, "supersede")));
	if (ay_args_opt(args, "part", 0) == NULL)
		return AY_EXIT_OK;
	parts = json_array();
	for (size_t i = 0; (part = ay_args_opt(args, "part", i)) != NULL; i++)
		json_array_append_new(parts, json_string(part));
	json_object_set_new(body, "parts", parts);
	return AY_EXIT_OK;
}

/* --pcr and --host-unique as lists of numbers, in the same words as the API. */
static int add_pcrs(const struct ay_args *args, const char *opt, const char *key, json_t *body)
{
	json_t *list = json_array();
	uint32_t mask;
	int rc = ay_learn_pcrs(args, opt, &mask);

	for (unsigned pcr = 0; rc == AY_EXIT_OK && pcr < 32; pcr++)
		if ((mask >> pcr & 1) != 0)
			json_array_append_new(list, json_integer(pcr));
	if (json_array_size(list) > 0)
		json_object_set(body, key, list);
	json_decref(list);
	return rc;
}

static int add_options(const struct ay_args *args, json_t *body)
{
	const char *note = ay_args_opt(args, "note", 0);
	json_t *match = NULL;
	int rc = add_pcrs(args, "pcr", "pcrs", body);

	if (rc == AY_EXIT_OK)
		rc = add_pcrs(args, "host-unique", "host_unique", body);
	if (rc == AY_EXIT_OK)
		rc = ay_learn_match(args, &match);
	if (match != NULL)
		json_object_set_new(body, "match", match);
	if (note != NULL)
		json_object_set_new(body, "note", json_string(note));
	return rc;
}

static int run_learn(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *body;
	int rc;

	if (ay_args_has(args, "offline"))
		return args->n_pos == 0
			       ? ay_learn_offline_run(cli, args)
			       : ay_cli_error(AY_EXIT_USAGE, "a host or --offline, not both");
	body = json_object();
	rc = learn_body(args, body);
	if (rc == AY_EXIT_OK)
		rc = add_options(args, body);
	if (rc != AY_EXIT_OK) {
		json_decref(body);
		return rc;
	}
	return ay_cli_call(cli, "POST", "/reference-sets/learn", body, ay_reference_print);
}

/* Parts come as {"os": number of rules}. */
static void parts_cell(struct ay_table *t, const json_t *set)
{
	json_t *parts = json_object_get(set, "parts"), *v;
	char text[128] = "";
	const char *part;
	size_t n = 0;

	json_object_foreach (parts, part, v)
		if (n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? "," : "",
					      part);
	ay_table_add(t, n ? text : NULL);
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "NAME", "name", NULL },
		{ "VERSION", "version", NULL },
		{ "STATE", "state", NULL },
		{ "HOSTS", "hosts", NULL },
		{ "SINCE", "activated_at", NULL },
		{ "UNTIL", "supersede_at", NULL },
		{ "PARTS", NULL, parts_cell },
		{ "SOURCE", "provenance.source", NULL },
		{ "ID", "id", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/reference-sets?limit=500", NULL, columns };

	(void)args;
	return ay_cli_list(cli, &list);
}

static int run_show(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "GET", "/reference-sets/", args->pos[0], "", NULL, NULL);
}

/* Options that change how a set comes into force or goes out of it. */
static int change(struct ay_cli *cli, const struct ay_args *args, const char *verb)
{
	const char *at = ay_args_opt(args, "at", 0);
	json_t *body = json_object();

	if (at != NULL)
		json_object_set_new(body, "supersede_at", json_string(at));
	if (ay_args_has(args, "supersede") || (at != NULL && strcmp(verb, "/activate") == 0))
		json_object_set_new(body, "supersede", json_true());
	if (ay_args_has(args, "force"))
		json_object_set_new(body, "force", json_true());
	return ay_cli_call_on(cli, "POST", "/reference-sets/", args->pos[0], verb, body,
			      ay_reference_print);
}

static int run_activate(struct ay_cli *cli, const struct ay_args *args)
{
	return change(cli, args, "/activate");
}

static int run_supersede(struct ay_cli *cli, const struct ay_args *args)
{
	return change(cli, args, "/supersede");
}

static int run_revoke(struct ay_cli *cli, const struct ay_args *args)
{
	return change(cli, args, "/revoke");
}

static const struct ay_opt learn_opts[] = {
	{ "name", "N", "name of the reference set" },
	{ "part", "P",
	  "platform, os, host_unique or runtime; may be repeated (all there is evidence for)" },
	{ "pcr", "N", "a PCR to learn; may be repeated (all that have values)" },
	{ "host-unique", "N",
	  "a PCR that is this host's own: part host_unique, which counts for it alone; may be "
	  "repeated" },
	{ "for-label", "K=V", "the set is for hosts with this label; V may hold * and ?" },
	{ "for-firmware", "V", "... with this version of the firmware; may hold * and ?" },
	{ "for-cmdline", "V", "... whose kernel was started with this command line" },
	{ "note", "TEXT", "why" },
	{ "offline", "DIR", "learn from the evidence of a folder, without a server" },
	{ "out", "SET.json", "with --offline: the file to write" },
	{ "activate", NULL, "put it in force at once, with the default policy if there is none" },
	{ "supersede", NULL, "with --activate: versions of that name in force end" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt activate_opts[] = {
	{ "supersede", NULL, "other versions of that name in force end" },
	{ "at", "TIME", "they end then (RFC 3339, UTC); until then old and new are accepted" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt supersede_opts[] = {
	{ "at", "TIME", "then (RFC 3339, UTC), not now" },
	{ "force", NULL, "though hosts or a policy rely on it" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt revoke_opts[] = {
	{ "force", NULL, "though hosts or a policy rely on it" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_reference_learn = {
	"reference", "learn", "[HOST]", 0, 1, learn_opts, "learn reference values from a good host",
	run_learn
};
const struct ay_cmd ay_cmd_reference_list = { "reference",
					      "list",
					      "",
					      0,
					      0,
					      NULL,
					      "reference sets, their states, how many hosts rely "
					      "on them and since when",
					      run_list };
const struct ay_cmd ay_cmd_reference_show = {
	"reference", "show", "SET", 1, 1, NULL, "one reference set: ID, NAME or NAME@VERSION",
	run_show
};
const struct ay_cmd ay_cmd_reference_activate = {
	"reference", "activate", "SET", 1, 1, activate_opts, "put a draft in force", run_activate
};
const struct ay_cmd ay_cmd_reference_supersede = {
	"reference",  "supersede", "SET", 1, 1, supersede_opts, "take a set out of force",
	run_supersede
};
const struct ay_cmd ay_cmd_reference_revoke = { "reference",
						"revoke",
						"SET",
						1,
						1,
						revoke_opts,
						"take a set out of force for good; hosts that rely "
						"on it are judged anew",
						run_revoke };
