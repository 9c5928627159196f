/* SPDX-License-Identifier: Apache-2.0 */
/* Demands, waivers and windows of a policy document: each member good, bad and malformed. */
#include "support/t.h"

#include "core/appraise/waiver.h"

#include <string.h>

#define DOC(members)                                                                               \
	"{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"                             \
	"\"required\":[\"identity\",\"platform\",\"os\"]," members "}"
#define WHO "\"owner\":\"ops\",\"reason\":\"ticket 7\",\"until\":\"2027-01-01T00:00:00Z\""
#define HASH "0101010101010101010101010101010101010101010101010101010101010101"
#define WAIVER(members) DOC("\"waivers\":[{" members "}]")
#define REF_PCR WAIVER("\"code\":\"REF_PCR\",\"pcr\":4,\"measured\":\"" HASH "\"," WHO)
#define WINDOW(members) DOC("\"windows\":[{" members "}]")
#define SB(members) DOC("\"secure_boot\":{" members "}")

static const struct {
	const char *name, *json;
	const char *error; /* begins with; NULL: it is read */
} cases[] = {
	{ "banks", DOC("\"banks\":{\"required\":[\"sha256\"],\"refused\":[\"sha1\"]}"), NULL },
	{ "banks: unknown", DOC("\"banks\":{\"required\":[\"md5\"]}"), "required: unknown bank" },
	{ "banks: twice", DOC("\"banks\":{\"refused\":[\"sha1\",\"sha1\"]}"), "refused: bank" },
	{ "banks: a number", DOC("\"banks\":{\"required\":[4]}"), "required: unknown bank" },
	{ "banks: a list", DOC("\"banks\":[\"sha256\"]"), "banks: wrong type" },
	{ "banks: unknown member", DOC("\"banks\":{\"wanted\":[]}"), "wanted: unknown member" },
	{ "PCRs", DOC("\"pcrs_judged\":[0,7,22]"), NULL },
	{ "PCR 24", DOC("\"pcrs_judged\":[24]"), "pcrs_judged: not a PCR" },
	{ "PCR -1", DOC("\"pcrs_judged\":[-1]"), "pcrs_judged: not a PCR" },
	{ "PCR as text", DOC("\"pcrs_judged\":[\"7\"]"), "pcrs_judged: not a PCR" },
	{ "PCR twice", DOC("\"pcrs_judged\":[7,7]"), "pcrs_judged: PCR stands" },
	{ "grades", DOC("\"grades\":{\"identity\":\"ek_certified\",\"os\":\"tpm_signed\"}"), NULL },
	{ "grade of identity for os", DOC("\"grades\":{\"os\":\"ek_certified\"}"),
	  "os: unknown grade" },
	{ "grade of a fact for identity", DOC("\"grades\":{\"identity\":\"tpm_signed\"}"),
	  "identity: unknown grade" },
	{ "grade none", DOC("\"grades\":{\"os\":\"none\"}"), "os: unknown grade" },
	{ "grade of nothing", DOC("\"grades\":{\"bios\":\"tpm_signed\"}"), "bios: unknown" },
	{ "grade: a number", DOC("\"grades\":{\"os\":4}"), "os: wrong type" },
	{ "Secure Boot on", SB("\"state\":\"on\""), NULL },
	{ "Secure Boot perhaps", SB("\"state\":\"perhaps\""), "state: is neither" },
	{ "Secure Boot true", SB("\"state\":true"), "state: is neither" },
	{ "dbx", SB("\"dbx_min\":77,\"dbx\":[\"" HASH "\"]"), NULL },
	{ "dbx: no hash", SB("\"dbx\":[]"), "dbx: needs" },
	{ "dbx: SHA-1", SB("\"dbx\":[\"0101010101010101010101010101010101010101\"]"),
	  "dbx: not a SHA-256" },
	{ "dbx: no hex", SB("\"dbx\":[\"x\"]"), "dbx: not a SHA-256" },
	{ "dbx: negative", SB("\"dbx_min\":-1"), "dbx_min: out of range" },
	{ "SBAT", SB("\"sbat\":{\"shim\":2,\"grub\":3}"), NULL },
	{ "SBAT generation 0", SB("\"sbat\":{\"shim\":0}"), "shim: generations" },
	{ "SBAT as text", SB("\"sbat\":{\"shim\":\"2\"}"), "shim: wrong type" },
	{ "SBAT of nothing", SB("\"sbat\":{}"), "sbat: needs" },
	{ "SBAT component with a comma", SB("\"sbat\":{\"a,b\":1}"), "sbat: not a component" },
	{ "max_staleness_s", DOC("\"max_staleness_s\":600"), NULL },
	{ "max_staleness_s below the interval", DOC("\"max_staleness_s\":299"),
	  "max_staleness_s: is shorter" },
	{ "max_staleness_s of a year", DOC("\"max_staleness_s\":31536000"),
	  "max_staleness_s: out of range" },
	{ "waiver", REF_PCR, NULL },
	{ "waivers: an object", DOC("\"waivers\":{}"), "waivers: wrong type" },
	{ "waiver of no kind", WAIVER("\"measured\":\"" HASH "\"," WHO), "code: missing" },
	{ "waiver of an unknown code", WAIVER("\"code\":\"REF_ALL\"," WHO), "code: is no code" },
	{ "waiver of a quote", WAIVER("\"code\":\"QUOTE_SIGNATURE\",\"measured\":\"x\"," WHO),
	  "code: may not be waived" },
	{ "waiver without a PCR", WAIVER("\"code\":\"REF_PCR\",\"measured\":\"" HASH "\"," WHO),
	  "pcr: is needed" },
	{ "waiver of whatever is measured", WAIVER("\"code\":\"REF_PCR\",\"pcr\":4," WHO),
	  "measured: is needed" },
	{ "waiver of nothing measured",
	  WAIVER("\"code\":\"REF_PCR\",\"pcr\":4,\"measured\":\"\"," WHO), "measured: is empty" },
	{ "waiver of a file without path",
	  WAIVER("\"code\":\"REF_IMA\",\"measured\":\"" HASH "\"," WHO), "path: is needed" },
	{ "waiver of a missing event without its digest",
	  WAIVER("\"code\":\"REF_MISSING\",\"pcr\":4,\"measured\":\"x\"," WHO),
	  "expected: is needed" },
	{ "waiver for PCR 24",
	  WAIVER("\"code\":\"REF_PCR\",\"pcr\":24,\"measured\":\"" HASH "\"," WHO), "pcr: out" },
	{ "waiver for a bank that is none",
	  WAIVER("\"code\":\"REF_PCR\",\"pcr\":4,\"bank\":\"md5\",\"measured\":\"" HASH "\"," WHO),
	  "bank: unknown" },
	{ "waiver of nobody",
	  WAIVER("\"code\":\"REF_PCR\",\"pcr\":4,\"measured\":\"" HASH
		 "\",\"reason\":\"r\",\"until\":\"2027-01-01T00:00:00Z\""),
	  "owner: missing" },
	{ "waiver of an empty owner",
	  WAIVER("\"code\":\"REF_PCR\",\"pcr\":4,\"measured\":\"" HASH
		 "\",\"owner\":\"\",\"reason\":\"r\",\"until\":\"2027-01-01T00:00:00Z\""),
	  "owner: is empty" },
	{ "waiver without a reason",
	  WAIVER("\"code\":\"REF_PCR\",\"pcr\":4,\"measured\":\"" HASH
		 "\",\"owner\":\"o\",\"reason\":\"\",\"until\":\"2027-01-01T00:00:00Z\""),
	  "reason: is empty" },
	{ "waiver for ever",
	  WAIVER("\"code\":\"REF_PCR\",\"pcr\":4,\"measured\":\"" HASH
		 "\",\"owner\":\"o\",\"reason\":\"r\""),
	  "until: missing" },
	{ "waiver until whenever",
	  WAIVER("\"code\":\"REF_PCR\",\"pcr\":4,\"measured\":\"" HASH
		 "\",\"owner\":\"o\",\"reason\":\"r\",\"until\":\"soon\""),
	  "until: is no instant" },
	{ "waiver with more to it",
	  WAIVER("\"code\":\"REF_PCR\",\"all\":true,\"measured\":\"" HASH "\"," WHO),
	  "all: unknown member" },
	{ "window", WINDOW("\"set\":\"web\",\"version\":3," WHO), NULL },
	{ "window of no set", WINDOW("\"version\":3," WHO), "set: missing" },
	{ "window of a set that is no name", WINDOW("\"set\":\"a/b\",\"version\":3," WHO),
	  "set: not a name" },
	{ "window of every version", WINDOW("\"set\":\"web\"," WHO), "version: missing" },
	{ "window of version 0", WINDOW("\"set\":\"web\",\"version\":0," WHO),
	  "version: versions" },
	{ "window for ever",
	  WINDOW("\"set\":\"web\",\"version\":3,\"owner\":\"o\",\"reason\":\"r\""),
	  "until: missing" },
};

