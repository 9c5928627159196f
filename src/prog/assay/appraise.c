/* SPDX-License-Identifier: Apache-2.0 */
/* assay appraise DIR, and the offline half of assay reference learn. */
#include "prog/assay/appraise.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/appraise/causes.h"
#include "core/appraise/report_json.h"
#include "prog/assay/commands.h"
#include "prog/assay/evidence_dir.h"
#include "prog/assay/offline.h"
#include "prog/assay/report_text.h"

#define ARENA_MAX ((size_t)1 << 30)
#define SETS_MAX 64

/* What it is compared with. */
struct against {
	struct ay_refset *set[SETS_MAX];
	const struct ay_refset *view[SETS_MAX];
	size_t n;
	struct ay_policy *policy;
};

static void against_free(struct against *a)
{
	for (size_t i = 0; i < a->n; i++)
		ay_refset_free(a->set[i]);
	ay_policy_free(a->policy);
}

static int load_set(const char *path, struct against *a)
{
	struct ay_err e = { 0 };
	uint8_t *p;
	size_t n;
	int rc = ay_cli_read_file(path, AY_MAX_REFSET_BYTES, &p, &n);

	if (rc != AY_EXIT_OK)
		return rc;
	if (ay_refset_parse((struct ay_bytes){ p, n }, &a->set[a->n], &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	else
		a->view[a->n] = a->set[a->n];
	a->n += rc == AY_EXIT_OK;
	free(p);
	return rc;
}

static int load_policy(const char *path, struct against *a)
{
	struct ay_err e = { 0 };
	uint8_t *p = NULL;
	size_t n;
	int rc = AY_EXIT_OK;

	if (path == NULL)
		return ay_policy_default(&a->policy, &e) == AY_OK
			       ? AY_EXIT_OK
			       : ay_cli_fault(AY_EXIT_IO, "policy", &e);
	rc = ay_cli_read_file(path, AY_MAX_POLICY_BYTES, &p, &n);
	if (rc == AY_EXIT_OK && ay_policy_parse((struct ay_bytes){ p, n }, &a->policy, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	free(p);
	return rc;
}

static int load_against(const struct ay_args *args, struct against *a)
{
	const char *path;
	int rc = load_policy(ay_args_opt(args, "policy", 0), a);

	for (size_t i = 0; rc == AY_EXIT_OK && (path = ay_args_opt(args, "reference", i)) != NULL;
	     i++)
		rc = i < SETS_MAX ? load_set(path, a)
				  : ay_cli_error(AY_EXIT_USAGE, "more than %d sets", SETS_MAX);
	if (rc == AY_EXIT_OK && a->n == 0)
		rc = ay_cli_error(AY_EXIT_USAGE, "give a reference set with --reference");
	return rc;
}

static int print_report(struct ay_cli *cli, const struct ay_report *rep, const uint8_t *evidence)
{
	struct ay_report_head head = { .has_evidence = evidence != NULL };
	json_t *j;
	int rc;

	if (evidence != NULL)
		memcpy(head.evidence, evidence, sizeof(head.evidence));
	j = ay_report_json(rep, &head);
	if (j == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	rc = ay_report_print(cli, j, true);
	json_decref(j);
	return rc;
}

/* No quote, or no key to check it with: nothing can be said, and that is said. */
static enum ay_rc report_missing(const struct ay_evidence_dir *d, const struct against *a,
				 struct ay_report *rep, struct ay_err *e)
{
	enum ay_rc rc;

	ay_report_add(rep, AY_CHECK_EVIDENCE_MISSING, AY_NOT_CHECKED, NULL, "not given:%s%s%s",
		      d->in.attest.p == NULL ? " quote.msg" : "",
		      d->in.signature.p == NULL ? " quote.sig" : "",
		      d->ak == NULL ? " ak.pem or ak.pub" : "");
	rc = ay_appraise_conclude(a->policy,
				  ay_policy_required(a->policy, a->view, a->n, true, d->in.now_ms),
				  d->in.now_ms, rep, e);
	if (rc == AY_OK)
		ay_causes_find(rep, NULL);
	return rc;
}

static int appraise(struct ay_cli *cli, struct ay_evidence_dir *d, const struct against *a)
{
	struct ay_offline_out out = { 0 };
	struct ay_report rep;
	struct ay_arena arena;
	struct ay_err e = { 0 };
	enum ay_rc rc;
	int code;

	ay_arena_init(&arena, ARENA_MAX);
	ay_report_init(&rep, &arena);
	d->in.sets = a->view;
	d->in.n_sets = a->n;
	d->in.policy = a->policy;
	d->in.now_ms = 1000 * (int64_t)time(NULL);
	if (ay_evidence_dir_has_quote(d))
		rc = ay_appraise_offline(&d->in, &arena, &out, &rep, &e);
	else
		rc = report_missing(d, a, &rep, &e);
	if (rc == AY_OK)
		code = print_report(cli, &rep, ay_evidence_dir_has_quote(d) ? out.evidence : NULL);
	else
		code = ay_cli_fault(AY_EXIT_IO, "appraise", &e);
	ay_arena_fini(&arena);
	return code;
}

static int run_appraise(struct ay_cli *cli, const struct ay_args *args)
{
	struct against a = { .n = 0 };
	struct ay_evidence_dir d;
	int rc = load_against(args, &a);

	if (rc == AY_EXIT_OK)
		rc = ay_evidence_dir_open(args->pos[0], &d);
	if (rc == AY_EXIT_OK) {
		rc = appraise(cli, &d, &a);
		ay_evidence_dir_close(&d);
	}
	against_free(&a);
	return rc;
}

/* ---- reference learn --offline ---- */

/* A name made of the file's when none was given. */
static void name_of(const char *out, char name[AY_MAX_NAME_BYTES + 1])
{
	const char *base = strrchr(out, '/');
	size_t n;

	snprintf(name, AY_MAX_NAME_BYTES + 1, "%.*s", AY_MAX_NAME_BYTES,
		 base == NULL ? out : base + 1);
	n = strlen(name);
	if (n > 5 && strcmp(name + n - 5, ".json") == 0)
		name[n - 5] = '\0';
	if (!ay_json_is_name(name))
		snprintf(name, AY_MAX_NAME_BYTES + 1, "learned");
}

static int read_parts(const struct ay_args *args, uint32_t *parts)
{
	const char *name;
	enum ay_part p;

	*parts = 0;
	for (size_t i = 0; (name = ay_args_opt(args, "part", i)) != NULL; i++) {
		if (!ay_part_find(ay_bytes_of(name), &p))
			return ay_cli_error(AY_EXIT_USAGE, "unknown part %s", name);
		*parts |= AY_PART_BIT(p);
	}
	return AY_EXIT_OK;
}

int ay_learn_pcrs(const struct ay_args *args, const char *opt, uint32_t *mask)
{
	const char *text;

	*mask = 0;
	for (size_t i = 0; (text = ay_args_opt(args, opt, i)) != NULL; i++) {
		char *end;
		unsigned long pcr = strtoul(text, &end, 10);

		if (*text < '0' || *text > '9' || *end != '\0' || pcr >= AY_PCR_COUNT)
			return ay_cli_error(AY_EXIT_USAGE, "--%s: %s is no PCR", opt, text);
		*mask |= 1u << pcr;
	}
	return AY_EXIT_OK;
}

static int add_label(json_t *labels, const char *text)
{
	const char *eq = strchr(text, '=');
	char key[AY_MAX_NAME_BYTES + 1];

	if (eq == NULL || eq == text || (size_t)(eq - text) >= sizeof(key))
		return ay_cli_error(AY_EXIT_USAGE, "--for-label: %s is not KEY=VALUE", text);
	snprintf(key, sizeof(key), "%.*s", (int)(eq - text), text);
	json_object_set_new(labels, key, json_string(eq + 1));
	return AY_EXIT_OK;
}

int ay_learn_match(const struct ay_args *args, json_t **out)
{
	const char *version = ay_args_opt(args, "for-firmware", 0), *label;
	const char *cmdline = ay_args_opt(args, "for-cmdline", 0);
	json_t *o = json_object(), *labels = json_object();
	int rc = AY_EXIT_OK;

	*out = NULL;
	for (size_t i = 0; rc == AY_EXIT_OK; i++) {
		label = ay_args_opt(args, "for-label", i);
		if (label == NULL)
			break;
		rc = add_label(labels, label);
	}
	if (json_object_size(labels) > 0)
		json_object_set(o, "labels", labels);
	if (version != NULL)
		json_object_set_new(o, "firmware", json_pack("{ss}", "version", version));
	if (cmdline != NULL)
		json_object_set_new(o, "kernel", json_pack("{ss}", "cmdline", cmdline));
	json_decref(labels);
	if (rc == AY_EXIT_OK && json_object_size(o) > 0)
		*out = json_incref(o);
	json_decref(o);
	return rc;
}

/* The options of learning, the same as the server's. match lives in the arena. */
static int read_options(const struct ay_args *args, struct ay_arena *a, struct ay_match *match,
			struct ay_learn_options *opt)
{
	AY_CLEANUP(ay_json_unref) json_t *j = NULL;
	struct ay_err e = { 0 };
	int rc = read_parts(args, &opt->parts);

	if (rc == AY_EXIT_OK)
		rc = ay_learn_pcrs(args, "pcr", &opt->pcrs);
	if (rc == AY_EXIT_OK)
		rc = ay_learn_pcrs(args, "host-unique", &opt->host_unique);
	if (rc == AY_EXIT_OK)
		rc = ay_learn_match(args, &j);
	opt->provenance.note = ay_args_opt(args, "note", 0);
	if (rc != AY_EXIT_OK || j == NULL)
		return rc;
	if (ay_match_parse(j, a, match, &e) != AY_OK)
		return ay_cli_fault(AY_EXIT_USAGE, "learn", &e);
	opt->match = match;
	return AY_EXIT_OK;
}

static int write_set(const struct ay_refset *s, const char *path)
{
	json_t *j = ay_refset_json(s, true);
	int rc = AY_EXIT_OK;

	if (j == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	if (json_dump_file(j, path, JSON_INDENT(1) | JSON_SORT_KEYS) != 0)
		rc = ay_cli_error(AY_EXIT_IO, "%s: cannot be written", path);
	json_decref(j);
	return rc;
}

static int tell_set(struct ay_cli *cli, const struct ay_refset *s, const char *path)
{
	json_t *j = ay_refset_json(s, false);

	if (j == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	if (cli->json)
		return ay_offline_print(j, AY_EXIT_OK);
	printf("%s: %s version %u, %zu rules\n", path, s->name, (unsigned)s->version, s->n_rules);
	json_decref(j);
	return AY_EXIT_OK;
}

static int learn(struct ay_cli *cli, const struct ay_evidence_dir *d,
		 const struct ay_learn_options *opt, const char *path)
{
	struct ay_refset *set = NULL;
	struct ay_report rep;
	struct ay_arena arena;
	struct ay_err e = { 0 };
	int code;

	ay_arena_init(&arena, ARENA_MAX);
	ay_report_init(&rep, &arena);
	if (ay_learn_offline(&d->in, opt, &arena, &set, &rep, &e) != AY_OK) {
		code = ay_cli_fault(e.rc == AY_E_INPUT ? AY_EXIT_FINDING : AY_EXIT_IO, "learn", &e);
	} else if (set == NULL) {
		code = print_report(cli, &rep, NULL);
		code = code == AY_EXIT_OK ? AY_EXIT_FINDING : code;
	} else {
		code = write_set(set, path);
		if (code == AY_EXIT_OK)
			code = tell_set(cli, set, path);
	}
	ay_refset_free(set);
	ay_arena_fini(&arena);
	return code;
}

static int learn_dir(struct ay_cli *cli, const struct ay_args *args, struct ay_learn_options *opt,
		     const char *out)
{
	struct ay_evidence_dir d;
	int rc = ay_evidence_dir_open(ay_args_opt(args, "offline", 0), &d);

	if (rc != AY_EXIT_OK)
		return rc;
	if (ay_evidence_dir_has_quote(&d))
		rc = learn(cli, &d, opt, out);
	else
		rc = ay_cli_error(AY_EXIT_FINDING,
				  "quote.msg, quote.sig and ak.pem or ak.pub are needed");
	ay_evidence_dir_close(&d);
	return rc;
}

int ay_learn_offline_run(struct ay_cli *cli, const struct ay_args *args)
{
	const char *out = ay_args_opt(args, "out", 0), *name = ay_args_opt(args, "name", 0);
	struct ay_learn_options opt = { .provenance = { .source = "learned" } };
	char own_name[AY_MAX_NAME_BYTES + 1];
	struct ay_match match;
	struct ay_arena a;
	int rc;

	if (out == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "give the file to write with --out");
	name_of(out, own_name);
	opt.name = name == NULL ? own_name : name;
	if (!ay_json_is_name(opt.name))
		return ay_cli_error(AY_EXIT_USAGE, "not a name: %s", opt.name);
	ay_arena_init(&a, AY_MAX_POLICY_BYTES);
	rc = read_options(args, &a, &match, &opt);
	if (rc == AY_EXIT_OK)
		rc = learn_dir(cli, args, &opt, out);
	ay_arena_fini(&a);
	return rc;
}

static const struct ay_opt appraise_opts[] = {
	{ "reference", "SET.json", "reference set to compare with; may be repeated" },
	{ "policy", "P.json", "trust policy (the default one)" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_appraise = { NULL,
					"appraise",
					"DIR",
					1,
					1,
					appraise_opts,
					"appraise the evidence of a folder, without a server",
					run_appraise };
