/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "io/ipc/front_msg.h"
#include "io/ipc/sign_msg.h"
#include "io/ipc/tables.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One end of a pair and what came out of it. */
struct end {
	struct ay_loop *loop;
	struct ay_ipc *ipc;
	size_t n_msgs, n_octets, stop_at;
	struct ay_ipc_msg last;
	const char *gone;
	bool close_in_handler;
};

static void on_msg(void *arg, const struct ay_ipc_msg *m)
{
	struct end *x = arg;

	x->n_msgs++;
	x->n_octets += m->body.n;
	x->last = *m;
	if (x->close_in_handler) {
		ay_ipc_close(x->ipc);
		ay_loop_stop(x->loop);
	}
	if (x->n_msgs == x->stop_at)
		ay_loop_stop(x->loop);
}

static void on_gone(void *arg, const char *why)
{
	struct end *x = arg;

	assert_null(x->gone); /* told once */
	x->gone = why;
	ay_loop_stop(x->loop);
}

static const struct ay_ipc_ops ops = { on_msg, on_gone };

static void open_end(struct end *x, int fd, enum ay_ipc_side me)
{
	if (x->loop == NULL)
		assert_int_equal(ay_loop_new(&x->loop, NULL), AY_OK);
	assert_int_equal(ay_ipc_open(x->loop, fd, ay_ipc_table_of(AY_PAIR_FRONT), me, &ops, x,
				     &x->ipc, NULL),
			 AY_OK);
}

/* front and engine on one loop. */
static void open_both(struct end *front, struct end *engine)
{
	int fd[2];

	assert_int_equal(ay_ipc_pair(fd, NULL), AY_OK);
	*front = (struct end){ 0 };
	*engine = (struct end){ 0 };
	open_end(front, fd[0], AY_IPC_A);
	engine->loop = front->loop;
	open_end(engine, fd[1], AY_IPC_B);
}

static void many_messages_of_a_turn_go_in_one_write(void **state)
{
	static uint8_t body[100];
	struct end front, engine;

	(void)state;
	open_both(&front, &engine);
	for (uint32_t i = 0; i < 1000; i++)
		ay_ipc_send(front.ipc, AY_MSG_FRAME, i, 2 * i, AY_BYTES(body));
	engine.stop_at = 1000;
	ay_loop_run(front.loop);
	assert_int_equal(engine.n_msgs, 1000);
	assert_int_equal(engine.n_octets, 100000);
	assert_int_equal(engine.last.conn, 999);
	assert_int_equal(engine.last.req, 1998);
	assert_int_equal(ay_ipc_calls(front.ipc), 1);
	ay_loop_free(front.loop);
}

static void the_largest_message_passes(void **state)
{
	size_t n = AY_IPC_MAX_API;
	uint8_t *body = calloc(1, n);
	struct end front, engine;

	(void)state;
	open_both(&front, &engine);
	ay_ipc_send(front.ipc, AY_MSG_API_REQUEST, 0, 7, (struct ay_bytes){ body, n });
	ay_ipc_send(front.ipc, AY_MSG_API_GONE, 0, 8, (struct ay_bytes){ NULL, 0 });
	engine.stop_at = 2;
	ay_loop_run(front.loop);
	assert_int_equal(engine.n_octets, n);
	assert_int_equal(engine.last.req, 8);
	free(body);
	ay_loop_free(front.loop);
}

static const struct {
	const char *name;
	const char *hex; /* what a taken-over front writes */
	const char *why;
} bad[] = {
	{ "unknown type", "00000000 7777 00 00 00000000 00000000", "unknown message type" },
	{ "engine's own message", "00000000 0006 00 00 00000001 00000000",
	  "message from the wrong side" },
	{ "a body above the type's maximum", "00000401 0001 00 00 00000000 00000000",
	  "oversized message" },
	{ "a body of four gigabytes", "ffffffff 0010 00 00 00000000 00000000",
	  "oversized message" },
};

static void a_peer_that_breaks_the_table_is_gone(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		struct ay_bytes b = t_hex(bad[i].hex);
		struct end engine = { 0 };
		int fd[2];

		print_message("ipc: %s\n", bad[i].name);
		assert_int_equal(ay_ipc_pair(fd, NULL), AY_OK);
		open_end(&engine, fd[1], AY_IPC_B);
		assert_int_equal(write(fd[0], b.p, b.n), b.n);
		ay_loop_run(engine.loop);
		assert_string_equal(engine.gone, bad[i].why);
		assert_int_equal(engine.n_msgs, 0);
		assert_true(ay_ipc_is_gone(engine.ipc));
		close(fd[0]);
		ay_loop_free(engine.loop);
	}
}

static void a_peer_that_ends_is_gone(void **state)
{
	struct end engine = { 0 };
	int fd[2];

	(void)state;
	assert_int_equal(ay_ipc_pair(fd, NULL), AY_OK);
	open_end(&engine, fd[1], AY_IPC_B);
	assert_int_equal(write(fd[0], "\0\0", 2), 2); /* half a head */
	close(fd[0]);
	ay_loop_run(engine.loop);
	assert_string_equal(engine.gone, "the peer ended");
	ay_ipc_send(engine.ipc, AY_MSG_BOUND, 1, 0, (struct ay_bytes){ NULL, 0 }); /* dropped */
	ay_loop_free(engine.loop);
}

