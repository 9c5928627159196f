/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/httpd_impl.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event_struct.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SENDING_FACTOR = 10 }; /* an answer may take so many times api_deadline */

struct guard {
	struct ay_httpd *h;
	struct bufferevent *bev;
	struct event deadline; /* until a whole request; none while we work on it */
	bool is_busy;
};

/* evhttp owns the bufferevent; shutting the socket down makes it see the end and clean up. */
static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;

	(void)fd, (void)what;
	g->h->counts.cut_late++;
	shutdown(bufferevent_getfd(g->bev), SHUT_RDWR);
}

/* The limit is one for all doors: who floods one of them cannot have more than all. */
static void pause_accept(struct ay_httpd *h, bool pause)
{
	if (h->is_stopping || h->is_paused == pause)
		return;
	h->is_paused = pause;
	for (size_t i = 0; i < h->n_doors; i++) {
		struct evconnlistener *l;

		if (h->door[i].bound == NULL)
			continue;
		l = evhttp_bound_socket_get_listener(h->door[i].bound);
		if (pause)
			evconnlistener_disable(l);
		else
			evconnlistener_enable(l);
	}
}

static void on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long l, void *p)
{
	struct guard *g = ptr;

	(void)parent, (void)ad, (void)idx, (void)l, (void)p;
	if (g == NULL)
		return;
	event_del(&g->deadline);
	g->h->counts.conns--;
	g->h->counts.in_flight -= g->is_busy; /* no completion callback on a broken connection */
	pause_accept(g->h, false);
	free(g);
}

struct bufferevent *ay_httpd_guard_new(struct event_base *base, void *arg)
{
	struct ay_httpd_door *d = arg;
	struct ay_httpd *h = d->h;
	struct guard *g = calloc(1, sizeof(*g));
	SSL *ssl = SSL_new(d->tls);

	/* NULL would make evhttp go on without TLS: no memory is an end, not an answer. */
	if (g == NULL || ssl == NULL || SSL_set_ex_data(ssl, h->guard_index, g) != 1)
		abort();
	g->h = h;
	g->bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
						BEV_OPT_CLOSE_ON_FREE);
	if (g->bev == NULL)
		abort();
	bufferevent_openssl_set_allow_dirty_shutdown(g->bev, 1);
	event_assign(&g->deadline, base, -1, 0, on_deadline, g);
	event_add(&g->deadline, h->deadline);
	if (++h->counts.conns >= h->a.max_conns)
		pause_accept(h, true);
	return g->bev;
}

void ay_httpd_guard_busy(struct ay_httpd *h, SSL *ssl)
{
	struct guard *g = SSL_get_ex_data(ssl, h->guard_index);

	h->counts.in_flight += !g->is_busy;
	g->is_busy = true;
	event_del(&g->deadline);
}

void ay_httpd_guard_sending(struct ay_httpd *h, SSL *ssl)
{
	struct guard *g = SSL_get_ex_data(ssl, h->guard_index);

	event_add(&g->deadline, h->sending);
}

void ay_httpd_guard_done(struct ay_httpd *h, SSL *ssl)
{
	struct guard *g = SSL_get_ex_data(ssl, h->guard_index);

	h->counts.in_flight -= g->is_busy;
	g->is_busy = false;
	event_del(&g->deadline);
	event_add(&g->deadline, h->keep_alive); /* the next request of this connection */
}

/* ---- TLS of the API: server side, client certificates asked for and not demanded ---- */

static bool load(SSL_CTX *t, struct ay_bytes cert_pem, struct ay_bytes key_pem)
{
	BIO *c = BIO_new_mem_buf(cert_pem.p, (int)cert_pem.n);
	BIO *k = BIO_new_mem_buf(key_pem.p, (int)key_pem.n);
	X509 *x = c == NULL ? NULL : PEM_read_bio_X509(c, NULL, NULL, NULL);
	EVP_PKEY *key = k == NULL ? NULL : PEM_read_bio_PrivateKey(k, NULL, NULL, NULL);
	bool ok = x != NULL && key != NULL && SSL_CTX_use_certificate(t, x) == 1 &&
		  SSL_CTX_use_PrivateKey(t, key) == 1;

	X509_free(x);
	EVP_PKEY_free(key);
	while (ok && (x = PEM_read_bio_X509(c, NULL, NULL, NULL)) != NULL)
		ok = SSL_CTX_add0_chain_cert(t, x) == 1;
	BIO_free(c);
	BIO_free(k);
	ERR_clear_error();
	return ok;
}

/* Any certificate is let through: engine knows keys by their hash, front knows none. */
static int on_verify(X509_STORE_CTX *x, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(x, X509_V_OK);
	return 1;
}

static bool set_up_tls(SSL_CTX *t)
{
	static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

	/* httpd.c joins pieces that wait, so that a write may be tried again from elsewhere */
	SSL_CTX_set_mode(t, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS |
				    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(t, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF |
				       SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(t, 1);
	SSL_CTX_sess_set_cache_size(t, 4096);
	SSL_CTX_set_verify(t, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(t, on_verify, NULL);
	return SSL_CTX_set_min_proto_version(t, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(t, ciphers) == 1 &&
	       SSL_CTX_set_session_id_context(t, (const uint8_t *)"api", 3) == 1;
}

static const struct timeval *common(struct event_base *base, int64_t ms)
{
	struct timeval t = { ms / 1000, (ms % 1000) * 1000 };

	return event_base_init_common_timeout(base, &t);
}

enum ay_rc ay_httpd_guard_tls(struct ay_httpd_door *d, struct ay_bytes cert_pem,
			      struct ay_bytes key_pem, struct ay_err *e)
{
	d->tls = SSL_CTX_new(TLS_server_method());
	if (d->tls == NULL || !set_up_tls(d->tls))
		return ay_fail(e, AY_E_CRYPTO, "httpd.tls", 0, "no TLS context");
	if (!load(d->tls, cert_pem, key_pem))
		return ay_fail(e, AY_E_INPUT, "httpd.tls", 0,
			       "certificate or key of the %s listener cannot be used",
			       ay_listener_name(d->listener));
	return AY_OK;
}

enum ay_rc ay_httpd_guard_init(struct ay_httpd *h, struct ay_err *e)
{
	h->guard_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
	if (h->guard_index < 0)
		return ay_fail(e, AY_E_CRYPTO, "httpd.tls", 0, "no TLS context");
	h->deadline = common(h->a.base, h->a.deadline_ms);
	h->keep_alive = common(h->a.base, h->a.keep_alive_ms);
	h->sending = common(h->a.base, h->a.deadline_ms * SENDING_FACTOR);
	if (h->deadline == NULL || h->keep_alive == NULL || h->sending == NULL)
		return ay_fail(e, AY_E_NOMEM, "httpd", 0, "no memory");
	return AY_OK;
}
