/* SPDX-License-Identifier: Apache-2.0 */
/* Findings to verdicts (design 6), and the report outside memory. */
#include "support/t.h"

#include "core/appraise/causes.h"
#include "core/appraise/report.h"
#include "core/appraise/report_json.h"
#include "core/appraise/verdict.h"

#include <string.h>

#define ID_PLAT_OS                                                                                 \
	(AY_COMP_BIT(AY_COMP_IDENTITY) | AY_COMP_BIT(AY_COMP_PLATFORM) | AY_COMP_BIT(AY_COMP_OS))

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

struct one {
	enum ay_check code;
	enum ay_result result;
	enum ay_component component; /* AY_COMP_OF_PCR: of the row */
	bool optional;
};

/* Of one component, platform, which alone is required. */
static const struct {
	const char *name;
	struct one f[3];
	enum ay_verdict verdict;
} cases[] = {
	{ "nothing was judged", { { AY_CHECK_NONE, 0, 0, 0 } }, AY_UNKNOWN },
	{ "a value fits", { { AY_CHECK_REF_PCR, AY_PASS, AY_COMP_PLATFORM, 0 } }, AY_TRUSTED },
	{ "a log that replays judges nothing",
	  { { AY_CHECK_LOG_PCR_MISMATCH, AY_PASS, AY_COMP_PLATFORM, 0 } },
	  AY_UNKNOWN },
	{ "a note judges nothing",
	  { { AY_CHECK_LOG_PADDING, AY_PASS, AY_COMP_PLATFORM, 0 } },
	  AY_UNKNOWN },
	{ "one failure among passes",
	  { { AY_CHECK_REF_PCR, AY_PASS, AY_COMP_PLATFORM, 0 },
	    { AY_CHECK_LOG_EVENT_DATA, AY_FAIL, AY_COMP_PLATFORM, 0 } },
	  AY_UNTRUSTED },
	{ "a needed check was not made",
	  { { AY_CHECK_REF_PCR, AY_PASS, AY_COMP_PLATFORM, 0 },
	    { AY_CHECK_QUOTE_WITHOUT_LOG, AY_NOT_CHECKED, AY_COMP_PLATFORM, 0 } },
	  AY_UNKNOWN },
	{ "a check that is not needed was not made",
	  { { AY_CHECK_REF_PCR, AY_PASS, AY_COMP_PLATFORM, 0 },
	    { AY_CHECK_QUOTE_WITHOUT_LOG, AY_NOT_CHECKED, AY_COMP_PLATFORM, true } },
	  AY_TRUSTED },
	{ "failure beats not checked",
	  { { AY_CHECK_REF_NONE, AY_NOT_CHECKED, AY_COMP_PLATFORM, 0 },
	    { AY_CHECK_REF_PCR, AY_FAIL, AY_COMP_PLATFORM, 0 } },
	  AY_UNTRUSTED },
	{ "an optional failure is a failure",
	  { { AY_CHECK_REF_PCR, AY_PASS, AY_COMP_PLATFORM, 0 },
	    { AY_CHECK_REF_PCR, AY_FAIL, AY_COMP_PLATFORM, true } },
	  AY_UNTRUSTED },
	{ "a note that fails is a failure",
	  { { AY_CHECK_REF_PCR, AY_PASS, AY_COMP_PLATFORM, 0 },
	    { AY_CHECK_LOG_PADDING, AY_FAIL, AY_COMP_PLATFORM, 0 } },
	  AY_UNTRUSTED },
	{ "another component's failure",
	  { { AY_CHECK_REF_PCR, AY_PASS, AY_COMP_PLATFORM, 0 },
	    { AY_CHECK_REF_PCR, AY_FAIL, AY_COMP_OS, 0 } },
	  AY_TRUSTED },
};

static void test_component_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_report rep;

		print_message("verdict: %s\n", cases[i].name);
		ay_report_init(&rep, &arena);
		for (size_t k = 0; k < 3 && cases[i].f[k].code != AY_CHECK_NONE; k++) {
			struct ay_place at = { .component = cases[i].f[k].component,
					       .optional = cases[i].f[k].optional };

			assert_int_equal(ay_report_add(&rep, cases[i].f[k].code,
						       cases[i].f[k].result, &at, NULL),
					 cases[i].f[k].result);
		}
		assert_int_equal(ay_report_conclude(&rep, AY_COMP_BIT(AY_COMP_PLATFORM), NULL),
				 AY_OK);
		assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, cases[i].verdict);
		assert_int_equal(rep.verdict, cases[i].verdict);
	}
}

