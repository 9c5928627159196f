/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/crypto/hash.h"
#include "core/crypto/x509.h"
#include "io/ipc/outgoing_msg.h"
#include "io/ipc/sign_msg.h"
#include "io/net/cert.h"
#include "io/net/netrange.h"
#include "io/net/url.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "prog/assayd/processes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A real courier in a process and sandbox of its own; this test plays engine and the servers. */
static struct {
	char dir[64];
	struct ay_config *config;
	struct ay_loop *loop;
	struct ay_ipc *courier;
	pid_t pid, plain, tls;
	uint16_t plain_port, tls_port;
	struct ay_cert_pem root, other, server;
	uint32_t req;
	bool done;
	uint32_t done_req;
	uint16_t type, status;
	uint8_t spki[32], cert[32];
	char text[512], head[128], body[256];
} w;

static void from_courier(void *arg, const struct ay_ipc_msg *m)
{
	struct ay_outgoing_answer a;
	struct ay_refusal no;

	(void)arg;
	w.type = m->type;
	w.done_req = m->req;
	w.text[0] = w.head[0] = w.body[0] = '\0';
	w.status = 0;
	if (m->type == AY_MSG_OUTGOING_FAILED) {
		assert_int_equal(ay_refusal_parse(m->body, &no, NULL), AY_OK);
		snprintf(w.text, sizeof(w.text), "%.*s", (int)no.code.n, (const char *)no.code.p);
	} else {
		assert_int_equal(ay_outgoing_answer_parse(m->body, &a, NULL), AY_OK);
		w.status = a.status;
		memcpy(w.spki, a.spki, 32);
		memcpy(w.cert, a.cert, 32);
		snprintf(w.head, sizeof(w.head), "%.*s",
			 (int)ay_outgoing_answer_header(&a, "x-what").n,
			 (const char *)ay_outgoing_answer_header(&a, "x-what").p);
		snprintf(w.body, sizeof(w.body), "%.*s", (int)a.body.n, (const char *)a.body.p);
	}
	ay_loop_stop(w.loop);
}

static void gone(void *arg, const char *why)
{
	(void)arg;
	fail_msg("courier: %s", why);
}

/* ---- servers ---- */

static void serve_one(int fd)
{
	static const char big[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
				  "0123456789012345678901234567890123456789012345678901234567890123"
				  "456789012345678901234567890123456789";
	static const char moved[] = "HTTP/1.1 302 Found\r\nLocation: https://example.invalid/\r\n"
				    "Content-Length: 0\r\n\r\n";
	static const char ok[] = "HTTP/1.1 200 OK\r\nX-What: Kept\r\nX-Other: no\r\n"
				 "Content-Length: 5\r\n\r\nhello";
	char ask[4096];
	ssize_t n = read(fd, ask, sizeof(ask) - 1);
	const char *say;

	ask[n > 0 ? n : 0] = '\0';
	if (strncmp(ask, "GET /hang", 9) == 0) {
		pause();
		return;
	}
	say = strncmp(ask, "GET /big", 8) == 0	    ? big
	      : strncmp(ask, "GET /moved", 10) == 0 ? moved
						    : ok;
	(void)!write(fd, say, strlen(say));
	close(fd);
}

static void serve(int listener)
{
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && fork() == 0) {
			(void)alarm(60);
			serve_one(fd);
			_exit(0);
		}
		close(fd);
	}
}

static pid_t open_plain(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		(void)alarm(120);
		serve(fd);
	}
	close(fd);
	return pid;
}

/* A TLS server that we did not write: it says on which port it listens. */
static pid_t open_tls(uint16_t *port)
{
	char line[256], cert[96], key[96];
	const char *colon = NULL;
	int out[2];
	pid_t pid;
	FILE *f;

	snprintf(cert, sizeof(cert), "%s/s.pem", w.dir);
	snprintf(key, sizeof(key), "%s/s.key", w.dir);
	assert_int_equal(ay_file_write(cert, 0644, w.server.cert, NULL), AY_OK);
	assert_int_equal(ay_file_write(key, 0600, w.server.key, NULL), AY_OK);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		(void)alarm(120);
		dup2(out[1], 1);
		execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert",
		       cert, "-key", key, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	while (colon == NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "ACCEPT", 6) == 0)
			colon = strrchr(line, ':');
	assert_non_null(colon);
	*port = (uint16_t)atoi(colon + 1);
	return pid; /* the stream stays open: s_server writes to it */
}

/* ---- set up ---- */

