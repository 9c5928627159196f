/* SPDX-License-Identifier: Apache-2.0 */
/* assay reference compute --deb FILE.. | --repository DIR: file digests of Debian packages. */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/hex.h"
#include "core/base/timefmt.h"
#include "core/crypto/hash.h"
#include "io/pkg/deb.h"
#include "io/sys/clock.h"
#include "prog/assay/compute.h"
#include "prog/assay/offline.h"

enum { REPOSITORY_MAX = 500000, PACKAGE_BYTES_MAX = 1 << 30 };

struct packages {
	char **path;
	size_t n, room;
};

/* One run: the digests so far and what they came from. */
struct pkg_run {
	struct ay_cli *cli;
	uint16_t alg;
	bool only_programs;
	json_t *files; /* digest: path (package) */
	size_t n_packages, n_files;
	struct ay_hash inputs; /* over the SHA-256 of each package: provenance */
	char last[400];
};

static int add_path(struct packages *p, const char *path)
{
	char **bigger;

	if (p->n == REPOSITORY_MAX)
		return ay_cli_error(AY_EXIT_USAGE, "more than %d packages", REPOSITORY_MAX);
	if (p->n == p->room) {
		p->room = p->room == 0 ? 256 : p->room * 2;
		bigger = realloc(p->path, p->room * sizeof(*bigger));
		if (bigger == NULL)
			return ay_cli_error(AY_EXIT_IO, "out of memory");
		p->path = bigger;
	}
	p->path[p->n] = strdup(path);
	return p->path[p->n++] == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory") : AY_EXIT_OK;
}

static void free_paths(struct packages *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->path[i]);
	free(p->path);
}

static bool is_deb(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".deb") == 0;
}

