/* SPDX-License-Identifier: Apache-2.0 */
/* IMA lists against allow-lists: unknown files, violations, prefixes, lists that grow. */
#include "support/t.h"

#include "boot_fixture.h"
#include "core/appraise/causes.h"

#define RUNTIME AY_COMP_BIT(AY_COMP_RUNTIME)

static struct ay_arena arena;
static struct boot boot;
static struct ima list;
static struct ay_policy *policy;
static struct ay_refset *set;
static const struct ay_refset *sets[1];
static struct ay_report rep;
static struct ay_ima_tally tally;

/* Values with PCR 10 as the list leads to. */
static void attest(struct ay_pcrs *out, struct ay_bytes octets, bool padded)
{
	struct ay_ima_state s;
	struct ay_ima_run run;

	*out = boot.pcrs;
	ay_ima_state_init_for(&s, out, padded);
	assert_int_equal(ay_ima_replay(&s, octets, 0, &run, &arena, NULL), AY_OK);
	if (padded)
		ay_ima_state_apply_padded(&run.now, out);
	else
		ay_ima_state_apply(&run.now, out);
}

static void good_list(struct ima *m)
{
	ima_init(m);
	ima_aggregate(m, &boot.pcrs);
	ima_file(m, "/init", "init");
	ima_file(m, "/bin/sh", "shell");
}

static int setup(void **state)
{
	struct ay_learn_from from = { .pcrs = &boot.pcrs };
	struct ay_learn_options opt = { .name = "files" };

	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	memset(&tally, 0, sizeof(tally));
	boot_init(&boot);
	boot_make(&boot, &arena);
	good_list(&list);
	from.ima = list.octets;
	assert_int_equal(ay_refset_learn(&from, &opt, &set, NULL), AY_OK);
	set->state = AY_SET_ACTIVE;
	sets[0] = set;
	return ay_policy_default(&policy, NULL) == AY_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ay_refset_free(set);
	ay_policy_free(policy);
	ay_arena_fini(&arena);
	return 0;
}

/* One attestation: the whole list from its first entry, or what is new after `last`. */
struct turn {
	struct ay_pcrs pcrs;
	struct ay_ima_run run;
	struct ay_runtime_in in;
};

static void turn_init(struct turn *t, const struct ay_ima_state *last, struct ay_bytes piece,
		      bool padded)
{
	struct ay_ima_state s;

	if (last == NULL)
		ay_ima_state_init_for(&s, &boot.pcrs, padded);
	else
		s = *last;
	assert_int_equal(ay_ima_replay(&s, piece, 16, &t->run, &arena, NULL), AY_OK);
	t->in = (struct ay_runtime_in){ .pcrs = &t->pcrs,
					.run = &t->run,
					.list = piece,
					.sets = sets,
					.n_sets = 1,
					.policy = policy,
					.padded = padded };
	t->in.fits = ay_ima_run_fit(&t->run, &t->pcrs, padded);
}

static void judge(struct turn *t)
{
	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_runtime(&t->in, &tally, &rep, NULL), AY_OK);
	assert_int_equal(ay_report_conclude(&rep, RUNTIME, NULL), AY_OK);
	ay_causes_find(&rep, NULL);
}

static void judge_whole(void)
{
	static struct turn t;

	attest(&t.pcrs, list.octets, false);
	turn_init(&t, NULL, list.octets, false);
	judge(&t);
}

static size_t count(enum ay_check code, enum ay_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < rep.n_findings; i++)
		n += rep.finding[i].code == code && rep.finding[i].result == result;
	return n;
}

static void test_same_list(void **state)
{
	(void)state;
	judge_whole();
	assert_int_equal(rep.verdict, AY_TRUSTED);
	assert_int_equal(tally.entries, 3);
	assert_int_equal(tally.n[AY_IMA_KNOWN], 2);
	assert_int_equal(rep.component[AY_COMP_RUNTIME].grade, AY_GRADE_LOG_REPLAYED);
}

