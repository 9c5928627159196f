/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TPM 1.2 backend on a software TPM: ownership, NV areas, sealed data. Keys
 * and quotes: tests/e2e/60-tpm12.sh, where server and CA are the other side.
 */
#include "support/t.h"

#include "io/tpmdev/tpm12.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct ay_tpmdev_ops *const ops = &ay_tpmdev_tpm12;
static struct {
	char dir[64], tcti[128];
	pid_t pid;
	struct ay_tpmdev *dev;
	struct ay_arena arena;
} fx;

static void start_swtpm(void)
{
	char state[96], server[128];

	(void)snprintf(state, sizeof(state), "dir=%s", fx.dir);
	(void)snprintf(server, sizeof(server), "type=unixio,path=%s/sock", fx.dir);
	fx.pid = fork();
	if (fx.pid != 0)
		return;
	execlp("swtpm", "swtpm", "socket", "--tpmstate", state, "--server", server, "--flags",
	       "not-need-init,startup-clear", (char *)NULL);
	_exit(127);
}

static bool listens(void)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/sock", fx.dir);
	for (int i = 0; i < 600; i++) {
		const struct timespec pause = { 0, 50 * 1000000 };

		if (access(path, F_OK) == 0)
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

static int set_up(void **state)
{
	char cmd[256];

	(void)state;
	(void)snprintf(fx.dir, sizeof(fx.dir), "/tmp/ay-tpm12-XXXXXX");
	if (mkdtemp(fx.dir) == NULL)
		return -1;
	(void)snprintf(cmd, sizeof(cmd),
		       "PATH=$PATH:/usr/sbin swtpm_setup --tpmstate %s --createek >%s/log 2>&1",
		       fx.dir, fx.dir);
	if (system(cmd) != 0)
		return 0;
	start_swtpm();
	(void)snprintf(fx.tcti, sizeof(fx.tcti), "tpm12:swtpm:path=%s/sock", fx.dir);
	ay_arena_init(&fx.arena, 1 << 20);
	return listens() && ops->make(&(struct ay_tpmdev_conf){ .tcti = fx.tcti }, &fx.dev, NULL) ==
				       AY_OK
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	char cmd[128];

	(void)state;
	if (fx.pid > 0) {
		ops->free(fx.dev);
		ay_arena_fini(&fx.arena);
		kill(fx.pid, SIGTERM);
		(void)waitpid(fx.pid, NULL, 0);
	}
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", fx.dir);
	return system(cmd) == 0 ? 0 : -1;
}

static void open_it(void)
{
	struct ay_err e = { 0 };

	if (fx.pid == 0) {
		print_message("SKIP io/tpm12: package not installable (swtpm)\n");
		skip();
	}
	if (ops->open(fx.dev, &e) != AY_OK)
		fail_msg("%s", e.text);
}

static void must(enum ay_rc rc, const struct ay_err *e)
{
	if (rc != AY_OK)
		fail_msg("%s: %s", e->where, e->text);
}

static void test_ownership(void **state)
{
	struct ay_tpm_info info;
	struct ay_err e = { 0 };
	uint8_t random[100];
	bool owned;

	(void)state;
	open_it();
	must(ops->info(fx.dev, &info, &e), &e);
	assert_int_equal(info.family, 1);
	assert_int_equal(info.n_banks, 1);
	assert_string_equal(info.manufacturer, "IBM");
	must(ay_tpm12_is_owned(fx.dev, &owned, &e), &e);
	assert_false(owned);
	must(ay_tpm12_take_ownership(fx.dev, &e), &e);
	must(ay_tpm12_is_owned(fx.dev, &owned, &e), &e);
	assert_true(owned);
	assert_int_equal(ay_tpm12_take_ownership(fx.dev, &e), AY_E_EXISTS);
	must(ay_tpm12_random(fx.dev, sizeof(random), random, &e), &e);
	ops->close(fx.dev);
}

/* The index of the family's asset tag. */
static void test_nv(void **state)
{
	struct ay_bytes tag = t_hex("000102030405060708090a0b0c0d0e0f10111213"), got;
	struct ay_err e = { 0 };

	(void)state;
	open_it();
	assert_int_equal(ay_tpm12_nv_read(fx.dev, 0x40000010, &fx.arena, &got, &e), AY_E_NOENT);
	must(ay_tpm12_nv_define(fx.dev, 0x40000010, AY_NV12_OWNER_WRITE | AY_NV12_AUTH_READ, 20,
				&e),
	     &e);
	must(ay_tpm12_nv_write(fx.dev, 0x40000010, tag, &e), &e);
	must(ay_tpm12_nv_read(fx.dev, 0x40000010, &fx.arena, &got, &e), &e);
	assert_true(ay_bytes_eq(got, tag));
	must(ay_tpm12_nv_define(fx.dev, 0x40000010, AY_NV12_OWNER_WRITE | AY_NV12_AUTH_READ, 0, &e),
	     &e);
	assert_int_equal(ay_tpm12_nv_read(fx.dev, 0x40000010, &fx.arena, &got, &e), AY_E_NOENT);
	ops->close(fx.dev);
}

static void test_seal(void **state)
{
	struct ay_bytes data = ay_bytes_of("a disk key"), sealed, other;
	uint8_t value[AY_SHA1_BYTES];
	struct ay_pcrs now = { 0 };
	struct ay_err e = { 0 };
	struct ay_secret out;

	(void)state;
	open_it();
	must(ay_tpm12_pcr_read(fx.dev, 4, value, &e), &e);
	must(ay_pcrs_set(&now, AY_ALG_SHA1, 4, AY_BYTES(value), &e), &e);
	must(ay_tpm12_seal(fx.dev, &now, 1 << 4, data, &fx.arena, &sealed, &e), &e);
	must(ay_tpm12_unseal(fx.dev, sealed, &out, &e), &e);
	assert_true(ay_bytes_eq(ay_secret_view(&out), data));
	now.bank[0].value[4][0] ^= 1; /* a state that is not this one */
	must(ay_tpm12_seal(fx.dev, &now, 1 << 4, data, &fx.arena, &other, &e), &e);
	assert_int_equal(ay_tpm12_unseal(fx.dev, other, &out, &e), AY_E_UNAVAIL);
	assert_int_equal(out.n, 0);
	assert_non_null(strstr(e.text, "PCR values are others"));
	must(ay_tpm12_seal(fx.dev, &now, 0, data, &fx.arena, &sealed, &e), &e);
	must(ay_tpm12_unseal(fx.dev, sealed, &out, &e), &e);
	ops->close(fx.dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ownership),
		cmocka_unit_test(test_nv),
		cmocka_unit_test(test_seal),
	};

	return cmocka_run_group_tests_name("io/tpm12", tests, set_up, tear_down);
}
