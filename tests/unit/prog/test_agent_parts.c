/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crypto/hash.h"
#include "io/sys/file.h"
#include "prog/assay-agent/attest.h"
#include "prog/assay-agent/dial.h"
#include "prog/assay-agent/measure.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	(void)strcpy(dir, "/tmp/ay-agent-XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
	char cmd[96];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

static const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static const char *put(const char *name, struct ay_bytes b)
{
	const char *path = path_of(name);

	assert_int_equal(ay_file_write(path, 0600, b, NULL), AY_OK);
	return path;
}

/* Two entries in the octets of the kernel's binary list. */
static struct ay_bytes two_entries(void)
{
	/* PCR 10, template hash, "ima-ng", data of 4 and of 2 octets */
	return t_hex("0a000000 000102030405060708090a0b0c0d0e0f10111213 06000000 696d612d6e67"
		     "04000000 aabbccdd"
		     "0a000000 000102030405060708090a0b0c0d0e0f10111213 06000000 696d612d6e67"
		     "02000000 eeff");
}

static void ima_is_cut_at_entries(void **state)
{
	struct ay_bytes l = two_entries();

	(void)state;
	assert_int_equal(l.n, 42 + 40);
	for (size_t max = 0; max < 42; max++)
		assert_int_equal(ay_measure_ima_cut(l, max), 0);
	for (size_t max = 42; max < l.n; max++)
		assert_int_equal(ay_measure_ima_cut(l, max), 42);
	assert_int_equal(ay_measure_ima_cut(l, l.n), l.n);
	assert_int_equal(ay_measure_ima_cut(l, l.n + 100), l.n);
}

static void ima_from_offset(void **state)
{
	struct ay_bytes l = two_entries();
	const char *path = put("ima", l);
	struct ay_measured m;

	(void)state;
	ay_measure_ima(path, 42, 1, 1 << 20, &m);
	assert_int_equal(m.state, AY_CHAN_LOG_FOLLOWS);
	assert_int_equal(m.offset, 42);
	assert_int_equal(m.entries, 1);
	assert_int_equal(m.bytes.n, 40);
	ay_measured_fini(&m);

	/* Nothing new. */
	ay_measure_ima(path, l.n, 2, 1 << 20, &m);
	assert_int_equal(m.state, AY_CHAN_LOG_AS_KNOWN);
	ay_measured_fini(&m);

	/* Shorter than what the server knows: the whole list, and the server judges it. */
	ay_measure_ima(path, l.n + 1, 3, 1 << 20, &m);
	assert_int_equal(m.state, AY_CHAN_LOG_FOLLOWS);
	assert_int_equal(m.offset, 0);
	assert_int_equal(m.entries, 0);
	assert_int_equal(m.bytes.n, l.n);
	ay_measured_fini(&m);

	ay_measure_ima("", 0, 0, 1 << 20, &m);
	assert_int_equal(m.state, AY_CHAN_LOG_NONE);
	ay_measure_ima("/nonexistent/list", 0, 0, 1 << 20, &m);
	assert_int_equal(m.state, AY_CHAN_LOG_NONE);
	ay_measure_ima(dir, 0, 0, 1 << 20, &m);
	assert_int_equal(m.state, AY_CHAN_LOG_UNREADABLE);
}

static void boot_log_by_hash(void **state)
{
	struct ay_bytes log = ay_bytes_of("log");
	const char *path = put("log", log);
	uint8_t hash[32] = { 0 };
	struct ay_measured m;

	(void)state;
	ay_measure_boot_log(path, hash, &m);
	assert_int_equal(m.state, AY_CHAN_LOG_FOLLOWS);
	assert_int_equal(m.bytes.n, 3);
	ay_measured_fini(&m);
	ay_sha256(log, hash);
	ay_measure_boot_log(path, hash, &m);
	assert_int_equal(m.state, AY_CHAN_LOG_AS_KNOWN);
	assert_int_equal(m.bytes.n, 0);
}

static void boot_id(void **state)
{
	struct ay_uuid u;

	(void)state;
	assert_int_equal(ay_measure_boot_id("/proc/sys/kernel/random/boot_id", &u, NULL), AY_OK);
	assert_int_equal(ay_measure_boot_id(put("id", ay_bytes_of("no uuid\n")), &u, NULL),
			 AY_E_INPUT);
}

