/* SPDX-License-Identifier: Apache-2.0 */
/* assay policy list | show | set | lint | activate | revoke | attach | detach | attachments */
#include "core/appraise/lint.h"
#include "prog/assay/approval.h"
#include "prog/assay/commands.h"
#include "prog/assay/list.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETS_MAX 64

static int call_named(struct ay_cli *cli, const char *method, const char *name, const char *after,
		      ay_print_fn *print)
{
	return ay_cli_call_on(cli, method, "/policies/", name, after, NULL, print);
}

/* ---- list and show ---- */

static void waivers_cell(struct ay_table *t, const json_t *p)
{
	ay_table_addf(t, "%zu", json_array_size(json_object_get(p, "waivers")));
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "NAME", "name", NULL },	   { "VERSION", "version", NULL },
		{ "STATE", "state", NULL },	   { "REQUIRED", "required", NULL },
		{ "WAIVERS", NULL, waivers_cell }, { "CREATED", "created_at", NULL },
		{ "BY", "created_by", NULL },	   { NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/policies?limit=500", NULL, columns };

	(void)args;
	return ay_cli_list(cli, &list);
}

static int run_show(struct ay_cli *cli, const struct ay_args *args)
{
	return call_named(cli, "GET", args->pos[0], "", NULL);
}

static void labels_cell(struct ay_table *t, const json_t *a)
{
	char text[512] = "";
	const char *key;
	size_t n = 0;
	json_t *v;

	json_object_foreach (json_object_get(a, "labels"), key, v)
		if (n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s=%s",
					      n > 0 ? "," : "", key, json_string_value(v));
	ay_table_add(t, text);
}

static int run_attachments(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "LABELS", NULL, labels_cell },
		{ "POLICY", "policy", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/policy-attachments?limit=500", NULL, columns };

	(void)args;
	return ay_cli_list(cli, &list);
}

/* ---- complaints ---- */

static int print_complaints(const json_t *list_of)
{
	json_t *o;
	size_t i;

	json_array_foreach (list_of, i, o) {
		printf("%s %s: ", ay_answer_text(o, "severity", "?"),
		       ay_answer_text(o, "code", "?"));
		ay_cli_print_safe(stdout, ay_bytes_of(ay_answer_text(o, "text", "")));
		printf("\n  fix: ");
		ay_cli_print_safe(stdout, ay_bytes_of(ay_answer_text(o, "fix", "")));
		printf("\n");
	}
	return AY_EXIT_OK;
}

static int print_lint(struct ay_cli *cli, const json_t *answer)
{
	long long errors = json_integer_value(json_object_get(answer, "errors"));
	size_t n = json_array_size(json_object_get(answer, "complaints"));

	(void)cli;
	print_complaints(json_object_get(answer, "complaints"));
	printf("%lld errors, %lld warnings\n", errors, (long long)n - errors);
	return AY_EXIT_OK;
}

static int print_one(struct ay_cli *cli, const json_t *p)
{
	const json_t *approval = json_object_get(p, "approval");

	if (approval != NULL)
		return ay_approval_print(cli, approval);
	print_complaints(json_object_get(p, "complaints"));
	printf("%s version %lld: %s\n", ay_answer_text(p, "name", "-"),
	       (long long)json_integer_value(json_object_get(p, "version")),
	       ay_answer_text(p, "state", "-"));
	return AY_EXIT_OK;
}

/* ---- documents in files ---- */

