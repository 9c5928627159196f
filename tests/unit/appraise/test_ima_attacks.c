/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on IMA evidence (facts/field.md 5.2), one test each: the PCR agrees with the list. */
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

#define REFUSED(code)                                                                              \
	do {                                                                                       \
		assert_int_equal(w_judge(&w), AY_UNTRUSTED);                                       \
		assert_true(w_count(&w, AY_CHECK_##code, AY_FAIL) > 0);                            \
	} while (0)

/* Presence proves nothing: one bad entry among any number of good ones is found. */
static void test_append_of_benign_entries(void **state)
{
	(void)state;
	ima_file(&w.list, "/tmp/evil", "evil");
	for (size_t i = 0; i < 60; i++)
		ima_file(&w.list, "/bin/sh", "shell");
	REFUSED(REF_IMA);
	assert_int_equal(ay_report_find(&w.rep, AY_CHECK_REF_IMA)->entry, 4);
}

/* What ran is hidden behind a violation: the kernel extends ones, the entry says anything. */
static void test_violation_hides_a_program(void **state)
{
	const struct field f[] = { f_sha256(&w, "shell"), F_TEXT("/bin/sh") };

	(void)state;
	w_entry(&w, 10, "ima-ng", true, f, 2);
	REFUSED(IMA_VIOLATION);
}

/* Its path is not hashed: no path rule excuses a violation. */
static void test_violation_under_an_ignored_path(void **state)
{
	const struct field f[] = { f_sha256(&w, "x"), F_TEXT("/var/log/journal/x") };

	(void)state;
	w_policy(&w, "{\"paths\":[{\"prefix\":\"/var/log/\",\"action\":\"ignore\"},"
		     "{\"prefix\":\"/var/\",\"action\":\"allow\"}]}");
	w_entry(&w, 10, "ima-ng", true, f, 2);
	REFUSED(IMA_VIOLATION);
	assert_string_equal(ay_report_find(&w.rep, AY_CHECK_IMA_VIOLATION)->path,
			    "/var/log/journal/x");
}

static void test_boot_aggregate_of_another_boot(void **state)
{
	(void)state;
	ima_init(&w.list);
	ima_file(&w.list, "boot_aggregate", "another boot");
	ima_file(&w.list, "/bin/sh", "shell");
	REFUSED(IMA_BOOT_AGGREGATE);
}

static void test_boot_aggregate_missing(void **state)
{
	(void)state;
	ima_init(&w.list);
	ima_file(&w.list, "/init", "init");
	ima_file(&w.list, "/bin/sh", "shell");
	REFUSED(IMA_BOOT_AGGREGATE);
}

/* kexec: the list goes on and says it once more. The same value is right, another is unknown. */
static void test_boot_aggregate_again(void **state)
{
	(void)state;
	ima_aggregate(&w.list, &w.boot.pcrs);
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	ima_file(&w.list, "boot_aggregate", "evil");
	REFUSED(REF_IMA);
}

/* IMA was switched off, or its policy emptied. */
static void test_list_of_one_line(void **state)
{
	(void)state;
	w_begin_list(&w);
	assert_int_equal(w_judge(&w), AY_UNKNOWN);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_FEW, AY_NOT_CHECKED), 1);
}

static void test_list_shorter_than_the_policy_wants(void **state)
{
	(void)state;
	w_policy(&w, "{\"min_files\":3}");
	assert_int_equal(w_judge(&w), AY_UNKNOWN);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_FEW, AY_NOT_CHECKED), 1);
	ima_file(&w.list, "/bin/sh2", "shell");
	assert_int_equal(w_judge(&w), AY_TRUSTED);
}

/* A certificate loaded into a keyring, shown as a signed file of the same contents. */
static void test_buffer_relabelled_as_file(void **state)
{
	static const char key[] = "evil certificate";

	(void)state;
	ima_file(&w.list, "/etc/keys/evil.der", key); /* it lies there, and that is allowed */
	w_learn(&w, "with the file");
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	W_ENTRY(&w, 10, "ima-sig", f_sha256(&w, key), F_TEXT(".ima"),
		((struct field){ key, strlen(key) }));
	REFUSED(IMA_BUF_KEY);
}

