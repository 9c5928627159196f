/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of rule: met, not met, refused; and rules of one set together. */
#include "support/t.h"

#include "rules_fixture.h"

#include "core/appraise/report_json.h"

static struct ay_report rep;

static void judge_with(struct ay_refset *const *sets, size_t n, const struct ay_policy *policy)
{
	struct ay_state_in in = { .pcrs = &seen.pcrs,
				  .log_given = AY_LOG_IS_GIVEN,
				  .log = &seen.log,
				  .sets = (const struct ay_refset *const *)sets,
				  .n_sets = n,
				  .policy = policy };
	struct ay_err e = { 0 };

	ay_sha256(seen.octets, in.log_sha256);
	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_state(&in, &rep, &e), AY_OK);
	assert_int_equal(ay_report_conclude(
				 &rep, AY_COMP_BIT(AY_COMP_PLATFORM) | AY_COMP_BIT(AY_COMP_OS), &e),
			 AY_OK);
}

static void judge(struct ay_refset *set)
{
	struct ay_policy *policy;

	assert_int_equal(ay_policy_default(&policy, NULL), AY_OK);
	judge_with(&set, 1, policy);
	ay_policy_free(policy);
}

static size_t count(enum ay_check code, enum ay_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < rep.n_findings; i++)
		n += rep.finding[i].code == code && rep.finding[i].result == result;
	return n;
}

/* ---- changes of the boot ---- */

static void none(void)
{
}
static void other_initrd(void)
{
	seen.ev[boot_find(&seen, "/boot/initrd.gz")].content = "rootkit";
}
static void other_kernel(void)
{
	seen.ev[boot_find(&seen, "/boot/vmlinuz")].content = "kernel 2";
}
static void no_grub(void)
{
	boot_remove(&seen, boot_find(&seen, "path2"));
}
static void more_in_9(void)
{
	boot_insert(&seen, seen.n, (struct boot_event){ 9, AY_EV_IPL, "more", NULL, "more" });
}
static void other_boot_entry(void)
{
	seen.ev[boot_find(&seen, "Boot0001")].data = "entry 2";
}
static void no_boot_entry(void)
{
	boot_remove(&seen, boot_find(&seen, "Boot0001"));
}
/* firmware that measures the value alone: the name is not covered */
static void value_only(void)
{
	struct boot_event *ev = &seen.ev[boot_find(&seen, "Boot0001")];

	ev->data = "entry 2";
	ev->content = "entry 2";
}
/* the name of the excluded variable over the digest of something else */
static void relabelled(void)
{
	boot_insert(&seen, boot_find(&seen, "Boot0001"),
		    (struct boot_event){ 1, AY_EV_IPL, "x", "Boot0001", "evil driver" });
}
static void other_firmware(void)
{
	seen.ev[boot_find(&seen, "blob")].content = "firmware image 2.0";
}

#define OS(rules) "\"os\":[" rules "]"
#define PLATFORM(rules) "\"platform\":[" rules "]"
#define D(x) "{\"digests\":{\"sha256\":\"" x "\"}}"
#define EVENTS(kind, pcr, list) "{\"kind\":\"" kind "\",\"pcr\":" pcr ",\"events\":[" list "]}"
#define EXCLUDING(pcr, list, excluded)                                                             \
	"{\"kind\":\"events_excluding\",\"pcr\":" pcr ",\"events\":[" list                         \
	"],\"exclude\":[" excluded "]}"
#define BOOT_GUID "8be4df61-0000-0000-0000-000000000000"
#define BOOT_ENTRY "{\"variable\":\"Boot0001\",\"guid\":\"" BOOT_GUID "\"}"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define FORBIDDEN(x) "{\"kind\":\"forbidden\",\"digests\":{\"sha256\":{\"" x "\":\"bad\"}}}"

