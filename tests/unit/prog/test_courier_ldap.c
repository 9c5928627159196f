/* SPDX-License-Identifier: Apache-2.0 */
/* A real courier in its sandbox asks a directory that this test plays: one that is right, wrong,
 * hostile, slow or cut off. */
#include "support/t.h"

#include "io/ipc/directory_msg.h"
#include "io/ipc/sign_msg.h"
#include "io/net/cert.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "prog/assayd/courier.h"
#include "prog/assayd/processes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	char dir[64], root_file[96], other_file[96], secret_file[96];
	struct ay_cert_pem root, other, server;
	struct ay_config *config;
	struct ay_loop *loop;
	struct ay_ipc *courier;
	pid_t pid, directory;
	uint16_t port;
	uint32_t req, done_req;
	unsigned answers, timeouts;
	char text[64]; /* of the last failure; or "right", "wrong" */
	struct ay_directory_answer answer;
	char group[AY_GROUP_TEXT];
} w;

/* ---- BER, as far as answers need it [RFC4511] ---- */

struct ber {
	uint8_t p[2048];
	size_t n;
};

static void put(struct ber *b, uint8_t tag, const void *p, size_t n)
{
	const uint8_t head[] = { tag, 0x82, (uint8_t)(n >> 8), (uint8_t)n };

	assert_true(b->n + sizeof(head) + n <= sizeof(b->p));
	memcpy(b->p + b->n, head, sizeof(head));
	if (n > 0)
		memcpy(b->p + b->n + sizeof(head), p, n);
	b->n += sizeof(head) + n;
}

static void put_text(struct ber *b, const char *text)
{
	put(b, 0x04, text, strlen(text));
}

static void put_attribute(struct ber *list, const char *name, const char *value)
{
	struct ber set = { .n = 0 }, one = { .n = 0 };

	put_text(&set, value);
	put_text(&one, name);
	put(&one, 0x31, set.p, set.n);
	put(list, 0x30, one.p, one.n);
}

/* What an LDAPMessage holds, sent as one. */
static void say(SSL *tls, uint8_t id, uint8_t op, const struct ber *content)
{
	struct ber body = { .n = 0 }, message = { .n = 0 };

	put(&body, 0x02, &id, 1);
	put(&body, op, content->p, content->n);
	put(&message, 0x30, body.p, body.n);
	(void)!SSL_write(tls, message.p, (int)message.n);
}

static void say_result(SSL *tls, uint8_t id, uint8_t op, uint8_t code)
{
	struct ber b = { .n = 0 }, uri = { .n = 0 };

	put(&b, 0x0a, &code, 1);
	put_text(&b, "");
	put_text(&b, "");
	put_text(&uri, "ldaps://127.0.0.1:1/");
	if (code == 10)
		put(&b, 0xa3, uri.p, uri.n);
	say(tls, id, op, &b);
}

static void say_entry(SSL *tls, uint8_t id, const char *name, bool with_id)
{
	struct ber b = { .n = 0 }, list = { .n = 0 };
	char dn[96];

	snprintf(dn, sizeof(dn), "uid=%s,dc=x", name);
	if (with_id)
		put_attribute(&list, "entryUUID", "5f0c1f2e-7a92-1041-838e-15e9a1c9ef9a");
	put_attribute(&list, "uid", name);
	put_attribute(&list, "cn", "Some Body");
	put_attribute(&list, "memberOf", "CN=Ops, DC=x");
	put_text(&b, dn);
	put(&b, 0x30, list.p, list.n);
	say(tls, id, 0x64, &b);
}

/* ---- the directory ---- */

static bool has(const uint8_t *p, size_t n, const char *text)
{
	return memmem(p, n, text, strlen(text)) != NULL;
}

