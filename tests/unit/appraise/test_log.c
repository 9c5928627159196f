/* SPDX-License-Identifier: Apache-2.0 */
/* Single changes to a boot log, each with its code (facts/tamper-matrix.md 3). */
#include "support/t.h"

#include "core/appraise/check_log.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"
#include "unit/evlog/make.h"

#include <stdio.h>

#define ALL_BANKS 7u
#define SHA256_ONLY 2u

/* What the TPM would attest after the boot that b describes: all PCRs, untouched ones at reset. */
static struct ay_pcrs attest(const struct t_boot *b, unsigned banks)
{
	struct ay_pcrs out = { 0 };

	for (size_t k = 0; k < T_BANKS; k++) {
		struct ay_pcr_bank *p;

		if ((banks >> k & 1) == 0)
			continue;
		p = ay_pcrs_bank(&out, t_banks[k]);
		*p = *ay_pcrs_find(&b->log.pcrs, t_banks[k]);
		for (unsigned pcr = 17; pcr <= 22; pcr++)
			if ((p->have >> pcr & 1) == 0)
				memset(p->value[pcr], 0xff, ay_alg_digest_size(p->alg));
		p->have = (1u << AY_PCR_COUNT) - 1;
	}
	return out;
}

static void judge(const struct t_list *l, const struct ay_pcrs *attested, struct ay_arena *arena,
		  struct ay_report *rep)
{
	struct ay_evlog log;
	struct ay_pcrs replayed;
	struct ay_err e = { 0 };

	ay_report_init(rep, arena);
	if (ay_evlog_parse(t_list_bytes(l), arena, &log, &e) != AY_OK) {
		ay_check_log_refused(&e, rep);
		return;
	}
	assert_int_equal(ay_evlog_replay(&log, &replayed, &e), AY_OK);
	ay_evlog_check_data(&log);
	ay_check_log_shape(&log, NULL, rep);
	ay_check_log_data(&log, NULL, rep);
	ay_check_log_pcrs(&log, attested, &replayed, 1u << 10, rep);
}

static const struct ay_finding *find(const struct ay_report *rep, enum ay_check code,
				     enum ay_result result)
{
	for (size_t i = 0; i < rep->n_findings; i++)
		if (rep->finding[i].code == code && rep->finding[i].result == result)
			return &rep->finding[i];
	return NULL;
}

static size_t count_fails(const struct ay_report *rep)
{
	size_t n = 0;

	for (size_t i = 0; i < rep->n_findings; i++)
		n += rep->finding[i].result == AY_FAIL;
	return n;
}

/* ---- the changes ---- */

static void flip(struct t_boot *b, size_t at)
{
	b->log.buf[at] ^= 1;
}

static void none(struct t_boot *b)
{
	(void)b;
}

static void digest_sha256(struct t_boot *b)
{
	flip(b, b->app.digest[1]);
}

static void digest_sha1(struct t_boot *b)
{
	flip(b, b->action.digest[0]);
}

static void data_separator(struct t_boot *b)
{
	flip(b, b->separator[3].data);
}

static void data_action(struct t_boot *b)
{
	flip(b, b->action.data + 3);
}

static void data_variable(struct t_boot *b)
{
	flip(b, b->variable.end - 1);
}

static void data_variable_name(struct t_boot *b)
{
	flip(b, b->variable.data + 32);
}

static void data_value(struct t_boot *b)
{
	flip(b, b->value_only.end - 1);
}

static void data_grub(struct t_boot *b)
{
	flip(b, b->grub.end - 1);
}

static void put32(struct t_boot *b, size_t at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		b->log.buf[at + i] = (uint8_t)(v >> (8 * i));
}

static void type_variable(struct t_boot *b)
{
	put32(b, b->separator[3].type, AY_EV_EFI_VARIABLE_BOOT);
}

static void type_unknown(struct t_boot *b)
{
	put32(b, b->file.type, 0x12345);
}

static void pcr_4_to_5(struct t_boot *b)
{
	put32(b, b->app.start, 5);
}

static void pcr_30(struct t_boot *b)
{
	put32(b, b->app.start, 30);
}

static void pcr_huge(struct t_boot *b)
{
	put32(b, b->app.start, 0xffffffff);
}

static void size_huge(struct t_boot *b)
{
	put32(b, b->app.size, 0xfffffff0);
}

static void size_more(struct t_boot *b)
{
	b->log.buf[b->app.size]++;
}

static void size_more_last(struct t_boot *b)
{
	b->log.buf[b->exit_done.size]++;
}

static void size_less(struct t_boot *b)
{
	b->log.buf[b->app.size]--;
}