static void test_members(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		enum ay_rc want = cases[i].error == NULL ? AY_OK : AY_E_INPUT;
		struct ay_policy *p = NULL, *again = NULL;
		struct ay_err e = { 0 };
		struct ay_arena a;

		print_message("policy: %s\n", cases[i].name);
		assert_int_equal(ay_policy_parse(ay_bytes_of(cases[i].json), &p, &e), want);
		if (want != AY_OK) {
			assert_null(p);
			assert_memory_equal(e.text, cases[i].error, strlen(cases[i].error));
			continue;
		}
		ay_arena_init(&a, 1 << 20); /* what was read is written and means the same */
		assert_int_equal(ay_policy_parse(ay_policy_build(p, &a), &again, &e), AY_OK);
		assert_memory_equal(p->sha256, again->sha256, 32);
		ay_policy_free(p);
		ay_policy_free(again);
		ay_arena_fini(&a);
	}
}

/* Every member tells apart: a policy with it has another hash than one without. */
static void test_every_member_is_named(void **state)
{
	struct ay_policy *plain;

	(void)state;
	assert_int_equal(ay_policy_parse(ay_bytes_of(DOC("\"note\":\"\"")), &plain, NULL), AY_OK);
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_policy *p;

		if (cases[i].error != NULL)
			continue;
		assert_int_equal(ay_policy_parse(ay_bytes_of(cases[i].json), &p, NULL), AY_OK);
		assert_memory_not_equal(p->sha256, plain->sha256, 32);
		ay_policy_free(p);
	}
	ay_policy_free(plain);
}

