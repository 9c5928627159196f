/* SPDX-License-Identifier: Apache-2.0 */
/* A measured launch: right, changed, forged, missing; and the parts that speak of it. */
#include "support/t.h"

#include "boot_fixture.h"

#include "core/appraise/check_launch.h"
#include "core/base/hex.h"
#include "core/evlog/launch.h"

static struct ay_arena arena;
static struct boot good, seen;
static struct ay_report rep;

/* tboot, details and authorities */
static const struct boot_event launch[] = {
	{ 17, AY_EV_TXT_HASH_START, "", NULL, "SINIT 1" },
	{ 17, 0x40f, "caps", NULL, NULL },
	{ 17, AY_EV_TXT_MLE_HASH, "", NULL, "tboot" },
	{ 17, AY_EV_TBOOT, "", NULL, "policy" },
	{ 17, AY_EV_TBOOT, "", NULL, "hypervisor" },
	{ 17, AY_EV_TBOOT, "", NULL, "initrd" },
	{ 18, AY_EV_TXT_SINIT_PUBKEY_HASH, "", NULL, "key of SINIT" },
	{ 18, AY_EV_TBOOT, "", NULL, "policy" },
};
enum { SINIT = BASE_EVENTS, MODULE = BASE_EVENTS + 4 };

static void add_launch(struct boot *b)
{
	boot_init(b);
	for (size_t i = 0; i < AY_COUNT(launch); i++)
		boot_insert(b, b->n, launch[i]);
}

/* As the TPM has them: a launch leaves zero where nothing was extended. */
static void make(struct boot *b)
{
	static const uint8_t zero[AY_DIGEST_MAX];

	boot_make(b, &arena);
	for (size_t k = 0; ay_evlog_has_launch(&b->log) && k < b->n_banks; k++)
		for (unsigned pcr = 19; pcr <= 22; pcr++)
			assert_int_equal(ay_pcrs_set(&b->pcrs, b->bank[k], pcr,
						     (struct ay_bytes){
							     zero, ay_alg_digest_size(b->bank[k]) },
						     NULL),
					 AY_OK);
}

static struct ay_refset *learn(uint32_t parts, const struct ay_launch_split *split)
{
	struct ay_learn_from from = { .pcrs = &good.pcrs, .log = &good.log };
	struct ay_learn_options opt = { .name = "tboot", .parts = parts, .launch = split };
	struct ay_refset *s;

	assert_int_equal(ay_refset_learn(&from, &opt, &s, NULL), AY_OK);
	return s;
}

static void judge_by(const struct ay_refset *set, const struct ay_policy *policy)
{
	struct ay_state_in in = { .pcrs = &seen.pcrs,
				  .log_given = AY_LOG_IS_GIVEN,
				  .log = &seen.log,
				  .sets = &set,
				  .n_sets = 1,
				  .policy = policy,
				  .offline = true };

	ay_report_init(&rep, &arena);
	assert_int_equal(ay_appraise_state(&in, &rep, NULL), AY_OK);
	assert_int_equal(ay_report_conclude(&rep,
					    AY_COMP_BIT(AY_COMP_PLATFORM) | AY_COMP_BIT(AY_COMP_OS),
					    NULL),
			 AY_OK);
}

static void judge(const struct ay_refset *set)
{
	struct ay_policy *policy;

	assert_int_equal(ay_policy_default(&policy, NULL), AY_OK);
	judge_by(set, policy);
	ay_policy_free(policy);
}

static const struct ay_finding *find(enum ay_check code, enum ay_result result, const char *text)
{
	for (size_t i = 0; i < rep.n_findings; i++)
		if (rep.finding[i].code == code && rep.finding[i].result == result &&
		    strstr(rep.finding[i].text, text) != NULL)
			return &rep.finding[i];
	return NULL;
}

/* ---- changes of the launch ---- */

