/* SPDX-License-Identifier: Apache-2.0 */
/* assay reference compute: what the next boot will show, from files, before it happens. */
#include "prog/assay/compute.h"

#include <stdlib.h>
#include <string.h>

#include "core/appraise/offline.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"
#include "core/predict/change.h"
#include "core/predict/grubcfg.h"
#include "core/predict/siglist.h"
#include "core/predict/uki.h"
#include "io/sys/clock.h"
#include "prog/assay/commands.h"
#include "prog/assay/evidence_dir.h"
#include "prog/assay/offline.h"
#include "prog/assay/table.h"

#include "core/base/timefmt.h"

/* One computation: what was read, the boot foretold, what was replaced in it. */
struct compute {
	struct ay_cli *cli;
	const struct ay_args *args;
	struct ay_inputs inputs;
	struct ay_evidence_dir evidence;
	struct ay_arena arena;
	struct ay_evlog old;
	struct ay_forecast forecast;
	json_t *changes; /* [{"what","events"}] */
};

static int fault(const char *what, const struct ay_err *e)
{
	return ay_cli_fault(e->rc == AY_E_NOMEM ? AY_EXIT_IO : AY_EXIT_USAGE, what, e);
}

static void note_change(struct compute *c, const char *what, size_t n)
{
	json_array_append_new(c->changes,
			      json_pack("{s:s,s:I}", "what", what, "events", (json_int_t)n));
}

/* An image or file that is started or read; {NULL, 0} when the option was not given. */
static int read_opt(struct compute *c, const char *opt, struct ay_bytes *out)
{
	const char *path = ay_args_opt(c->args, opt, 0);

	*out = (struct ay_bytes){ 0 };
	return path == NULL ? AY_EXIT_OK
			    : ay_inputs_read(&c->inputs, opt, path, AY_MAX_IMAGE_BYTES, out);
}

/* A new file and the one it replaces; both {NULL, 0} when the option was not given. */
static int read_pair(struct compute *c, const char *opt, struct ay_bytes *fresh,
		     struct ay_bytes *old)
{
	char old_opt[32];
	int rc = read_opt(c, opt, fresh);

	snprintf(old_opt, sizeof(old_opt), "old-%s", opt);
	*old = (struct ay_bytes){ 0 };
	if (rc != AY_EXIT_OK || ay_args_opt(c->args, old_opt, 0) == NULL)
		return rc;
	if (fresh->p == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "--%s without --%s", old_opt, opt);
	return ay_inputs_read(&c->inputs, old_opt, ay_args_opt(c->args, old_opt, 0),
			      AY_MAX_IMAGE_BYTES, old);
}

/* ---- the changes ---- */

static enum ay_rc change_image(struct compute *c, enum ay_boot_role role, struct ay_bytes fresh,
			       struct ay_bytes old, size_t *n, struct ay_err *e)
{
	struct ay_pe now, was;
	enum ay_rc rc = ay_pe_parse(fresh, &now, e);

	if (rc == AY_OK && old.p != NULL)
		rc = ay_pe_parse(old, &was, e);
	return rc != AY_OK ? rc
			   : ay_change_image(&c->forecast, role, old.p == NULL ? NULL : &was, &now,
					     n, e);
}

/* A kernel is an image that is started and, with GRUB, a file that is read. */
static enum ay_rc change_kernel(struct compute *c, struct ay_bytes fresh, struct ay_bytes old,
				size_t *n, struct ay_err *e)
{
	size_t n_files = 0;
	enum ay_rc rc = change_image(c, AY_BOOT_KERNEL, fresh, old, n, e);

	if (rc == AY_OK)
		rc = ay_change_file(&c->forecast, AY_BOOT_KERNEL, NULL, old.p == NULL ? NULL : &old,
				    fresh, &n_files, e);
	*n += n_files;
	if (rc == AY_OK && *n == 0)
		rc = ay_fail(e, AY_E_NOENT, "log", 0, "no event of the old kernel");
	return rc;
}

