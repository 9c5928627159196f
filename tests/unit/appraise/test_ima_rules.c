/* SPDX-License-Identifier: Apache-2.0 */
/* Path rules, buffer rules, device-mapper tables, and the member `ima` of a policy. */
#include "support/t.h"

#include "core/appraise/lint.h"
#include "core/appraise/policy.h"
#include "core/appraise/reference.h"
#include "core/crypto/hash.h"

#include <stdio.h>
#include <string.h>

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

static const struct {
	const char *pattern, *text;
	bool want;
} globs[] = {
	{ "/usr/bin/x", "/usr/bin/x", true },
	{ "/usr/bin/x", "/usr/bin/xx", false },
	{ "/usr/bin/x", "/usr/bin/", false },
	{ "/usr/bin/*", "/usr/bin/tool", true },
	{ "/usr/bin/*", "/usr/bin/", true },
	{ "/usr/bin/*", "/usr/bin/sub/tool", false },
	{ "/usr/**", "/usr/bin/sub/tool", true },
	{ "/usr/**", "/usr/", true },
	{ "/usr/**", "/usr", false },
	{ "/usr/**", "/var/usr/x", false },
	{ "/home/*/bin/**", "/home/ann/bin/a/b", true },
	{ "/home/*/bin/**", "/home/ann/x/bin/a", false },
	{ "/home/**/bin/*", "/home/ann/x/bin/a", true },
	{ "/home/**/bin/*", "/home/ann/x/bin/a/b", false },
	{ "/a/*.so", "/a/libx.so", true },
	{ "/a/*.so", "/a/libx.so.1", false },
	{ "/a/*.so*", "/a/libx.so.1", true },
	{ "/a/*.so", "/a/.so.so", true },
	{ "/a?c", "/abc", true },
	{ "/a?c", "/a/c", false },
	{ "/a?c", "/ac", false },
	{ "/a*b*c", "/axbxbxc", true },
	{ "/a*b*c", "/axbxbx", false },
	{ "/**/x", "//x", true },
	{ "/**x", "/a/b/x", true },
	{ "/usr/bin/[ab]", "/usr/bin/a", false }, /* brackets are themselves */
	{ "/usr/bin/[ab]", "/usr/bin/[ab]", true },
	{ "/USR", "/usr", false },
	{ "/x\n", "/x\n", true },
};

static void test_glob(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(globs); i++) {
		print_message("%s on %s\n", globs[i].pattern, globs[i].text);
		assert_int_equal(ay_ima_glob(globs[i].pattern, ay_bytes_of(globs[i].text)),
				 globs[i].want);
	}
}

/* Octets that a text form would confuse are octets; NUL does not end a path. */
static void test_glob_takes_all_octets(void **state)
{
	static const uint8_t path[] = { '/', 't', 'm', 'p', '/', 0, '\n', 0xff };

	(void)state;
	assert_true(ay_ima_glob("/tmp/*", AY_BYTES(path)));
	assert_false(ay_ima_glob("/tmp/", AY_BYTES(path)));
	assert_true(ay_ima_glob("/tmp/???", AY_BYTES(path)));
}

/* A pattern of stars and a path of nothing but the wrong octet: no way back, no explosion. */
static void test_glob_is_not_slow(void **state)
{
	static uint8_t path[AY_IMA_PATH_MAX];
	char pattern[AY_IMA_PATTERN_MAX + 1];
	size_t n = 0;

	(void)state;
	memset(path, 'a', sizeof(path));
	while (n + 4 < sizeof(pattern)) {
		memcpy(pattern + n, "**a*", 4);
		n += 4;
	}
	memcpy(pattern + n - 1, "b", 2);
	assert_false(ay_ima_glob(pattern, AY_BYTES(path)));
}

static struct ay_policy *policy_of(const char *ima, enum ay_rc want, const char *where)
{
	char text[4096];
	struct ay_policy *p = NULL;
	struct ay_err e = { 0 };

	snprintf(text, sizeof(text),
		 "{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
		 "\"required\":[\"runtime\"],\"ima\":%s}",
		 ima);
	if (ay_policy_parse(ay_bytes_of(text), &p, &e) != want)
		fail_msg("%s: %s: %s", ima, e.where ? e.where : "", e.text);
	if (where != NULL && strstr(e.where, where) == NULL)
		fail_msg("%s: refused at %s, not %s", ima, e.where, where);
	return p;
}