static void count_0(struct t_boot *b)
{
	put32(b, b->app.count, 0);
}

static void count_4(struct t_boot *b)
{
	put32(b, b->app.count, 4);
}

static void count_huge(struct t_boot *b)
{
	put32(b, b->exit_done.count, 0xffffffff);
}

static void alg_unknown(struct t_boot *b)
{
	b->log.buf[b->app.digest[1] - 2] = 0x7f;
}

static void alg_twice(struct t_boot *b)
{
	b->log.buf[b->app.digest[1] - 2] = AY_ALG_SHA1;
}

static void removed(struct t_boot *b)
{
	t_cut(&b->log, b->app.start, b->app.end);
}

static void duplicated(struct t_boot *b)
{
	uint8_t copy[512];

	memcpy(copy, b->log.buf + b->app.start, b->app.end - b->app.start);
	t_insert(&b->log, b->app.end, copy, b->app.end - b->app.start);
}

/* The event at a comes behind the one at c, whatever is between them. */
static void move_behind(struct t_boot *b, const struct t_event *a, const struct t_event *c)
{
	uint8_t copy[512];
	size_t n = a->end - a->start;

	memcpy(copy, b->log.buf + a->start, n);
	t_insert(&b->log, c->end, copy, n);
	t_cut(&b->log, a->start, a->end);
}

static void swapped_same(struct t_boot *b)
{
	move_behind(b, &b->exit_start, &b->exit_done);
}

static void swapped_other(struct t_boot *b)
{
	move_behind(b, &b->grub, &b->file);
}

static void no_pcr_9(struct t_boot *b)
{
	t_cut(&b->log, b->file.start, b->file.end);
}

static void header_only(struct t_boot *b)
{
	b->log.n = b->version.start;
}

static void cut_inside(struct t_boot *b)
{
	b->log.n = b->exit_done.digest[1] + 3;
}

static void cut_at_event(struct t_boot *b)
{
	b->log.n = b->exit_done.start;
}

static void header_signature(struct t_boot *b)
{
	flip(b, 32 + 3);
}

static void header_signature_version(struct t_boot *b)
{
	b->log.buf[32 + 14] = '4';
}

static void header_version(struct t_boot *b)
{
	b->log.buf[32 + 21] = 3;
}

static void header_65535(struct t_boot *b)
{
	put32(b, 32 + 24, 65535);
}

static void header_size(struct t_boot *b)
{
	b->log.buf[32 + 28 + 6] = 20;
}

static void header_twice(struct t_boot *b)
{
	uint8_t data[64];

	memcpy(data, b->log.buf + 32, 45);
	t_log_event(&b->log, 0, 3, (struct ay_bytes){ data, 41 }, (struct ay_bytes){ data, 41 });
}

static void header_second(struct t_boot *b)
{
	uint8_t copy[512];
	size_t n = b->version.end - b->version.start;

	memcpy(copy, b->log.buf + b->version.start, n);
	t_cut(&b->log, b->version.start, b->version.end);
	t_insert(&b->log, 0, copy, n);
}

static void header_pcr(struct t_boot *b)
{
	b->log.buf[0] = 1;
}

static void header_type(struct t_boot *b)
{
	b->log.buf[4] = 4;
}

static void put_locality(struct t_boot *b, size_t at, uint8_t v)
{
	struct t_list tmp = { 0 };
	uint8_t d[17] = "StartupLocality";

	d[16] = v;
	t_log_event(&tmp, 0, 3, (struct ay_bytes){ d, 17 }, (struct ay_bytes){ d, 17 });
	t_insert(&b->log, at, tmp.buf, tmp.n);
}

static void locality_3(struct t_boot *b)
{
	put_locality(b, b->version.start, 3);
}

static void locality_late(struct t_boot *b)
{
	put_locality(b, b->version.end, 3);
}

static void locality_twice(struct t_boot *b)
{
	put_locality(b, b->version.start, 3);
	put_locality(b, b->version.start, 3);
}

static void locality_1(struct t_boot *b)
{
	put_locality(b, b->version.start, 1);
}

static void locality_2(struct t_boot *b)
{
	put_locality(b, b->version.start, 2);
}

static void locality_5(struct t_boot *b)
{
	put_locality(b, b->version.start, 5);
}

static void pad(struct t_boot *b, int octet, size_t n)
{
	memset(b->log.buf + b->log.n, octet, n);
	b->log.n += n;
}

static void padded_00(struct t_boot *b)
{
	pad(b, 0x00, 64);
}

static void padded_ff(struct t_boot *b)
{
	pad(b, 0xff, 64);
}

