/* SPDX-License-Identifier: Apache-2.0 */
/* IMA lists by a policy: rows of facts/tamper-matrix.md 4 that need one, precedence, tallies. */
#include "support/t.h"

#include "ima_world.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	return w_setup(&w);
}

static int teardown(void **state)
{
	(void)state;
	return w_teardown(&w);
}

static struct ay_bytes signed_file(void)
{
	return t_vector("ima_sig/signed-file");
}

/* A policy with keys (names with "-": revoked) and path rules. */
static void use(const char *const keys[], const char *rest)
{
	char ima[8192], *to = ima;

	to += sprintf(to, "{\"keys\":[");
	for (size_t i = 0; keys[i] != NULL; i++) {
		bool revoked = keys[i][0] == '-';

		to += sprintf(to, "%s%s", i > 0 ? "," : "",
			      w_key(&w, keys[i] + revoked, revoked ? ",\"revoked\":true" : ""));
	}
	sprintf(to, "]%s}", rest);
	w_policy(&w, ima);
}
#define KEYS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---- signatures ---- */

#define SIGNED ",\"paths\":[{\"prefix\":\"/usr/\",\"action\":\"signed\"}]"
#define REQUIRED ",\"paths\":[{\"prefix\":\"/usr/\",\"action\":\"require_signed\"}]"

static const struct {
	const char *name, *key, *rules, *path, *sig;
	bool flip; /* a bit of the contents */
	enum ay_verdict want;
	enum ay_check code;
} signatures[] = {
	{ "good, RSA", "rsa2048", SIGNED, "/usr/bin/x", "rsa2048-sha256.sig", false, AY_TRUSTED,
	  0 },
	{ "good, ECDSA", "p256", SIGNED, "/usr/bin/x", "p256-sha256.sig", false, AY_TRUSTED, 0 },
	{ "good, no rule says so", "p256", SIGNED, "/opt/x", "p256-sha256.sig", false, AY_UNTRUSTED,
	  AY_CHECK_REF_IMA },
	{ "good, no rule at all", "p256", "", "/usr/bin/x", "p256-sha256.sig", false, AY_UNTRUSTED,
	  AY_CHECK_REF_IMA },
	{ "bad", "p256", SIGNED, "/usr/bin/x", "p256-sha256.sig", true, AY_UNTRUSTED,
	  AY_CHECK_IMA_SIGNATURE },
	{ "bad where no rule looks", "p256", SIGNED, "/opt/x", "p256-sha256.sig", true,
	  AY_UNTRUSTED, AY_CHECK_IMA_SIGNATURE },
	{ "unknown key", "p256", SIGNED, "/usr/bin/x", "rsa2048-sha256.sig", false, AY_UNTRUSTED,
	  AY_CHECK_REF_IMA },
	{ "none", "p256", SIGNED, "/usr/bin/x", NULL, false, AY_UNTRUSTED, AY_CHECK_REF_IMA },
	{ "v1 header", "rsa2048", SIGNED, "/usr/bin/x", "rsa2048-v1.sig", false, AY_UNTRUSTED,
	  AY_CHECK_REF_IMA },
	{ "portable", "p256", SIGNED, "/usr/bin/x", "p256-portable.sig", false, AY_UNTRUSTED,
	  AY_CHECK_REF_IMA },
	{ "revoked key", "-p256", SIGNED, "/usr/bin/x", "p256-sha256.sig", false, AY_UNTRUSTED,
	  AY_CHECK_IMA_SIGNATURE },
	{ "required, good", "p256", REQUIRED, "/usr/bin/x", "p256-sha256.sig", false, AY_TRUSTED,
	  0 },
	{ "required, none", "p256", REQUIRED, "/usr/bin/x", NULL, false, AY_UNTRUSTED,
	  AY_CHECK_IMA_SIGNATURE },
	{ "required, unknown key", "p256", REQUIRED, "/usr/bin/x", "rsa2048-sha256.sig", false,
	  AY_UNTRUSTED, AY_CHECK_IMA_SIGNATURE },
	{ "required, v1 header", "rsa2048", REQUIRED, "/usr/bin/x", "rsa2048-v1.sig", false,
	  AY_UNTRUSTED, AY_CHECK_IMA_SIGNATURE },
	{ "required, portable", "p256", REQUIRED, "/usr/bin/x", "p256-portable.sig", false,
	  AY_UNTRUSTED, AY_CHECK_IMA_SIGNATURE },
};

