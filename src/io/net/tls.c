/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/tls.h"

#include <errno.h>

#include "io/net/tls_verify.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#define SNI_FIRST "enrol.assay"
static const unsigned char alpn[] = "\x0d"
				    "assay-agent/1"; /* length, name: as on the wire */
static const char exporter_label[] = "EXPORTER-assay-agent-channel-1";

enum { SESSION_LIFE_S = 24 * 3600 };

struct ay_tls {
	enum ay_channel_role role;
	SSL_CTX *plain; /* chain without the root */
	SSL_CTX *first; /* chain with the root: first contact */
	uint8_t own_spki[32];
	X509 *root; /* server: its own */
	/* agent: what a server's chain may end in; cert: the root itself if we know it, or NULL */
	size_t n_roots;
	struct {
		uint8_t pin[32];
		X509 *cert;
	} roots[AY_TLS_ROOTS];
};

/*
 * What libssl cannot tell afterwards; lives until the handshake ended, or as
 * long as the connection where we dialled (few, on an agent).
 */
struct extra {
	struct ay_err why;    /* of a refusal */
	X509 *root;	      /* the peer's chain ended here */
	SSL_SESSION *session; /* newest */
};

static SSL *ssl_of(struct ay_tls_conn *c)
{
	return (SSL *)c; /* a connection is libssl's own object under another name */
}

static const SSL *cssl_of(const struct ay_tls_conn *c)
{
	return (const SSL *)c;
}

static struct extra *extra_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}

static enum ay_rc ssl_failed(const char *where, struct ay_err *e)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	return ay_fail(e, AY_E_CRYPTO, where, 0, "%s", reason != NULL ? reason : "failed");
}

/* ---- who may be on the other side ---- */

static enum ay_rc judge_server(struct ay_tls *t, X509 *leaf, STACK_OF(X509) * chain,
			       struct extra *extra)
{
	enum ay_rc rc = ay_fail_code(&extra->why, AY_E_CRYPTO, "PEER_ROOT", "tls.server",
				     "no root is pinned yet");
	X509 *root = NULL;

	for (size_t i = 0; i < t->n_roots; i++) {
		rc = ay_tls_judge_server(leaf, chain, t->roots[i].cert, t->roots[i].pin, &root,
					 &extra->why);
		/* a chain that does end in this root has no second chance */
		if (rc == AY_OK || (strcmp(extra->why.code, "PEER_ROOT") != 0 &&
				    strcmp(extra->why.code, "PEER_CHAIN") != 0))
			break;
	}
	X509_free(extra->root);
	extra->root = root;
	return rc;
}

static enum ay_rc judge(struct ay_tls *t, X509_STORE_CTX *x, struct extra *extra)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(x);

	if (t->role == AY_ROLE_SERVER)
		return ay_tls_judge_agent(leaf, t->own_spki, &extra->why);
	return judge_server(t, leaf, X509_STORE_CTX_get0_untrusted(x), extra);
}