static void none(void)
{
}
static void other_module(void)
{
	seen.ev[MODULE].content = "rootkit";
}
static void other_sinit(void)
{
	seen.ev[SINIT].content = "SINIT 2";
}
static void no_module(void)
{
	boot_remove(&seen, MODULE);
}
static void one_more(void)
{
	boot_insert(&seen, MODULE + 2,
		    (struct boot_event){ 17, AY_EV_TBOOT, "", NULL, "module 3" });
}
/* the same thing measured twice: each event is claimed once */
static void twice(void)
{
	boot_insert(&seen, MODULE, launch[4]);
}
static void relabelled(void)
{
	seen.ev[MODULE].type = AY_EV_NO_ACTION + 0x500;
}
static void not_begun(void)
{
	seen.ev[SINIT].type = 0x404;
}
static void no_launch(void)
{
	boot_init(&seen);
}

static const struct {
	const char *name;
	void (*change)(void);
	enum ay_verdict platform, os;
	enum ay_check code;
	enum ay_result result;
	const char *text;
} cases[] = {
	{ "the right launch", none, AY_TRUSTED, AY_TRUSTED, AY_CHECK_TXT_LAUNCH, AY_PASS,
	  "details/authorities" },
	{ "another hypervisor", other_module, AY_TRUSTED, AY_UNTRUSTED, AY_CHECK_REF_EVENT, AY_FAIL,
	  "another \"vmlinuz\"" },
	{ "another SINIT", other_sinit, AY_UNTRUSTED, AY_TRUSTED, AY_CHECK_REF_EVENT, AY_FAIL,
	  "another \"HASH_START\"" },
	{ "a module is missing", no_module, AY_TRUSTED, AY_UNTRUSTED, AY_CHECK_REF_MISSING, AY_FAIL,
	  "\"vmlinuz\"" },
	{ "a module too many", one_more, AY_TRUSTED, AY_UNTRUSTED, AY_CHECK_REF_ADDED, AY_FAIL,
	  "\"module 2\"" },
	{ "a module twice", twice, AY_TRUSTED, AY_UNTRUSTED, AY_CHECK_REF_ADDED, AY_FAIL,
	  "expects" },
	{ "a type that means nothing", relabelled, AY_TRUSTED, AY_TRUSTED, AY_CHECK_REF_EVENT,
	  AY_PASS, "PCR 17" },
	{ "no D-RTM start", not_begun, AY_UNKNOWN, AY_UNTRUSTED, AY_CHECK_TXT_START, AY_FAIL,
	  "do not begin" },
	{ "no launch", no_launch, AY_UNTRUSTED, AY_UNTRUSTED, AY_CHECK_DRTM_NOT_LAUNCHED, AY_FAIL,
	  "PCR 17" },
};

static void launches(void **state)
{
	struct ay_refset *set;

	(void)state;
	add_launch(&good);
	make(&good);
	set = learn(0, NULL);
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		print_message("launch: %s\n", cases[i].name);
		add_launch(&seen);
		cases[i].change();
		make(&seen);
		judge(set);
		assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, cases[i].platform);
		assert_int_equal(rep.component[AY_COMP_OS].verdict, cases[i].os);
		if (find(cases[i].code, cases[i].result, cases[i].text) == NULL)
			fail_msg("finding is missing");
	}
	ay_refset_free(set);
}

/* PCR 17 and 18 extended at locality 2 on top of all ones; the log claims a launch. */
static void forged(void **state)
{
	struct ay_refset *set;

	(void)state;
	add_launch(&good);
	make(&good);
	set = learn(0, NULL);
	add_launch(&seen);
	boot_make(&seen, &arena); /* 19-22 are all ones still */
	judge(set);
	assert_non_null(find(AY_CHECK_TXT_FORGED, AY_FAIL, "there was no launch"));
	assert_int_equal(rep.verdict, AY_UNTRUSTED);
	make(&seen);
	judge(set);
	assert_null(find(AY_CHECK_TXT_FORGED, AY_FAIL, ""));
	ay_refset_free(set);
}

