/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests by libcurl's multi interface on libevent. No redirect is followed,
 * no proxy asked.
 */
#include "prog/assayd/courier_http_impl.h"

#include "core/crypto/hash.h"
#include "core/crypto/tlspolicy.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	HEAD_MAX = 65536, /* octets of an answer's headers, all together */
	KEPT_CONNECTIONS = 64,
	CONNECT_MS = 10000,
};

/* ---- what libcurl tells ---- */

static bool is_wanted(const struct ay_courier_request *r, struct ay_bytes name)
{
	struct ay_bytes w = r->ask.want;

	while (w.n > 0) {
		const uint8_t *comma = memchr(w.p, ',', w.n);
		size_t n = comma == NULL ? w.n : (size_t)(comma - w.p);

		if (ay_bytes_eq((struct ay_bytes){ w.p, n }, name))
			return true;
		n += comma != NULL;
		w = (struct ay_bytes){ w.p + n, w.n - n };
	}
	return false;
}

static struct ay_bytes trimmed(struct ay_bytes b)
{
	while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
		b = (struct ay_bytes){ b.p + 1, b.n - 1 };
	while (b.n > 0 && strchr(" \t\r\n", b.p[b.n - 1]) != NULL)
		b.n--;
	return b;
}

/* name and value are in r->head; octets that engine would refuse become '?'. */
static void keep_header(struct ay_courier_request *r, uint8_t *line, size_t n, size_t colon)
{
	struct ay_outgoing_header h = { { line, colon }, { NULL, 0 } };

	for (size_t i = 0; i < n; i++) {
		if (i < colon && line[i] >= 'A' && line[i] <= 'Z')
			line[i] = (uint8_t)(line[i] + 32);
		if (i > colon && (line[i] < ' ' || line[i] > '~') &&
		    strchr("\t\r\n", line[i]) == NULL)
			line[i] = '?';
	}
	h.value = trimmed((struct ay_bytes){ line + colon + 1, n - colon - 1 });
	if (is_wanted(r, h.name) && h.value.n <= 8192 &&
	    r->answer.n_headers < AY_OUTGOING_HEADERS) {
		r->answer.header[r->answer.n_headers++] = h;
		r->head_n += n;
	}
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct ay_courier_request *r = arg;
	const char *colon = memchr(line, ':', n);

	(void)size;
	r->head_seen += n;
	if (r->head_seen > HEAD_MAX) {
		r->too_long = true;
		return 0;
	}
	if (n > 5 && memcmp(line, "HTTP/", 5) == 0) {
		r->answer.n_headers = 0; /* those before were of an interim answer */
		return n;
	}
	if (r->head == NULL)
		r->head = malloc(HEAD_MAX);
	if (r->head == NULL)
		return 0;
	if (colon != NULL && colon - line <= 64) {
		memcpy(r->head + r->head_n, line, n);
		keep_header(r, r->head + r->head_n, n, (size_t)(colon - line));
	}
	return n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct ay_courier_request *r = arg;
	size_t max = r->body_max ? r->body_max : 4096;
	uint8_t *more;

	(void)size;
	if (n > r->ask.max_answer - r->body_n) {
		r->too_long = true;
		return 0;
	}
	while (max < r->body_n + n)
		max *= 2;
	if (max != r->body_max) {
		more = realloc(r->body, max);
		if (more == NULL)
			return 0;
		r->body = more;
		r->body_max = max;
	}
	memcpy(r->body + r->body_n, p, n);
	r->body_n += n;
	return n;
}

static curl_socket_t on_socket_wanted(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct ay_courier_request *r = arg;

	(void)purpose;
	if (!ay_courier_may_call(r->c, &r->url, &a->addr)) {
		r->refused_address = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static const char *code_of(const struct ay_courier_request *r, CURLcode rc)
{
	if (r->refused_address)
		return "OUTGOING_ADDRESS";
	if (r->refused_peer)
		return "OUTGOING_PEER";
	if (r->too_long)
		return "OUTGOING_LIMIT";
	switch ((int)rc) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return "OUTGOING_CONNECT";
	case CURLE_OPERATION_TIMEDOUT:
		return "OUTGOING_TIMEOUT";
	case CURLE_SSL_CACERT_BADFILE:
		return "OUTGOING_ROOTS";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return "OUTGOING_TLS";
	default:
		return "OUTGOING_HTTP";
	}
}

static void ended(struct ay_courier_request *r, CURLcode rc)
{
	long status = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (rc == CURLE_OK && status >= 100 && status <= 599) {
		r->answer.status = (uint16_t)status;
		r->answer.body = (struct ay_bytes){ r->body, r->body_n };
		ay_courier_answer(r);
		return;
	}
	ay_courier_fail(
		r, code_of(r, rc),
		r->refused_address ? "the address is one that is not called (outgoing_allow)"
		: r->refused_peer  ? "the certificate that answers is not the one that is pinned"
		: r->too_long	   ? "the answer is longer than is taken"
		: r->error[0]	   ? r->error
				   : curl_easy_strerror(rc));
}

static void look(struct ay_courier_http *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		CURLcode rc = m->data.result;
		char *p = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
		ended((struct ay_courier_request *)(void *)p, rc);
	}
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct ay_courier_http *c = arg;
	int how = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int n;

	curl_multi_socket_action(c->multi, fd, how, &n);
	look(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct ay_courier_http *c = arg;
	int n;

	(void)fd, (void)what;
	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &n);
	look(c);
}