static int on_verify(X509_STORE_CTX *x, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct extra *extra = extra_of(ssl);
	int ok = 0;

	X509_STORE_CTX_set_error(x, X509_V_ERR_CERT_REJECTED);
	if (extra != NULL && judge(arg, x, extra) == AY_OK) {
		X509_STORE_CTX_set_error(x, X509_V_OK);
		ok = 1;
	}
	return ok;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		   const unsigned char *in, unsigned in_len, void *arg)
{
	unsigned char *found = NULL;

	(void)ssl, (void)arg;
	if (SSL_select_next_proto(&found, out_len, alpn, sizeof(alpn) - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

/* A client that has only the pin asks for the root as well. */
static int on_name(SSL *ssl, int *alert, void *arg)
{
	const struct ay_tls *t = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	if (name != NULL && strcmp(name, SNI_FIRST) == 0 && t->role == AY_ROLE_SERVER)
		SSL_set_SSL_CTX(ssl, t->first);
	return SSL_TLSEXT_ERR_OK;
}

/* Client: TLS 1.3 brings sessions after the handshake; the newest is kept. */
static int on_session(SSL *ssl, SSL_SESSION *s)
{
	struct extra *extra = extra_of(ssl);

	if (extra == NULL || SSL_is_server(ssl))
		return 0;
	SSL_SESSION_free(extra->session);
	extra->session = s;
	return 1;
}

/* ---- contexts ---- */

static enum ay_rc load_chain(SSL_CTX *ctx, struct ay_bytes pem, struct ay_err *e)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = b == NULL ? NULL : PEM_read_bio_X509(b, NULL, NULL, NULL);
	bool ok = x != NULL && SSL_CTX_use_certificate(ctx, x) == 1;

	X509_free(x);
	while (ok && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL)
		ok = SSL_CTX_add0_chain_cert(ctx, x) == 1;
	BIO_free(b);
	ERR_clear_error(); /* the end of the file */
	return ok ? AY_OK : ay_fail(e, AY_E_INPUT, "tls.cert", 0, "no certificate in PEM");
}

static enum ay_rc load_key(SSL_CTX *ctx, struct ay_bytes pem, struct ay_err *e)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *k = b == NULL ? NULL : PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	bool ok = k != NULL && SSL_CTX_use_PrivateKey(ctx, k) == 1 &&
		  SSL_CTX_check_private_key(ctx) == 1;

	EVP_PKEY_free(k);
	BIO_free(b);
	return ok ? AY_OK : ssl_failed("tls.key", e);
}

static X509 *read_cert(struct ay_bytes pem)
{
	BIO *b = pem.n == 0 ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = b == NULL ? NULL : PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	ERR_clear_error();
	return x;
}

/* Memory, speed and resumption: each line's reason is in recipes/hotpath and design 4. */
static void set_modes(SSL_CTX *ctx, const struct ay_tls_args *a)
{
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* An end without close_notify must not remove the session: hosts vanish. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET); /* in TLS 1.3: stateful tickets */
	SSL_CTX_set_read_ahead(ctx, 1);
	/* Without an id context every resumption with a client certificate fails. */
	SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"assay-agent-1", 13);
	SSL_CTX_set_num_tickets(ctx, a->max_sessions > 0 ? 1 : 0);
	SSL_CTX_sess_set_cache_size(ctx, (long)a->max_sessions);
	SSL_CTX_set_timeout(ctx, SESSION_LIFE_S);
	/* Both as server (internal cache) and as client (callback, kept by the caller). */
	SSL_CTX_set_session_cache_mode(
		ctx, a->max_sessions > 0 ? SSL_SESS_CACHE_BOTH
					 : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
}

static enum ay_rc new_ctx(struct ay_tls *t, const struct ay_tls_args *a, SSL_CTX **out,
			  struct ay_err *e)
{
	static const char ciphers[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
				      "TLS_CHACHA20_POLY1305_SHA256";
	char groups[] = "X25519:P-256"; /* libssl's macro casts const away */
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	enum ay_rc rc;

	*out = ctx;
	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, groups) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, ciphers) != 1 ||
	    SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1) != 0)
		return ssl_failed("tls.context", e);
	set_modes(ctx, a);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, on_verify, t);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, t);
	rc = load_chain(ctx, a->cert_pem, e);
	return rc == AY_OK ? load_key(ctx, a->key_pem, e) : rc;
}

static enum ay_rc set_up(struct ay_tls *t, const struct ay_tls_args *a, struct ay_err *e)
{
	enum ay_rc rc = new_ctx(t, a, &t->plain, e);

	if (rc == AY_OK)
		rc = new_ctx(t, a, &t->first, e);
	if (rc != AY_OK)
		return rc;
	if (!ay_tls_spki_hash(SSL_CTX_get0_certificate(t->plain), t->own_spki))
		return ay_fail(e, AY_E_NOMEM, "tls", 0, "no memory");
	t->root = read_cert(a->root_pem);
	if (t->role == AY_ROLE_AGENT && a->has_pin) {
		t->n_roots = 1;
		memcpy(t->roots[0].pin, a->root_pin, sizeof(a->root_pin));
		t->roots[0].cert = t->root;
		t->root = NULL;
	}
	if (t->role == AY_ROLE_SERVER &&
	    (t->root == NULL || SSL_CTX_add1_chain_cert(t->first, t->root) != 1))
		return ay_fail(e, AY_E_INPUT, "tls.root", 0, "no root certificate in PEM");
	return AY_OK;
}

enum ay_rc ay_tls_new(const struct ay_tls_args *a, struct ay_tls **out, struct ay_err *e)
{
	struct ay_tls *t = calloc(1, sizeof(*t));
	enum ay_rc rc;

	*out = NULL;
	if (t == NULL)
		return ay_fail(e, AY_E_NOMEM, "tls", 0, "no memory");
	t->role = a->role;
	rc = set_up(t, a, e);
	if (rc != AY_OK) {
		ay_tls_free(t);
		return rc;
	}
	*out = t;
	return AY_OK;
}

static void drop_roots(struct ay_tls *t)
{
	while (t->n_roots > 0)
		X509_free(t->roots[--t->n_roots].cert);
}