static void make_certs(void)
{
	const char *const names[] = { "127.0.0.1", NULL };
	struct ay_cert_args a = { .kind = AY_CERT_ROOT, .cn = "root", .life_s = 3600 };

	a.now_s = ay_clock_wall_ms() / 1000;
	assert_int_equal(ay_cert_make(&a, NULL, &w.root, NULL), AY_OK);
	assert_int_equal(ay_cert_make(&a, NULL, &w.other, NULL), AY_OK);
	a.kind = AY_CERT_API;
	a.names = names;
	assert_int_equal(ay_cert_make(&a, &w.root, &w.server, NULL), AY_OK);
}

static void open_courier(const char *more)
{
	static const struct ay_ipc_ops ops = { from_courier, gone };
	struct ay_courier_args a = { .parent_fd = -1, .ca_fd = -1 };
	char conf[256];
	int pair[2];

	snprintf(conf, sizeof(conf), "state_dir = %s\noutgoing_http = yes\n%s", w.dir, more);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", conf, &w.config, NULL), AY_OK);
	a.config = w.config;
	assert_int_equal(ay_ipc_pair(pair, NULL), AY_OK);
	a.engine_fd = pair[1];
	w.pid = fork();
	if (w.pid == 0) {
		close(pair[0]);
		_exit(ay_courier_run(&a));
	}
	close(pair[1]);
	assert_int_equal(ay_loop_new(&w.loop, NULL), AY_OK);
	assert_int_equal(ay_ipc_open(w.loop, pair[0], ay_ipc_table_of(AY_PAIR_COURIER), AY_IPC_A,
				     &ops, NULL, &w.courier, NULL),
			 AY_OK);
}

static void close_courier(void)
{
	ay_ipc_close(w.courier);
	ay_loop_free(w.loop);
	ay_config_free(w.config);
	assert_int_equal(waitpid(w.pid, NULL, 0), w.pid);
}

