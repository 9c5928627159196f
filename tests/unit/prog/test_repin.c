/* SPDX-License-Identifier: Apache-2.0 */
/* How an agent learns the keys that its server changes to, and from whom it does not. */
#include "support/t.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/crypto/token.h"
#include "io/net/agent_msg.h"
#include "io/net/cert.h"
#include "io/sys/file.h"
#include "prog/assay-agent/repin.h"

#define NOW_MS 1790000000000LL
#define DAY_MS 86400000LL

enum { A = 0, B, C, CHANNEL, N_KEYS };

static struct key {
	struct ay_cert_pem pem;
	struct ay_privkey *key;
	struct ay_bytes der;
	uint8_t pin[32];
} keys[N_KEYS];

static char dir[64];
static struct ay_agent agent;

static void make_key(struct key *k, bool is_root)
{
	const struct ay_cert_args args = { .kind = is_root ? AY_CERT_ROOT : AY_CERT_CHANNEL,
					   .cn = "test",
					   .now_s = NOW_MS / 1000,
					   .life_s = 86400 };

	assert_int_equal(ay_cert_make(&args, is_root ? NULL : &keys[A].pem, &k->pem, NULL), AY_OK);
	assert_int_equal(ay_privkey_new_pem(k->pem.key, &k->key, NULL), AY_OK);
	assert_int_equal(ay_cert_der(k->pem.cert, &k->der, NULL), AY_OK);
	assert_int_equal(ay_cert_spki(k->pem.cert, k->pin, NULL), AY_OK);
}