static int on_timer_wanted(CURLM *multi, long ms, void *arg)
{
	struct ay_courier_http *c = arg;
	struct timeval t = { ms / 1000, (ms % 1000) * 1000 };

	(void)multi;
	if (ms < 0)
		event_del(c->timer);
	else
		event_add(c->timer, &t);
	return 0;
}

static int on_watch_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct ay_courier_http *c = arg;
	struct event *ev = of_socket;
	short how = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
			    (what & CURL_POLL_OUT ? EV_WRITE : 0));

	(void)easy;
	if (ev != NULL)
		event_free(ev);
	ev = what == CURL_POLL_REMOVE ? NULL
				      : event_new(ay_loop_base(c->loop), fd, how, on_ready, c);
	if (ev != NULL)
		event_add(ev, NULL);
	curl_multi_assign(c->multi, fd, ev);
	return 0;
}

/* ---- a request on its way ---- */

static bool add_header(struct ay_courier_request *r, const char *text)
{
	struct curl_slist *more = curl_slist_append(r->headers, text);

	if (more != NULL)
		r->headers = more;
	return more != NULL;
}

/* libcurl's own additions are taken away, so that what is sent is what was asked for. */
static bool set_headers(struct ay_courier_request *r)
{
	char *line = malloc(16384);
	bool ok = line != NULL && add_header(r, "Expect:"), has_type = false;

	for (size_t i = 0; ok && i < r->ask.n_headers; i++) {
		struct ay_outgoing_header h = r->ask.header[i];

		has_type |= h.name.n == 12 &&
			    strncasecmp((const char *)h.name.p, "content-type", 12) == 0;
		snprintf(line, 16384, h.value.n ? "%.*s: %.*s" : "%.*s;", (int)h.name.n,
			 (const char *)h.name.p, (int)h.value.n, (const char *)h.value.p);
		ok = add_header(r, line);
	}
	if (ok && !has_type)
		ok = add_header(r, "Content-Type:");
	free(line);
	return ok && curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers) == CURLE_OK;
}

static bool set_method(struct ay_courier_request *r)
{
	CURLcode rc = CURLE_OK;

	if (r->ask.method != AY_OUTGOING_GET || r->ask.body.n > 0) {
		rc = curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				      (curl_off_t)r->ask.body.n);
		if (rc == CURLE_OK)
			rc = curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS,
					      r->ask.body.n > 0 ? (const char *)r->ask.body.p : "");
		if (rc == CURLE_OK)
			rc = curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST,
					      ay_outgoing_method_name(r->ask.method));
	}
	return rc == CURLE_OK;
}

/* The peer's certificate in place of its chain: judged before anything is sent. */
static int on_peer(X509_STORE_CTX *store, void *arg)
{
	struct ay_courier_request *r = arg;
	struct ay_tls_policy p = { .has_key = r->ask.has_pin, .has_cert = r->ask.has_cert };
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	uint8_t *key = NULL;
	int n = leaf ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &key) : 0;
	bool ok;

	p.kind = r->ask.trust == AY_OUTGOING_FIRST ? AY_TLS_TRUST_FIRST_USE : AY_TLS_PUBLIC_KEY;
	memcpy(p.key, r->ask.spki, sizeof(p.key));
	memcpy(p.cert, r->ask.cert, sizeof(p.cert));
	ok = n > 0 && X509_digest(leaf, EVP_sha256(), r->answer.cert, NULL) == 1;
	if (ok)
		ay_sha256((struct ay_bytes){ key, (size_t)n }, r->answer.spki);
	OPENSSL_free(key);
	if (ok && ay_tls_policy_check(&p, r->answer.spki, r->answer.cert, NULL) == AY_OK)
		return 1;
	r->refused_peer = true;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static CURLcode on_tls(CURL *easy, void *ctx, void *arg)
{
	(void)easy;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, on_peer, arg);
	return CURLE_OK;
}

