/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_fixture.h"

#include "core/appraise/secure_boot.h"

static struct ay_arena arena;

static int setup(void **state)
{
	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ay_arena_fini(&arena);
	return 0;
}

static const uint8_t global_guid[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
					 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
static const uint8_t db_guid[16] = { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
				     0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f };
static const uint8_t shim_guid[16] = { 0x50, 0xab, 0x5d, 0x60, 0x46, 0xe0, 0x00, 0x43,
				       0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23 };
static const uint8_t sha256_type[16] = { 0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40,
					 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28 };

/* One event of PCR 7 as firmware makes it. measured: instead of the whole structure. */
struct var_event {
	const uint8_t *guid; /* NULL: the separator */
	const char *name;
	struct ay_bytes value, measured;
};

struct boot7 {
	uint8_t data[16][1024];
	uint8_t digest[16][32];
	struct ay_event event[16];
	struct ay_evlog log;
	struct ay_pcrs pcrs;
	struct ay_boot_facts facts;
};

static void add(struct boot7 *b, const struct var_event *v)
{
	static const uint8_t zeros[4];
	size_t i = b->log.n_events++;
	struct ay_event *ev = &b->event[i];
	struct ay_writer w;

	ev->pcr = 7;
	ev->type = v->guid == NULL ? AY_EV_SEPARATOR : AY_EV_EFI_VARIABLE_DRIVER_CONFIG;
	ay_wr_init(&w, b->data[i], sizeof(b->data[i]));
	if (v->guid == NULL) {
		ay_wr_bytes(&w, AY_BYTES(zeros));
	} else {
		ay_wr_bytes(&w, (struct ay_bytes){ v->guid, 16 });
		ay_wr_le64(&w, strlen(v->name));
		ay_wr_le64(&w, v->value.n);
		for (const char *c = v->name; *c != '\0'; c++)
			ay_wr_le16(&w, (uint8_t)*c);
		ay_wr_bytes(&w, v->value);
	}
	assert_int_equal(ay_wr_end(&w, "event", &ev->data, NULL), AY_OK);
	ay_sha256(v->measured.p != NULL ? v->measured : ev->data, b->digest[i]);
	ev->digest[0] = b->digest[i];
}

static void begin(struct boot7 *b)
{
	static const uint8_t value[32] = { 7 };

	memset(b, 0, sizeof(*b));
	b->log = (struct ay_evlog){
		.format = AY_EVLOG_AGILE, .n_banks = 1, .bank = { AY_ALG_SHA256 }, .event = b->event
	};
	assert_int_equal(ay_pcrs_set(&b->pcrs, AY_ALG_SHA256, 7, AY_BYTES(value), NULL), AY_OK);
	b->facts = (struct ay_boot_facts){ .pcrs = &b->pcrs, .log = &b->log };
}

/* A dbx of n hashes, the k-th of them octets of k. */
static struct ay_bytes make_dbx(uint8_t *buf, size_t room, unsigned n)
{
	uint8_t hash[32], owner[16] = { 9 };
	struct ay_bytes out;
	struct ay_writer w;

	ay_wr_init(&w, buf, room);
	ay_wr_bytes(&w, AY_BYTES(sha256_type));
	ay_wr_le32(&w, 28 + 48 * n);
	ay_wr_le32(&w, 0);
	ay_wr_le32(&w, 48);
	for (unsigned i = 1; i <= n; i++) {
		memset(hash, (int)i, sizeof(hash));
		ay_wr_bytes(&w, AY_BYTES(owner));
		ay_wr_bytes(&w, AY_BYTES(hash));
	}
	assert_int_equal(ay_wr_end(&w, "dbx", &out, NULL), AY_OK);
	return out;
}

static enum ay_result result(struct boot7 *b, const struct ay_sb_demands *d, enum ay_check code)
{
	enum ay_result worst = AY_PASS;
	struct ay_report rep;
	size_t n = 0;

	ay_report_init(&rep, &arena);
	ay_check_secure_boot(d, &b->facts, &rep);
	for (size_t i = 0; i < rep.n_findings; i++) {
		assert_int_equal(rep.finding[i].code, code);
		assert_int_equal(rep.finding[i].component, AY_COMP_PLATFORM);
		if (rep.finding[i].result < worst)
			worst = rep.finding[i].result;
		n++;
	}
	assert_true(n > 0);
	return worst;
}

static const uint8_t one[1] = { 1 }, zero[1] = { 0 }, two[1] = { 2 };
#define VALUE(v)                                                                                   \
	{                                                                                          \
		(v), sizeof(v)                                                                     \
	}
#define SB(v)                                                                                      \
	{                                                                                          \
		global_guid, "SecureBoot", VALUE(v),                                               \
		{                                                                                  \
			NULL, 0                                                                    \
		}                                                                                  \
	}
#define SEPARATOR                                                                                  \
	{                                                                                          \
		NULL, NULL, { NULL, 0 },                                                           \
		{                                                                                  \
			NULL, 0                                                                    \
		}                                                                                  \
	}

/* Is Secure Boot on? */
static const struct {
	const char *name;
	struct var_event ev[4];
	size_t n;
	enum ay_result on, off;
} states[] = {
	{ "on", { SB(one), SEPARATOR }, 2, AY_PASS, AY_FAIL },
	{ "off", { SB(zero), SEPARATOR }, 2, AY_FAIL, AY_PASS },
	{ "a value that is neither", { SB(two), SEPARATOR }, 2, AY_FAIL, AY_FAIL },
	{ "nothing measured", { SEPARATOR }, 1, AY_FAIL, AY_FAIL },
	{ "off, and written as on afterwards",
	  { SB(zero), SEPARATOR, SB(one) },
	  3,
	  AY_FAIL,
	  AY_FAIL },
	{ "on, extended by somebody after the firmware",
	  { SEPARATOR, SB(one) },
	  2,
	  AY_FAIL,
	  AY_FAIL },
	{ "on, without a separator", { SB(one) }, 1, AY_FAIL, AY_FAIL },
	{ "data says on, digest is that of off",
	  { { global_guid, "SecureBoot", VALUE(one), VALUE(zero) }, SEPARATOR },
	  2,
	  AY_FAIL,
	  AY_FAIL },
	{ "digest over the value alone: any variable of value 1 could be renamed",
	  { { global_guid, "SecureBoot", VALUE(one), VALUE(one) }, SEPARATOR },
	  2,
	  AY_FAIL,
	  AY_FAIL },
	{ "a variable of another vendor with that name",
	  { { shim_guid, "SecureBoot", VALUE(one), { NULL, 0 } }, SEPARATOR },
	  2,
	  AY_FAIL,
	  AY_FAIL },
	{ "a name that begins so",
	  { { global_guid, "SecureBootX", VALUE(one), { NULL, 0 } }, SEPARATOR },
	  2,
	  AY_FAIL,
	  AY_FAIL },
};

static void test_state(void **state)
{
	const struct ay_sb_demands on = { .state = AY_SB_ON }, off = { .state = AY_SB_OFF };
	struct boot7 b;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(states); i++) {
		print_message("Secure Boot: %s\n", states[i].name);
		begin(&b);
		for (size_t k = 0; k < states[i].n; k++)
			add(&b, &states[i].ev[k]);
		assert_int_equal(result(&b, &on, AY_CHECK_SB_STATE), states[i].on);
		assert_int_equal(result(&b, &off, AY_CHECK_SB_STATE), states[i].off);
	}
}

