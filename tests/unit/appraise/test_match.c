/* SPDX-License-Identifier: Apache-2.0 */
/* Which sets a host is compared with: by match, by the policy's references, and what that hides. */
#include "rules_fixture.h"

#include "core/appraise/sets.h"

#define HOST_A "11111111-2222-4333-8444-555555555555"
#define HOST_B "11111111-2222-4333-8444-666666666666"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define VALUE(pcr, v) "{\"kind\":\"pcr\",\"pcr\":" pcr ",\"values\":{\"sha256\":\"" v "\"}}"
#define OS_GOOD "\"os\":[" VALUE("9", "#9#") "]"
#define OS_BAD "\"os\":[" VALUE("9", ZEROS) "]"

/* ---- patterns ---- */

static const struct {
	const char *pattern, *text;
	bool fits;
} patterns[] = {
	{ "abc", "abc", true },	      { "abc", "ab", false },	{ "abc", "abcd", false },
	{ "a?c", "abc", true },	      { "a?c", "ac", false },	{ "*", "", true },
	{ "*", "anything", true },    { "a*c", "abbbc", true }, { "a*c", "abbb", false },
	{ "*b*", "abc", true },	      { "*b*", "ac", false },	{ "a**c", "ac", true },
	{ "*ab", "aab", true },	      { "*aab", "aaab", true }, { "", "", true },
	{ "", "a", false },	      { "?", "", false },	{ "a*b*c", "axbxbxc", true },
	{ "a*b*c", "axbxbx", false }, { "A", "a", false },
};

static void test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(patterns); i++)
		if (ay_match_pattern(patterns[i].pattern, patterns[i].text) != patterns[i].fits)
			fail_msg("%s against %s", patterns[i].pattern, patterns[i].text);
}

/* ---- the document ---- */

static const struct {
	const char *name, *match;
	const char *text; /* why it is refused; NULL: it is fine */
} documents[] = {
	{ "labels", "{\"labels\":{\"role\":\"web*\"}}", NULL },
	{ "hosts", "{\"hosts\":[\"" HOST_A "\"]}", NULL },
	{ "all",
	  "{\"firmware\":{\"vendor\":\"Dell*\",\"version\":\"2.*\"},\"kernel\":{\"cmdline\":"
	  "\"*ro\",\"digests\":{\"sha256\":[\"" ZEROS
	  "\"]}},\"labels\":{\"a\":\"b\"},\"hosts\":[\"" HOST_A "\"]}",
	  NULL },
	{ "nothing", "{}", "match: says nothing" },
	{ "unknown", "{\"bios\":\"x\"}", "bios: unknown" },
	{ "empty firmware", "{\"firmware\":{}}", "firmware: needs" },
	{ "empty pattern", "{\"firmware\":{\"vendor\":\"\"}}", "vendor: an empty" },
	{ "empty kernel", "{\"kernel\":{}}", "kernel: needs" },
	{ "no digests", "{\"kernel\":{\"digests\":{}}}", "digests: needs" },
	{ "digest cut short", "{\"kernel\":{\"digests\":{\"sha256\":[\"00\"]}}}", "" },
	{ "unknown bank", "{\"kernel\":{\"digests\":{\"md5\":[\"00\"]}}}", "md5: unknown" },
	{ "no list", "{\"kernel\":{\"digests\":{\"sha1\":\"00\",\"sha256\":[\"" ZEROS "\"]}}}",
	  "sha1: wrong" },
	{ "no labels", "{\"labels\":{}}", "labels: needs" },
	{ "label that is no text", "{\"labels\":{\"a\":1}}", "a: wrong type" },
	{ "no hosts", "{\"hosts\":[]}", "hosts: needs" },
	{ "host by name", "{\"hosts\":[\"web1\"]}", "a UUID has" },
};

static void test_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(documents); i++) {
		struct ay_refset *one = NULL, *two = NULL;
		struct ay_err e = { 0 };
		char more[1024];

		print_message("match: %s\n", documents[i].name);
		snprintf(more, sizeof(more), "\"match\":%s", documents[i].match);
		assert_int_equal(set_try("s", more, OS_GOOD, &one, &e),
				 documents[i].text == NULL ? AY_OK : AY_E_INPUT);
		if (documents[i].text != NULL) {
			assert_int_equal(
				strncmp(e.text, documents[i].text, strlen(documents[i].text)), 0);
			continue;
		}
		assert_int_equal(ay_refset_parse(ay_refset_build(one, &arena), &two, &e), AY_OK);
		assert_memory_equal(one->sha256, two->sha256, 32);
		ay_refset_free(one);
		ay_refset_free(two);
	}
}