static int make_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KEYS; i++)
		make_key(&keys[i], i != CHANNEL);
	(void)strcpy(dir, "/tmp/ay-repin-XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int drop_keys(void **state)
{
	char cmd[96];

	(void)state;
	for (size_t i = 0; i < N_KEYS; i++) {
		ay_privkey_free(keys[i].key);
		ay_file_free(&keys[i].der);
		ay_cert_pem_free(&keys[i].pem);
	}
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

/* Enrolled under root A, which is also what stands for CA and order here: another purpose's. */
static int enrolled(void **state)
{
	(void)state;
	agent = (struct ay_agent){ 0 };
	(void)snprintf(agent.identity_path, sizeof(agent.identity_path), "%s/identity.json", dir);
	ay_identity_init(&agent.identity);
	agent.identity.enrolled = true;
	(void)strcpy(agent.identity.name, "host-1");
	agent.identity.pins.known = true;
	memcpy(agent.identity.pins.root, keys[A].pin, 32);
	memset(agent.identity.pins.ca, 0xca, 32);
	memcpy(agent.identity.pins.order, keys[C].pin, 32);
	agent.identity.root_der = keys[A].der;
	agent.identity.ak.pub = agent.identity.ak.priv = agent.identity.cert = ay_bytes_of("x");
	agent.pins = agent.identity.pins;
	return ay_identity_save(agent.identity_path, &agent.identity, NULL) == AY_OK ? 0 : -1;
}

static int forget(void **state)
{
	(void)state;
	ay_identity_fini(&agent.identity);
	return 0;
}

static struct ay_pin_change to(enum ay_pin_purpose purpose, const struct key *next,
			       uint64_t sequence)
{
	struct ay_pin_change c = { .purpose = purpose,
				   .sequence = sequence,
				   .not_before_ms = NOW_MS - 1,
				   .not_after_ms = NOW_MS + DAY_MS,
				   .label = ay_bytes_of("test") };

	memcpy(c.next, next->pin, sizeof(c.next));
	return c;
}

/* Send it; the code of the answer. */
static const char *send(const struct ay_pin_change *c, const struct key *signer,
			struct ay_bytes cert, bool *roots)
{
	static char code[32];
	uint8_t statement[AY_PIN_CHANGE_MAX], room[4096], out[256];
	struct ay_chan_pin_state state;
	struct ay_bytes body, answer;
	struct ay_writer w, back;
	struct ay_err e;
	size_t n;

	assert_int_equal(ay_pin_change_sign(c, signer->key, statement, &n, NULL), AY_OK);
	ay_wr_init(&w, room, sizeof(room));
	ay_wr_vec16(&w, (struct ay_bytes){ statement, n });
	ay_wr_vec16(&w, cert);
	assert_int_equal(ay_wr_end(&w, "body", &body, NULL), AY_OK);
	ay_wr_init(&back, out, sizeof(out));
	assert_int_equal(ay_repin(&agent, body, NOW_MS, &back, roots, &e), AY_OK);
	assert_int_equal(ay_wr_end(&back, "answer", &answer, NULL), AY_OK);
	assert_int_equal(ay_chan_pin_state_parse(answer, &state, NULL), AY_OK);
	assert_int_equal(state.purpose, c->purpose);
	assert_memory_equal(state.pin, ay_pins_now(&agent.pins, c->purpose), 32);
	(void)snprintf(code, sizeof(code), "%.*s", (int)state.code.n, (const char *)state.code.p);
	return code;
}

static void is_stored(const struct key *root)
{
	struct ay_identity back;

	assert_int_equal(ay_identity_load(agent.identity_path, &back, NULL), AY_OK);
	assert_memory_equal(back.pins.root, root->pin, 32);
	assert_memory_equal(&back.pins, &agent.identity.pins, sizeof(back.pins));
	assert_memory_equal(&back.pins, &agent.pins, sizeof(back.pins));
	ay_identity_fini(&back);
}

static void a_root_is_learned_from_the_one_before(void **state)
{
	const struct ay_pin_change c = to(AY_PIN_ROOT, &keys[B], 5);
	struct ay_tls_root roots[AY_TLS_ROOTS];
	bool told;

	(void)state;
	assert_string_equal(send(&c, &keys[A], keys[B].der, &told), "");
	assert_true(told);
	is_stored(&keys[B]);
	/* both count, each with its certificate, until the new one was seen and the time is over */
	assert_int_equal(ay_identity_roots(&agent.pins, &agent.identity, NOW_MS, roots), 2);
	assert_memory_equal(roots[0].pin, keys[B].pin, 32);
	assert_true(ay_bytes_eq(roots[0].cert, keys[B].der));
	assert_memory_equal(roots[1].pin, keys[A].pin, 32);
	assert_true(ay_bytes_eq(roots[1].cert, keys[A].der));
	assert_int_equal(
		ay_identity_roots(&agent.pins, &agent.identity, NOW_MS + 9 * DAY_MS, roots), 2);
	ay_repin_seen(&agent, keys[A].der);
	assert_int_equal(
		ay_identity_roots(&agent.pins, &agent.identity, NOW_MS + 9 * DAY_MS, roots), 2);
	ay_repin_seen(&agent, keys[B].der);
	is_stored(&keys[B]);
	assert_int_equal(ay_identity_roots(&agent.pins, &agent.identity, NOW_MS + DAY_MS, roots),
			 2);
	assert_int_equal(
		ay_identity_roots(&agent.pins, &agent.identity, NOW_MS + DAY_MS + 1, roots), 1);
	assert_memory_equal(roots[0].pin, keys[B].pin, 32);
}

static void once_is_enough(void **state)
{
	const struct ay_pin_change c = to(AY_PIN_ROOT, &keys[B], 5);
	struct ay_pins once;
	bool told;

	(void)state;
	assert_string_equal(send(&c, &keys[A], keys[B].der, &told), "");
	once = agent.pins;
	assert_string_equal(send(&c, &keys[A], keys[B].der, &told), "");
	assert_false(told && memcmp(&once, &agent.pins, sizeof(once)) != 0);
	assert_memory_equal(&once, &agent.pins, sizeof(once));
}

/* A, B, A, and then the first statement once more: it would lead to B again. */
static void nothing_is_replayed(void **state)
{
	const struct ay_pin_change first = to(AY_PIN_ROOT, &keys[B], 5),
				   second = to(AY_PIN_ROOT, &keys[A], 6);
	bool told;

	(void)state;
	assert_string_equal(send(&first, &keys[A], keys[B].der, &told), "");
	assert_string_equal(send(&second, &keys[B], keys[A].der, &told), "");
	is_stored(&keys[A]);
	assert_string_equal(send(&first, &keys[A], keys[B].der, &told), "PIN_OLDER");
	is_stored(&keys[A]);
}

/* Whoever has only another key of the server's: TLS key, order key, the root before. */
static void other_keys_change_nothing(void **state)
{
	struct ay_pin_change c = to(AY_PIN_ROOT, &keys[B], 5);
	bool told;

	(void)state;
	assert_string_equal(send(&c, &keys[CHANNEL], keys[B].der, &told), "PIN_SIGNER");
	assert_string_equal(send(&c, &keys[C], keys[B].der, &told), "PIN_SIGNER");
	assert_string_equal(send(&c, &keys[B], keys[B].der, &told), "PIN_SIGNER");
	c.purpose = AY_PIN_ORDER; /* by the root, which signs no order keys */
	assert_string_equal(send(&c, &keys[A], (struct ay_bytes){ 0 }, &told), "PIN_SIGNER");
	assert_false(told);
	is_stored(&keys[A]);
	c.purpose = AY_PIN_ROOT;
	assert_string_equal(send(&c, &keys[A], keys[B].der, &told), "");
	c = to(AY_PIN_ROOT, &keys[C], 6); /* the old root still counts for connections, no more */
	assert_string_equal(send(&c, &keys[A], keys[C].der, &told), "PIN_SIGNER");
	is_stored(&keys[B]);
}

static void the_certificate_is_of_the_new_key(void **state)
{
	const struct ay_pin_change c = to(AY_PIN_ROOT, &keys[B], 5);
	bool told;

	(void)state;
	assert_string_equal(send(&c, &keys[A], keys[C].der, &told), "PIN_CERTIFICATE");
	assert_string_equal(send(&c, &keys[A], (struct ay_bytes){ 0 }, &told), "PIN_CERTIFICATE");
	is_stored(&keys[A]);
}

static void what_cannot_be_stored_is_not_taken(void **state)
{
	const struct ay_pin_change c = to(AY_PIN_ROOT, &keys[B], 5);
	bool told;

	(void)state;
	(void)snprintf(agent.identity_path, sizeof(agent.identity_path), "%s/none/x", dir);
	assert_string_equal(send(&c, &keys[A], keys[B].der, &told), "PIN_STORE");
	assert_false(told);
	assert_memory_equal(agent.pins.root, keys[A].pin, 32);
	assert_memory_equal(agent.identity.pins.root, keys[A].pin, 32);
}

/* An order key shows itself in no handshake: only time ends the one before. */
static void order_key(void **state)
{
	const struct ay_pin_change c = to(AY_PIN_ORDER, &keys[B], 1);
	bool told;

	(void)state;
	assert_string_equal(send(&c, &keys[C], (struct ay_bytes){ 0 }, &told), "");
	assert_false(told);
	assert_true(ay_pins_match(&agent.pins, AY_PIN_ORDER, keys[B].pin, NOW_MS));
	assert_true(ay_pins_match(&agent.pins, AY_PIN_ORDER, keys[C].pin, NOW_MS + DAY_MS));
	assert_false(ay_pins_match(&agent.pins, AY_PIN_ORDER, keys[C].pin, NOW_MS + DAY_MS + 1));
	assert_false(ay_pins_match(&agent.pins, AY_PIN_ORDER, keys[A].pin, NOW_MS));
	assert_true(ay_pins_is_replaced(&agent.pins, AY_PIN_ORDER, keys[C].pin));
	assert_false(ay_pins_is_replaced(&agent.pins, AY_PIN_ORDER, keys[A].pin));
}

/* A token made during an overlap: the new key, and the one before. */
static void by_token(void **state)
{
	struct ay_token t = { .n_servers = 1, .has_root2 = true, .has_order2 = true }, back;
	const struct ay_pin_change c = to(AY_PIN_ROOT, &keys[B], 5);
	char text[AY_MAX_TOKEN_BYTES];
	struct ay_pins pins;
	bool told;

	(void)state;
	(void)strcpy(t.servers[0], "server:7443");
	(void)strcpy(t.id, "00112233445566778899aabbccddeeff");
	memcpy(t.root, keys[B].pin, 32);
	memcpy(t.root2, keys[A].pin, 32);
	memset(t.ca, 1, 32);
	memset(t.order, 2, 32);
	memset(t.order2, 3, 32);
	assert_int_equal(ay_token_build(&t, text, NULL), AY_OK);
	assert_int_equal(ay_token_parse(ay_bytes_of(text), &back, NULL), AY_OK);
	assert_memory_equal(&back, &t, sizeof(t));
	ay_pins_of_token(&back, NOW_MS, &pins);
	assert_true(ay_pins_match(&pins, AY_PIN_ROOT, keys[A].pin, NOW_MS + 99 * DAY_MS));
	assert_true(ay_pins_match(&pins, AY_PIN_ROOT, keys[B].pin, NOW_MS));
	assert_null(ay_pins_before(&pins, AY_PIN_CA, NOW_MS));
	assert_non_null(ay_pins_before(&pins, AY_PIN_ORDER, NOW_MS));
	/* enrolled by it, under the old root: the statement brings the certificate */
	agent.pins = agent.identity.pins = pins;
	assert_string_equal(send(&c, &keys[A], keys[B].der, &told), "");
	assert_true(told);
	assert_true(ay_bytes_eq(agent.identity.root_der, keys[B].der));
	assert_true(ay_bytes_eq(agent.identity.root_before, keys[A].der));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enrolled, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_root_is_learned_from_the_one_before),
		TEST(once_is_enough),
		TEST(nothing_is_replayed),
		TEST(other_keys_change_nothing),
		TEST(the_certificate_is_of_the_new_key),
		TEST(what_cannot_be_stored_is_not_taken),
		TEST(order_key),
		TEST(by_token),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