static void test_signatures(void **state)
{
	for (size_t i = 0; i < AY_COUNT(signatures); i++) {
		struct ay_bytes content;

		if (i > 0)
			(void)setup(state);
		content = signatures[i].flip ? ay_bytes_of("changed") : signed_file();
		print_message("%s\n", signatures[i].name);
		use(KEYS(signatures[i].key), signatures[i].rules);
		w_signed(&w, signatures[i].path, content, signatures[i].sig);
		assert_int_equal(w_judge(&w), signatures[i].want);
		if (signatures[i].code != 0)
			assert_int_equal(w_count(&w, signatures[i].code, AY_FAIL), 1);
		(void)teardown(state);
	}
	(void)setup(state);
}

/* Keys without anything else: the old answer, and its path and digest are named. */
static void test_unknown_key_falls_back_to_allow_list(void **state)
{
	(void)state;
	w_signed(&w, "/usr/bin/x", signed_file(), "rsa2048-sha256.sig");
	w_learn(&w, "with it");
	use(KEYS("p256"), SIGNED);
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	use(KEYS("p256"), REQUIRED); /* that it is listed is not enough there */
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
	assert_string_equal(ay_report_find(&w.rep, AY_CHECK_IMA_SIGNATURE)->path, "/usr/bin/x");
}

/* A bad signature fails although the digest is allowed: the file is not what somebody signed. */
static void test_bad_signature_of_an_allowed_file(void **state)
{
	(void)state;
	w_signed(&w, "/usr/bin/x", ay_bytes_of("changed"), "p256-sha256.sig");
	w_learn(&w, "with it");
	use(KEYS("p256"), "");
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_SIGNATURE, AY_FAIL), 1);
}

/* Keys of a set are trusted as those of the policy are; what one of them revokes is revoked. */
static void test_signers_of_a_set(void **state)
{
	char rule[4096];

	(void)state;
	w_policy(&w, "{\"paths\":[{\"prefix\":\"/usr/\",\"action\":\"signed\"}]}");
	w_signed(&w, "/usr/bin/x", signed_file(), "p256-sha256.sig");
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
	snprintf(rule, sizeof(rule), "{\"kind\":\"signers\",\"keys\":[%s]}", w_key(&w, "p256", ""));
	w_add_set(&w, rule);
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	assert_true(w_covers(&w, "1 entries: signed by key p256"));
	snprintf(rule, sizeof(rule), "{\"kind\":\"signers\",\"keys\":[%s]}",
		 w_key(&w, "p256", ",\"revoked\":true"));
	w_add_set(&w, rule);
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
}

static void test_fs_verity_signature(void **state)
{
	(void)state;
	use(KEYS("p256"), SIGNED);
	W_ENTRY(&w, 10, "ima-sigv2", f_digest(&w, "verity:sha256:", AY_ALG_SHA256, signed_file()),
		F_TEXT("/usr/bin/x"), f_file("ima_sig/p256-verity.sig"));
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	W_ENTRY(&w, 10, "ima-sigv2", f_digest(&w, "ima:sha256:", AY_ALG_SHA256, signed_file()),
		F_TEXT("/usr/bin/x"), f_file("ima_sig/p256-verity.sig"));
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_SIGNATURE, AY_FAIL), 1);
}

/* ---- path rules ---- */