/* An IMA list goes on when nobody reads the boot log any more. */
static void test_runtime_by_host_only(void **state)
{
	struct ay_refset *s = NULL;
	struct ay_err e = { 0 };
	const char *files =
		"\"runtime\":[{\"kind\":\"files\",\"digests\":{\"sha256\":{\"" ZEROS "\":\"\"}}}]";

	(void)state;
	assert_int_equal(set_try("s", "\"match\":{\"kernel\":{\"cmdline\":\"*\"}}", files, &s, &e),
			 AY_E_INPUT);
	assert_int_equal(set_try("s", "\"match\":{\"labels\":{\"a\":\"b\"}}", files, &s, &e),
			 AY_OK);
	ay_refset_free(s);
}

/* ---- the host's side ---- */

#define UNIQUE ",\"host_unique\":[" VALUE("1", "#1#") "]"
#define OS_BIT AY_PART_BIT(AY_PART_OS)
#define UNIQUE_BIT AY_PART_BIT(AY_PART_HOST_UNIQUE)

static const struct {
	const char *name, *more;
	uint32_t parts; /* of host A with labels role=web1, site=b */
} hosts[] = {
	{ "no match", "", OS_BIT },
	{ "label", "\"match\":{\"labels\":{\"role\":\"web?\"}}", OS_BIT },
	{ "label of another value", "\"match\":{\"labels\":{\"role\":\"db*\"}}", 0 },
	{ "label it does not have", "\"match\":{\"labels\":{\"rack\":\"*\"}}", 0 },
	{ "both labels", "\"match\":{\"labels\":{\"role\":\"web1\",\"site\":\"b\"}}", OS_BIT },
	{ "one of two labels", "\"match\":{\"labels\":{\"role\":\"web1\",\"site\":\"c\"}}", 0 },
	{ "its id", "\"match\":{\"hosts\":[\"" HOST_B "\",\"" HOST_A "\"]}", OS_BIT | UNIQUE_BIT },
	{ "another's id", "\"match\":{\"hosts\":[\"" HOST_B "\"]}", 0 },
	{ "learned from it", "\"provenance\":{\"host\":\"" HOST_A "\"}", OS_BIT | UNIQUE_BIT },
	{ "learned from another", "\"provenance\":{\"host\":\"" HOST_B "\"}", OS_BIT },
	{ "learned from it, listed another",
	  "\"provenance\":{\"host\":\"" HOST_A "\"},\"match\":{\"hosts\":[\"" HOST_B "\"]}", 0 },
	{ "the machine is not asked here", "\"match\":{\"firmware\":{\"vendor\":\"x\"}}", OS_BIT },
};

static struct ay_host_facts host_a(void)
{
	static const struct ay_match_label labels[] = { { "role", "web1" }, { "site", "b" } };
	struct ay_host_facts h = { .has_id = true, .n_labels = 2, .label = labels };

	assert_int_equal(ay_uuid_parse(ay_bytes_of(HOST_A), "id", &h.id, NULL), AY_OK);
	return h;
}

static void test_hosts(void **state)
{
	struct ay_host_facts h = host_a(), unknown = { 0 };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(hosts); i++) {
		struct ay_refset *s;

		print_message("host: %s\n", hosts[i].name);
		s = set_of("s", hosts[i].more, OS_GOOD UNIQUE);
		assert_int_equal(ay_match_host(s, &h), hosts[i].parts);
		/* of a host that nobody knows anything of, nothing is assumed */
		assert_int_equal(ay_match_host(s, &unknown) & UNIQUE_BIT, 0);
		ay_refset_free(s);
	}
}

/* ---- what the policy makes of them ---- */

static struct ay_report rep;
static unsigned required;

