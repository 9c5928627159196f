/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as files: replaced, the old half for as long as it counts, rotations that were cut off. */
#include "support/t.h"

#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "prog/assayd/keys.h"
#include "prog/assayd/processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <utime.h>

#define DAY_S (24 * 3600)

static char dir[64];
static struct ay_config *config;

static char *at(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static int set_up(void **state)
{
	struct ay_cert_args a = { .kind = AY_CERT_ROOT, .cn = "root", .life_s = 900 * DAY_S };
	struct ay_cert_pem root;
	char conf[128];
	size_t n;
	const struct ay_key_row *row = ay_keys_rows(&n);

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/ay-keys-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "state_dir = %s\n", dir);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "test", conf, &config, NULL), AY_OK);
	a.now_s = ay_clock_wall_ms() / 1000;
	assert_int_equal(ay_cert_make(&a, NULL, &root, NULL), AY_OK);
	assert_int_equal(ay_file_write(at("root.key"), 0600, root.key, NULL), AY_OK);
	assert_int_equal(ay_file_write(at("root.pem"), 0644, root.cert, NULL), AY_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ay_keys_make(config, &row[i], &root, NULL), AY_OK);
	ay_cert_pem_free(&root);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	ay_config_free(config);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void spki(const char *name, uint8_t out[32])
{
	struct ay_bytes pem;

	assert_int_equal(ay_file_read(at(name), 65536, &pem, NULL), AY_OK);
	assert_int_equal(ay_cert_spki(pem, out, NULL), AY_OK);
	ay_file_free(&pem);
}

static bool same(const char *a, const char *b)
{
	uint8_t x[32], y[32];

	spki(a, x);
	spki(b, y);
	return memcmp(x, y, 32) == 0;
}

static bool counts(const char *pub)
{
	struct ay_bytes old;
	int64_t until;
	bool yes = ay_keys_old(config, pub, ay_clock_wall_ms(), &old, &until);

	ay_file_free(&old);
	return yes;
}

static void copy(const char *from, const char *to)
{
	struct ay_bytes b;

	assert_int_equal(ay_file_read(at(from), 65536, &b, NULL), AY_OK);
	assert_int_equal(ay_file_write(at(to), 0600, b, NULL), AY_OK);
	ay_file_free(&b);
}

static void each_is_replaced(void **state)
{
	size_t n;
	const struct ay_key_row *row = ay_keys_rows(&n);
	struct ay_key_info info[AY_KEYS_MAX];
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		uint8_t before[32], after[32];

		spki(row[i].key, before);
		assert_false(counts(row[i].pub));
		assert_int_equal(ay_keys_rotate(config, row[i].name, false, &e), AY_OK);
		spki(row[i].key, after);
		assert_memory_not_equal(before, after, 32);
		assert_true(same(row[i].key, row[i].pub)); /* new key, new certificate */
		assert_true(counts(row[i].pub));
	}
	ay_keys_read(config, ay_clock_wall_ms(), info, &n);
	assert_int_equal(n, 9); /* root too; there is no Privacy CA here */
	assert_true(info[1].old_until > ay_clock_wall_ms());
	assert_int_equal(ay_keys_rotate(config, "root", false, &e), AY_E_NOENT);
	assert_int_equal(ay_keys_rotate(config, "../x", false, &e), AY_E_NOENT);
}

/* Readers that need both find the old one after the new one, and only that one. */
static void both_ticket_keys(void **state)
{
	struct ay_bytes pem, old;
	int64_t until;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ay_keys_rotate(config, "ticket", false, NULL), AY_OK);
	assert_int_equal(ay_file_read(at("ticket.pub"), 65536, &pem, NULL), AY_OK);
	assert_true(ay_keys_old(config, "ticket.pub", ay_clock_wall_ms(), &old, &until));
	assert_int_equal(pem.n, 2 * (pem.n / 2));
	assert_memory_equal(pem.p + pem.n / 2, old.p, pem.n / 2);
	ay_file_free(&pem);
	ay_file_free(&old);
}