/* What no rule claims is too much, even where nobody changed anything. */
static void parts_alone(void **state)
{
	static const char *const os[] = { "vmlinuz" }, *const own[] = { "initrd" };
	static const struct ay_launch_split split = {
		.platform = 3u << 17, .n_os = 1, .os = os, .n_host_unique = 1, .host_unique = own
	};
	struct ay_refset *set;

	(void)state;
	add_launch(&good);
	make(&good);
	add_launch(&seen);
	make(&seen);
	set = learn(AY_PART_BIT(AY_PART_PLATFORM), NULL);
	judge(set);
	assert_non_null(find(AY_CHECK_REF_ADDED, AY_FAIL, "\"initrd\""));
	assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, AY_TRUSTED);
	assert_int_equal(rep.component[AY_COMP_OS].verdict, AY_UNTRUSTED);
	ay_refset_free(set);

	set = learn(0, &split);
	assert_int_equal(ay_refset_parts(set), AY_PART_BIT(AY_PART_PLATFORM) |
						       AY_PART_BIT(AY_PART_OS) |
						       AY_PART_BIT(AY_PART_HOST_UNIQUE));
	judge(set);
	assert_int_equal(rep.verdict, AY_TRUSTED);
	ay_refset_free(set);
}

static void demanded_by_policy(void **state)
{
	static const char doc[] = "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
				  "\"required\":[\"os\"],\"launch_required\":true}";
	struct ay_policy *policy, *again;
	struct ay_refset *set;

	(void)state;
	assert_int_equal(ay_policy_parse(ay_bytes_of(doc), &policy, NULL), AY_OK);
	assert_int_equal(ay_policy_parse(ay_policy_build(policy, &arena), &again, NULL), AY_OK);
	assert_true(again->launch_required);
	ay_policy_free(again);
	boot_init(&good);
	make(&good);
	set = learn(0, NULL);
	boot_init(&seen);
	make(&seen);
	judge(set); /* nobody wants a launch */
	assert_null(find(AY_CHECK_DRTM_NOT_LAUNCHED, AY_FAIL, ""));
	judge_by(set, policy);
	assert_non_null(find(AY_CHECK_DRTM_NOT_LAUNCHED, AY_FAIL, ""));
	ay_refset_free(set);
	ay_policy_free(policy);
}

/* ---- the whole value, for one SINIT module ---- */

static struct ay_refset *golden(const char *sinit, const char *value_of)
{
	static char doc[4096];
	uint8_t d[32];
	char hex[65], value[65];
	struct ay_refset *s;
	struct ay_err e = { 0 };

	assert_true(ay_hash_of(AY_ALG_SHA256, ay_bytes_of(sinit), d));
	ay_hex_encode(AY_BYTES(d), hex);
	(void)value_of;
	ay_hex_encode(ay_pcrs_value(&seen.pcrs, AY_ALG_SHA256, 17), value);
	snprintf(doc, sizeof(doc),
		 "{\"format\":\"assay-reference-1\",\"name\":\"g\",\"version\":1,\"parts\":{"
		 "\"platform\":[{\"kind\":\"golden\",\"pcr\":17,\"values\":{\"sha256\":\"%s\"},"
		 "\"sinit\":{\"sha256\":\"%s\"},\"owner\":\"o\",\"reason\":\"r\"}]}}",
		 value, hex);
	if (ay_refset_parse(ay_bytes_of(doc), &s, &e) != AY_OK)
		fail_msg("%s: %s", e.where, e.text);
	return s;
}

static void golden_for_its_sinit(void **state)
{
	static const struct {
		const char *sinit;
		enum ay_verdict platform;
	} of[] = { { "SINIT 1", AY_TRUSTED }, { "SINIT 2", AY_UNKNOWN } };
	struct ay_refset *set;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(of); i++) {
		add_launch(&seen);
		seen.bank[0] = AY_ALG_SHA256;
		seen.n_banks = 1;
		make(&seen);
		seen.log.event[SINIT + 3].type = AY_EV_NO_ACTION; /* the log forgets the MLE */
		set = golden(of[i].sinit, "");
		judge(set);
		assert_int_equal(find(AY_CHECK_LOG_PCR_MISMATCH, AY_FAIL, "PCR 17") == NULL,
				 of[i].platform == AY_TRUSTED);
		assert_int_equal(rep.component[AY_COMP_PLATFORM].verdict, of[i].platform);
		ay_refset_free(set);
	}
}