static void judge(struct ay_refset *const *sets, size_t n, const uint32_t *parts,
		  const char *references)
{
	struct ay_state_in in = { .pcrs = &seen.pcrs,
				  .log_given = AY_LOG_IS_GIVEN,
				  .log = &seen.log,
				  .sets = (const struct ay_refset *const *)sets,
				  .n_sets = n,
				  .parts = parts };
	struct ay_policy *policy;
	struct ay_err e = { 0 };
	char doc[2048];

	snprintf(doc, sizeof(doc),
		 "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,\"required\":[\"os\"]"
		 "%s%s}",
		 *references == '\0' ? "" : ",\"references\":", references);
	if (ay_policy_parse(ay_bytes_of(doc), &policy, &e) != AY_OK)
		fail_msg("policy: %s %s", e.where, e.text);
	in.policy = policy;
	ay_sha256(seen.octets, in.log_sha256);
	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_state(&in, &rep, &e), AY_OK);
	required = ay_policy_required(policy, in.sets, n, false, 0);
	assert_int_equal(ay_report_conclude(&rep, required, &e), AY_OK);
	ay_policy_free(policy);
}

static void boot_again(void)
{
	boot_init(&seen);
	boot_make(&seen, &arena);
}

#define MATCH(m) "\"match\":{" m "}"

static const struct {
	const char *name, *match;
	enum ay_verdict verdict; /* of os, the set being met */
} machines[] = {
	{ "firmware version", MATCH("\"firmware\":{\"version\":\"firmware 1.*\"}"), AY_TRUSTED },
	{ "another version", MATCH("\"firmware\":{\"version\":\"firmware 2.*\"}"), AY_UNKNOWN },
	{ "vendor that nobody tells", MATCH("\"firmware\":{\"vendor\":\"*\"}"), AY_UNKNOWN },
	{ "command line", MATCH("\"kernel\":{\"cmdline\":\"/vmlinuz *\"}"), AY_TRUSTED },
	{ "another command line", MATCH("\"kernel\":{\"cmdline\":\"/vmlinuz2 *\"}"), AY_UNKNOWN },
	{ "kernel by digest", MATCH("\"kernel\":{\"digests\":{\"sha256\":[\"@/boot/vmlinuz@\"]}}"),
	  AY_TRUSTED },
	{ "another kernel", MATCH("\"kernel\":{\"digests\":{\"sha256\":[\"" ZEROS "\"]}}"),
	  AY_UNKNOWN },
	{ "one of two asked is wrong",
	  MATCH("\"kernel\":{\"cmdline\":\"/vmlinuz *\"},\"firmware\":{\"version\":\"2\"}"),
	  AY_UNKNOWN },
};

static void test_machines(void **state)
{
	(void)state;
	boot_again();
	for (size_t i = 0; i < AY_COUNT(machines); i++) {
		struct ay_refset *s;
		char match[512];

		print_message("machine: %s\n", machines[i].name);
		snprintf(match, sizeof(match), "%s", expand(machines[i].match));
		s = set_of("s", match, OS_GOOD);
		judge(&s, 1, NULL, "");
		assert_int_equal(rep.component[AY_COMP_OS].verdict, machines[i].verdict);
		ay_refset_free(s);
	}
}

/* A version in data that is not what was measured is no version. */
static void test_unmeasured_fact(void **state)
{
	struct ay_refset *s =
		set_of("s", MATCH("\"firmware\":{\"version\":\"firmware 9.9\"}"), OS_GOOD);

	(void)state;
	boot_init(&seen);
	seen.ev[0].data = "firmware 9.9";
	seen.ev[0].content = "firmware 1.0";
	boot_make(&seen, &arena);
	judge(&s, 1, NULL, "");
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_UNKNOWN);
	ay_refset_free(s);
}

/* Who made the firmware: an event that nothing measures, so the grade says so. */
static void test_self_reported(void **state)
{
	static const char event[] = "SP800-155 Event2"
				    "vend"
				    "guid guid guid g"
				    "\x04"
				    "Acme"
				    "\x02"
				    "M1"
				    "\x01"
				    "1"
				    "\x04"
				    "Dell"
				    "manu"
				    "\x05"
				    "2.1.0";
	struct ay_refset *s = set_of("s", MATCH("\"firmware\":{\"vendor\":\"De*\"}"), OS_GOOD);
	const struct ay_finding *f;

	(void)state;
	boot_init(&seen);
	boot_insert(&seen, 0, (struct boot_event){ 0, AY_EV_NO_ACTION, event, NULL, NULL });
	boot_make(&seen, &arena);
	judge(&s, 1, NULL, "");
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_TRUSTED);
	for (f = rep.finding; f->code != AY_CHECK_REF_MATCH; f++)
		assert_true(f < rep.finding + rep.n_findings);
	assert_string_equal(f->text, "set s applies: firmware vendor is \"Dell\" (self_reported)");
	ay_refset_free(s);
}

