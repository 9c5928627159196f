/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/tpmdev/tpm12_priv.h"

/*
 * A device takes a command by one write and gives its response by one read; a
 * software TPM speaks the same octets over a stream.
 */
enum {
	FIRST_WAIT_MS = 15 * 1000, /* another program may have the software TPM */
	WAIT_MS = 180 * 1000,	   /* a chip makes a key in a minute or two */
	HEAD = 10,
};

static enum ay_rc broken(struct ay_tpmdev *d, const char *what, struct ay_err *e)
{
	return ay_fail(e, AY_E_UNAVAIL, "tcti", 0, "TPM 1.2 at %s: %s: %s", d->where, what,
		       strerror(errno));
}

/* ---- connecting ---- */

static int dial_path(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int dial_one(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* "host=H,port=P" in this order, as tctildr takes it. */
static int dial_host(const char *text)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	char host[256] = "", port[8] = "";
	int fd = -1;

	if (sscanf(text, "host=%255[^,],port=%7[0-9]", host, port) != 2 ||
	    getaddrinfo(host, port, &hints, &list) != 0) {
		errno = EINVAL;
		return -1;
	}
	for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next)
		fd = dial_one(a);
	freeaddrinfo(list);
	return fd;
}

enum ay_rc ay_tpm12_connect(struct ay_tpmdev *d, struct ay_err *e)
{
	if (strncmp(d->where, "device:", 7) == 0) {
		d->is_device = true;
		d->fd = open(d->where + 7, O_RDWR | O_CLOEXEC);
	} else if (strncmp(d->where, "swtpm:path=", 11) == 0) {
		d->fd = dial_path(d->where + 11);
	} else if (strncmp(d->where, "swtpm:", 6) == 0) {
		d->fd = dial_host(d->where + 6);
	} else {
		return ay_fail(e, AY_E_INPUT, "tcti", 0,
			       "'%s' is none of device:PATH, swtpm:path=SOCKET, "
			       "swtpm:host=HOST,port=PORT",
			       d->where);
	}
	d->first = true;
	return d->fd >= 0 ? AY_OK : broken(d, "cannot be opened", e);
}

void ay_tpm12_disconnect(struct ay_tpmdev *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

/* ---- one exchange ---- */

static bool send_all(int fd, struct ay_bytes b)
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
	return true;
}

/* Up to max octets as they come; false at an end, an error or after the time. */
static bool receive(struct ay_tpmdev *d, uint8_t *out, size_t max, size_t *n)
{
	struct pollfd p = { .fd = d->fd, .events = POLLIN };
	int ms = d->first ? FIRST_WAIT_MS : WAIT_MS;
	ssize_t got;
	int r;

	do
		r = poll(&p, 1, ms);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		errno = ETIMEDOUT;
	if (r <= 0)
		return false;
	got = read(d->fd, out, max);
	if (got == 0)
		errno = ECONNRESET;
	*n = got > 0 ? (size_t)got : 0;
	return got > 0;
}

static bool receive_stream(struct ay_tpmdev *d, uint8_t *rsp, size_t *n)
{
	size_t want = HEAD, got;

	*n = 0;
	while (*n < want) {
		if (!receive(d, rsp + *n, want - *n, &got))
			return false;
		*n += got;
		if (*n == HEAD && want == HEAD)
			want = ay_rsp12_size(rsp);
	}
	return want >= HEAD;
}

enum ay_rc ay_tpm12_transmit(struct ay_tpmdev *d, struct ay_bytes cmd, uint8_t *rsp,
			     struct ay_bytes *out, struct ay_err *e)
{
	size_t n = 0;
	bool ok;

	*out = (struct ay_bytes){ 0 };
	if (d->fd < 0)
		return ay_fail(e, AY_E_UNAVAIL, "tcti", 0, "the TPM is not open");
	if (!send_all(d->fd, cmd))
		return broken(d, "cannot send", e);
	ok = d->is_device ? receive(d, rsp, AY_CMD12_MAX, &n) : receive_stream(d, rsp, &n);
	if (!ok) {
		enum ay_rc rc = broken(d, "no answer", e);

		/* what comes late must not be taken for the answer to the next command */
		ay_tpm12_disconnect(d);
		return rc;
	}
	d->first = false;
	*out = (struct ay_bytes){ rsp, n };
	return AY_OK;
}