/* The log says on, and nothing vouches for the log. */
static void test_nothing_vouches(void **state)
{
	const struct ay_sb_demands on = { .state = AY_SB_ON };
	const struct var_event ev[] = { SB(one), SEPARATOR };
	struct ay_pcrs other = { 0 };
	struct boot7 b;

	(void)state;
	begin(&b);
	add(&b, &ev[0]);
	add(&b, &ev[1]);
	assert_int_equal(result(&b, &on, AY_CHECK_SB_STATE), AY_PASS);
	b.facts.unexplained = 1u << 7;
	assert_int_equal(result(&b, &on, AY_CHECK_SB_STATE), AY_FAIL);
	b.facts.unexplained = 0;
	b.facts.pcrs = &other; /* PCR 7 was not quoted */
	assert_int_equal(result(&b, &on, AY_CHECK_SB_STATE), AY_FAIL);
	b.facts.pcrs = &b.pcrs;
	b.facts.log = NULL;
	assert_int_equal(result(&b, &on, AY_CHECK_SB_STATE), AY_FAIL);
	b.facts.log = &b.log;
	b.event[0].pcr = 1;
	assert_int_equal(result(&b, &on, AY_CHECK_SB_STATE), AY_FAIL);
}

static void test_dbx(void **state)
{
	uint8_t buf[600], hash[2][32];
	struct ay_bytes value = make_dbx(buf, sizeof(buf), 3);
	struct ay_sb_demands d = { .dbx_min = 3 };
	const struct var_event separator = SEPARATOR;
	struct boot7 b;

	(void)state;
	begin(&b);
	add(&b, &(struct var_event){ db_guid, "dbx", value, { NULL, 0 } });
	add(&b, &separator);
	assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX), AY_PASS);
	d.dbx_min = 4;
	assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX), AY_FAIL);
	memset(hash[0], 1, 32);
	memset(hash[1], 3, 32);
	d = (struct ay_sb_demands){ .n_dbx = 2, .dbx = hash };
	assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX), AY_PASS);
	memset(hash[1], 4, 32);
	assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX), AY_FAIL);

	/* a shorter one measured later does not hide behind the first */
	memset(hash[1], 3, 32);
	value = make_dbx(buf, sizeof(buf), 2);
	add(&b, &(struct var_event){ db_guid, "dbx", value, { NULL, 0 } });
	assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX), AY_FAIL);

	begin(&b); /* lists that do not fill the value */
	value = make_dbx(buf, sizeof(buf), 3);
	value.n--;
	add(&b, &(struct var_event){ db_guid, "dbx", value, { NULL, 0 } });
	add(&b, &separator);
	d = (struct ay_sb_demands){ .dbx_min = 1 };
	assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX), AY_FAIL);

	begin(&b); /* a dbx that is not there is not an empty one that nobody minds */
	add(&b, &separator);
	assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX), AY_FAIL);
}