/* Sets a (met), b (not met), c (not met, part platform only). */
static const struct {
	const char *name, *references;
	enum ay_verdict os, platform;
	bool platform_required;
} policies[] = {
	{ "none: any of all", "", AY_TRUSTED, AY_UNTRUSTED, false },
	{ "by name, met", "[\"a\"]", AY_TRUSTED, AY_UNKNOWN, false },
	{ "by name, not met", "[\"b\"]", AY_UNTRUSTED, AY_UNKNOWN, false },
	{ "by name, nobody has it", "[\"z\"]", AY_UNKNOWN, AY_UNKNOWN, false },
	{ "any of two", "[{\"match\":\"any_of\",\"names\":[\"b\",\"a\"]}]", AY_TRUSTED, AY_UNKNOWN,
	  false },
	{ "all of two", "[{\"match\":\"all_of\",\"names\":[\"a\",\"b\"],\"parts\":[\"os\"]}]",
	  AY_UNTRUSTED, AY_UNKNOWN, false },
	{ "all of one that is there",
	  "[{\"match\":\"all_of\",\"names\":[\"a\"],\"parts\":[\"os\"]}]", AY_TRUSTED, AY_UNKNOWN,
	  false },
	{ "all of one that is there and one that is not",
	  "[{\"match\":\"all_of\",\"names\":[\"a\",\"z\"],\"parts\":[\"os\"]}]", AY_UNKNOWN,
	  AY_UNKNOWN, false },
	{ "latest is the one that is not met", "[{\"match\":\"latest\",\"parts\":[\"os\"]}]",
	  AY_UNTRUSTED, AY_UNKNOWN, false },
	{ "latest among one", "[{\"match\":\"latest\",\"names\":[\"a\"]}]", AY_TRUSTED, AY_UNKNOWN,
	  false },
	{ "two rules about one part",
	  "[{\"parts\":[\"os\"],\"names\":[\"a\"]},{\"parts\":[\"os\"],\"names\":[\"b\"]}]",
	  AY_UNTRUSTED, AY_UNKNOWN, false },
	{ "a rule for each part",
	  "[{\"parts\":[\"os\"],\"names\":[\"a\"]},{\"parts\":[\"platform\"],\"names\":[\"c\"]}]",
	  AY_TRUSTED, AY_UNTRUSTED, true },
	{ "required and there is none",
	  "[{\"parts\":[\"os\"],\"names\":[\"a\"]},{\"parts\":[\"platform\"],\"names\":[\"a\"],"
	  "\"need\":\"required\"}]",
	  AY_TRUSTED, AY_UNKNOWN, true },
	{ "required beside another of the same part",
	  "[{\"parts\":[\"os\"],\"names\":[\"a\"]},{\"parts\":[\"os\"],\"names\":[\"z\"],"
	  "\"need\":\"required\"}]",
	  AY_UNKNOWN, AY_UNKNOWN, false },
	{ "required if defined, and none is",
	  "[{\"parts\":[\"os\"],\"names\":[\"a\"]},{\"parts\":[\"platform\"],\"names\":[\"a\"]}]",
	  AY_TRUSTED, AY_UNKNOWN, false },
};

static void test_references(void **state)
{
	struct ay_refset *sets[3] = {
		set_of("a", "\"provenance\":{\"at\":\"2026-01-01T00:00:00Z\"}", OS_GOOD),
		set_of("b", "\"provenance\":{\"at\":\"2026-02-01T00:00:00Z\"}", OS_BAD),
		set_of("c", "", "\"platform\":[" VALUE("0", ZEROS) "]"),
	};

	(void)state;
	boot_again();
	for (size_t i = 0; i < AY_COUNT(policies); i++) {
		print_message("references: %s\n", policies[i].name);
		judge(sets, 3, NULL, policies[i].references);
		assert_int_equal(rep.component[AY_COMP_OS].verdict, policies[i].os);
		assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, policies[i].platform);
		assert_int_equal((required & AY_COMP_BIT(AY_COMP_PLATFORM)) != 0,
				 policies[i].platform_required);
		if (policies[i].platform_required)
			assert_int_not_equal(rep.verdict, AY_TRUSTED);
	}
	for (size_t i = 0; i < 3; i++)
		ay_refset_free(sets[i]);
}

