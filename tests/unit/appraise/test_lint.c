/* SPDX-License-Identifier: Apache-2.0 */
/* Each complaint of lint.def has a policy that earns it, and sound policies earn none. */
#include "boot_fixture.h"

#include "core/appraise/lint.h"

#define NOW_MS INT64_C(1790000000000) /* 2026-09-21 */
#define ALL "\"required\":[\"identity\",\"platform\",\"os\"]"
#define WHO(until) "\"owner\":\"o\",\"reason\":\"r\",\"until\":\"" until "\""
#define SOON "2026-10-01T00:00:00Z"
#define HASH "0101010101010101010101010101010101010101010101010101010101010101"
#define PCR_WAIVER(pcr, until)                                                                     \
	"{\"code\":\"REF_PCR\",\"pcr\":" pcr ",\"measured\":\"" HASH "\"," WHO(until) "}"
#define WAIVERS(list) ALL ",\"waivers\":[" list "]"
#define WINDOW(name, version, until)                                                               \
	ALL ",\"windows\":[{\"set\":\"" name "\",\"version\":" version "," WHO(until) "}]"
#define S(pcr) PCR_WAIVER(pcr, SOON) ","

/* The server's sets: good 1 (superseded), good 2 (active), idle 1 (draft), gone 1 (revoked). */
static struct ay_arena arena;
static struct ay_refset *all[4];

static int setup(void **state)
{
	static const struct {
		const char *name;
		uint32_t version;
		enum ay_set_state state;
	} of[] = { { "good", 1, AY_SET_SUPERSEDED },
		   { "good", 2, AY_SET_ACTIVE },
		   { "idle", 1, AY_SET_DRAFT },
		   { "gone", 1, AY_SET_REVOKED } };
	static struct boot b;

	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	boot_init(&b);
	boot_make(&b, &arena);
	for (size_t i = 0; i < AY_COUNT(of); i++) {
		all[i] = boot_learn(&b, of[i].name);
		all[i]->version = of[i].version;
		all[i]->state = of[i].state;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(all); i++)
		ay_refset_free(all[i]);
	ay_arena_fini(&arena);
	return 0;
}

#define IMA_KEYS                                                                                   \
	"\"keys\":[{\"name\":\"k\",\"der\":"                                                       \
	"\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUkqaU4ZbEjWDfjK6IbgqUOKJ6os7HD7/"                   \
	"yFRPPaSS9xNHAKJG0+WJOUQ3WvDkEGqbJSRJjoh6r0ky+peanGjcOw==\"}]"
#define NONE AY_LINTS