/* No connection or TLS session of another request, whose peer was judged by other words. */
static bool set_pins(struct ay_courier_request *r)
{
	static const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_SSL_VERIFYPEER, 0 },	    { CURLOPT_SSL_VERIFYHOST, 0 },
		{ CURLOPT_FRESH_CONNECT, 1 },	    { CURLOPT_FORBID_REUSE, 1 },
		{ CURLOPT_SSL_SESSIONID_CACHE, 0 },
	};
	bool ok = curl_easy_setopt(r->easy, CURLOPT_SSL_CTX_FUNCTION, on_tls) == CURLE_OK &&
		  curl_easy_setopt(r->easy, CURLOPT_SSL_CTX_DATA, r) == CURLE_OK;

	for (size_t i = 0; ok && i < AY_COUNT(numbers); i++)
		ok = curl_easy_setopt(r->easy, numbers[i].option, numbers[i].value) == CURLE_OK;
	return ok;
}

static bool set_trust(struct ay_courier_request *r)
{
	char pin[9 + 48] = "sha256//";
	struct curl_blob ca = { .data = (void *)(uintptr_t)r->ask.ca.p,
				.len = r->ask.ca.n,
				.flags = CURL_BLOB_COPY };
	CURLcode rc;

	if (r->ask.trust != AY_OUTGOING_CHAIN)
		return set_pins(r);
	rc = curl_easy_setopt(r->easy, CURLOPT_CAPATH, NULL);
	if (rc == CURLE_OK)
		rc = r->ask.ca.n > 0 ? curl_easy_setopt(r->easy, CURLOPT_CAINFO_BLOB, &ca)
				     : curl_easy_setopt(r->easy, CURLOPT_CAINFO, r->c->roots);
	if (rc == CURLE_OK && r->ask.ca.n > 0)
		rc = curl_easy_setopt(r->easy, CURLOPT_CAINFO, NULL);
	if (rc == CURLE_OK && AY_CHECKED("OUTGOING_PIN", r->ask.has_pin)) {
		EVP_EncodeBlock((uint8_t *)pin + 8, r->ask.spki, 32);
		rc = curl_easy_setopt(r->easy, CURLOPT_PINNEDPUBLICKEY, pin);
	}
	return rc == CURLE_OK;
}

/* Options of every request. */
static bool set_common(struct ay_courier_request *r)
{
	static const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
		{ CURLOPT_DNS_CACHE_TIMEOUT, -1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS },
		{ CURLOPT_MAXAGE_CONN, 60 },
		{ CURLOPT_HTTP09_ALLOWED, 0 },
		{ CURLOPT_TCP_KEEPALIVE, 1 },
	};
	CURL *h = r->easy;
	bool ok = true;

	for (size_t i = 0; ok && i < AY_COUNT(numbers); i++)
		ok = curl_easy_setopt(h, numbers[i].option, numbers[i].value) == CURLE_OK;
	return ok && curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR,
				r->c->may_http ? "http,https" : "https") == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_USERAGENT, "assay/" AY_VERSION) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PRIVATE, r) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_ERRORBUFFER, r->error) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HEADERDATA, r) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_WRITEDATA, r) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_socket_wanted) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, r) == CURLE_OK;
}

static bool set_url(struct ay_courier_request *r)
{
	char *url = strndup((const char *)r->ask.url.p, r->ask.url.n);
	bool ok = url != NULL && curl_easy_setopt(r->easy, CURLOPT_URL, url) == CURLE_OK &&
		  curl_easy_setopt(r->easy, CURLOPT_RESOLVE, r->resolve) == CURLE_OK;

	free(url);
	return ok;
}

void ay_courier_launch(struct ay_courier_request *r)
{
	r->easy = curl_easy_init();
	if (r->easy == NULL || !set_common(r) || !set_url(r) || !set_trust(r) || !set_method(r) ||
	    !set_headers(r)) {
		ay_courier_fail(r, "OUTGOING_HTTP", "the request cannot be set up");
		return;
	}
	if (curl_multi_add_handle(r->c->multi, r->easy) != CURLM_OK)
		ay_courier_fail(r, "OUTGOING_HTTP", "the request cannot be started");
}

/* ---- set up ---- */

enum ay_rc ay_courier_curl_new(struct ay_courier_http *c, struct ay_err *e)
{
	c->timer = event_new(ay_loop_base(c->loop), -1, 0, on_timer, c);
	c->multi = curl_multi_init();
	if (c->timer == NULL || c->multi == NULL ||
	    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_watch_wanted) != CURLM_OK ||
	    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) != CURLM_OK ||
	    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) != CURLM_OK ||
	    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) != CURLM_OK ||
	    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) != CURLM_OK)
		return ay_fail(e, AY_E_NOMEM, "courier", 0, "out of memory");
	return AY_OK;
}