static void on_search(SSL *tls, uint8_t id, const uint8_t *p, size_t n)
{
	static const uint8_t huge[] = { 0x30, 0x84, 0x00, 0x20, 0x00, 0x00 };
	struct ber reference = { .n = 0 };

	if (has(p, n, "reference")) {
		put_text(&reference, "ldaps://127.0.0.1:1/dc=y");
		say(tls, id, 0x73, &reference);
	}
	if (has(p, n, "huge")) {
		(void)!SSL_write(tls, huge, sizeof(huge));
		for (int i = 0; i < 4096 && SSL_write(tls, huge, sizeof(huge)) > 0; i++)
			;
		return;
	}
	if (has(p, n, "cut"))
		_exit(0);
	if (has(p, n, "drip"))
		for (int i = 0; i < 600; i++) { /* one octet of a long message, then another */
			(void)!SSL_write(tls, i == 0 ? "\x30" : i == 1 ? "\x7f" : "\x02", 1);
			usleep(100000);
		}
	for (int i = 0; i < 200000 && has(p, n, "flood"); i++)
		say_entry(tls, id, "flood", true);
	if (!has(p, n, "nobody"))
		say_entry(tls, id, has(p, n, "odd") ? "odd" : "somebody", !has(p, n, "without"));
	if (has(p, n, "twice"))
		say_entry(tls, id, "another", true);
	say_result(tls, id, 0x65, has(p, n, "referral") ? 10 : has(p, n, "base") ? 32 : 0);
}

static void on_bind(SSL *tls, uint8_t id, const uint8_t *p, size_t n)
{
	bool is_searcher = has(p, n, "searcher-pw") && has(p, n, "cn=searcher");
	uint8_t code = is_searcher || has(p, n, "right-pw") ? 0 : has(p, n, "busy") ? 51 : 49;

	if (has(p, n, "refer-pw"))
		code = 10;
	say_result(tls, id, !is_searcher && has(p, n, "odd-pw") ? 0x65 : 0x61, code);
}

static void serve_one(int fd, SSL_CTX *ctx)
{
	SSL *tls = SSL_new(ctx);
	uint8_t m[2048];

	SSL_set_fd(tls, fd);
	if (SSL_accept(tls) != 1)
		return;
	for (;;) {
		int n = SSL_read(tls, m, sizeof(m));

		/* libldap's lengths are short, or 0x84 and four octets */
		size_t at = n < 8 ? 0 : m[1] == 0x84 ? 6 : m[1] & 0x80 ? 2u + (m[1] & 3u) : 2;
		uint8_t op = at == 0 ? 0x42 : m[at + 3], id = at == 0 ? 0 : m[at + 2];

		if (op == 0x60)
			on_bind(tls, id, m, (size_t)n);
		else if (op == 0x63)
			on_search(tls, id, m, (size_t)n);
		else
			return;
	}
}

static void serve(int listener, const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		_exit(1);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && fork() == 0) {
			(void)alarm(120);
			serve_one(fd, ctx);
			_exit(0);
		}
		close(fd);
	}
}