static const struct {
	const char *name, *members;
	enum ay_lint code; /* NONE: nothing at all is said */
} cases[] = {
	{ "the default", ALL ",\"required_if_reference\":[\"runtime\"]", NONE },
	{ "with demands that can be met",
	  ALL ",\"banks\":{\"required\":[\"sha256\"],\"refused\":[\"sha1\"]},"
	      "\"pcrs_judged\":[0,7],\"secure_boot\":{\"state\":\"on\"},"
	      "\"grades\":{\"identity\":\"ek_certified\",\"os\":\"tpm_signed\"}",
	  NONE },
	{ "with a waiver and a window", WAIVERS(PCR_WAIVER("4", SOON)), NONE },
	{ "with an update window", WINDOW("good", "1", SOON), NONE },
	{ "nothing required", "\"required\":[]", AY_LINT_REQUIRES_NOTHING },
	{ "identity not required", "\"required\":[\"platform\",\"os\"]", AY_LINT_NO_IDENTITY },
	{ "identity alone", "\"required\":[\"identity\"]", AY_LINT_ACCEPTS_ANY_STATE },
	{ "tag alone", "\"required\":[\"identity\",\"asset_tag\"]", AY_LINT_ACCEPTS_ANY_STATE },
	{ "os not required", "\"required\":[\"identity\",\"platform\"]", AY_LINT_NOT_REQUIRED },
	{ "unknown set", ALL ",\"references\":[\"good\",\"nowhere\"]", AY_LINT_SET_UNKNOWN },
	{ "unknown set in a rule", ALL ",\"references\":[{\"names\":[\"nowhere\"]}]",
	  AY_LINT_SET_UNKNOWN },
	{ "revoked set", ALL ",\"references\":[\"good\",\"gone\"]", AY_LINT_SET_REVOKED },
	{ "draft set", ALL ",\"references\":[\"good\",\"idle\"]", AY_LINT_SET_IDLE },
	{ "part that no set has", "\"required\":[\"identity\",\"platform\",\"os\",\"runtime\"]",
	  AY_LINT_PART_ABSENT },
	{ "bank demanded and refused",
	  ALL ",\"banks\":{\"required\":[\"sha256\"],\"refused\":[\"sha256\"]}",
	  AY_LINT_BANK_CONFLICT },
	{ "every bank refused",
	  ALL ",\"banks\":{\"refused\":[\"sha1\",\"sha256\",\"sha384\",\"sha512\"]}",
	  AY_LINT_NO_BANK_LEFT },
	{ "SHA-1 demanded", ALL ",\"banks\":{\"required\":[\"sha1\"]}", AY_LINT_BANK_SHA1 },
	{ "PCR 16", ALL ",\"pcrs_judged\":[16]", AY_LINT_PCR_NEVER_JUDGED },
	{ "PCR 23", ALL ",\"pcrs_judged\":[23]", AY_LINT_PCR_NEVER_JUDGED },
	{ "PCR without a rule", "\"references\":[\"idle\"]," ALL ",\"pcrs_judged\":[4]",
	  AY_LINT_PCR_NO_RULE },
	{ "Secure Boot without PCR 7", ALL ",\"secure_boot\":{\"dbx_min\":5}", AY_LINT_SB_PCR7 },
	{ "Secure Boot without a log",
	  ALL ",\"pcrs_judged\":[7],\"secure_boot\":{\"state\":\"on\"},"
	      "\"allow_no_log\":{\"owner\":\"o\",\"reason\":\"r\"}",
	  AY_LINT_SB_NO_LOG },
	{ "Secure Boot of no interest",
	  "\"required\":[\"identity\",\"os\"],\"pcrs_judged\":[7],"
	  "\"secure_boot\":{\"state\":\"on\"}",
	  AY_LINT_SB_PLATFORM },
	{ "Secure Boot must be off", ALL ",\"pcrs_judged\":[7],\"secure_boot\":{\"state\":\"off\"}",
	  AY_LINT_SB_DEMANDED_OFF },
	{ "grade of what is not required", ALL ",\"grades\":{\"asset_tag\":\"tpm_signed\"}",
	  AY_LINT_GRADE_IDLE },
	{ "grade that no list has",
	  ALL ",\"required_if_reference\":[\"runtime\"],\"grades\":{\"runtime\":\"tpm_signed\"}",
	  AY_LINT_GRADE_UNREACHABLE },
	{ "no log", ALL ",\"allow_no_log\":{\"owner\":\"o\",\"reason\":\"r\"}", AY_LINT_NO_LOG },
	{ "IMA off", ALL ",\"ima\":{\"enabled\":false}", AY_LINT_IMA_OFF },
	{ "padded banks", ALL ",\"ima\":{\"allow_padded_bank\":true}", AY_LINT_PADDED_BANK },
	{ "violations", ALL ",\"ima\":{\"violations\":9}", AY_LINT_VIOLATIONS },
	{ "all paths", ALL ",\"ima\":{\"paths\":[{\"prefix\":\"/\",\"action\":\"ignore\"}]}",
	  AY_LINT_PATH_BROAD },
	{ "all paths by a glob",
	  ALL ",\"ima\":{\"paths\":[{\"glob\":\"/**\",\"action\":\"allow\"}]}",
	  AY_LINT_PATH_BROAD },
	{ "/tmp", ALL ",\"ima\":{\"paths\":[{\"prefix\":\"/tmp/\",\"action\":\"allow\"}]}",
	  AY_LINT_PATH_BROAD },
	{ "/home", ALL ",\"ima\":{\"paths\":[{\"glob\":\"/home/**\",\"action\":\"ignore\"}]}",
	  AY_LINT_PATH_BROAD },
	{ "a path after a wider one",
	  ALL ",\"ima\":{\"paths\":[{\"prefix\":\"/opt/a/\",\"action\":\"deny\"},"
	      "{\"prefix\":\"/opt/a/b/\",\"action\":\"ignore\"}]}",
	  AY_LINT_PATH_SHADOWED },
	{ "keys that nothing asks for", ALL ",\"ima\":{" IMA_KEYS "}", AY_LINT_KEYS_IDLE },
	{ "waiver that has ended", WAIVERS(PCR_WAIVER("4", "2026-09-01T00:00:00Z")),
	  AY_LINT_WAIVER_EXPIRED },
	{ "waiver for years", WAIVERS(PCR_WAIVER("4", "2030-01-01T00:00:00Z")),
	  AY_LINT_WAIVER_LONG },
	{ "waiver twice", WAIVERS(PCR_WAIVER("4", SOON) "," PCR_WAIVER("4", SOON)),
	  AY_LINT_WAIVER_DOUBLE },
	{ "waiver of what is not required",
	  ALL ",\"waivers\":[{\"code\":\"REF_IMA\",\"path\":\"/x\",\"measured\":\"" HASH
	      "\"," WHO(SOON) "}]",
	  AY_LINT_WAIVER_ELSEWHERE },
	{ "every PCR of os waived",
	  WAIVERS(S("4") S("5") S("8") S("9") S("11") S("12") S("13") S("14") S("15") S("17")
			  S("18") S("19") S("20") S("21") PCR_WAIVER("22", SOON)),
	  AY_LINT_COMPONENT_WAIVED },
	{ "window that is over", WINDOW("good", "1", "2026-09-01T00:00:00Z"), AY_LINT_WINDOW_PAST },
	{ "window for half a year", WINDOW("good", "1", "2027-03-01T00:00:00Z"),
	  AY_LINT_WINDOW_LONG },
	{ "window for a set that is not compared with",
	  "\"references\":[\"idle\"]," WINDOW("good", "1", SOON), AY_LINT_WINDOW_NOT_TAKEN },
	{ "window for a version that is not there", WINDOW("good", "7", SOON),
	  AY_LINT_WINDOW_UNKNOWN },
	{ "window for what is revoked", WINDOW("gone", "1", SOON), AY_LINT_WINDOW_REVOKED },
	{ "window for what is active", WINDOW("good", "2", SOON), AY_LINT_WINDOW_IDLE },
	{ "window beside a rule for the latest",
	  "\"references\":[{\"match\":\"latest\"}]," WINDOW("good", "1", SOON),
	  AY_LINT_WINDOW_LATEST },
	{ "lease of one interval", ALL ",\"lease_s\":300,\"reattest_s\":300", AY_LINT_LEASE_TIGHT },
	{ "staleness beyond the lease", ALL ",\"max_staleness_s\":900", AY_LINT_STALENESS_IDLE },
};