static void test_unknown_file(void **state)
{
	const struct ay_finding *f;

	(void)state;
	ima_file(&list, "/tmp/evil", "evil");
	judge_whole();
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	f = ay_report_find(&rep, AY_CHECK_REF_IMA);
	assert_non_null(f);
	assert_int_equal(f->entry, 4);
	assert_string_equal(f->path, "/tmp/evil");
	assert_int_equal(strlen(f->measured), 64);
	assert_string_equal(rep.cause[0].class, "unknown_file");
}

/* A known digest under another name is the same file. */
static void test_path_is_not_compared(void **state)
{
	(void)state;
	ima_file(&list, "/usr/bin/dash", "shell");
	judge_whole();
	assert_int_equal(rep.verdict, AY_TRUSTED);
}

static void test_more_violations_than_learned(void **state)
{
	static const uint8_t zero[32];

	(void)state;
	ima_add(&list, "/var/log/x", AY_BYTES(zero), true);
	judge_whole();
	assert_int_equal(count(AY_CHECK_IMA_VIOLATION, AY_FAIL), 1);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
}

/* Only boot_aggregate: nothing was measured, so nothing is healthy. */
static void test_list_of_one_line(void **state)
{
	(void)state;
	ima_init(&list);
	ima_aggregate(&list, &boot.pcrs);
	judge_whole();
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_int_equal(count(AY_CHECK_REF_IMA, AY_NOT_CHECKED), 1);
}

static void test_list_that_does_not_replay(void **state)
{
	static struct turn t;

	(void)state;
	attest(&t.pcrs, list.octets, false);
	t.pcrs.bank[1].value[10][0] ^= 1;
	turn_init(&t, NULL, list.octets, false);
	assert_false(t.in.fits);
	judge(&t);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_int_equal(count(AY_CHECK_IMA_PCR, AY_FAIL) > 0, 1);
	assert_int_equal(tally.entries, 0); /* nothing of it was judged */
	assert_string_equal(rep.cause[0].class, "log_tampered");
}

/* Entries after the quoted state are not judged: an unknown file there is the next answer's. */
static void test_tail_is_not_judged(void **state)
{
	static struct turn t;
	struct ay_bytes quoted = list.octets;

	(void)state;
	attest(&t.pcrs, quoted, false);
	ima_file(&list, "/tmp/evil", "evil");
	turn_init(&t, NULL, list.octets, false);
	assert_true(t.in.fits);
	judge(&t);
	assert_int_equal(rep.verdict, AY_TRUSTED);
	assert_int_equal(tally.entries, 3);
	assert_int_equal(count(AY_CHECK_IMA_UNATTESTED_TAIL, AY_PASS), 1);
}

/* A list in two pieces is judged as one; the first piece is not needed again. */
static void test_growing_list(void **state)
{
	static struct turn one, two;
	size_t first = list.octets.n;
	struct ay_bytes rest;
	struct ay_ima_tally again;
	uint8_t wire[AY_TALLY_WIRE_MAX];
	struct ay_bytes w_out;
	struct ay_writer w;

	(void)state;
	attest(&one.pcrs, list.octets, false);
	turn_init(&one, NULL, list.octets, false);
	judge(&one);
	ay_wr_init(&w, wire, sizeof(wire)); /* kept as octets between */
	ay_tally_write(&w, &tally);
	assert_int_equal(ay_wr_end(&w, "tally", &w_out, NULL), AY_OK);
	assert_int_equal(ay_tally_parse(w_out, &again, NULL), AY_OK);
	assert_memory_equal(&again, &tally, sizeof(tally));

	ima_file(&list, "/tmp/evil", "evil");
	rest = (struct ay_bytes){ list.octets.p + first, list.octets.n - first };
	attest(&two.pcrs, list.octets, false);
	turn_init(&two, &one.run.now, rest, false);
	judge(&two);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_int_equal(ay_report_find(&rep, AY_CHECK_REF_IMA)->entry, 4);

	turn_init(&one, &two.run.now, (struct ay_bytes){ 0 }, false);
	one.in.pcrs = &two.pcrs;
	one.in.fits = true;
	judge(&one); /* nothing new: what was found stays found */
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_int_equal(ay_report_find(&rep, AY_CHECK_REF_IMA)->entry, 4);
}

