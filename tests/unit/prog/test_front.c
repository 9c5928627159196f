/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "io/ipc/front_msg.h"
#include "io/net/cert.h"
#include "io/net/channel.h"
#include "io/net/socket.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assayd/front.h"

#include <event2/event.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A real front in a process of its own; this test plays its engine, parent, and agents. */
enum { DEADLINE_MS = 5000, MAX_CONNS = 3000, N_IDLE = 2000, N_AGENTS = 20 };

struct agent {
	struct world *w;
	struct ay_chan *chan;
	size_t n_up, n_down, n_frames;
	struct ay_err why;
};

struct world {
	char dir[64];
	struct ay_config *config;
	struct ay_cert_pem root, agent_cert;
	struct ay_loop *loop;
	struct ay_ipc *front, *parent;
	pid_t pid;
	char agents_at[80], api_at[80];
	struct ay_tls *tls;
	struct ay_chan_env *env;
	struct agent agent[N_AGENTS];
	/* what front told engine */
	size_t n_ready, n_up, n_down, n_frames, n_dial_failed, n_gone, n_api;
	uint32_t conn[MAX_CONNS];
	struct ay_conn_up up;
	char dial_why[128], down_why[128], api_path[64];
	uint32_t api_req;
	bool answers_hello; /* engine binds each connection and challenges without end */
	uint64_t slowest_ms;
};

/* ---- played engine ---- */

static void text(char *out, size_t room, struct ay_bytes b)
{
	snprintf(out, room, "%.*s", (int)b.n, b.n > 0 ? (const char *)b.p : "");
}

static void send_frame(struct world *w, uint32_t conn, uint8_t type, const char *body)
{
	struct ay_ipc_msg m = { .type = AY_MSG_FRAME, .sub = type, .conn = conn, .req = 1 };

	m.body = ay_bytes_of(body);
	ay_ipc_send_msg(w->front, &m);
}

static void on_frame_msg(struct world *w, const struct ay_ipc_msg *m)
{
	w->n_frames++;
	if (!w->answers_hello)
		return;
	if (m->sub == AY_FRAME_HELLO)
		ay_ipc_send(w->front, AY_MSG_BOUND, m->conn, 0, (struct ay_bytes){ NULL, 0 });
	send_frame(w, m->conn, AY_FRAME_CHALLENGE, "challenge");
}

static void from_front(void *arg, const struct ay_ipc_msg *m)
{
	struct world *w = arg;
	struct ay_api_request q;

	switch (m->type) {
	case AY_MSG_FRONT_READY:
		w->n_ready++;
		break;
	case AY_MSG_CONN_UP:
		w->conn[w->n_up++ % MAX_CONNS] = m->conn;
		assert_int_equal(ay_conn_up_parse(m->body, &w->up, NULL), AY_OK);
		break;
	case AY_MSG_CONN_DOWN:
		w->n_down++;
		text(w->down_why, sizeof(w->down_why), m->body);
		break;
	case AY_MSG_FRAME:
		on_frame_msg(w, m);
		break;
	case AY_MSG_DIAL_FAILED:
		w->n_dial_failed++;
		text(w->dial_why, sizeof(w->dial_why), m->body);
		break;
	case AY_MSG_API_REQUEST:
		assert_int_equal(ay_api_request_parse(m->body, &q, NULL), AY_OK);
		text(w->api_path, sizeof(w->api_path), q.path);
		w->api_req = m->req;
		w->n_api++;
		break;
	default:
		break;
	}
}

static void on_gone(void *arg, const char *why)
{
	struct world *w = arg;

	print_message("front is gone: %s\n", why);
	w->n_gone++;
}

static void from_child(void *arg, const struct ay_ipc_msg *m)
{
	(void)arg, (void)m;
}

static const struct ay_ipc_ops front_ops = { from_front, on_gone };
static const struct ay_ipc_ops parent_ops = { from_child, on_gone };

/* ---- played agents ---- */

static void agent_up(struct ay_chan *c, void *owner, const struct ay_tls_peer *peer)
{
	struct agent *a = owner;

	(void)peer;
	a->n_up++;
	ay_chan_send(c, AY_FRAME_HELLO, 0, ay_bytes_of("hello"));
}

static void agent_frame(struct ay_chan *c, void *owner, const struct ay_frame *f)
{
	struct agent *a = owner;

	a->n_frames++;
	if (f->type == AY_FRAME_CHALLENGE)
		ay_chan_send(c, AY_FRAME_EVIDENCE, f->req, ay_bytes_of("evidence"));
}