static const struct {
	const char *references, *text;
} refused[] = {
	{ "[]", "references: needs" },
	{ "[{\"match\":\"some_of\"}]", "match: is any_of" },
	{ "[{\"need\":\"maybe\"}]", "need: is required" },
	{ "[{\"parts\":[\"bios\"]}]", "parts: unknown" },
	{ "[{\"parts\":[]}]", "parts: empty" },
	{ "[{\"match\":\"all_of\"}]", "names: all_of needs" },
	{ "[{\"names\":[]}]", "names: needs" },
	{ "[{\"names\":[\"../x\"]}]", "names: not a name" },
	{ "[{\"name\":\"a\"}]", "name: unknown" },
	{ "[\"a\",{\"names\":[\"b\"]}]", "references: not a name" },
	{ "[{\"names\":[\"b\"]},\"a\"]", "not an object" },
};

static void test_refused_references(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(refused); i++) {
		struct ay_policy *p;
		struct ay_err e = { 0 };
		char doc[512];

		print_message("references: %s\n", refused[i].references);
		snprintf(
			doc, sizeof(doc),
			"{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,\"required\":["
			"\"os\"],\"references\":%s}",
			refused[i].references);
		assert_int_equal(ay_policy_parse(ay_bytes_of(doc), &p, &e), AY_E_INPUT);
		if (strncmp(e.text, refused[i].text, strlen(refused[i].text)) != 0)
			fail_msg("%s: %s", e.where, e.text);
	}
}

/* ---- parts that are one host's own ---- */

static void test_host_unique(void **state)
{
	struct ay_refset *sets[2] = {
		set_of("shared", "", OS_GOOD),
		set_of("own", "", "\"host_unique\":[" VALUE("1", ZEROS) "]"),
	};
	uint32_t mine[2] = { AY_PARTS_ALL, AY_PARTS_ALL }, others[2] = { AY_PARTS_ALL, 0 };

	(void)state;
	boot_again();
	judge(sets, 2, mine, "");
	assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, AY_UNTRUSTED);
	judge(sets, 2, others, "");
	assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, AY_UNKNOWN);
	judge(sets, 2, NULL, ""); /* nobody says whose host it is */
	assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, AY_UNKNOWN);
	for (size_t i = 0; i < 2; i++)
		ay_refset_free(sets[i]);
}

/* ---- a set that fits hides nothing ---- */

static const struct {
	const char *name, *other;
	enum ay_verdict os;
} beside[] = {
	{ "nothing: the learned set says no", "", AY_UNTRUSTED },
	{ "a set of another PCR", "\"os\":[" VALUE("4", "#4#") "]", AY_UNKNOWN },
	{ "a set that asks for the kernel only",
	  "\"os\":[{\"kind\":\"includes\",\"pcr\":9,\"events\":[{\"digests\":{\"sha256\":"
	  "\"@/boot/vmlinuz@\"}}]}]",
	  AY_UNKNOWN },
	{ "a set of demands alone", "\"os\":[{\"kind\":\"minimum\",\"of\":\"dbx\",\"entries\":1}]",
	  AY_UNTRUSTED },
	{ "a set that forbids something",
	  "\"os\":[{\"kind\":\"forbidden\",\"digests\":{\"sha256\":"
	  "{\"" ZEROS "\":\"\"}}}]",
	  AY_UNTRUSTED },
};

static void test_hides_nothing(void **state)
{
	struct ay_refset *sets[2] = { boot_learn(&good, "learned"), NULL };

	(void)state;
	sets[0]->state = AY_SET_ACTIVE;
	boot_init(&seen);
	seen.ev[boot_find(&seen, "/boot/initrd.gz")].content = "rootkit";
	boot_make(&seen, &arena);
	for (size_t i = 0; i < AY_COUNT(beside); i++) {
		print_message("beside: %s\n", beside[i].name);
		if (*beside[i].other != '\0')
			sets[1] = set_of("other", "", beside[i].other);
		judge(sets, sets[1] == NULL ? 1 : 2, NULL, "");
		assert_int_equal(rep.component[AY_COMP_OS].verdict, beside[i].os);
		ay_refset_free(sets[1]);
		sets[1] = NULL;
	}
	ay_refset_free(sets[0]);
}