static const struct {
	const char *name, *rules, *path, *content;
	enum ay_verdict want;
	enum ay_check code;
} paths[] = {
	{ "deny", "{\"prefix\":\"/tmp/\",\"action\":\"deny\"}", "/tmp/x", "evil", AY_UNTRUSTED,
	  AY_CHECK_IMA_DENIED },
	{ "deny what is listed", "{\"prefix\":\"/tmp/\",\"action\":\"deny\"}", "/tmp/x", "shell",
	  AY_UNTRUSTED, AY_CHECK_IMA_DENIED },
	{ "deny elsewhere", "{\"prefix\":\"/tmp/\",\"action\":\"deny\"}", "/x/tmp/x", "shell",
	  AY_TRUSTED, 0 },
	{ "ignore", "{\"prefix\":\"/var/log/\",\"action\":\"ignore\"}", "/var/log/x", "new",
	  AY_TRUSTED, 0 },
	{ "allow", "{\"path\":\"/etc/motd\",\"action\":\"allow\"}", "/etc/motd", "new", AY_TRUSTED,
	  0 },
	{ "allow is anchored", "{\"path\":\"/etc/motd\",\"action\":\"allow\"}", "/etc/motd2", "new",
	  AY_UNTRUSTED, AY_CHECK_REF_IMA },
	{ "the first counts",
	  "{\"path\":\"/tmp/x\",\"action\":\"allow\"},{\"prefix\":\"/tmp/\",\"action\":\"deny\"}",
	  "/tmp/x", "new", AY_TRUSTED, 0 },
	{ "none matches", "{\"prefix\":\"/opt/\",\"action\":\"allow\"}", "/tmp/x", "new",
	  AY_UNTRUSTED, AY_CHECK_REF_IMA },
};

static void test_path_rules(void **state)
{
	for (size_t i = 0; i < AY_COUNT(paths); i++) {
		char ima[512];

		if (i > 0)
			(void)setup(state);
		print_message("%s\n", paths[i].name);
		snprintf(ima, sizeof(ima), "{\"paths\":[%s]}", paths[i].rules);
		w_policy(&w, ima);
		ima_file(&w.list, paths[i].path, paths[i].content);
		assert_int_equal(w_judge(&w), paths[i].want);
		if (paths[i].code != 0)
			assert_int_equal(w_count(&w, paths[i].code, AY_FAIL), 1);
		(void)teardown(state);
	}
	(void)setup(state);
}

/* The report says what was not judged, and by which rule. */
static void test_ignored_entries_are_told(void **state)
{
	(void)state;
	w_policy(&w, "{\"paths\":[{\"prefix\":\"/var/log/\",\"action\":\"ignore\"}]}");
	ima_file(&w.list, "/var/log/a", "a");
	ima_file(&w.list, "/var/log/b", "b");
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_IGNORED, AY_PASS), 1);
	assert_true(w_covers(&w, "2 entries: not judged: path rule ignore /var/log/"));
	assert_true(w_covers(&w, "2 entries: allow-list of set good v1"));
	assert_true(w_covers(&w, "1 entries: boot_aggregate"));
}

/* A list of which all is ignored is as good as none. */
static void test_all_ignored_is_not_trusted(void **state)
{
	(void)state;
	w_policy(&w, "{\"paths\":[{\"prefix\":\"/\",\"action\":\"ignore\"}]}");
	assert_int_equal(w_judge(&w), AY_UNKNOWN);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_FEW, AY_NOT_CHECKED), 1);
}

/* Forbidden wins over all that accepts: allow-list, path rules, signature, ignore. */
static void test_forbidden_file(void **state)
{
	static const char *const rules[] = {
		"{}",
		"{\"paths\":[{\"prefix\":\"/\",\"action\":\"allow\"}]}",
		"{\"paths\":[{\"prefix\":\"/\",\"action\":\"ignore\"}]}",
	};
	char rule[256], hex[65];
	uint8_t d[32];

	(void)state;
	ay_sha256(ay_bytes_of("shell"), d);
	ay_hex_encode(AY_BYTES(d), hex);
	snprintf(rule, sizeof(rule),
		 "{\"kind\":\"forbidden\",\"digests\":{\"sha256\":{\"%s\":\"worm\"}}}", hex);
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	w_add_set(&w, rule);
	for (size_t i = 0; i < AY_COUNT(rules); i++) {
		print_message("%s\n", rules[i]);
		w_policy(&w, rules[i]);
		assert_int_equal(w_judge(&w), AY_UNTRUSTED);
		assert_int_equal(w_count(&w, AY_CHECK_REF_FORBIDDEN, AY_FAIL), 1);
		assert_string_equal(ay_report_find(&w.rep, AY_CHECK_REF_FORBIDDEN)->path,
				    "/bin/sh");
	}
}