static void agent_down(struct ay_chan *c, void *owner, const struct ay_err *why)
{
	struct agent *a = owner;

	(void)c;
	a->n_down++;
	a->why = *why;
	a->chan = NULL;
}

static const struct ay_chan_ops agent_ops = { agent_up, agent_frame, agent_down };

static void dial_in(struct world *w, struct agent *a)
{
	struct ay_err e;
	int fd;

	assert_int_equal(ay_net_connect(w->agents_at, &fd, &e), AY_OK);
	assert_int_equal(ay_chan_open(w->env, fd, ay_tls_connect(w->tls, fd, true, NULL), false, a,
				      &a->chan, &e),
			 AY_OK);
}

/* ---- set up ---- */

static void put(struct world *w, const char *name, struct ay_bytes b)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	assert_int_equal(ay_file_write(path, 0600, b, NULL), AY_OK);
}

static void make(struct world *w, enum ay_cert_kind kind, const char *cert, const char *key)
{
	struct ay_cert_args a = { .kind = kind, .cn = "t", .life_s = 3600 };
	struct ay_cert_pem p;

	a.now_s = ay_clock_wall_ms() / 1000;
	assert_int_equal(ay_cert_make(&a, &w->root, &p, NULL), AY_OK);
	put(w, cert, p.cert);
	put(w, key, p.key);
	ay_cert_pem_free(&p);
}

static void make_state(struct world *w)
{
	struct ay_cert_args a = { .kind = AY_CERT_ROOT, .cn = "root", .life_s = 3600 };
	char conf[512];

	snprintf(w->dir, sizeof(w->dir), "/tmp/ay-front-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	a.now_s = ay_clock_wall_ms() / 1000;
	assert_int_equal(ay_cert_make(&a, NULL, &w->root, NULL), AY_OK);
	a.kind = AY_CERT_AGENT;
	assert_int_equal(ay_cert_make(&a, NULL, &w->agent_cert, NULL), AY_OK);
	put(w, AY_FILE_ROOT_CERT, w->root.cert);
	make(w, AY_CERT_CHANNEL, AY_FILE_CHANNEL_CERT, AY_FILE_CHANNEL_KEY);
	make(w, AY_CERT_API, AY_FILE_API_CERT, AY_FILE_API_KEY);
	snprintf(conf, sizeof(conf),
		 "state_dir = %s\nhandshake_deadline = %dms\nhello_deadline = %dms\n"
		 "api_deadline = 1s\nmax_connections = %d\n",
		 w->dir, DEADLINE_MS, DEADLINE_MS, MAX_CONNS);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "test", conf, &w->config, NULL), AY_OK);
}

static void start_front(struct world *w)
{
	struct ay_front_args a = { .config = w->config,
				   .agents_at = w->agents_at,
				   .api_at = w->api_at };
	int front[2], parent[2];

	assert_int_equal(ay_ipc_pair(front, NULL), AY_OK);
	assert_int_equal(ay_ipc_pair(parent, NULL), AY_OK);
	assert_int_equal(ay_net_listen("127.0.0.1:0", &a.agents_fd, w->agents_at,
				       sizeof(w->agents_at), NULL),
			 AY_OK);
	assert_int_equal(
		ay_net_listen("127.0.0.1:0", &a.api_fd, w->api_at, sizeof(w->api_at), NULL), AY_OK);
	a.engine_fd = front[0];
	a.parent_fd = parent[1];
	w->pid = fork();
	if (w->pid == 0) {
		close(front[1]);
		close(parent[0]);
		_exit(ay_front_run(&a));
	}
	close(front[0]);
	close(parent[1]);
	close(a.agents_fd);
	close(a.api_fd);
	assert_int_equal(ay_ipc_open(w->loop, front[1], ay_ipc_table_of(AY_PAIR_FRONT), AY_IPC_B,
				     &front_ops, w, &w->front, NULL),
			 AY_OK);
	assert_int_equal(ay_ipc_open(w->loop, parent[0], ay_ipc_table_of(AY_PAIR_PARENT), AY_IPC_A,
				     &parent_ops, w, &w->parent, NULL),
			 AY_OK);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;

	(void)fd, (void)what;
	ay_loop_stop(w->loop);
}

/* Turns the loop until *counter has reached want, or limit_ms have passed. */
static void turn(struct world *w, const size_t *counter, size_t want, int limit_ms)
{
	int64_t until = ay_clock_mono_ms() + limit_ms;
	struct timeval t = { 0, 5000 };

	while (*counter < want && ay_clock_mono_ms() < until) {
		event_base_once(ay_loop_base(w->loop), -1, EV_TIMEOUT, on_tick, w, &t);
		ay_loop_run(w->loop);
	}
}

