/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "minimum": what is too low fails, what nobody can be sure of is never good enough. */
#include "rules_fixture.h"

#include "core/appraise/rule_parts.h"

#define GUID_SHIM "\x50\xab\x5d\x60\x46\xe0\x00\x43\xab\xb6\x3d\xd8\x10\xdd\x8b\x23"
#define GUID_DB "\xcb\xb2\x19\xd7\x3a\x3d\x96\x45\xa3\xbc\xda\xd0\x0e\x67\x65\x6f"
#define BOOTMGR "9d132b61-59d5-4388-ab1c-185c3cb2eb92"
#define ONES "0101010101010101010101010101010101010101010101010101010101010101"
#define NINES "0909090909090909090909090909090909090909090909090909090909090909"

struct measured {
	uint8_t data[8][1024];
	uint8_t digest[8][32];
	struct ay_event event[8];
	struct ay_evlog log;
	struct ay_pcrs pcrs;
	struct ay_boot_facts facts;
};

static struct measured m;

static void begin(void)
{
	static const uint8_t value[32] = { 7 };

	memset(&m, 0, sizeof(m));
	m.log = (struct ay_evlog){
		.format = AY_EVLOG_AGILE, .n_banks = 1, .bank = { AY_ALG_SHA256 }, .event = m.event
	};
	for (unsigned pcr = 0; pcr < 8; pcr++)
		assert_int_equal(ay_pcrs_set(&m.pcrs, AY_ALG_SHA256, pcr, AY_BYTES(value), NULL),
				 AY_OK);
	m.facts = (struct ay_boot_facts){ .pcrs = &m.pcrs, .log = &m.log };
}

/* An event with what it measures: NULL: its data. */
static struct ay_event *add(unsigned pcr, uint32_t type, struct ay_bytes data, const char *content)
{
	size_t i = m.log.n_events++;
	struct ay_event *ev = &m.event[i];

	memcpy(m.data[i], data.p, data.n);
	ev->pcr = pcr;
	ev->type = type;
	ev->data = (struct ay_bytes){ m.data[i], data.n };
	ay_sha256(content == NULL ? ev->data : ay_bytes_of(content), m.digest[i]);
	ev->digest[0] = m.digest[i];
	ay_evlog_check_data(&m.log);
	return ev;
}

static struct ay_event *add_variable(const char *guid, const char *name, struct ay_bytes value)
{
	uint8_t data[1024];
	struct ay_bytes out;
	struct ay_writer w;

	ay_wr_init(&w, data, sizeof(data));
	ay_wr_bytes(&w, (struct ay_bytes){ (const uint8_t *)guid, 16 });
	ay_wr_le64(&w, strlen(name));
	ay_wr_le64(&w, value.n);
	for (const char *c = name; *c != '\0'; c++)
		ay_wr_le16(&w, (uint8_t)*c);
	ay_wr_bytes(&w, value);
	assert_int_equal(ay_wr_end(&w, "variable", &out, NULL), AY_OK);
	return add(7, AY_EV_EFI_VARIABLE_AUTHORITY, out, NULL);
}

static void add_sbat(const char *level)
{
	add_variable(GUID_SHIM, "SbatLevel", ay_bytes_of(level));
}

/* dbx with n hashes of equal octets 1, 2, ... and the SVN of the Windows boot manager. */
static struct ay_bytes make_dbx(unsigned n, uint16_t major, uint16_t minor)
{
	static uint8_t buf[1024];
	uint8_t hash[32], owner[16] = { 9 };
	struct ay_bytes out;
	struct ay_writer w;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_bytes(&w, t_hex("2616c4c1 4c50 9240 aca9 41f936934328"));
	ay_wr_le32(&w, 28 + 48 * (n + 1));
	ay_wr_le32(&w, 0);
	ay_wr_le32(&w, 48);
	for (unsigned i = 1; i <= n; i++) {
		memset(hash, (int)i, sizeof(hash));
		ay_wr_bytes(&w, AY_BYTES(owner));
		ay_wr_bytes(&w, AY_BYTES(hash));
	}
	memset(hash, 0, sizeof(hash));
	ay_wr_bytes(&w, AY_BYTES(owner));
	ay_wr_u8(&w, 1);
	ay_wr_bytes(&w, t_hex("612b139dd5598843ab1c185c3cb2eb92"));
	ay_wr_le16(&w, minor);
	ay_wr_le16(&w, major);
	ay_wr_bytes(&w, (struct ay_bytes){ hash, 11 });
	assert_int_equal(ay_wr_end(&w, "dbx", &out, NULL), AY_OK);
	return out;
}

