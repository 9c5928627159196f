/* SPDX-License-Identifier: Apache-2.0 */
/* A boot against a learned set: each change is named by its event, its code and its cause. */
#include "support/t.h"

#include "boot_fixture.h"
#include "core/appraise/causes.h"
#include "core/appraise/report_json.h"

#define PLAT_OS (AY_COMP_BIT(AY_COMP_PLATFORM) | AY_COMP_BIT(AY_COMP_OS))

static struct ay_arena arena;
static struct boot good, seen;
static struct ay_refset *set;
static struct ay_policy *policy;
static struct ay_report rep;

static int setup(void **state)
{
	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	boot_init(&good);
	boot_make(&good, &arena);
	set = boot_learn(&good, "good");
	set->state = AY_SET_ACTIVE;
	boot_init(&seen);
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

static struct ay_state_in input(void)
{
	static const struct ay_refset *sets[1];
	struct ay_state_in in = { .pcrs = &seen.pcrs,
				  .log_given = AY_LOG_IS_GIVEN,
				  .log = &seen.log,
				  .sets = sets,
				  .n_sets = 1,
				  .policy = policy };

	sets[0] = set;
	ay_sha256(seen.octets, in.log_sha256);
	return in;
}

static void judge(const struct ay_state_in *in)
{
	struct ay_err e = { 0 };

	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_state(in, &rep, &e), AY_OK);
	assert_int_equal(ay_report_conclude(&rep, PLAT_OS, &e), AY_OK);
	ay_causes_find(&rep, in->log);
}

static size_t count(enum ay_check code, enum ay_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < rep.n_findings; i++)
		n += rep.finding[i].code == code && rep.finding[i].result == result;
	return n;
}

static bool has_cause(const char *class)
{
	for (size_t i = 0; i < rep.n_causes; i++)
		if (strcmp(rep.cause[i].class, class) == 0)
			return true;
	return false;
}

static void change(const char *name, const char *data, const char *content)
{
	struct boot_event *ev = &seen.ev[boot_find(&seen, name)];

	if (data != NULL)
		ev->data = data;
	if (content != NULL)
		ev->content = content;
}

/* One event changed: exactly that one is named. */
static const struct {
	const char *name;
	const char *event, *data, *content;
	enum ay_component component;
	unsigned pcr;
	const char *cause;
} changes[] = {
	{ "initrd with a rootkit", "/boot/initrd.gz", NULL, "initrd with more", AY_COMP_OS, 9,
	  "initrd" },
	{ "another kernel", "/boot/vmlinuz", NULL, "kernel 2", AY_COMP_OS, 9, "kernel" },
	{ "two words more on the command line", "kernel_cmdline",
	  "kernel_cmdline: /vmlinuz root=/dev/vda1 ro init=/bin/sh",
	  "/vmlinuz root=/dev/vda1 ro init=/bin/sh", AY_COMP_OS, 8, "cmdline" },
	{ "another shim", "path1", NULL, "shim 2", AY_COMP_OS, 4, "bootloader" },
	{ "another kernel image", "path3", NULL, "kernel 2", AY_COMP_OS, 4, "kernel" },
	{ "Secure Boot off", "SecureBoot", "\x02", NULL, AY_COMP_PLATFORM, 7, "secure_boot" },
	{ "one certificate more in db", "db", "keys and one", NULL, AY_COMP_PLATFORM, 7, "db" },
	{ "dbx updated", "dbx", "revoked and more", NULL, AY_COMP_PLATFORM, 7, "dbx" },
	{ "boot entry changed", "Boot0001", "entry 2", NULL, AY_COMP_PLATFORM, 1, "boot_order" },
	{ "firmware updated", "firmware 1.0", "firmware 1.1", NULL, AY_COMP_PLATFORM, 0,
	  "firmware" },
};

static void test_changed_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(changes); i++) {
		struct ay_state_in in;
		const struct ay_finding *f;
		size_t at;

		print_message("state: %s\n", changes[i].name);
		boot_init(&seen);
		at = boot_find(&seen, changes[i].event);
		change(changes[i].event, changes[i].data, changes[i].content);
		boot_make(&seen, &arena);
		in = input();
		judge(&in);
		assert_int_equal(rep.verdict, AY_UNTRUSTED);
		assert_int_equal(rep.component[changes[i].component].verdict, AY_UNTRUSTED);
		assert_int_equal(count(AY_CHECK_REF_EVENT, AY_FAIL), 1);
		assert_int_equal(count(AY_CHECK_REF_PCR, AY_FAIL), 2); /* both banks */
		assert_int_equal(count(AY_CHECK_LOG_PCR_MISMATCH, AY_FAIL), 0);
		f = ay_report_find(&rep, AY_CHECK_REF_EVENT);
		assert_int_equal(f->pcr, changes[i].pcr);
		assert_int_equal(f->event, at + 1); /* the header is event 0 */
		assert_int_equal(strlen(f->expected), 64);
		assert_int_equal(strlen(f->measured), 64);
		assert_int_equal(rep.n_causes, 1);
		assert_string_equal(rep.cause[0].class, changes[i].cause);
	}
}