static int set_up(void **state)
{
	(void)state;
	ay_log_init("test", "courier", "error", "text");
	snprintf(w.dir, sizeof(w.dir), "/tmp/ay-courier-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	make_certs();
	w.plain = open_plain(&w.plain_port);
	w.tls = open_tls(&w.tls_port);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	kill(-w.plain, SIGKILL);
	kill(w.plain, SIGKILL);
	kill(w.tls, SIGKILL);
	waitpid(w.plain, NULL, 0);
	waitpid(w.tls, NULL, 0);
	ay_cert_pem_free(&w.root);
	ay_cert_pem_free(&w.other);
	ay_cert_pem_free(&w.server);
	snprintf(command, sizeof(command), "rm -rf %s", w.dir);
	return system(command);
}

static uint32_t send_ask(const char *url, const struct ay_outgoing *more)
{
	struct ay_outgoing o = *more;
	uint8_t room[8192];
	struct ay_writer wr;
	struct ay_bytes body;

	o.method = AY_OUTGOING_GET;
	o.url = ay_bytes_of(url);
	o.want = ay_bytes_of("x-what,date");
	o.deadline_ms = o.deadline_ms ? o.deadline_ms : 60000;
	o.max_answer = o.max_answer ? o.max_answer : 65536;
	ay_wr_init(&wr, room, sizeof(room));
	ay_outgoing_build(&wr, &o);
	assert_int_equal(ay_wr_end(&wr, "o", &body, NULL), AY_OK);
	assert_int_equal(body.n, ay_outgoing_size(&o));
	ay_ipc_send(w.courier, AY_MSG_OUTGOING, 0, ++w.req, body);
	return w.req;
}

static const char *ask(const char *url, const struct ay_outgoing *more)
{
	static const struct ay_outgoing none;

	send_ask(url, more ? more : &none);
	ay_loop_run(w.loop);
	assert_int_equal(w.done_req, w.req);
	return w.type == AY_MSG_OUTGOING_FAILED ? w.text : "";
}

static const char *plain(const char *path)
{
	static char url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", w.plain_port, path);
	return url;
}

static const char *tls(void)
{
	static char url[128];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", w.tls_port);
	return url;
}

/* ---- tests ---- */

static void test_addresses(void **state)
{
	static const char *const refused[] = {
		"https://127.0.0.1/",
		"https://169.254.169.254/latest/meta-data/",
		"https://[::1]/",
		"https://[::ffff:169.254.169.254]/",
		"https://[fe80::1]/",
		"https://0.0.0.0/",
		"https://[64:ff9b::7f00:1]/",
		"https://[fd00:ec2::254]/",
		"https://224.0.0.1/",
		"https://100.100.100.200/",
		"http://10.0.0.1/", /* plain, and not loopback */
	};

	(void)state;
	open_courier("");
	for (size_t i = 0; i < AY_COUNT(refused); i++)
		assert_string_equal(ask(refused[i], NULL), "OUTGOING_ADDRESS");
	assert_string_equal(ask(plain("/"), NULL), "OUTGOING_ADDRESS");
	close_courier();
}

static void test_answers(void **state)
{
	struct ay_outgoing few = { .max_answer = 99 }, exact = { .max_answer = 100 };

	(void)state;
	open_courier("outgoing_allow = 127.0.0.0/8\n");
	assert_string_equal(ask(plain("/"), NULL), "");
	assert_int_equal(w.status, 200);
	assert_string_equal(w.head, "Kept");
	assert_string_equal(w.body, "hello");
	assert_string_equal(ask(plain("/moved"), NULL), ""); /* and not followed */
	assert_int_equal(w.status, 302);
	assert_string_equal(ask(plain("/big"), &few), "OUTGOING_LIMIT");
	assert_string_equal(ask(plain("/big"), &exact), "");
	assert_string_equal(ask("http://127.0.0.1:1/", NULL), "OUTGOING_CONNECT");
	assert_string_equal(
		ask("https://no-such-name.invalid/", &(struct ay_outgoing){ .deadline_ms = 20000 }),
		w.text); /* whatever the resolver says, it is an answer */
	assert_int_equal(w.type, AY_MSG_OUTGOING_FAILED);
	close_courier();
}

/* A peer that hangs keeps nobody else waiting. */
static void test_hanging(void **state)
{
	const struct ay_outgoing slow = { .deadline_ms = 1500 };
	uint32_t hanging, forgotten;

	(void)state;
	open_courier("outgoing_allow = 127.0.0.0/8\n");
	hanging = send_ask(plain("/hang"), &slow);
	forgotten = send_ask(plain("/hang"), &slow);
	ay_ipc_send(w.courier, AY_MSG_OUTGOING_FORGET, 0, forgotten, (struct ay_bytes){ 0 });
	assert_string_equal(ask(plain("/"), NULL), "");
	ay_loop_run(w.loop);
	assert_int_equal(w.done_req, hanging);
	assert_string_equal(w.text, "OUTGOING_TIMEOUT");
	assert_string_equal(ask(plain("/"), NULL), ""); /* and nothing came of the forgotten one */
	close_courier();
}

static void test_tls(void **state)
{
	struct ay_outgoing o = { .ca = w.root.cert }, bad = { .ca = w.other.cert };
	AY_CLEANUP(ay_file_free) struct ay_bytes der = { NULL, 0 };

	(void)state;
	open_courier("outgoing_allow = 127.0.0.1\n");
	assert_string_equal(ask(tls(), &o), "");
	assert_int_equal(w.status, 200);
	assert_string_equal(ask(tls(), &bad), "OUTGOING_TLS");
	assert_string_equal(ask(tls(), NULL), "OUTGOING_TLS"); /* not of the system's roots */
	assert_int_equal(ay_cert_der(w.server.cert, &der, NULL), AY_OK);
	assert_int_equal(ay_cert_spki_hash_of(der, o.spki, NULL), AY_OK);
	o.has_pin = true;
	assert_string_equal(ask(tls(), &o), "");
	o.spki[0] ^= 1;
	assert_string_equal(ask(tls(), &o), "OUTGOING_TLS");
	close_courier();
}

/* Pins in place of a chain: the peer is judged before a request is sent. */
static void test_pins_alone(void **state)
{
	struct ay_outgoing o = { .trust = AY_OUTGOING_PINNED, .has_pin = true };
	struct ay_outgoing first = { .trust = AY_OUTGOING_FIRST };
	AY_CLEANUP(ay_file_free) struct ay_bytes der = { NULL, 0 };

	(void)state;
	open_courier("outgoing_allow = 127.0.0.1\n");
	assert_int_equal(ay_cert_der(w.server.cert, &der, NULL), AY_OK);
	assert_int_equal(ay_cert_spki_hash_of(der, o.spki, NULL), AY_OK);
	ay_sha256(der, o.cert);
	assert_string_equal(ask(tls(), &o), "");
	assert_memory_equal(w.spki, o.spki, 32);
	assert_memory_equal(w.cert, o.cert, 32);
	assert_string_equal(ask(tls(), &first), "");
	assert_memory_equal(w.spki, o.spki, 32); /* it is told who answered */
	o.has_cert = true;
	assert_string_equal(ask(tls(), &o), "");
	o.cert[31] ^= 1;
	assert_string_equal(ask(tls(), &o), "OUTGOING_PEER");
	o.has_cert = false;
	o.spki[0] ^= 1;
	assert_string_equal(ask(tls(), &o), "OUTGOING_PEER");
	assert_string_equal(ask(tls(), &first), ""); /* nor does one that was accepted help it */
	assert_string_equal(ask(tls(), &o), "OUTGOING_PEER");
	close_courier();
}

/* A pin that would not be looked at is refused before anything is dialled. */
static void test_trust_words(void **state)
{
	static const struct ay_outgoing rows[] = {
		{ .trust = AY_OUTGOING_CHAIN, .has_cert = true },
		{ .trust = AY_OUTGOING_PINNED },
		{ .trust = AY_OUTGOING_FIRST, .has_pin = true },
		{ .trust = AY_OUTGOING_TRUSTS },
	};

	(void)state;
	open_courier("outgoing_allow = 127.0.0.1\n");
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		assert_string_equal(ask(tls(), &rows[i]), "OUTGOING_INPUT");
	close_courier();
}

static void test_urls(void **state)
{
	static const struct {
		const char *text, *host; /* host NULL: refused */
		uint16_t port;
	} rows[] = {
		{ "https://a.example/x?y", "a.example", 443 },
		{ "HTTPS://A.Example:8443", "a.example", 8443 },
		{ "http://localhost:80/", "localhost", 80 },
		{ "https://[fe80::1]:9/x", "fe80::1", 9 },
		{ "https://10.1.2.3/", "10.1.2.3", 443 },
		{ "https://u@a.example/", NULL, 0 },
		{ "https://a.example@b.example/", NULL, 0 },
		{ "https://a.example:443@b/", NULL, 0 },
		{ "https://127.1/", NULL, 0 },
		{ "https://2130706433/", NULL, 0 },
		{ "https://0x7f.0x1/", NULL, 0 },
		{ "https://1.2.3.04/", NULL, 0 },
		{ "https://a.example./", NULL, 0 },
		{ "https://a..example/", NULL, 0 },
		{ "https:///x", NULL, 0 },
		{ "https://a:0/", NULL, 0 },
		{ "https://a:65536/", NULL, 0 },
		{ "https://a:/", NULL, 0 },
		{ "https://a/#x", NULL, 0 },
		{ "https://a/\\x", NULL, 0 },
		{ "https://a/ x", NULL, 0 },
		{ "https://a\r\nb/", NULL, 0 },
		{ "https://[::1/", NULL, 0 },
		{ "file:///etc/passwd", NULL, 0 },
		{ "gopher://a/", NULL, 0 },
		{ "", NULL, 0 },
	};
	struct ay_url u;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		enum ay_rc rc = ay_url_parse(ay_bytes_of(rows[i].text), &u, NULL);

		if (rows[i].host == NULL) {
			assert_int_not_equal(rc, AY_OK);
			continue;
		}
		assert_int_equal(rc, AY_OK);
		assert_string_equal(u.host, rows[i].host);
		assert_int_equal(u.port, rows[i].port);
	}
}