/* The worst of what the rule says; exactly n findings. */
static enum ay_result judge(const char *more, const char *rule, size_t n)
{
	char parts[2048];
	struct ay_refset *set;
	struct ay_report rep;
	enum ay_result worst = AY_PASS;

	snprintf(parts, sizeof(parts), "\"platform\":[%s{\"kind\":\"minimum\",%s}]", more, rule);
	set = set_of("s", "", parts);
	ay_report_init(&rep, &arena);
	for (size_t i = 0; i < set->n_rules; i++)
		if (set->rule[i].kind == &ay_rule_minimum)
			ay_rule_minimum.check(set, &set->rule[i], &m.facts, &rep);
	assert_int_equal(rep.n_findings, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rep.finding[i].code, AY_CHECK_REF_MINIMUM);
		worst = rep.finding[i].result < worst ? rep.finding[i].result : worst;
	}
	ay_refset_free(set);
	return worst;
}

#define SBAT "\"of\":\"sbat\",\"at_least\":{\"shim\":2,\"grub\":3}"

static const struct {
	const char *name, *level;
	enum ay_result result;
} levels[] = {
	{ "exactly", "sbat,1,2022111500\nshim,2\ngrub,3\n", AY_PASS },
	{ "more", "sbat,1,2024010900\nshim,4\ngrub,10\n", AY_PASS },
	{ "GRUB too old", "sbat,1,2022052400\nshim,2\ngrub,2\n", AY_FAIL },
	{ "no line for GRUB", "sbat,1,2021030218\nshim,2\n", AY_FAIL },
	{ "a line twice", "sbat,1,2021030218\nshim,2\ngrub,3\ngrub,9\n", AY_FAIL },
	{ "nothing", "", AY_FAIL },
};

static void test_sbat(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(levels); i++) {
		print_message("sbat: %s\n", levels[i].name);
		begin();
		add_sbat(levels[i].level);
		assert_int_equal(judge("", SBAT, 1), levels[i].result);
	}
}

static const struct {
	const char *name, *rule;
	enum ay_result result;
} rules[] = {
	{ "dbx has enough", "\"of\":\"dbx\",\"entries\":4", AY_PASS },
	{ "dbx has one too few", "\"of\":\"dbx\",\"entries\":5", AY_FAIL },
	{ "dbx has the hash", "\"of\":\"dbx\",\"contains\":{\"sha256\":{\"" ONES "\":\"x\"}}",
	  AY_PASS },
	{ "dbx lacks one of two",
	  "\"of\":\"dbx\",\"contains\":{\"sha256\":{\"" ONES "\":\"x\",\"" NINES "\":\"y\"}}",
	  AY_FAIL },
	{ "SVN exactly", "\"of\":\"svn\",\"at_least\":{\"" BOOTMGR "\":\"7.1\"}", AY_PASS },
	{ "SVN minor", "\"of\":\"svn\",\"at_least\":{\"" BOOTMGR "\":\"7.2\"}", AY_FAIL },
	{ "SVN major", "\"of\":\"svn\",\"at_least\":{\"" BOOTMGR "\":\"8\"}", AY_FAIL },
	{ "SVN of somebody else",
	  "\"of\":\"svn\",\"at_least\":{\"00132b61-59d5-4388-ab1c-185c3cb2eb92\":\"1\"}", AY_FAIL },
};