static void test_first_rule_counts(void **state)
{
	struct ay_policy *p = policy_of("{\"paths\":[{\"path\":\"/tmp/good\",\"action\":\"allow\"},"
					"{\"prefix\":\"/tmp/\",\"action\":\"deny\"},"
					"{\"glob\":\"/usr/**\",\"action\":\"signed\"},"
					"{\"path\":\"/sbin/init\",\"action\":\"require_signed\"},"
					"{\"prefix\":\"/var/cache/\",\"action\":\"ignore\"}]}",
					AY_OK, NULL);
	const struct ay_ima_paths *r = &p->ima_rules.paths;
	static const struct {
		const char *path;
		int rule;
	} rows[] = {
		{ "/tmp/good", 0 },
		{ "/tmp/goods", 1 },
		{ "/tmp/", 1 },
		{ "/tmp", -1 },
		{ "/usr/bin/a", 2 },
		{ "/sbin/init", 3 },
		{ "/sbin/init2", -1 },
		{ "/var/cache/x/y", 4 },
		{ "/etc/x", -1 },
		{ "x/tmp/evil", -1 },
		{ "", -1 },
	};

	(void)state;
	assert_true(r->demands);
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		const struct ay_ima_path_rule *f = ay_ima_paths_find(r, ay_bytes_of(rows[i].path));

		print_message("%s\n", rows[i].path);
		assert_int_equal(f == NULL ? -1 : (int)(f - r->rule), rows[i].rule);
	}
	ay_policy_free(p);
}

static void test_long_paths_match_nothing(void **state)
{
	static uint8_t path[AY_IMA_PATH_MAX + 1];
	struct ay_policy *p =
		policy_of("{\"paths\":[{\"prefix\":\"/\",\"action\":\"allow\"}]}", AY_OK, NULL);

	(void)state;
	memset(path, '/', sizeof(path));
	assert_non_null(
		ay_ima_paths_find(&p->ima_rules.paths, (struct ay_bytes){ path, AY_IMA_PATH_MAX }));
	assert_null(ay_ima_paths_find(&p->ima_rules.paths, AY_BYTES(path)));
	ay_policy_free(p);
}

static const struct {
	const char *ima, *where;
} refused[] = {
	{ "{\"paths\":[]}", "policy.ima" },
	{ "{\"paths\":[{\"prefix\":\"/usr\",\"action\":\"allow\"}]}", "paths" },
	{ "{\"paths\":[{\"prefix\":\"usr/\",\"action\":\"allow\"}]}", "paths" },
	{ "{\"paths\":[{\"glob\":\"*\",\"action\":\"allow\"}]}", "paths" },
	{ "{\"paths\":[{\"glob\":\"/***\",\"action\":\"allow\"}]}", "paths" },
	{ "{\"paths\":[{\"path\":\"/x\",\"glob\":\"/x\",\"action\":\"allow\"}]}", "paths" },
	{ "{\"paths\":[{\"action\":\"allow\"}]}", "paths" },
	{ "{\"paths\":[{\"path\":\"/x\",\"action\":\"trust\"}]}", "paths" },
	{ "{\"paths\":[{\"path\":\"/x\"}]}", "paths" },
	{ "{\"paths\":[\"/x\"]}", "paths" },
	{ "{\"keys\":[]}", "keys" },
	{ "{\"min_files\":0}", "policy.ima" },
	{ "{\"min_files\":-1}", "policy.ima" },
	{ "{\"refuse_weak_digests\":1}", "policy.ima" },
	{ "{\"buffers\":[]}", "policy.ima" },
	{ "{\"buffers\":[{\"name\":\"x\"}]}", "buffers" },
	{ "{\"buffers\":[{\"name\":\"\",\"action\":\"allow\"}]}", "buffers" },
	{ "{\"buffers\":[{\"name\":\"x\",\"action\":\"signed\"}]}", "buffers" },
	{ "{\"buffers\":[{\"name\":\"x\",\"action\":\"allow\",\"texts\":[\"y\"]}]}", "buffers" },
	{ "{\"buffers\":[{\"name\":\"x\",\"texts\":[]}]}", "buffers" },
	{ "{\"buffers\":[{\"name\":\"x\",\"texts\":[\"\"]}]}", "buffers" },
	{ "{\"buffers\":[{\"name\":\"x\",\"digests\":{\"md5\":[\"00\"]}}]}", "buffers" },
	{ "{\"buffers\":[{\"name\":\"x\",\"digests\":{\"sha1\":[\"00\"]}}]}", "buffers" },
	{ "{\"buffers\":[{\"name\":\"x\",\"root_digests\":[\"0g\"]}]}", "buffers" },
	{ "{\"buffers\":[{\"name\":\"x\",\"trusted_keys\":false}]}", "buffers" },
	{ "{\"unknown\":1}", "policy.ima" },
};

