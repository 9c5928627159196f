/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tpmdev/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = AY_GUARD_MAX * 9 + 1 };

bool ay_guard_has(const struct ay_guard *g, uint32_t handle)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->h[i] == handle)
			return true;
	return false;
}

bool ay_guard_load(const char *path, struct ay_guard *out)
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
	for (char *p = text; *p != '\0' && out->n < AY_GUARD_MAX;) {
		char *end;
		unsigned long v = strtoul(p, &end, 16);

		if (end == p)
			break;
		out->h[out->n++] = (uint32_t)v;
		p = end;
	}
	return true;
}

enum ay_rc ay_guard_save(const char *path, const struct ay_guard *g, struct ay_err *e)
{
	char text[FILE_MAX];
	size_t n = 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return ay_fail(e, AY_E_UNAVAIL, "tpm.guard", 0, "cannot write %s: %s", path,
			       strerror(errno));
	for (size_t i = 0; i < g->n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%08x\n", g->h[i]);
	bool ok = write(fd, text, n) == (ssize_t)n;

	close(fd);
	if (!ok)
		return ay_fail(e, AY_E_UNAVAIL, "tpm.guard", 0, "cannot write %s", path);
	return AY_OK;
}