/* ---- buffers ---- */

#define ROOT "29cb87e60ce7b12b443ba6008266f3e41e93e403d7f298f8e3f316b29ff89c5e"
#define DM "dm_version=4.45.0;name=v,uuid=,major=253,minor=0,minor_count=1,num_targets=1;"
#define VERITY DM "target_index=0,target_name=verity,hash_failed=V,root_digest=" ROOT ",salt=00;"

static const struct {
	const char *name, *rules, *buffer, *content;
	enum ay_verdict want;
	enum ay_check code;
} buffers[] = {
	{ "key not expected", "", ".ima", "a certificate", AY_UNTRUSTED, AY_CHECK_IMA_BUF_KEY },
	{ "key of a keyring made by a user", "", "_evm", "a key", AY_UNTRUSTED,
	  AY_CHECK_IMA_BUF_KEY },
	{ "kexec not expected", "", "kexec-cmdline", "init=/bin/sh", AY_UNTRUSTED,
	  AY_CHECK_IMA_BUF_CMDLINE },
	{ "kexec by text", "{\"name\":\"kexec-cmdline\",\"texts\":[\"root=/dev/vda1 ro\"]}",
	  "kexec-cmdline", "root=/dev/vda1 ro", AY_TRUSTED, 0 },
	{ "kexec, two words more", "{\"name\":\"kexec-cmdline\",\"texts\":[\"root=/dev/vda1 ro\"]}",
	  "kexec-cmdline", "root=/dev/vda1 ro quiet", AY_UNTRUSTED, AY_CHECK_IMA_BUF_CMDLINE },
	{ "table with the root digest",
	  "{\"name\":\"dm_table_load\",\"root_digests\":[\"" ROOT "\"]}", "dm_table_load", VERITY,
	  AY_TRUSTED, 0 },
	{ "table with another root digest",
	  "{\"name\":\"dm_table_load\",\"root_digests\":[\"00112233445566778899aabbccddeeff"
	  "00112233445566778899aabbccddeeff\"]}",
	  "dm_table_load", VERITY, AY_UNTRUSTED, AY_CHECK_IMA_BUF_DM },
	{ "table not expected", "", "dm_table_load", VERITY, AY_UNTRUSTED, AY_CHECK_IMA_BUF_DM },
	{ "critical data not expected", "", "selinux-state", "enforcing=0;", AY_UNTRUSTED,
	  AY_CHECK_IMA_BUF_DATA },
	{ "critical data by text", "{\"name\":\"selinux-state\",\"texts\":[\"enforcing=1;\"]}",
	  "selinux-state", "enforcing=1;", AY_TRUSTED, 0 },
	{ "ignored by name", "{\"name\":\"dm_*\",\"action\":\"ignore\"}", "dm_device_resume", "x",
	  AY_TRUSTED, 0 },
	{ "allowed by name", "{\"name\":\"dm_*\",\"action\":\"allow\"}", "dm_device_resume", "x",
	  AY_TRUSTED, 0 },
	{ "denied in spite of another rule",
	  "{\"name\":\"*\",\"action\":\"allow\"},{\"name\":\"kexec-cmdline\",\"action\":\"deny\"}",
	  "kexec-cmdline", "ro", AY_UNTRUSTED, AY_CHECK_IMA_BUF_CMDLINE },
	{ "not trusted as a key", "{\"name\":\".ima\",\"trusted_keys\":true}", ".ima", "no key",
	  AY_UNTRUSTED, AY_CHECK_IMA_BUF_KEY },
};

static void test_buffers(void **state)
{
	for (size_t i = 0; i < AY_COUNT(buffers); i++) {
		char ima[1024];

		if (i > 0)
			(void)setup(state);
		print_message("%s\n", buffers[i].name);
		snprintf(ima, sizeof(ima), "{\"buffers\":[%s]}", buffers[i].rules);
		w_policy(&w, buffers[i].rules[0] == '\0' ? "{}" : ima);
		w_buffer(&w, buffers[i].buffer, buffers[i].content);
		assert_int_equal(w_judge(&w), buffers[i].want);
		if (buffers[i].code != 0) {
			assert_int_equal(w_count(&w, buffers[i].code, AY_FAIL), 1);
			assert_string_equal(ay_report_find(&w.rep, buffers[i].code)->path,
					    buffers[i].buffer);
		}
		(void)teardown(state);
	}
	(void)setup(state);
}

