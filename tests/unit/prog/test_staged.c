/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that hosts pin: made beside the ones in force, told, put in force; also when that is cut
 * off. */
#include "support/t.h"

#include "core/crypto/hash.h"
#include "io/net/agent_msg.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assay-ca/cakeys.h"
#include "prog/assayd/keys.h"
#include "prog/assayd/processes.h"
#include "prog/assayd/staged.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char whole[] = "/tmp/ay-staged-XXXXXX", dir[64];
static struct ay_config *config;
static int64_t now_ms;

static char *at(const char *name)
{
	static char path[4][160];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static void spki(const char *name, uint8_t out[32])
{
	struct ay_bytes pem;

	assert_int_equal(ay_file_read(at(name), 65536, &pem, NULL), AY_OK);
	assert_int_equal(ay_cert_spki(pem, out, NULL), AY_OK);
	ay_file_free(&pem);
}

static bool is_pair(const char *a, const char *b)
{
	uint8_t x[32], y[32];

	spki(a, x);
	spki(b, y);
	return memcmp(x, y, 32) == 0;
}

/* By OpenSSL: does the certificate chain to the root in force? */
static bool chains(const char *cert, const char *root)
{
	char command[512];

	snprintf(command, sizeof(command), "openssl verify -CAfile %s %s >/dev/null 2>&1", at(root),
		 at(cert));
	return system(command) == 0;
}

/* RSA keys take their time: all is made once. */
static int make_all(void **state)
{
	struct ay_cert_pem root;
	size_t n;
	const struct ay_key_row *row = ay_keys_rows(&n);

	assert_int_equal(ay_keys_root(config, now_ms, &root, NULL), AY_OK);
	assert_int_equal(ay_file_write(at("root.key"), 0600, root.key, NULL), AY_OK);
	assert_int_equal(ay_file_write(at("root.pem"), 0644, root.cert, NULL), AY_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ay_keys_make(config, &row[i], &root, NULL), AY_OK);
	ay_cert_pem_free(&root);
	(void)state;
	return ay_ca_init(at("ca"), NULL) == AY_OK ? 0 : -1;
}

static void use_dir(const char *name)
{
	char conf[160];

	snprintf(dir, sizeof(dir), "%s", name);
	snprintf(conf, sizeof(conf), "state_dir = %s\npin_overlap = 1h\n", dir);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "test", conf, &config, NULL), AY_OK);
}

static int set_up_all(void **state)
{
	now_ms = ay_clock_wall_ms();
	assert_non_null(mkdtemp(whole));
	use_dir(whole);
	return make_all(state);
}

static int set_up(void **state)
{
	char copy[] = "/tmp/ay-staged-XXXXXX", command[128];

	(void)state;
	ay_config_free(config);
	assert_non_null(mkdtemp(copy));
	use_dir(copy);
	snprintf(command, sizeof(command), "cp -a %s/. %s", whole, dir);
	return system(command);
}

