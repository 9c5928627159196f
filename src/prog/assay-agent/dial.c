/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/dial.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#include "io/net/socket.h"

enum { FIRST_PAUSE_MS = 250, LONGEST_PAUSE_MS = 30000 };

void ay_dialer_init(struct ay_dialer *d, const struct ay_agent *a)
{
	const struct ay_token *t = a->token;

	*d = (struct ay_dialer){ 0 };
	while (d->n_servers < AY_TOKEN_SERVERS_MAX &&
	       ay_config_word(a->conf, "dial", d->n_servers, d->servers[d->n_servers],
			      AY_TOKEN_SERVER_MAX))
		d->n_servers++;
	if (d->n_servers > 0)
		return;
	d->n_servers = t != NULL ? t->n_servers : a->identity.n_servers;
	memcpy(d->servers, t != NULL ? t->servers : a->identity.servers, sizeof(d->servers));
}

/* "name:port" or "[v6]:port" into its parts. */
static bool split(const char *server, char *host, size_t room, char port[8])
{
	const char *colon = strrchr(server, ':');
	size_t n = colon != NULL ? (size_t)(colon - server) : 0;

	if (n == 0 || n >= room || strlen(colon + 1) >= 8)
		return false;
	if (server[0] == '[' && server[n - 1] == ']') {
		server++;
		n -= 2;
	}
	memcpy(host, server, n);
	host[n] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	return true;
}

static enum ay_rc look_up(const char *server, char *out, size_t room, struct ay_err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char host[AY_TOKEN_SERVER_MAX], port[8], addr[64], num[8];
	struct addrinfo *list = NULL;
	int bad;

	if (!split(server, host, sizeof(host), port))
		return ay_fail(e, AY_E_INPUT, "dial", 0, "'%s' is not HOST:PORT", server);
	bad = getaddrinfo(host, port, &hints, &list);
	if (bad == 0)
		bad = getnameinfo(list->ai_addr, list->ai_addrlen, addr, sizeof(addr), num,
				  sizeof(num), NI_NUMERICHOST | NI_NUMERICSERV);
	if (list != NULL)
		freeaddrinfo(list);
	if (bad != 0)
		return ay_fail(e, AY_E_UNAVAIL, "dial", 0, "%s: %s", server, gai_strerror(bad));
	(void)snprintf(out, room, strchr(addr, ':') != NULL ? "[%s]:%s" : "%s:%s", addr, num);
	return AY_OK;
}

enum ay_rc ay_dialer_connect(struct ay_dialer *d, int *fd, struct ay_err *e)
{
	const char *server = d->servers[d->next++ % d->n_servers];
	char literal[96];
	enum ay_rc rc = look_up(server, literal, sizeof(literal), e);

	*fd = -1;
	return rc == AY_OK ? ay_net_connect(literal, fd, e) : rc;
}

const char *ay_dialer_last(const struct ay_dialer *d)
{
	return d->n_servers > 0 && d->next > 0 ? d->servers[(d->next - 1) % d->n_servers] : "-";
}

unsigned ay_dialer_pause_ms(const struct ay_dialer *d, uint32_t random)
{
	unsigned rounds = d->n_servers > 0 ? d->failures / (unsigned)d->n_servers : 0;
	unsigned ms = FIRST_PAUSE_MS << (rounds < 7 ? rounds : 7);

	if (ms > LONGEST_PAUSE_MS)
		ms = LONGEST_PAUSE_MS;
	return ms / 2 +
	       random % ms; /* 0.5 to 1.5 of it: a thousand agents do not come back at once */
}