static const struct {
	const char *name, *parts;
	void (*change)(void);
	enum ay_component component;
	enum ay_verdict verdict;
	enum ay_check code; /* of the finding that says why */
	enum ay_result result;
} cases[] = {
	{ "includes: both are there", OS(EVENTS("includes", "9", D("@/boot/initrd.gz@"))), none,
	  AY_COMP_OS, AY_TRUSTED, AY_CHECK_REF_EVENT, AY_PASS },
	{ "includes: others may be", OS(EVENTS("includes", "9", D("@/boot/initrd.gz@"))),
	  other_kernel, AY_COMP_OS, AY_TRUSTED, AY_CHECK_REF_EVENT, AY_PASS },
	{ "includes: in any order",
	  OS(EVENTS("includes", "9", D("@/boot/initrd.gz@") "," D("@/boot/vmlinuz@"))), none,
	  AY_COMP_OS, AY_TRUSTED, AY_CHECK_REF_EVENT, AY_PASS },
	{ "includes: it is not there", OS(EVENTS("includes", "9", D("@/boot/initrd.gz@"))),
	  other_initrd, AY_COMP_OS, AY_UNTRUSTED, AY_CHECK_REF_MISSING, AY_FAIL },
	{ "includes: one event is not two",
	  OS(EVENTS("includes", "9", D("@/boot/initrd.gz@") "," D("@/boot/initrd.gz@"))), none,
	  AY_COMP_OS, AY_UNTRUSTED, AY_CHECK_REF_MISSING, AY_FAIL },
	{ "events: one of several",
	  OS(EVENTS(
		  "events", "9",
		  "{\"one_of\":[" D(ZEROS) "," D("@/boot/vmlinuz@") "]}," D("@/boot/initrd.gz@"))),
	  none, AY_COMP_OS, AY_TRUSTED, AY_CHECK_REF_EVENT, AY_PASS },
	{ "events: none of several",
	  OS(EVENTS(
		  "events", "9",
		  "{\"one_of\":[" D(ZEROS) "," D("@/boot/vmlinuz@") "]}," D("@/boot/initrd.gz@"))),
	  other_kernel, AY_COMP_OS, AY_UNTRUSTED, AY_CHECK_REF_EVENT, AY_FAIL },
	{ "events: nothing measured, and nothing expected", OS(EVENTS("events", "11", "")), none,
	  AY_COMP_OS, AY_TRUSTED, AY_CHECK_REF_EVENT, AY_PASS },
	{ "excluding: the excluded one changed", /* by name and GUID */
	  PLATFORM(EXCLUDING("1", "{\"digests\":{\"sha256\":\"@\1@\"}}", BOOT_ENTRY)),
	  other_boot_entry, AY_COMP_PLATFORM, AY_TRUSTED, AY_CHECK_REF_EVENT, AY_PASS },
	{ "excluding: the excluded one is missing",
	  PLATFORM(EXCLUDING("1", "{\"digests\":{\"sha256\":\"@\1@\"}}", BOOT_ENTRY)),
	  no_boot_entry, AY_COMP_PLATFORM, AY_TRUSTED, AY_CHECK_REF_EVENT, AY_PASS },
	{ "excluding: by digest",
	  PLATFORM(EXCLUDING("1", "{\"digests\":{\"sha256\":\"@\1@\"}}", D("@Boot0001@"))), none,
	  AY_COMP_PLATFORM, AY_TRUSTED, AY_CHECK_REF_EVENT, AY_PASS },
	{ "excluding: by digest, and it changed",
	  PLATFORM(EXCLUDING("1", "{\"digests\":{\"sha256\":\"@\1@\"}}", D("@Boot0001@"))),
	  other_boot_entry, AY_COMP_PLATFORM, AY_UNTRUSTED, AY_CHECK_REF_ADDED, AY_FAIL },
	{ "excluding: the digest covers the value alone, so the name excludes nothing",
	  PLATFORM(EXCLUDING("1", "{\"digests\":{\"sha256\":\"@\1@\"}}", BOOT_ENTRY)), value_only,
	  AY_COMP_PLATFORM, AY_UNTRUSTED, AY_CHECK_REF_ADDED, AY_FAIL },
	{ "excluding: an event under the excluded name",
	  PLATFORM(EXCLUDING("1", "{\"digests\":{\"sha256\":\"@\1@\"}}", BOOT_ENTRY)), relabelled,
	  AY_COMP_PLATFORM, AY_UNTRUSTED, AY_CHECK_REF_ADDED, AY_FAIL },
	{ "excluding: another event is missing",
	  OS(EXCLUDING("9", D("@/boot/vmlinuz@"), D("@/boot/initrd.gz@"))), other_kernel,
	  AY_COMP_OS, AY_UNTRUSTED, AY_CHECK_REF_EVENT, AY_FAIL },
	{ "excluding: another event is added",
	  OS(EXCLUDING("9", D("@/boot/vmlinuz@"), D("@/boot/initrd.gz@"))), more_in_9, AY_COMP_OS,
	  AY_UNTRUSTED, AY_CHECK_REF_ADDED, AY_FAIL },
	{ "one_of: it is one",
	  OS("{\"kind\":\"one_of\",\"pcr\":9,\"values\":[{\"sha256\":\"" ZEROS
	     "\"},{\"sha256\":\"#9#\"}]}"),
	  none, AY_COMP_OS, AY_TRUSTED, AY_CHECK_REF_PCR, AY_PASS },
	{ "one_of: it is none",
	  OS("{\"kind\":\"one_of\",\"pcr\":9,\"values\":[{\"sha256\":\"" ZEROS
	     "\"},{\"sha256\":\"#9#\"}]}"),
	  other_initrd, AY_COMP_OS, AY_UNTRUSTED, AY_CHECK_REF_PCR, AY_FAIL },
	{ "one_of: in a bank that was not quoted",
	  OS("{\"kind\":\"one_of\",\"pcr\":9,\"values\":[{\"sha384\":\"" ZEROS
	     "00000000000000000000000000000000\"},{\"sha384\":\"" ZEROS
	     "00000000000000000000000000000001\"}]}"),
	  none, AY_COMP_OS, AY_UNKNOWN, AY_CHECK_REF_PCR, AY_NOT_CHECKED },
	{ "golden: the value is met",
	  PLATFORM(
		  "{\"kind\":\"golden\",\"pcr\":0,\"values\":{\"sha256\":\"#0#\",\"sha1\":\"~0~\"},"
		  "\"owner\":\"o\",\"reason\":\"r\"}"),
	  none, AY_COMP_PLATFORM, AY_TRUSTED, AY_CHECK_REF_PCR, AY_PASS },
	{ "golden: the value is not met",
	  PLATFORM(
		  "{\"kind\":\"golden\",\"pcr\":0,\"values\":{\"sha256\":\"#0#\",\"sha1\":\"~0~\"},"
		  "\"owner\":\"o\",\"reason\":\"r\"}"),
	  other_firmware, AY_COMP_PLATFORM, AY_UNTRUSTED, AY_CHECK_REF_PCR, AY_FAIL },
	{ "golden: a bank is left open",
	  PLATFORM("{\"kind\":\"golden\",\"pcr\":0,\"values\":{\"sha256\":\"#0#\"},"
		   "\"owner\":\"o\",\"reason\":\"r\"}"),
	  none, AY_COMP_PLATFORM, AY_UNKNOWN, AY_CHECK_REF_PCR, AY_NOT_CHECKED },
	{ "forbidden: it was measured",
	  OS("{\"kind\":\"pcr\",\"pcr\":9,\"values\":{\"sha256\":\"#9#\"}}," FORBIDDEN("@path2@")),
	  none, AY_COMP_OS, AY_UNTRUSTED, AY_CHECK_REF_FORBIDDEN, AY_FAIL },
	{ "forbidden: it was not measured",
	  OS("{\"kind\":\"pcr\",\"pcr\":9,\"values\":{\"sha256\":\"#9#\"}}," FORBIDDEN("@path2@")),
	  no_grub, AY_COMP_OS, AY_TRUSTED, AY_CHECK_REF_PCR, AY_PASS },
	{ "forbidden: alone it judges nothing", OS(FORBIDDEN(ZEROS)), none, AY_COMP_OS, AY_UNKNOWN,
	  AY_CHECK_REF_NONE, AY_NOT_CHECKED },
};