static void padded_one(struct t_boot *b)
{
	pad(b, 0x00, 1);
}

static void trailing_aa(struct t_boot *b)
{
	pad(b, 0xaa, 64);
}

static void trailing_text(struct t_boot *b)
{
	t_put(&b->log, "some other octets", 17);
}

static void trailing_after_padding(struct t_boot *b)
{
	pad(b, 0x00, 64);
	pad(b, 0x01, 1);
}

static void zero_digests(struct t_boot *b)
{
	struct t_event at = t_log_plain(&b->log, 4, AY_EV_EFI_BOOT_SERVICES_DRIVER, "");

	for (size_t k = 0; k < T_BANKS; k++)
		memset(b->log.buf + at.digest[k], 0, ay_alg_digest_size(t_banks[k]));
}

static void no_dbx(struct t_boot *b)
{
	t_cut(&b->log, b->value_only.start, b->value_only.end);
}

/* These happened: the TPM's values follow. */
static void separator_twice(struct t_boot *b)
{
	t_log_separator(&b->log, 2);
}

static void after_separator(struct t_boot *b)
{
	t_log_plain(&b->log, 0, AY_EV_EFI_PLATFORM_FIRMWARE_BLOB, "late firmware");
}

static void after_exit(struct t_boot *b)
{
	t_log_event(&b->log, 4, AY_EV_EFI_BOOT_SERVICES_APPLICATION, ay_bytes_of("late"),
		    ay_bytes_of("an image load event, long enough to be one"));
}

static void config_after_separator(struct t_boot *b)
{
	t_cut(&b->log, b->exit_start.start, b->log.n);
	t_log_variable(&b->log, 7, AY_EV_EFI_VARIABLE_DRIVER_CONFIG, "SecureBoot", "\1", 1);
}

static void launch(struct t_boot *b)
{
	t_log_plain(&b->log, 17, AY_EV_TXT_HASH_START, "sinit");
	t_log_plain(&b->log, 17, 0x404, "mle");
	t_log_plain(&b->log, 18, 0x410, "key");
}

static void launch_without_start(struct t_boot *b)
{
	t_log_plain(&b->log, 17, 0x404, "mle");
}

static const struct {
	const char *name;
	void (*change)(struct t_boot *b);
	unsigned banks;
	const char *code; /* "": nothing fails */
	int pcr;	  /* of the finding; -1: not looked at */
} fails[] = {
	{ "unchanged", none, ALL_BANKS, "", -1 },
	{ "digest bit in the quoted bank", digest_sha256, SHA256_ONLY, "LOG_PCR_MISMATCH", 4 },
	{ "digest bit in another bank", digest_sha1, SHA256_ONLY, "LOG_BANK_INCONSISTENT", 4 },
	{ "data bit of a separator", data_separator, ALL_BANKS, "LOG_EVENT_DATA", 3 },
	{ "data bit of an action", data_action, ALL_BANKS, "LOG_EVENT_DATA", 4 },
	{ "data bit of a variable", data_variable, ALL_BANKS, "LOG_EVENT_DATA", 7 },
	{ "name of a variable", data_variable_name, ALL_BANKS, "LOG_EVENT_DATA", 7 },
	{ "value of a variable hashed alone", data_value, ALL_BANKS, "LOG_EVENT_DATA", 7 },
	{ "data bit of a GRUB command", data_grub, ALL_BANKS, "LOG_EVENT_DATA", 8 },
	{ "PCR 4 to 5", pcr_4_to_5, ALL_BANKS, "LOG_PCR_MISMATCH", 4 },
	{ "PCR 30", pcr_30, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "PCR 0xffffffff", pcr_huge, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "size 0xfffffff0", size_huge, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "size and one", size_more, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "size and one in the last event", size_more_last, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "size less one", size_less, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "no digests", count_0, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "four digests", count_4, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "four billion digests", count_huge, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "unknown algorithm", alg_unknown, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "algorithm twice", alg_twice, ALL_BANKS, "LOG_MALFORMED", -1 },
	{ "event removed", removed, ALL_BANKS, "LOG_PCR_MISMATCH", 4 },
	{ "event duplicated", duplicated, ALL_BANKS, "LOG_PCR_MISMATCH", 4 },
	{ "two of one PCR swapped", swapped_same, ALL_BANKS, "LOG_PCR_MISMATCH", 5 },
	{ "two of different PCRs swapped", swapped_other, ALL_BANKS, "", -1 },
	{ "all events of PCR 9 removed", no_pcr_9, ALL_BANKS, "LOG_PCR_NO_EVENTS", 9 },
	{ "header only", header_only, ALL_BANKS, "LOG_PCR_NO_EVENTS", 0 },
	{ "truncated inside an event", cut_inside, ALL_BANKS, "LOG_TRUNCATED", -1 },
	{ "truncated at an event", cut_at_event, ALL_BANKS, "LOG_PCR_MISMATCH", 5 },
	{ "header signature", header_signature, ALL_BANKS, "LOG_HEADER", -1 },
	{ "header signature of version 04", header_signature_version, ALL_BANKS, "LOG_HEADER", -1 },
	{ "header version", header_version, ALL_BANKS, "LOG_HEADER", -1 },
	{ "65535 algorithms", header_65535, ALL_BANKS, "LOG_HEADER", -1 },
	{ "wrong digest size", header_size, ALL_BANKS, "LOG_HEADER", -1 },
	{ "second header", header_twice, ALL_BANKS, "LOG_HEADER", -1 },
	{ "header not first", header_second, ALL_BANKS, "LOG_HEADER", -1 },
	{ "header of PCR 1", header_pcr, ALL_BANKS, "LOG_HEADER", -1 },
	{ "header not EV_NO_ACTION", header_type, ALL_BANKS, "LOG_HEADER", -1 },
	{ "StartupLocality 3 inserted", locality_3, ALL_BANKS, "LOG_PCR_MISMATCH", 0 },
	{ "StartupLocality after the first extend", locality_late, ALL_BANKS, "LOG_LOCALITY", -1 },
	{ "StartupLocality twice", locality_twice, ALL_BANKS, "LOG_LOCALITY", -1 },
	{ "StartupLocality 1", locality_1, ALL_BANKS, "LOG_LOCALITY", -1 },
	{ "StartupLocality 2", locality_2, ALL_BANKS, "LOG_LOCALITY", -1 },
	{ "StartupLocality 5", locality_5, ALL_BANKS, "LOG_LOCALITY", -1 },
	{ "64 octets 0x00", padded_00, ALL_BANKS, "", -1 },
	{ "64 octets 0xaa", trailing_aa, ALL_BANKS, "LOG_TRAILING", -1 },
	{ "text after the end", trailing_text, ALL_BANKS, "LOG_TRAILING", -1 },
	{ "data after padding", trailing_after_padding, ALL_BANKS, "LOG_TRAILING", -1 },
	{ "dbx event removed", no_dbx, ALL_BANKS, "LOG_PCR_MISMATCH", 7 },
};

