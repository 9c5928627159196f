/* SPDX-License-Identifier: Apache-2.0 */
/* Demands, waivers and update windows at work on a boot; what ends with time ends in memory too. */
#include "boot_fixture.h"

#include "core/appraise/waiver.h"
#include "core/base/hex.h"

#define PLAT_OS (AY_COMP_BIT(AY_COMP_PLATFORM) | AY_COMP_BIT(AY_COMP_OS))
#define UNTIL_MS INT64_C(1798761600000) /* 2027-01-01T00:00:00Z */

static struct ay_arena arena;
static struct boot good, seen;
static struct ay_refset *set;
static struct ay_report rep;
static char measured[65]; /* digest of the initrd with a rootkit, by OpenSSL's own function */

static int setup(void **state)
{
	static const char rootkit[] = "initrd with more";
	uint8_t digest[32];

	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	boot_init(&good);
	boot_make(&good, &arena);
	set = boot_learn(&good, "good");
	set->state = AY_SET_ACTIVE;
	boot_init(&seen);
	seen.ev[boot_find(&seen, "/boot/initrd.gz")].content = rootkit;
	boot_make(&seen, &arena);
	ay_sha256(ay_bytes_of(rootkit), digest);
	ay_hex_encode(AY_BYTES(digest), measured);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ay_refset_free(set);
	ay_arena_fini(&arena);
	return 0;
}

static struct ay_policy *policy_of(const char *members)
{
	char text[4096];
	struct ay_policy *p;
	struct ay_err e = { 0 };

	snprintf(text, sizeof(text),
		 "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
		 "\"required\":[\"platform\",\"os\"]%s%s}",
		 *members == '\0' ? "" : ",", members);
	if (ay_policy_parse(ay_bytes_of(text), &p, &e) != AY_OK)
		fail_msg("%s: %s", text, e.text);
	return p;
}

static struct ay_state_in input(const struct boot *b, const struct ay_policy *p, int64_t now_ms)
{
	static const struct ay_refset *sets[1];
	struct ay_state_in in = { .pcrs = &b->pcrs,
				  .log_given = AY_LOG_IS_GIVEN,
				  .log = &b->log,
				  .sets = sets,
				  .n_sets = 1,
				  .policy = p,
				  .now_ms = now_ms };

	sets[0] = set;
	ay_sha256(b->octets, in.log_sha256);
	return in;
}

static enum ay_verdict verdict_of(const struct ay_state_in *in)
{
	struct ay_err e = { 0 };

	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_state(in, &rep, &e), AY_OK);
	assert_int_equal(ay_appraise_conclude(in->policy, PLAT_OS, in->now_ms, &rep, &e), AY_OK);
	return rep.verdict;
}

static enum ay_verdict judge(const struct boot *b, const char *members, int64_t now_ms)
{
	struct ay_policy *p = policy_of(members);
	struct ay_state_in in = input(b, p, now_ms);
	enum ay_verdict v = verdict_of(&in);

	ay_policy_free(p);
	return v;
}

#define WAIVE(code, pcr, more, digest)                                                             \
	"\"waivers\":[{\"code\":\"" code "\",\"pcr\":" pcr "," more "\"measured\":\"" digest       \
	"\",\"owner\":\"ops\",\"reason\":\"ticket 7\",\"until\":\"2027-01-01T00:00:00Z\"}]"