static int tear_down_all(void **state)
{
	char command[128];

	(void)state;
	ay_config_free(config);
	snprintf(command, sizeof(command), "rm -r %s", whole);
	return system(command);
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* The only statement there is. */
static struct ay_staged *only(void)
{
	struct ay_staged *list;
	size_t n;

	assert_int_equal(ay_staged_load(config, now_ms, &list, &n, NULL), AY_OK);
	assert_int_equal(n, 1);
	return list;
}

static void leads(const struct ay_staged *s, enum ay_pin_purpose p, const uint8_t before[32],
		  const char *next)
{
	uint8_t pin[32];
	struct ay_err e;

	spki(next, pin);
	assert_int_equal(s->change.purpose, p);
	assert_memory_equal(s->change.next, pin, 32);
	assert_int_equal(ay_pin_change_check(&s->change, before, 0, now_ms, &e), AY_OK);
	assert_int_equal(s->change.not_after_ms, now_ms + 3600000);
}

static void the_root(void **state)
{
	uint8_t before[32], now[32];
	struct ay_staged *s;
	struct ay_chan_pin_change m;
	size_t n;
	const struct ay_key_row *row = ay_keys_rows(&n);

	(void)state;
	spki("root.key", before);
	assert_int_equal(ay_staged_finish(config, AY_PIN_ROOT, NULL), AY_E_NOENT);
	assert_int_equal(ay_staged_begin(config, AY_PIN_ROOT, now_ms, NULL), AY_OK);
	assert_int_equal(ay_staged_begin(config, AY_PIN_ROOT, now_ms, NULL), AY_E_EXISTS);
	spki("root.pem", now); /* nothing is in force yet */
	assert_memory_equal(before, now, 32);
	s = only();
	assert_true(s->is_open);
	leads(s, AY_PIN_ROOT, before, "next-root/root.pem");
	assert_int_equal(ay_chan_pin_change_parse((struct ay_bytes){ s->body, s->n }, &m, NULL),
			 AY_OK);
	assert_true(m.cert.n > 0);
	free(s);
	assert_int_equal(ay_staged_finish(config, AY_PIN_ROOT, NULL), AY_OK);
	assert_true(is_pair("root.key", "root.pem"));
	assert_true(is_pair("root.pem.old", "root.pem.old"));
	spki("root.pem.old", now);
	assert_memory_equal(before, now, 32);
	for (size_t i = 0; i < n; i++) {
		assert_true(is_pair(row[i].key, row[i].pub));
		assert_true(row[i].cn == NULL || chains(row[i].pub, "root.pem"));
	}
	assert_false(ay_file_exists(at("next-root")));
	s = only(); /* it is told on while it holds */
	assert_false(s->is_open);
	free(s);
	assert_int_equal(ay_staged_load(config, now_ms + 3600001, &s, &n, NULL), AY_OK);
	assert_int_equal(n, 0);
}

static void the_privacy_ca(void **state)
{
	uint8_t before[32], pseudonym[64];
	struct ay_bytes b;
	struct ay_staged *s;

	(void)state;
	spki("ca/root.key", before);
	assert_int_equal(ay_file_read(at("ca/pseudonym.key"), 64, &b, NULL), AY_OK);
	memcpy(pseudonym, b.p, b.n);
	ay_file_free(&b);
	assert_int_equal(ay_staged_begin(config, AY_PIN_CA, now_ms, NULL), AY_OK);
	s = only();
	leads(s, AY_PIN_CA, before, "next-ca-root/root.pem");
	free(s);
	assert_int_equal(ay_staged_finish(config, AY_PIN_CA, NULL), AY_OK);
	assert_true(is_pair("ca/root.key", "ca/root.pem"));
	assert_true(chains("ca/issuer.pem", "ca/root.pem"));
	assert_true(chains("ca/encryption.pem", "ca/root.pem"));
	assert_true(is_pair("ca/issuer.key", "ca/issuer.pem"));
	assert_int_equal(ay_file_read(at("ca/pseudonym.key"), 64, &b, NULL), AY_OK);
	assert_memory_equal(pseudonym, b.p, b.n); /* or known hosts would be others */
	ay_file_free(&b);
}

/* What the Privacy CA's root signs is replaced alone; hosts hold to the root. */
static void the_issuer(void **state)
{
	static const char *const names[] = { "ca-issuer", "ca-encryption" };
	static const char *const certs[] = { "ca/issuer.pem", "ca/encryption.pem" };
	static const char *const keys[] = { "ca/issuer.key", "ca/encryption.key" };
	uint8_t before[32], now[32];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(names); i++) {
		spki(certs[i], before);
		assert_int_equal(ay_keys_rotate(config, names[i], false, NULL), AY_OK);
		spki(certs[i], now);
		assert_memory_not_equal(before, now, 32);
		assert_true(is_pair(keys[i], certs[i]));
		assert_true(chains(certs[i], "ca/root.pem"));
	}
	assert_int_equal(rename(at("ca/root.key"), at("elsewhere")), 0);
	assert_int_equal(ay_keys_rotate(config, "ca-issuer", false, NULL), AY_E_NOENT);
}

static void the_order_key(void **state)
{
	uint8_t before[32], now[32];
	struct ay_staged *s;

	(void)state;
	spki("order.key", before);
	assert_int_equal(ay_staged_begin(config, AY_PIN_ORDER, now_ms, NULL), AY_OK);
	s = only();
	leads(s, AY_PIN_ORDER, before, "next-order/order.pub");
	free(s);
	assert_int_equal(ay_staged_finish(config, AY_PIN_ORDER, NULL), AY_OK);
	assert_true(is_pair("order.key", "order.pub"));
	spki("order.key", now);
	assert_memory_not_equal(before, now, 32);
}