static void open_directory(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char cert[96], key[96];

	snprintf(cert, sizeof(cert), "%s/s.pem", w.dir);
	snprintf(key, sizeof(key), "%s/s.key", w.dir);
	assert_int_equal(ay_file_write(cert, 0644, w.server.cert, NULL), AY_OK);
	assert_int_equal(ay_file_write(key, 0600, w.server.key, NULL), AY_OK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	w.port = ntohs(a.sin_port);
	w.directory = fork();
	if (w.directory == 0) {
		setpgid(0, 0);
		(void)alarm(300);
		serve(fd, cert, key);
	}
	close(fd);
}

/* ---- engine, played ---- */

static void from_courier(void *arg, const struct ay_ipc_msg *m)
{
	struct ay_refusal no;

	(void)arg;
	w.done_req = m->req;
	w.answers++;
	memset(&w.answer, 0, sizeof(w.answer));
	w.group[0] = '\0';
	if (m->type == AY_MSG_OUTGOING_FAILED) {
		assert_int_equal(ay_refusal_parse(m->body, &no, NULL), AY_OK);
		snprintf(w.text, sizeof(w.text), "%.*s", (int)no.code.n, (const char *)no.code.p);
	} else {
		assert_int_equal(m->type, AY_MSG_DIRECTORY_ANSWER);
		assert_int_equal(ay_directory_answer_parse(m->body, &w.answer, NULL), AY_OK);
		snprintf(w.text, sizeof(w.text), "%s", w.answer.right ? "right" : "wrong");
		if (w.answer.n_groups > 0)
			snprintf(w.group, sizeof(w.group), "%.*s", (int)w.answer.group[0].n,
				 (const char *)w.answer.group[0].p);
	}
	w.timeouts += strcmp(w.text, "LDAP_TIMEOUT") == 0;
	ay_loop_stop(w.loop);
}

static void gone(void *arg, const char *why)
{
	(void)arg;
	fail_msg("courier: %s", why);
}

static void read_config(const char *first, const char *more)
{
	char conf[1024];

	snprintf(conf, sizeof(conf),
		 "state_dir = %s\n%s\n[ldap]\nurl = ldaps://127.0.0.1:%u\nbase = dc=x\nroles = "
		 "cn=ops,dc=x=operator; cn=other,dc=x=auditor\n%s",
		 w.dir, first, w.port, more);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", conf, &w.config, NULL), AY_OK);
}

static void open_courier(const char *first, const char *more)
{
	static const struct ay_ipc_ops ops = { from_courier, gone };
	struct ay_courier_args a = { .parent_fd = -1, .ca_fd = -1 };
	int pair[2];

	read_config(first, more);
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
	int status;

	ay_ipc_close(w.courier);
	ay_loop_free(w.loop);
	ay_config_free(w.config);
	assert_int_equal(waitpid(w.pid, &status, 0), w.pid);
	assert_int_equal(status, 0); /* not by the sandbox, nor by a signal */
}

static uint32_t send_login(const char *name, const char *password, uint32_t deadline_ms)
{
	const struct ay_directory_login l = { deadline_ms, ay_bytes_of(name),
					      ay_bytes_of(password) };
	uint8_t room[1024];
	struct ay_writer wr;
	struct ay_bytes body;

	ay_wr_init(&wr, room, sizeof(room));
	ay_directory_login_build(&wr, &l);
	assert_int_equal(ay_wr_end(&wr, "l", &body, NULL), AY_OK);
	ay_ipc_send(w.courier, AY_MSG_DIRECTORY_LOGIN, 0, ++w.req, body);
	return w.req;
}

static const char *log_in(const char *name, const char *password)
{
	send_login(name, password, 60000);
	ay_loop_run(w.loop);
	assert_int_equal(w.done_req, w.req);
	return w.text;
}

/* ---- set up ---- */

static int set_up(void **state)
{
	const char *const names[] = { "127.0.0.1", NULL };
	struct ay_cert_args a = { .kind = AY_CERT_ROOT, .cn = "root", .life_s = 3600 };

	(void)state;
	ay_log_init("test", "courier", "error", "text");
	snprintf(w.dir, sizeof(w.dir), "/tmp/ay-courier-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	a.now_s = ay_clock_wall_ms() / 1000;
	assert_int_equal(ay_cert_make(&a, NULL, &w.root, NULL), AY_OK);
	assert_int_equal(ay_cert_make(&a, NULL, &w.other, NULL), AY_OK);
	a.kind = AY_CERT_API;
	a.names = names;
	assert_int_equal(ay_cert_make(&a, &w.root, &w.server, NULL), AY_OK);
	snprintf(w.root_file, sizeof(w.root_file), "%s/root.pem", w.dir);
	snprintf(w.other_file, sizeof(w.other_file), "%s/other.pem", w.dir);
	snprintf(w.secret_file, sizeof(w.secret_file), "%s/secret", w.dir);
	assert_int_equal(ay_file_write(w.root_file, 0644, w.root.cert, NULL), AY_OK);
	assert_int_equal(ay_file_write(w.other_file, 0644, w.other.cert, NULL), AY_OK);
	assert_int_equal(ay_file_write(w.secret_file, 0600, ay_bytes_of("searcher-pw\n"), NULL),
			 AY_OK);
	open_directory();
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	kill(-w.directory, SIGKILL);
	kill(w.directory, SIGKILL);
	waitpid(w.directory, NULL, 0);
	ay_cert_pem_free(&w.root);
	ay_cert_pem_free(&w.other);
	ay_cert_pem_free(&w.server);
	snprintf(command, sizeof(command), "rm -rf %s", w.dir);
	return system(command);
}

static const char *with_searcher(const char *ca)
{
	static char more[512];

	snprintf(more, sizeof(more), "ca = %s\nbind_dn = cn=searcher\nbind_password_file = %s\n",
		 ca, w.secret_file);
	return more;
}

/* ---- tests ---- */

static void test_answers(void **state)
{
	static const struct {
		const char *what, *name, *password, *outcome;
	} rows[] = {
		{ "right", "somebody", "right-pw", "right" },
		{ "wrong", "somebody", "wrong-pw", "wrong" },
		{ "no entry", "nobody", "right-pw", "wrong" },
		{ "no entry, and no base", "nobody-base", "right-pw", "wrong" },
		{ "two entries of one name", "twice", "right-pw", "wrong" },
		{ "entries without end", "flood", "right-pw", "wrong" },
		{ "no id", "without", "right-pw", "wrong" },
		{ "a reference to another directory, not followed", "reference", "right-pw",
		  "right" },
		{ "a referral in place of a result", "referral", "right-pw", "LDAP_SEARCH" },
		{ "a referral in place of a bind", "somebody", "refer-pw", "LDAP_BIND" },
		{ "a bind answered by something else", "somebody", "odd-pw", "LDAP_BIND" },
		{ "a directory that is busy is no wrong password", "somebody", "busy-pw",
		  "LDAP_BIND" },
		{ "a message that is too long", "huge", "right-pw", "LDAP_SEARCH" },
		{ "the connection ends", "cut", "right-pw", "LDAP_SEARCH" },
		{ "and it still serves", "somebody", "right-pw", "right" },
	};

	(void)state;
	open_courier("outgoing_allow = 127.0.0.1", with_searcher(w.root_file));
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("%s\n", rows[i].what);
		assert_string_equal(log_in(rows[i].name, rows[i].password), rows[i].outcome);
		if (!w.answer.right)
			continue;
		assert_string_equal(w.answer.person.subject,
				    "entryuuid 5f0c1f2e-7a92-1041-838e-15e9a1c9ef9a");
		assert_string_equal(w.answer.person.display, "Some Body");
		assert_int_equal(w.answer.n_groups, 1);
		assert_string_equal(w.group, "cn=ops,dc=x");
	}
	close_courier();
}

/* Silent ones hold threads until their deadline, no longer; who gave up is not answered. */
static void test_slow(void **state)
{
	uint32_t slow[8];

	(void)state;
	open_courier("outgoing_allow = 127.0.0.1", with_searcher(w.root_file));
	for (size_t i = 0; i < AY_COUNT(slow); i++)
		slow[i] = send_login("drip", "right-pw", 1500);
	ay_ipc_send(w.courier, AY_MSG_OUTGOING_FORGET, 0, slow[0], (struct ay_bytes){ 0 });
	ay_ipc_send(w.courier, AY_MSG_OUTGOING_FORGET, 0, slow[7], (struct ay_bytes){ 0 });
	w.answers = w.timeouts = 0;
	while (w.answers < 6)
		ay_loop_run(w.loop);
	assert_int_equal(w.timeouts, 6);
	assert_true(w.done_req > slow[0] && w.done_req < slow[7]);
	assert_string_equal(log_in("somebody", "right-pw"), "right");
	close_courier();
}

static void test_trust(void **state)
{
	(void)state;
	open_courier("outgoing_allow = 127.0.0.1", with_searcher(w.other_file));
	assert_string_equal(log_in("somebody", "right-pw"), "LDAP_TLS");
	close_courier();
	open_courier("", with_searcher(w.root_file));
	assert_string_equal(log_in("somebody", "right-pw"), "LDAP_ADDRESS");
	close_courier();
}

/* Ends while logins are under way. */
static void test_ends(void **state)
{
	(void)state;
	open_courier("outgoing_allow = 127.0.0.1", with_searcher(w.root_file));
	assert_string_equal(log_in("somebody", "right-pw"), "right");
	for (int i = 0; i < 8; i++)
		send_login("drip", "right-pw", 60000);
	close_courier();
}

static void test_secret(void **state)
{
	struct ay_courier_ldap *c;
	struct ay_err e = { 0 };

	(void)state;
	assert_int_equal(chmod(w.secret_file, 0640), 0);
	read_config("", with_searcher(w.root_file));
	assert_int_equal(ay_loop_new(&w.loop, NULL), AY_OK);
	assert_int_equal(ay_courier_ldap_new(w.loop, w.config, NULL, &c, &e), AY_E_INPUT);
	assert_string_equal(e.where, "ldap.bind_password_file");
	ay_loop_free(w.loop);
	ay_config_free(w.config);
	assert_int_equal(chmod(w.secret_file, 0600), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers), cmocka_unit_test(test_slow),
		cmocka_unit_test(test_trust),	cmocka_unit_test(test_ends),
		cmocka_unit_test(test_secret),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