static void golden_needs_sinit(void **state)
{
	static const char *const bad[] = {
		"\"pcr\":17,\"values\":{\"sha256\":\"%s\"}",
		"\"pcr\":0,\"values\":{\"sha256\":\"%s\"},\"sinit\":{\"sha256\":\"%s\"}",
	};
	char rule[512], doc[1024], hex[65];
	struct ay_refset *s;

	(void)state;
	memset(hex, 'a', 64);
	hex[64] = '\0';
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		struct ay_err e = { 0 };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(rule, sizeof(rule), bad[i], hex, hex);
#pragma GCC diagnostic pop
		snprintf(doc, sizeof(doc),
			 "{\"format\":\"assay-reference-1\",\"name\":\"g\",\"version\":1,"
			 "\"parts\":{\"os\":[{\"kind\":\"golden\",%s,\"owner\":\"o\",\"reason\":"
			 "\"r\"}]}}",
			 rule);
		assert_int_equal(ay_refset_parse(ay_bytes_of(doc), &s, &e), AY_E_INPUT);
		assert_non_null(strstr(e.text, "sinit"));
	}
}

/* ---- names ---- */

static void names(void **state)
{
	static const char *const want[] = { "HASH_START",	 "OSSINITDATA_CAP_HASH",
					    "MLE_HASH",		 "tb_policy",
					    "vmlinuz",		 "initrd",
					    "SINIT_PUBKEY_HASH", "tb_policy" };
	static const struct boot_event legacy[] = {
		{ 17, AY_EV_TXT_HASH_START, "", NULL, "SINIT" },
		{ 17, AY_EV_TBOOT, "", NULL, "policy" },
		{ 18, AY_EV_TXT_MLE_HASH, "", NULL, "tboot" },
		{ 18, AY_EV_TBOOT, "", NULL, "hypervisor" },
		{ 19, AY_EV_TBOOT, "", NULL, "initrd" },
		{ 19, AY_EV_TBOOT, "", NULL, "another" },
		{ 22, AY_EV_TBOOT, "", NULL, "tag" },
	};
	static const char *const of_legacy[] = { "HASH_START", "tb_policy", "MLE_HASH", "vmlinuz",
						 "initrd",     "module 2",  "asset-tag" };
	char buf[AY_LAUNCH_NAME];

	(void)state;
	add_launch(&seen);
	make(&seen);
	assert_int_equal(ay_launch_map_of(&seen.log), AY_LAUNCH_MAP_DA);
	assert_null(ay_launch_name(&seen.log, 1, buf));
	for (size_t i = 0; i < AY_COUNT(want); i++)
		assert_string_equal(ay_launch_name(&seen.log, BASE_EVENTS + 1 + i, buf), want[i]);
	boot_init(&seen);
	for (size_t i = 0; i < AY_COUNT(legacy); i++)
		boot_insert(&seen, seen.n, legacy[i]);
	make(&seen);
	assert_int_equal(ay_launch_map_of(&seen.log), AY_LAUNCH_MAP_LEGACY);
	for (size_t i = 0; i < AY_COUNT(of_legacy); i++)
		assert_string_equal(ay_launch_name(&seen.log, BASE_EVENTS + 1 + i, buf),
				    of_legacy[i]);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(launches),
		cmocka_unit_test(forged),
		cmocka_unit_test(parts_alone),
		cmocka_unit_test(demanded_by_policy),
		cmocka_unit_test(golden_for_its_sinit),
		cmocka_unit_test(golden_needs_sinit),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("appraise/launch", tests, setup, teardown);
}