static void test_dbx(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(rules); i++) {
		print_message("dbx: %s\n", rules[i].name);
		begin();
		add_variable(GUID_DB, "dbx", make_dbx(3, 7, 1));
		assert_int_equal(judge("", rules[i].rule, 1), rules[i].result);
	}
	begin();
	add_variable(GUID_DB, "dbx", ay_bytes_of("no lists"));
	assert_int_equal(judge("", "\"of\":\"dbx\",\"entries\":1", 1), AY_FAIL);
}

#define GOOD_LEVEL "sbat,1,2024010900\nshim,4\ngrub,4\n"
#define OLD_LEVEL "sbat,1,2021030218\nshim,1\ngrub,1\n"

/* Nothing that anybody may write counts. */
static void test_attacks(void **state)
{
	uint8_t inner[1024], digest[32];
	struct ay_event *ev;

	(void)state;
	begin();
	assert_int_equal(judge("", SBAT, 1), AY_NOT_CHECKED); /* not measured */
	add_variable(GUID_DB, "SbatLevel", ay_bytes_of(GOOD_LEVEL));
	assert_int_equal(judge("", SBAT, 1), AY_NOT_CHECKED); /* in another namespace */
	begin();
	add_sbat(GOOD_LEVEL);
	m.facts.unexplained = 1u << 7;
	assert_int_equal(judge("", SBAT, 1), AY_NOT_CHECKED); /* the log does not explain PCR 7 */
	begin();
	add_sbat(GOOD_LEVEL);
	m.facts.log = NULL;
	assert_int_equal(judge("", SBAT, 1), AY_NOT_CHECKED);
	begin(); /* a better one measured after the true one */
	add_sbat(OLD_LEVEL);
	add_sbat(GOOD_LEVEL);
	assert_int_equal(judge("", SBAT, 2), AY_FAIL);
	begin(); /* ... and the true one hidden by taking its data away */
	add_sbat(OLD_LEVEL);
	m.event[0].data.n = 4;
	ay_evlog_check_data(&m.log);
	add_sbat(GOOD_LEVEL);
	assert_int_equal(judge("", SBAT, 1), AY_NOT_CHECKED);
	m.event[0].type = AY_EV_IPL; /* under whatever type */
	assert_int_equal(judge("", SBAT, 1), AY_NOT_CHECKED);
	begin(); /* the true one as the value of another variable: its digest fits the value */
	ev = add_variable(GUID_SHIM, "SbatLevel", ay_bytes_of(OLD_LEVEL));
	memcpy(inner, ev->data.p, ev->data.n);
	memcpy(digest, m.digest[0], sizeof(digest));
	m.log.n_events = 0;
	add_variable(GUID_SHIM, "Other", (struct ay_bytes){ inner, ev->data.n });
	memcpy(m.digest[0], digest, sizeof(digest));
	add_sbat(GOOD_LEVEL);
	assert_int_equal(m.event[0].check, AY_DATA_MATCH);
	assert_int_equal(judge("", SBAT, 1), AY_NOT_CHECKED);
}

/* An event that nobody can read does no harm when the set knows it by its digest. */
static void test_known_event(void **state)
{
	char known[512], hex[65];

	(void)state;
	begin();
	add(7, AY_EV_IPL, ay_bytes_of("?"), "authority");
	add_sbat(GOOD_LEVEL);
	ay_hex_encode(AY_BYTES(m.digest[0]), hex);
	snprintf(
		known, sizeof(known),
		"{\"kind\":\"includes\",\"pcr\":7,\"events\":[{\"digests\":{\"sha256\":\"%s\"}}]},",
		hex);
	assert_int_equal(judge("", SBAT, 1), AY_NOT_CHECKED);
	assert_int_equal(judge(known, SBAT, 1), AY_PASS);
}