static enum ay_rc change_uki(struct compute *c, struct ay_bytes fresh, struct ay_bytes old,
			     size_t *n, struct ay_err *e)
{
	struct ay_uki now, was;
	enum ay_rc rc = ay_uki_open(fresh, &now, e);

	if (rc == AY_OK && old.p != NULL)
		rc = ay_uki_open(old, &was, e);
	return rc != AY_OK ? rc
			   : ay_change_uki(&c->forecast, old.p == NULL ? NULL : &was, &now, n, e);
}

static enum ay_rc change_file(struct compute *c, enum ay_boot_role role, struct ay_bytes fresh,
			      struct ay_bytes old, size_t *n, struct ay_err *e)
{
	return ay_change_file(&c->forecast, role, NULL, old.p == NULL ? NULL : &old, fresh, n, e);
}

/* The file itself, and its menu entries, which GRUB measures as commands. */
static enum ay_rc change_grub_cfg(struct compute *c, struct ay_bytes fresh, struct ay_bytes old,
				  size_t *n, struct ay_err *e)
{
	struct ay_grubcfg now, was;
	size_t n_entries = 0;
	enum ay_rc rc = change_file(c, AY_BOOT_GRUB_CFG, fresh, old, n, e);

	if (rc == AY_OK)
		rc = ay_grubcfg_parse(fresh, &c->arena, &now, e);
	if (rc == AY_OK && old.p != NULL)
		rc = ay_grubcfg_parse(old, &c->arena, &was, e);
	if (rc == AY_OK)
		rc = ay_grubcfg_change(&c->forecast, old.p == NULL ? NULL : &was, &now, &n_entries,
				       e);
	*n += n_entries;
	return rc;
}

static const struct {
	const char *opt;
	enum ay_boot_role role;
} roles[] = {
	{ "shim", AY_BOOT_SHIM },     { "grub", AY_BOOT_GRUB }, { "kernel", AY_BOOT_KERNEL },
	{ "initrd", AY_BOOT_INITRD }, { "uki", AY_BOOT_UKI },	{ "grub-cfg", AY_BOOT_GRUB_CFG },
};

static int change_role(struct compute *c, size_t i)
{
	struct ay_bytes fresh, old;
	struct ay_err e = { 0 };
	size_t n = 0;
	enum ay_rc rc;
	int code = read_pair(c, roles[i].opt, &fresh, &old);

	if (code != AY_EXIT_OK || fresh.p == NULL)
		return code;
	if (roles[i].role == AY_BOOT_KERNEL)
		rc = change_kernel(c, fresh, old, &n, &e);
	else if (roles[i].role == AY_BOOT_UKI)
		rc = change_uki(c, fresh, old, &n, &e);
	else if (roles[i].role == AY_BOOT_INITRD)
		rc = change_file(c, roles[i].role, fresh, old, &n, &e);
	else if (roles[i].role == AY_BOOT_GRUB_CFG)
		rc = change_grub_cfg(c, fresh, old, &n, &e);
	else
		rc = change_image(c, roles[i].role, fresh, old, &n, &e);
	if (rc != AY_OK)
		return fault(roles[i].opt, &e);
	note_change(c, roles[i].opt, n);
	return AY_EXIT_OK;
}