static void test_policies_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(refused); i++) {
		print_message("%s\n", refused[i].ima);
		(void)policy_of(refused[i].ima, AY_E_INPUT, refused[i].where);
	}
}

/* Written and read again it is the same policy; what has its default leaves no trace. */
static void test_policy_round_trip(void **state)
{
	static const char all[] =
		"{\"min_files\":3,\"refuse_weak_digests\":true,"
		"\"paths\":[{\"glob\":\"/a/**\",\"action\":\"signed\"}],"
		"\"buffers\":[{\"name\":\"kexec-cmdline\",\"texts\":[\"ro\"]},"
		"{\"name\":\".ima\",\"trusted_keys\":true},"
		"{\"name\":\"dm_table_load\",\"root_digests\":"
		"[\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"]},"
		"{\"name\":\"dm_*\",\"action\":\"ignore\"},"
		"{\"name\":\"x\",\"digests\":{\"sha1\":"
		"[\"000102030405060708090a0b0c0d0e0f10111213\"]}}]}";
	struct ay_policy *p = policy_of(all, AY_OK, NULL), *again, *plain, *same;

	(void)state;
	assert_int_equal(ay_policy_parse(ay_policy_build(p, &arena), &again, NULL), AY_OK);
	assert_memory_equal(p->sha256, again->sha256, 32);
	assert_memory_equal(p->ima_rules.sha256, again->ima_rules.sha256, 32);
	plain = policy_of("{}", AY_OK, NULL);
	same = policy_of("{\"min_files\":1,\"refuse_weak_digests\":false}", AY_OK, NULL);
	assert_memory_equal(plain->sha256, same->sha256, 32);
	assert_memory_not_equal(plain->ima_rules.sha256, p->ima_rules.sha256, 32);
	ay_policy_free(p);
	ay_policy_free(again);
	ay_policy_free(plain);
	ay_policy_free(same);
}

static const struct {
	const char *rule;
	bool broad;
} broad[] = {
	{ "{\"prefix\":\"/\",\"action\":\"ignore\"}", true },
	{ "{\"prefix\":\"/usr/\",\"action\":\"allow\"}", true },
	{ "{\"prefix\":\"/usr/bin/\",\"action\":\"ignore\"}", true },
	{ "{\"prefix\":\"/tmp/\",\"action\":\"ignore\"}", true },
	{ "{\"prefix\":\"/dev/shm/\",\"action\":\"ignore\"}", true },
	{ "{\"glob\":\"/**\",\"action\":\"ignore\"}", true },
	{ "{\"glob\":\"/home/*/x\",\"action\":\"ignore\"}", true },
	{ "{\"glob\":\"/usr/bin/**\",\"action\":\"ignore\"}", true },
	{ "{\"glob\":\"/var/lib/docker/**\",\"action\":\"ignore\"}", false },
	{ "{\"prefix\":\"/var/log/\",\"action\":\"ignore\"}", false },
	{ "{\"path\":\"/usr/bin/tool\",\"action\":\"allow\"}", false },
	{ "{\"prefix\":\"/\",\"action\":\"signed\"}", false },
	{ "{\"prefix\":\"/\",\"action\":\"require_signed\"}", false },
	{ "{\"prefix\":\"/\",\"action\":\"deny\"}", false },
};

static void test_broad_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(broad); i++) {
		char text[256];
		struct ay_policy *p;

		print_message("%s\n", broad[i].rule);
		snprintf(text, sizeof(text), "{\"paths\":[%s]}", broad[i].rule);
		p = policy_of(text, AY_OK, NULL);
		assert_int_equal(ay_ima_path_is_broad(&p->ima_rules.paths.rule[0]), broad[i].broad);
		ay_policy_free(p);
	}
}