/* Two sets that know half of the PCRs each are as good as one that knows all. */
static void test_two_halves(void **state)
{
	struct ay_refset *sets[2] = { set_of("a", "", "\"os\":[" VALUE("9", "#9#") "]"),
				      set_of("b", "", "\"os\":[" VALUE("4", "#4#") "]") };

	(void)state;
	boot_again();
	judge(sets, 2, NULL, "");
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_TRUSTED);
	assert_int_equal(rep.n_references, 2);
	for (size_t i = 0; i < 2; i++)
		ay_refset_free(sets[i]);
}

/* What is forbidden is so although the set is for another machine: the host writes its own log. */
static void test_forbidden_for_another_machine(void **state)
{
	struct ay_refset *sets[2] = {
		set_of("good", "", OS_GOOD),
		set_of("bad", MATCH("\"firmware\":{\"version\":\"other\"}"),
		       "\"os\":[{\"kind\":\"forbidden\",\"digests\":{\"sha256\":{\"@path2@\":"
		       "\"GRUB\"}}}"
		       "]"),
	};

	(void)state;
	boot_again();
	judge(sets, 2, NULL, "");
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_UNTRUSTED);
	assert_non_null(ay_report_find(&rep, AY_CHECK_REF_FORBIDDEN));
	for (size_t i = 0; i < 2; i++)
		ay_refset_free(sets[i]);
}

/* The key of a state covers which parts count for the host. */
static void test_key(void **state)
{
	struct ay_refset *set = set_of("s", "", OS_GOOD UNIQUE);
	const struct ay_refset *sets[1] = { set };
	uint32_t all = AY_PARTS_ALL, some = OS_BIT;
	struct ay_state_in in = { .pcrs = &good.pcrs, .sets = sets, .n_sets = 1 };
	uint8_t none[32], one[32], two[32];

	(void)state;
	ay_state_key(&in, none);
	in.parts = &all;
	ay_state_key(&in, one);
	in.parts = &some;
	ay_state_key(&in, two);
	assert_memory_not_equal(none, one, 32);
	assert_memory_not_equal(one, two, 32);
	ay_refset_free(set);
}

/* Allow-lists: those that a rule chooses for part runtime. */
static void test_runtime_sets(void **state)
{
	static const char files[] =
		"\"runtime\":[{\"kind\":\"files\",\"digests\":{\"sha256\":{\"" ZEROS "\":\"\"}}}]";
	static const struct {
		const char *references;
		bool a, b;
	} of[] = {
		{ "", true, true },
		{ ",\"references\":[\"a\"]", true, false },
		{ ",\"references\":[{\"parts\":[\"os\"]}]", false, false },
		{ ",\"references\":[{\"parts\":[\"runtime\"],\"names\":[\"b\"]}]", false, true },
		{ ",\"references\":[{\"match\":\"latest\"}]", false, true },
	};
	struct ay_refset *sets[2] = {
		set_of("a", "\"provenance\":{\"at\":\"2026-01-01T00:00:00Z\"}", files),
		set_of("b", "\"provenance\":{\"at\":\"2026-02-01T00:00:00Z\"}", files),
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(of); i++) {
		const struct ay_refset *const *s = (const struct ay_refset *const *)sets;
		struct ay_policy *p;
		char doc[512];

		snprintf(
			doc, sizeof(doc),
			"{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,\"required\":["
			"\"os\"]%s}",
			of[i].references);
		assert_int_equal(ay_policy_parse(ay_bytes_of(doc), &p, NULL), AY_OK);
		assert_int_equal(ay_policy_uses_runtime(p, s, 2, 0, false, 0), of[i].a);
		assert_int_equal(ay_policy_uses_runtime(p, s, 2, 1, false, 0), of[i].b);
		ay_policy_free(p);
	}
	for (size_t i = 0; i < 2; i++)
		ay_refset_free(sets[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_runtime_by_host_only),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_unmeasured_fact),
		cmocka_unit_test(test_self_reported),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_refused_references),
		cmocka_unit_test(test_host_unique),
		cmocka_unit_test(test_hides_nothing),
		cmocka_unit_test(test_two_halves),
		cmocka_unit_test(test_forbidden_for_another_machine),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_runtime_sets),
	};

	return cmocka_run_group_tests(tests, rules_setup, rules_teardown);
}