/* ... and a file shown as a buffer that the policy lets pass by its name. */
static void test_file_relabelled_as_buffer(void **state)
{
	(void)state;
	w_policy(&w, "{\"buffers\":[{\"name\":\"**\",\"action\":\"allow\"}]}");
	W_ENTRY(&w, 10, "ima-buf", f_sha256(&w, "evil"), F_TEXT("/tmp/evil"), F_NONE);
	REFUSED(IMA_BUF_HASH);
}

/* Fields in another order: the name is read as a digest, the digest as a name. */
static void test_template_with_other_order(void **state)
{
	(void)state;
	w_policy(&w, "{\"paths\":[{\"prefix\":\"/tmp/\",\"action\":\"deny\"}]}");
	W_ENTRY(&w, 10, "n-ng|d-ng", f_sha256(&w, "shell"), F_TEXT("/tmp/evil:"));
	REFUSED(REF_IMA);
}

/* A field twice: the second would stand for the first. */
static void test_template_with_two_digests(void **state)
{
	(void)state;
	W_ENTRY(&w, 10, "d-ng|n-ng|d-ng", f_sha256(&w, "evil"), F_TEXT("/tmp/evil"),
		f_sha256(&w, "shell"));
	ay_arena_reset(&w.arena);
	{
		struct ay_err e = { 0 };
		uint64_t n;

		assert_int_equal(ay_ima_parse(w.list.octets, &n, &e), AY_E_INPUT);
		assert_string_equal(e.code, "IMA_MALFORMED");
	}
	boot_make(&w.boot, &w.arena);
}

/* A label without a path: a rule that denies is not asked. */
static void test_template_without_path(void **state)
{
	(void)state;
	W_ENTRY(&w, 10, "d-ng|xattrnames", f_sha256(&w, "shell"), F_TEXT("/tmp/sh"));
	assert_int_equal(w_judge(&w), AY_TRUSTED); /* its digest is judged all the same */
	w_policy(&w, "{\"paths\":[{\"prefix\":\"/tmp/\",\"action\":\"deny\"}]}");
	REFUSED(REF_IMA);
}

static void test_template_with_unknown_digest_field(void **state)
{
	(void)state;
	W_ENTRY(&w, 10, "xattrvalues|n-ng", f_sha256(&w, "shell"), F_TEXT("/bin/sh"));
	REFUSED(REF_IMA);
}

/* A path is octets: newline, blanks and text that looks like an entry stay a path. */
static void test_path_with_newline(void **state)
{
	static const char path[] = "/tmp/x\n10 00 ima-ng sha256:00 /bin/sh";
	const struct ay_finding *f;

	(void)state;
	ima_file(&w.list, path, "evil");
	REFUSED(REF_IMA);
	f = ay_report_find(&w.rep, AY_CHECK_REF_IMA);
	assert_null(strchr(f->path, '\n'));
	assert_int_equal(w_count(&w, AY_CHECK_IMA_PATH, AY_PASS), 1);
}

/* A path whose first part is a NUL-terminated good one: compared whole. */
static void test_path_with_nul(void **state)
{
	static const char path[] = "/opt/good\0/../../tmp/evil";

	(void)state;
	w_policy(&w, "{\"paths\":[{\"path\":\"/opt/good\",\"action\":\"allow\"}]}");
	W_ENTRY(&w, 10, "ima-ng", f_sha256(&w, "evil"), ((struct field){ path, sizeof(path) }));
	REFUSED(REF_IMA);
}

/* The kernel could not hash the file: no allow-list makes that a known one. */
static void test_zero_digest(void **state)
{
	static const uint8_t zero[32];

	(void)state;
	w_add_set(&w, "{\"kind\":\"files\",\"digests\":{\"sha256\":{\"00000000000000000000000000000"
		      "00000000000000000000000000000000000\":\"/x\"}}}");
	ima_add(&w.list, "/bin/sh", AY_BYTES(zero), false);
	REFUSED(REF_IMA);
}