static void give(struct ay_report *rep, enum ay_component c, enum ay_verdict v)
{
	static const enum ay_result of[] = { AY_FAIL, AY_NOT_CHECKED, AY_PASS };
	struct ay_place at = { .component = c };

	ay_report_add(rep, AY_CHECK_REF_PCR, of[v], &at, "-");
}

/* Every combination of three components: the host is the minimum over the required ones. */
static void test_host_is_minimum(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 27 * 8; n++) {
		enum ay_verdict v[3] = { n % 3, n / 3 % 3, n / 9 % 3 }, want = AY_TRUSTED;
		unsigned mask = (n / 27) << 1;
		struct ay_report rep;

		ay_report_init(&rep, &arena);
		for (unsigned c = 0; c < 3; c++) {
			give(&rep, AY_COMP_IDENTITY + c, v[c]);
			if ((mask & AY_COMP_BIT(AY_COMP_IDENTITY + c)) != 0 && v[c] < want)
				want = v[c];
		}
		if (mask == 0)
			want = AY_UNKNOWN;
		assert_int_equal(ay_report_conclude(&rep, mask, NULL), AY_OK);
		assert_int_equal(rep.verdict, want);
	}
}

static void test_zeroed_is_untrusted(void **state)
{
	struct ay_report rep;
	struct ay_finding f;

	(void)state;
	memset(&rep, 0, sizeof(rep));
	memset(&f, 0, sizeof(f));
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_UNTRUSTED);
	assert_int_equal(f.result, AY_FAIL);
	assert_string_equal(ay_verdict_name(0), "untrusted");
	assert_string_equal(ay_verdict_name(77), "untrusted");
	assert_string_equal(ay_result_name(0), "fail");
	assert_string_equal(ay_result_name(77), "fail");
}

/* A report that could not be kept whole has no verdict, whatever was found before. */
static void test_fault_is_no_pass(void **state)
{
	struct ay_arena small;
	struct ay_report rep;
	struct ay_err e;

	(void)state;
	ay_arena_init(&small, 8192);
	ay_report_init(&rep, &small);
	for (unsigned i = 0; i < 3000; i++)
		give(&rep, AY_COMP_IDENTITY, AY_TRUSTED);
	assert_int_not_equal(rep.fault, AY_OK);
	assert_int_equal(ay_report_conclude(&rep, AY_COMP_BIT(AY_COMP_IDENTITY), &e), AY_E_NOMEM);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	assert_int_equal(rep.component[AY_COMP_IDENTITY].verdict, AY_UNTRUSTED);
	ay_arena_fini(&small);
}

/* A failure beyond the cap is dropped from the list, never from the verdict. */
static void test_full_list_keeps_failure(void **state)
{
	struct ay_report rep, again;
	struct ay_bytes wire;

	(void)state;
	ay_report_init(&rep, &arena);
	for (unsigned i = 0; i < AY_MAX_FINDINGS; i++)
		give(&rep, AY_COMP_PLATFORM, AY_TRUSTED);
	give(&rep, AY_COMP_PLATFORM, AY_UNTRUSTED);
	assert_int_equal(rep.n_findings, AY_MAX_FINDINGS);
	assert_int_equal(rep.n_dropped, 1);
	assert_int_equal(ay_report_conclude(&rep, AY_COMP_BIT(AY_COMP_PLATFORM), NULL), AY_OK);
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	wire = ay_report_write(&rep, &arena);
	assert_int_equal(ay_report_parse(wire, &arena, &again, NULL), AY_OK);
	assert_int_equal(again.verdict, AY_UNTRUSTED);
	assert_int_equal(again.n_dropped, 1);
}

