/* SPDX-License-Identifier: Apache-2.0 */
/* assay policy what-if | reference what-if */
#include "prog/assay/client.h"
#include "prog/assay/commands.h"
#include "prog/assay/table.h"

#include "core/base/json.h"
#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_CELLS 30
#define POLL_MS 100

static int64_t number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

/* ---- what is asked ---- */

/* The argument is a file if there is one of that name; else a stored draft. */
static int read_draft(const char *draft, json_t *body, const char **id)
{
	struct ay_err e = { 0 };
	json_t *document = NULL;
	uint8_t *p = NULL;
	size_t n = 0;
	int rc;

	*id = draft;
	if (access(draft, R_OK) != 0)
		return AY_EXIT_OK;
	rc = ay_cli_read_file(draft, AY_MAX_API_BODY, &p, &n);
	if (rc != AY_EXIT_OK)
		return rc;
	if (ay_json_load((struct ay_bytes){ p, n }, n, "draft", &document, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, draft, &e);
	else
		json_object_set_new(body, "document", document);
	free(p);
	*id = "-";
	return rc;
}

static int add_labels(const struct ay_args *args, json_t *body)
{
	json_t *labels = json_object();
	const char *kv;

	json_object_set_new(body, "labels", labels);
	for (size_t i = 0; (kv = ay_args_opt(args, "label", i)) != NULL; i++) {
		const char *eq = strchr(kv, '=');
		char key[256];

		if (eq == NULL || eq == kv || (size_t)(eq - kv) >= sizeof(key))
			return ay_cli_error(AY_EXIT_USAGE, "--label %s: write key=value", kv);
		snprintf(key, sizeof(key), "%.*s", (int)(eq - kv), kv);
		json_object_set_new(labels, key, json_string(eq + 1));
	}
	if (json_object_size(labels) == 0)
		json_object_del(body, "labels");
	return AY_EXIT_OK;
}

/* ---- while it runs ---- */

static void draw(const json_t *run)
{
	int64_t hosts = number(run, "hosts"), judged = number(run, "judged");
	int cells = hosts > 0 ? (int)(BAR_CELLS * judged / hosts) : BAR_CELLS;

	fprintf(stderr, "\r[");
	for (int i = 0; i < BAR_CELLS; i++)
		fputc(i < cells ? '#' : '.', stderr);
	fprintf(stderr, "] %lld of %lld hosts, %lld would change ", (long long)judged,
		(long long)hosts, (long long)number(run, "flips"));
}

static bool is_running(const json_t *run)
{
	return strcmp(ay_answer_text(run, "state", ""), "running") == 0;
}

/* Asks until it is over; *run is replaced. */
static int follow(struct ay_client *c, json_t **run)
{
	bool bar = isatty(STDERR_FILENO) == 1;
	char *path = ay_client_path("/what-if/", ay_answer_text(*run, "id", ""), "");
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	int rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory") : AY_EXIT_OK;

	while (rc == AY_EXIT_OK && is_running(*run)) {
		struct ay_answer a;

		if (bar)
			draw(*run);
		nanosleep(&pause, NULL);
		rc = ay_client_call(c, "GET", path, NULL, NULL, &a);
		if (rc != AY_EXIT_OK)
			break;
		json_decref(*run);
		*run = json_incref(a.json);
		ay_answer_fini(&a);
	}
	if (bar && rc == AY_EXIT_OK)
		draw(*run);
	if (bar)
		fputc('\n', stderr);
	free(path);
	return rc;
}

/* ---- what came of it ---- */

static void flip_row(struct ay_table *t, const json_t *f)
{
	const json_t *cause = json_array_get(json_object_get(f, "causes"), 0);
	char components[160] = "";
	const char *name;
	json_t *v;
	size_t n = 0;

	json_object_foreach ((json_t *)(uintptr_t)json_object_get(f, "components"), name, v)
		if (n < sizeof(components))
			n += (size_t)snprintf(components + n, sizeof(components) - n, "%s%s",
					      n ? "," : "", name);
	ay_table_add(t, ay_answer_text(f, "name", ay_answer_text(f, "host", NULL)));
	ay_table_add(t, ay_answer_text(f, "from", NULL));
	ay_table_add(t, ay_answer_text(f, "to", NULL));
	ay_table_add(t, components[0] ? components : NULL);
	ay_table_add(t, ay_answer_text(cause, "class", NULL));
	ay_table_add(t, ay_answer_text(cause, "text", NULL));
}

static void print_flips(struct ay_cli *cli, const json_t *run, const json_t *flips)
{
	static const char *const heads[] = { "HOST",  "NOW", "WOULD BE", "COMPONENTS",
					     "CAUSE", "WHY", NULL };
	struct ay_table t;
	json_t *f;
	size_t i;

	if (json_array_size(flips) > 0) {
		ay_table_init(&t, cli, heads);
		json_array_foreach (flips, i, f)
			flip_row(&t, f);
		ay_table_print(&t, stdout);
	}
	printf("%lld of %lld hosts would get another verdict", (long long)number(run, "flips"),
	       (long long)number(run, "hosts"));
	if (number(run, "not_judged") > 0)
		printf("; of %lld not enough evidence was kept",
		       (long long)number(run, "not_judged"));
	if (number(run, "without_evidence") > 0)
		printf("; %lld have never attested", (long long)number(run, "without_evidence"));
	if (number(run, "unaffected") > 0)
		printf("; %lld are not concerned", (long long)number(run, "unaffected"));
	puts("");
}

/* Exit 1 when a host that is trusted would not be any more. */
static int verdict_of(const json_t *flips)
{
	json_t *f;
	size_t i;

	json_array_foreach (flips, i, f)
		if (strcmp(ay_answer_text(f, "from", ""), "trusted") == 0)
			return AY_EXIT_FINDING;
	return AY_EXIT_OK;
}

static int print_end(struct ay_cli *cli, struct ay_client *c, json_t *run)
{
	char *path = ay_client_path("/what-if/", ay_answer_text(run, "id", ""), "/flips?limit=500");
	json_t *flips = NULL, *both;
	int rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			      : ay_client_list(c, path, &flips);

	free(path);
	if (rc != AY_EXIT_OK)
		return rc;
	if (cli->json) {
		both = json_pack("{s:O, s:O}", "run", run, "flips", flips);
		rc = ay_cli_print_json(both);
		json_decref(both);
	} else {
		print_flips(cli, run, flips);
	}
	if (rc == AY_EXIT_OK && strcmp(ay_answer_text(run, "state", ""), "done") != 0)
		rc = ay_cli_error(AY_EXIT_IO, "the run was cancelled");
	rc = rc == AY_EXIT_OK ? verdict_of(flips) : rc;
	json_decref(flips);
	return rc;
}

static int start(struct ay_client *c, const char *before, const char *id, json_t *body,
		 json_t **run)
{
	char *path = ay_client_path(before, id, "/what-if");
	struct ay_answer a;
	int rc;

	*run = NULL;
	if (path == NULL) {
		json_decref(body);
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	}
	rc = ay_client_call(c, "POST", path, body, NULL, &a);
	free(path);
	if (rc != AY_EXIT_OK)
		return rc;
	*run = json_incref(a.json);
	ay_answer_fini(&a);
	return *run ? AY_EXIT_OK : ay_cli_error(AY_EXIT_IO, "the server's answer is no JSON");
}

static int run_whatif(struct ay_cli *cli, const struct ay_args *args, const char *before)
{
	const char *id = NULL, *instead = ay_args_opt(args, "instead-of", 0);
	json_t *body = json_object(), *run = NULL;
	struct ay_client *c;
	int rc = read_draft(args->pos[0], body, &id);

	if (rc == AY_EXIT_OK)
		rc = add_labels(args, body);
	if (instead != NULL)
		json_object_set_new(body, "instead_of", json_string(instead));
	if (ay_args_has(args, "supersede"))
		json_object_set_new(body, "supersede", json_true());
	if (rc == AY_EXIT_OK)
		rc = ay_client_open(cli, &c);
	if (rc != AY_EXIT_OK) {
		json_decref(body);
		return rc;
	}
	rc = start(c, before, id, body, &run);
	if (rc == AY_EXIT_OK && !ay_args_has(args, "no-wait"))
		rc = follow(c, &run);
	if (rc == AY_EXIT_OK && ay_args_has(args, "no-wait"))
		rc = ay_cli_print_json(run);
	else if (rc == AY_EXIT_OK)
		rc = print_end(cli, c, run);
	json_decref(run);
	ay_client_close(c);
	return rc;
}

static int run_policy(struct ay_cli *cli, const struct ay_args *args)
{
	return run_whatif(cli, args, "/policies/");
}

static int run_reference(struct ay_cli *cli, const struct ay_args *args)
{
	return run_whatif(cli, args, "/reference-sets/");
}

static const struct ay_opt policy_opts[] = {
	{ "label", "K=V", "only hosts with this label; may be repeated" },
	{ "instead-of", "NAME", "judge the hosts of this policy (those of the draft's own name)" },
	{ "no-wait", NULL, "print the run and return; look at it under /what-if/RUN" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt reference_opts[] = {
	{ "supersede", NULL, "as if the other versions of its name in force ended" },
	{ "label", "K=V", "only hosts with this label; may be repeated" },
	{ "no-wait", NULL, "print the run and return; look at it under /what-if/RUN" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_policy_whatif = { "policy",
					     "what-if",
					     "DRAFT",
					     1,
					     1,
					     policy_opts,
					     "which hosts would get another verdict: a stored "
					     "version or a file",
					     run_policy };
const struct ay_cmd ay_cmd_reference_whatif = { "reference",
						"what-if",
						"DRAFT",
						1,
						1,
						reference_opts,
						"which hosts would get another verdict: a stored "
						"version or a file",
						run_reference };