/* One that was lost counts for nothing at once; another not longer than what it signed. */
static void the_old_one_ends(void **state)
{
	struct utimbuf then = { 0 };
	struct ay_bytes pem;

	(void)state;
	assert_int_equal(ay_keys_rotate(config, "assertion", false, NULL), AY_OK);
	assert_true(counts("assertion.pem"));
	then.actime = then.modtime = ay_clock_wall_ms() / 1000 - 7 * DAY_S - 5;
	assert_int_equal(utime(at("assertion.pem.old"), &then), 0);
	assert_false(counts("assertion.pem"));
	assert_int_equal(ay_keys_rotate(config, "assertion", false, NULL), AY_OK);
	assert_true(counts("assertion.pem"));
	assert_int_equal(ay_keys_rotate(config, "assertion", true, NULL), AY_OK);
	assert_false(counts("assertion.pem"));
	assert_int_equal(ay_keys_rotate(config, "ticket", false, NULL), AY_OK);
	assert_int_equal(ay_keys_rotate(config, "ticket", true, NULL), AY_OK);
	assert_int_equal(ay_file_read(at("ticket.pub"), 65536, &pem, NULL), AY_OK);
	assert_true(pem.n < 250); /* it stands alone */
	ay_file_free(&pem);
}

/* Cut off before the key was taken: nothing happened. After it: the certificate follows. */
static void cut_off(void **state)
{
	uint8_t key[32], now[32];

	(void)state;
	spki("api.key", key);
	copy("api.pem", "api.pem.next");
	copy("channel.key", "api.key.next");
	assert_int_equal(ay_keys_settle(config, NULL), AY_OK);
	assert_false(ay_file_exists(at("api.pem.next")) || ay_file_exists(at("api.key.next")));
	spki("api.key", now);
	assert_memory_equal(key, now, 32);
	copy("api.pem", "api.pem.next"); /* the one that belongs to the key in place */
	copy("channel.pem", "api.pem");
	assert_int_equal(ay_keys_settle(config, NULL), AY_OK);
	assert_true(same("api.key", "api.pem"));
	copy("channel.pem", "api.pem.next"); /* one that does not */
	assert_int_equal(ay_keys_settle(config, NULL), AY_OK);
	assert_true(same("api.key", "api.pem"));
	assert_false(ay_file_exists(at("api.pem.next")));
	assert_int_equal(rename(at("root.key"), at("elsewhere")), 0);
	assert_int_equal(ay_keys_rotate(config, "api", false, NULL), AY_E_NOENT);
	assert_int_equal(rename(at("elsewhere"), at("root.key")), 0);
	assert_false(ay_keys_tell(config)); /* nobody runs here */
}

static void warnings(void **state)
{
	const int64_t day = DAY_S * INT64_C(1000), now = 1800000000000;

	(void)state;
	assert_int_equal(ay_keys_warning(0, now), 0);
	assert_int_equal(ay_keys_warning(now + 30 * day + 1, now), 0);
	assert_int_equal(ay_keys_warning(now + 30 * day, now), 1);
	assert_int_equal(ay_keys_warning(now + 7 * day + 1, now), 1);
	assert_int_equal(ay_keys_warning(now + 7 * day, now), 2);
	assert_int_equal(ay_keys_warning(now - 1, now), 2);
}

/* Certificates of a short life, as the configuration wants them, are warned of at once. */
static void short_lives(void **state)
{
	struct ay_config *own = config;
	char conf[160];
	struct ay_key_info info[AY_KEYS_MAX];
	const int64_t now_ms = ay_clock_wall_ms();
	size_t n;

	(void)state;
	snprintf(conf, sizeof(conf), "state_dir = %s\ncertificate_life = 480h\n", dir);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "test", conf, &config, NULL), AY_OK);
	assert_int_equal(ay_keys_rotate(config, "channel", false, NULL), AY_OK);
	ay_keys_read(config, now_ms, info, &n);
	for (size_t i = 0; i < n; i++) {
		bool is_short = strcmp(info[i].name, "channel") == 0;

		assert_int_equal(ay_keys_warning(info[i].until_ms, now_ms), is_short ? 1 : 0);
		assert_int_equal(
			ay_keys_warning(info[i].until_ms, now_ms + 14 * DAY_S * INT64_C(1000)),
			is_short ? 2 : 0);
	}
	ay_config_free(config);
	config = own;
	assert_int_equal(ay_keys_rotate(config, "channel", false, NULL), AY_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_replaced), cmocka_unit_test(both_ticket_keys),
		cmocka_unit_test(the_old_one_ends), cmocka_unit_test(cut_off),
		cmocka_unit_test(warnings),	    cmocka_unit_test(short_lives),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