static void fill(struct ay_report *rep)
{
	static const uint8_t digest[32] = { 0xab };
	struct ay_place at = { .has_pcr = true,
			       .pcr = 9,
			       .bank = AY_ALG_SHA256,
			       .has_event = true,
			       .event = 41,
			       .expected = { digest, 32 },
			       .measured = { digest, 32 } };
	struct ay_place file = { .has_entry = true,
				 .entry = 7,
				 .path = { (const uint8_t *)"/bin/\x01 \xff", 8 } };
	struct ay_named set = { .name = "good", .version = 3, .sha256 = { 1, 2, 3 } };

	ay_report_init(rep, &arena);
	ay_report_add(rep, AY_CHECK_QUOTE_NONCE, AY_PASS, NULL, NULL);
	ay_report_add(rep, AY_CHECK_REF_EVENT, AY_FAIL, &at, "event %s\n", "changed");
	ay_report_add(rep, AY_CHECK_REF_IMA, AY_FAIL, &file, "unknown");
	ay_report_add(rep, AY_CHECK_LOG_VANISHED, AY_NOT_CHECKED,
		      &(struct ay_place){ .optional = true }, "later");
	ay_report_cover(rep, AY_ALG_SHA256, 9, -1, "set good v3");
	ay_report_cover(rep, 0, 9, 41, "set good v3");
	ay_report_cover(rep, 0, 9, 42, "no rule");
	ay_report_add_reference(rep, &set);
	ay_report_add_reference(rep, &set);
	rep->policy = (struct ay_named){ .name = "p", .version = 1 };
	ay_report_grade(rep, AY_COMP_OS, AY_GRADE_TPM_SIGNED);
	assert_int_equal(ay_report_conclude(rep, ID_PLAT_OS, NULL), AY_OK);
	ay_causes_find(rep, NULL);
}

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* The objects of design 8, member by member. */
static void test_json_shape(void **state)
{
	struct ay_report rep;
	struct ay_report_head head = { .id = "R", .host = "H", .at = "2026-11-21T00:00:00Z" };
	json_t *j, *f, *c;

	(void)state;
	fill(&rep);
	j = ay_report_json(&rep, &head);
	assert_non_null(j);
	assert_string_equal(text(j, "id"), "R");
	assert_string_equal(text(j, "host"), "H");
	assert_string_equal(text(j, "verdict"), "untrusted");
	assert_true(json_is_null(json_object_get(j, "evidence")));
	assert_string_equal(text(json_object_get(j, "policy"), "name"), "p");
	assert_int_equal(json_array_size(json_object_get(j, "references")), 1);
	assert_non_null(text(j, "engine"));

	c = json_object_get(json_object_get(j, "components"), "os");
	assert_string_equal(text(c, "verdict"), "untrusted");
	assert_string_equal(text(c, "grade"), "tpm_signed");

	f = json_array_get(json_object_get(j, "findings"), 1);
	assert_string_equal(text(f, "code"), "REF_EVENT");
	assert_string_equal(text(f, "result"), "fail");
	assert_string_equal(text(f, "component"), "os");
	assert_string_equal(text(f, "text"), "event changed\\x0a");
	assert_string_equal(text(f, "bank"), "sha256");
	assert_int_equal(json_integer_value(json_object_get(f, "pcr")), 9);
	assert_int_equal(json_integer_value(json_object_get(f, "event")), 41);
	assert_int_equal(strlen(text(f, "expected")), 64);
	assert_null(json_object_get(f, "entry"));
	f = json_array_get(json_object_get(j, "findings"), 2);
	assert_string_equal(text(f, "path"), "/bin/\\x01 \\xff");
	assert_int_equal(json_integer_value(json_object_get(f, "entry")), 7);
	assert_null(json_object_get(f, "pcr"));

	c = json_array_get(json_object_get(j, "coverage"), 1);
	assert_int_equal(json_integer_value(json_object_get(c, "event")), 41);
	assert_true(json_is_null(json_object_get(c, "bank")));
	assert_string_equal(text(c, "rule"), "set good v3");
	c = json_array_get(json_object_get(j, "causes"), 0);
	assert_true(ay_cause_is_class(ay_bytes_of(text(c, "class"))));
	assert_non_null(text(c, "kind"));
	assert_non_null(text(c, "fix"));
	json_decref(j);
}

/* parse(write(r)) says the same and writes the same. */
static void test_wire_round_trip(void **state)
{
	struct ay_report rep, again;
	struct ay_bytes one, two;
	struct ay_report_head head = { 0 };
	json_t *a, *b;
	struct ay_err e;

	(void)state;
	fill(&rep);
	one = ay_report_write(&rep, &arena);
	assert_true(one.n > 0);
	assert_int_equal(ay_report_parse(one, &arena, &again, &e), AY_OK);
	two = ay_report_write(&again, &arena);
	assert_true(ay_bytes_eq(one, two));
	ay_causes_find(&again, NULL); /* a finding's own cause is not written */
	a = ay_report_json(&rep, &head);
	b = ay_report_json(&again, &head);
	assert_true(json_equal(a, b));
	json_decref(a);
	json_decref(b);
}