static void open_agents(struct world *w)
{
	struct ay_tls_args t = { .role = AY_ROLE_AGENT, .has_pin = true, .max_sessions = 10 };
	struct ay_chan_args c = { .base = ay_loop_base(w->loop),
				  .role = AY_ROLE_AGENT,
				  .ops = &agent_ops,
				  .handshake_ms = 5000,
				  .hello_ms = 5001,
				  .frame_ms = 5002,
				  .max_out = 1 << 20 };

	t.cert_pem = w->agent_cert.cert;
	t.key_pem = w->agent_cert.key;
	assert_int_equal(ay_cert_spki(w->root.cert, t.root_pin, NULL), AY_OK);
	assert_int_equal(ay_tls_new(&t, &w->tls, NULL), AY_OK);
	assert_int_equal(ay_chan_env_new(&c, &w->env, NULL), AY_OK);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	signal(SIGPIPE, SIG_IGN);
	make_state(w);
	assert_int_equal(ay_loop_new(&w->loop, NULL), AY_OK);
	start_front(w);
	open_agents(w);
	turn(w, &w->n_ready, 1, 30000);
	assert_int_equal(w->n_ready, 1);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	char command[128];
	int status = -1;

	ay_ipc_send(w->parent, AY_MSG_CHILD_STOP, 0, 0, (struct ay_bytes){ NULL, 0 });
	turn(w, &w->n_gone, 2, 30000);
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < N_AGENTS; i++)
		if (w->agent[i].chan != NULL)
			ay_chan_close(w->agent[i].chan, "test over");
	ay_chan_env_free(w->env);
	ay_tls_free(w->tls);
	ay_loop_free(w->loop);
	ay_config_free(w->config);
	ay_cert_pem_free(&w->root);
	ay_cert_pem_free(&w->agent_cert);
	snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

/* ---- tests ---- */

static void frames_pass_both_ways(void **state)
{
	struct world *w = *state;
	uint8_t spki[32];

	w->answers_hello = true;
	dial_in(w, &w->agent[0]);
	turn(w, &w->n_frames, 20, 30000);
	assert_true(w->n_frames >= 20);
	assert_int_equal(ay_cert_spki(w->agent_cert.cert, spki, NULL), AY_OK);
	assert_memory_equal(w->up.spki, spki, 32);
	assert_int_equal(w->up.flags, 0);
	ay_ipc_send(w->front, AY_MSG_CLOSE, w->conn[0], 0, ay_bytes_of("test"));
	turn(w, &w->agent[0].n_down, 1, 30000);
	turn(w, &w->n_down, 1, 30000);
	assert_int_equal(w->n_down, 1);
	/* The number is over: what still comes for it goes nowhere. */
	send_frame(w, w->conn[0], AY_FRAME_CHALLENGE, "late");
	dial_in(w, &w->agent[1]);
	turn(w, &w->n_up, 2, 30000);
	assert_int_not_equal(w->conn[0], w->conn[1]);
}

static void evidence_before_bound_never_reaches_engine(void **state)
{
	struct world *w = *state;

	dial_in(w, &w->agent[0]);
	turn(w, &w->n_frames, 1, 30000); /* HELLO */
	ay_chan_send(w->agent[0].chan, AY_FRAME_EVIDENCE, 1, ay_bytes_of("e"));
	turn(w, &w->n_down, 1, 30000);
	assert_int_equal(w->n_frames, 1);
	assert_non_null(strstr(w->down_why, "not bound"));
}

static void dial(struct world *w, uint32_t id, const char *addr, const uint8_t *pin)
{
	struct ay_dial d = { .first_contact = true, .pinned = pin != NULL };
	uint8_t room[512];
	struct ay_writer wr;
	struct ay_bytes body;

	d.addr = ay_bytes_of(addr);
	if (pin != NULL)
		memcpy(d.agent_spki, pin, 32);
	ay_wr_init(&wr, room, sizeof(room));
	ay_dial_build(&wr, &d);
	assert_int_equal(ay_wr_end(&wr, "dial", &body, NULL), AY_OK);
	ay_ipc_send(w->front, AY_MSG_DIAL, 0, id, body);
}