/* The separator of PCR 1 has no name: its digest is that of four zero octets. */
static const char *with_separator(const char *parts)
{
	static char out[8192];
	const char *at;
	uint8_t digest[32], zero[4] = { 0 };
	char hex[65];
	size_t n = 0;

	ay_sha256(AY_BYTES(zero), digest);
	ay_hex_encode(AY_BYTES(digest), hex);
	while ((at = strstr(parts, "@\1@")) != NULL) {
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%.*s%s", (int)(at - parts), parts,
				      hex);
		parts = at + 3;
	}
	snprintf(out + n, sizeof(out) - n, "%s", parts);
	return out;
}

static const struct ay_finding *find(enum ay_check code, enum ay_result result)
{
	for (size_t i = 0; i < rep.n_findings; i++)
		if (rep.finding[i].code == code && rep.finding[i].result == result)
			return &rep.finding[i];
	return NULL;
}

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_refset *set;

		print_message("rule: %s\n", cases[i].name);
		boot_init(&seen);
		cases[i].change();
		boot_make(&seen, &arena);
		set = set_of("s", "", with_separator(cases[i].parts));
		judge(set);
		assert_int_equal(rep.component[cases[i].component].verdict, cases[i].verdict);
		assert_non_null(find(cases[i].code, cases[i].result));
		ay_refset_free(set);
	}
}