/* Same order whatever the folder's. */
static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk(struct packages *p, char *dir)
{
	char *const dirs[] = { dir, NULL };
	FTS *fts = fts_open(dirs, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *ent;
	int rc = AY_EXIT_OK;

	if (fts == NULL)
		return ay_cli_error(AY_EXIT_IO, "%s: %s", dir, strerror(errno));
	while (rc == AY_EXIT_OK && (ent = fts_read(fts)) != NULL) {
		if (ent->fts_info == FTS_ERR || ent->fts_info == FTS_DNR || ent->fts_info == FTS_NS)
			rc = ay_cli_error(AY_EXIT_IO, "%s: %s", ent->fts_path,
					  strerror(ent->fts_errno));
		else if (ent->fts_info == FTS_F && is_deb(ent->fts_name))
			rc = add_path(p, ent->fts_path);
	}
	fts_close(fts);
	if (rc == AY_EXIT_OK && p->n == 0)
		rc = ay_cli_error(AY_EXIT_USAGE, "%s: no package in it", dir);
	return rc;
}

static int collect(struct packages *p, const struct ay_args *args)
{
	const char *v;
	int rc = AY_EXIT_OK;

	for (size_t i = 0; rc == AY_EXIT_OK && (v = ay_args_opt(args, "deb", i)) != NULL; i++)
		rc = add_path(p, v);
	for (size_t i = 0; rc == AY_EXIT_OK && i < args->n_pos; i++)
		rc = add_path(p, args->pos[i]);
	for (size_t i = 0; rc == AY_EXIT_OK && (v = ay_args_opt(args, "repository", i)) != NULL;
	     i++) {
		char *dir = strdup(v);

		rc = dir == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory") : walk(p, dir);
		free(dir);
	}
	return rc;
}

static enum ay_rc visit(void *ctx, const struct ay_deb *d, const struct ay_deb_file *f,
			struct ay_err *e)
{
	struct pkg_run *r = ctx;
	char hex[2 * AY_DIGEST_MAX + 1], text[1400];

	if (r->only_programs && !f->is_program)
		return AY_OK;
	ay_hex_encode((struct ay_bytes){ f->digest, ay_alg_digest_size(r->alg) }, hex);
	if (json_object_get(r->files, hex) != NULL)
		return AY_OK; /* the same octets elsewhere: the first name stays */
	if (++r->n_files > AY_MAX_REFSET_FILES)
		return ay_fail(e, AY_E_LIMIT, "reference.files", 0,
			       "more than %d digests in one set", AY_MAX_REFSET_FILES);
	snprintf(text, sizeof(text), "%s (%s %s %s)", f->path, d->package, d->version,
		 d->architecture);
	if (json_object_set_new(r->files, hex, json_string(text)) != 0)
		return ay_fail(e, AY_E_NOMEM, "reference.files", 0, "out of memory");
	return AY_OK;
}

static void tell_progress(const struct pkg_run *r, size_t done, size_t all)
{
	enum { WIDTH = 30 };
	char bar[WIDTH + 1];
	size_t full = all == 0 ? 0 : done * WIDTH / all;

	if (r->cli->json || !isatty(STDERR_FILENO))
		return;
	memset(bar, '.', WIDTH);
	memset(bar, '#', full);
	bar[WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %zu/%zu packages, %zu files%s", bar, done, all, r->n_files,
		done == all ? "\n" : "");
}

static int read_package(struct pkg_run *r, const char *path)
{
	struct ay_err e = { 0 };
	struct ay_deb d;
	uint8_t *p = NULL, digest[32];
	size_t n = 0;
	int rc = ay_cli_read_file(path, PACKAGE_BYTES_MAX, &p, &n);

	if (rc != AY_EXIT_OK)
		return rc;
	ay_sha256((struct ay_bytes){ p, n }, digest);
	ay_hash_update(&r->inputs, AY_BYTES(digest));
	if (ay_deb_read((struct ay_bytes){ p, n }, r->alg, &d, visit, r, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, path, &e);
	else
		snprintf(r->last, sizeof(r->last), "%s %s %s", d.package, d.version,
			 d.architecture);
	free(p);
	r->n_packages++;
	return rc;
}

static int read_packages(struct pkg_run *r, const struct packages *p)
{
	int rc = AY_EXIT_OK;

	for (size_t i = 0; rc == AY_EXIT_OK && i < p->n; i++) {
		rc = read_package(r, p->path[i]);
		if (rc == AY_EXIT_OK)
			tell_progress(r, i + 1, p->n);
	}
	return rc;
}

/* The document of the set; NULL without memory. */
static json_t *set_json(struct pkg_run *r, const char *name)
{
	char at[AY_TIME_ROOM], hex[65], note[700];
	uint8_t digest[32];

	ay_time_format(ay_clock_wall_ms() / 1000 * 1000, at);
	ay_hash_final(&r->inputs, digest);
	ay_hex_encode(AY_BYTES(digest), hex);
	if (r->n_packages == 1)
		snprintf(note, sizeof(note), "package %s", r->last);
	else
		snprintf(note, sizeof(note), "%zu packages", r->n_packages);
	return json_pack("{ss ss si ss s{ss ss ss ss} s{s[{ss si s{sO}}]}}", "format",
			 "assay-reference-1", "name", name, "version", 1, "state", "draft",
			 "provenance", "source", "computed", "at", at, "evidence", hex, "note",
			 note, "parts", "runtime", "kind", "files", "violations", 0, "digests",
			 ay_alg_bank_name(r->alg), r->files);
}

static int write_set(struct pkg_run *r, const struct ay_args *args)
{
	const char *out = ay_args_opt(args, "out", 0);
	char name[AY_MAX_NAME_BYTES + 1];
	struct ay_refset *set = NULL;
	struct ay_err e = { 0 };
	json_t *j;
	int rc = ay_compute_name(args, name);

	if (rc != AY_EXIT_OK || out == NULL)
		return rc;
	j = set_json(r, name);
	if (j == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	if (ay_refset_from_json(j, &set, &e) != AY_OK)
		rc = ay_cli_fault(AY_EXIT_USAGE, "compute", &e);
	json_decref(j);
	if (rc == AY_EXIT_OK)
		rc = ay_compute_write(set, out);
	ay_refset_free(set);
	return rc;
}

static int tell(const struct pkg_run *r)
{
	if (r->cli->json)
		return ay_offline_print(
			json_pack("{s:I,s:I,s:s}", "packages", (json_int_t)r->n_packages, "files",
				  (json_int_t)r->n_files, "hash", ay_alg_bank_name(r->alg)),
			AY_EXIT_OK);
	printf("%zu packages, %zu different files\n", r->n_packages, r->n_files);
	return AY_EXIT_OK;
}

int ay_compute_packages(struct ay_cli *cli, const struct ay_args *args)
{
	const char *hash = ay_args_opt(args, "ima-hash", 0);
	struct pkg_run r = { .cli = cli, .only_programs = ay_args_has(args, "programs") };
	struct packages p = { 0 };
	struct ay_hash probe;
	int rc;

	r.alg = hash == NULL ? AY_ALG_SHA256 : ay_alg_from_bank_name(ay_bytes_of(hash));
	if (!ay_hash_init(&probe, r.alg) || !ay_hash_init(&r.inputs, AY_ALG_SHA256))
		return ay_cli_error(AY_EXIT_USAGE, "--ima-hash %s: sha1, sha256, sha384 or sha512",
				    hash);
	r.files = json_object();
	rc = collect(&p, args);
	if (rc == AY_EXIT_OK)
		rc = read_packages(&r, &p);
	if (rc == AY_EXIT_OK)
		rc = write_set(&r, args);
	if (rc == AY_EXIT_OK)
		rc = tell(&r);
	json_decref(r.files);
	free_paths(&p);
	return rc;
}