/* Other sets than the tally was made with: the whole list is asked for, no verdict before. */
static void test_other_sets_need_whole_list(void **state)
{
	static struct turn t;

	(void)state;
	judge_whole();
	set->sha256[0] ^= 1;
	attest(&t.pcrs, list.octets, false);
	turn_init(&t, NULL, list.octets, false);
	t.run.from = t.run.now.entries;
	t.in.list = (struct ay_bytes){ 0 };
	judge(&t);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_int_equal(count(AY_CHECK_IMA_CONTINUITY, AY_NOT_CHECKED), 1);
	judge_whole();
	assert_int_equal(rep.verdict, AY_TRUSTED);
}

static void test_padded_bank(void **state)
{
	static const char text[] =
		"{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
		"\"required\":[\"runtime\"],\"ima\":{\"allow_padded_bank\":true}}";
	static struct turn t;
	struct ay_policy *may;

	(void)state;
	attest(&t.pcrs, list.octets, true);
	turn_init(&t, NULL, list.octets, true);
	assert_true(t.in.fits);
	judge(&t);
	assert_int_equal(count(AY_CHECK_IMA_PADDED_BANK, AY_FAIL), 1);
	assert_int_equal(ay_policy_parse(ay_bytes_of(text), &may, NULL), AY_OK);
	t.in.policy = may;
	memset(&tally, 0, sizeof(tally));
	judge(&t);
	assert_int_equal(count(AY_CHECK_IMA_PADDED_BANK, AY_PASS), 1);
	ay_policy_free(may);
}

static void test_no_set_no_list(void **state)
{
	static struct turn t;

	(void)state;
	attest(&t.pcrs, list.octets, false);
	turn_init(&t, NULL, list.octets, false);
	t.in.n_sets = 0;
	judge(&t);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_int_equal(count(AY_CHECK_REF_NONE, AY_NOT_CHECKED), 1);
	t.in.run = NULL;
	judge(&t);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_int_equal(count(AY_CHECK_IMA_ABSENT, AY_NOT_CHECKED), 1);
}

static void test_refused_list(void **state)
{
	static struct turn t;
	struct ay_err why = { .code = "IMA_TRUNCATED", .where = "ima", .text = "cut" };

	(void)state;
	attest(&t.pcrs, list.octets, false);
	turn_init(&t, NULL, list.octets, false);
	t.in.ima_error = &why;
	judge(&t);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_int_equal(count(AY_CHECK_IMA_TRUNCATED, AY_FAIL), 1);
}

/* runtime is required only because a set in force has it (default policy). */
static void test_required_if_reference(void **state)
{
	(void)state;
	assert_int_not_equal(ay_policy_required(policy, sets, 1, false, 0) & RUNTIME, 0);
	set->state = AY_SET_REVOKED;
	assert_int_equal(ay_policy_required(policy, sets, 1, false, 0) & RUNTIME, 0);
	assert_int_equal(ay_policy_required(policy, sets, 0, false, 0) & RUNTIME, 0);
}

static void test_tally_prefixes_are_refused(void **state)
{
	uint8_t wire[AY_TALLY_WIRE_MAX];
	struct ay_ima_tally out;
	struct ay_bytes b;
	struct ay_writer w;

	(void)state;
	ima_file(&list, "/tmp/evil", "evil");
	judge_whole();
	ay_wr_init(&w, wire, sizeof(wire));
	ay_tally_write(&w, &tally);
	assert_int_equal(ay_wr_end(&w, "tally", &b, NULL), AY_OK);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(ay_tally_parse((struct ay_bytes){ wire, n }, &out, NULL),
				 AY_E_INPUT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_same_list),
		T(test_unknown_file),
		T(test_path_is_not_compared),
		T(test_more_violations_than_learned),
		T(test_list_of_one_line),
		T(test_list_that_does_not_replay),
		T(test_tail_is_not_judged),
		T(test_growing_list),
		T(test_other_sets_need_whole_list),
		T(test_padded_bank),
		T(test_no_set_no_list),
		T(test_refused_list),
		T(test_required_if_reference),
		T(test_tally_prefixes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