/* What each kind says is read and written without a loss. */
static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_refset *one = set_of("s", "", with_separator(cases[i].parts)), *two;
		struct ay_bytes text = ay_refset_build(one, &arena);

		assert_int_equal(ay_refset_parse(text, &two, NULL), AY_OK);
		assert_true(ay_bytes_eq(text, ay_refset_build(two, &arena)));
		ay_refset_free(one);
		ay_refset_free(two);
	}
}

static const struct {
	const char *name, *parts, *text;
} refused[] = {
	{ "includes nothing", OS(EVENTS("includes", "9", "")), "events: empty" },
	{ "excludes nothing", OS(EXCLUDING("9", D(ZEROS), "")), "exclude: needs" },
	{ "excludes by a text", OS(EXCLUDING("9", D(ZEROS), "{\"summary\":\"initrd\"}")),
	  "digests: missing" },
	{ "excludes by type", OS(EXCLUDING("9", D(ZEROS), "{\"type\":13}")), "type: unknown" },
	{ "excludes a variable without its GUID",
	  OS(EXCLUDING("9", D(ZEROS), "{\"variable\":\"Boot0001\"}")), "guid: missing" },
	{ "one of one",
	  OS("{\"kind\":\"one_of\",\"pcr\":9,\"values\":[{\"sha256\":\"" ZEROS "\"}]}"),
	  "values: needs 2" },
	{ "an event of one alternative", OS(EVENTS("events", "9", "{\"one_of\":[" D(ZEROS) "]}")),
	  "one_of: needs 2" },
	{ "alternatives of alternatives",
	  OS(EVENTS("events", "9", "{\"one_of\":[{\"one_of\":[]}," D(ZEROS) "]}")),
	  "one_of: unknown" },
	{ "golden without owner",
	  OS("{\"kind\":\"golden\",\"pcr\":9,\"values\":{\"sha256\":\"" ZEROS
	     "\"},\"reason\":\"r\"}"),
	  "owner: missing" },
	{ "golden with an empty reason",
	  OS("{\"kind\":\"golden\",\"pcr\":9,\"values\":{\"sha256\":\"" ZEROS
	     "\"},\"owner\":\"o\",\"reason\":\"\"}"),
	  "golden: needs" },
	{ "forbids nothing", OS("{\"kind\":\"forbidden\",\"digests\":{}}"), "digests: empty" },
	{ "two values of a PCR",
	  OS("{\"kind\":\"pcr\",\"pcr\":9,\"values\":{\"sha256\":\"" ZEROS
	     "\"}},{\"kind\":\"pcr\",\"pcr\":9,\"values\":{\"sha256\":\"#9#\"}}"),
	  "PCR 9: two rules" },
	{ "a value and one of several",
	  OS("{\"kind\":\"one_of\",\"pcr\":9,\"values\":[{\"sha256\":\"" ZEROS
	     "\"},{\"sha256\":\"#9#\"}]},{\"kind\":\"pcr\",\"pcr\":9,\"values\":{\"sha256\":\"#9#"
	     "\"}}"),
	  "PCR 9: an exact" },
	{ "golden and events",
	  OS(EVENTS("events", "9", D(ZEROS)) ",{\"kind\":\"golden\",\"pcr\":9,\"values\":{"
					     "\"sha256\":\"" ZEROS
					     "\"},\"owner\":\"o\",\"reason\":\"r\"}"),
	  "PCR 9: a golden" },
	{ "a value and an event that may be missing",
	  OS("{\"kind\":\"pcr\",\"pcr\":9,\"values\":{\"sha256\":\"#9#\"}}," EXCLUDING(
		  "9", D("@/boot/vmlinuz@"), D("@/boot/initrd.gz@"))),
	  "PCR 9: an event that may" },
	{ "a value and an event with alternatives",
	  OS("{\"kind\":\"pcr\",\"pcr\":9,\"values\":{\"sha256\":\"#9#\"}}," EVENTS(
		  "events", "9", "{\"one_of\":[" D(ZEROS) "," D("@/boot/vmlinuz@") "]}")),
	  "PCR 9: with an exact" },
	{ "expected and excluded", OS(EXCLUDING("9", D("@/boot/vmlinuz@"), D("@/boot/vmlinuz@"))),
	  "PCR 9: an event is both" },
	{ "expected and forbidden",
	  OS(EVENTS("events", "9", D("@/boot/vmlinuz@")) "," FORBIDDEN("@/boot/vmlinuz@")),
	  "\"bad\" is both" },
	{ "excluded and forbidden",
	  OS(EXCLUDING("9", D(ZEROS), D("@/boot/vmlinuz@")) "," FORBIDDEN("@/boot/vmlinuz@")),
	  "\"bad\" is both" },
	{ "an alternative that is forbidden",
	  OS(EVENTS("events", "9",
		    "{\"one_of\":[" D(ZEROS) "," D(
			    "@/boot/vmlinuz@") "]}") "," FORBIDDEN("@/boot/vmlinuz@")),
	  "\"bad\" is both" },
	{ "a file that is forbidden",
	  "\"runtime\":[{\"kind\":\"files\",\"digests\":{\"sha256\":{\"" ZEROS
	  "\":\"/bin/sh\"}}}," FORBIDDEN(ZEROS) "]",
	  "\"bad\" is both" },
	{ "a minimum of nothing known", OS("{\"kind\":\"minimum\",\"of\":\"kernel\"}"), "of: is" },
	{ "a generation of 0",
	  OS("{\"kind\":\"minimum\",\"of\":\"sbat\",\"at_least\":{\"shim\":0}}"), "shim: is not" },
	{ "a minimum without rows", OS("{\"kind\":\"minimum\",\"of\":\"sbat\",\"at_least\":{}}"),
	  "at_least: needs" },
	{ "an SVN of no GUID",
	  OS("{\"kind\":\"minimum\",\"of\":\"svn\",\"at_least\":{\"bootmgr\":\"7.0\"}}"),
	  "a UUID has" },
	{ "an SVN that is no number",
	  OS("{\"kind\":\"minimum\",\"of\":\"svn\",\"at_least\":{"
	     "\"9d132b61-59d5-4388-ab1c-185c3cb2eb92\":\"7.x\"}}"),
	  "9d132b61-59d5-4388-ab1c-185c3cb2eb92: is not" },
	{ "a dbx that asks nothing", OS("{\"kind\":\"minimum\",\"of\":\"dbx\"}"),
	  "contains: nothing" },
	{ "a dbx by SHA-1",
	  OS("{\"kind\":\"minimum\",\"of\":\"dbx\",\"contains\":{\"sha1\":{\"~9~\":\"x\"}}}"),
	  "contains: holds" },
	{ "a firmware without a number",
	  OS("{\"kind\":\"minimum\",\"of\":\"firmware\",\"version\":\"new\"}"), "version: has" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(refused); i++) {
		struct ay_refset *s = NULL;
		struct ay_err e = { 0 };

		print_message("refused: %s\n", refused[i].name);
		assert_int_equal(set_try("s", "", refused[i].parts, &s, &e), AY_E_INPUT);
		assert_null(s);
		if (strncmp(e.text, refused[i].text, strlen(refused[i].text)) != 0)
			fail_msg("%s: %s", e.where, e.text);
	}
}

