/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "io/net/cert.h"
#include "io/net/httpd.h"
#include "io/net/socket.h"
#include "io/sys/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEADLINE_MS = 300, MAX_BODY = 10000, ROOM = 8192, PARTS = 64 };

/* The server under test and one client of libssl, turn by turn in one thread. */
struct web {
	struct event_base *base;
	struct ay_httpd *h;
	struct ay_cert_pem cert;
	SSL_CTX *ctx;
	char at[64];
	uint32_t last;
	size_t n_requests, n_gone, drained;
	char path[256], query[256], body[256];
	bool is_late, is_stream; /* how the handler behaves */
};

struct client {
	SSL *ssl;
	int fd;
	char got[ROOM];
	size_t n;
	bool is_over;
};

static void copy(char *out, size_t room, struct ay_bytes b)
{
	snprintf(out, room, "%.*s", (int)b.n, b.n > 0 ? (const char *)b.p : "");
}

static void answer(struct web *w, uint32_t id)
{
	struct ay_api_reply r = { .status = 200, .body = ay_bytes_of("fine\n") };

	ay_httpd_reply(w->h, id, &r);
}

static void on_request(void *arg, uint32_t id, const struct ay_api_request *r)
{
	struct web *w = arg;
	struct ay_api_reply begin = { .status = 200 };

	w->n_requests++;
	w->last = id;
	copy(w->path, sizeof(w->path), r->path);
	copy(w->query, sizeof(w->query), r->query);
	copy(w->body, sizeof(w->body), r->body);
	if (w->is_stream)
		ay_httpd_stream(w->h, id, &begin);
	else if (!w->is_late)
		answer(w, id);
}

static void on_gone(void *arg, uint32_t id)
{
	struct web *w = arg;

	(void)id;
	w->n_gone++;
}

static void on_drained(void *arg, uint32_t id, size_t octets)
{
	struct web *w = arg;

	(void)id;
	w->drained += octets;
}

static int set_up(void **state)
{
	struct web *w = calloc(1, sizeof(*w));
	struct ay_cert_args c = { .kind = AY_CERT_API, .cn = "t", .life_s = 3600 };
	struct ay_httpd_args a = { .deadline_ms = DEADLINE_MS,
				   .keep_alive_ms = DEADLINE_MS + 100,
				   .max_conns = 4,
				   .max_body = MAX_BODY,
				   .request = on_request,
				   .drained = on_drained,
				   .gone = on_gone };
	struct ay_err e;

	signal(SIGPIPE, SIG_IGN);
	c.now_s = ay_clock_wall_ms() / 1000;
	assert_int_equal(ay_cert_make(&c, NULL, &w->cert, &e), AY_OK);
	w->base = a.base = event_base_new();
	a.cert_pem = w->cert.cert;
	a.key_pem = w->cert.key;
	a.arg = w;
	assert_int_equal(ay_net_listen("127.0.0.1:0", &a.listen_fd, w->at, sizeof(w->at), &e),
			 AY_OK);
	assert_int_equal(ay_httpd_new(&a, &w->h, &e), AY_OK);
	w->ctx = SSL_CTX_new(TLS_client_method());
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct web *w = *state;

	ay_httpd_free(w->h);
	event_base_free(w->base);
	SSL_CTX_free(w->ctx);
	ay_cert_pem_free(&w->cert);
	free(w);
	return 0;
}

static void turn(struct web *w)
{
	event_base_loop(w->base, EVLOOP_NONBLOCK);
	usleep(500);
}

static void dial(struct web *w, struct client *c)
{
	int rc = -1;

	*c = (struct client){ 0 };
	assert_int_equal(ay_net_connect(w->at, &c->fd, NULL), AY_OK);
	c->ssl = SSL_new(w->ctx);
	SSL_set_fd(c->ssl, c->fd);
	for (int i = 0; i < 400 && rc != 1; i++) {
		rc = SSL_connect(c->ssl);
		turn(w);
	}
	assert_int_equal(rc, 1);
}

static void hang_up(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
}

/* Reads what there is. */
static void listen_to(struct web *w, struct client *c)
{
	int n;

	turn(w);
	n = SSL_read(c->ssl, c->got + c->n, (int)(sizeof(c->got) - 1 - c->n));
	if (n > 0)
		c->n += (size_t)n;
	else if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ)
		c->is_over = true;
	c->got[c->n] = 0;
}

static void say(struct client *c, const char *text)
{
	assert_true(SSL_write(c->ssl, text, (int)strlen(text)) > 0);
}

