/* SPDX-License-Identifier: Apache-2.0 */
/* Orders as the agent's tpm process takes them: what it does, and what it never does. */
#include "support/t.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/crypto/hash.h"
#include "io/net/frame.h"
#include "io/sys/log.h"
#include "prog/assay-agent/orders.h"

static struct {
	struct ay_privkey *key;
	uint8_t spki[AY_SPKI_P256];
	struct ay_pins pins;
	struct ay_agent agent;
	struct ay_config *conf;
	struct ay_orders orders;
	struct ay_order_env env;
	uint8_t answer[4096];
	struct ay_bytes said;
	unsigned done;
	char done_with[16];
} w;

static enum ay_rc do_tag(const struct ay_order_env *env, const struct ay_order *o,
			 struct ay_bytes args, struct ay_bytes *result, struct ay_err *e)
{
	uint8_t *p = malloc(2);

	(void)env, (void)e;
	assert_int_equal(o->verb, AY_ORDER_TAG);
	assert_non_null(p);
	w.done++;
	snprintf(w.done_with, sizeof(w.done_with), "%.*s", (int)args.n, (const char *)args.p);
	memcpy(p, "ok", 2);
	*result = (struct ay_bytes){ p, 2 };
	return AY_OK;
}

static const struct ay_order_doer doers[] = { { AY_ORDER_TAG, do_tag },
					      { (enum ay_order_verb)0, NULL } };

static void configure(const char *allow)
{
	char text[128];

	ay_config_free(w.conf);
	snprintf(text, sizeof(text), "allow = %s\n", allow);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAY_AGENT, "test", text, &w.conf, NULL),
			 AY_OK);
	w.agent.conf = w.conf;
}

static int set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	ay_log_init("test", "agent", "error", "text");
	assert_int_equal(ay_privkey_generate(&w.key, NULL), AY_OK);
	assert_int_equal(ay_privkey_spki(w.key, w.spki, NULL), AY_OK);
	ay_sha256(AY_BYTES(w.spki), w.pins.order);
	memset(w.agent.identity.host.b, 0x11, 16);
	w.env = (struct ay_order_env){ .agent = &w.agent,
				       .identity = &w.agent.identity,
				       .pins = &w.pins,
				       .now_ms = 1000,
				       .mono_ms = 5000 };
	configure("secret, tag");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_config_free(w.conf);
	ay_privkey_free(w.key);
	return 0;
}

static uint8_t say(uint8_t type, struct ay_bytes body)
{
	struct ay_writer wr;
	uint8_t answer;

	ay_wr_init(&wr, w.answer, sizeof(w.answer));
	answer = ay_orders_answer(&w.orders, &w.env, doers, type, body, &wr);
	assert_int_equal(ay_wr_end(&wr, "answer", &w.said, NULL), AY_OK);
	return answer;
}

/* The refusal's code; "" when it was done. */
static const char *code(void)
{
	static char text[64];
	struct ay_chan_order_done m;

	assert_int_equal(ay_chan_order_done_parse(w.said, &m, NULL), AY_OK);
	snprintf(text, sizeof(text), "%.*s", (int)m.code.n, (const char *)m.code.p);
	return text;
}

/* Is that in the refusal's text? Its one code has several reasons. */
static bool says(const char *part)
{
	struct ay_chan_order_done m;
	char text[256];

	assert_int_equal(ay_chan_order_done_parse(w.said, &m, NULL), AY_OK);
	snprintf(text, sizeof(text), "%.*s", (int)m.text.n, (const char *)m.text.p);
	return strstr(text, part) != NULL;
}

static void draw(uint8_t verb, uint8_t nonce[32])
{
	struct ay_chan_order_nonce m;

	assert_int_equal(say(AY_FRAME_ORDER_ASK, (struct ay_bytes){ &verb, 1 }),
			 AY_FRAME_ORDER_NONCE);
	assert_int_equal(ay_chan_order_nonce_parse(w.said, &m, NULL), AY_OK);
	memcpy(nonce, m.nonce, 32);
}

