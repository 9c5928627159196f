/* SPDX-License-Identifier: Apache-2.0 */
/* assay audit list | export | head | proof: the audit of a running server. */
#include "core/authz/proof.h"
#include "core/base/hex.h"
#include "prog/assay/commands.h"
#include "prog/assay/list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_MAX_BYTES = 4096, FOLLOW_S = 2 };

/* ---- list ---- */

static void cell_of(const json_t *item, const char *member)
{
	const char *text = json_string_value(ay_answer_at(item, member));

	ay_cli_print_safe(stdout, ay_bytes_of(text == NULL ? "-" : text));
	putchar(' ');
	putchar(' ');
}

static void print_record(const struct ay_cli *cli, const json_t *item)
{
	if (cli->json) {
		json_dumpf(item, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	printf("%lld  ", (long long)json_integer_value(json_object_get(item, "number")));
	cell_of(item, "at");
	cell_of(item, "actor");
	cell_of(item, "action");
	cell_of(item, "object");
	cell_of(item, "detail.call.outcome");
	cell_of(item, "detail.call.from");
	cell_of(item, "detail.call.id");
	putchar('\n');
}

/* "/audit?limit=1000&cursor=N" and what was asked for, escaped. */
static int list_path(const struct ay_args *args, unsigned long long from, char *out, size_t room)
{
	static const char *const names[] = { "actor",	"action", "object",
					     "outcome", "since",  "until" };
	int n = snprintf(out, room, "/audit?limit=1000&cursor=%llu", from);
	size_t at = n < 0 ? room : (size_t)n;

	for (size_t i = 0; i < AY_COUNT(names) && at < room; i++) {
		const char *value = ay_args_opt(args, names[i], 0);
		char *escaped = value == NULL ? NULL : ay_client_path("", value, "");

		if (escaped != NULL)
			at += (size_t)snprintf(out + at, room - at, "&%s=%s", names[i], escaped);
		free(escaped);
	}
	return at < room ? AY_EXIT_OK : ay_cli_error(AY_EXIT_USAGE, "the filters are too long");
}

/* One page: prints it, and moves from; *more: there is another. */
static int one_page(const struct ay_cli *cli, struct ay_client *c, const struct ay_args *args,
		    unsigned long long *from, bool *more)
{
	char path[PATH_MAX_BYTES];
	struct ay_answer a = { 0 };
	const char *next;
	json_t *item;
	size_t i;
	int rc = list_path(args, *from, path, sizeof(path));

	*more = false;
	if (rc == AY_EXIT_OK)
		rc = ay_client_call(c, "GET", path, NULL, NULL, &a);
	if (rc == AY_EXIT_OK) {
		json_array_foreach (json_object_get(a.json, "items"), i, item) {
			print_record(cli, item);
			*from = 1 + (unsigned long long)json_integer_value(
					    json_object_get(item, "number"));
		}
		next = json_string_value(json_object_get(a.json, "next"));
		*more = next != NULL;
		if (next != NULL)
			*from = strtoull(next, NULL, 10);
	}
	ay_answer_fini(&a);
	return rc;
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	bool follow = ay_args_has(args, "follow"), more = true;
	unsigned long long from = 0;
	struct ay_client *c;
	int rc = ay_client_open(cli, &c);

	while (rc == AY_EXIT_OK && (more || follow)) {
		rc = one_page(cli, c, args, &from, &more);
		fflush(stdout);
		if (rc == AY_EXIT_OK && !more && follow)
			sleep(FOLLOW_S);
	}
	ay_client_close(c);
	return rc;
}

/* ---- export ---- */

static size_t lines_of(const char *p, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

/* Page after page until an empty one, so that no limit of the server cuts it. */
static int run_export(struct ay_cli *cli, const struct ay_args *args)
{
	unsigned long long from = 0;
	struct ay_client *c;
	size_t got = 1;
	int rc = ay_client_open(cli, &c);

	(void)args;
	while (rc == AY_EXIT_OK && got > 0) {
		char path[96];
		struct ay_answer a = { 0 };

		snprintf(path, sizeof(path), "/audit?format=ndjson&cursor=%llu", from);
		rc = ay_client_call(c, "GET", path, NULL, "application/x-ndjson", &a);
		got = rc == AY_EXIT_OK ? lines_of(a.body, a.n) : 0;
		from += got;
		if (rc == AY_EXIT_OK && fwrite(a.body, 1, a.n, stdout) != a.n)
			rc = ay_cli_error(AY_EXIT_IO, "the export cannot be written");
		ay_answer_fini(&a);
	}
	ay_client_close(c);
	return rc == AY_EXIT_OK && fflush(stdout) != 0
		       ? ay_cli_error(AY_EXIT_IO, "the export cannot be written")
		       : rc;
}

/* ---- head, proof ---- */

static int print_line(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	return json_dumpf(j, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF
		       ? AY_EXIT_OK
		       : ay_cli_error(AY_EXIT_IO, "cannot be written");
}

static int run_head(struct ay_cli *cli, const struct ay_args *args)
{
	(void)args;
	return ay_cli_call(cli, "GET", "/audit/head", NULL, print_line);
}

static bool hash_of(const json_t *j, uint8_t out[32])
{
	const char *text = json_string_value(j);

	return text != NULL && strlen(text) == 64 &&
	       ay_hex_decode(ay_bytes_of(text), "hash", out, 32, NULL) == AY_OK;
}

/* The server's word is not taken: the proof is checked here. */
static int print_proof(struct ay_cli *cli, const json_t *j)
{
	json_int_t leaf = json_integer_value(json_object_get(j, "leaf")),
		   size = json_integer_value(json_object_get(j, "size"));
	const json_t *path = json_object_get(j, "path");
	uint8_t hash[32], root[32];
	struct ay_proof p = { .n = json_array_size(path) };
	struct ay_err e = { 0 };
	bool good = leaf >= 0 && size > 0 && p.n <= AY_PROOF_MAX &&
		    hash_of(json_object_get(j, "leaf_hash"), hash) &&
		    hash_of(json_object_get(j, "root"), root);

	for (size_t i = 0; good && i < p.n; i++)
		good = hash_of(json_array_get(path, i), p.hash[i]);
	if (!good ||
	    ay_proof_check_inclusion(&p, (uint64_t)leaf, (uint64_t)size, hash, root, &e) != AY_OK)
		return ay_cli_error(AY_EXIT_FINDING, "AUDIT_PROOF: the proof does not lead from "
						     "the record to the root");
	return print_line(cli, j);
}

static int run_proof(struct ay_cli *cli, const struct ay_args *args)
{
	const char *size = ay_args_opt(args, "size", 0);
	char *leaf = ay_client_path("/audit/proof?leaf=", args->pos[0], ""), *path = leaf;
	int rc;

	if (leaf != NULL && size != NULL) {
		char *with = ay_client_path("&size=", size, "");

		path = NULL;
		if (with != NULL && asprintf(&path, "%s%s", leaf, with) < 0)
			path = NULL;
		free(with);
		free(leaf);
	}
	rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			  : ay_cli_call(cli, "GET", path, NULL, print_proof);
	free(path);
	return rc;
}

static const struct ay_opt list_opts[] = {
	{ "actor", "TEXT", "part of who did it: user:NAME, system" },
	{ "action", "NAME", "what was done: HOST_ADD, DENIED, .." },
	{ "object", "TEXT", "part of what it was done to" },
	{ "outcome", "WORD", "done, begun, failed or denied" },
	{ "since", "TIME", "from this instant on (RFC 3339)" },
	{ "until", "TIME", "before this instant" },
	{ "follow", NULL, "go on with what is recorded from now on" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt proof_opts[] = {
	{ "size", "N", "under the head of N records, not the newest" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_audit_list = {
	"audit", "list", "", 0, 0, list_opts, "who did what, on what, from where", run_list
};
const struct ay_cmd ay_cmd_audit_export = {
	"audit", "export", "", 0, 0, NULL, "the whole audit, for assay audit verify", run_export
};
const struct ay_cmd ay_cmd_audit_head = {
	"audit", "head", "", 0, 0, NULL, "the signed head, to be kept elsewhere", run_head
};
const struct ay_cmd ay_cmd_audit_proof = {
	"audit", "proof", "NUMBER", 1, 1, proof_opts, "that a record is under the head", run_proof
};