/* 16 and 23 can be reset by anybody: entries there are no evidence of a full list. */
static void test_entry_on_a_pcr_nobody_quotes(void **state)
{
	(void)state;
	w_begin_list(&w);
	for (size_t i = 0; i < 20; i++)
		W_ENTRY(&w, 16, "ima-ng", f_sha256(&w, "shell"), F_TEXT("/bin/sh"));
	w_extend(&w);
	for (size_t k = 0; k < w.pcrs.n_banks; k++)
		w.pcrs.bank[k].have &= ~(1u << 16);
	(void)w_judge_piece(&w, NULL, w.list.octets, NULL);
	assert_int_not_equal(w.rep.verdict, AY_TRUSTED);
	assert_true(w.tally.n[AY_IMA_KNOWN] == 0);
}

/* PCR 11 is quoted: entries there are judged as those on 10. */
static void test_entry_on_another_pcr(void **state)
{
	(void)state;
	W_ENTRY(&w, 11, "ima-ng", f_sha256(&w, "shell"), F_TEXT("/bin/sh"));
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	W_ENTRY(&w, 11, "ima-ng", f_sha256(&w, "evil"), F_TEXT("/tmp/evil"));
	REFUSED(REF_IMA);
	/* another value there: the prefix before those entries fits, and PCR 11 is the boot's */
	w.pcrs.bank[0].value[11][0] ^= 1;
	(void)w_judge_piece(&w, NULL, w.list.octets, NULL);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_UNATTESTED_TAIL, AY_PASS), 1);
	assert_int_equal(w.tally.entries, 3);
}

/* A digest counts by its algorithm and length, whatever its octets. */
static void test_hash_algorithm_confusion(void **state)
{
	static const char *const heads[] = { "sha1:",	 "sha384:", "sm3_256:",
					     "sha256x:", "SHA256:", "unknown:" };
	struct ay_bytes file;

	(void)state;
	W_ENTRY(&w, 10, "ima-ng", f_digest(&w, "sha1:", AY_ALG_SHA1, ay_bytes_of("shell")),
		F_TEXT("/bin/sh"));
	REFUSED(REF_IMA); /* the set has the SHA-256 of it */
	for (size_t i = 0; i < AY_COUNT(heads); i++) {
		print_message("%s\n", heads[i]);
		w_begin_list(&w);
		ima_file(&w.list, "/init", "init");
		file = ay_bytes_of("shell");
		W_ENTRY(&w, 10, "ima-ng", f_digest(&w, heads[i], AY_ALG_SHA256, file),
			F_TEXT("/bin/sh"));
		REFUSED(REF_IMA);
	}
}

/* A digest cut short or with more octets is not that of the file. */
static void test_digest_of_wrong_length(void **state)
{
	struct field f = f_sha256(&w, "shell");

	(void)state;
	W_ENTRY(&w, 10, "ima-ng", ((struct field){ f.p, f.n - 1 }), F_TEXT("/bin/sh"));
	REFUSED(REF_IMA);
}

/* SHA-1 can be made to collide: the report says where it was relied on, a policy may refuse. */
static void test_colliding_sha1_only(void **state)
{
	char rule[256], hex[41];
	uint8_t sha1[20];

	(void)state;
	assert_true(ay_hash_of(AY_ALG_SHA1, ay_bytes_of("collides"), sha1));
	ay_hex_encode(AY_BYTES(sha1), hex);
	snprintf(rule, sizeof(rule), "{\"kind\":\"files\",\"digests\":{\"sha1\":{\"%s\":\"/x\"}}}",
		 hex);
	w_add_set(&w, rule);
	W_ENTRY(&w, 10, "ima-ng", f_digest(&w, "sha1:", AY_ALG_SHA1, ay_bytes_of("collides")),
		F_TEXT("/x"));
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	assert_int_equal(w_count(&w, AY_CHECK_IMA_WEAK_DIGEST, AY_PASS), 1);
	w_policy(&w, "{\"refuse_weak_digests\":true}");
	REFUSED(IMA_WEAK_DIGEST);
}

