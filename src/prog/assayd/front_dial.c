/* SPDX-License-Identifier: Apache-2.0 */
/* Dialling listening agents: the address comes from engine; names are resolved here, by DNS. */
#include "prog/assayd/front.h"

#include "io/ipc/front_msg.h"
#include "io/net/socket.h"
#include "io/sys/log.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One dialling while its name is being resolved. */
struct dial {
	struct ay_front *f;
	uint32_t id;
	struct ay_dial what;
	char addr[256];
};

static void dial_failed(const struct dial *d, const char *why)
{
	struct ay_bytes b = ay_bytes_of(why);

	AY_LOG(AY_LOG_INFO, "cannot dial an agent", AY_LS("addr", d->addr), AY_LS("why", why));
	b.n = b.n < 200 ? b.n : 200;
	ay_ipc_send(d->f->engine, AY_MSG_DIAL_FAILED, 0, d->id, b);
}

static struct ay_front_resume *place_of(struct ay_front *f, const char *peer)
{
	uint32_t h = 2166136261u; /* FNV-1a; a collision only costs a full handshake */

	if (f->resume == NULL)
		f->resume = calloc(AY_FRONT_RESUMES, sizeof(*f->resume));
	for (const char *p = peer; *p != 0; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	return f->resume == NULL ? NULL : &f->resume[h % AY_FRONT_RESUMES];
}

void ay_front_dial_remember(struct ay_front_conn *c)
{
	struct ay_tls_session *s = ay_tls_session_take(ay_chan_tls(c->chan));
	struct ay_front_resume *r = s == NULL ? NULL : place_of(c->f, c->peer);

	if (r == NULL) {
		ay_tls_session_free(s);
		return;
	}
	ay_tls_session_free(r->session);
	r->session = s;
	snprintf(r->peer, sizeof(r->peer), "%s", c->peer);
	memcpy(r->spki, c->spki, sizeof(r->spki));
}

void ay_front_dial_forget_all(struct ay_front *f)
{
	for (size_t i = 0; f->resume != NULL && i < AY_FRONT_RESUMES; i++)
		ay_tls_session_free(f->resume[i].session);
	free(f->resume);
}

/* Only while the session's peer key is the one bound now, which engine pins. */
static const struct ay_tls_session *session_for(struct ay_front *f, const struct dial *d,
						const char *peer)
{
	const struct ay_front_resume *r = d->what.pinned ? place_of(f, peer) : NULL;

	if (r == NULL || r->session == NULL || strcmp(r->peer, peer) != 0)
		return NULL;
	return CRYPTO_memcmp(r->spki, d->what.agent_spki, sizeof(r->spki)) == 0 ? r->session : NULL;
}

static void connect_to(const struct dial *d, const char *literal)
{
	struct ay_front *f = d->f;
	struct ay_front_conn *c = f->is_stopping ? NULL : ay_front_conn_take(f);
	struct ay_tls_conn *tls;
	struct ay_err e;
	int fd;

	if (c == NULL) {
		dial_failed(d, "no room for connections");
		return;
	}
	if (ay_net_connect(literal, &fd, &e) != AY_OK) {
		dial_failed(d, e.text);
		ay_front_conn_give(c);
		return;
	}
	c->dial_id = d->id;
	c->is_pinned = d->what.pinned;
	memcpy(c->pin, d->what.agent_spki, sizeof(c->pin));
	snprintf(c->peer, sizeof(c->peer), "%s", literal);
	tls = ay_tls_connect(f->tls, fd, d->what.first_contact, session_for(f, d, literal));
	if (ay_chan_open(f->env, fd, tls, false, c, &c->chan, &e) != AY_OK) {
		dial_failed(d, e.text);
		ay_front_conn_give(c);
	}
}

static void format(const struct sockaddr *sa, char *out, size_t room)
{
	char host[64] = "?";

	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 a;

		memcpy(&a, sa, sizeof(a));
		evutil_inet_ntop(AF_INET6, &a.sin6_addr, host, sizeof(host));
		snprintf(out, room, "[%s]:%u", host, ntohs(a.sin6_port));
	} else {
		struct sockaddr_in a;

		memcpy(&a, sa, sizeof(a));
		evutil_inet_ntop(AF_INET, &a.sin_addr, host, sizeof(host));
		snprintf(out, room, "%s:%u", host, ntohs(a.sin_port));
	}
}

static void on_resolved(int result, struct evutil_addrinfo *list, void *arg)
{
	struct dial *d = arg;
	char literal[80];

	if (result != 0 || list == NULL) {
		dial_failed(d, result != 0 ? evutil_gai_strerror(result) : "no address");
	} else {
		format(list->ai_addr, literal, sizeof(literal));
		connect_to(d, literal);
	}
	if (list != NULL)
		evutil_freeaddrinfo(list);
	free(d);
}

/* HOST:PORT with a name; the literal forms never come here. */
static void resolve(struct dial *d)
{
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char host[256];
	char *colon;

	snprintf(host, sizeof(host), "%s", d->addr);
	colon = strrchr(host, ':');
	if (colon == NULL || d->f->dns == NULL) {
		dial_failed(d, "not HOST:PORT, or no DNS here");
		free(d);
		return;
	}
	*colon = 0;
	evdns_getaddrinfo(d->f->dns, host, colon + 1, &hints, on_resolved, d);
}

static bool is_literal(const char *addr)
{
	struct sockaddr_storage a;
	int n = sizeof(a);

	return evutil_parse_sockaddr_port(addr, (struct sockaddr *)&a, &n) == 0;
}

void ay_front_dial(struct ay_front *f, const struct ay_ipc_msg *m)
{
	struct dial *d = calloc(1, sizeof(*d));
	struct ay_err e;

	if (d == NULL || ay_dial_parse(m->body, &d->what, &e) != AY_OK) {
		AY_LOG(AY_LOG_ERROR, "cannot read engine's DIAL", AY_LU("id", m->req));
		free(d);
		return;
	}
	d->f = f;
	d->id = m->req;
	snprintf(d->addr, sizeof(d->addr), "%.*s", (int)d->what.addr.n,
		 (const char *)d->what.addr.p);
	d->what.addr = (struct ay_bytes){ NULL, 0 }; /* the message ends with this call */
	if (!is_literal(d->addr)) {
		resolve(d);
		return;
	}
	connect_to(d, d->addr);
	free(d);
}
