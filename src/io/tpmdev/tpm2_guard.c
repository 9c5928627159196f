/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/tpmdev/tpm2_priv.h"

/*
 * A TPM without a resource manager keeps what a killed program loaded. Before
 * we load anything, the handles that others have there are written to a file,
 * which is removed when all of ours are flushed. If the file is there at the
 * next start, a piece of our work was cut short: every handle that is not in
 * the file is flushed. Behind the kernel's resource manager all lists are empty.
 */
enum { MAX_HANDLES = 64, FILE_MAX = MAX_HANDLES * 9 + 1 };

#define TRANSIENT_FIRST 0x80000000u /* TPM2_TRANSIENT_FIRST is made by a signed shift */

struct handles {
	uint32_t h[MAX_HANDLES];
	size_t n;
};

static enum ay_rc list_loaded(struct ay_tpmdev *d, struct handles *out, struct ay_err *e)
{
	size_t n = 0;
	enum ay_rc rc = ay_tpm2_handles(d, TRANSIENT_FIRST, out->h, MAX_HANDLES / 2, &n, e);

	out->n = n;
	if (rc == AY_OK)
		rc = ay_tpm2_handles(d, TPM2_LOADED_SESSION_FIRST, out->h + n, MAX_HANDLES - n,
				     &out->n, e);
	out->n = rc == AY_OK ? out->n + n : 0;
	return rc;
}

static bool has(const struct handles *l, uint32_t h)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->h[i] == h)
			return true;
	return false;
}

/* False if there is no file. What does not read as a handle is passed over. */
static bool load_file(const char *path, struct handles *out)
{
	char text[FILE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got;

	out->n = 0;
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	for (char *p = text; *p != '\0' && out->n < MAX_HANDLES;) {
		char *end;
		unsigned long v = strtoul(p, &end, 16);

		if (end == p)
			break;
		out->h[out->n++] = (uint32_t)v;
		p = end;
	}
	return true;
}

static enum ay_rc save_file(const char *path, const struct handles *l, struct ay_err *e)
{
	char text[FILE_MAX];
	size_t n = 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return ay_fail(e, AY_E_UNAVAIL, "tpm.guard", 0, "cannot write %s: %s", path,
			       strerror(errno));
	for (size_t i = 0; i < l->n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%08x\n", l->h[i]);
	bool ok = write(fd, text, n) == (ssize_t)n;

	close(fd);
	if (!ok)
		return ay_fail(e, AY_E_UNAVAIL, "tpm.guard", 0, "cannot write %s", path);
	return AY_OK;
}

static void flush_handle(struct ay_tpmdev *d, uint32_t handle)
{
	ESYS_TR tr = ESYS_TR_NONE;

	if (Esys_TR_FromTPMPublic(d->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &tr) ==
	    TSS2_RC_SUCCESS)
		ay_tpm2_flush(d, &tr);
}

enum ay_rc ay_tpm2_guard_begin(struct ay_tpmdev *d, struct ay_err *e)
{
	struct handles now, foreign;
	enum ay_rc rc;

	if (d->guard_path == NULL)
		return AY_OK;
	rc = list_loaded(d, &now, e);
	if (rc != AY_OK)
		return rc;
	if (load_file(d->guard_path, &foreign)) {
		for (size_t i = 0; i < now.n; i++)
			if (!has(&foreign, now.h[i]))
				flush_handle(d, now.h[i]);
		rc = list_loaded(d, &now, e);
		if (rc != AY_OK)
			return rc;
	}
	return save_file(d->guard_path, &now, e);
}

void ay_tpm2_guard_end(struct ay_tpmdev *d)
{
	if (d->guard_path != NULL)
		(void)unlink(d->guard_path);
}
