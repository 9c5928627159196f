/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pkg/deb.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/reader.h"
#include "core/crypto/hash.h"

#define AR_MAGIC "!<arch>\n"
#define CONTROL_MAX (256 * 1024)
#define BLOCK (64 * 1024)

/* One package while it is read. */
struct deb_reader {
	struct ay_deb *d;
	uint16_t alg;
	ay_deb_visit *visit;
	void *ctx;
	bool has_control;
	size_t n_files;
	uint64_t n_bytes;
	uint8_t block[BLOCK];
};

/* ---- the ar archive around it ---- */

struct member {
	char name[17];
	struct ay_bytes content;
};

/* Decimal digits padded with blanks. */
static bool read_decimal(struct ay_bytes b, uint64_t *out)
{
	size_t i = 0;

	for (*out = 0; i < b.n && b.p[i] >= '0' && b.p[i] <= '9'; i++)
		*out = *out * 10 + (uint64_t)(b.p[i] - '0');
	if (i == 0)
		return false;
	while (i < b.n && b.p[i] == ' ')
		i++;
	return i == b.n;
}

static void read_member(struct ay_reader *r, struct member *m)
{
	struct ay_bytes name = ay_rd_bytes(r, "deb.member.name", 16), size, end;
	uint64_t n = 0;

	*m = (struct member){ 0 };
	(void)ay_rd_bytes(r, "deb.member", 32);
	size = ay_rd_bytes(r, "deb.member.size", 10);
	end = ay_rd_bytes(r, "deb.member.end", 2);
	if (!ay_rd_ok(r))
		return;
	if (memcmp(end.p, "`\n", 2) != 0 || !read_decimal(size, &n)) {
		ay_rd_reject(r, "deb.member", "no ar header");
		return;
	}
	if (n > ay_rd_left(r)) {
		ay_rd_reject(r, "deb.member.size", "longer than the file");
		return;
	}
	m->content = ay_rd_bytes(r, "deb.member", (size_t)n);
	if (n % 2 != 0 && ay_rd_left(r) > 0)
		(void)ay_rd_u8(r, "deb.member.pad");
	memcpy(m->name, name.p, 16);
	for (size_t i = 16; i > 0 && (m->name[i - 1] == ' ' || m->name[i - 1] == '/'); i--)
		m->name[i - 1] = '\0';
}

/* ---- the control file ---- */

/* The value of "Field: value" at the beginning of a line; refused if it is longer than room. */
static bool control_field(struct ay_bytes text, const char *field, char *out, size_t room)
{
	size_t n_field = strlen(field), at = 0, n = 0;
	const uint8_t *nl;

	while (at < text.n) {
		if (text.n - at > n_field && memcmp(text.p + at, field, n_field) == 0)
			break;
		nl = memchr(text.p + at, '\n', text.n - at);
		at = nl == NULL ? text.n : (size_t)(nl - text.p) + 1;
	}
	if (at >= text.n)
		return false;
	for (at += n_field; at < text.n && text.p[at] == ' '; at++)
		continue;
	for (; at < text.n && text.p[at] > ' ' && text.p[at] < 0x7f; at++, n++) {
		if (n + 1 >= room)
			return false;
		out[n] = (char)text.p[at];
	}
	out[n] = '\0';
	return n > 0 && (at == text.n || text.p[at] == '\n' || text.p[at] == '\r');
}

static enum ay_rc parse_control(struct deb_reader *dr, struct ay_bytes text, struct ay_err *e)
{
	struct ay_deb *d = dr->d;

	if (!control_field(text, "Package:", d->package, sizeof(d->package)) ||
	    !control_field(text, "Version:", d->version, sizeof(d->version)) ||
	    !control_field(text, "Architecture:", d->architecture, sizeof(d->architecture)))
		return ay_fail(e, AY_E_INPUT, "deb.control", 0,
			       "no Package, Version or Architecture");
	dr->has_control = true;
	return AY_OK;
}

/* ---- the tar archives in it ---- */

static enum ay_rc archive_fault(struct archive *a, const char *where, struct ay_err *e)
{
	const char *why = archive_error_string(a);

	return ay_fail(e, AY_E_INPUT, where, 0, "broken archive: %.120s",
		       why == NULL ? "unknown" : why);
}

static void free_archive(struct archive **a)
{
	if (*a != NULL)
		archive_read_free(*a);
}

/* Only what packages use: tar, and the compressions of deb(5). */
static enum ay_rc open_tar(const struct member *m, struct archive **out, struct ay_err *e)
{
	struct archive *a = archive_read_new();