static const struct {
	const char *version, *prefix, *measured;
	enum ay_result result;
} versions[] = {
	{ "2.10.1", "", "2.10.1", AY_PASS },
	{ "2.10.1", "", "2.10.2", AY_PASS },
	{ "2.10.1", "", "2.9.9", AY_FAIL },
	{ "2.10.1", "", "2.10", AY_FAIL },
	{ "2.10", "", "2.10.1", AY_PASS },
	{ "43", "N2HET", "N2HET60", AY_PASS },
	{ "43", "N2HET", "N2HET42", AY_FAIL },
	{ "43", "N2HET", "N3HET60", AY_NOT_CHECKED },
	{ "2.10", "", "v2.10", AY_NOT_CHECKED },
	{ "2.10", "", "2-10", AY_NOT_CHECKED },
	{ "9", "", "10", AY_PASS },
};

static void test_firmware(void **state)
{
	char rule[128];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(versions); i++) {
		print_message("firmware: %s against %s\n", versions[i].measured,
			      versions[i].version);
		snprintf(rule, sizeof(rule),
			 "\"of\":\"firmware\",\"version\":\"%s\",\"prefix\":\"%s\"",
			 versions[i].version, versions[i].prefix);
		begin();
		add(0, AY_EV_S_CRTM_VERSION, ay_bytes_of(versions[i].measured), NULL);
		add(0, AY_EV_EFI_PLATFORM_FIRMWARE_BLOB, ay_bytes_of("place"), "blob");
		assert_int_equal(judge("", rule, 1), versions[i].result);
	}
	begin(); /* not the first: anybody may have added it */
	add(0, AY_EV_EFI_PLATFORM_FIRMWARE_BLOB, ay_bytes_of("1.0"), "hidden version");
	add(0, AY_EV_S_CRTM_VERSION, ay_bytes_of("9.0"), NULL);
	assert_int_equal(judge("", "\"of\":\"firmware\",\"version\":\"2.0\"", 1), AY_NOT_CHECKED);
	begin(); /* data that is not what was measured */
	add(0, AY_EV_S_CRTM_VERSION, ay_bytes_of("9.0"), "1.0");
	assert_int_equal(judge("", "\"of\":\"firmware\",\"version\":\"2.0\"", 1), AY_NOT_CHECKED);
	begin(); /* UTF-16, as most firmware has it */
	add(0, AY_EV_S_CRTM_VERSION, (struct ay_bytes){ (const uint8_t *)"9\0.\0000\0\0", 8 },
	    NULL);
	assert_int_equal(judge("", "\"of\":\"firmware\",\"version\":\"2.0\"", 1), AY_PASS);
}

/* A real machine's log: what shim measured there is known from the file itself. */
static void test_real_log(void **state)
{
	struct ay_bytes octets = t_corpus_file("minimum", "eventlogs/event-moklisttrusted.bin");
	struct ay_evlog log;
	struct ay_pcrs pcrs = { 0 };

	(void)state;
	assert_int_equal(ay_evlog_parse(octets, &arena, &log, NULL), AY_OK);
	ay_evlog_check_data(&log);
	assert_int_equal(ay_evlog_replay(&log, &pcrs, NULL), AY_OK);
	m.facts = (struct ay_boot_facts){ .pcrs = &pcrs, .log = &log };
	/* the file itself says "sbat,1,2021030218" and nothing more */
	assert_int_equal(judge("", "\"of\":\"sbat\",\"at_least\":{\"sbat\":1}", 1), AY_PASS);
	assert_int_equal(judge("", "\"of\":\"sbat\",\"at_least\":{\"sbat\":2}", 1), AY_FAIL);
	assert_int_equal(judge("", SBAT, 1), AY_FAIL);
	assert_int_equal(judge("", "\"of\":\"dbx\",\"entries\":1", 1), AY_PASS);
	assert_int_equal(judge("", "\"of\":\"dbx\",\"entries\":100000", 1), AY_FAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sbat),	 cmocka_unit_test(test_dbx),
		cmocka_unit_test(test_attacks),	 cmocka_unit_test(test_known_event),
		cmocka_unit_test(test_firmware), cmocka_unit_test(test_real_log),
	};

	return cmocka_run_group_tests(tests, rules_setup, rules_teardown);
}