static const struct {
	const char *name;
	const char *level;
	enum ay_result is;
} levels[] = {
	{ "exactly", "sbat,1,2022111500\nshim,2\ngrub,3\n", AY_PASS },
	{ "more", "sbat,1,2023012900\nshim,4\ngrub,10\n", AY_PASS },
	{ "GRUB too old", "sbat,1,2022052400\nshim,2\ngrub,2\n", AY_FAIL },
	{ "no line for GRUB", "sbat,1,2021030218\nshim,2\n", AY_FAIL },
	{ "line twice", "shim,2\ngrub,2\ngrub,3\n", AY_FAIL },
	{ "no number", "shim,2\ngrub,x\n", AY_FAIL },
	{ "a number that does not fit", "shim,2\ngrub,99999999999\n", AY_FAIL },
	{ "name that begins so", "shim,2\ngrub.debian,9\n", AY_FAIL },
	{ "empty", "", AY_FAIL },
};

static void test_sbat(void **state)
{
	struct ay_sbat_level want[] = { { "shim", 2 }, { "grub", 3 } };
	const struct ay_sb_demands d = { .n_sbat = 2, .sbat = want };
	const struct var_event separator = SEPARATOR;
	struct boot7 b;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(levels); i++) {
		print_message("SBAT: %s\n", levels[i].name);
		begin(&b);
		add(&b, &separator);
		add(&b,
		    &(struct var_event){
			    shim_guid, "SbatLevel", ay_bytes_of(levels[i].level), { NULL, 0 } });
		assert_int_equal(result(&b, &d, AY_CHECK_SB_SBAT), levels[i].is);
	}
	begin(&b);
	add(&b, &separator);
	assert_int_equal(result(&b, &d, AY_CHECK_SB_SBAT), AY_FAIL);
}