static void test_same_boot_is_trusted(void **state)
{
	struct ay_state_in in;

	(void)state;
	boot_make(&seen, &arena);
	in = input();
	judge(&in);
	assert_int_equal(rep.verdict, AY_TRUSTED);
	assert_int_equal(rep.n_causes, 0);
	assert_int_equal(rep.n_references, 1);
	assert_string_equal(rep.policy.name, "default");
	assert_int_equal(rep.component[AY_COMP_OS].grade, AY_GRADE_TPM_SIGNED);
}

/* Every value and every event is in the coverage, with a rule. */
static void test_coverage_is_whole(void **state)
{
	struct ay_state_in in;
	size_t values = 0, events = 0;

	(void)state;
	boot_make(&seen, &arena);
	in = input();
	judge(&in);
	for (size_t i = 0; i < rep.n_coverage; i++) {
		assert_non_null(rep.coverage[i].rule);
		values += rep.coverage[i].event < 0;
		events += rep.coverage[i].event >= 0;
	}
	assert_int_equal(values, 2 * 22);
	assert_int_equal(events, BASE_EVENTS);
}

static void test_added_and_missing(void **state)
{
	struct boot_event extra = { 9, AY_EV_IPL, "/boot/extra", NULL, "extra" };
	struct ay_state_in in;

	(void)state;
	boot_insert(&seen, boot_find(&seen, "/boot/initrd.gz"), extra);
	boot_make(&seen, &arena);
	in = input();
	judge(&in);
	assert_int_equal(count(AY_CHECK_REF_ADDED, AY_FAIL), 1);
	assert_int_equal(count(AY_CHECK_REF_EVENT, AY_FAIL), 0);
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_UNTRUSTED);

	boot_init(&seen);
	boot_remove(&seen, boot_find(&seen, "/boot/vmlinuz"));
	boot_make(&seen, &arena);
	in = input();
	judge(&in);
	assert_int_equal(count(AY_CHECK_REF_MISSING, AY_FAIL), 1);
	assert_int_equal(count(AY_CHECK_REF_EVENT, AY_FAIL), 0);
	assert_true(has_cause("kernel"));
}

/*
 * A set without PCR values (events only): what an operator writes to accept
 * several kernels. Then the three event checks stand alone.
 */
static struct ay_refset *events_only(void)
{
	struct ay_refset *out;
	json_t *j = ay_refset_json(set, true), *list;
	const char *part;

	json_object_del(j, "sha256");
	json_object_set_new(j, "state", json_string("active"));
	json_object_foreach (json_object_get(j, "parts"), part, list)
		for (size_t i = json_array_size(list); i-- > 0;)
			if (strcmp(json_string_value(
					   json_object_get(json_array_get(list, i), "kind")),
				   "pcr") == 0)
				json_array_remove(list, i);
	assert_int_equal(ay_refset_from_json(j, &out, NULL), AY_OK);
	json_decref(j);
	return out;
}

static void test_events_alone(void **state)
{
	struct ay_refset *only = events_only();
	const struct ay_refset *sets[] = { only };
	struct ay_state_in in;

	(void)state;
	boot_make(&seen, &arena);
	in = input();
	in.sets = sets;
	judge(&in);
	assert_int_equal(rep.verdict, AY_TRUSTED);

	change("/boot/initrd.gz", NULL, "other");
	boot_make(&seen, &arena);
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNTRUSTED); /* REF_EVENT */

	boot_init(&seen);
	boot_remove(&seen, boot_find(&seen, "/boot/initrd.gz"));
	boot_make(&seen, &arena);
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNTRUSTED); /* REF_MISSING */

	boot_init(&seen);
	boot_insert(&seen, seen.n, (struct boot_event){ 9, AY_EV_IPL, "x", NULL, "y" });
	boot_make(&seen, &arena);
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNTRUSTED); /* REF_ADDED */
	ay_refset_free(only);
}