/* What a good host had in its keyrings is expected there, and in no other keyring. */
static void test_learned_buffers(void **state)
{
	(void)state;
	w_buffer(&w, ".ima", "a certificate");
	w_learn(&w, "with a key");
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	w_buffer(&w, ".builtin_trusted_keys", "a certificate");
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_BUF_KEY, AY_FAIL), 1);
}

/* The certificate of a trusted key may be loaded; revoked, no more. */
static void test_trusted_key_in_keyring(void **state)
{
	struct ay_bytes der = t_vector("ima_sig/rsa2048-ski.der");

	(void)state;
	use(KEYS("rsa2048"), ",\"buffers\":[{\"name\":\".ima\",\"trusted_keys\":true}]");
	W_ENTRY(&w, 10, "ima-buf", f_digest(&w, "sha256:", AY_ALG_SHA256, der), F_TEXT(".ima"),
		((struct field){ der.p, der.n }));
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	use(KEYS("-rsa2048"), ",\"buffers\":[{\"name\":\".ima\",\"trusted_keys\":true}]");
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_BUF_KEY, AY_FAIL), 1);
}

/* One key in one keyring is excused until an instant; another one is not. */
static void test_waived_buffer(void **state)
{
	static const char text[] =
		"{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,\"required\":["
		"\"runtime\"],"
		"\"waivers\":[{\"code\":\"IMA_BUF_KEY\",\"path\":\".ima\",\"measured\":\"%s\","
		"\"owner\":\"ops\",\"reason\":\"ticket 7\",\"until\":\"2030-01-01T00:00:00Z\"}]}";
	const unsigned runtime = AY_COMP_BIT(AY_COMP_RUNTIME);
	struct ay_err e = { 0 };
	char hex[65], policy[1024];
	uint8_t d[32];

	(void)state;
	ay_sha256(ay_bytes_of("a certificate"), d);
	ay_hex_encode(AY_BYTES(d), hex);
	snprintf(policy, sizeof(policy), "%.*s%s%s", (int)(strstr(text, "%s") - text), text, hex,
		 strstr(text, "%s") + 2);
	ay_policy_free(w.policy);
	if (ay_policy_parse(ay_bytes_of(policy), &w.policy, &e) != AY_OK)
		fail_msg("%s: %s", e.where, e.text);
	w_buffer(&w, ".ima", "a certificate");
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
	assert_int_equal(ay_appraise_conclude(w.policy, runtime, 1, &w.rep, NULL), AY_OK);
	assert_int_equal(w.rep.verdict, AY_TRUSTED);
	w_buffer(&w, ".ima", "another certificate");
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
	assert_int_equal(ay_appraise_conclude(w.policy, runtime, 1, &w.rep, NULL), AY_OK);
	assert_int_equal(w.rep.verdict, AY_UNTRUSTED);
}

/* ---- tallies ---- */

/* Only new entries are judged; what was found stays found. */
static void test_incremental(void **state)
{
	struct ay_ima_state at;
	size_t first = w.list.octets.n;

	(void)state;
	w_extend(&w);
	assert_int_equal(w_judge_piece(&w, NULL, w.list.octets, &at), AY_TRUSTED);
	assert_int_equal(w.tally.entries, 3);
	ima_file(&w.list, "/tmp/evil", "evil");
	w_extend(&w);
	assert_int_equal(
		w_judge_piece(&w, &at,
			      (struct ay_bytes){ w.list.octets.p + first, w.list.octets.n - first },
			      &at),
		AY_UNTRUSTED);
	assert_int_equal(w.tally.entries, 4);
	assert_int_equal(w_judge_piece(&w, &at, (struct ay_bytes){ 0 }, NULL), AY_UNTRUSTED);
}