	*out = a;
	if (a == NULL)
		return ay_fail(e, AY_E_NOMEM, "deb", 0, "out of memory");
	if (archive_read_support_format_tar(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_gzip(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_xz(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_zstd(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_bzip2(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_lzma(a) < ARCHIVE_WARN)
		return archive_fault(a, "deb", e);
	if (archive_read_open_memory(a, m->content.p, m->content.n) < ARCHIVE_WARN)
		return archive_fault(a, "deb.tar", e);
	return AY_OK;
}

/* The next entry; *entry NULL at the end. */
static enum ay_rc next_entry(struct archive *a, struct archive_entry **entry, struct ay_err *e)
{
	int rc = archive_read_next_header(a, entry);

	if (rc == ARCHIVE_EOF)
		*entry = NULL;
	else if (rc < ARCHIVE_WARN)
		return archive_fault(a, "deb.tar", e);
	return AY_OK;
}

/* "./usr/bin/x" as "/usr/bin/x"; printable. */
static void set_path(struct ay_deb_file *f, const char *before, const char *name)
{
	size_t n;

	while (name[0] == '.' && name[1] == '/')
		name += 2;
	while (name[0] == '/')
		name++;
	n = (size_t)snprintf(f->path, sizeof(f->path), "%s%.900s", before, name);
	for (size_t i = 0; i < n && i < sizeof(f->path) - 1; i++)
		if (f->path[i] < 0x20 || f->path[i] > 0x7e)
			f->path[i] = '?';
}

static bool ends(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && strcmp(s + n - m, tail) == 0;
}

/* Code that is loaded without an execute bit: libraries, modules, firmware, scripts of
 * interpreters. */
static bool is_code(const char *path)
{
	static const char *const tails[] = { ".so", ".ko", ".ko.xz", ".ko.zst", ".py",	 ".pyc",
					     ".pm", ".pl", ".rb",    ".sh",	".bpf.o" };

	for (size_t i = 0; i < AY_COUNT(tails); i++)
		if (ends(path, tails[i]))
			return true;
	return strstr(path, ".so.") != NULL || strstr(path, "/lib/firmware/") != NULL ||
	       strncmp(path, "/boot/", 6) == 0;
}

/* Read an entry to its end: hashed, or kept (at most CONTROL_MAX) when out is not NULL. */
static enum ay_rc read_content(struct deb_reader *dr, struct archive *a, struct ay_deb_file *f,
			       uint8_t *keep, struct ay_err *e)
{
	struct ay_hash h;
	la_ssize_t n;

	f->size = 0;
	if (!ay_hash_init(&h, dr->alg))
		return ay_fail(e, AY_E_INPUT, "deb.hash", 0, "cannot be computed");
	while ((n = archive_read_data(a, dr->block, sizeof(dr->block))) > 0) {
		dr->n_bytes += (uint64_t)n;
		if (dr->n_bytes >> 20 >= AY_MAX_PKG_MIB)
			return ay_fail(e, AY_E_LIMIT, "deb", 0, "more than %d MiB unpacked",
				       AY_MAX_PKG_MIB);
		if (keep != NULL && f->size + (uint64_t)n > CONTROL_MAX)
			return ay_fail(e, AY_E_LIMIT, "deb.control", 0, "more than %d octets",
				       CONTROL_MAX);
		if (keep != NULL)
			memcpy(keep + f->size, dr->block, (size_t)n);
		ay_hash_update(&h, (struct ay_bytes){ dr->block, (size_t)n });
		f->size += (uint64_t)n;
	}
	if (n < 0)
		return archive_fault(a, "deb.tar", e);
	ay_hash_final(&h, f->digest);
	return AY_OK;
}

static enum ay_rc count_file(struct deb_reader *dr, struct ay_err *e)
{
	if (++dr->n_files > AY_MAX_PKG_FILES)
		return ay_fail(e, AY_E_LIMIT, "deb", 0, "more than %d files", AY_MAX_PKG_FILES);
	return AY_OK;
}

static bool is_regular(struct archive_entry *entry)
{
	/* a hard link has no octets of its own; its target was hashed before */
	return archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == NULL &&
	       archive_entry_pathname(entry) != NULL;
}

static enum ay_rc read_data(struct deb_reader *dr, const struct member *m, struct ay_err *e)
{
	AY_CLEANUP(free_archive) struct archive *a = NULL;
	struct archive_entry *entry = NULL;
	enum ay_rc rc = open_tar(m, &a, e);
	struct ay_deb_file f;

	while (rc == AY_OK && (rc = next_entry(a, &entry, e)) == AY_OK && entry != NULL) {
		rc = count_file(dr, e);
		if (rc != AY_OK || !is_regular(entry))
			continue;
		set_path(&f, "/", archive_entry_pathname(entry));
		f.is_program = (archive_entry_perm(entry) & 0111) != 0 || is_code(f.path);
		rc = read_content(dr, a, &f, NULL, e);
		if (rc == AY_OK)
			rc = dr->visit(dr->ctx, dr->d, &f, e);
	}
	return rc;
}

/* Scripts wait until the control file is known: two passes over a small archive. */
static enum ay_rc read_scripts(struct deb_reader *dr, const struct member *m, struct ay_err *e)
{
	AY_CLEANUP(free_archive) struct archive *a = NULL;
	struct archive_entry *entry = NULL;
	enum ay_rc rc = open_tar(m, &a, e);
	struct ay_deb_file f;
	char before[256];

	snprintf(before, sizeof(before), "/var/lib/dpkg/info/%s.", dr->d->package);
	while (rc == AY_OK && (rc = next_entry(a, &entry, e)) == AY_OK && entry != NULL) {
		rc = count_file(dr, e);
		if (rc != AY_OK || !is_regular(entry) || (archive_entry_perm(entry) & 0111) == 0)
			continue;
		set_path(&f, before, archive_entry_pathname(entry));
		f.is_program = true;
		rc = read_content(dr, a, &f, NULL, e);
		if (rc == AY_OK)
			rc = dr->visit(dr->ctx, dr->d, &f, e);
	}
	return rc;
}

static enum ay_rc find_control(struct deb_reader *dr, const struct member *m, uint8_t *keep,
			       struct ay_err *e)
{
	AY_CLEANUP(free_archive) struct archive *a = NULL;
	struct archive_entry *entry = NULL;
	enum ay_rc rc = open_tar(m, &a, e);
	struct ay_deb_file f;

	while (rc == AY_OK && !dr->has_control && (rc = next_entry(a, &entry, e)) == AY_OK &&
	       entry != NULL) {
		rc = count_file(dr, e);
		if (rc != AY_OK || !is_regular(entry))
			continue;
		set_path(&f, "/", archive_entry_pathname(entry));
		if (strcmp(f.path, "/control") != 0)
			continue;
		rc = read_content(dr, a, &f, keep, e);
		if (rc == AY_OK)
			rc = parse_control(dr, (struct ay_bytes){ keep, (size_t)f.size }, e);
	}
	return rc;
}

static enum ay_rc read_control(struct deb_reader *dr, const struct member *m, struct ay_err *e)
{
	uint8_t *keep = malloc(CONTROL_MAX);
	enum ay_rc rc;

	if (keep == NULL)
		return ay_fail(e, AY_E_NOMEM, "deb", 0, "out of memory");
	rc = find_control(dr, m, keep, e);
	free(keep);
	if (rc == AY_OK && !dr->has_control)
		rc = ay_fail(e, AY_E_INPUT, "deb.control", 0, "no control file");
	return rc == AY_OK ? read_scripts(dr, m, e) : rc;
}

/* ---- the whole ---- */

static enum ay_rc read_part(struct deb_reader *dr, const struct member *m, struct ay_err *e)
{
	if (strncmp(m->name, "control.tar", 11) == 0)
		return dr->has_control ? ay_fail(e, AY_E_INPUT, "deb.control", 0, "control twice")
				       : read_control(dr, m, e);
	if (strncmp(m->name, "data.tar", 8) != 0)
		return AY_OK; /* _gpgorigin and the like */
	if (!dr->has_control)
		return ay_fail(e, AY_E_INPUT, "deb.control", 0, "no control file before the data");
	return read_data(dr, m, e);
}

static enum ay_rc read_all(struct deb_reader *dr, struct ay_bytes in, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_bytes magic;
	struct member m;
	enum ay_rc rc = AY_OK;
	bool has_data = false;

	ay_rd_init(&r, in);
	magic = ay_rd_bytes(&r, "deb.magic", sizeof(AR_MAGIC) - 1);
	if (ay_rd_ok(&r) && memcmp(magic.p, AR_MAGIC, magic.n) != 0)
		ay_rd_reject(&r, "deb.magic", "no Debian package");
	read_member(&r, &m);
	if (ay_rd_ok(&r) && (strcmp(m.name, "debian-binary") != 0 || m.content.n < 2 ||
			     memcmp(m.content.p, "2.", 2) != 0))
		ay_rd_reject(&r, "deb.format", "not version 2 of the format");
	while (rc == AY_OK && ay_rd_ok(&r) && ay_rd_left(&r) > 0) {
		read_member(&r, &m);
		if (!ay_rd_ok(&r))
			break;
		has_data |= strncmp(m.name, "data.tar", 8) == 0;
		rc = read_part(dr, &m, e);
	}
	if (rc == AY_OK)
		rc = ay_rd_end(&r, "deb", e);
	if (rc == AY_OK && !has_data)
		rc = ay_fail(e, AY_E_INPUT, "deb.data", 0, "no data.tar");
	return rc;
}

enum ay_rc ay_deb_read(struct ay_bytes in, uint16_t alg, struct ay_deb *d, ay_deb_visit *visit,
		       void *ctx, struct ay_err *e)
{
	struct deb_reader *dr = calloc(1, sizeof(*dr));
	enum ay_rc rc;

	*d = (struct ay_deb){ 0 };
	if (dr == NULL)
		return ay_fail(e, AY_E_NOMEM, "deb", 0, "out of memory");
	dr->d = d;
	dr->alg = alg;
	dr->visit = visit;
	dr->ctx = ctx;
	rc = read_all(dr, in, e);
	free(dr);
	if (rc != AY_OK)
		*d = (struct ay_deb){ 0 };
	return rc;
}