/* d-ngv2 says what was hashed: a digest of fs-verity is not one of contents. */
static void test_digest_prefix_tricks(void **state)
{
	static const struct {
		const char *head;
		enum ay_verdict want;
	} rows[] = {
		{ "sha256:", AY_TRUSTED },
		{ "ima:sha256:", AY_TRUSTED },
		{ "verity:sha256:", AY_UNTRUSTED },
		{ "evil:sha256:", AY_UNTRUSTED },
		{ "ima:verity:sha256:", AY_UNTRUSTED },
		{ ":sha256:", AY_UNTRUSTED },
		{ "sha1:sha256:", AY_UNTRUSTED },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("%s\n", rows[i].head);
		w_begin_list(&w);
		ima_file(&w.list, "/init", "init");
		W_ENTRY(&w, 10, "ima-ngv2",
			f_digest(&w, rows[i].head, AY_ALG_SHA256, ay_bytes_of("shell")),
			F_TEXT("/bin/sh"));
		assert_int_equal(w_judge(&w), rows[i].want);
	}
}

/* More bad entries than are listed: all count, the others are told by number. */
static void test_flood_of_unknown_files(void **state)
{
	const struct field f[] = { f_sha256(&w, "x"), F_TEXT("/x") };

	(void)state;
	for (size_t i = 0; i < 60; i++) {
		char content[16];

		snprintf(content, sizeof(content), "evil %zu", i);
		ima_file(&w.list, "/tmp/e", content);
	}
	w_entry(&w, 10, "ima-ng", true, f, 2);
	REFUSED(REF_IMA);
	assert_int_equal(w.tally.n[AY_IMA_UNKNOWN], 60);
	assert_int_equal(w_count(&w, AY_CHECK_REF_IMA, AY_FAIL), 24 + 1);
	/* the flood does not push other findings out */
	assert_true(ay_report_find(&w.rep, AY_CHECK_IMA_VIOLATION)->has_entry);
}

/* A file that was verified and one with the same signature that was not: a signature covers one. */
static void test_signature_of_another_file(void **state)
{
	char ima[4096];

	(void)state;
	snprintf(ima, sizeof(ima),
		 "{\"keys\":[%s],\"paths\":[{\"prefix\":\"/\",\"action\":\"signed\"}]}",
		 w_key(&w, "p256", ""));
	w_policy(&w, ima);
	w_signed(&w, "/usr/bin/tool", t_vector("ima_sig/signed-file"), "p256-sha256.sig");
	assert_int_equal(w_judge(&w), AY_TRUSTED);
	w_signed(&w, "/usr/bin/tool", ay_bytes_of("evil"), "p256-sha256.sig");
	REFUSED(IMA_SIGNATURE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_append_of_benign_entries),
		T(test_violation_hides_a_program),
		T(test_violation_under_an_ignored_path),
		T(test_boot_aggregate_of_another_boot),
		T(test_boot_aggregate_missing),
		T(test_boot_aggregate_again),
		T(test_list_of_one_line),
		T(test_list_shorter_than_the_policy_wants),
		T(test_buffer_relabelled_as_file),
		T(test_file_relabelled_as_buffer),
		T(test_template_with_other_order),
		T(test_template_with_two_digests),
		T(test_template_without_path),
		T(test_template_with_unknown_digest_field),
		T(test_path_with_newline),
		T(test_path_with_nul),
		T(test_zero_digest),
		T(test_entry_on_a_pcr_nobody_quotes),
		T(test_entry_on_another_pcr),
		T(test_hash_algorithm_confusion),
		T(test_digest_of_wrong_length),
		T(test_colliding_sha1_only),
		T(test_digest_prefix_tricks),
		T(test_flood_of_unknown_files),
		T(test_signature_of_another_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