/* An index at the end of its range comes back as it was (found by smoke/report under UBSan). */
static void test_wire_event_range(void **state)
{
	static const int32_t events[] = { -1, 0, INT32_MAX };
	struct ay_report rep, again;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(events); i++) {
		fill(&rep);
		assert_true(rep.n_coverage > 0);
		rep.coverage[0].event = events[i];
		assert_int_equal(
			ay_report_parse(ay_report_write(&rep, &arena), &arena, &again, NULL),
			AY_OK);
		assert_int_equal(again.coverage[0].event, events[i]);
	}
}

/* With any cap below what it takes: AY_E_NOMEM and nothing but an untrusted report. */
static void test_wire_without_memory(void **state)
{
	struct ay_report rep, again;
	struct ay_bytes wire;
	enum ay_rc rc = AY_E_BUG;

	(void)state;
	fill(&rep);
	wire = ay_report_write(&rep, &arena);
	for (size_t cap = 0; cap < 65536 && rc != AY_OK; cap += 8) {
		struct ay_arena a AY_CLEANUP(ay_arena_fini);

		ay_arena_init(&a, cap);
		rc = ay_report_parse(wire, &a, &again, NULL);
		if (rc == AY_OK)
			break;
		assert_int_equal(rc, AY_E_NOMEM);
		assert_int_equal(again.verdict, AY_UNTRUSTED);
		assert_null(again.finding);
	}
	assert_int_equal(rc, AY_OK);
}

static void test_wire_every_prefix_is_refused(void **state)
{
	struct ay_report rep, again;
	struct ay_bytes wire;

	(void)state;
	fill(&rep);
	wire = ay_report_write(&rep, &arena);
	for (size_t n = 0; n < wire.n; n++) {
		struct ay_arena a;

		ay_arena_init(&a, AY_MAX_ARENA_BYTES);
		assert_int_not_equal(
			ay_report_parse((struct ay_bytes){ wire.p, n }, &a, &again, NULL), AY_OK);
		assert_int_equal(again.verdict, AY_UNTRUSTED);
		assert_null(again.finding);
		ay_arena_fini(&a);
	}
}

/* Merging findings of a shared state or adopting their counts concludes alike. */
static void test_merge_and_adopt_agree(void **state)
{
	struct ay_report part, merged, adopted;

	(void)state;
	fill(&part);
	ay_report_init(&merged, &arena);
	ay_report_init(&adopted, &arena);
	ay_report_merge(&merged, &part);
	ay_report_adopt(&adopted, &part);
	assert_int_equal(merged.n_findings, part.n_findings);
	assert_int_equal(adopted.n_findings, 0);
	assert_int_equal(ay_report_conclude(&merged, ID_PLAT_OS, NULL), AY_OK);
	assert_int_equal(ay_report_conclude(&adopted, ID_PLAT_OS, NULL), AY_OK);
	for (unsigned c = 0; c < AY_COMPONENTS; c++)
		assert_int_equal(merged.component[c].verdict, adopted.component[c].verdict);
	assert_int_equal(merged.verdict, AY_UNTRUSTED);
}

static void test_rows(void **state)
{
	(void)state;
	for (unsigned i = 1; i < AY_CHECKS; i++) {
		const struct ay_check_row *row = ay_check_row((enum ay_check)i);

		assert_true(row->code[0] != '\0' && row->text[0] != '\0');
		assert_int_equal(ay_check_find(ay_bytes_of(row->code)), i);
	}
	assert_int_equal(ay_check_find(ay_bytes_of("NO_SUCH")), AY_CHECK_NONE);
	assert_int_equal(ay_component_of_pcr(0), AY_COMP_PLATFORM);
	assert_int_equal(ay_component_of_pcr(9), AY_COMP_OS);
	assert_int_equal(ay_component_of_pcr(10), AY_COMP_RUNTIME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_component_verdicts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_is_minimum, setup, teardown),
		cmocka_unit_test(test_zeroed_is_untrusted),
		cmocka_unit_test(test_fault_is_no_pass),
		cmocka_unit_test_setup_teardown(test_full_list_keeps_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json_shape, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wire_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wire_every_prefix_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wire_event_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wire_without_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merge_and_adopt_agree, setup, teardown),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
