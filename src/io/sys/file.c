/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ay_fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void ay_file_free(struct ay_bytes *b)
{
	union {
		const uint8_t *in;
		void *out;
	} p = { b->p }; /* ours: the view is const for its readers only */

	if (p.out != NULL)
		OPENSSL_cleanse(p.out, b->n);
	free(p.out);
	*b = (struct ay_bytes){ NULL, 0 };
}

static enum ay_rc open_failed(const char *path, struct ay_err *e)
{
	enum ay_rc rc = errno == ENOENT ? AY_E_NOENT : AY_E_UNAVAIL;

	return ay_fail(e, rc, "file", 0, "%s: %s", path, strerror(errno));
}

/* Grows *buf by doubling until the end of the file; n is what was read. */
static enum ay_rc read_all(int fd, const char *path, size_t max, uint8_t **buf, size_t *n,
			   struct ay_err *e)
{
	size_t cap = 0;

	for (*n = 0;;) {
		ssize_t got;

		if (*n + 1 >= cap) {
			uint8_t *bigger = realloc(*buf, cap = cap > 0 ? cap * 2 : 16384);

			if (bigger == NULL)
				return ay_fail(e, AY_E_NOMEM, "file", 0, "%s: no memory", path);
			*buf = bigger;
		}
		got = read(fd, *buf + *n, cap - *n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return open_failed(path, e);
		if (got == 0)
			return AY_OK;
		*n += (size_t)got;
		if (*n > max)
			return ay_fail(e, AY_E_LIMIT, "file", max, "%s: more than %zu bytes", path,
				       max);
	}
}

enum ay_rc ay_file_read_from(const char *path, uint64_t offset, size_t max, struct ay_bytes *out,
			     struct ay_err *e)
{
	AY_CLEANUP(ay_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *buf = NULL;
	size_t n = 0;
	enum ay_rc rc;

	*out = (struct ay_bytes){ NULL, 0 };
	if (fd < 0)
		return open_failed(path, e);
	if (offset > 0 && lseek(fd, (off_t)offset, SEEK_SET) < 0)
		return ay_fail(e, AY_E_INPUT, "file", offset, "%s: cannot seek: %s", path,
			       strerror(errno));
	rc = read_all(fd, path, max, &buf, &n, e);
	if (rc != AY_OK) {
		struct ay_bytes partial = { buf, n };

		ay_file_free(&partial);
		return rc;
	}
	buf[n] = 0;
	*out = (struct ay_bytes){ buf, n };
	return AY_OK;
}

enum ay_rc ay_file_read(const char *path, size_t max, struct ay_bytes *out, struct ay_err *e)
{
	return ay_file_read_from(path, 0, max, out, e);
}

static bool write_all(int fd, struct ay_bytes b)
{
	while (b.n > 0) {
		ssize_t n = write(fd, b.p, b.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		b.p += n;
		b.n -= (size_t)n;
	}
	return fsync(fd) == 0;
}

static void sync_folder_of(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = slash == NULL ? 0 : (int)(slash - path);

	snprintf(dir, sizeof(dir), "%.*s", n > 0 ? n : 1, slash == NULL ? "." : path);
	AY_CLEANUP(ay_fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd); /* a file system without it keeps its own order */
}

static enum ay_rc write_temporary(const char *temp, mode_t mode, struct ay_bytes b,
				  struct ay_err *e)
{
	AY_CLEANUP(ay_fd_close) int fd = -1;

	(void)unlink(temp); /* of an attempt that a crash ended */
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return open_failed(temp, e);
	if (fchmod(fd, mode) != 0 || !write_all(fd, b)) {
		(void)unlink(temp);
		return ay_fail(e, AY_E_UNAVAIL, "file", 0, "%s: %s", temp, strerror(errno));
	}
	return AY_OK;
}

enum ay_rc ay_file_write(const char *path, mode_t mode, struct ay_bytes b, struct ay_err *e)
{
	char temp[PATH_MAX];
	enum ay_rc rc;

	if (snprintf(temp, sizeof(temp), "%s.tmp", path) >= (int)sizeof(temp))
		return ay_fail(e, AY_E_LIMIT, "file", 0, "path too long");
	rc = write_temporary(temp, mode, b, e);
	if (rc != AY_OK)
		return rc;
	if (rename(temp, path) != 0) {
		(void)unlink(temp);
		return ay_fail(e, AY_E_UNAVAIL, "file", 0, "%s: %s", path, strerror(errno));
	}
	sync_folder_of(path);
	return AY_OK;
}

enum ay_rc ay_file_create(const char *path, mode_t mode, struct ay_bytes b, struct ay_err *e)
{
	char temp[PATH_MAX];
	enum ay_rc rc;
	int saved;

	if (snprintf(temp, sizeof(temp), "%s.tmp", path) >= (int)sizeof(temp))
		return ay_fail(e, AY_E_LIMIT, "file", 0, "path too long");
	rc = write_temporary(temp, mode, b, e);
	if (rc != AY_OK)
		return rc;
	saved = link(temp, path) == 0 ? 0 : errno;
	(void)unlink(temp);
	if (saved != 0)
		return ay_fail(e, saved == EEXIST ? AY_E_EXISTS : AY_E_UNAVAIL, "file", 0, "%s: %s",
			       path, strerror(saved));
	sync_folder_of(path);
	return AY_OK;
}

bool ay_file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

enum ay_rc ay_dir_make(const char *path, mode_t mode, struct ay_err *e)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return ay_fail(e, AY_E_LIMIT, "dir", 0, "path too long");
	for (char *p = part + 1; p <= part + strlen(part); p++) {
		char c = *p;

		if (c != '/' && c != 0)
			continue;
		*p = 0;
		if (mkdir(part, mode) != 0 && errno != EEXIST)
			return ay_fail(e, AY_E_UNAVAIL, "dir", 0, "%s: %s", part, strerror(errno));
		if (c == 0)
			break;
		*p = c;
	}
	return AY_OK;
}
