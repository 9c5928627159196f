/* SPDX-License-Identifier: Apache-2.0 */
/* TPM and host must tell one story of a boot: resets, resumes, the IMA list (facts/field.md 5). */
#include "support/t.h"

#include "core/appraise/check_boot.h"
#include "unit/evlog/make.h"

#include <stdio.h>

static const struct ay_boot_mark mark = {
	.known = true, .boot_id = { 1 }, .reset_count = 5, .restart_count = 2
};
static const struct ay_boot_mark none;
static const uint8_t same[16] = { 1 }, other[16] = { 2 };

static bool fails(const struct ay_report *rep, enum ay_check code)
{
	const struct ay_finding *f = ay_report_find(rep, code);

	return f && f->result == AY_FAIL;
}

static const struct {
	const char *name;
	const struct ay_boot_mark *last;
	const uint8_t *boot_id;
	uint32_t reset_count;
	enum ay_result want;
	enum ay_check code;
} boots[] = {
	{ "same boot", &mark, same, 5, AY_PASS, AY_CHECK_TPM_RESET },
	{ "reboot", &mark, other, 6, AY_PASS, AY_CHECK_TPM_RESET },
	{ "nine reboots", &mark, other, 14, AY_PASS, AY_CHECK_TPM_RESET },
	{ "TPM reset attack", &mark, same, 6, AY_FAIL, AY_CHECK_TPM_RESET },
	{ "fake reboot, or kexec", &mark, other, 5, AY_FAIL, AY_CHECK_BOOT_WITHOUT_RESET },
	{ "first evidence of a host", &none, other, 5, AY_PASS, AY_CHECK_NONE },
};

static void host_and_tpm_are_reset_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(boots); i++) {
		struct ay_counters now = { .known = true, .reset_count = boots[i].reset_count };
		struct ay_report rep;
		struct ay_arena a;

		print_message("%s\n", boots[i].name);
		ay_arena_init(&a, 1 << 20);
		ay_report_init(&rep, &a);
		assert_int_equal(ay_check_boot(boots[i].last, boots[i].boot_id, &now, &rep),
				 boots[i].want);
		assert_int_equal(fails(&rep, boots[i].code), boots[i].want == AY_FAIL);
		assert_int_equal(rep.n_findings, boots[i].last->known ? 1 : 0);
		ay_arena_fini(&a);
	}
}

/* ---- resume ---- */

static void extend(struct ay_pcrs *p, unsigned pcr)
{
	uint8_t d[AY_DIGEST_MAX];

	memset(d, 0x77, sizeof(d));
	t_extend(p, AY_ALG_SHA256, pcr, d);
}

static const struct {
	const char *name;
	uint32_t restart_count;
	int changed; /* PCR that is another one now; -1 none */
	bool zeroed; /* all of them */
	enum ay_result want;
} resumes[] = {
	{ "no resume", 2, -1, false, AY_PASS },
	{ "resume with the state saved", 3, -1, false, AY_PASS },
	{ "resume, PCRs zeroed", 3, -1, true, AY_FAIL },
	{ "resume, one PCR of the boot differs", 3, 0, false, AY_FAIL },
	{ "resume, the last PCR of the boot differs", 3, 9, false, AY_FAIL },
	{ "measured launch", 3, 17, false, AY_PASS },
	{ "IMA went on", 3, 10, false, AY_PASS },
	{ "no resume, and PCR 9 was extended", 2, 9, false, AY_PASS },
};

static void a_resume_keeps_the_pcrs_of_the_boot(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(resumes); i++) {
		struct ay_counters now = { .known = true,
					   .reset_count = 5,
					   .restart_count = resumes[i].restart_count };
		struct ay_pcrs before = { 0 }, after = { 0 };
		struct ay_report rep;
		struct ay_arena a;

		print_message("%s\n", resumes[i].name);
		ay_arena_init(&a, 1 << 20);
		ay_report_init(&rep, &a);
		for (unsigned pcr = 0; pcr < 24; pcr++)
			extend(&before, pcr);
		after = before;
		if (resumes[i].changed >= 0)
			extend(&after, (unsigned)resumes[i].changed);
		if (resumes[i].zeroed)
			memset(after.bank[0].value, 0, sizeof(after.bank[0].value));
		assert_int_equal(ay_check_restart(&mark, same, &now, &before, &after, &rep),
				 resumes[i].want);
		if (resumes[i].want == AY_FAIL)
			assert_true(fails(&rep, AY_CHECK_TPM_RESTART));
		/* another boot has other values, and that is no matter of a resume */
		assert_int_equal(ay_check_restart(&mark, other, &now, &before, &after, &rep),
				 AY_PASS);
		ay_arena_fini(&a);
	}
}

/* ---- what is stored ---- */

static void marks_as_octets(void **state)
{
	uint8_t buf[AY_BOOT_MARK_WIRE];
	struct ay_boot_mark m;
	struct ay_writer w;
	struct ay_bytes b;

	(void)state;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_boot_mark_write(&w, &mark);
	assert_int_equal(ay_wr_end(&w, "mark", &b, NULL), AY_OK);
	assert_memory_equal(b.p, t_hex("01000000000000000000000000000000 00000005 00000002").p, 24);
	assert_int_equal(ay_boot_mark_parse(b, &m, NULL), AY_OK);
	assert_true(ay_boot_mark_eq(&m, &mark));
	/* as it was stored before the counters were */
	assert_int_equal(ay_boot_mark_parse((struct ay_bytes){ buf, 16 }, &m, NULL), AY_OK);
	assert_false(m.known);
	for (size_t n = 0; n < 24; n++)
		if (n != 16)
			assert_int_equal(ay_boot_mark_parse((struct ay_bytes){ buf, n }, &m, NULL),
					 AY_E_INPUT);
}