static void changed_values(void **state)
{
	struct ay_pcrs last = { 0 }, now = { 0 }, out;
	uint8_t a[32] = { 1 }, b[32] = { 2 };

	(void)state;
	for (unsigned pcr = 0; pcr < 3; pcr++) {
		assert_int_equal(ay_pcrs_set(&last, AY_ALG_SHA256, pcr, AY_BYTES(a), NULL), AY_OK);
		assert_int_equal(ay_pcrs_set(&now, AY_ALG_SHA256, pcr,
					     pcr == 1 ? AY_BYTES(b) : AY_BYTES(a), NULL),
				 AY_OK);
	}
	ay_attest_changed(&last, &now, &out);
	assert_int_equal(out.n_banks, 1);
	assert_int_equal(out.bank[0].have, 1u << 1);
	assert_memory_equal(out.bank[0].value[1], b, 32);
	ay_attest_changed(&now, &now, &out);
	assert_int_equal(out.n_banks, 0);
}

/* An identity is what it was after a restart, and nobody else may read it. */
static void identity_round_trip(void **state)
{
	struct ay_identity id, back;
	struct stat st;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_identity_load(path_of("none.json"), &id, &e), AY_OK);
	assert_false(id.enrolled);
	id.enrolled = true;
	memset(id.host.b, 7, 16);
	(void)strcpy(id.name, "host-1");
	memset(id.pins.root, 1, 32);
	memset(id.pins.ca, 2, 32);
	memset(id.pins.order, 3, 32);
	id.n_servers = 1;
	(void)strcpy(id.servers[0], "server.example:7443");
	id.ak.ek_nv = 0x01c0000a;
	id.ak.pub = ay_bytes_of("public");
	id.ak.priv = ay_bytes_of("private");
	id.cert = ay_bytes_of("certificate");
	id.ends_at_ms = 1900000000000;
	id.renew_at_ms = 1800000000000;
	assert_int_equal(ay_identity_save(path_of("id.json"), &id, &e), AY_OK);
	assert_int_equal(stat(path_of("id.json"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	assert_int_equal(ay_identity_load(path_of("id.json"), &back, &e), AY_OK);
	assert_true(back.enrolled);
	assert_true(back.pins.known);
	assert_memory_equal(back.host.b, id.host.b, 16);
	assert_string_equal(back.name, "host-1");
	assert_memory_equal(back.pins.order, id.pins.order, 32);
	assert_int_equal(back.n_servers, 1);
	assert_string_equal(back.servers[0], "server.example:7443");
	assert_true(ay_bytes_eq(back.ak.priv, id.ak.priv));
	assert_true(ay_bytes_eq(back.cert, id.cert));
	assert_int_equal(back.root_der.n, 0);
	assert_int_equal(back.renew_at_ms, id.renew_at_ms);
	ay_identity_fini(&back);

	put("id.json", ay_bytes_of("{\"host\":1}"));
	assert_int_equal(ay_identity_load(path_of("id.json"), &back, &e), AY_E_INPUT);
	assert_false(back.enrolled);
}

static void pauses_grow_and_differ(void **state)
{
	struct ay_dialer d = { .n_servers = 1 };

	(void)state;
	assert_in_range(ay_dialer_pause_ms(&d, 0), 125, 125);
	assert_in_range(ay_dialer_pause_ms(&d, 249), 374, 374);
	for (d.failures = 0; d.failures < 100; d.failures++)
		for (uint32_t r = 0; r < 100000; r += 997)
			assert_in_range(ay_dialer_pause_ms(&d, r), 125, 45000);
	assert_true(ay_dialer_pause_ms(&d, 0) >= 15000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ima_is_cut_at_entries),  cmocka_unit_test(ima_from_offset),
		cmocka_unit_test(boot_log_by_hash),	  cmocka_unit_test(boot_id),
		cmocka_unit_test(changed_values),	  cmocka_unit_test(identity_round_trip),
		cmocka_unit_test(pauses_grow_and_differ),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