static void test_bodies(void **state)
{
	struct ay_outgoing o = { .method = AY_OUTGOING_POST,
				 .url = ay_bytes_of("https://a/"),
				 .n_headers = 1,
				 .header = { { ay_bytes_of("x"), ay_bytes_of("a\r\nb: c") } },
				 .deadline_ms = 1 };
	uint8_t room[512];
	struct ay_outgoing back;
	struct ay_writer wr;
	struct ay_bytes body;

	(void)state;
	ay_wr_init(&wr, room, sizeof(room));
	ay_outgoing_build(&wr, &o);
	assert_int_equal(ay_wr_end(&wr, "o", &body, NULL), AY_OK);
	assert_int_not_equal(ay_outgoing_parse(body, &back, NULL),
			     AY_OK); /* a header in a header */
	o.header[0].value = ay_bytes_of("a b");
	ay_wr_init(&wr, room, sizeof(room));
	ay_outgoing_build(&wr, &o);
	assert_int_equal(ay_wr_end(&wr, "o", &body, NULL), AY_OK);
	assert_int_equal(ay_outgoing_parse(body, &back, NULL), AY_OK);
	for (size_t n = 0; n < body.n; n++)
		assert_int_not_equal(ay_outgoing_parse((struct ay_bytes){ body.p, n }, &back, NULL),
				     AY_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),	   cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_addresses),  cmocka_unit_test(test_answers),
		cmocka_unit_test(test_hanging),	   cmocka_unit_test(test_tls),
		cmocka_unit_test(test_pins_alone), cmocka_unit_test(test_trust_words),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