/* ---- golden value: the log of that PCR, and of no other ---- */

static void spoil_log_of(unsigned pcr)
{
	boot_init(&seen);
	boot_make(&seen, &arena);
	for (size_t i = 0; i < seen.log.n_events; i++)
		if (seen.log.event[i].pcr == pcr && ay_event_is_extended(&seen.log.event[i]))
			seen.log.event[i].type =
				AY_EV_NO_ACTION; /* the replay gives another value */
}

/* Owner and reason stand beside the value and beside what the log got wrong. */
static bool golden_is_told(void)
{
	bool value = false, log = false;

	for (size_t i = 0; i < rep.n_coverage; i++)
		value |= rep.coverage[i].pcr == 0 && rep.coverage[i].event < 0 &&
			 strstr(rep.coverage[i].rule, "golden value only (o: bad log)") != NULL;
	for (size_t i = 0; i < rep.n_findings; i++)
		log |= rep.finding[i].result == AY_PASS && rep.finding[i].has_pcr &&
		       strstr(rep.finding[i].text, "golden value met (o: bad log)") != NULL;
	return value && log;
}

static void test_golden_excuses_its_log(void **state)
{
	static const struct {
		unsigned pcr;
		enum ay_verdict platform;
	} of[] = { { 0, AY_TRUSTED }, { 1, AY_UNTRUSTED } };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(of); i++) {
		struct ay_refset *set = set_of(
			"s", "",
			PLATFORM("{\"kind\":\"golden\",\"pcr\":0,\"values\":{\"sha256\":\"#0#\","
				 "\"sha1\":\"~0~\"},\"owner\":\"o\",\"reason\":\"bad log\"}"));

		spoil_log_of(of[i].pcr);
		judge(set);
		assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, of[i].platform);
		assert_true(count(AY_CHECK_LOG_PCR_MISMATCH, AY_FAIL) +
				    count(AY_CHECK_LOG_PCR_NO_EVENTS, AY_FAIL) ==
			    (of[i].pcr == 0 ? 0 : 2));
		if (of[i].pcr == 0)
			assert_true(golden_is_told());
		ay_refset_free(set);
	}
}

