/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/base/hex.h"
#include "io/ipc/keeper_msg.h"
#include "io/ipc/sign_msg.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "prog/assayd/keyring.h"
#include "prog/assayd/processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A real keeper in a process and sandbox of its own; this test plays engine. */
static struct {
	char dir[64], keys[96];
	struct ay_config *config;
	struct ay_loop *loop;
	struct ay_ipc *keeper;
	pid_t pid;
	uint16_t type;
	uint8_t body[32768];
	size_t n;
	char code[32];
} w;

static void from_keeper(void *arg, const struct ay_ipc_msg *m)
{
	struct ay_refusal no;

	(void)arg;
	w.type = m->type;
	w.n = m->body.n;
	memcpy(w.body, m->body.p, m->body.n);
	w.code[0] = '\0';
	if (m->type == AY_MSG_KEEPER_REFUSED) {
		assert_int_equal(ay_refusal_parse(m->body, &no, NULL), AY_OK);
		snprintf(w.code, sizeof(w.code), "%.*s", (int)no.code.n, (const char *)no.code.p);
	}
	ay_loop_stop(w.loop);
}

static void gone(void *arg, const char *why)
{
	(void)arg, (void)why;
}

static int set_up(void **state)
{
	static const struct ay_ipc_ops ops = { from_keeper, gone };
	struct ay_keeper_args a = { .parent_fd = -1 };
	char conf[128];
	int pair[2];

	(void)state;
	ay_log_init("test", "keeper", "error", "text");
	snprintf(w.dir, sizeof(w.dir), "/tmp/ay-keeper-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.keys, sizeof(w.keys), "%s/%s", w.dir, AY_FILE_KEEPER_KEYS);
	snprintf(conf, sizeof(conf), "state_dir = %s\n", w.dir);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", conf, &w.config, NULL), AY_OK);
	a.config = w.config;
	assert_int_equal(ay_ipc_pair(pair, NULL), AY_OK);
	a.engine_fd = pair[1];
	w.pid = fork();
	if (w.pid == 0) {
		close(pair[0]);
		_exit(ay_keeper_run(&a));
	}
	close(pair[1]);
	assert_int_equal(ay_loop_new(&w.loop, NULL), AY_OK);
	assert_int_equal(ay_ipc_open(w.loop, pair[0], ay_ipc_table_of(AY_PAIR_KEEPER), AY_IPC_A,
				     &ops, NULL, &w.keeper, NULL),
			 AY_OK);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	ay_ipc_close(w.keeper);
	ay_loop_free(w.loop);
	ay_config_free(w.config);
	waitpid(w.pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", w.dir);
	return system(command);
}

static void ask(uint16_t type, const char *purpose, const char *object, struct ay_bytes octets)
{
	const struct ay_kept k = { { ay_bytes_of(purpose), ay_bytes_of(object) }, octets };
	uint8_t room[20000];
	struct ay_writer wr;
	struct ay_bytes body = { NULL, 0 };

	ay_wr_init(&wr, room, sizeof(room));
	ay_kept_build(&wr, &k);
	assert_int_equal(ay_wr_end(&wr, "k", &body, NULL), AY_OK);
	if (type == AY_MSG_KEEPER_ROTATE || type == AY_MSG_KEEPER_RETIRE ||
	    type == AY_MSG_KEEPER_KEYS)
		body = (struct ay_bytes){ NULL, 0 };
	ay_ipc_send(w.keeper, type, 0, 1, body);
	ay_loop_run(w.loop);
}

static struct ay_bytes answer(uint8_t *room)
{
	assert_int_equal(w.type, AY_MSG_KEEPER_DONE);
	memcpy(room, w.body, w.n);
	return (struct ay_bytes){ room, w.n };
}

static const struct ay_bytes nothing;

/* Computed by another implementation: python-cryptography's AESGCM. */
static void test_vector(void **state)
{
	struct ay_wrap_key k;
	const struct ay_wrap_name name = { ay_bytes_of("webhook"), ay_bytes_of("object-1") };
	uint8_t iv[AY_GCM_IV], out[32 + AY_WRAP_MORE], back[32];
	char hex[2 * sizeof(out) + 1];

	(void)state;
	for (size_t i = 0; i < 32; i++)
		k.key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(k.id); i++)
		k.id[i] = (uint8_t)(0xa0 + i);
	for (size_t i = 0; i < sizeof(iv); i++)
		iv[i] = (uint8_t)(0x10 + i);
	assert_int_equal(ay_wrap_seal(&k, iv, &name, ay_bytes_of("correct horse"), out, NULL),
			 AY_OK);
	ay_hex_encode((struct ay_bytes){ out, 13 + AY_WRAP_MORE }, hex);
	assert_string_equal(hex, "01a0a1a2a3a4a5a6a7101112131415161718191a1b1e91ea642caa4e93a21a7a6"
				 "e6ad9527e259e17e429e7f4f600e8d1525b");
	assert_int_equal(
		ay_wrap_open(&k, &name, (struct ay_bytes){ out, 13 + AY_WRAP_MORE }, back, NULL),
		AY_OK);
	assert_memory_equal(back, "correct horse", 13);
}

static void test_binding(void **state)
{
	uint8_t room[256], moved[256];
	struct ay_bytes kept;

	(void)state;
	ask(AY_MSG_KEEPER_WRAP, "connector", "a", ay_bytes_of("secret"));
	kept = answer(room);
	assert_null(memmem(kept.p, kept.n, "secret", 6));
	ask(AY_MSG_KEEPER_UNWRAP, "connector", "a", kept);
	assert_int_equal(answer(moved).n, 6);
	assert_memory_equal(moved, "secret", 6);
	ask(AY_MSG_KEEPER_UNWRAP, "connector", "b", kept);
	assert_string_equal(w.code, "KEPT_TAG");
	ask(AY_MSG_KEEPER_UNWRAP, "oidc", "a", kept);
	assert_string_equal(w.code, "KEPT_TAG");
	for (size_t i = 0; i < kept.n; i++) {
		memcpy(moved, kept.p, kept.n);
		moved[i] ^= 1;
		ask(AY_MSG_KEEPER_UNWRAP, "connector", "a", (struct ay_bytes){ moved, kept.n });
		assert_int_equal(w.type, AY_MSG_KEEPER_REFUSED);
	}
}

static void test_purposes(void **state)
{
	uint8_t room[256];
	struct ay_bytes kept;

	(void)state;
	ask(AY_MSG_KEEPER_WRAP, "anything", "a", ay_bytes_of("secret"));
	assert_string_equal(w.code, "KEPT_PURPOSE");
	ask(AY_MSG_KEEPER_WRAP, "webhook", "a", ay_bytes_of("secret"));
	kept = answer(room);
	ask(AY_MSG_KEEPER_UNWRAP, "webhook", "a", kept); /* it signs, and is not given back */
	assert_string_equal(w.code, "KEPT_PURPOSE");
}

/* HMAC-SHA-256, test case 2 [RFC4231 4.3]. */
static void test_mac(void **state)
{
	struct ay_kept_mac m = { .purpose = ay_bytes_of("webhook"), .n = 1 };
	uint8_t room[256], body[512];
	char hex[65];
	struct ay_writer wr;
	struct ay_bytes b;

	(void)state;
	ask(AY_MSG_KEEPER_WRAP, "webhook", "w1", ay_bytes_of("Jefe"));
	m.key[0].object = ay_bytes_of("w1");
	m.key[0].wrapped = answer(room);
	m.message = ay_bytes_of("what do ya want for nothing?");
	ay_wr_init(&wr, body, sizeof(body));
	ay_kept_mac_build(&wr, &m);
	assert_int_equal(ay_wr_end(&wr, "m", &b, NULL), AY_OK);
	ay_ipc_send(w.keeper, AY_MSG_KEEPER_MAC, 0, 1, b);
	ay_loop_run(w.loop);
	assert_int_equal(w.type, AY_MSG_KEEPER_DONE);
	assert_int_equal(w.n, 32);
	ay_hex_encode((struct ay_bytes){ w.body, 32 }, hex);
	assert_string_equal(hex,
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_rotation(void **state)
{
	uint8_t old[256], fresh[256], newest[8];
	struct ay_bytes was, now;
	struct stat st;

	(void)state;
	ask(AY_MSG_KEEPER_WRAP, "connector", "a", ay_bytes_of("secret"));
	assert_int_equal(stat(w.keys, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	was = answer(old);
	ask(AY_MSG_KEEPER_ROTATE, "", "", nothing);
	assert_int_equal(w.n, 8);
	memcpy(newest, w.body, 8);
	ask(AY_MSG_KEEPER_KEYS, "", "", nothing);
	assert_int_equal(w.n, 16);
	assert_memory_equal(w.body, newest, 8);
	assert_memory_equal(w.body + 8, was.p + 1, 8);
	ask(AY_MSG_KEEPER_UNWRAP, "connector", "a", was);
	assert_int_equal(w.type, AY_MSG_KEEPER_DONE);
	ask(AY_MSG_KEEPER_REWRAP, "connector", "a", was);
	now = answer(fresh);
	assert_memory_not_equal(was.p + 1, now.p + 1, 8);
	ask(AY_MSG_KEEPER_RETIRE, "", "", nothing);
	ask(AY_MSG_KEEPER_KEYS, "", "", nothing);
	assert_int_equal(w.n, 8);
	assert_memory_equal(w.body, newest, 8);
	ask(AY_MSG_KEEPER_UNWRAP, "connector", "a", was);
	assert_string_equal(w.code, "KEPT_KEY");
	ask(AY_MSG_KEEPER_UNWRAP, "connector", "a", now);
	assert_int_equal(w.n, 6);
}

/* The command line adds a key while keeper runs: keeper, which does not know it, destroys nothing.
 */
static void test_two_writers(void **state)
{
	struct ay_keyring k;
	uint8_t ids[AY_KEYRING_MAX * AY_WRAP_KEY_ID], room[256];
	struct ay_bytes kept;

	(void)state;
	ask(AY_MSG_KEEPER_WRAP, "connector", "a", ay_bytes_of("secret"));
	kept = answer(room);
	assert_int_equal(ay_keyring_open(w.keys, &k, NULL), AY_OK);
	assert_int_equal(ay_keyring_rotate(&k, NULL), AY_OK);
	ask(AY_MSG_KEEPER_RETIRE, "", "", nothing);
	assert_string_equal(w.code, w.type == AY_MSG_KEEPER_REFUSED ? "KEPT_KEYS" : "refused");
	ask(AY_MSG_KEEPER_ROTATE, "", "", nothing);
	assert_string_equal(w.code, "KEPT_KEYS");
	ay_keyring_close(&k);
	assert_int_equal(ay_keyring_open(w.keys, &k, NULL), AY_OK);
	assert_int_equal(ay_keyring_ids(&k, ids), 2);
	assert_memory_equal(ids + AY_WRAP_KEY_ID, kept.p + 1, AY_WRAP_KEY_ID);
	ay_keyring_close(&k);
}

static void test_rate(void **state)
{
	uint8_t room[256];
	struct ay_bytes kept;
	size_t given = 0;

	(void)state;
	ask(AY_MSG_KEEPER_WRAP, "connector", "a", ay_bytes_of("secret"));
	kept = answer(room);
	for (size_t i = 0; i < 20000 && w.type == AY_MSG_KEEPER_DONE; i++) {
		ask(AY_MSG_KEEPER_UNWRAP, "connector", "a", kept);
		given++;
	}
	assert_string_equal(w.code, "KEPT_RATE");
	assert_true(given >= 100);
}

static void test_file(void **state)
{
	struct ay_keyring k;
	struct ay_err e;
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/other", w.dir);
	assert_int_equal(ay_keyring_open(path, &k, &e), AY_OK);
	assert_int_equal(ay_keyring_rotate(&k, &e), AY_OK);
	assert_int_equal(k.n_lines, 2);
	ay_keyring_close(&k);
	assert_int_equal(truncate(path, 85 + 40), 0); /* cut short by a crash: never used */
	assert_int_equal(ay_keyring_open(path, &k, &e), AY_OK);
	assert_int_equal(k.n_lines, 1);
	ay_keyring_close(&k);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(ay_keyring_open(path, &k, &e), AY_E_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test_setup_teardown(test_binding, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_purposes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mac, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rotation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_writers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
