/* SPDX-License-Identifier: Apache-2.0 */
/* assay reference compute without a log: what files alone decide of the next boot. */
#include <string.h>

#include "core/predict/boot.h"
#include "core/predict/siglist.h"
#include "prog/assay/compute.h"

/* The files of the boot; {NULL, 0} where none was given. */
struct boot_files {
	struct ay_bytes shim, grub, cfg, kernel, initrd, uki, pk, kek, db, dbx;
};

static int read_files(const struct ay_args *args, struct ay_inputs *in, struct boot_files *b)
{
	const struct {
		const char *opt;
		struct ay_bytes *to;
	} files[] = {
		{ "shim", &b->shim },	  { "grub", &b->grub },	    { "grub-cfg", &b->cfg },
		{ "kernel", &b->kernel }, { "initrd", &b->initrd }, { "uki", &b->uki },
		{ "pk", &b->pk },	  { "kek", &b->kek },	    { "db", &b->db },
		{ "dbx", &b->dbx },
	};
	int rc = AY_EXIT_OK;

	*b = (struct boot_files){ 0 };
	for (size_t i = 0; rc == AY_EXIT_OK && i < AY_COUNT(files); i++) {
		const char *path = ay_args_opt(args, files[i].opt, 0);

		if (path != NULL)
			rc = ay_inputs_read(in, files[i].opt, path, AY_MAX_IMAGE_BYTES,
					    files[i].to);
	}
	return rc;
}

/* Options that replace something need the log that has it. */
static int refuse_changes(const struct ay_args *args)
{
	static const char *const opts[] = { "rename",	  "file",	  "kek-append",
					    "db-append",  "dbx-append",	  "old-shim",
					    "old-grub",	  "old-grub-cfg", "old-kernel",
					    "old-initrd", "old-uki",	  "old-cmdline" };

	for (size_t i = 0; i < AY_COUNT(opts); i++)
		if (ay_args_has(args, opts[i]))
			return ay_cli_error(AY_EXIT_USAGE,
					    "--%s: only with --from-log or --evidence", opts[i]);
	return AY_EXIT_OK;
}

static int read_secure_boot(const struct ay_args *args, bool *on)
{
	const char *text = ay_args_opt(args, "secure-boot", 0);

	*on = text != NULL && strcmp(text, "yes") == 0;
	if (*on || (text != NULL && strcmp(text, "no") == 0))
		return AY_EXIT_OK;
	return ay_cli_error(AY_EXIT_USAGE, "without --from-log give --secure-boot yes or no");
}

static int init(const struct ay_args *args, struct ay_arena *arena, struct ay_forecast *f)
{
	uint16_t bank[AY_BANKS_MAX];
	struct ay_err e = { 0 };
	const char *name;
	size_t n = 0;

	for (; n < AY_BANKS_MAX && (name = ay_args_opt(args, "bank", n)) != NULL; n++)
		bank[n] = ay_alg_from_bank_name(ay_bytes_of(name));
	if (n == 0)
		bank[n++] = AY_ALG_SHA256;
	if (ay_forecast_init(f, arena, bank, n, &e) != AY_OK)
		return ay_cli_fault(AY_EXIT_USAGE, "bank", &e);
	return AY_EXIT_OK;
}

/* An absent variable is an empty one. */
static enum ay_rc open_lists(struct ay_bytes file, struct ay_bytes *value, struct ay_err *e)
{
	enum ay_siglist_form form;

	return ay_siglist_open(file, value, &form, e);
}

static enum ay_rc add_keys(const struct boot_files *b, bool secure_boot, struct ay_forecast *f,
			   struct ay_err *e)
{
	struct ay_boot_keys k = { .secure_boot = secure_boot };
	enum ay_rc rc = open_lists(b->pk, &k.pk, e);

	if (rc == AY_OK)
		rc = open_lists(b->kek, &k.kek, e);
	if (rc == AY_OK)
		rc = open_lists(b->db, &k.db, e);
	if (rc == AY_OK)
		rc = open_lists(b->dbx, &k.dbx, e);
	return rc == AY_OK ? ay_boot_secure(f, &k, e) : rc;
}

static enum ay_rc add_image(struct ay_bytes file, struct ay_pe *pe, struct ay_forecast *f,
			    struct ay_err *e)
{
	enum ay_rc rc = ay_pe_parse(file, pe, e);

	if (rc == AY_OK)
		ay_boot_image(f, pe);
	return rc;
}

static enum ay_rc add_uki(const struct boot_files *b, bool secure_boot, struct ay_forecast *f,
			  struct ay_err *e)
{
	struct ay_uki u;
	enum ay_rc rc = ay_uki_open(b->uki, &u, e);

