/* SPDX-License-Identifier: Apache-2.0 */
/* assay host receipt | assay recheck */
#include "prog/assayd/receipt.h"

#include "prog/assay/client.h"
#include "prog/assay/commands.h"

#include "core/base/hex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARENA (1u << 30)

/* ---- host receipt ---- */

static int write_out(const char *name, const struct ay_answer *a)
{
	FILE *f = fopen(name, "wb");
	bool ok;

	if (f == NULL)
		return ay_cli_error(AY_EXIT_IO, "%s: %s", name, strerror(errno));
	ok = fwrite(a->body, 1, a->n, f) == a->n;
	ok = fclose(f) == 0 && ok;
	return ok ? AY_EXIT_OK : ay_cli_error(AY_EXIT_IO, "%s: %s", name, strerror(errno));
}

static int run_receipt(struct ay_cli *cli, const struct ay_args *args)
{
	const char *report = ay_args_opt(args, "report", 0), *out = ay_args_opt(args, "out", 0);
	char after[160] = "/receipt", *path;
	struct ay_client *c;
	struct ay_answer a;
	int rc;

	if (out == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "say where to with --out FILE");
	if (report != NULL && strlen(report) > 64)
		return ay_cli_error(AY_EXIT_USAGE, "--report: an id as in assay host explain");
	if (report != NULL)
		snprintf(after, sizeof(after), "/reports/%s/receipt", report);
	rc = ay_client_open(cli, &c);
	if (rc != AY_EXIT_OK)
		return rc;
	path = ay_client_path("/hosts/", args->pos[0], after);
	rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			  : ay_client_call(c, "GET", path, NULL, NULL, &a);
	if (rc == AY_EXIT_OK) {
		rc = write_out(out, &a);
		ay_answer_fini(&a);
	}
	free(path);
	ay_client_close(c);
	return rc;
}

/* ---- recheck ---- */

/* Members of the report that are not the same, as far as one level down. */
static void differences(const json_t *told, const json_t *derived, const char *where, json_t *out)
{
	const char *key;
	char name[160];
	json_t *v;

	if (!json_is_object(told) || !json_is_object(derived)) {
		json_array_append_new(out, json_string(where));
		return;
	}
	json_object_foreach ((json_t *)(uintptr_t)told, key, v) {
		const json_t *other = json_object_get(derived, key);

		if (json_equal(v, other))
			continue;
		snprintf(name, sizeof(name), "%s%s%s", where, where[0] ? "." : "", key);
		if (json_is_object(v) && json_is_object(other) && where[0] == '\0')
			differences(v, other, name, out);
		else
			json_array_append_new(out, json_string(name));
	}
	json_object_foreach ((json_t *)(uintptr_t)derived, key, v)
		if (json_object_get(told, key) == NULL)
			json_array_append_new(out, json_string(key));
}

static int print_result(struct ay_cli *cli, const struct ay_receipt *r,
			const struct ay_receipt_result *res)
{
	json_t *diff = json_array(), *o, *v;
	bool good = res->same && (res->certified || !res->has_key);
	size_t i;

	if (!res->same)
		differences(r->report, res->derived, "", diff);
	if (cli->json) {
		o = json_pack("{s:s, s:s, s:s, s:b, s:b, s:s?, s:O, s:s, s:s}", "host",
			      r->host_name, "report", r->report_id, "at", r->at, "same",
			      (int)res->same, "certified", (int)res->certified, "certificate_error",
			      res->certified ? NULL : res->cert_error.text, "differs", diff,
			      "verdict", ay_verdict_name(res->verdict), "stored_verdict",
			      ay_answer_text(r->report, "verdict", ""));
		(void)ay_cli_print_json(o);
		json_decref(o);
	} else {
		printf("%s at %s: %s\n", r->host_name, r->at, ay_verdict_name(res->verdict));
		puts(res->same ? "the report follows from the evidence, bit for bit"
			       : "the report does NOT follow from the evidence:");
		json_array_foreach (diff, i, v)
			printf("  %s differs\n", json_string_value(v));
		if (!res->has_key)
			puts("no key of the host signed it: its manager vouches for it");
		else if (!res->certified)
			printf("the AIK is not proved to be the host's: %s\n",
			       res->cert_error.text);
	}
	json_decref(diff);
	return good ? AY_EXIT_OK : AY_EXIT_FINDING;
}

static int check(struct ay_cli *cli, const char *name, struct ay_bytes text, const uint8_t *pin)
{
	struct ay_receipt_result res = { 0 };
	struct ay_err e = { 0 };
	struct ay_receipt r;
	struct ay_arena a;
	enum ay_rc rc;
	int code;

	ay_arena_init(&a, ARENA);
	rc = ay_receipt_parse(text, &a, &r, &e);
	if (rc == AY_OK)
		rc = ay_receipt_check(&r, pin, &a, &res, &e);
	if (rc == AY_OK)
		code = print_result(cli, &r, &res);
	else
		code = ay_cli_fault(rc == AY_E_CRYPTO || rc == AY_E_NOENT ? AY_EXIT_FINDING
									  : AY_EXIT_USAGE,
				    name, &e);
	json_decref(res.derived);
	ay_receipt_fini(&r);
	ay_arena_fini(&a);
	return code;
}

static int run_recheck(struct ay_cli *cli, const struct ay_args *args)
{
	const char *root = ay_args_opt(args, "ca-root", 0);
	struct ay_err e = { 0 };
	uint8_t pin[32], *p = NULL;
	size_t n = 0;
	int rc;

	if (root != NULL &&
	    ay_hex_decode(ay_bytes_of(root), "--ca-root", pin, sizeof(pin), &e) != AY_OK)
		return ay_cli_fault(AY_EXIT_USAGE, "--ca-root", &e);
	rc = ay_cli_read_file(args->pos[0], AY_MAX_RECEIPT_BYTES, &p, &n);
	if (rc == AY_EXIT_OK)
		rc = check(cli, args->pos[0], (struct ay_bytes){ p, n }, root ? pin : NULL);
	free(p);
	return rc;
}

static const struct ay_opt receipt_opts[] = {
	{ "report", "ID", "of this report (the latest)" },
	{ "out", "FILE", "the file to write" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt recheck_opts[] = {
	{ "ca-root", "SHA256",
	  "of the Privacy CA root's SPKI; without it the root in the receipt is believed" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_host_receipt = { "host",
					    "receipt",
					    "HOST",
					    1,
					    1,
					    receipt_opts,
					    "all that a verdict was made from, for assay recheck",
					    run_receipt };
const struct ay_cmd ay_cmd_recheck = { NULL,
				       "recheck",
				       "RECEIPT",
				       1,
				       1,
				       recheck_opts,
				       "derive the verdict of a receipt again, without the server",
				       run_recheck };