/* As fails, but the change was made before the TPM was asked. */
static const struct {
	const char *name;
	void (*change)(struct t_boot *b);
	const char *code;
	int pcr;
} happened[] = {
	{ "separator twice", separator_twice, "LOG_SEPARATOR", 2 },
	{ "PCR 0 after its separator", after_separator, "LOG_SEPARATOR", 0 },
	{ "PCR 4 after boot services ended", after_exit, "LOG_SEPARATOR", 4 },
	{ "SecureBoot measured after the separator", config_after_separator, "LOG_SEPARATOR", 7 },
	{ "a measured launch", launch, "", -1 },
	{ "PCR 17 without a launch", launch_without_start, "TXT_START", 17 },
};

static void expect_code(const struct ay_report *rep, const char *name, const char *code, int pcr)
{
	const struct ay_finding *f;

	print_message("log: %s\n", name);
	assert_int_equal(rep->fault, AY_OK);
	if (code[0] == '\0') {
		if (count_fails(rep) > 0)
			fail_msg("%s: %s", name, ay_check_row(rep->finding[0].code)->code);
		return;
	}
	f = find(rep, ay_check_find(ay_bytes_of(code)), AY_FAIL);
	if (f == NULL) {
		for (size_t i = 0; i < rep->n_findings; i++)
			if (rep->finding[i].result != AY_PASS)
				print_message("  %s %s\n", ay_check_row(rep->finding[i].code)->code,
					      rep->finding[i].text);
		fail_msg("%s: no %s", name, code);
	}
	if (pcr >= 0)
		assert_int_equal(f->pcr, pcr);
}

static void single_changes(void **state)
{
	static struct t_boot b;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(fails); i++) {
		struct ay_pcrs attested;
		struct ay_arena arena;
		struct ay_report rep;

		ay_arena_init(&arena, 4u << 20);
		t_boot_make(&b, -1);
		attested = attest(&b, fails[i].banks);
		fails[i].change(&b);
		judge(&b.log, &attested, &arena, &rep);
		expect_code(&rep, fails[i].name, fails[i].code, fails[i].pcr);
		ay_arena_fini(&arena);
	}
}

