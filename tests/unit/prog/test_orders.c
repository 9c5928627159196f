/* SPDX-License-Identifier: Apache-2.0 */
/* Orders as the engine gives them, with a played front, signer and agent. */
#include "unit/prog/engine_world.h"

#include "io/net/order_msg.h"
#include "prog/assayd/orders.h"

static struct {
	unsigned calls;
	enum ay_rc rc;
	char code[32], result[32];
} came;

static void on_end(struct ay_engine *g, void *arg, const struct ay_err *e, struct ay_bytes result)
{
	(void)g, (void)arg;
	came.calls++;
	came.rc = e ? e->rc : AY_OK;
	snprintf(came.code, sizeof(came.code), "%s", e ? e->code : "");
	snprintf(came.result, sizeof(came.result), "%.*s", (int)result.n, (const char *)result.p);
}

static void give(struct agent *a, enum ay_order_verb verb, size_t approvers)
{
	const struct ay_order_spec spec = { .verb = verb,
					    .args = ay_bytes_of("north"),
					    .n_approvers = approvers,
					    .approver = { "ann", "bob" } };

	came.calls = 0;
	ay_orders_give(engine, host_of(a), &spec, on_end, NULL);
}

static struct sent *asked(struct agent *a)
{
	return wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_ORDER_ASK, 5000);
}

static void say_nonce(struct agent *a, uint32_t req, enum ay_order_verb verb)
{
	struct ay_chan_order_nonce m = { .verb = verb };
	uint8_t buf[64];
	struct ay_writer w;
	struct ay_bytes body;

	memset(m.nonce, 0x77, sizeof(m.nonce));
	ay_wr_init(&w, buf, sizeof(buf));
	ay_chan_order_nonce_write(&w, &m);
	assert_int_equal(ay_wr_end(&w, "n", &body, NULL), AY_OK);
	say(a, AY_FRAME_ORDER_NONCE, req, body);
}

static void say_done(struct agent *a, uint32_t req, const char *code, const char *result)
{
	struct ay_chan_order_done m = { .code = ay_bytes_of(code),
					.text = ay_bytes_of("text"),
					.result = ay_bytes_of(result) };
	uint8_t buf[256];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_chan_order_done_write(&w, &m);
	assert_int_equal(ay_wr_end(&w, "d", &body, NULL), AY_OK);
	say(a, AY_FRAME_ORDER_DONE, req, body);
}

static void until_it_ends(void)
{
	for (int i = 0; i < 250 && came.calls == 0; i++)
		run_ms(20);
	assert_int_equal(came.calls, 1);
}

/* What the agent would check holds of what it is sent. */
static void an_order_carries_the_agents_nonce(void **state)
{
	struct agent *a = enrolled_agent("ordered");
	struct ay_chan_order m;
	struct ay_order o;
	uint8_t nonce[32], pin[32];
	struct ay_order_want want = {
		.pin = pin, .nonce = nonce, .verb = AY_ORDER_TAG, .now_ms = ay_clock_wall_ms()
	};
	struct sent *s;

	(void)state;
	give(a, AY_ORDER_TAG, 0);
	s = asked(a);
	assert_non_null(s);
	assert_int_equal(s->body[0], AY_ORDER_TAG);
	say_nonce(a, s->req, AY_ORDER_TAG);
	free(s);
	s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_ORDER, 5000);
	assert_non_null(s);
	assert_int_equal(ay_chan_order_parse(body_of(s), &m, NULL), AY_OK);
	memset(nonce, 0x77, sizeof(nonce));
	ay_sha256(m.spki, pin);
	want.host = host_of(a)->id;
	assert_int_equal(ay_order_check(m.statement, m.sig, m.spki, m.args, &want, &o, NULL),
			 AY_OK);
	say_done(a, s->req, "", "written");
	free(s);
	until_it_ends();
	assert_string_equal(came.code, "");
	assert_string_equal(came.result, "written");
	agent_free(a);
}

static void refusals_come_back(void **state)
{
	struct agent *a = enrolled_agent("refuses");
	struct sent *s;

	(void)state;
	give(a, AY_ORDER_TAG, 0);
	s = asked(a);
	assert_non_null(s);
	say_done(a, s->req, "ORDER_NOT_ALLOWED", "");
	free(s);
	until_it_ends();
	assert_string_equal(came.code, "ORDER_NOT_ALLOWED");
	give(a, AY_ORDER_TAG, 0); /* "done" before anything was sent is no success */
	s = asked(a);
	assert_non_null(s);
	say_done(a, s->req, "", "written");
	free(s);
	until_it_ends();
	assert_string_equal(came.code, "PEER_PROTOCOL");
	assert_string_equal(came.result, "");
	give(a, AY_ORDER_TAG, 0);
	s = asked(a);
	assert_non_null(s);
	say_nonce(a, s->req, AY_ORDER_SECRET);
	free(s);
	until_it_ends();
	assert_string_equal(came.code, "ORDER_VERB");
	agent_free(a);
}

static void it_ends_with_the_connection(void **state)
{
	struct agent *a = enrolled_agent("leaves");
	struct sent *s;

	(void)state;
	give(a, AY_ORDER_TAG, 0);
	s = asked(a);
	assert_non_null(s);
	free(s);
	came.calls = 0;
	ay_orders_give(engine, host_of(a), &(struct ay_order_spec){ .verb = AY_ORDER_TAG }, on_end,
		       NULL);
	assert_int_equal(came.calls, 1);
	assert_string_equal(came.code, "ORDER_BUSY");
	came.calls = 0;
	disconnect(a);
	until_it_ends();
	assert_string_equal(came.code, "HOST_OFFLINE");
	give(a, AY_ORDER_TAG, 0);
	assert_int_equal(came.calls, 1);
	assert_string_equal(came.code, "HOST_OFFLINE");
	agent_free(a);
}

static void two_must_agree(void **state)
{
	struct agent *a = enrolled_agent("agreed");
	struct sent *s;

	(void)state;
	give(a, AY_ORDER_ROTATE_PASSWORD, 1);
	assert_int_equal(came.calls, 1);
	assert_string_equal(came.code, "ORDER_APPROVERS");
	give(a, AY_ORDER_TAG, AY_MAX_APPROVERS + 1); /* more than an order has room for */
	assert_int_equal(came.calls, 1);
	assert_int_equal(came.rc, AY_E_LIMIT);
	give(a, AY_ORDER_ROTATE_PASSWORD, 2);
	assert_int_equal(came.calls, 0);
	s = asked(a);
	assert_non_null(s);
	say_done(a, s->req, "ORDER_UNKNOWN", "");
	free(s);
	until_it_ends();
	agent_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_carries_the_agents_nonce),
		cmocka_unit_test(refusals_come_back),
		cmocka_unit_test(it_ends_with_the_connection),
		cmocka_unit_test(two_must_agree),
	};

	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