/* Other rules of the policy, or other sets: the whole list is asked for. */
static void test_other_rules_need_the_whole_list(void **state)
{
	static const char *const policies[] = {
		"{\"paths\":[{\"prefix\":\"/x/\",\"action\":\"deny\"}]}",
		"{\"refuse_weak_digests\":true}",
		"{\"min_files\":2}",
		"{\"buffers\":[{\"name\":\"x\",\"action\":\"deny\"}]}",
	};
	struct ay_ima_state at;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(policies); i++) {
		print_message("%s\n", policies[i]);
		w_policy(&w, "{}");
		w_extend(&w);
		assert_int_equal(w_judge_piece(&w, NULL, w.list.octets, &at), AY_TRUSTED);
		w_policy(&w, policies[i]);
		assert_int_equal(w_judge_piece(&w, &at, (struct ay_bytes){ 0 }, NULL), AY_UNKNOWN);
		assert_int_equal(w_count(&w, AY_CHECK_IMA_CONTINUITY, AY_NOT_CHECKED), 1);
		assert_int_equal(w_judge_piece(&w, NULL, w.list.octets, NULL), AY_TRUSTED);
	}
	w_add_set(&w, "{\"kind\":\"buffers\",\"buffers\":{\"x\":{\"sha256\":[\"" ROOT "\"]}}}");
	assert_int_equal(w_judge_piece(&w, &at, (struct ay_bytes){ 0 }, NULL), AY_UNKNOWN);
}

/* What an older server kept is not a tally: it is judged anew, never misread. */
static void test_tally_of_an_older_server(void **state)
{
	struct ay_ima_tally t;

	(void)state;
	assert_int_equal(ay_tally_parse(t_vector("fuzz/tally/version-1.bin"), &t, NULL),
			 AY_E_INPUT);
	assert_int_equal(t.entries, 0);
	assert_int_equal(ay_tally_parse(t_vector("fuzz/tally/two-listed.bin"), &t, NULL), AY_OK);
	assert_int_equal(t.entries, 5);
	assert_int_equal(t.n[AY_IMA_KNOWN], 2);
	assert_int_equal(t.n[AY_IMA_VIOLATION], 1);
	assert_int_equal(t.listed[1].outcome, AY_IMA_VIOLATION);
}

/* Files told apart by who vouches for them, and all that a list may hold. */
static void test_coverage(void **state)
{
	(void)state;
	use(KEYS("p256"), ",\"paths\":[{\"path\":\"/etc/motd\",\"action\":\"allow\"},"
			  "{\"prefix\":\"/usr/\",\"action\":\"signed\"}],"
			  "\"buffers\":[{\"name\":\"kexec-cmdline\",\"action\":\"allow\"}]");
	w_signed(&w, "/usr/bin/x", signed_file(), "p256-sha256.sig");
	w_signed(&w, "/usr/bin/y", signed_file(), "p256-sha256.sig");
	ima_file(&w.list, "/etc/motd", "hello");
	ima_file(&w.list, "/tmp/evil", "evil");
	w_buffer(&w, "kexec-cmdline", "ro");
	assert_int_equal(w_judge(&w), AY_UNTRUSTED);
	assert_true(w_covers(&w, "2 entries: allow-list of set good v1"));
	assert_true(w_covers(&w, "2 entries: signed by key p256"));
	assert_true(w_covers(&w, "1 entries: path rule allow /etc/motd"));
	assert_true(w_covers(&w, "1 entries: buffer rules"));
	assert_true(w_covers(&w, "1 entries: no rule"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_signatures),
		T(test_unknown_key_falls_back_to_allow_list),
		T(test_bad_signature_of_an_allowed_file),
		T(test_signers_of_a_set),
		T(test_fs_verity_signature),
		T(test_path_rules),
		T(test_ignored_entries_are_told),
		T(test_all_ignored_is_not_trusted),
		T(test_forbidden_file),
		T(test_buffers),
		T(test_learned_buffers),
		T(test_trusted_key_in_keyring),
		T(test_waived_buffer),
		T(test_incremental),
		T(test_other_rules_need_the_whole_list),
		T(test_tally_of_an_older_server),
		T(test_coverage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