/* One request on a connection of its own; what came back within 150 ms. */
static void ask(struct web *w, const char *text, struct client *c)
{
	int64_t until = ay_clock_mono_ms() + 150;

	dial(w, c);
	say(c, text);
	while (ay_clock_mono_ms() < until && !c->is_over && strstr(c->got, "\n\r\n") == NULL)
		listen_to(w, c);
	listen_to(w, c);
	hang_up(c);
	turn(w);
	turn(w);
}

#define GET "GET /a/b?c=d HTTP/1.1\r\nHost: x\r\n"
#define POST "POST /a HTTP/1.1\r\nHost: x\r\n"

static const struct {
	const char *name;
	const char *text;
	int status;
} cases[] = {
	{ "plain", GET "\r\n", 200 },
	{ "body by length", POST "Content-Length: 5\r\n\r\nhello", 200 },
	{ "chunked", POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 400 },
	{ "unknown coding before chunked",
	  POST "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 400 },
	{ "length and chunked",
	  POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "two lengths", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400 },
	{ "length +5", POST "Content-Length: +5\r\n\r\nhello", 400 },
	{ "space before the colon", GET "X-A : 5\r\n\r\n", 400 },
	{ "no Host", "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "two Hosts", GET "Host: y\r\n\r\n", 400 },
	{ "two credentials", GET "Authorization: Bearer a\r\nauthorization: Basic b\r\n\r\n", 400 },
	{ "the same credential twice",
	  GET "Authorization: Basic b\r\nAuthorization: Basic b\r\n\r\n", 400 },
	{ "two cookies", GET "Cookie: a=b\r\nCookie: c=d\r\n\r\n", 400 },
	{ "a list in two parts", GET "Accept: a/b\r\nAccept: c/d\r\n\r\n", 200 },
	{ "two of what we do not know", GET "X-A: a\r\nX-A: b\r\n\r\n", 200 },
	{ "absolute target", "GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
	{ "authority target", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
	{ "body over the limit", POST "Content-Length: 20000\r\n\r\n", 413 },
	{ "unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501 },
};

static void framing_is_strict(void **state)
{
	struct web *w = *state;

	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct client c;
		size_t before = w->n_requests;

		ask(w, cases[i].text, &c);
		print_message("httpd: %s: %.12s\n", cases[i].name, c.got);
		assert_true(c.n > 12);
		assert_int_equal(atoi(c.got + 9), cases[i].status);
		assert_int_equal(w->n_requests - before, cases[i].status == 200);
	}
}

static void what_is_too_long_is_named(void **state)
{
	static const struct {
		const char *before;
		size_t n; /* times "a: b\r\n", or octets when letter */
		bool letter;
		const char *after;
		int status;
	} rows[] = {
		{ "GET /", AY_API_MAX_TARGET - 1, true, " HTTP/1.1\r\nHost: x\r\n\r\n", 200 },
		{ "GET /", AY_API_MAX_TARGET, true, " HTTP/1.1\r\nHost: x\r\n\r\n", 414 },
		{ GET "X: ", AY_MAX_API_HEADERS - 64, true, "\r\n\r\n", 200 },
		{ GET "X: ", AY_MAX_API_HEADERS, true, "\r\n\r\n", 431 },
		{ GET "If-Match: ", AY_API_MAX_HEADER, true, "\r\n\r\n", 200 },
		{ GET "If-Match: ", AY_API_MAX_HEADER + 1, true, "\r\n\r\n", 431 },
		{ GET "Authorization: ", AY_API_MAX_HEADER + 1, true, "\r\n\r\n", 431 },
		{ GET, 99, false, "\r\n", 200 },
		{ GET, 100, false, "\r\n", 431 },
	};
	struct web *w = *state;

	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		static char text[2 * AY_MAX_API_HEADERS];
		size_t n = (size_t)snprintf(text, sizeof(text), "%s", rows[i].before);
		struct client c;

		for (size_t k = 0; k < rows[i].n; k++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
					      rows[i].letter ? "a" : "a: b\r\n");
		snprintf(text + n, sizeof(text) - n, "%s", rows[i].after);
		ask(w, text, &c);
		print_message("httpd: row %zu: %.12s\n", i, c.got);
		assert_true(c.n > 12);
		assert_int_equal(atoi(c.got + 9), rows[i].status);
	}
}

static void a_request_comes_as_it_was_sent(void **state)
{
	struct web *w = *state;
	struct client c;

	ask(w, "POST /a%2fb/c?d=%20e HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", &c);
	assert_string_equal(w->path, "/a%2fb/c");
	assert_string_equal(w->query, "d=%20e");
	assert_string_equal(w->body, "hello");
	assert_non_null(strstr(c.got, "X-Content-Type-Options: nosniff"));
	assert_non_null(strstr(c.got, "fine\n"));
}

static int64_t life(struct web *w, struct client *c, const char *drip)
{
	int64_t t = ay_clock_mono_ms();

	for (int i = 0; !c->is_over && ay_clock_mono_ms() - t < 3000; i++) {
		if (drip != NULL && i % 20 == 0)
			(void)!SSL_write(c->ssl, drip, (int)strlen(drip));
		listen_to(w, c);
	}
	return ay_clock_mono_ms() - t;
}

static void slow_clients_are_cut(void **state)
{
	struct web *w = *state;
	struct client c;

	dial(w, &c);
	assert_in_range(life(w, &c, NULL), 100, 900); /* silent */
	hang_up(&c);
	dial(w, &c);
	say(&c, "GET / HTTP/1.1\r\n");
	assert_in_range(life(w, &c, "X: a\r\n"), 100, 900); /* dripping header */
	hang_up(&c);
	dial(w, &c);
	say(&c, POST "Content-Length: 9000\r\n\r\n");
	assert_in_range(life(w, &c, "a"), 100, 900); /* dripping body */
	hang_up(&c);
	dial(w, &c);
	say(&c, GET "\r\n");
	assert_in_range(life(w, &c, NULL), 100, 1200); /* keep-alive, idle */
	assert_int_equal(w->n_requests, 1);
	hang_up(&c);
}

static void work_under_way_is_not_cut(void **state)
{
	struct web *w = *state;
	struct client c;
	int64_t t = ay_clock_mono_ms();

	w->is_late = true;
	dial(w, &c);
	say(&c, GET "\r\n");
	while (ay_clock_mono_ms() - t < 2 * DEADLINE_MS + 200)
		listen_to(w, &c);
	assert_false(c.is_over);
	assert_false(ay_httpd_is_idle(w->h));
	answer(w, w->last);
	for (int i = 0; i < 50; i++)
		listen_to(w, &c);
	assert_non_null(strstr(c.got, "fine"));
	assert_true(ay_httpd_is_idle(w->h));
	answer(w, w->last); /* over: passed over */
	hang_up(&c);
}

/* evhttp reads nothing while we owe an answer, so it learns of the end when the answer is sent. */
static void an_answer_to_a_client_that_left_frees_all(void **state)
{
	struct web *w = *state;
	struct ay_httpd_counts n;
	struct client c;

	w->is_late = true;
	for (int i = 0; i < 20; i++) { /* more than there are slots */
		dial(w, &c);
		say(&c, GET "\r\n");
		for (int k = 0; k < 400 && w->n_requests == (size_t)i; k++)
			turn(w);
		hang_up(&c);
		turn(w);
		answer(w, w->last);
		for (int k = 0; k < 400 && !ay_httpd_is_idle(w->h); k++)
			turn(w);
	}
	for (int k = 0; k < 10; k++)
		turn(w);
	ay_httpd_count(w->h, &n);
	assert_int_equal(n.in_flight, 0);
	assert_int_equal(n.conns, 0);
}

static void a_reader_that_leaves_its_stream_is_told(void **state)
{
	struct web *w = *state;
	struct client c;

	w->is_stream = true;
	for (int i = 0; i < 20; i++) {
		dial(w, &c);
		say(&c, GET "\r\n");
		for (int k = 0; k < 400 && w->n_requests == (size_t)i; k++)
			turn(w);
		hang_up(&c);
		for (int k = 0; k < 400 && w->n_gone == (size_t)i; k++) {
			ay_httpd_chunk(w->h, w->last, ay_bytes_of("data: x\n\n"));
			turn(w);
		}
	}
	assert_int_equal(w->n_gone, 20);
	assert_true(ay_httpd_is_idle(w->h));
}

static void streams_flow_and_end(void **state)
{
	struct web *w = *state;
	struct client c;

	w->is_stream = true;
	dial(w, &c);
	say(&c, GET "\r\n");
	for (int i = 0; i < 100 && w->n_requests == 0; i++)
		listen_to(w, &c);
	ay_httpd_chunk(w->h, w->last, ay_bytes_of("data: 1\n\n"));
	for (int i = 0; i < 50; i++)
		listen_to(w, &c);
	assert_non_null(strstr(c.got, "data: 1"));
	ay_httpd_stop(w->h);
	for (int i = 0; i < 100 && !ay_httpd_is_idle(w->h); i++)
		listen_to(w, &c);
	assert_true(ay_httpd_is_idle(w->h));
	hang_up(&c);
}

static void a_stream_that_is_not_read_is_cut(void **state)
{
	static uint8_t part[65536];
	struct web *w = *state;
	struct client c;

	w->is_stream = true;
	dial(w, &c);
	say(&c, GET "\r\n");
	for (int i = 0; i < 100 && w->n_requests == 0; i++)
		listen_to(w, &c);
	for (int i = 0; i < 500 && w->n_gone == 0; i++) {
		ay_httpd_cast(w->h, &w->last, 1, AY_BYTES(part));
		turn(w);
	}
	assert_int_equal(w->n_gone, 1);
	hang_up(&c);
}

/* Engine goes by what is told as drained: nothing that waits, nothing twice, little at the end. */
static void what_left_for_a_reader_is_told(void **state)
{
	struct web *w = *state;
	struct client c;
	uint32_t ids[3] = { 0, 77, 0 }; /* and some that are over */
	size_t sent = 0;

	w->is_stream = true;
	dial(w, &c);
	say(&c, GET "\r\n");
	for (int i = 0; i < 100 && w->n_requests == 0; i++)
		listen_to(w, &c);
	ids[2] = w->last;
	ay_httpd_cast(w->h, ids, AY_COUNT(ids), ay_bytes_of("data: 1\n\n"));
	for (int i = 0; i < 400 && strstr(c.got, "data: 1") == NULL; i++)
		listen_to(w, &c);
	assert_non_null(strstr(c.got, "9\r\ndata: 1\n\n\r\n"));
	assert_int_equal(w->drained, 0); /* not worth telling */
	for (sent = 9; sent < 40000; sent += 9) {
		ay_httpd_cast(w->h, &w->last, 1, ay_bytes_of("data: 2\n\n"));
		if (sent % 1000 < 9)
			turn(w);
		assert_true(w->drained <= sent + 9);
	}
	for (int i = 0; i < 400 && w->drained + 8192 < sent; i++)
		turn(w);
	assert_in_range(w->drained, sent - 8192, sent);
	hang_up(&c);
}

/* A long answer is no stream of events: however slow the reader is, all of it waits for him. */
static void a_long_answer_comes_whole(void **state)
{
	static uint8_t part[65536];
	struct web *w = *state;
	struct ay_httpd_counts n;
	struct client c;
	size_t got = 0;

	memset(part, 'x', sizeof(part));
	w->is_stream = true;
	dial(w, &c);
	say(&c, GET "\r\n");
	for (int i = 0; i < 100 && w->n_requests == 0; i++)
		listen_to(w, &c);
	for (int i = 0; i < PARTS; i++)
		ay_httpd_chunk(w->h, w->last, AY_BYTES(part));
	ay_httpd_end(w->h, w->last);
	for (int i = 0; i < 100000 && got < PARTS * sizeof(part) && !c.is_over; i++) {
		c.n = 0;
		event_base_loop(w->base, EVLOOP_NONBLOCK);
		listen_to(w, &c);
		for (size_t k = 0; k < c.n; k++)
			got += c.got[k] == 'x';
	}
	assert_int_equal(got, PARTS * sizeof(part));
	ay_httpd_count(w->h, &n);
	assert_int_equal(n.cut_slow, 0);
	hang_up(&c);
}

static void more_connections_than_the_limit_wait(void **state)
{
	struct web *w = *state;
	struct ay_httpd_counts n;
	struct client c[4];
	int extra;

	for (size_t i = 0; i < AY_COUNT(c); i++)
		dial(w, &c[i]);
	assert_int_equal(ay_net_connect(w->at, &extra, NULL), AY_OK);
	for (int i = 0; i < 20; i++)
		turn(w);
	ay_httpd_count(w->h, &n);
	assert_int_equal(n.conns, 4);
	for (size_t i = 0; i < AY_COUNT(c); i++)
		hang_up(&c[i]);
	for (int i = 0; i < 50; i++)
		turn(w);
	ay_httpd_count(w->h, &n);
	assert_int_equal(n.conns, 1); /* the one that waited */
	close(extra);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(framing_is_strict),
		T(what_is_too_long_is_named),
		T(a_request_comes_as_it_was_sent),
		T(slow_clients_are_cut),
		T(work_under_way_is_not_cut),
		T(an_answer_to_a_client_that_left_frees_all),
		T(a_reader_that_leaves_its_stream_is_told),
		T(streams_flow_and_end),
		T(a_stream_that_is_not_read_is_cut),
		T(what_left_for_a_reader_is_told),
		T(a_long_answer_comes_whole),
		T(more_connections_than_the_limit_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