static void test_shadowed_rules(void **state)
{
	struct ay_policy *p = policy_of("{\"paths\":[{\"prefix\":\"/usr/\",\"action\":\"signed\"},"
					"{\"path\":\"/usr/bin/x\",\"action\":\"deny\"},"
					"{\"glob\":\"/usr/**\",\"action\":\"ignore\"},"
					"{\"glob\":\"/opt/*\",\"action\":\"deny\"},"
					"{\"path\":\"/opt/x\",\"action\":\"allow\"},"
					"{\"prefix\":\"/opt/\",\"action\":\"signed\"}]}",
					AY_OK, NULL);
	static const bool want[] = { false, true, true, false, true, false };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(want); i++)
		assert_int_equal(ay_ima_path_is_shadowed(&p->ima_rules.paths, i), want[i]);
	ay_policy_free(p);
}

/* ---- what a reviewer is told ---- */

struct told {
	size_t n;
	enum ay_lint code[8];
	char about[8][64];
};

static void tell(void *arg, enum ay_lint code, const char *about)
{
	struct told *t = arg;

	if (code != AY_LINT_PATH_BROAD && code != AY_LINT_PATH_SHADOWED &&
	    code != AY_LINT_KEYS_IDLE)
		return;
	assert_true(t->n < 8);
	t->code[t->n] = code;
	snprintf(t->about[t->n++], sizeof(t->about[0]), "%s", about);
}

static void test_complaints(void **state)
{
	struct ay_lint_in in = { 0 };
	struct told t = { 0 };

	(void)state;
	in.policy = policy_of("{\"paths\":[{\"prefix\":\"/usr/\",\"action\":\"ignore\"},"
			      "{\"path\":\"/usr/bin/x\",\"action\":\"deny\"},"
			      "{\"prefix\":\"/opt/vendor/\",\"action\":\"signed\"}]}",
			      AY_OK, NULL);
	assert_true(ay_lint_policy(&in, tell, &t) > 0);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.code[0], AY_LINT_PATH_BROAD);
	assert_string_equal(t.about[0], "/usr/");
	assert_int_equal(t.code[1], AY_LINT_PATH_SHADOWED);
	assert_string_equal(t.about[1], "/usr/bin/x");
	ay_policy_free((struct ay_policy *)(uintptr_t)in.policy);
}

static void test_idle_keys(void **state)
{
	struct ay_bytes pem = t_vector("ima_sig/p256.pem");
	struct ay_lint_in in = { 0 };
	struct told t = { 0 };
	struct ay_policy *p;
	json_t *j = json_pack("{ss ss si s[s] s{s[{ss ss#}]}}", "format", "assay-policy-1", "name",
			      "p", "version", 1, "required", "runtime", "ima", "keys", "name", "k",
			      "pem", (const char *)pem.p, (int)pem.n);

	(void)state;
	assert_int_equal(ay_policy_from_json(j, &p, NULL), AY_OK);
	json_decref(j);
	in.policy = p;
	(void)ay_lint_policy(&in, tell, &t);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.code[0], AY_LINT_KEYS_IDLE);
	ay_policy_free(p);
}

/* ---- device-mapper ---- */

#define ROOT "29cb87e60ce7b12b443ba6008266f3e41e93e403d7f298f8e3f316b29ff89c5e"
#define DEVICE "dm_version=4.45.0;name=test-verity,uuid=CRYPT-VERITY-x,major=253,minor=0,"
#define TARGET                                                                                     \
	"target_index=0,target_begin=0,target_len=1024,target_name=verity,target_version=1.8.0,"   \
	"hash_failed=V,verity_version=1,data_device_name=7:0,hash_device_name=7:1,"                \
	"verity_algorithm=sha256,root_digest=" ROOT ",salt=0f,ignore_zero_blocks=n;"