struct seen {
	uint64_t codes;
	size_t n, n_errors;
};
_Static_assert(AY_LINTS <= 64, "one bit each");

static void note(void *arg, enum ay_lint code, const char *about)
{
	struct seen *s = arg;

	assert_non_null(about);
	s->codes |= UINT64_C(1) << code;
	s->n++;
	s->n_errors += ay_lint_row(code)->severity == AY_LINT_ERROR;
}

static struct ay_policy *policy_of(const char *members)
{
	char text[8192];
	struct ay_policy *p;
	struct ay_err e = { 0 };

	snprintf(text, sizeof(text),
		 "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,%s}", members);
	if (ay_policy_parse(ay_bytes_of(text), &p, &e) != AY_OK)
		fail_msg("%s: %s", text, e.text);
	return p;
}

static struct ay_lint_in input(const struct ay_policy *p)
{
	return (struct ay_lint_in){ .policy = p,
				    .sets = (const struct ay_refset *const *)all,
				    .n_sets = AY_COUNT(all),
				    .sets_known = true,
				    .now_ms = NOW_MS };
}

static void test_each_complaint(void **state)
{
	uint64_t shown = 0;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_policy *p = policy_of(cases[i].members);
		struct ay_lint_in in = input(p);
		struct seen s = { 0 };
		size_t n_errors;

		print_message("lint: %s\n", cases[i].name);
		n_errors = ay_lint_policy(&in, note, &s);
		assert_int_equal(n_errors, s.n_errors);
		if (cases[i].code == NONE)
			assert_int_equal(s.codes, 0);
		else
			assert_int_not_equal(s.codes >> cases[i].code & 1, 0);
		shown |= s.codes;
		ay_policy_free(p);
	}
	for (unsigned c = 0; c < AY_LINTS; c++) /* a row without a test would be a dead one */
		if ((shown >> c & 1) == 0)
			fail_msg("no policy earns %s", ay_lint_row((enum ay_lint)c)->code);
}

/* Without a server nothing is said of sets; without a clock nothing of what has ended. */
static void test_what_is_not_known(void **state)
{
	struct ay_policy *p = policy_of(
		"\"references\":[\"nowhere\"]," WINDOW("nowhere", "7", "2026-09-01T00:00:00Z"));
	struct ay_lint_in in = input(p);
	struct seen s = { 0 };

	(void)state;
	in.sets_known = false;
	in.n_sets = 0;
	in.now_ms = 0;
	assert_int_equal(ay_lint_policy(&in, note, &s), 0);
	assert_int_equal(s.n, 0);
	ay_policy_free(p);
}

static void test_json(void **state)
{
	struct ay_policy *p = policy_of("\"required\":[\"identity\",\"platform\"]");
	struct ay_lint_in in = input(p);
	size_t n_errors;
	json_t *j = ay_lint_json(&in, &n_errors), *first;

	(void)state;
	assert_int_equal(n_errors, 0);
	assert_int_equal(json_integer_value(json_object_get(j, "errors")), 0);
	first = json_array_get(json_object_get(j, "complaints"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "code")), "NOT_REQUIRED");
	assert_string_equal(json_string_value(json_object_get(first, "severity")), "warning");
	assert_string_equal(json_string_value(json_object_get(first, "text")),
			    "does not require os: its failures change no verdict");
	json_decref(j);
	ay_policy_free(p);
}

/* Every text has exactly one place for what it is about, and says what to do. */
static void test_rows(void **state)
{
	(void)state;
	for (unsigned c = 0; c < AY_LINTS; c++) {
		const struct ay_lint_row *r = ay_lint_row((enum ay_lint)c);
		const char *at = strstr(r->text, "%s");

		assert_non_null(at);
		assert_null(strchr(at + 1, '%'));
		assert_true(strlen(r->fix) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_complaint),
		cmocka_unit_test(test_what_is_not_known),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