/* Values alone, no events: REF_PCR decides. */
static void test_values_alone(void **state)
{
	struct ay_learn_from from = { .pcrs = &good.pcrs };
	struct ay_learn_options opt = { .name = "values" };
	struct ay_refset *values;
	const struct ay_refset *sets[1];
	struct ay_state_in in;

	(void)state;
	assert_int_equal(ay_refset_learn(&from, &opt, &values, NULL), AY_OK);
	values->state = AY_SET_ACTIVE;
	sets[0] = values;
	change("/boot/initrd.gz", NULL, "other");
	boot_make(&seen, &arena);
	in = input();
	in.sets = sets;
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_int_equal(count(AY_CHECK_REF_PCR, AY_FAIL), 2);
	ay_refset_free(values);
}

/* The log of a good boot beside the values of a bad one. */
static void test_log_that_lies(void **state)
{
	struct ay_state_in in;

	(void)state;
	boot_make(&seen, &arena);
	seen.pcrs.bank[1].value[9][0] ^= 1;
	in = input();
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_true(count(AY_CHECK_LOG_PCR_MISMATCH, AY_FAIL) >= 1);
	assert_true(has_cause("log_tampered"));
	for (size_t i = 0; i < rep.n_findings; i++) /* its events prove nothing for PCR 9 */
		if (rep.finding[i].code == AY_CHECK_REF_EVENT && rep.finding[i].pcr == 9)
			assert_int_not_equal(rep.finding[i].result, AY_PASS);
}

static void test_without_log(void **state)
{
	static const char allow[] =
		"{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
		"\"required\":[\"platform\",\"os\"],"
		"\"allow_no_log\":{\"owner\":\"ann\",\"reason\":\"GRUB without Secure Boot\"}}";
	struct ay_policy *may;
	struct ay_state_in in;

	(void)state;
	boot_make(&seen, &arena);
	in = input();
	in.log_given = AY_LOG_IS_ABSENT;
	in.log = NULL;
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_int_equal(count(AY_CHECK_QUOTE_WITHOUT_LOG, AY_NOT_CHECKED), 2);
	assert_true(has_cause("log_missing"));

	assert_int_equal(ay_policy_parse(ay_bytes_of(allow), &may, NULL), AY_OK);
	in.policy = may;
	judge(&in);
	assert_int_equal(rep.verdict, AY_TRUSTED); /* whole values match */
	seen.pcrs.bank[0].value[9][0] ^= 1;
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	ay_policy_free(may);
}

static void test_log_vanished(void **state)
{
	struct ay_state_in in;

	(void)state;
	boot_make(&seen, &arena);
	in = input();
	in.log_given = AY_LOG_HAS_VANISHED;
	in.log = NULL;
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_int_equal(count(AY_CHECK_LOG_VANISHED, AY_FAIL), 1);
	assert_true(has_cause("log_missing"));
}

static void test_log_refused(void **state)
{
	struct ay_err why = { .code = "LOG_TRUNCATED", .where = "log.event", .text = "cut" };
	struct ay_state_in in;

	(void)state;
	boot_make(&seen, &arena);
	in = input();
	in.log_given = AY_LOG_IS_REFUSED;
	in.log = NULL;
	in.log_error = &why;
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_true(count(AY_CHECK_LOG_TRUNCATED, AY_FAIL) >= 1);
	assert_true(has_cause("malformed"));
}

static void test_nothing_to_compare_with(void **state)
{
	static const enum ay_set_state not_in_force[] = { AY_SET_DRAFT, AY_SET_SUPERSEDED,
							  AY_SET_REVOKED };
	struct ay_state_in in;

	(void)state;
	boot_make(&seen, &arena);
	in = input();
	in.n_sets = 0;
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_int_equal(count(AY_CHECK_REF_NONE, AY_NOT_CHECKED), 2);
	assert_true(has_cause("no_policy"));
	in.n_sets = 1;
	for (size_t i = 0; i < AY_COUNT(not_in_force); i++) {
		set->state = not_in_force[i];
		judge(&in);
		assert_int_equal(rep.verdict, AY_UNKNOWN);
	}
	in.offline = true; /* given by hand */
	judge(&in);
	assert_int_equal(rep.verdict, AY_TRUSTED);
}