/* A listening agent: takes one connection. */
static void listen_and_take(struct world *w, int l, struct agent *a)
{
	int fd = -1;
	size_t never = 0;

	for (int i = 0; i < 4000 && fd < 0; i++) {
		turn(w, &never, 1, 5);
		fd = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	assert_true(fd >= 0);
	assert_int_equal(
		ay_chan_open(w->env, fd, ay_tls_accept(w->tls, fd), true, a, &a->chan, NULL),
		AY_OK);
}

static void front_dials_where_engine_says(void **state)
{
	struct world *w = *state;
	uint8_t pin[32];
	char at[64];
	int l;

	assert_int_equal(ay_cert_spki(w->agent_cert.cert, pin, NULL), AY_OK);
	assert_int_equal(ay_net_listen("127.0.0.1:0", &l, at, sizeof(at), NULL), AY_OK);
	dial(w, 7, at, pin);
	listen_and_take(w, l, &w->agent[0]);
	turn(w, &w->n_up, 1, 30000);
	assert_int_equal(w->n_up, 1);
	assert_int_equal(w->up.dial_id, 7);
	assert_int_equal(w->up.flags, AY_CONN_DIALLED);
	turn(w, &w->n_frames, 1, 30000);
	assert_int_equal(w->n_frames, 1); /* the agent says HELLO, whoever dialled */

	/* Once more: resumed, since the agent that accepted kept the session. */
	ay_chan_send(w->agent[0].chan, AY_FRAME_NOTICE, 0, ay_bytes_of("1")); /* not bound: ends */
	turn(w, &w->n_down, 1, 30000);
	dial(w, 17, at, pin);
	listen_and_take(w, l, &w->agent[2]);
	turn(w, &w->n_up, 2, 30000);
	assert_int_equal(w->up.flags, AY_CONN_DIALLED | AY_CONN_RESUMED);

	pin[0] ^= 1;
	dial(w, 8, at, pin);
	listen_and_take(w, l, &w->agent[1]);
	turn(w, &w->n_dial_failed, 1, 30000);
	assert_int_equal(w->n_dial_failed, 1);
	assert_int_equal(w->n_up, 2);
	assert_non_null(strstr(w->dial_why, "pinned"));
	close(l);
	dial(w, 9, at, NULL); /* nobody listens there now */
	turn(w, &w->n_dial_failed, 2, 30000);
	assert_int_equal(w->n_dial_failed, 2);
	dial(w, 10, "localhost:1", NULL); /* a name; nobody listens */
	turn(w, &w->n_dial_failed, 3, 30000);
	assert_int_equal(w->n_dial_failed, 3);
	dial(w, 11, "nonsense", NULL);
	turn(w, &w->n_dial_failed, 4, 30000);
	assert_int_equal(w->n_dial_failed, 4);
}

/* How many of these were not cut by the other end. */
static int still_open(const int fd[N_IDLE])
{
	int n = 0;
	char c;

	for (int i = 0; i < N_IDLE; i++)
		n += recv(fd[i], &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
	return n;
}

/* 2,000 connections that never finish a handshake; half of them drip. */
static void half_open_and_dripping_clients_harm_nobody(void **state)
{
	static const uint8_t begin[] = { 0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3 };
	struct world *w = *state;
	int fd[N_IDLE], n_open = N_IDLE;
	int64_t t;
	size_t before;

	for (int i = 0; i < N_IDLE; i++) {
		assert_int_equal(ay_net_connect(w->agents_at, &fd[i], NULL), AY_OK);
		if (i % 50 == 0)
			turn(w, &w->n_gone, 1, 1);
	}
	w->answers_hello = true;
	t = ay_clock_mono_ms();
	for (size_t i = 0; i < N_AGENTS; i++)
		dial_in(w, &w->agent[i]);
	turn(w, &w->n_up, N_AGENTS, 30000);
	assert_int_equal(w->n_up, N_AGENTS);
	print_message("%d agents were up after %d ms\n", N_AGENTS, (int)(ay_clock_mono_ms() - t));
	before = w->n_frames;
	t = ay_clock_mono_ms();
	/* Until all are cut, on a machine however slow. */
	for (size_t k = 0; n_open > 0 && ay_clock_mono_ms() - t < 60000; k++) {
		for (int i = 0; i < N_IDLE; i += 2)
			(void)!send(fd[i], begin + k % sizeof(begin), 1, MSG_NOSIGNAL);
		turn(w, &w->n_gone, 1, 50);
		n_open = still_open(fd);
	}
	print_message("%zu frames meanwhile\n", w->n_frames - before);
	assert_true(w->n_frames - before > 2 * N_AGENTS); /* all are served, at whatever pace */
	for (int i = 0; i < N_IDLE; i++)
		close(fd[i]);
	assert_int_equal(n_open, 0);
	assert_int_equal(w->n_down, 0);
	assert_int_equal(w->n_gone, 0);
}

/* ---- HTTPS ---- */

static void ask(struct world *w, const char *request, char *got, size_t room)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	size_t never = 0, n = 0;
	int fd, rc = -1;

	assert_int_equal(ay_net_connect(w->api_at, &fd, NULL), AY_OK);
	SSL_set_fd(ssl, fd);
	for (int i = 0; i < 10000 && rc != 1; i++) {
		turn(w, &never, 1, 2);
		rc = SSL_connect(ssl);
	}
	assert_int_equal(rc, 1);
	assert_true(SSL_write(ssl, request, (int)strlen(request)) > 0);
	for (int i = 0; i < 4000 && n < room - 1 && strstr(got, "\r\n\r\n") == NULL; i++) {
		turn(w, &never, 1, 5);
		rc = SSL_read(ssl, got + n, (int)(room - 1 - n));
		n += rc > 0 ? (size_t)rc : 0;
		got[n] = 0;
		if (w->n_api > 0) {
			struct ay_api_reply r = { .status = 201, .body = ay_bytes_of("made") };
			struct ay_ipc_msg head = { .type = AY_MSG_API_REPLY, .req = w->api_req };
			struct ay_writer wr;

			w->n_api = 0;
			ay_wr_init(&wr, ay_ipc_reserve(w->front, &head, ay_api_reply_size(&r)),
				   ay_api_reply_size(&r));
			ay_api_reply_build(&wr, &r);
		}
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
}

static void requests_are_answered_by_engine(void **state)
{
	struct world *w = *state;
	char got[2048] = "";
	struct ay_ipc_msg ready = { .type = AY_MSG_ENGINE_STATE, .sub = 1 };

	ask(w, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", got, sizeof(got));
	assert_int_equal(atoi(got + 9), 200);
	memset(got, 0, sizeof(got));
	ask(w, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", got, sizeof(got));
	assert_int_equal(atoi(got + 9), 503);
	ay_ipc_send_msg(w->front, &ready);
	memset(got, 0, sizeof(got));
	ask(w, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", got, sizeof(got));
	assert_int_equal(atoi(got + 9), 200);
	memset(got, 0, sizeof(got));
	ask(w, "POST /api/v1/hosts HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", got,
	    sizeof(got));
	assert_int_equal(atoi(got + 9), 201);
	assert_string_equal(w->api_path, "/api/v1/hosts");
}

/* ---- a front that somebody has taken over ---- */

static void open_a_file(void)
{
	(void)!open("/etc/passwd", O_RDONLY);
}

static void write_a_file(void)
{
	(void)!open("/tmp/ay-front-owned", O_WRONLY | O_CREAT, 0600);
}

static void open_a_unix_socket(void)
{
	(void)!socket(AF_UNIX, SOCK_STREAM, 0);
}

static void open_a_netlink_socket(void)
{
	(void)!socket(AF_NETLINK, SOCK_RAW, 0);
}

static void open_a_raw_socket(void)
{
	(void)!socket(AF_INET, SOCK_RAW, 1);
}

static void listen_itself(void)
{
	(void)!listen(socket(AF_INET, SOCK_STREAM, 0), 1);
}

static void run_a_program(void)
{
	(void)!execl("/bin/true", "true", (char *)NULL);
}

static void fork_itself(void)
{
	(void)!fork();
}

static void look_into_another(void)
{
	(void)!kill(getppid(), 0);
}

static const struct {
	const char *name;
	void (*fn)(void);
} crimes[] = {
	{ "open a file", open_a_file },
	{ "write a file", write_a_file },
	{ "open a unix socket", open_a_unix_socket },
	{ "open a netlink socket", open_a_netlink_socket },
	{ "open a raw socket", open_a_raw_socket },
	{ "listen", listen_itself },
	{ "run a program", run_a_program },
	{ "fork", fork_itself },
	{ "signal another", look_into_another },
};

static void a_taken_over_front_gets_nowhere(void **state)
{
	(void)state;
	if (!ay_sandbox_filters())
		skip();
	for (size_t i = 0; i < AY_COUNT(crimes); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			struct ay_err e;

			if (ay_sandbox_enter(ay_front_sandbox(), &e) != AY_OK)
				_exit(2);
			crimes[i].fn();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		print_message("front: %s\n", crimes[i].name);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_pass_both_ways),
		T(evidence_before_bound_never_reaches_engine),
		T(front_dials_where_engine_says),
		T(requests_are_answered_by_engine),
		T(half_open_and_dripping_clients_harm_nobody),
		cmocka_unit_test(a_taken_over_front_gets_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