static void give(const uint8_t nonce[32], const char *args)
{
	struct ay_order o = { .verb = AY_ORDER_TAG, .expires_ms = 2000 };
	uint8_t statement[AY_ORDER_STATEMENT_MAX], sig[64], body[1024];
	struct ay_chan_order m = { .spki = AY_BYTES(w.spki), .args = ay_bytes_of(args) };
	struct ay_writer wr;
	struct ay_bytes out;

	o.host = w.agent.identity.host;
	memcpy(o.nonce, nonce, 32);
	ay_sha256(m.args, o.args);
	assert_int_equal(ay_order_write(&o, statement, &m.statement, NULL), AY_OK);
	assert_int_equal(ay_privkey_sign(w.key, m.statement, sig, NULL), AY_OK);
	m.sig = AY_BYTES(sig);
	ay_wr_init(&wr, body, sizeof(body));
	ay_chan_order_write(&wr, &m);
	assert_int_equal(ay_wr_end(&wr, "order", &out, NULL), AY_OK);
	assert_int_equal(say(AY_FRAME_ORDER, out), AY_FRAME_ORDER_DONE);
}

static void an_order_is_done_once(void **state)
{
	struct ay_chan_order_done m;
	uint8_t nonce[32];

	(void)state;
	draw(AY_ORDER_TAG, nonce);
	give(nonce, "north");
	assert_int_equal(ay_chan_order_done_parse(w.said, &m, NULL), AY_OK);
	assert_int_equal(m.code.n, 0);
	assert_true(ay_bytes_eq(m.result, ay_bytes_of("ok")));
	assert_string_equal(w.done_with, "north");
	give(nonce, "north"); /* again */
	assert_string_equal(code(), "ORDER_NONCE");
	assert_int_equal(w.done, 1);
}

static void without_a_nonce_nothing_is_done(void **state)
{
	uint8_t nonce[32] = { 0 }, late[32];

	(void)state;
	give(nonce, "north"); /* the nonce of one who never asked is not all zero */
	assert_string_equal(code(), "ORDER_NONCE");
	assert_true(says("no nonce was drawn"));
	draw(AY_ORDER_TAG, late);
	w.env.mono_ms += 60000;
	give(late, "north");
	assert_string_equal(code(), "ORDER_NONCE");
	assert_true(says("too late"));
	draw(AY_ORDER_TAG, late);
	draw(AY_ORDER_TAG, nonce); /* the newer one counts */
	give(late, "north");
	assert_string_equal(code(), "ORDER_NONCE");
	give(nonce, "north"); /* and is used up by what came between */
	assert_string_equal(code(), "ORDER_NONCE");
	assert_int_equal(w.done, 0);
}

static void what_is_not_allowed_gets_no_nonce(void **state)
{
	uint8_t verb = AY_ORDER_TAG, nonce[32];

	(void)state;
	configure("secret");
	assert_int_equal(say(AY_FRAME_ORDER_ASK, (struct ay_bytes){ &verb, 1 }),
			 AY_FRAME_ORDER_DONE);
	assert_string_equal(code(), "ORDER_NOT_ALLOWED");
	configure("");
	assert_int_equal(say(AY_FRAME_ORDER_ASK, (struct ay_bytes){ &verb, 1 }),
			 AY_FRAME_ORDER_DONE);
	assert_string_equal(code(), "ORDER_NOT_ALLOWED");
	configure("secret");
	verb = AY_ORDER_SECRET; /* allowed, but nothing here does it */
	assert_int_equal(say(AY_FRAME_ORDER_ASK, (struct ay_bytes){ &verb, 1 }),
			 AY_FRAME_ORDER_DONE);
	assert_string_equal(code(), "ORDER_UNKNOWN");
	configure("tag");
	draw(AY_ORDER_TAG, nonce);
	assert_int_equal(say(AY_FRAME_ORDER, ay_bytes_of("rubbish")), AY_FRAME_ORDER_DONE);
	assert_string_not_equal(code(), "");
	assert_int_equal(w.done, 0);
}

static void words_of_allow_are_verbs(void **state)
{
	struct ay_err e;

	(void)state;
	configure("tag, rotate-password");
	assert_int_equal(ay_orders_conf_check(w.conf, &e), AY_OK);
	configure("tag everything");
	assert_int_equal(ay_orders_conf_check(w.conf, &e), AY_E_INPUT);
	assert_non_null(strstr(e.text, "everything"));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_order_is_done_once),
		T(without_a_nonce_nothing_is_done),
		T(what_is_not_allowed_gets_no_nonce),
		T(words_of_allow_are_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