/* Real logs; what tpm2_eventlog 5.4 shows of PCR 7 in each: SecureBoot, size of dbx, SbatLevel. */
static const struct {
	const char *file;
	enum ay_sb_state state;
	bool has_sbat;	/* "sbat,1,2021030218" */
	uint32_t n_dbx; /* signatures in dbx, counted in what tpm2_eventlog gives of it */
} real[] = {
	{ "ubuntu-2104-no-secure-boot.bin", AY_SB_OFF, true, 186 },
	{ "ubuntu-2104-no-dbx.bin", AY_SB_OFF, true, 0 },
	{ "coreos_36_shielded_vm_no_secure_boot_eventlog.bin", AY_SB_OFF, true, 186 },
	{ "event-moklisttrusted.bin", AY_SB_ON, true, 1 },
	{ "h12ssl.bin", AY_SB_OFF, true, 77 },
	{ "keylime-bios.bin", AY_SB_OFF, true, 460 },
	{ "rhel8-uefi.bin", AY_SB_ON, false, 186 },
	{ "cos-85-amd-sev.bin", AY_SB_ON, false, 4 },
	{ "sb_cert_eventlog.bin", AY_SB_ON, false, 77 },
	{ "glinux-alex.bin", AY_SB_OFF, false, 77 },
};

static void test_real_logs(void **state)
{
	/* the first hash of every list that Microsoft gave out */
	uint8_t revoked[32];
	struct ay_sbat_level sbat = { "sbat", 1 };
	struct ay_pcrs replayed;
	struct ay_evlog log;
	char path[120];

	(void)state;
	memcpy(revoked, t_hex("80b4d96931bf0d02fd91a61e19d14f1da452e66db2408ca8604d411f92659f0a").p,
	       32);
	for (size_t i = 0; i < AY_COUNT(real); i++) {
		struct ay_sb_demands d = { .state = real[i].state };
		struct boot7 b = { 0 };

		snprintf(path, sizeof(path), "eventlogs/%s", real[i].file);
		print_message("real log: %s\n", real[i].file);
		assert_int_equal(
			ay_evlog_parse(t_corpus_file("secure_boot", path), &arena, &log, NULL),
			AY_OK);
		memset(&replayed, 0, sizeof(replayed));
		assert_int_equal(ay_evlog_replay(&log, &replayed, NULL), AY_OK);
		b.facts = (struct ay_boot_facts){ .pcrs = &replayed, .log = &log };
		assert_int_equal(result(&b, &d, AY_CHECK_SB_STATE), AY_PASS);
		d.state = real[i].state == AY_SB_ON ? AY_SB_OFF : AY_SB_ON;
		assert_int_equal(result(&b, &d, AY_CHECK_SB_STATE), AY_FAIL);
		d = (struct ay_sb_demands){ .dbx_min = real[i].n_dbx + 1 };
		assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX), AY_FAIL);
		d.dbx_min = real[i].n_dbx;
		if (real[i].n_dbx > 0)
			assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX), AY_PASS);
		d = (struct ay_sb_demands){ .n_dbx = 1, .dbx = &revoked };
		assert_int_equal(result(&b, &d, AY_CHECK_SB_DBX),
				 real[i].n_dbx > 4 ? AY_PASS : AY_FAIL);
		d = (struct ay_sb_demands){ .n_sbat = 1, .sbat = &sbat };
		assert_int_equal(result(&b, &d, AY_CHECK_SB_SBAT),
				 real[i].has_sbat ? AY_PASS : AY_FAIL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state),	  cmocka_unit_test(test_nothing_vouches),
		cmocka_unit_test(test_dbx),	  cmocka_unit_test(test_sbat),
		cmocka_unit_test(test_real_logs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