/* Without its value met a golden rule excuses nothing. */
static void test_golden_needs_its_value(void **state)
{
	struct ay_refset *set =
		set_of("s", "",
		       PLATFORM("{\"kind\":\"golden\",\"pcr\":0,\"values\":{\"sha256\":\"" ZEROS
				"\",\"sha1\":\"~0~\"},\"owner\":\"o\",\"reason\":\"bad log\"}"));

	(void)state;
	spoil_log_of(0);
	judge(set);
	assert_int_equal(count(AY_CHECK_LOG_PCR_NO_EVENTS, AY_FAIL), 2);
	assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, AY_UNTRUSTED);
	ay_refset_free(set);
}

/* ---- events prove nothing where the log does not explain the value ---- */

static void test_events_without_their_value(void **state)
{
	static const char *const kinds[] = { "events", "includes" };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(kinds); i++) {
		char parts[512];
		struct ay_refset *set;

		snprintf(parts, sizeof(parts),
			 OS(EVENTS("%s", "9", D("@/boot/vmlinuz@") "," D("@/boot/initrd.gz@"))),
			 kinds[i]);
		set = set_of("s", "", parts);
		boot_init(&seen);
		boot_make(&seen, &arena);
		for (size_t k = 0; k < seen.pcrs.n_banks; k++)
			seen.pcrs.bank[k].value[9][0] ^= 1;
		judge(set);
		assert_int_equal(count(AY_CHECK_REF_EVENT, AY_PASS), 0);
		assert_int_equal(count(AY_CHECK_REF_EVENT, AY_NOT_CHECKED), 1);
		ay_refset_free(set);
	}
}

/* A PCR that holds something the log does not have: no rule of no events is met. */
static void test_no_events_but_a_value(void **state)
{
	struct ay_refset *set = set_of("s", "", OS(EVENTS("events", "11", "")));

	(void)state;
	boot_init(&seen);
	boot_make(&seen, &arena);
	for (size_t k = 0; k < seen.pcrs.n_banks; k++)
		seen.pcrs.bank[k].value[11][0] = 1;
	judge(set);
	assert_int_equal(count(AY_CHECK_REF_EVENT, AY_PASS), 0);
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_UNKNOWN);
	ay_refset_free(set);
}

/* The rule that judged an event stands in the coverage. */
static void test_coverage(void **state)
{
	struct ay_refset *set =
		set_of("s", "",
		       OS(EVENTS("includes", "9", D("@/boot/initrd.gz@")) "," EXCLUDING(
			       "8", D(ZEROS), D("@kernel_cmdline@"))));
	size_t initrd, cmdline, seen_rows = 0;

	(void)state;
	boot_init(&seen);
	boot_make(&seen, &arena);
	judge(set);
	initrd = boot_find(&seen, "/boot/initrd.gz") + 1;
	cmdline = boot_find(&seen, "kernel_cmdline") + 1;
	for (size_t i = 0; i < rep.n_coverage; i++) {
		const struct ay_coverage *c = &rep.coverage[i];

		if (c->event == (int32_t)initrd)
			assert_string_equal(c->rule, "set s v1: includes");
		if (c->event == (int32_t)initrd - 1)
			assert_string_equal(c->rule, "no rule");
		if (c->event == (int32_t)cmdline)
			assert_string_equal(c->rule, "set s v1: excluded event");
		seen_rows += c->event >= (int32_t)cmdline;
	}
	assert_int_equal(seen_rows, 3); /* each event once */
	ay_refset_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_golden_excuses_its_log),
		cmocka_unit_test(test_golden_needs_its_value),
		cmocka_unit_test(test_events_without_their_value),
		cmocka_unit_test(test_no_events_but_a_value),
		cmocka_unit_test(test_coverage),
	};

	return cmocka_run_group_tests(tests, rules_setup, rules_teardown);
}