/* What a waiver has to name, and until when it holds. %s: the digest that is measured. */
static const struct {
	const char *name, *members;
	int64_t now_ms;
	enum ay_verdict verdict;
} waivers[] = {
	{ "none", "", UNTIL_MS - 1, AY_UNTRUSTED },
	{ "exactly that", WAIVE("REF_EVENT", "9", "", "%s"), UNTIL_MS - 1, AY_TRUSTED },
	{ "exactly that, in its bank", WAIVE("REF_EVENT", "9", "\"bank\":\"sha256\",", "%s"),
	  UNTIL_MS - 1, AY_TRUSTED },
	{ "it has ended", WAIVE("REF_EVENT", "9", "", "%s"), UNTIL_MS, AY_UNTRUSTED },
	{ "long ago", WAIVE("REF_EVENT", "9", "", "%s"), UNTIL_MS * 2, AY_UNTRUSTED },
	{ "nobody knows the time", WAIVE("REF_EVENT", "9", "", "%s"), 0, AY_UNTRUSTED },
	{ "another PCR", WAIVE("REF_EVENT", "8", "", "%s"), UNTIL_MS - 1, AY_UNTRUSTED },
	{ "another bank", WAIVE("REF_EVENT", "9", "\"bank\":\"sha1\",", "%s"), UNTIL_MS - 1,
	  AY_UNTRUSTED },
	{ "another code", WAIVE("REF_ADDED", "9", "", "%s"), UNTIL_MS - 1, AY_UNTRUSTED },
	{ "another digest", WAIVE("REF_EVENT", "9", "", "00%s"), UNTIL_MS - 1, AY_UNTRUSTED },
	{ "another expected one", WAIVE("REF_EVENT", "9", "\"expected\":\"00\",", "%s"),
	  UNTIL_MS - 1, AY_UNTRUSTED },
	{ "a path that is not there", WAIVE("REF_EVENT", "9", "\"path\":\"/x\",", "%s"),
	  UNTIL_MS - 1, AY_UNTRUSTED },
};

static void test_waivers(void **state)
{
	char members[2048];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(waivers); i++) {
		const char *at = strstr(waivers[i].members, "%s");
		size_t head =
			at == NULL ? strlen(waivers[i].members) : (size_t)(at - waivers[i].members);

		print_message("waiver: %s\n", waivers[i].name);
		snprintf(members, sizeof(members), "%.*s%s%s", (int)head, waivers[i].members,
			 at == NULL ? "" : measured, at == NULL ? "" : at + 2);
		assert_int_equal(judge(&seen, members, waivers[i].now_ms), waivers[i].verdict);
	}
}

/* The report says who, why and until when, and what it was. */
static void test_waived_is_told(void **state)
{
	char members[1024];
	size_t n = 0;

	(void)state;
	snprintf(members, sizeof(members),
		 "\"waivers\":[{\"code\":\"REF_EVENT\",\"pcr\":9,\"measured\":\"%s\",\"owner\":"
		 "\"ops\",\"reason\":\"ticket 7\",\"until\":\"2027-01-01T00:00:00Z\"}]",
		 measured);
	assert_int_equal(judge(&seen, members, UNTIL_MS - 1), AY_TRUSTED);
	for (size_t i = 0; i < rep.n_findings; i++) {
		const struct ay_finding *f = &rep.finding[i];
		static const char begins[] =
			"waived by ops until 2027-01-01T00:00:00Z (ticket 7): PCR 9";

		assert_int_not_equal(f->result, AY_FAIL);
		if (f->code == AY_CHECK_REF_PCR && f->pcr == 9)
			assert_non_null(strstr(f->text, "follows from what is waived"));
		if (f->code != AY_CHECK_REF_EVENT || f->measured == NULL)
			continue;
		assert_memory_equal(f->text, begins, sizeof(begins) - 1);
		assert_string_equal(f->measured, measured);
		n++;
	}
	assert_int_equal(n, 1);
}

/* A second failure beside the waived one still counts. */
static void test_only_that(void **state)
{
	char members[1024];

	(void)state;
	seen.ev[boot_find(&seen, "/boot/vmlinuz")].content = "kernel 2";
	boot_make(&seen, &arena);
	snprintf(members, sizeof(members),
		 "\"waivers\":[{\"code\":\"REF_EVENT\",\"pcr\":9,\"measured\":\"%s\",\"owner\":"
		 "\"ops\",\"reason\":\"ticket 7\",\"until\":\"2027-01-01T00:00:00Z\"}]",
		 measured);
	assert_int_equal(judge(&seen, members, UNTIL_MS - 1), AY_UNTRUSTED);
	/* nor does the value of the PCR follow from what is waived alone */
	assert_non_null(ay_report_find(&rep, AY_CHECK_REF_PCR));
}

