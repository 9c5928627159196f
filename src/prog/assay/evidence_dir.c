/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/evidence_dir.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/hex.h"
#include "prog/assay/key_file.h"
#include "prog/assay/pcrs_file.h"

enum { PATH_ROOM = 4096 };

/* Room for a larger log than we accept, so that the parser can say LOG_LIMIT. */
static const struct {
	const char *name;
	size_t max;
} files[AY_EVIDENCE_FILES] = {
	{ "quote.msg", 1 << 20 },      { "quote.sig", 1 << 20 },	{ "nonce.hex", 1 << 10 },
	{ "eventlog.bin", 64u << 20 }, { "ima.bin", AY_MAX_IMA_BYTES },
};
enum { MESSAGE, SIGNATURE, NONCE, EVENTLOG, IMA };

static int path_of(const char *dir, const char *name, char out[PATH_ROOM])
{
	if ((size_t)snprintf(out, PATH_ROOM, "%s/%s", dir, name) >= PATH_ROOM)
		return ay_cli_error(AY_EXIT_USAGE, "%s: name too long", dir);
	return AY_EXIT_OK;
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0 || errno != ENOENT;
}

static int read_one(const char *dir, size_t i, struct ay_evidence_dir *d, struct ay_bytes *out)
{
	char path[PATH_ROOM];
	size_t n = 0;
	int rc = path_of(dir, files[i].name, path);

	*out = (struct ay_bytes){ 0 };
	if (rc != AY_EXIT_OK || !is_there(path))
		return rc;
	rc = ay_cli_read_file(path, files[i].max, &d->file[i], &n);
	*out = (struct ay_bytes){ d->file[i], n };
	return rc;
}

static int read_nonce(const char *dir, struct ay_evidence_dir *d)
{
	struct ay_bytes text;
	struct ay_err e = { 0 };
	int rc = read_one(dir, NONCE, d, &text);

	if (rc != AY_EXIT_OK || text.p == NULL)
		return rc;
	while (text.n > 0 && isspace(text.p[text.n - 1]))
		text.n--;
	if (text.n == 0 || text.n / 2 > sizeof(d->nonce))
		return ay_cli_error(AY_EXIT_USAGE, "nonce.hex: %zu digits", text.n);
	if (ay_hex_decode(text, "nonce.hex", d->nonce, text.n / 2, &e) != AY_OK)
		return ay_cli_fault(AY_EXIT_USAGE, "nonce.hex", &e);
	d->in.nonce = (struct ay_bytes){ d->nonce, text.n / 2 };
	return AY_EXIT_OK;
}

static int read_key(const char *dir, struct ay_evidence_dir *d)
{
	static const char *const names[] = { "ak.pem", "ak.pub" };

	for (size_t i = 0; i < AY_COUNT(names); i++) {
		char path[PATH_ROOM];
		int rc = path_of(dir, names[i], path);

		if (rc != AY_EXIT_OK)
			return rc;
		if (!is_there(path))
			continue;
		rc = ay_cli_key_file(path, &d->ak);
		d->in.ak = d->ak;
		return rc;
	}
	return AY_EXIT_OK;
}

static int read_values(const char *dir, struct ay_evidence_dir *d)
{
	char path[PATH_ROOM];
	int rc = path_of(dir, "pcrs.json", path);

	if (rc != AY_EXIT_OK || !is_there(path))
		return rc;
	rc = ay_cli_pcrs_file(path, &d->pcrs);
	if (rc == AY_EXIT_OK)
		d->in.pcrs = &d->pcrs;
	return rc;
}

int ay_evidence_dir_open(const char *path, struct ay_evidence_dir *out)
{
	struct stat st;
	int rc;

	*out = (struct ay_evidence_dir){ 0 };
	if (stat(path, &st) != 0)
		return ay_cli_error(AY_EXIT_IO, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return ay_cli_error(AY_EXIT_IO, "%s: not a folder", path);
	rc = read_one(path, MESSAGE, out, &out->in.attest);
	if (rc == AY_EXIT_OK)
		rc = read_one(path, SIGNATURE, out, &out->in.signature);
	if (rc == AY_EXIT_OK)
		rc = read_one(path, EVENTLOG, out, &out->in.log);
	if (rc == AY_EXIT_OK)
		rc = read_one(path, IMA, out, &out->in.ima);
	if (rc == AY_EXIT_OK)
		rc = read_nonce(path, out);
	if (rc == AY_EXIT_OK)
		rc = read_key(path, out);
	if (rc == AY_EXIT_OK)
		rc = read_values(path, out);
	if (rc != AY_EXIT_OK)
		ay_evidence_dir_close(out);
	return rc;
}

void ay_evidence_dir_close(struct ay_evidence_dir *d)
{
	for (size_t i = 0; i < AY_EVIDENCE_FILES; i++)
		free(d->file[i]);
	ay_pubkey_free(d->ak);
	*d = (struct ay_evidence_dir){ 0 };
}

bool ay_evidence_dir_has_quote(const struct ay_evidence_dir *d)
{
	return d->in.attest.p != NULL && d->in.signature.p != NULL && d->ak != NULL;
}