static const struct {
	const char *name, *table;
	bool want;
} tables[] = {
	{ "verity", DEVICE "minor_count=1,num_targets=1;" TARGET, true },
	{ "two", DEVICE "minor_count=1,num_targets=2;" TARGET TARGET, true },
	{ "a target less", DEVICE "minor_count=1,num_targets=2;" TARGET, false },
	{ "another target beside",
	  DEVICE "num_targets=2;" TARGET "target_index=1,target_name=linear,device_name=8:1;",
	  false },
	{ "linear", DEVICE "num_targets=1;target_index=0,target_name=linear,root_digest=" ROOT ";",
	  false },
	{ "corrupt",
	  DEVICE "num_targets=1;target_index=0,target_name=verity,hash_failed=C,"
		 "root_digest=" ROOT ";",
	  false },
	{ "another root", DEVICE "num_targets=1;target_name=verity,hash_failed=V,root_digest=00;",
	  false },
	{ "two roots",
	  DEVICE "num_targets=1;target_name=verity,hash_failed=V,root_digest=" ROOT
		 ",root_digest=00;",
	  false },
	{ "hidden in a name",
	  "dm_version=4.45.0;name=x\\;target_name\\=verity\\,root_digest\\=" ROOT
	  ",num_targets=1;target_name=linear;",
	  false },
	{ "no version", "name=x,num_targets=1;" TARGET, false },
	{ "no target", DEVICE "num_targets=0;", false },
	{ "empty", "", false },
	{ "ends in an escape", DEVICE "num_targets=1;" TARGET "\\", false },
};

static void test_dm_tables(void **state)
{
	struct ay_bytes root = t_hex(ROOT);
	struct ay_ima_buf_value v = { 0, root };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(tables); i++) {
		print_message("%s\n", tables[i].name);
		assert_int_equal(ay_ima_dm_is_verity(ay_bytes_of(tables[i].table), &v, 1),
				 tables[i].want);
	}
}

/* ---- kinds of a reference set ---- */

static const struct {
	const char *rule;
	enum ay_rc rc;
} set_rules[] = {
	{ "{\"kind\":\"buffers\",\"buffers\":{\".ima\":{\"sha256\":[\"" ROOT "\"]}}}", AY_OK },
	{ "{\"kind\":\"buffers\",\"buffers\":{}}", AY_E_INPUT },
	{ "{\"kind\":\"buffers\",\"buffers\":{\".ima\":[]}}", AY_E_INPUT },
	{ "{\"kind\":\"buffers\",\"buffers\":{\".ima\":{}}}", AY_E_INPUT },
	{ "{\"kind\":\"buffers\"}", AY_E_INPUT },
	{ "{\"kind\":\"signers\",\"keys\":[]}", AY_E_INPUT },
	{ "{\"kind\":\"signers\",\"keys\":[{\"name\":\"k\"}]}", AY_E_INPUT },
	{ "{\"kind\":\"signers\"}", AY_E_INPUT },
};

static void test_rules_of_sets(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(set_rules); i++) {
		struct ay_refset *s, *again;
		char text[1024];

		print_message("%s\n", set_rules[i].rule);
		snprintf(text, sizeof(text),
			 "{\"format\":\"assay-reference-1\",\"name\":\"s\",\"version\":1,"
			 "\"parts\":{\"runtime\":[%s]}}",
			 set_rules[i].rule);
		assert_int_equal(ay_refset_parse(ay_bytes_of(text), &s, NULL), set_rules[i].rc);
		if (s == NULL)
			continue;
		assert_int_equal(ay_refset_parse(ay_refset_build(s, &arena), &again, NULL), AY_OK);
		assert_memory_equal(s->sha256, again->sha256, 32);
		ay_refset_free(s);
		ay_refset_free(again);
	}
}

static void test_signers_of_a_set(void **state)
{
	struct ay_bytes pem = t_vector("ima_sig/p256.pem");
	struct ay_refset *s, *again;
	json_t *j = json_pack("{ss ss si s{s[{ss s[{ss ss#}]}]}}", "format", "assay-reference-1",
			      "name", "s", "version", 1, "parts", "runtime", "kind", "signers",
			      "keys", "name", "vendor", "pem", (const char *)pem.p, (int)pem.n);

	(void)state;
	assert_non_null(j);
	assert_int_equal(ay_refset_from_json(j, &s, NULL), AY_OK);
	json_decref(j);
	assert_int_equal(s->rule[0].keys.n, 1);
	assert_int_equal(ay_refset_parse(ay_refset_build(s, &arena), &again, NULL), AY_OK);
	assert_memory_equal(s->sha256, again->sha256, 32);
	ay_refset_free(s);
	ay_refset_free(again);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_glob),
		T(test_glob_takes_all_octets),
		T(test_glob_is_not_slow),
		T(test_first_rule_counts),
		T(test_long_paths_match_nothing),
		T(test_policies_refused),
		T(test_policy_round_trip),
		T(test_broad_rules),
		T(test_shadowed_rules),
		T(test_complaints),
		T(test_idle_keys),
		T(test_dm_tables),
		T(test_rules_of_sets),
		T(test_signers_of_a_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