/* An empty component: values for os only. REF_NONE keeps platform from a pass. */
static void test_part_without_set(void **state)
{
	struct ay_learn_from from = { .pcrs = &good.pcrs, .log = &good.log };
	struct ay_learn_options opt = { .name = "os", .parts = AY_PART_BIT(AY_PART_OS) };
	struct ay_refset *os;
	const struct ay_refset *sets[1];
	struct ay_state_in in;

	(void)state;
	assert_int_equal(ay_refset_learn(&from, &opt, &os, NULL), AY_OK);
	os->state = AY_SET_ACTIVE;
	sets[0] = os;
	boot_make(&seen, &arena);
	in = input();
	in.sets = sets;
	judge(&in);
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_TRUSTED);
	assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, AY_UNKNOWN);
	assert_int_equal(count(AY_CHECK_REF_NONE, AY_NOT_CHECKED), 1);
	ay_refset_free(os);
}

static void test_no_policy(void **state)
{
	struct ay_state_in in;

	(void)state;
	boot_make(&seen, &arena);
	in = input();
	in.policy = NULL;
	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_state(&in, &rep, NULL), AY_OK);
	assert_int_equal(ay_policy_required(NULL, in.sets, in.n_sets, false, 0), 0);
	assert_int_equal(ay_report_conclude(&rep, 0, NULL), AY_OK);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_int_equal(count(AY_CHECK_NO_POLICY, AY_NOT_CHECKED), 1);
}

/* A policy that requires nothing says so under identity, which every host needs. */
static void test_empty_policy_denies(void **state)
{
	static const char text[] = "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
				   "\"required\":[]}";
	struct ay_policy *p;
	struct ay_state_in in;

	(void)state;
	assert_int_equal(ay_policy_parse(ay_bytes_of(text), &p, NULL), AY_OK);
	boot_make(&seen, &arena);
	in = input();
	in.policy = p;
	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_state(&in, &rep, NULL), AY_OK);
	ay_report_add(&rep, AY_CHECK_QUOTE_NONCE, AY_PASS, NULL, NULL);
	assert_int_equal(ay_report_conclude(&rep, 0, NULL), AY_OK);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_int_equal(ay_report_conclude(&rep, AY_COMP_BIT(AY_COMP_IDENTITY), NULL), AY_OK);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	ay_policy_free(p);
}

/* Two kernels in use: either set will do; a third is told against the nearest one. */
static void test_one_of_several_sets(void **state)
{
	static struct boot other;
	struct ay_refset *two;
	const struct ay_refset *sets[2];
	struct ay_state_in in;

	(void)state;
	boot_init(&other);
	other.ev[boot_find(&other, "/boot/initrd.gz")].content = "initrd 2";
	other.ev[boot_find(&other, "/boot/vmlinuz")].content = "kernel 2";
	boot_make(&other, &arena);
	two = boot_learn(&other, "two");
	two->state = AY_SET_ACTIVE;
	sets[0] = set;
	sets[1] = two;
	memcpy(&seen, &other, sizeof(seen));
	boot_make(&seen, &arena);
	in = input();
	in.sets = sets;
	in.n_sets = 2;
	judge(&in);
	assert_int_equal(rep.verdict, AY_TRUSTED);

	change("/boot/initrd.gz", NULL, "rootkit");
	boot_make(&seen, &arena);
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_int_equal(count(AY_CHECK_REF_EVENT, AY_FAIL), 1); /* not also the kernel */
	assert_int_equal(rep.n_causes, 1);
	assert_string_equal(rep.cause[0].class, "initrd");
	ay_refset_free(two);
}

static void test_policy_names_sets(void **state)
{
	static const char text[] = "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
				   "\"required\":[\"platform\",\"os\"],\"references\":[\"other\"]}";
	struct ay_policy *p;
	struct ay_state_in in;

	(void)state;
	assert_int_equal(ay_policy_parse(ay_bytes_of(text), &p, NULL), AY_OK);
	boot_make(&seen, &arena);
	in = input();
	in.policy = p;
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_int_equal(count(AY_CHECK_REF_STATE, AY_NOT_CHECKED), 1);
	ay_policy_free(p);
}

/* The set knows two banks, the quote has one. */
static void test_bank_not_quoted(void **state)
{
	struct ay_state_in in;

	(void)state;
	boot_make(&seen, &arena);
	seen.pcrs.bank[0].have = 0;
	in = input();
	judge(&in);
	assert_int_equal(rep.verdict, AY_UNKNOWN);
	assert_true(count(AY_CHECK_REF_PCR, AY_NOT_CHECKED) > 0);
	in.offline = true;
	judge(&in);
	assert_int_equal(count(AY_CHECK_QUOTE_SELECTION, AY_FAIL), 22 - 1); /* 10 has no value */
}