static void real_changes(void **state)
{
	static struct t_boot b;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(happened); i++) {
		struct ay_pcrs attested;
		struct ay_arena arena;
		struct ay_report rep;

		ay_arena_init(&arena, 4u << 20);
		t_boot_make(&b, 3);
		happened[i].change(&b);
		attested = attest(&b, ALL_BANKS);
		judge(&b.log, &attested, &arena, &rep);
		expect_code(&rep, happened[i].name, happened[i].code, happened[i].pcr);
		ay_arena_fini(&arena);
	}
}

/* An event that is in the log and was never extended: the values are those without it. */
static void never_extended(void **state)
{
	static struct t_boot b;
	struct ay_pcrs attested;
	struct ay_arena arena;
	struct ay_report rep;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	t_boot_make(&b, -1);
	attested = attest(&b, ALL_BANKS);
	zero_digests(&b);
	judge(&b.log, &attested, &arena, &rep);
	expect_code(&rep, "all-zero digests appended", "LOG_PCR_MISMATCH", 4);
	ay_arena_fini(&arena);
}

static const struct {
	const char *name;
	void (*change)(struct t_boot *b);
	unsigned banks;
	const char *code; /* of a note: result pass */
} notes[] = {
	{ "64 octets 0x00", padded_00, ALL_BANKS, "LOG_PADDING" },
	{ "64 octets 0xff", padded_ff, ALL_BANKS, "LOG_PADDING" },
	{ "one octet 0x00", padded_one, ALL_BANKS, "LOG_PADDING" },
	{ "bank that no quote covers", none, SHA256_ONLY, "LOG_BANK_UNATTESTED" },
	{ "separator called a variable", type_variable, ALL_BANKS, "LOG_EVENT_TYPE" },
	{ "unknown type", type_unknown, ALL_BANKS, "LOG_EVENT_TYPE" },
};

static void noted(void **state)
{
	static struct t_boot b;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(notes); i++) {
		struct ay_pcrs attested;
		struct ay_arena arena;
		struct ay_report rep;

		print_message("note: %s\n", notes[i].name);
		ay_arena_init(&arena, 4u << 20);
		t_boot_make(&b, -1);
		attested = attest(&b, notes[i].banks);
		notes[i].change(&b);
		judge(&b.log, &attested, &arena, &rep);
		assert_non_null(find(&rep, ay_check_find(ay_bytes_of(notes[i].code)), AY_PASS));
		assert_int_equal(count_fails(&rep), 0);
		ay_arena_fini(&arena);
	}
}

/* A mismatch that the reference recorded for this very event is a note. */
static bool known_event(const void *ctx, const struct ay_evlog *log, size_t event)
{
	return log->event[event].offset == *(const size_t *)ctx;
}

static void known_mismatch(void **state)
{
	static struct t_boot b;
	struct ay_known_mismatch known = { known_event, &b.action.start };
	struct ay_evlog log;
	struct ay_arena arena;
	struct ay_report rep;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	t_boot_make(&b, -1);
	data_action(&b);
	assert_int_equal(ay_evlog_parse(t_list_bytes(&b.log), &arena, &log, NULL), AY_OK);
	ay_evlog_check_data(&log);
	ay_report_init(&rep, &arena);
	ay_check_log_data(&log, &known, &rep);
	assert_int_equal(count_fails(&rep), 0);
	assert_non_null(find(&rep, AY_CHECK_LOG_EVENT_DATA, AY_PASS));
	data_grub(&b);
	ay_evlog_check_data(&log);
	ay_report_init(&rep, &arena);
	ay_check_log_data(&log, &known, &rep);
	assert_int_equal(count_fails(&rep), 1);
	ay_arena_fini(&arena);
}

/* Every proper prefix fails; a cut between events leaves PCRs unexplained. */
static void every_prefix(void **state)
{
	static struct t_boot b;
	struct ay_pcrs attested;

	(void)state;
	t_boot_make(&b, 3);
	attested = attest(&b, ALL_BANKS);
	for (size_t n = 0, all = b.log.n; n < all; n++) {
		struct ay_arena arena;
		struct ay_report rep;

		ay_arena_init(&arena, 4u << 20);
		b.log.n = n;
		judge(&b.log, &attested, &arena, &rep);
		assert_true(count_fails(&rep) > 0);
		ay_arena_fini(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_changes), cmocka_unit_test(real_changes),
		cmocka_unit_test(never_extended), cmocka_unit_test(noted),
		cmocka_unit_test(known_mismatch), cmocka_unit_test(every_prefix),
	};

	return cmocka_run_group_tests_name("appraise/log", tests, NULL, NULL);
}