	return rc == AY_OK ? ay_boot_uki(f, &u, secure_boot, e) : rc;
}

static enum ay_rc add_grub(const struct boot_files *b, const char *prefix, struct ay_forecast *f,
			   struct ay_err *e)
{
	struct ay_boot_grub g = {
		.prefix = prefix, .cfg = b->cfg, .kernel = b->kernel, .initrd = b->initrd
	};
	struct ay_pe shim, grub, kernel;
	enum ay_rc rc = add_image(b->shim, &shim, f, e);

	if (rc == AY_OK)
		rc = add_image(b->grub, &grub, f, e);
	if (rc == AY_OK)
		rc = ay_pe_parse(b->kernel, &kernel, e);
	g.image = &kernel;
	return rc == AY_OK ? ay_boot_grub(f, &g, e) : rc;
}

static enum ay_rc add_kernel(const struct boot_files *b, const char *cmdline, struct ay_forecast *f,
			     struct ay_err *e)
{
	struct ay_pe kernel;
	enum ay_rc rc = add_image(b->kernel, &kernel, f, e);

	if (rc == AY_OK)
		ay_boot_stub(f, cmdline == NULL ? "" : cmdline,
			     b->initrd.p == NULL ? NULL : &b->initrd);
	return rc;
}

/* Which way the files lead; AY_EXIT_USAGE when they lead none or several. */
static int check_way(const struct boot_files *b, const struct ay_args *args, bool secure_boot)
{
	bool grub = b->grub.p != NULL;

	if ((b->uki.p != NULL) == (b->kernel.p != NULL))
		return ay_cli_error(AY_EXIT_USAGE, "give a log with --from-log, or the files of a "
						   "boot: --uki, or --kernel");
	if (b->uki.p != NULL && (grub || b->shim.p != NULL || b->initrd.p != NULL))
		return ay_cli_error(AY_EXIT_USAGE, "--uki brings its kernel, initrd and command "
						   "line; behind shim or GRUB use --from-log");
	if (grub != (b->shim.p != NULL) || grub != (b->cfg.p != NULL) ||
	    grub != ay_args_has(args, "grub-prefix"))
		return ay_cli_error(AY_EXIT_USAGE, "a boot by GRUB needs --shim, --grub, "
						   "--grub-cfg, --grub-prefix and --kernel");
	if (grub && ay_args_has(args, "cmdline"))
		return ay_cli_error(AY_EXIT_USAGE, "the command line stands in grub.cfg");
	if (grub && !secure_boot)
		return ay_cli_error(AY_EXIT_USAGE, "GRUB starts kernels another way without "
						   "Secure Boot: use --from-log");
	return AY_EXIT_OK;
}

static enum ay_rc add_all(const struct boot_files *b, const struct ay_args *args, bool secure_boot,
			  struct ay_forecast *f, struct ay_err *e)
{
	bool has_keys = ay_args_has(args, "pk") && ay_args_has(args, "kek") &&
			ay_args_has(args, "db") && ay_args_has(args, "dbx");

	ay_boot_begin(f);
	if (b->uki.p != NULL) {
		enum ay_rc rc = add_uki(b, secure_boot, f, e);

		return rc == AY_OK && has_keys ? add_keys(b, secure_boot, f, e) : rc;
	}
	if (b->grub.p != NULL)
		return add_grub(b, ay_args_opt(args, "grub-prefix", 0), f, e);
	if (has_keys && add_keys(b, secure_boot, f, e) != AY_OK)
		return e->rc;
	return add_kernel(b, ay_args_opt(args, "cmdline", 0), f, e);
}

int ay_compute_boot(const struct ay_args *args, struct ay_inputs *in, struct ay_arena *arena,
		    struct ay_forecast *f)
{
	struct boot_files b;
	struct ay_err e = { 0 };
	bool secure_boot;
	int rc = refuse_changes(args);

	if (rc == AY_EXIT_OK)
		rc = read_files(args, in, &b);
	if (rc == AY_EXIT_OK)
		rc = read_secure_boot(args, &secure_boot);
	if (rc == AY_EXIT_OK)
		rc = check_way(&b, args, secure_boot);
	if (rc == AY_EXIT_OK)
		rc = init(args, arena, f);
	if (rc == AY_EXIT_OK && add_all(&b, args, secure_boot, f, &e) != AY_OK)
		rc = ay_cli_fault(e.rc == AY_E_NOMEM ? AY_EXIT_IO : AY_EXIT_USAGE, "compute", &e);
	return rc;
}