static void octet_by_octet_is_the_same(void **state)
{
	struct ay_bytes b = t_hex("00000003 0004 11 01 00000005 00000006 616263"
				  "00000000 0011 00 00 00000000 00000009");
	struct end engine = { 0 };
	int fd[2];

	(void)state;
	assert_int_equal(ay_ipc_pair(fd, NULL), AY_OK);
	open_end(&engine, fd[1], AY_IPC_B);
	for (size_t i = 0; i < b.n; i++) {
		assert_int_equal(write(fd[0], b.p + i, 1), 1);
		event_base_loop(ay_loop_base(engine.loop), EVLOOP_NONBLOCK);
		if (engine.n_msgs == 1 && i == 18) {
			assert_int_equal(engine.last.sub, 0x11);
			assert_int_equal(engine.last.flags, 1);
			assert_int_equal(engine.last.conn, 5);
			assert_int_equal(engine.last.req, 6);
			assert_int_equal(engine.last.body.n, 3);
		}
	}
	assert_int_equal(engine.n_msgs, 2);
	close(fd[0]);
	ay_loop_free(engine.loop);
}

static void a_peer_that_does_not_read_is_gone(void **state)
{
	static uint8_t body[AY_MAX_FRAME_BODY];
	struct end front = { 0 };
	int fd[2];

	(void)state;
	assert_int_equal(ay_ipc_pair(fd, NULL), AY_OK);
	open_end(&front, fd[0], AY_IPC_A);
	for (int i = 0; i < 300; i++) /* 75 MiB */
		ay_ipc_send(front.ipc, AY_MSG_FRAME, 1, 1, AY_BYTES(body));
	ay_loop_run(front.loop);
	assert_string_equal(front.gone, "the peer does not read");
	close(fd[1]);
	ay_loop_free(front.loop);
}

static void a_handler_may_close_its_pair(void **state)
{
	struct end front, engine;

	(void)state;
	open_both(&front, &engine);
	engine.close_in_handler = true;
	for (int i = 0; i < 10; i++)
		ay_ipc_send(front.ipc, AY_MSG_API_GONE, 0, 1, (struct ay_bytes){ NULL, 0 });
	ay_loop_run(front.loop);
	assert_int_equal(engine.n_msgs, 1);
	ay_loop_free(front.loop);
}

static void bodies_come_back_as_they_were_built(void **state)
{
	static uint8_t room[4096];
	struct ay_api_request q = { .method = AY_HTTP_POST,
				    .path = ay_bytes_of("/api/v1/hosts"),
				    .query = ay_bytes_of("limit=5"),
				    .peer = ay_bytes_of("127.0.0.1:1"),
				    .has_cert = 1,
				    .cert = ay_bytes_of("DER"),
				    .listener = AY_LISTENER_SECL,
				    .n_headers = 1,
				    .body = ay_bytes_of("{}") };
	struct ay_api_request got;
	struct ay_writer w;
	struct ay_bytes b;

	(void)state;
	q.header[0] = (struct ay_api_header){ ay_bytes_of("accept"), ay_bytes_of("*/*") };
	ay_wr_init(&w, room, sizeof(room));
	ay_api_request_build(&w, &q);
	assert_int_equal(ay_wr_end(&w, "q", &b, NULL), AY_OK);
	assert_int_equal(b.n, ay_api_request_size(&q));
	assert_int_equal(ay_api_request_parse(b, &got, NULL), AY_OK);
	assert_true(ay_bytes_eq(got.path, q.path));
	assert_true(ay_bytes_eq(got.body, q.body));
	assert_true(ay_bytes_eq(got.cert, q.cert));
	assert_int_equal(got.listener, AY_LISTENER_SECL);
	assert_true(ay_bytes_eq(ay_api_request_header(&got, "accept"), ay_bytes_of("*/*")));
	assert_int_equal(ay_api_request_header(&got, "cookie").n, 0);
	for (size_t n = 0; n < b.n - q.body.n; n++) /* the body is the rest */
		assert_int_equal(ay_api_request_parse((struct ay_bytes){ b.p, n }, &got, NULL),
				 AY_E_INPUT);
}

static void a_request_with_a_false_method_is_refused(void **state)
{
	struct ay_api_request got;
	struct ay_err e;
	uint8_t b[64] = { 8 };

	(void)state;
	assert_int_equal(ay_api_request_parse(AY_BYTES(b), &got, &e), AY_E_INPUT);
	assert_string_equal(e.where, "api.method");
}

static void a_request_by_no_listener_is_refused(void **state)
{
	static uint8_t room[256];
	struct ay_api_request q = { .method = AY_HTTP_GET, .listener = AY_LISTENERS }, got;
	struct ay_writer w;
	struct ay_bytes b;
	struct ay_err e;

	(void)state;
	ay_wr_init(&w, room, sizeof(room));
	ay_api_request_build(&w, &q);
	assert_int_equal(ay_wr_end(&w, "q", &b, NULL), AY_OK);
	assert_int_equal(ay_api_request_parse(b, &got, &e), AY_E_INPUT);
	assert_string_equal(e.where, "api.listener");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_messages_of_a_turn_go_in_one_write),
		cmocka_unit_test(the_largest_message_passes),
		cmocka_unit_test(a_peer_that_breaks_the_table_is_gone),
		cmocka_unit_test(a_peer_that_ends_is_gone),
		cmocka_unit_test(octet_by_octet_is_the_same),
		cmocka_unit_test(a_peer_that_does_not_read_is_gone),
		cmocka_unit_test(a_handler_may_close_its_pair),
		cmocka_unit_test(bodies_come_back_as_they_were_built),
		cmocka_unit_test(a_request_with_a_false_method_is_refused),
		cmocka_unit_test(a_request_by_no_listener_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
