/* SPDX-License-Identifier: Apache-2.0 */
/* assay webhook add | list | show | test | pause | resume | rotate | remove */
#include "prog/assay/commands.h"
#include "prog/assay/list.h"

#include <stdlib.h>
#include <string.h>

enum { CA_MAX = 65536 };

/* types: ["..",..] from every --type. */
static void add_types(const struct ay_args *args, json_t *body)
{
	json_t *types = json_array();
	const char *type;

	for (size_t i = 0; (type = ay_args_opt(args, "type", i)) != NULL; i++)
		json_array_append_new(types, json_string(type));
	if (json_array_size(types) > 0)
		json_object_set(body, "types", types);
	json_decref(types);
}

static int add_labels(const struct ay_args *args, json_t *body)
{
	json_t *labels = json_object();
	const char *text;

	for (size_t i = 0; (text = ay_args_opt(args, "label", i)) != NULL; i++) {
		const char *eq = strchr(text, '=');

		if (eq == NULL || eq == text) {
			json_decref(labels);
			return ay_cli_error(AY_EXIT_USAGE, "--label %s: write KEY=VALUE", text);
		}
		json_object_setn_new(labels, text, (size_t)(eq - text), json_string(eq + 1));
	}
	if (json_object_size(labels) > 0)
		json_object_set(body, "labels", labels);
	json_decref(labels);
	return AY_EXIT_OK;
}

static int add_ca(const struct ay_args *args, json_t *body)
{
	const char *file = ay_args_opt(args, "target-ca", 0);
	uint8_t *p = NULL;
	size_t n = 0;
	json_t *pem;
	int rc = file == NULL ? AY_EXIT_OK : ay_cli_read_file(file, CA_MAX, &p, &n);

	if (file == NULL || rc != AY_EXIT_OK)
		return rc;
	pem = json_stringn((const char *)p, n);
	free(p);
	if (pem == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "%s: no PEM file", file);
	json_object_set_new(body, "ca", pem);
	return AY_EXIT_OK;
}

/* Alone, so that S=$(assay webhook add ..) works; it is never told again. */
static int print_secret(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	puts(ay_answer_text(j, "secret", ""));
	return AY_EXIT_OK;
}

static int run_add(struct ay_cli *cli, const struct ay_args *args)
{
	const char *url = ay_args_opt(args, "url", 0);
	json_t *body;
	int rc;

	if (url == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "--url is missing: where events are posted");
	body = json_pack("{s:s, s:s}", "name", args->pos[0], "url", url);
	if (body == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "name and URL are UTF-8");
	add_types(args, body);
	rc = add_labels(args, body);
	if (rc == AY_EXIT_OK)
		rc = add_ca(args, body);
	if (rc == AY_EXIT_OK)
		return ay_cli_call(cli, "POST", "/webhooks", body, print_secret);
	json_decref(body);
	return rc;
}

static const char *state_of(const json_t *hook)
{
	if (json_is_true(json_object_get(hook, "paused")))
		return "paused";
	return json_integer_value(json_object_get(hook, "failures")) > 0 ? "failing" : "active";
}

static void state_cell(struct ay_table *t, const json_t *hook)
{
	ay_table_add(t, state_of(hook));
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "WEBHOOK", "name", NULL },
		{ "STATE", NULL, state_cell },
		{ "FAILURES", "failures", NULL },
		{ "DELIVERED TO", "cursor", NULL },
		{ "LAST SUCCESS", "last_success", NULL },
		{ "TYPES", "types", NULL },
		{ "URL", "url", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/webhooks?limit=500", "name", columns };

	(void)args;
	return ay_cli_list(cli, &list);
}

static int run_show(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "GET", "/webhooks/", args->pos[0], "", NULL, NULL);
}

static int print_test(struct ay_cli *cli, const json_t *j)
{
	bool delivered = json_is_true(json_object_get(j, "delivered"));
	json_int_t status = json_integer_value(json_object_get(j, "status"));

	(void)cli;
	fputs(delivered ? "delivered: " : "not delivered: ", stdout);
	ay_cli_print_safe(stdout, ay_bytes_of(ay_answer_text(j, "text", "")));
	if (status != 0)
		printf(" (HTTP status %lld)", (long long)status);
	putchar('\n');
	return delivered ? AY_EXIT_OK : AY_EXIT_FINDING;
}

static int run_test(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "POST", "/webhooks/", args->pos[0], "/test", NULL, print_test);
}

static int print_state(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	printf("%s is %s\n", ay_answer_text(j, "name", "-"), state_of(j));
	return AY_EXIT_OK;
}

static int run_pause(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "POST", "/webhooks/", args->pos[0], "/pause", NULL, print_state);
}

static int run_resume(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "POST", "/webhooks/", args->pos[0], "/resume", NULL,
			      print_state);
}

static int run_rotate(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "POST", "/webhooks/", args->pos[0], "/rotate", NULL,
			      print_secret);
}

static int run_remove(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "DELETE", "/webhooks/", args->pos[0], "", NULL, NULL);
}

static const struct ay_opt add_opts[] = {
	{ "url", "URL", "where events are posted: https://HOST[:PORT]/PATH" },
	{ "type", "TYPE", "events of this type (docs/events.md) alone; may be repeated" },
	{ "label", "K=V", "events of hosts with this label alone; may be repeated" },
	{ "target-ca", "FILE", "roots (PEM) of its certificate, else those of the system" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_webhook_add = {
	"webhook",
	"add",
	"NAME",
	1,
	1,
	add_opts,
	"tell a server of events from now on; prints the secret that signs, once",
	run_add
};
const struct ay_cmd ay_cmd_webhook_list = {
	"webhook", "list", "", 0, 0, NULL, "who is told of events, and what came of it", run_list
};
const struct ay_cmd ay_cmd_webhook_show = { "webhook", "show", "NAME",	      1,
					    1,	       NULL,   "one of them", run_show };
const struct ay_cmd ay_cmd_webhook_test = {
	"webhook", "test", "NAME", 1, 1, NULL, "post an event now and say what came of it", run_test
};
const struct ay_cmd ay_cmd_webhook_pause = { "webhook", "pause", "NAME",	1,
					     1,		NULL,	 "events wait", run_pause };
const struct ay_cmd ay_cmd_webhook_resume = { "webhook", "resume",	    "NAME",    1, 1,
					      NULL,	 "post what waits", run_resume };
const struct ay_cmd ay_cmd_webhook_rotate = {
	"webhook", "rotate", "NAME", 1, 1, NULL, "a new secret, printed once; for a day both sign",
	run_rotate
};
const struct ay_cmd ay_cmd_webhook_remove = { "webhook", "remove",	    "NAME",    1, 1,
					      NULL,	 "tell it no more", run_remove };
