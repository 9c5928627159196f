/* SPDX-License-Identifier: Apache-2.0 */
/* assay host reports | diff */
#include "prog/assay/commands.h"
#include "prog/assay/list.h"

#include <stdlib.h>
#include <string.h>

#define DIGEST_SHOWN 16 /* hex digits in tables; --json has them all */

/* ---- reports ---- */

static int run_reports(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = { { "AT", "at", NULL },
						    { "VERDICT", "verdict", NULL },
						    { "LEASE UNTIL", "lease_until", NULL },
						    { "REPORT", "id", NULL },
						    { NULL, NULL, NULL } };
	struct ay_list list = { .columns = columns };
	char *path = ay_client_path("/hosts/", args->pos[0], "/reports");
	int rc;

	if (path == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	list.path = path;
	rc = ay_cli_list(cli, &list);
	free(path);
	return rc;
}

/* ---- diff ---- */

static void print_side(const char *letter, const json_t *side)
{
	printf("%s  ", letter);
	ay_cli_print_safe(stdout, ay_bytes_of(ay_answer_text(side, "name", "-")));
	printf("  %s  report %s%s%s\n", ay_answer_text(side, "at", "-"),
	       ay_answer_text(side, "report", "-"),
	       json_is_true(json_object_get(side, "has_log")) ? "" : "  (no boot log)",
	       json_is_true(json_object_get(side, "has_ima")) ? "" : "  (no IMA list)");
}

static const char *kind_of(const json_t *a, const json_t *b)
{
	if (json_is_null(a))
		return "only B";
	return json_is_null(b) ? "only A" : "changed";
}

static void add_digest(struct ay_table *t, const char *digest)
{
	if (digest == NULL)
		ay_table_add(t, NULL);
	else
		ay_table_addf(t, "%.*s", DIGEST_SHOWN, digest);
}

static void add_event_name(struct ay_table *t, const json_t *ev)
{
	const char *summary = ay_answer_text(ev, "summary", "");

	if (json_is_null(ev))
		ay_table_add(t, NULL);
	else
		ay_table_addf(t, "#%lld %.60s",
			      (long long)json_integer_value(json_object_get(ev, "index")),
			      *summary ? summary : ay_answer_text(ev, "type", "-"));
}

static void print_events(struct ay_cli *cli, const json_t *events)
{
	static const char *const heads[] = {
		"PCR", "EVENT", "A", "B", "DIGEST A", "DIGEST B", NULL
	};
	struct ay_table t;
	const json_t *row;
	size_t i;

	ay_table_init(&t, cli, heads);
	json_array_foreach ((json_t *)(uintptr_t)events, i, row) {
		const json_t *a = json_object_get(row, "a"), *b = json_object_get(row, "b");

		ay_table_addf(&t, "%lld",
			      (long long)json_integer_value(json_object_get(row, "pcr")));
		ay_table_add(&t, kind_of(a, b));
		add_event_name(&t, a);
		add_event_name(&t, b);
		add_digest(&t, ay_answer_text(a, "digest", NULL));
		add_digest(&t, ay_answer_text(b, "digest", NULL));
	}
	ay_table_print(&t, stdout);
}

/* "sha256:HEX": the digits behind the name. */
static const char *digits(const json_t *v)
{
	const char *s = json_string_value(v), *colon = s == NULL ? NULL : strchr(s, ':');

	return colon == NULL ? s : colon + 1;
}

static void print_files(struct ay_cli *cli, const json_t *files)
{
	static const char *const heads[] = { "FILE", "IS", "DIGEST A", "DIGEST B", NULL };
	struct ay_table t;
	const json_t *row;
	size_t i;

	ay_table_init(&t, cli, heads);
	json_array_foreach ((json_t *)(uintptr_t)files, i, row) {
		const json_t *a = json_object_get(row, "a"), *b = json_object_get(row, "b");

		ay_table_add(&t, ay_answer_text(row, "path", "-"));
		ay_table_add(&t, kind_of(a, b));
		add_digest(&t, digits(a));
		add_digest(&t, digits(b));
	}
	ay_table_print(&t, stdout);
}

static void print_pcrs(const json_t *pcrs)
{
	const json_t *row;
	size_t i;

	if (json_array_size(pcrs) == 0)
		return;
	printf("PCRs that differ:");
	json_array_foreach ((json_t *)(uintptr_t)pcrs, i, row)
		printf(" %s:%lld", ay_answer_text(row, "bank", "-"),
		       (long long)json_integer_value(json_object_get(row, "pcr")));
	putchar('\n');
}

static long long number(const json_t *j, const char *of, const char *what)
{
	return (long long)json_integer_value(json_object_get(json_object_get(j, of), what));
}

/* A table that was cut says so. */
static void print_cut(const json_t *shown, long long all, const char *what)
{
	if ((long long)json_array_size(shown) < all)
		printf("... and %lld %s more\n", all - (long long)json_array_size(shown), what);
}

static void print_diff(struct ay_cli *cli, const json_t *j)
{
	const json_t *events = json_object_get(j, "events"), *files = json_object_get(j, "files");

	print_side("A", json_object_get(j, "a"));
	print_side("B", json_object_get(j, "b"));
	print_pcrs(json_object_get(j, "pcrs"));
	printf("%lld events differ, %lld are the same; %lld files differ, %lld are the same\n",
	       number(j, "different", "events"), number(j, "same", "events"),
	       number(j, "different", "files"), number(j, "same", "files"));
	if (json_array_size(events) > 0) {
		putchar('\n');
		print_events(cli, events);
		print_cut(events, number(j, "different", "events"), "events");
	}
	if (json_array_size(files) > 0) {
		putchar('\n');
		print_files(cli, files);
		print_cut(files, number(j, "different", "files"), "files");
	}
}

/* "?with=B&report=R&with_report=S", of those that are given; freed by free(), NULL: no memory. */
static char *query_of(const struct ay_args *args)
{
	static const char *const opt[] = { NULL, "report", "other-report" };
	static const char *const name[] = { "with", "report", "with_report" };
	char *all = strdup("/diff"), *next, *joined, before[32];

	for (size_t i = 0; i < AY_COUNT(opt) && all != NULL; i++) {
		const char *v = i == 0 ? (args->n_pos > 1 ? args->pos[1] : NULL)
				       : ay_args_opt(args, opt[i], 0);

		if (v == NULL)
			continue;
		snprintf(before, sizeof(before), "%c%s=", strchr(all, '?') == NULL ? '?' : '&',
			 name[i]);
		next = ay_client_path(before, v, "");
		if (next == NULL || asprintf(&joined, "%s%s", all, next) < 0)
			joined = NULL;
		free(all);
		all = joined;
		free(next);
	}
	return all;
}

static bool is_same(const json_t *j)
{
	return json_array_size(json_object_get(j, "pcrs")) == 0 &&
	       number(j, "different", "events") == 0 && number(j, "different", "files") == 0;
}

static int fetch_and_print(struct ay_cli *cli, const char *path)
{
	struct ay_client *c;
	struct ay_answer answer;
	int rc = ay_client_open(cli, &c);

	if (rc != AY_EXIT_OK)
		return rc;
	rc = ay_client_call(c, "GET", path, NULL, NULL, &answer);
	ay_client_close(c);
	if (rc != AY_EXIT_OK)
		return rc;
	if (cli->json)
		rc = ay_cli_print_json(answer.json);
	else
		print_diff(cli, answer.json);
	if (rc == AY_EXIT_OK && !is_same(answer.json))
		rc = AY_EXIT_FINDING;
	ay_answer_fini(&answer);
	return rc;
}

/* As diff(1): 1 when they differ. */
static int run_diff(struct ay_cli *cli, const struct ay_args *args)
{
	char *query, *path = NULL;
	int rc;

	if (args->n_pos < 2 && !ay_args_has(args, "other-report"))
		return ay_cli_error(AY_EXIT_USAGE,
				    "compare with what? name another host, or an earlier report of "
				    "this one with --other-report ID (assay host reports %s)",
				    args->pos[0]);
	query = query_of(args);
	if (query != NULL)
		path = ay_client_path("/hosts/", args->pos[0], query);
	rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory") : fetch_and_print(cli, path);
	free(query);
	free(path);
	return rc;
}

static const struct ay_opt diff_opts[] = {
	{ "report", "ID", "of the first host; without it its latest" },
	{ "other-report", "ID", "of the other host (or of this one); without it its latest" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_host_reports = { "host",
					    "reports",
					    "HOST",
					    1,
					    1,
					    NULL,
					    "what was found at each attestation, newest first",
					    run_reports };
const struct ay_cmd ay_cmd_host_diff = {
	"host",
	"diff",
	"HOST [OTHER]",
	1,
	2,
	diff_opts,
	"what differs between two hosts or two times: PCRs, boot events, files",
	run_diff
};
