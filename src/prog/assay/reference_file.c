/* SPDX-License-Identifier: Apache-2.0 */
/* assay reference diff | export | import (docs/formats/dsse.md) */
#include "core/appraise/set_diff.h"
#include "core/authz/dsse.h"
#include "core/crypto/secret.h"
#include "prog/assay/commands.h"
#include "prog/assay/reference.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_MAX = 16384 };

/* ---- one set, from a file or the server ---- */

/* Members that the API adds to the document. */
static void strip(json_t *set)
{
	static const char *const added[] = { "id",	     "created_at", "created_by",
					     "activated_at", "hosts",	   "supersede_at",
					     "approval",     "signer",	   "warning" };

	for (size_t i = 0; i < AY_COUNT(added); i++)
		json_object_del(set, added[i]);
}

static int from_server(struct ay_cli *cli, const char *word, struct ay_refset **out)
{
	char *path = ay_client_path("/reference-sets/", word, "");
	struct ay_client *c;
	struct ay_answer a;
	struct ay_err e = { 0 };
	int rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory") : ay_client_open(cli, &c);

	if (rc == AY_EXIT_OK) {
		rc = ay_client_call(c, "GET", path, NULL, NULL, &a);
		ay_client_close(c);
	}
	free(path);
	if (rc != AY_EXIT_OK)
		return rc;
	strip(a.json);
	if (ay_refset_from_json(a.json, out, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_IO, word, &e);
	ay_answer_fini(&a);
	return rc;
}

/* What is in the envelope; who reads it asked nobody to trust it. */
static enum ay_rc from_document(json_t *j, struct ay_refset **out, struct ay_err *e)
{
	struct ay_dsse d;
	struct ay_arena a;
	enum ay_rc rc;

	if (!ay_dsse_is_envelope(j))
		return ay_refset_from_json(j, out, e);
	ay_arena_init(&a, (size_t)2 * AY_MAX_REFSET_BYTES);
	rc = ay_dsse_from_json(j, &a, &d, e);
	if (rc == AY_OK)
		rc = ay_refset_parse(d.payload, out, e);
	ay_arena_fini(&a);
	return rc;
}

static int load_json(const char *path, json_t **out)
{
	struct ay_err e = { 0 };
	uint8_t *p;
	size_t n;
	int rc = ay_cli_read_file(path, (size_t)2 * AY_MAX_REFSET_BYTES, &p, &n);

	*out = NULL;
	if (rc == AY_EXIT_OK &&
	    ay_json_load((struct ay_bytes){ p, n }, n, "reference", out, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	free(p);
	return rc;
}

int ay_reference_load(struct ay_cli *cli, const char *word, struct ay_refset **out)
{
	struct ay_err e = { 0 };
	json_t *j;
	int rc;

	*out = NULL;
	if (strchr(word, '/') == NULL && access(word, F_OK) != 0)
		return from_server(cli, word, out);
	rc = load_json(word, &j);
	if (rc == AY_EXIT_OK && from_document(j, out, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, word, &e);
	json_decref(j);
	return rc;
}

/* ---- diff ---- */

static void cell_pcr(struct ay_table *t, const json_t *change)
{
	const json_t *pcr = json_object_get(change, "pcr");

	if (json_is_integer(pcr))
		ay_table_addf(t, "%lld", (long long)json_integer_value(pcr));
	else
		ay_table_add(t, NULL);
}

static const char *where_of(const json_t *change)
{
	const char *summary = ay_answer_text(change, "summary", NULL);

	return summary != NULL ? summary : ay_answer_text(change, "where", NULL);
}

/* A digest is recognised by its beginning; --json has all of it. */
static void add_short(struct ay_table *t, const char *text)
{
	enum { SHOWN = 20 };

	if (text == NULL || strlen(text) <= SHOWN)
		ay_table_add(t, text);
	else
		ay_table_addf(t, "%.*s..", SHOWN, text);
}

static void print_diff(const struct ay_cli *cli, const json_t *d)
{
	static const char *const heads[] = { "CHANGE", "PART",	 "PCR",	  "KIND", "WHAT",
					     "WHERE",  "BEFORE", "AFTER", NULL };
	struct ay_table t;
	json_t *c;
	size_t i;

	ay_table_init(&t, cli, heads);
	json_array_foreach (json_object_get(d, "changes"), i, c) {
		ay_table_add(&t, ay_answer_text(c, "change", NULL));
		ay_table_add(&t, ay_answer_text(c, "part", NULL));
		cell_pcr(&t, c);
		ay_table_add(&t, ay_answer_text(c, "kind", NULL));
		ay_table_add(&t, ay_answer_text(c, "what", NULL));
		ay_table_add(&t, where_of(c));
		add_short(&t, ay_answer_text(c, "before", NULL));
		add_short(&t, ay_answer_text(c, "after", NULL));
	}
	if (i > 0)
		ay_table_print(&t, stdout);
	printf("%lld added, %lld removed, %lld changed\n",
	       (long long)json_integer_value(json_object_get(d, "added")),
	       (long long)json_integer_value(json_object_get(d, "removed")),
	       (long long)json_integer_value(json_object_get(d, "changed")));
}

/* As diff(1): 1 when they differ. */
static int run_diff(struct ay_cli *cli, const struct ay_args *args)
{
	struct ay_refset *a = NULL, *b = NULL;
	json_t *d = NULL;
	int rc = ay_reference_load(cli, args->pos[0], &a);

	if (rc == AY_EXIT_OK)
		rc = ay_reference_load(cli, args->pos[1], &b);
	if (rc == AY_EXIT_OK && (d = ay_set_diff(a, b)) == NULL)
		rc = ay_cli_error(AY_EXIT_IO, "out of memory");
	if (rc == AY_EXIT_OK && cli->json)
		rc = ay_cli_print_json(d);
	else if (rc == AY_EXIT_OK)
		print_diff(cli, d);
	if (rc == AY_EXIT_OK && !json_is_true(json_object_get(d, "same")))
		rc = AY_EXIT_FINDING;
	json_decref(d);
	ay_refset_free(a);
	ay_refset_free(b);
	return rc;
}

/* ---- export ---- */

static int load_key(const char *path, struct ay_sigkey **out)
{
	struct ay_err e = { 0 };
	uint8_t *p;
	size_t n;
	int rc = ay_cli_read_file(path, KEY_MAX, &p, &n);

	if (rc != AY_EXIT_OK)
		return rc;
	if (ay_sigkey_new_private_pem((struct ay_bytes){ p, n }, out, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	ay_wipe(p, n);
	free(p);
	return rc;
}

/* The document as it is signed, or as it is. */
static int print_export(const struct ay_refset *s, const struct ay_sigkey *const keys[], size_t n)
{
	struct ay_err e = { 0 };
	struct ay_arena a;
	struct ay_bytes text;
	json_t *envelope;
	int rc = AY_EXIT_OK;

	ay_arena_init(&a, (size_t)2 * AY_MAX_REFSET_BYTES);
	text = ay_refset_build(s, &a);
	if (text.p == NULL) {
		rc = ay_cli_error(AY_EXIT_IO, "out of memory");
	} else if (n == 0) {
		fwrite(text.p, 1, text.n, stdout);
		putchar('\n');
	} else {
		envelope = ay_dsse_build(AY_DSSE_REFERENCE_SET, text, keys, n, &e);
		rc = envelope == NULL ? ay_cli_fault(AY_EXIT_USAGE, "--key", &e)
				      : ay_cli_print_json(envelope);
		json_decref(envelope);
	}
	ay_arena_fini(&a);
	return rc;
}

static int run_export(struct ay_cli *cli, const struct ay_args *args)
{
	struct ay_sigkey *keys[AY_MAX_DSSE_SIGNATURES];
	struct ay_refset *s = NULL;
	const char *path;
	size_t n = 0;
	int rc = AY_EXIT_OK;

	while (rc == AY_EXIT_OK && (path = ay_args_opt(args, "key", n)) != NULL)
		if (n == AY_COUNT(keys))
			rc = ay_cli_error(AY_EXIT_USAGE, "--key: at most %zu", AY_COUNT(keys));
		else if ((rc = load_key(path, &keys[n])) == AY_EXIT_OK)
			n++;
	if (rc == AY_EXIT_OK)
		rc = ay_reference_load(cli, args->pos[0], &s);
	if (rc == AY_EXIT_OK) {
		s->state = AY_SET_DRAFT; /* where it goes it begins anew */
		rc = print_export(s, (const struct ay_sigkey *const *)keys, n);
	}
	ay_refset_free(s);
	while (n > 0)
		ay_sigkey_free(keys[--n]);
	return rc;
}

/* ---- import ---- */

static int print_imported(struct ay_cli *cli, const json_t *j)
{
	const json_t *signer = json_object_get(j, "signer");
	const char *warning = ay_answer_text(j, "warning", NULL);

	if (warning != NULL)
		fprintf(stderr, "assay: warning: %s\n", warning);
	if (json_is_object(signer))
		printf("signed by %s (%s)\n", ay_answer_text(signer, "name", "-"),
		       ay_answer_text(signer, "keyid", "-"));
	return ay_reference_print(cli, j);
}

static int run_import(struct ay_cli *cli, const struct ay_args *args)
{
	const char *name = ay_args_opt(args, "name", 0);
	json_t *document, *body;
	int rc = load_json(args->pos[0], &document);

	if (rc != AY_EXIT_OK)
		return rc;
	body = json_pack("{so}", "document", document);
	if (name != NULL)
		json_object_set_new(body, "name", json_string(name));
	return ay_cli_call(cli, "POST", "/reference-sets/import", body, print_imported);
}

static const struct ay_opt export_opts[] = {
	{ "key", "PEM", "private key (P-256 or Ed25519) that signs it here; may be repeated" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt import_opts[] = {
	{ "name", "N", "take it under this name, as its next version" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_reference_diff = {
	"reference",
	"diff",
	"A B",
	2,
	2,
	NULL,
	"what differs between two sets, each a file or at the server; exit 1 if anything does",
	run_diff
};
const struct ay_cmd ay_cmd_reference_export = { "reference",
						"export",
						"SET",
						1,
						1,
						export_opts,
						"a set as JSON, signed when a key is given",
						run_export };
const struct ay_cmd ay_cmd_reference_import = { "reference",
						"import",
						"FILE",
						1,
						1,
						import_opts,
						"take a set that was exported, as a draft",
						run_import };
