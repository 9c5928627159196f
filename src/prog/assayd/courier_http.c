/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that engine wants sent: each is taken, has its name resolved
 * (courier_dns.c), is sent (courier_curl.c), and answered or refused.
 */
#include "io/ipc/sign_msg.h"
#include "io/sys/log.h"
#include "prog/assayd/courier_http_impl.h"

#include <openssl/ssl.h>
#include <stdlib.h>

/* ---- the end of a request ---- */

void ay_courier_request_free(struct ay_courier_request *r)
{
	struct ay_courier_request **at = &r->c->requests;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	r->c->n_requests--;
	if (r->easy != NULL) {
		curl_multi_remove_handle(r->c->multi, r->easy);
		curl_easy_cleanup(r->easy);
	}
	curl_slist_free_all(r->headers);
	curl_slist_free_all(r->resolve);
	if (r->found != NULL)
		evutil_freeaddrinfo(r->found);
	if (r->deadline != NULL)
		event_free(r->deadline);
	free(r->copy);
	free(r->head);
	free(r->body);
	free(r);
}

/* The resolver calls back once more for what it is told to leave. */
static void drop(struct ay_courier_request *r)
{
	if (r->dns == NULL) {
		ay_courier_request_free(r);
		return;
	}
	r->is_dead = true;
	event_del(r->deadline);
	evdns_getaddrinfo_cancel(r->dns);
}

void ay_courier_fail(struct ay_courier_request *r, const char *code, const char *text)
{
	ay_refusal_send(r->c->engine, AY_MSG_OUTGOING_FAILED, r->req, code, text);
	drop(r);
}

void ay_courier_answer(struct ay_courier_request *r)
{
	const struct ay_ipc_msg m = { .type = AY_MSG_OUTGOING_ANSWER, .req = r->req };
	size_t n = ay_outgoing_answer_size(&r->answer);
	uint8_t *p = ay_ipc_reserve(r->c->engine, &m, n);
	struct ay_writer w;

	if (p != NULL) {
		ay_wr_init(&w, p, n);
		ay_outgoing_answer_build(&w, &r->answer);
	}
	drop(r);
}

/* ---- what engine asks ---- */

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	ay_courier_fail(arg, "OUTGOING_TIMEOUT", "no whole answer in time");
}

static struct ay_courier_request *request_new(struct ay_courier_http *c, const struct ay_ipc_msg *m)
{
	struct ay_courier_request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->c = c;
	r->req = m->req;
	r->copy = malloc(m->body.n + 1);
	r->deadline = event_new(ay_loop_base(c->loop), -1, 0, on_deadline, r);
	r->next = c->requests;
	c->requests = r;
	c->n_requests++;
	if (r->copy == NULL || r->deadline == NULL) {
		ay_courier_request_free(r);
		return NULL;
	}
	memcpy(r->copy, m->body.p, m->body.n);
	return r;
}

static void begin(struct ay_courier_http *c, const struct ay_ipc_msg *m)
{
	struct ay_courier_request *r;
	struct ay_err e = { 0 };
	struct timeval t;

	r = c->n_requests < AY_MAX_OUTGOING_OPEN ? request_new(c, m) : NULL;
	if (r == NULL) {
		ay_refusal_send(c->engine, AY_MSG_OUTGOING_FAILED, m->req, "OUTGOING_BUSY",
				"too many requests are under way");
		return;
	}
	if (ay_outgoing_parse((struct ay_bytes){ r->copy, m->body.n }, &r->ask, &e) != AY_OK ||
	    ay_url_parse(r->ask.url, &r->url, &e) != AY_OK) {
		ay_courier_fail(r, "OUTGOING_INPUT", e.text);
		return;
	}
	if (!r->url.is_https && !c->may_http) {
		ay_courier_fail(r, "OUTGOING_SCHEME", "only https is called");
		return;
	}
	t = (struct timeval){ r->ask.deadline_ms / 1000, (r->ask.deadline_ms % 1000) * 1000 };
	event_add(r->deadline, &t);
	ay_courier_resolve(r);
}

void ay_courier_http_message(struct ay_courier_http *c, const struct ay_ipc_msg *m)
{
	if (m->type == AY_MSG_OUTGOING)
		begin(c, m);
	else
		for (struct ay_courier_request *r = c->requests; r != NULL; r = r->next)
			if (r->req == m->req && !r->is_dead) {
				drop(r);
				return;
			}
}

/* ---- set up ---- */

static enum ay_rc read_settings(struct ay_courier_http *c, const struct ay_config *config,
				struct ay_err *e)
{
	char word[64];
	enum ay_rc rc = AY_OK;

	c->roots = ay_config_str(config, "outgoing_roots");
	c->may_http = ay_config_bool(config, "outgoing_http");
	for (size_t i = 0;
	     rc == AY_OK && ay_config_word(config, "outgoing_allow", i, word, sizeof(word)); i++)
		rc = c->allowed.n == AY_NETRANGES_MAX
			     ? ay_fail(e, AY_E_LIMIT, "outgoing_allow", 0, "more than %d ranges",
				       AY_NETRANGES_MAX)
			     : ay_netrange_parse(word, &c->allowed.range[c->allowed.n++], e);
	return rc;
}

/* OpenSSL and libcurl read files and load things at their first use, which is forbidden later. */
static enum ay_rc warm_up(struct ay_err *e)
{
	SSL_CTX *ctx;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ay_fail(e, AY_E_UNAVAIL, "courier", 0, "libcurl cannot start");
	ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_free(ctx);
	return AY_OK;
}

static enum ay_rc set_up(struct ay_courier_http *c, const struct ay_config *config,
			 struct ay_err *e)
{
	enum ay_rc rc = read_settings(c, config, e);

	if (rc == AY_OK)
		rc = warm_up(e);
	if (rc != AY_OK)
		return rc;
	(void)evutil_secure_rng_init();
	c->dns = evdns_base_new(ay_loop_base(c->loop), EVDNS_BASE_INITIALIZE_NAMESERVERS |
							       EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (c->dns == NULL)
		ay_log(AY_LOG_WARN, "no name servers: addresses alone can be called");
	return ay_courier_curl_new(c, e);
}

enum ay_rc ay_courier_http_new(struct ay_loop *loop, const struct ay_config *config,
			       struct ay_courier_http **out, struct ay_err *e)
{
	struct ay_courier_http *c = calloc(1, sizeof(*c));
	enum ay_rc rc;

	*out = NULL;
	if (c == NULL)
		return ay_fail(e, AY_E_NOMEM, "courier", 0, "out of memory");
	c->loop = loop;
	rc = set_up(c, config, e);
	if (rc != AY_OK)
		ay_courier_http_free(c);
	else
		*out = c;
	return rc;
}

void ay_courier_http_start(struct ay_courier_http *c, struct ay_ipc *engine)
{
	c->engine = engine;
}

void ay_courier_http_free(struct ay_courier_http *c)
{
	if (c == NULL)
		return;
	/* first, since it calls back for what it was asked */
	for (struct ay_courier_request *r = c->requests; r != NULL; r = r->next)
		r->is_dead = true;
	if (c->dns != NULL)
		evdns_base_free(c->dns, 1);
	while (c->requests != NULL)
		ay_courier_request_free(c->requests);
	if (c->multi != NULL)
		curl_multi_cleanup(c->multi);
	if (c->timer != NULL)
		event_free(c->timer);
	free(c);
}