/* A log that does not replay is not excused by what its events are excused for. */
static void test_log_is_not_waived(void **state)
{
	char members[1024];
	struct ay_policy *p;
	struct ay_state_in in;
	struct ay_pcrs other;

	(void)state;
	snprintf(members, sizeof(members),
		 "\"waivers\":[{\"code\":\"REF_EVENT\",\"pcr\":9,\"measured\":\"%s\",\"owner\":"
		 "\"ops\",\"reason\":\"ticket 7\",\"until\":\"2027-01-01T00:00:00Z\"}]",
		 measured);
	p = policy_of(members);
	in = input(&seen, p, UNTIL_MS - 1);
	other = seen.pcrs;
	other.bank[1].value[9][0] ^= 1;
	in.pcrs = &other;
	assert_int_equal(verdict_of(&in), AY_UNTRUSTED);
	assert_non_null(ay_report_find(&rep, AY_CHECK_LOG_PCR_MISMATCH));
	ay_policy_free(p);
}

/*
 * A state that is kept under its key: the key is the same as long as the same
 * waivers and windows are open, and another as soon as one of them ends.
 */
static void test_key_moves_when_it_ends(void **state)
{
	struct ay_policy *p = policy_of(
		"\"windows\":[{\"set\":\"good\",\"version\":1,\"owner\":\"o\",\"reason\":\"r\","
		"\"until\":\"2027-01-01T00:00:00Z\"},{\"set\":\"good\",\"version\":2,"
		"\"owner\":\"o\",\"reason\":\"r\",\"until\":\"2027-01-01T00:00:10Z\"}]");
	static const int64_t same[][2] = { { 1, UNTIL_MS - 1 },
					   { UNTIL_MS, UNTIL_MS + 9999 },
					   { UNTIL_MS + 10000, UNTIL_MS * 2 } };
	uint8_t key[3][2][32];
	struct ay_state_in in;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 2; k++) {
			in = input(&seen, p, same[i][k]);
			ay_state_key(&in, key[i][k]);
		}
	for (size_t i = 0; i < 3; i++)
		assert_memory_equal(key[i][0], key[i][1], 32);
	assert_memory_not_equal(key[0][0], key[1][0], 32);
	assert_memory_not_equal(key[1][0], key[2][0], 32);
	in = input(&seen, p, 0); /* unknown: as if all had ended */
	ay_state_key(&in, key[0][0]);
	assert_memory_equal(key[0][0], key[2][0], 32);
	assert_int_equal(ay_policy_next_end(p, 1), UNTIL_MS);
	assert_int_equal(ay_policy_next_end(p, UNTIL_MS), UNTIL_MS + 10000);
	assert_int_equal(ay_policy_next_end(p, UNTIL_MS + 10000), INT64_MAX);
	ay_policy_free(p);
}

#define WINDOW(name, version)                                                                      \
	"\"windows\":[{\"set\":\"" name "\",\"version\":" version ",\"owner\":\"o\","              \
	"\"reason\":\"r\",\"until\":\"2027-01-01T00:00:00Z\"}]"

/* A superseded version during an update, by state of the set. */
static const struct {
	const char *name, *members;
	enum ay_set_state state;
	int64_t now_ms;
	enum ay_verdict verdict;
} windows[] = {
	{ "active", "", AY_SET_ACTIVE, 1, AY_TRUSTED },
	{ "superseded", "", AY_SET_SUPERSEDED, 1, AY_UNKNOWN },
	{ "superseded, window open", WINDOW("good", "1"), AY_SET_SUPERSEDED, UNTIL_MS - 1,
	  AY_TRUSTED },
	{ "superseded, window over", WINDOW("good", "1"), AY_SET_SUPERSEDED, UNTIL_MS, AY_UNKNOWN },
	{ "superseded, time unknown", WINDOW("good", "1"), AY_SET_SUPERSEDED, 0, AY_UNKNOWN },
	{ "window for another version", WINDOW("good", "2"), AY_SET_SUPERSEDED, 1, AY_UNKNOWN },
	{ "window for another set", WINDOW("other", "1"), AY_SET_SUPERSEDED, 1, AY_UNKNOWN },
	{ "revoked is never accepted", WINDOW("good", "1"), AY_SET_REVOKED, 1, AY_UNKNOWN },
	{ "nor a draft", WINDOW("good", "1"), AY_SET_DRAFT, 1, AY_UNKNOWN },
	{ "window for a set that the policy does not take",
	  "\"references\":[\"other\"]," WINDOW("good", "1"), AY_SET_SUPERSEDED, 1, AY_UNKNOWN },
};

