/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/tlspipe.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG_MAX = 1024 * 1024, HANDSHAKE_S = 10, ALPN_MAX = 32, CN_MAX = 64 };

struct ay_tlspipe_ctx {
	SSL_CTX *ssl;
	bool is_server;
	unsigned char alpn[1 + ALPN_MAX]; /* length and text */
	char peer[CN_MAX];		  /* "" any */
};

struct ay_tlspipe {
	struct bufferevent *tls, *local;
	const struct ay_tlspipe_ctx *ctx;
	const struct ay_tlspipe_ops *ops;
	void *arg;
	bool is_down;
};

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *n,
		       const unsigned char *in, unsigned in_n, void *arg)
{
	const struct ay_tlspipe_ctx *c = arg;

	(void)ssl;
	if (in_n != 1u + c->alpn[0] || memcmp(in, c->alpn, in_n) != 0)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = in + 1;
	*n = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static bool load(struct ay_tlspipe_ctx *c, const struct ay_tlspipe_keys *k)
{
	c->alpn[0] = (unsigned char)strlen(k->alpn);
	memcpy(c->alpn + 1, k->alpn, c->alpn[0]);
	c->ssl = SSL_CTX_new(c->is_server ? TLS_server_method() : TLS_client_method());
	if (c->ssl == NULL || SSL_CTX_set_min_proto_version(c->ssl, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_use_certificate_chain_file(c->ssl, k->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(c->ssl, k->key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(c->ssl) != 1 ||
	    SSL_CTX_load_verify_file(c->ssl, k->root) != 1)
		return false;
	SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(c->ssl, 0);
	if (c->is_server)
		SSL_CTX_set_alpn_select_cb(c->ssl, choose_alpn, c);
	else if (SSL_CTX_set_alpn_protos(c->ssl, c->alpn, 1u + c->alpn[0]) != 0)
		return false;
	return true;
}

enum ay_rc ay_tlspipe_ctx_new(const struct ay_tlspipe_keys *k, bool is_server,
			      struct ay_tlspipe_ctx **out, struct ay_err *e)
{
	struct ay_tlspipe_ctx *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL)
		return ay_fail(e, AY_E_NOMEM, "tls", 0, "out of memory");
	c->is_server = is_server;
	if (k->peer != NULL)
		snprintf(c->peer, sizeof(c->peer), "%s", k->peer);
	if (strlen(k->alpn) > ALPN_MAX || !load(c, k)) {
		ay_tlspipe_ctx_free(c);
		return ay_fail(e, AY_E_UNAVAIL, "tls", 0, "cannot load %s, %s or %s", k->cert,
			       k->key, k->root);
	}
	*out = c;
	return AY_OK;
}

void ay_tlspipe_ctx_free(struct ay_tlspipe_ctx *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ssl);
	free(c);
}

static void down(struct ay_tlspipe *p, const char *why)
{
	if (p->is_down)
		return;
	p->is_down = true;
	bufferevent_disable(p->tls, EV_READ | EV_WRITE);
	bufferevent_disable(p->local, EV_READ | EV_WRITE);
	if (p->ops->down != NULL)
		p->ops->down(p->arg, why);
}

static struct bufferevent *other_of(const struct ay_tlspipe *p, const struct bufferevent *b)
{
	return b == p->tls ? p->local : p->tls;
}

/* A side that does not take what comes stops the other one from reading. */
static void on_read(struct bufferevent *from, void *arg)
{
	struct ay_tlspipe *p = arg;
	struct bufferevent *to = other_of(p, from);

	bufferevent_write_buffer(to, bufferevent_get_input(from));
	if (evbuffer_get_length(bufferevent_get_output(to)) > BACKLOG_MAX)
		bufferevent_disable(from, EV_READ);
}

static void on_written(struct bufferevent *to, void *arg)
{
	struct ay_tlspipe *p = arg;

	if (!p->is_down)
		bufferevent_enable(other_of(p, to), EV_READ);
}

/* The chain was verified; of those below the root only one may speak here. */
static bool is_other_peer(const struct ay_tlspipe *p)
{
	X509 *cert = SSL_get0_peer_certificate(bufferevent_openssl_get_ssl(p->tls));
	const X509_NAME *name = cert == NULL ? NULL : X509_get_subject_name(cert);
	char cn[CN_MAX] = "";

	if (p->ctx->peer[0] == 0)
		return cert == NULL;
	if (name == NULL || X509_NAME_entry_count(name) != 1)
		return true;
	return X509_NAME_get_text_by_NID(name, NID_commonName, cn, sizeof(cn)) <= 0 ||
	       strcmp(cn, p->ctx->peer) != 0;
}

static void on_event(struct bufferevent *b, short what, void *arg)
{
	struct ay_tlspipe *p = arg;

	if (b == p->tls && (what & BEV_EVENT_CONNECTED) && !p->is_down &&
	    AY_CHECKED("TLSPIPE_PEER", is_other_peer(p))) {
		down(p, "the peer's certificate is not the one expected here");
	} else if (b == p->tls && (what & BEV_EVENT_CONNECTED)) {
		bufferevent_set_timeouts(p->tls, NULL, NULL);
		bufferevent_enable(p->local, EV_READ | EV_WRITE);
		if (p->ops->up != NULL)
			p->ops->up(p->arg);
	} else if (what & BEV_EVENT_TIMEOUT) {
		down(p, "handshake timed out");
	} else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		down(p, b == p->tls ? "connection ended" : "our side ended");
	}
}

enum ay_rc ay_tlspipe_open(struct event_base *base, struct ay_tlspipe_ctx *ctx, int net_fd,
			   int local_fd, const struct ay_tlspipe_ops *ops, void *arg,
			   struct ay_tlspipe **out, struct ay_err *e)
{
	const struct timeval limit = { .tv_sec = HANDSHAKE_S };
	struct ay_tlspipe *p = calloc(1, sizeof(*p));
	SSL *ssl = SSL_new(ctx->ssl);

	*out = NULL;
	if (p != NULL && ssl != NULL) {
		p->ctx = ctx;
		p->ops = ops;
		p->arg = arg;
		p->tls = bufferevent_openssl_socket_new(
			base, net_fd, ssl,
			ctx->is_server ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING,
			BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
		p->local = bufferevent_socket_new(base, local_fd,
						  BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	}
	if (p == NULL || p->tls == NULL || p->local == NULL) {
		if (p == NULL || p->tls == NULL) {
			SSL_free(ssl);
			close(net_fd);
		}
		if (p == NULL || p->local == NULL)
			close(local_fd);
		ay_tlspipe_free(p);
		return ay_fail(e, AY_E_NOMEM, "tls", 0, "out of memory");
	}
	bufferevent_openssl_set_allow_dirty_shutdown(p->tls, 1);
	bufferevent_setcb(p->tls, on_read, on_written, on_event, p);
	bufferevent_setcb(p->local, on_read, on_written, on_event, p);
	bufferevent_setwatermark(p->tls, EV_READ, 0, BACKLOG_MAX);
	bufferevent_setwatermark(p->local, EV_READ, 0, BACKLOG_MAX);
	bufferevent_set_timeouts(p->tls, &limit, &limit);
	bufferevent_enable(p->tls, EV_READ | EV_WRITE);
	bufferevent_disable(p->local, EV_READ | EV_WRITE); /* nothing before the peer is known */
	*out = p;
	return AY_OK;
}

void ay_tlspipe_free(struct ay_tlspipe *p)
{
	if (p == NULL)
		return;
	p->is_down = true;
	if (p->tls != NULL)
		bufferevent_free(p->tls);
	if (p->local != NULL)
		bufferevent_free(p->local);
	free(p);
}