/* ---- the IMA list of one boot only grows ---- */

#define ENTRIES 6

struct bed {
	struct t_list l;
	size_t end[ENTRIES];
	struct ay_ima_state before; /* after the fourth entry */
	struct ay_arena a;
};

static void bed_make(struct bed *b)
{
	static const struct ay_ima_bank banks[] = { { AY_ALG_SHA1, false },
						    { AY_ALG_SHA256, false } };
	struct ay_ima_state begin;
	struct ay_ima_run run;

	memset(b, 0, sizeof(*b));
	ay_arena_init(&b->a, 1 << 20);
	for (size_t i = 0; i < ENTRIES; i++) {
		char path[32];

		snprintf(path, sizeof(path), i == 0 ? "boot_aggregate" : "/usr/bin/p%zu", i);
		t_ima_ng(&b->l, 10, path);
		b->end[i] = b->l.n;
	}
	ay_ima_state_init(&begin, banks, AY_COUNT(banks));
	assert_int_equal(ay_ima_replay(&begin, (struct ay_bytes){ b->l.buf, b->end[3] }, 0, &run,
				       &b->a, NULL),
			 AY_OK);
	b->before = run.now;
}

static const struct {
	const char *name;
	size_t entries;	  /* that came */
	uint64_t covered; /* by the quote */
	size_t flip;	  /* octet of this entry (from 1) that is changed; 0: none */
	enum ay_result want;
} lists[] = {
	{ "as it was", 4, 4, 0, AY_PASS },
	{ "it grew", 6, 6, 0, AY_PASS },
	{ "it grew, the tail is not yet covered", 6, 5, 0, AY_PASS },
	{ "shorter", 3, 3, 0, AY_FAIL },
	{ "long, and the quote covers less than before", 6, 3, 0, AY_FAIL },
	{ "prefix changed", 6, 6, 2, AY_FAIL },
	{ "last verified entry changed", 6, 6, 4, AY_FAIL },
	{ "a later entry changed", 6, 6, 5, AY_PASS },
	{ "octets are missing", 3, 4, 0, AY_FAIL },
};

static void the_list_of_a_boot_only_grows(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(lists); i++) {
		struct ay_report rep;
		struct bed b;
		enum ay_rc rc;

		print_message("%s\n", lists[i].name);
		bed_make(&b);
		ay_report_init(&rep, &b.a);
		if (lists[i].flip)
			b.l.buf[b.end[lists[i].flip - 1] - 1] ^= 1; /* of its path */
		assert_int_equal(
			ay_check_ima_kept(&b.before,
					  (struct ay_bytes){ b.l.buf, b.end[lists[i].entries - 1] },
					  lists[i].covered, &b.a, &rep, &rc),
			lists[i].want);
		assert_int_equal(rc, AY_OK);
		if (lists[i].want == AY_FAIL)
			assert_true(fails(&rep, AY_CHECK_IMA_CONTINUITY));
		ay_arena_fini(&b.a);
	}
}

/* The quote may lag behind the list: the longest prefix that it covers is taken, never less than
 * what was verified before. */
static void the_longest_prefix_that_the_quote_covers(void **state)
{
	struct ay_ima_run run;
	struct ay_pcrs attested = { 0 };
	struct bed b;

	(void)state;
	for (size_t covered = 4; covered <= ENTRIES; covered++) {
		bed_make(&b);
		/* the PCR as the TPM has it, by the digests of the entries alone */
		for (size_t i = 0; i < covered; i++) {
			size_t data = (i == 0 ? 0 : b.end[i - 1]) + 28 + 6 + 4;
			uint8_t d[AY_DIGEST_MAX];

			t_digest(AY_ALG_SHA256, b.l.buf + data, b.end[i] - data, d);
			t_extend(&attested, AY_ALG_SHA256, 10, d);
		}
		assert_int_equal(
			ay_ima_replay(&b.before,
				      (struct ay_bytes){ b.l.buf + b.end[3], b.l.n - b.end[3] },
				      AY_MAX_IMA_PREFIXES, &run, &b.a, NULL),
			AY_OK);
		assert_int_equal(run.total, ENTRIES);
		for (;;) {
			if (memcmp(ay_ima_state_value(&run.now, AY_ALG_SHA256, false, 10).p,
				   ay_pcrs_value(&attested, AY_ALG_SHA256, 10).p, 32) == 0)
				break;
			assert_true(ay_ima_step_back(&run));
		}
		assert_int_equal(run.now.entries, covered);
		while (ay_ima_step_back(&run))
			;
		assert_int_equal(run.now.entries, 4);
		memset(&attested, 0, sizeof(attested));
		ay_arena_fini(&b.a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_and_tpm_are_reset_together),
		cmocka_unit_test(a_resume_keeps_the_pcrs_of_the_boot),
		cmocka_unit_test(marks_as_octets),
		cmocka_unit_test(the_list_of_a_boot_only_grows),
		cmocka_unit_test(the_longest_prefix_that_the_quote_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