static int read_document(const char *path, json_t **out)
{
	struct ay_err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	int rc = ay_cli_read_file(path, AY_MAX_POLICY_BYTES, &p, &n);

	*out = NULL;
	if (rc == AY_EXIT_OK && ay_json_load((struct ay_bytes){ p, n }, AY_MAX_POLICY_BYTES,
					     "policy", out, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	free(p);
	return rc;
}

static int run_set(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *doc;
	int rc = read_document(args->pos[0], &doc);

	return rc != AY_EXIT_OK ? rc
				: ay_cli_call(cli, "POST", "/policies",
					      json_pack("{s:o}", "policy", doc), print_one);
}

/* ---- lint ---- */

struct offline_sets {
	const struct ay_refset *set[SETS_MAX];
	size_t n;
};

static int load_set(const char *path, struct offline_sets *s)
{
	struct ay_refset *set = NULL;
	struct ay_err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	int rc = s->n == SETS_MAX ? ay_cli_error(AY_EXIT_USAGE, "more than %d sets", SETS_MAX)
				  : ay_cli_read_file(path, AY_MAX_REFSET_BYTES, &p, &n);

	if (rc == AY_EXIT_OK && ay_refset_parse((struct ay_bytes){ p, n }, &set, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	if (set != NULL)
		s->set[s->n++] = set;
	free(p);
	return rc;
}

static void sets_free(struct offline_sets *s)
{
	while (s->n > 0)
		ay_refset_free((struct ay_refset *)(uintptr_t)s->set[--s->n]);
}

static int lint_with(struct ay_cli *cli, const struct ay_policy *p, const struct offline_sets *s)
{
	struct ay_lint_in in = { .policy = p,
				 .sets = s->set,
				 .n_sets = s->n,
				 .sets_known = s->n > 0,
				 .now_ms = 1000 * (int64_t)time(NULL) };
	size_t n_errors;
	json_t *found = ay_lint_json(&in, &n_errors);
	int rc;

	if (found == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	rc = cli->json ? ay_cli_print_json(found) : print_lint(cli, found);
	json_decref(found);
	return rc == AY_EXIT_OK && n_errors > 0 ? AY_EXIT_FINDING : rc;
}

static int lint_offline(struct ay_cli *cli, const struct ay_args *args)
{
	struct offline_sets sets = { .n = 0 };
	struct ay_policy *policy = NULL;
	struct ay_err e = { 0 };
	const char *path;
	json_t *doc;
	int rc = read_document(args->pos[0], &doc);

	if (rc == AY_EXIT_OK && ay_policy_from_json(doc, &policy, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, args->pos[0], &e);
	for (size_t i = 0; rc == AY_EXIT_OK && (path = ay_args_opt(args, "reference", i)) != NULL;
	     i++)
		rc = load_set(path, &sets);
	if (rc == AY_EXIT_OK)
		rc = lint_with(cli, policy, &sets);
	ay_policy_free(policy);
	sets_free(&sets);
	json_decref(doc);
	return rc;
}

static int exit_by_errors(struct ay_client *c, struct ay_cli *cli, json_t *doc)
{
	struct ay_answer a;
	int rc = ay_client_call(c, "POST", "/policies/lint", json_pack("{s:O}", "policy", doc),
				NULL, &a);

	if (rc != AY_EXIT_OK)
		return rc;
	rc = cli->json ? ay_cli_print_json(a.json) : print_lint(cli, a.json);
	if (rc == AY_EXIT_OK && json_integer_value(json_object_get(a.json, "errors")) > 0)
		rc = AY_EXIT_FINDING;
	ay_answer_fini(&a);
	return rc;
}

static int run_lint(struct ay_cli *cli, const struct ay_args *args)
{
	struct ay_client *c;
	json_t *doc;
	int rc;

	if (ay_args_has(args, "offline") || ay_args_has(args, "reference"))
		return lint_offline(cli, args);
	rc = read_document(args->pos[0], &doc);
	if (rc == AY_EXIT_OK)
		rc = ay_client_open(cli, &c);
	if (rc == AY_EXIT_OK) {
		rc = exit_by_errors(c, cli, doc);
		ay_client_close(c);
	}
	json_decref(doc);
	return rc;
}

/* ---- life and attachment ---- */

static int run_activate(struct ay_cli *cli, const struct ay_args *args)
{
	return call_named(cli, "POST", args->pos[0], "/activate", print_one);
}

static int run_revoke(struct ay_cli *cli, const struct ay_args *args)
{
	return call_named(cli, "POST", args->pos[0], "/revoke", print_one);
}

/* --label k=v ...; NULL with *rc when one of them is no label. */
static json_t *labels_of(const struct ay_args *args, int *rc)
{
	json_t *labels = json_object();
	const char *text, *eq;

	for (size_t i = 0; (text = ay_args_opt(args, "label", i)) != NULL; i++) {
		char key[AY_MAX_NAME_BYTES + 1];

		eq = strchr(text, '=');
		if (eq == NULL || eq == text || (size_t)(eq - text) >= sizeof(key)) {
			*rc = ay_cli_error(AY_EXIT_USAGE, "--label %s: write KEY=VALUE", text);
			json_decref(labels);
			return NULL;
		}
		memcpy(key, text, (size_t)(eq - text));
		key[eq - text] = '\0';
		(void)json_object_set_new(labels, key, json_string(eq + 1));
	}
	return labels;
}

/* To one host or to labels: the body without the policy; NULL with *rc. */
static json_t *target_of(const struct ay_args *args, size_t at, int *rc)
{
	bool by_label = ay_args_has(args, "label");
	json_t *labels;

	*rc = AY_EXIT_OK;
	if (by_label == (args->n_pos > at)) {
		*rc = ay_cli_error(AY_EXIT_USAGE, "give a host or --label k=v, one of the two");
		return NULL;
	}
	if (!by_label)
		return json_pack("{s:s}", "host", args->pos[at]);
	labels = labels_of(args, rc);
	return labels == NULL ? NULL : json_pack("{s:o}", "labels", labels);
}

static int print_attached(struct ay_cli *cli, const json_t *a)
{
	(void)cli;
	(void)a;
	printf("done\n");
	return AY_EXIT_OK;
}

static int run_attach(struct ay_cli *cli, const struct ay_args *args)
{
	int rc;
	json_t *body = target_of(args, 1, &rc);

	if (body == NULL)
		return rc;
	json_object_set_new(body, "policy", json_string(args->pos[0]));
	return ay_cli_call(cli, "POST", "/policy-attachments/attach", body, print_attached);
}

static int run_detach(struct ay_cli *cli, const struct ay_args *args)
{
	int rc;
	json_t *body = target_of(args, 0, &rc);

	return body == NULL ? rc
			    : ay_cli_call(cli, "POST", "/policy-attachments/detach", body,
					  print_attached);
}

static const struct ay_opt lint_opts[] = {
	{ "offline", NULL, "without a server: nothing is said of reference sets" },
	{ "reference", "SET.json", "without a server, with this set; may be repeated" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt attach_opts[] = {
	{ "label", "K=V", "all hosts with this label; more than one: with all of them" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_policy_list = { "policy", "list",	       "",	0, 0,
					   NULL,     "trust policies", run_list };
const struct ay_cmd ay_cmd_policy_show = { "policy", "show", "NAME[@VERSION]",	 1,
					   1,	     NULL,   "one trust policy", run_show };
const struct ay_cmd ay_cmd_policy_set = {
	"policy", "set", "FILE", 1, 1, NULL, "keep a draft: the next version of its name", run_set
};
const struct ay_cmd ay_cmd_policy_lint = {
	"policy", "lint", "FILE", 1, 1, lint_opts, "what is wrong with a policy", run_lint
};
const struct ay_cmd ay_cmd_policy_activate = {
	"policy", "activate", "NAME[@VERSION]", 1, 1, NULL, "put a version in force", run_activate
};
const struct ay_cmd ay_cmd_policy_revoke = {
	"policy",  "revoke", "NAME[@VERSION]", 1, 1, NULL, "take a version out of force for good",
	run_revoke
};
const struct ay_cmd ay_cmd_policy_attach = { "policy",
					     "attach",
					     "NAME [HOST]",
					     1,
					     2,
					     attach_opts,
					     "attach a policy to a host or to labels",
					     run_attach };
const struct ay_cmd ay_cmd_policy_detach = {
	"policy", "detach", "[HOST]", 0, 1, attach_opts, "end such an attachment", run_detach
};
const struct ay_cmd ay_cmd_policy_attachments = {
	"policy",
	"attachments",
	"",
	0,
	0,
	NULL,
	"policies attached to labels, in order of precedence",
	run_attachments
};
