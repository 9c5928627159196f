/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, DEAD_PEER_MS = 60 * 1000 };

static void set_int(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value)); /* each is only a help */
}

void ay_net_socket_options(int fd)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
	set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_PEER_MS);
}

/* Splits ADDR:PORT or [V6]:PORT into getaddrinfo's two texts. */
static bool split(const char *addr, char host[256], char port[8])
{
	const char *colon = strrchr(addr, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - addr);

	if (n == 0 || n > 255 || strlen(colon + 1) > 5)
		return false;
	if (addr[0] == '[' && colon[-1] == ']') {
		addr++;
		n -= 2;
	}
	snprintf(host, 256, "%.*s", (int)n, addr);
	snprintf(port, 8, "%s", colon + 1);
	return true;
}

static enum ay_rc resolve(const char *addr, struct addrinfo **out, struct ay_err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	char host[256], port[8];
	int bad;

	*out = NULL;
	if (!split(addr, host, port))
		return ay_fail(e, AY_E_INPUT, "address", 0, "%s: not ADDRESS:PORT", addr);
	bad = getaddrinfo(host, port, &hints, out);
	if (bad != 0)
		return ay_fail(e, AY_E_INPUT, "address", 0, "%s: %s", addr, gai_strerror(bad));
	return AY_OK;
}

static void format(const struct sockaddr_storage *a, socklen_t n, char *out, size_t room)
{
	char host[64], port[8];

	if (getnameinfo((const struct sockaddr *)a, n, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(out, room, "?");
	else if (a->ss_family == AF_INET6)
		snprintf(out, room, "[%s]:%s", host, port);
	else
		snprintf(out, room, "%s:%s", host, port);
}

static bool listen_on(int fd, const struct addrinfo *a)
{
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	ay_net_socket_options(fd);
	return bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
}

enum ay_rc ay_net_listen(const char *addr, int *fd, char *bound, size_t room, struct ay_err *e)
{
	struct sockaddr_storage at = { 0 };
	socklen_t n = sizeof(at);
	struct addrinfo *a;
	enum ay_rc rc = resolve(addr, &a, e);

	*fd = -1;
	if (rc != AY_OK)
		return rc;
	*fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0 || !listen_on(*fd, a)) {
		rc = ay_fail(e, AY_E_UNAVAIL, "listen", 0, "%s: %s", addr, strerror(errno));
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
	freeaddrinfo(a);
	if (rc == AY_OK && getsockname(*fd, (struct sockaddr *)&at, &n) == 0)
		format(&at, n, bound, room);
	return rc;
}

enum ay_rc ay_net_connect(const char *addr, int *fd, struct ay_err *e)
{
	struct addrinfo *a;
	enum ay_rc rc = resolve(addr, &a, e);

	*fd = -1;
	if (rc != AY_OK)
		return rc;
	*fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd >= 0)
		ay_net_socket_options(*fd);
	if (*fd < 0 || (connect(*fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS)) {
		rc = ay_fail(e, AY_E_UNAVAIL, "connect", 0, "%s: %s", addr, strerror(errno));
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
	freeaddrinfo(a);
	return rc;
}

void ay_net_peer_text(int fd, char *out, size_t room)
{
	struct sockaddr_storage at = { 0 };
	socklen_t n = sizeof(at);

	if (getpeername(fd, (struct sockaddr *)&at, &n) == 0)
		format(&at, n, out, room);
	else
		snprintf(out, room, "?");
}