static void test_windows(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(windows); i++) {
		print_message("window: %s\n", windows[i].name);
		set->state = windows[i].state;
		assert_int_equal(judge(&good, windows[i].members, windows[i].now_ms),
				 windows[i].verdict);
	}
}

/* Banks, PCRs and grades that a policy demands, of the good boot (sha1 and sha256). */
static const struct {
	const char *name, *members;
	enum ay_verdict verdict;
	enum ay_check code; /* that says so */
} demands[] = {
	{ "a bank that was quoted", "\"banks\":{\"required\":[\"sha256\"]}", AY_TRUSTED, 0 },
	{ "a bank that was not", "\"banks\":{\"required\":[\"sha384\"]}", AY_UNTRUSTED,
	  AY_CHECK_POLICY_BANK },
	{ "SHA-1 refused, the other judges", "\"banks\":{\"refused\":[\"sha1\"]}", AY_TRUSTED, 0 },
	{ "both refused", "\"banks\":{\"refused\":[\"sha1\",\"sha256\"]}", AY_UNTRUSTED,
	  AY_CHECK_POLICY_BANK_WEAK },
	{ "PCRs that rules judge", "\"pcrs_judged\":[0,4,7,9]", AY_TRUSTED, 0 },
	{ "a PCR that software resets", "\"pcrs_judged\":[16]", AY_UNKNOWN, AY_CHECK_POLICY_PCR },
	{ "grades that facts have", "\"grades\":{\"os\":\"tpm_signed\"}", AY_TRUSTED, 0 },
	{ "Secure Boot, not covered by name", "\"secure_boot\":{\"state\":\"on\"}", AY_UNTRUSTED,
	  AY_CHECK_SB_STATE },
};

static void test_demands(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(demands); i++) {
		print_message("demand: %s\n", demands[i].name);
		assert_int_equal(judge(&good, demands[i].members, 1), demands[i].verdict);
		if (demands[i].code != 0)
			assert_non_null(ay_report_find(&rep, demands[i].code));
	}
}

static const struct {
	const char *want, *got;
	enum ay_result is;
} grades[] = {
	{ "ek_certified", "ek_certified", AY_PASS }, { "ek_certified", "ek_approved", AY_FAIL },
	{ "ek_approved", "ek_certified", AY_PASS },  { "ek_vtpm", "ek_tofu", AY_FAIL },
	{ "ek_tofu", "tls_tofu", AY_FAIL },	     { "tls_tofu", "agentless", AY_FAIL },
	{ "agentless", "agentless", AY_PASS },	     { "agentless", "", AY_FAIL },
	{ "agentless", "something new", AY_FAIL },
};

static void test_identity_grades(void **state)
{
	char members[80];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(grades); i++) {
		struct ay_policy *p;

		snprintf(members, sizeof(members), "\"grades\":{\"identity\":\"%s\"}",
			 grades[i].want);
		p = policy_of(members);
		ay_report_init(&rep, &arena);
		ay_check_identity_grade(p, grades[i].got, false, &rep);
		assert_int_equal(rep.n_findings, 1);
		assert_int_equal(rep.finding[0].result, grades[i].is);
		assert_int_equal(rep.finding[0].component, AY_COMP_IDENTITY);
		ay_policy_free(p);
	}
}

/* A component whose facts are weaker than demanded fails, whatever they say. */
static void test_component_grade(void **state)
{
	struct ay_policy *p = policy_of("\"grades\":{\"os\":\"tpm_signed\"}");

	(void)state;
	ay_report_init(&rep, &arena);
	ay_report_add(&rep, AY_CHECK_REF_PCR, AY_PASS,
		      &(struct ay_place){ .has_pcr = true, .pcr = 4 }, NULL);
	ay_report_grade(&rep, AY_COMP_OS, AY_GRADE_REPORTED);
	assert_int_equal(ay_appraise_conclude(p, AY_COMP_BIT(AY_COMP_OS), 1, &rep, NULL), AY_OK);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_non_null(ay_report_find(&rep, AY_CHECK_GRADE_COMPONENT));
	ay_policy_free(p);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_waivers),	   T(test_waived_is_told),  T(test_only_that),
		T(test_log_is_not_waived), T(test_windows),	    T(test_key_moves_when_it_ends),
		T(test_demands),	   T(test_identity_grades), T(test_component_grade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