void ay_tls_free(struct ay_tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->plain);
	SSL_CTX_free(t->first);
	X509_free(t->root);
	drop_roots(t);
	free(t);
}

void ay_tls_own_spki(const struct ay_tls *t, uint8_t out[32])
{
	memcpy(out, t->own_spki, sizeof(t->own_spki));
}

void ay_tls_set_roots(struct ay_tls *t, const struct ay_tls_root *roots, size_t n)
{
	drop_roots(t);
	for (; t->n_roots < n && t->n_roots < AY_TLS_ROOTS; t->n_roots++) {
		const struct ay_tls_root *r = &roots[t->n_roots];
		const unsigned char *p = r->cert.p;

		memcpy(t->roots[t->n_roots].pin, r->pin, sizeof(r->pin));
		t->roots[t->n_roots].cert =
			r->cert.n > 0 ? d2i_X509(NULL, &p, (long)r->cert.n) : NULL;
	}
	ERR_clear_error();
	SSL_CTX_flush_sessions(t->plain, 0); /* 0: all of them */
	SSL_CTX_flush_sessions(t->first, 0);
}

/* ---- connections ---- */

static void extra_free(struct extra *x)
{
	if (x == NULL)
		return;
	X509_free(x->root);
	SSL_SESSION_free(x->session);
	free(x);
}

static struct ay_tls_conn *new_conn(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);
	struct extra *x = calloc(1, sizeof(*x));

	if (ssl == NULL || x == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		free(x);
		return NULL;
	}
	SSL_set_app_data(ssl, x);
	return (struct ay_tls_conn *)ssl;
}

struct ay_tls_conn *ay_tls_accept(struct ay_tls *t, int fd)
{
	struct ay_tls_conn *c = new_conn(t->plain, fd);

	if (c != NULL)
		SSL_set_accept_state(ssl_of(c));
	return c;
}

struct ay_tls_conn *ay_tls_connect(struct ay_tls *t, int fd, bool first_contact,
				   const struct ay_tls_session *session)
{
	struct ay_tls_conn *c = new_conn(first_contact ? t->first : t->plain, fd);
	char name[] = SNI_FIRST;

	if (c == NULL)
		return NULL;
	SSL_set_connect_state(ssl_of(c));
	if (first_contact)
		(void)SSL_set_tlsext_host_name(ssl_of(c), name);
	if (session != NULL) {
		union {
			const struct ay_tls_session *in;
			SSL_SESSION *out;
		} s = { session };

		(void)SSL_set_session(ssl_of(c),
				      s.out); /* takes a reference; else a full handshake */
	}
	return c;
}

void ay_tls_conn_free(struct ay_tls_conn *c)
{
	if (c == NULL)
		return;
	/* Else SSL_free throws the session away when no close_notify was exchanged. */
	SSL_set_shutdown(ssl_of(c), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	extra_free(extra_of(ssl_of(c)));
	SSL_set_app_data(ssl_of(c), NULL);
	SSL_free(ssl_of(c));
}

bool ay_tls_conn_use(struct ay_tls_conn *c, struct x509_st *cert, struct evp_pkey_st *key)
{
	bool ok = SSL_use_certificate(ssl_of(c), cert) == 1 &&
		  SSL_use_PrivateKey(ssl_of(c), key) == 1;

	ERR_clear_error();
	return ok;
}

static enum ay_tls_io failed(struct ay_tls_conn *c, struct ay_err *e)
{
	struct extra *x = extra_of(ssl_of(c));
	enum ay_rc rc;

	if (x != NULL && x->why.rc != AY_OK) {
		ERR_clear_error();
		if (e != NULL)
			*e = x->why;
		return AY_TLS_FAILED;
	}
	rc = ssl_failed("tls", e);
	return rc == AY_OK ? AY_TLS_CLOSED : AY_TLS_FAILED;
}

/* errno tells a refused connection from one that was cut. */
static enum ay_tls_io closed(int why, struct ay_err *e)
{
	if (e != NULL)
		ay_err_set(e, AY_OK, "tls", 0, "%s", why != 0 ? strerror(why) : "the peer ended");
	return AY_TLS_CLOSED;
}

static enum ay_tls_io outcome(struct ay_tls_conn *c, int rc, struct ay_err *e)
{
	int why = errno;

	switch (SSL_get_error(ssl_of(c), rc)) {
	case SSL_ERROR_WANT_READ:
		return AY_TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return AY_TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return closed(0, e);
	case SSL_ERROR_SYSCALL: /* reset; nothing in the queue */
		if (ERR_peek_error() == 0)
			return closed(rc == 0 ? 0 : why, e);
		break;
	default:
		break;
	}
	return failed(c, e);
}

static bool has_alpn(const SSL *ssl)
{
	const unsigned char *p = NULL;
	unsigned n = 0;

	SSL_get0_alpn_selected(ssl, &p, &n);
	return n == sizeof(alpn) - 2 && memcmp(p, alpn + 1, n) == 0;
}

/* An accepted connection needs its extra no more; many of them rest for days. */
static void drop_extra(SSL *ssl)
{
	if (!SSL_is_server(ssl) || extra_of(ssl)->root != NULL)
		return;
	extra_free(extra_of(ssl));
	SSL_set_app_data(ssl, NULL);
}

enum ay_tls_io ay_tls_handshake(struct ay_tls_conn *c, struct ay_err *e)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(ssl_of(c));
	if (rc != 1)
		return outcome(c, rc, e);
	if (AY_CHECKED("CHANNEL_ALPN", !has_alpn(ssl_of(c)))) {
		rc = ay_fail_code(e, AY_E_CRYPTO, "PEER_ALPN", "tls.alpn",
				  "the peer does not speak assay-agent/1");
		return rc == AY_OK ? AY_TLS_CLOSED : AY_TLS_FAILED;
	}
	drop_extra(ssl_of(c));
	return AY_TLS_DONE;
}