/* Each change is later than those before, also when the clock was set back. */
static void sequences_grow(void **state)
{
	struct ay_staged *list;
	size_t n;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ay_staged_begin(config, AY_PIN_ORDER, now_ms - i * 1000, NULL),
				 AY_OK);
		assert_int_equal(ay_staged_finish(config, AY_PIN_ORDER, NULL), AY_OK);
	}
	assert_int_equal(ay_staged_load(config, now_ms, &list, &n, NULL), AY_OK);
	assert_int_equal(n, 3);
	for (size_t i = 1; i < n; i++)
		assert_true(list[i].change.sequence > list[i - 1].change.sequence);
	free(list);
}

/* A key that was lost signs nothing that hosts believe. */
static void a_lost_key(void **state)
{
	uint8_t before[32], now[32];
	struct ay_staged *list;
	size_t n;

	(void)state;
	assert_int_equal(ay_staged_begin(config, AY_PIN_ORDER, now_ms, NULL), AY_OK);
	assert_int_equal(ay_staged_finish(config, AY_PIN_ORDER, NULL), AY_OK);
	assert_int_equal(ay_staged_begin(config, AY_PIN_ORDER, now_ms, NULL), AY_OK);
	spki("order.key", before);
	assert_int_equal(ay_staged_revoke(config, AY_PIN_ORDER, now_ms, NULL), AY_OK);
	spki("order.key", now);
	assert_memory_not_equal(before, now, 32);
	assert_int_equal(ay_staged_load(config, now_ms, &list, &n, NULL), AY_OK);
	assert_int_equal(n, 0);
	assert_false(ay_file_exists(at("order.pub.old")));
	assert_int_equal(ay_staged_revoke(config, AY_PIN_ROOT, now_ms, NULL), AY_OK);
	assert_true(chains("channel.pem", "root.pem"));
}

/* Cut off while it is made: nothing happened. While it is put in force: the rest follows. */
static void cut_off(void **state)
{
	uint8_t before[32], now[32], next[32];

	(void)state;
	spki("root.pem", before);
	assert_int_equal(mkdir(at("next-root.tmp"), 0700), 0);
	assert_int_equal(ay_file_write(at("next-root.tmp/root.key"), 0600, ay_bytes_of("x"), NULL),
			 AY_OK);
	assert_int_equal(ay_staged_settle(config, NULL), AY_OK);
	assert_false(ay_file_exists(at("next-root.tmp")));
	assert_int_equal(ay_staged_begin(config, AY_PIN_ROOT, now_ms, NULL), AY_OK);
	assert_int_equal(ay_staged_settle(config, NULL), AY_OK); /* nobody said finish */
	spki("root.pem", now);
	assert_memory_equal(before, now, 32);
	spki("next-root/root.pem", next);
	/* the marker is there, the channel's pair was moved, and then the power went */
	assert_int_equal(ay_file_write(at("next-root/commit"), 0600, ay_bytes_of("finish\n"), NULL),
			 AY_OK);
	assert_int_equal(rename(at("next-root/channel.key"), at("channel.key")), 0);
	assert_int_equal(rename(at("next-root/channel.pem"), at("channel.pem")), 0);
	assert_int_equal(ay_staged_settle(config, NULL), AY_OK);
	spki("root.pem", now);
	assert_memory_equal(next, now, 32);
	assert_true(chains("channel.pem", "root.pem"));
	assert_true(chains("api.pem", "root.pem"));
	assert_false(ay_file_exists(at("next-root")));
}

static void the_key_before_must_be_there(void **state)
{
	(void)state;
	assert_int_equal(rename(at("root.key"), at("elsewhere")), 0);
	assert_int_equal(ay_staged_begin(config, AY_PIN_ROOT, now_ms, NULL), AY_E_NOENT);
	assert_false(ay_staged_is_open(config, AY_PIN_ROOT));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_root),	      TEST(the_privacy_ca),
		TEST(the_issuer),     TEST(the_order_key),
		TEST(sequences_grow), TEST(a_lost_key),
		TEST(cut_off),	      TEST(the_key_before_must_be_there),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
