/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of a pipe over TLS in one loop: who below the root may speak. */
#include "support/t.h"

#include "io/net/cert.h"
#include "io/net/tlspipe.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char dir[] = "/tmp/assay-tlspipe-XXXXXX";
static struct event_base *base;

struct end {
	struct ay_tlspipe_ctx *ctx;
	struct ay_tlspipe *pipe;
	int fd; /* our side of the local pair */
	bool up, down;
};

static const char *at(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static void make(const char *name, const char *cn, enum ay_cert_kind kind,
		 const struct ay_cert_pem *by, struct ay_cert_pem *out)
{
	struct ay_cert_args a = {
		.kind = kind, .cn = cn, .now_s = ay_clock_wall_ms() / 1000, .life_s = 3600
	};
	char file[64];

	assert_int_equal(ay_cert_make(&a, by, out, NULL), AY_OK);
	snprintf(file, sizeof(file), "%s.pem", name);
	assert_int_equal(ay_file_write(at(file), 0600, out->cert, NULL), AY_OK);
	snprintf(file, sizeof(file), "%s.key", name);
	assert_int_equal(ay_file_write(at(file), 0600, out->key, NULL), AY_OK);
}

static int set_up(void **state)
{
	struct ay_cert_pem root = { { NULL, 0 }, { NULL, 0 } }, leaf = root;

	(void)state;
	assert_non_null(mkdtemp(dir));
	make("root", "root", AY_CERT_ROOT, NULL, &root);
	make("courier", AY_COURIER_CN, AY_CERT_CHANNEL, &root, &leaf);
	ay_cert_pem_free(&leaf);
	make("front", "Assay agent channel", AY_CERT_CHANNEL, &root, &leaf);
	ay_cert_pem_free(&leaf);
	ay_cert_pem_free(&root);
	base = event_base_new();
	return base == NULL;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	event_base_free(base);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void on_up(void *arg)
{
	((struct end *)arg)->up = true;
}

static void on_down(void *arg, const char *why)
{
	(void)why;
	((struct end *)arg)->down = true;
}

static const struct ay_tlspipe_ops ops = { on_up, on_down };

static void open_end(struct end *e, const char *who, bool is_server, int net)
{
	char cert[64], key[64];
	struct ay_tlspipe_keys k = { .root = at("root.pem"), .alpn = "assay-ca/1" };
	int pair[2];

	snprintf(cert, sizeof(cert), "%s.pem", who);
	snprintf(key, sizeof(key), "%s.key", who);
	k.cert = at(cert);
	k.key = at(key);
	k.peer = is_server ? AY_COURIER_CN : NULL;
	assert_int_equal(ay_tlspipe_ctx_new(&k, is_server, &e->ctx, NULL), AY_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	e->fd = pair[0];
	assert_int_equal(ay_tlspipe_open(base, e->ctx, net, pair[1], &ops, e, &e->pipe, NULL),
			 AY_OK);
}

/* Octets of the client reach the server's side: -1 none, else how many. */
static ssize_t talk(const char *who)
{
	struct end server = { 0 }, client = { 0 };
	int net[2];
	char got[16];
	ssize_t n = -1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, net), 0);
	open_end(&server, "front", true, net[0]);
	open_end(&client, who, false, net[1]);
	assert_int_equal(write(client.fd, "hello", 5), 5);
	for (int i = 0; i < 200 && n < 0 && !server.down; i++) {
		struct timeval wait = { 0, 10000 };

		event_base_loopexit(base, &wait);
		event_base_dispatch(base);
		n = read(server.fd, got, sizeof(got));
	}
	assert_int_equal(server.up, n > 0);
	ay_tlspipe_free(server.pipe);
	ay_tlspipe_free(client.pipe);
	event_base_loop(base, EVLOOP_NONBLOCK);
	close(server.fd);
	close(client.fd);
	ay_tlspipe_ctx_free(server.ctx);
	ay_tlspipe_ctx_free(client.ctx);
	return n;
}

static void the_courier_and_nobody_else(void **state)
{
	(void)state;
	assert_int_equal(talk("courier"), 5);
	assert_int_equal(talk("front"),
			 -1); /* a certificate of the same root, of another process */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_courier_and_nobody_else) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