enum ay_tls_io ay_tls_read(struct ay_tls_conn *c, uint8_t *buf, size_t room, size_t *n,
			   struct ay_err *e)
{
	int rc;

	ERR_clear_error();
	rc = SSL_read_ex(ssl_of(c), buf, room, n);
	return rc == 1 ? AY_TLS_DONE : outcome(c, rc, e);
}

enum ay_tls_io ay_tls_write(struct ay_tls_conn *c, const uint8_t *buf, size_t len, size_t *n,
			    struct ay_err *e)
{
	int rc;

	ERR_clear_error();
	rc = SSL_write_ex(ssl_of(c), buf, len, n);
	return rc == 1 ? AY_TLS_DONE : outcome(c, rc, e);
}

bool ay_tls_has_pending(const struct ay_tls_conn *c)
{
	return SSL_has_pending(cssl_of(c)) == 1;
}

enum ay_rc ay_tls_peer(const struct ay_tls_conn *c, struct ay_tls_peer *out, struct ay_err *e)
{
	union {
		const struct ay_tls_conn *in;
		SSL *out;
	} u = { c }; /* libssl asks for a mutable object to read from */
	X509 *cert = SSL_get0_peer_certificate(u.out), *own = SSL_get_certificate(u.out);
	struct ay_tls_peer p = { 0 };

	*out = p;
	if (cert == NULL || own == NULL || !ay_tls_spki_hash(cert, p.spki) ||
	    X509_digest(cert, EVP_sha256(), p.cert, NULL) != 1 ||
	    !ay_tls_spki_hash(own, p.own_spki))
		return ay_fail(e, AY_E_CRYPTO, "tls.peer", 0, "no certificate");
	if (SSL_export_keying_material(u.out, p.exporter, sizeof(p.exporter), exporter_label,
				       sizeof(exporter_label) - 1, NULL, 0, 1) != 1)
		return ssl_failed("tls.exporter", e);
	p.is_resumed = SSL_session_reused(u.out) == 1;
	p.is_dialled = !SSL_is_server(u.out);
	*out = p;
	return AY_OK;
}

enum ay_rc ay_tls_peer_root(const struct ay_tls_conn *c, uint8_t **der, size_t *n, struct ay_err *e)
{
	const struct extra *x = extra_of(cssl_of(c));
	unsigned char *buf = NULL;
	int len = x == NULL || x->root == NULL ? -1 : i2d_X509(x->root, &buf);

	*der = NULL;
	*n = 0;
	if (len <= 0)
		return ay_fail(e, AY_E_NOENT, "tls.root", 0, "no root was seen");
	*der = malloc((size_t)len);
	if (*der == NULL) {
		OPENSSL_free(buf);
		return ay_fail(e, AY_E_NOMEM, "tls.root", 0, "no memory");
	}
	memcpy(*der, buf, (size_t)len);
	*n = (size_t)len;
	OPENSSL_free(buf);
	return AY_OK;
}

struct ay_tls_session *ay_tls_session_take(struct ay_tls_conn *c)
{
	struct extra *x = extra_of(ssl_of(c));
	SSL_SESSION *s = x == NULL ? NULL : x->session;

	if (x != NULL)
		x->session = NULL;
	return (struct ay_tls_session *)s;
}

void ay_tls_session_free(struct ay_tls_session *s)
{
	SSL_SESSION_free((SSL_SESSION *)s);
}