/* Genuine firmware measures other data than it logs: recorded once, it is a note. */
static void test_recorded_mismatch(void **state)
{
	struct boot_event odd = { 7, AY_EV_EFI_ACTION, "text", NULL, "something else" };
	static struct boot b;
	struct ay_refset *s;
	const struct ay_refset *sets[1];
	struct ay_state_in in;

	(void)state;
	boot_init(&b);
	boot_insert(&b, 3, odd);
	boot_make(&b, &arena);
	s = boot_learn(&b, "odd");
	s->state = AY_SET_ACTIVE;
	sets[0] = s;
	memcpy(&seen, &b, sizeof(seen));
	boot_make(&seen, &arena);
	in = input();
	in.sets = sets;
	judge(&in);
	assert_int_equal(rep.verdict, AY_TRUSTED);
	in = input(); /* a set that did not record it */
	judge(&in);
	assert_int_equal(count(AY_CHECK_LOG_EVENT_DATA, AY_FAIL), 1);
	ay_refset_free(s);
}

static void test_weak_log(void **state)
{
	static const char text[] = "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
				   "\"required\":[\"platform\"],\"refuse_weak_log\":true}";
	struct ay_policy *p;
	struct ay_state_in in;

	(void)state;
	assert_int_equal(ay_policy_parse(ay_bytes_of(text), &p, NULL), AY_OK);
	seen.n_banks = 1; /* SHA-1 */
	boot_make(&seen, &arena);
	in = input();
	judge(&in);
	assert_int_equal(count(AY_CHECK_LOG_BANK_WEAK, AY_FAIL), 0);
	in.policy = p;
	judge(&in);
	assert_int_equal(count(AY_CHECK_LOG_BANK_WEAK, AY_FAIL), 1);
	ay_policy_free(p);
}

/* The key moves with every input and with nothing else. */
static void test_state_key(void **state)
{
	uint8_t one[32], two[32];
	struct ay_state_in in, other;
	struct ay_pcrs pcrs;
	struct ay_policy p;

	(void)state;
	boot_make(&seen, &arena);
	in = input();
	ay_state_key(&in, one);
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		pcrs = seen.pcrs;
		pcrs.bank[1].value[pcr][31] ^= 1;
		other = in;
		other.pcrs = &pcrs;
		ay_state_key(&other, two);
		assert_int_equal(memcmp(one, two, 32) != 0, (AY_PCR_BY_VALUE >> pcr & 1) != 0);
	}
#define MOVES(what)                                                                                \
	do {                                                                                       \
		other = in;                                                                        \
		what;                                                                              \
		ay_state_key(&other, two);                                                         \
		assert_memory_not_equal(one, two, 32);                                             \
	} while (0)
	MOVES(other.log_given = AY_LOG_IS_ABSENT);
	MOVES(other.log_sha256[0] ^= 1);
	MOVES(other.ima_pcrs = 1u << 11);
	MOVES(other.offline = true);
	MOVES(other.n_sets = 0);
	MOVES(other.policy = NULL);
	p = *policy;
	p.sha256[0] ^= 1;
	MOVES(other.policy = &p);
	set->state = AY_SET_REVOKED;
	MOVES((void)0);
	set->state = AY_SET_ACTIVE;
	set->sha256[0] ^= 1;
	MOVES((void)0);
}

/* Same input, same report, octet by octet. */
static void test_reproducible(void **state)
{
	struct ay_state_in in;
	struct ay_bytes one, two;

	(void)state;
	change("/boot/initrd.gz", NULL, "other");
	boot_make(&seen, &arena);
	in = input();
	judge(&in);
	one = ay_report_write(&rep, &arena);
	judge(&in);
	two = ay_report_write(&rep, &arena);
	assert_true(one.n > 0 && ay_bytes_eq(one, two));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_changed_event),
		T(test_same_boot_is_trusted),
		T(test_coverage_is_whole),
		T(test_added_and_missing),
		T(test_events_alone),
		T(test_values_alone),
		T(test_log_that_lies),
		T(test_without_log),
		T(test_log_vanished),
		T(test_log_refused),
		T(test_nothing_to_compare_with),
		T(test_part_without_set),
		T(test_no_policy),
		T(test_empty_policy_denies),
		T(test_one_of_several_sets),
		T(test_policy_names_sets),
		T(test_bank_not_quoted),
		T(test_recorded_mismatch),
		T(test_weak_log),
		T(test_state_key),
		T(test_reproducible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