static void test_too_many(void **state)
{
	static char text[120000];
	struct ay_policy *p;
	struct ay_err e;
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof(text),
			     "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
			     "\"required\":[\"identity\"],\"waivers\":[");
	for (int i = 0; i < 257; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "%s{\"code\":\"REF_PCR\",\"pcr\":4,\"measured\":\"" HASH
				      "\"," WHO "}",
				      i == 0 ? "" : ",");
	snprintf(text + n, sizeof(text) - n, "]}");
	assert_int_equal(ay_policy_parse(ay_bytes_of(text), &p, &e), AY_E_INPUT);
	assert_string_equal(e.text, "waivers: more than 256");
}

/* What speaks of the evidence itself, or of who the host is, nobody can excuse. */
static void test_what_may_be_waived(void **state)
{
	static const char *const never[] = { "QUOTE_", "LOG_",	   "AIK_",   "EK_",
					     "AK_",    "COUNTER_", "HOST_",  "EVIDENCE_",
					     "BANK_",  "GRADE_",   "NO_",    "ACTIVATION",
					     "CLOCK_", "POLICY_",  "IMA_PCR" };
	size_t n_may = 0;

	(void)state;
	for (unsigned c = AY_CHECK_NONE + 1; c < AY_CHECKS; c++) {
		const struct ay_check_row *r = ay_check_row((enum ay_check)c);

		n_may += ay_waiver_may((enum ay_check)c);
		for (size_t k = 0; k < AY_COUNT(never); k++)
			if (strncmp(r->code, never[k], strlen(never[k])) == 0)
				assert_false(ay_waiver_may((enum ay_check)c));
		if (r->component == AY_COMP_IDENTITY)
			assert_false(ay_waiver_may((enum ay_check)c));
		if (ay_waiver_may((enum ay_check)c)) /* and what may be must be named */
			assert_true((ay_waiver_needs((enum ay_check)c) &
				     (AY_WAIVER_MEASURED | AY_WAIVER_EXPECTED)) != 0);
	}
	assert_true(n_may > 0);
	assert_false(ay_waiver_may(AY_CHECK_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_every_member_is_named),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_what_may_be_waived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