/* "PATH=FILE": a file by the name that GRUB's log has for it. */
static int change_named(struct compute *c, const char *text)
{
	const char *eq = strrchr(text, '=');
	struct ay_bytes fresh;
	struct ay_err e = { 0 };
	size_t n = 0;
	char *path;
	int code;

	if (eq == NULL || eq == text)
		return ay_cli_error(AY_EXIT_USAGE, "--file %s: give PATH=FILE", text);
	code = ay_inputs_read(&c->inputs, "file", eq + 1, AY_MAX_IMAGE_BYTES, &fresh);
	if (code != AY_EXIT_OK)
		return code;
	path = ay_arena_str(&c->arena,
			    (struct ay_bytes){ (const uint8_t *)text, (size_t)(eq - text) });
	if (path == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	if (ay_change_file(&c->forecast, AY_BOOT_GRUB_CFG, path, NULL, fresh, &n, &e) != AY_OK)
		return fault("file", &e);
	note_change(c, path, n);
	return AY_EXIT_OK;
}

/* "OLD=NEW" in commands and names. */
static int change_text(struct compute *c, const char *text)
{
	const char *eq = strchr(text, '=');
	struct ay_err e = { 0 };
	size_t n = 0;
	char *old;

	if (eq == NULL || eq == text)
		return ay_cli_error(AY_EXIT_USAGE, "--rename %s: give OLD=NEW", text);
	old = ay_arena_str(&c->arena,
			   (struct ay_bytes){ (const uint8_t *)text, (size_t)(eq - text) });
	if (old == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	if (ay_change_text(&c->forecast, old, eq + 1, &n, &e) != AY_OK)
		return fault("rename", &e);
	note_change(c, text, n);
	return AY_EXIT_OK;
}

static int change_cmdline(struct compute *c)
{
	const char *fresh = ay_args_opt(c->args, "cmdline", 0);
	struct ay_err e = { 0 };
	size_t n = 0;

	if (fresh == NULL)
		return AY_EXIT_OK;
	if (ay_change_cmdline(&c->forecast, ay_args_opt(c->args, "old-cmdline", 0), fresh, &n,
			      &e) != AY_OK)
		return fault("cmdline", &e);
	note_change(c, "cmdline", n);
	return AY_EXIT_OK;
}

static const struct {
	const char *name, *opt, *append;
} variables[] = {
	{ "PK", "pk", NULL },
	{ "KEK", "kek", "kek-append" },
	{ "db", "db", "db-append" },
	{ "dbx", "dbx", "dbx-append" },
};

/* The value after the change: the file's lists, or those and what was there before. */
static enum ay_rc new_value(struct compute *c, const char *name, struct ay_bytes file, bool append,
			    struct ay_bytes *value, struct ay_err *e)
{
	enum ay_siglist_form form;
	struct ay_bytes old;
	enum ay_rc rc = ay_siglist_open(file, value, &form, e);

	if (rc == AY_OK && append)
		rc = ay_change_variable_old(&c->forecast, name, &old, e);
	if (rc == AY_OK && append)
		rc = ay_siglist_append(old, *value, &c->arena, value, e);
	return rc;
}

static int change_variable(struct compute *c, const char *name, const char *opt, bool append)
{
	const char *path = ay_args_opt(c->args, opt, 0);
	struct ay_bytes file = { 0 }, value;
	struct ay_err e = { 0 };
	int code = path == NULL
			   ? AY_EXIT_OK
			   : ay_inputs_read(&c->inputs, opt, path, AY_MAX_EVLOG_EVENT_BYTES, &file);

	if (code != AY_EXIT_OK || file.p == NULL)
		return code;
	if (new_value(c, name, file, append, &value, &e) != AY_OK ||
	    ay_change_variable(&c->forecast, name, value, &e) != AY_OK)
		return fault(opt, &e);
	note_change(c, opt, 1);
	return AY_EXIT_OK;
}

static int change_variables(struct compute *c)
{
	int rc = AY_EXIT_OK;

	for (size_t i = 0; rc == AY_EXIT_OK && i < AY_COUNT(variables); i++) {
		rc = change_variable(c, variables[i].name, variables[i].opt, false);
		if (rc == AY_EXIT_OK && variables[i].append != NULL)
			rc = change_variable(c, variables[i].name, variables[i].append, true);
	}
	return rc;
}

/* Texts first: files are then found by their new names, and a new grub.cfg has the last word. */
static int change_all(struct compute *c)
{
	const char *text;
	int rc = AY_EXIT_OK;

	for (size_t i = 0; rc == AY_EXIT_OK && (text = ay_args_opt(c->args, "rename", i)) != NULL;
	     i++)
		rc = change_text(c, text);
	if (rc == AY_EXIT_OK)
		rc = change_cmdline(c);
	for (size_t i = 0; rc == AY_EXIT_OK && i < AY_COUNT(roles); i++)
		rc = change_role(c, i);
	for (size_t i = 0; rc == AY_EXIT_OK && (text = ay_args_opt(c->args, "file", i)) != NULL;
	     i++)
		rc = change_named(c, text);
	return rc == AY_EXIT_OK ? change_variables(c) : rc;
}

/* ---- the result ---- */

static json_t *result_json(const struct compute *c, const struct ay_pcrs *was,
			   const struct ay_pcrs *now)
{
	json_t *moved = json_array();

	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		bool differs = false;

		for (size_t k = 0; k < now->n_banks; k++)
			differs |= !ay_bytes_eq(ay_pcrs_value(now, now->bank[k].alg, pcr),
						ay_pcrs_value(was, now->bank[k].alg, pcr));
		if (differs)
			json_array_append_new(moved, json_integer(pcr));
	}
	return json_pack("{s:o,s:o,s:O}", "pcrs", ay_offline_pcrs(now), "moved", moved, "changes",
			 c->changes);
}

static void print_text(const struct compute *c, const json_t *doc, const struct ay_pcrs *now)
{
	static const char *const heads[] = { "REPLACED", "EVENTS", NULL };
	struct ay_table t;
	json_t *v;
	size_t i;

	if (c->old.n_events == 0) { /* from files alone */
		ay_offline_print_pcrs(now, stdout);
		return;
	}
	ay_table_init(&t, c->cli, heads);
	json_array_foreach (c->changes, i, v) {
		ay_table_add(&t, json_string_value(json_object_get(v, "what")));
		ay_table_addf(&t, "%lld",
			      (long long)json_integer_value(json_object_get(v, "events")));
	}
	ay_table_print(&t, stdout);
	printf("\nPCRs that move:");
	json_array_foreach (json_object_get(doc, "moved"), i, v)
		printf(" %lld", (long long)json_integer_value(v));
	printf("\n\n");
	ay_offline_print_pcrs(now, stdout);
}

static int read_parts(const struct ay_args *args, uint32_t *parts)
{
	const char *name;
	enum ay_part p;

	*parts = 0;
	for (size_t i = 0; (name = ay_args_opt(args, "part", i)) != NULL; i++) {
		if (!ay_part_find(ay_bytes_of(name), &p) || p == AY_PART_RUNTIME)
			return ay_cli_error(AY_EXIT_USAGE, "%s: no part of a boot", name);
		*parts |= AY_PART_BIT(p);
	}
	return AY_EXIT_OK;
}

static int read_pcrs(const struct ay_args *args, uint32_t *pcrs)
{
	const char *text;
	char *end;

	*pcrs = 0;
	for (size_t i = 0; (text = ay_args_opt(args, "pcr", i)) != NULL; i++) {
		unsigned long n = strtoul(text, &end, 10);

		if (end == text || *end != '\0' || n >= AY_PCR_COUNT ||
		    (AY_PCR_BY_VALUE & (1u << n)) == 0)
			return ay_cli_error(AY_EXIT_USAGE, "--pcr %s: 0 to 9, 11 to 15, 17 to 22",
					    text);
		*pcrs |= 1u << n;
	}
	return AY_EXIT_OK;
}

static int write_set(struct compute *c, const struct ay_evlog *log, const struct ay_pcrs *pcrs)
{
	const char *out = ay_args_opt(c->args, "out", 0);
	struct ay_learn_from from = { .pcrs = pcrs, .log = log };
	struct ay_learn_options opt = { 0 };
	char name[AY_MAX_NAME_BYTES + 1], at[AY_TIME_ROOM];
	struct ay_refset *set = NULL;
	struct ay_err e = { 0 };
	int code = ay_compute_name(c->args, name);

	if (code == AY_EXIT_OK)
		code = read_parts(c->args, &opt.parts);
	if (code == AY_EXIT_OK)
		code = read_pcrs(c->args, &opt.pcrs);
	if (code != AY_EXIT_OK || out == NULL)
		return code;
	ay_time_format(ay_clock_wall_ms() / 1000 * 1000, at);
	opt.name = name;
	opt.provenance = (struct ay_provenance){ .source = "computed",
						 .at = at,
						 .note = ay_inputs_note(&c->inputs, &c->arena) };
	if (ay_refset_learn(&from, &opt, &set, &e) != AY_OK)
		return fault("compute", &e);
	code = ay_compute_write(set, out);
	ay_refset_free(set);
	return code;
}

static int finish(struct compute *c)
{
	struct ay_pcrs was, now;
	struct ay_evlog log;
	struct ay_err e = { 0 };
	json_t *doc;
	int code;

	if (ay_forecast_end(&c->forecast, &log, &e) != AY_OK ||
	    ay_evlog_replay(&log, &now, &e) != AY_OK || ay_evlog_replay(&c->old, &was, &e) != AY_OK)
		return fault("compute", &e);
	code = write_set(c, &log, &now);
	if (code != AY_EXIT_OK)
		return code;
	doc = result_json(c, &was, &now);
	if (c->cli->json)
		return ay_offline_print(doc, AY_EXIT_OK);
	print_text(c, doc, &now);
	json_decref(doc);
	return AY_EXIT_OK;
}

static int begin(struct compute *c, struct ay_bytes log, const char *path)
{
	struct ay_err e = { 0 };

	if (ay_evlog_parse(log, &c->arena, &c->old, &e) != AY_OK)
		return fault(path, &e);
	ay_evlog_check_data(&c->old);
	if (ay_forecast_from_log(&c->forecast, &c->arena, &c->old, &e) != AY_OK)
		return fault(path, &e);
	return AY_EXIT_OK;
}

static int begin_from_log(struct compute *c, const char *path)
{
	struct ay_bytes in;
	int code = ay_inputs_read(&c->inputs, "from-log", path, AY_MAX_EVLOG_BYTES, &in);

	return code == AY_EXIT_OK ? begin(c, in, path) : code;
}

/* Does the quote vouch for the log? As for learning: signature, nonce and replay. */
static int check_evidence(struct compute *c, const char *path)
{
	struct ay_learn_options opt = {
		.name = "evidence", .parts = AY_PART_BIT(AY_PART_PLATFORM) | AY_PART_BIT(AY_PART_OS)
	};
	struct ay_refset *set = NULL;
	struct ay_report rep;
	struct ay_err e = { 0 };
	int code = AY_EXIT_OK;

	ay_report_init(&rep, &c->arena);
	if (ay_learn_offline(&c->evidence.in, &opt, &c->arena, &set, &rep, &e) != AY_OK)
		code = fault(path, &e);
	else if (set == NULL)
		code = ay_cli_error(AY_EXIT_FINDING,
				    "%s: the quote does not vouch for the log (assay appraise "
				    "says why)",
				    path);
	ay_refset_free(set);
	return code;
}

static int begin_from_evidence(struct compute *c, const char *path)
{
	int code = ay_evidence_dir_open(path, &c->evidence);

	if (code != AY_EXIT_OK)
		return code;
	if (!ay_evidence_dir_has_quote(&c->evidence) || c->evidence.in.log.p == NULL)
		return ay_cli_error(AY_EXIT_FINDING,
				    "%s: quote.msg, quote.sig, ak.pem or ak.pub, nonce.hex and "
				    "eventlog.bin are needed",
				    path);
	code = check_evidence(c, path);
	return code == AY_EXIT_OK ? begin(c, c->evidence.in.log, path) : code;
}

/* The boot before the change, or none. */
static int begin_any(struct compute *c)
{
	const char *log = ay_args_opt(c->args, "from-log", 0);
	const char *dir = ay_args_opt(c->args, "evidence", 0);

	if (log != NULL && dir != NULL)
		return ay_cli_error(AY_EXIT_USAGE, "--from-log or --evidence, not both");
	if (dir != NULL)
		return begin_from_evidence(c, dir);
	if (log != NULL)
		return begin_from_log(c, log);
	return ay_compute_boot(c->args, &c->inputs, &c->arena, &c->forecast);
}

static int run_boot(struct ay_cli *cli, const struct ay_args *args)
{
	struct compute c = { .cli = cli, .args = args, .changes = json_array() };
	int rc;

	ay_arena_init(&c.arena, AY_MAX_FORECAST_BYTES);
	rc = begin_any(&c);
	if (rc == AY_EXIT_OK && c.old.n_events > 0)
		rc = change_all(&c);
	if (rc == AY_EXIT_OK)
		rc = finish(&c);
	ay_arena_fini(&c.arena);
	ay_inputs_free(&c.inputs);
	ay_evidence_dir_close(&c.evidence);
	json_decref(c.changes);
	return rc;
}

static int run_compute(struct ay_cli *cli, const struct ay_args *args)
{
	if (ay_args_has(args, "deb") || ay_args_has(args, "repository"))
		return ay_args_has(args, "from-log") || ay_args_has(args, "evidence")
			       ? ay_cli_error(AY_EXIT_USAGE, "packages or a boot, not both")
			       : ay_compute_packages(cli, args);
	if (args->n_pos > 0)
		return ay_cli_error(AY_EXIT_USAGE, "%s: only with --deb", args->pos[0]);
	return run_boot(cli, args);
}

static const struct ay_opt compute_opts[] = {
	{ "from-log", "LOG", "boot log of the host before the change; all else stays as it was" },
	{ "evidence", "DIR",
	  "the same from a folder of evidence, whose quote must vouch for the log" },
	{ "shim", "FILE", "new shim" },
	{ "grub", "FILE", "new GRUB image" },
	{ "grub-cfg", "FILE", "new grub.cfg (the last one that the log names)" },
	{ "kernel", "FILE", "new kernel" },
	{ "initrd", "FILE", "new initrd" },
	{ "uki", "FILE", "new unified kernel image" },
	{ "cmdline", "TEXT", "new kernel command line, without the name of the kernel" },
	{ "rename", "OLD=NEW", "text in GRUB's commands and file names; may be repeated" },
	{ "file", "PATH=FILE", "a file that GRUB reads, by its name in the log; may be repeated" },
	{ "pk", "FILE", "new content of variable PK" },
	{ "kek", "FILE", "new content of variable KEK" },
	{ "db", "FILE", "new content of variable db" },
	{ "dbx", "FILE", "new content of variable dbx" },
	{ "kek-append", "FILE", "an update that firmware appends to KEK" },
	{ "db-append", "FILE", "an update that firmware appends to db" },
	{ "dbx-append", "FILE", "an update that firmware appends to dbx" },
	{ "old-shim", "FILE", "the shim of the log (found by its place otherwise)" },
	{ "old-grub", "FILE", "the GRUB image of the log" },
	{ "old-grub-cfg", "FILE", "the grub.cfg of the log" },
	{ "old-kernel", "FILE", "the kernel of the log" },
	{ "old-initrd", "FILE", "the initrd of the log" },
	{ "old-uki", "FILE", "the unified kernel image of the log" },
	{ "old-cmdline", "TEXT", "the kernel command line of the log (needed without GRUB)" },
	{ "deb", "FILE", "instead of a boot: the files of Debian packages, for part runtime" },
	{ "repository", "DIR", "the same for all packages of a folder and those below it" },
	{ "programs", NULL, "of packages: only files that are executed or loaded as code" },
	{ "ima-hash", "H", "the hash that IMA uses on the hosts (sha256)" },
	{ "secure-boot", "yes|no", "without a log: is Secure Boot on?" },
	{ "grub-prefix", "PATH", "without a log: GRUB's folder, as (hd0,gpt1)/EFI/debian" },
	{ "bank", "B", "without a log: sha1, sha256, sha384 or sha512; may be repeated (sha256)" },
	{ "pcr", "N", "only this PCR; may be repeated (all)" },
	{ "part", "P", "platform, os or host_unique; may be repeated (all)" },
	{ "name", "N", "name of the reference set (that of the file)" },
	{ "out", "SET.json", "the reference set to write, a draft" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_reference_compute = { "reference",
						 "compute",
						 "[PACKAGE.deb...]",
						 0,
						 100000,
						 compute_opts,
						 "foretell from files what the next boot shows",
						 run_compute };
