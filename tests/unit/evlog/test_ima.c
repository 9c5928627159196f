/* SPDX-License-Identifier: Apache-2.0 */
/* IMA lists: the corpus against other tools, changes one by one, state and prefixes. */
#include "support/t.h"

#include "core/base/hex.h"
#include "core/evlog/ima_ascii.h"
#include "core/evlog/ima_replay.h"
#include "unit/evlog/make.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const struct ay_ima_bank banks[] = { { AY_ALG_SHA1, false },
					    { AY_ALG_SHA256, false },
					    { AY_ALG_SHA256, true } };

static json_t *expected_of(const char *name)
{
	char path[4096];
	json_t *x;

	snprintf(path, sizeof(path), "%s/expected/%s.json", t_corpus("evlog/ima"), name);
	x = json_load_file(path, 0, NULL);
	assert_non_null(x);
	return json_object_get(x, "expected");
}

static void same_value(const char *name, const json_t *want, struct ay_bytes got)
{
	char hex[2 * AY_DIGEST_MAX + 1] = "";

	if (want == NULL)
		return;
	assert_non_null(got.p);
	ay_hex_encode(got, hex);
	if (strcmp(hex, json_string_value(want)) != 0)
		fail_msg("%s: %s, expected %s", name, hex, json_string_value(want));
}

static json_t *pcr10(json_t *x, const char *set, const char *bank)
{
	return json_object_get(json_object_get(json_object_get(x, set), bank), "10");
}

static void compare_list(const char *name, struct ay_bytes list, json_t *x, uint64_t bad_entry)
{
	struct ay_ima_state zero;
	struct ay_arena arena;
	struct ay_ima_run run;
	struct ay_err e = { 0 };

	ay_arena_init(&arena, 64u << 20);
	ay_ima_state_init(&zero, banks, AY_COUNT(banks));
	if (ay_ima_replay(&zero, list, 16, &run, &arena, &e) != AY_OK)
		fail_msg("%s: %s %s", name, e.code, e.text);
	assert_int_equal(run.now.entries, json_integer_value(json_object_get(x, "entries")));
	assert_int_equal(run.now.violations, json_integer_value(json_object_get(x, "violations")));
	if (run.now.first_mismatch != bad_entry)
		fail_msg("%s: template hash of entry %llu", name,
			 (unsigned long long)run.now.first_mismatch);
	same_value(name, pcr10(x, "pcrs", "sha1"),
		   ay_ima_state_value(&run.now, AY_ALG_SHA1, false, 10));
	same_value(name, pcr10(x, "pcrs", "sha256"),
		   ay_ima_state_value(&run.now, AY_ALG_SHA256, false, 10));
	same_value(name, pcr10(x, "pcrs_if_bank_extended_with_zero_padded_sha1", "sha256"),
		   ay_ima_state_value(&run.now, AY_ALG_SHA256, true, 10));
	same_value(name, json_object_get(x, "pcr_all_sha1"),
		   ay_ima_state_value(&run.now, AY_ALG_SHA1, false, 10));
	same_value(name, json_object_get(x, "pcr_all_sha256"),
		   ay_ima_state_value(&run.now, AY_ALG_SHA256, false, 10));
	ay_arena_fini(&arena);
}

static void corpus_binary(void **state)
{
	static const struct {
		const char *name;
		uint64_t bad_entry;
	} rows[] = {
		{ "ima/acs-imasig.bin", 1080 },
		{ "ima/h12ssl.before.measurements.bin", 0 },
		{ "ima/h12ssl.binary_measurements.bin", 0 },
		{ "ima/h12ssl.changed.measurements.bin", 0 },
		{ "ima/h12ssl.created.measurements.bin", 0 },
		{ "ima/h12ssl.delete.measurements.bin", 0 },
		{ "ima/tss-sml-ima-sha1-invalidated.bin", 0 },
		{ "ima/tss-sml-ima-sig-sha256-invalidated.bin", 0 },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		compare_list(rows[i].name, t_corpus_file("evlog/ima", rows[i].name),
			     expected_of(rows[i].name), rows[i].bad_entry);
}

/* These end in stray octets: refused, and the entries before them are as many as others count. */
static void corpus_stray(void **state)
{
	static const char *const names[] = {
		"ima/tss-sml-ima-ng-sha1-invalidated.bin",
		"ima/tss-sml-ima-ng-sha1.bin",
		"ima/tss-sml-ima-sha1.bin",
		"ima/tss-sml-ima-sig-sha256.bin",
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(names); i++) {
		struct ay_bytes list = t_corpus_file("evlog/ima", names[i]);
		json_t *x = expected_of(names[i]);
		struct ay_err e = { 0 };
		uint64_t n;

		assert_int_equal(ay_ima_parse(list, &n, &e), AY_E_INPUT);
		assert_string_equal(e.code, "IMA_MALFORMED");
		assert_int_equal(n, json_integer_value(json_object_get(x, "entries")));
		if (n > 0) {
			list.n = e.offset;
			while (ay_ima_parse(list, &n, NULL) != AY_OK)
				list.n--;
			compare_list(names[i], list, x, 0);
		}
	}
}

static void corpus_ascii(void **state)
{
	static const struct {
		const char *name;
		uint64_t bad_entry;
	} rows[] = {
		{ "ima/entry-buf.txt", 0 },
		{ "ima/entry-ima.txt", 0 },
		{ "ima/entry-ng.txt", 0 },
		{ "ima/entry-sig-good.txt", 0 },
		{ "ima/entry-sig-good2.txt", 0 },
		{ "ima/entry-sig-nosig.txt", 0 },
		{ "ima/h12ssl.ascii.txt", 0 },
		{ "ima/keylime-ima-log-sha1.txt", 0 },
		{ "ima/keylime-ima-log-sha256.txt", 0 },
		{ "ima/keylime-ima-log-sha384.txt", 0 },
		{ "ima/keylime-ima-log-sha512.txt", 0 },
		{ "ima/keylime-ima-log-sm3_256.txt", 1 },
		{ "ima/keylime-ima-log-unknown.txt", 1 },
	};
	struct ay_arena arena;

	(void)state;
	ay_arena_init(&arena, 64u << 20);
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_bytes text = t_corpus_file("evlog/ima", rows[i].name), list;
		struct ay_err e = { 0 };

		assert_true(ay_ima_is_ascii(text));
		if (ay_ima_ascii_parse(text, &arena, &list, &e) != AY_OK)
			fail_msg("%s: %s %s at %zu", rows[i].name, e.code, e.text, e.offset);
		compare_list(rows[i].name, list, expected_of(rows[i].name), rows[i].bad_entry);
	}
	ay_arena_fini(&arena);
}

static void corpus_ascii_refused(void **state)
{
	static const char *const names[] = { "ima/entry-bad-file-hash.txt",
					     "ima/entry-bad-template-hash.txt",
					     "ima/entry-bad-template-name.txt" };
	struct ay_arena arena;
	struct ay_bytes list;

	(void)state;
	ay_arena_init(&arena, 64u << 20);
	for (size_t i = 0; i < AY_COUNT(names); i++) {
		struct ay_err e = { 0 };

		assert_int_equal(
			ay_ima_ascii_parse(t_corpus_file("evlog/ima", names[i]), &arena, &list, &e),
			AY_E_INPUT);
		assert_string_equal(e.code, "IMA_MALFORMED");
	}
	ay_arena_fini(&arena);
}

/* Paths that a text form confuses come through both forms as they are. */
static void ascii_and_binary_agree(void **state)
{
	static const char *const paths[] = { "/bin/a b", "/bin/ending ", "/bin/\xc3\xa9",
					     "boot_aggregate", "/x 0123" };
	struct ay_arena arena;

	(void)state;
	ay_arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < AY_COUNT(paths); i++) {
		struct t_list l = { 0 };
		char text[512], digest[65], hash[41];
		struct ay_bytes list;
		struct ay_err e = { 0 };

		t_ima_sig(&l, 10, paths[i], "");
		ay_hex_encode((struct ay_bytes){ l.last_digest, 32 }, digest);
		ay_hex_encode((struct ay_bytes){ l.buf + 4, 20 }, hash);
		snprintf(text, sizeof(text), "10 %s ima-sig sha256:%s %s \n", hash, digest,
			 paths[i]);
		assert_int_equal(ay_ima_ascii_parse(ay_bytes_of(text), &arena, &list, &e), AY_OK);
		assert_int_equal(list.n, l.n);
		assert_memory_equal(list.p, l.buf, l.n);
		/* and without the blank before the empty signature */
		snprintf(text, sizeof(text), "10 %s ima-sig sha256:%s %s\n", hash, digest,
			 paths[i]);
		assert_int_equal(ay_ima_ascii_parse(ay_bytes_of(text), &arena, &list, &e), AY_OK);
		assert_int_equal(list.n, l.n);
		assert_memory_equal(list.p, l.buf, l.n);
	}
	ay_arena_fini(&arena);
}

/* A path with a newline makes no second entry in the text form. */
static void ascii_newline(void **state)
{
	struct t_list l = { 0 };
	char text[512], digest[65], hash[41];
	struct ay_arena arena;
	struct ay_bytes list;
	struct ay_err e = { 0 };

	(void)state;
	ay_arena_init(&arena, 1u << 20);
	t_ima_ng(&l, 10, "/bin/a\nb");
	ay_hex_encode((struct ay_bytes){ l.last_digest, 32 }, digest);
	ay_hex_encode((struct ay_bytes){ l.buf + 4, 20 }, hash);
	snprintf(text, sizeof(text), "10 %s ima-ng sha256:%s /bin/a\nb\n", hash, digest);
	assert_int_equal(ay_ima_ascii_parse(ay_bytes_of(text), &arena, &list, &e), AY_E_INPUT);
	assert_string_equal(e.code, "IMA_MALFORMED");
	ay_arena_fini(&arena);
}

static const struct {
	const char *name;
	size_t at; /* offset in an ima-ng list of one entry */
	const char *hex;
	const char *where;
} malformed[] = {
	{ "PCR 24", 0, "18000000", "ima.pcr" },
	{ "name length 0x7fffffff", 24, "ffffff7f", "ima.templateNameLength" },
	{ "unknown template", 28, "696d612d6e78", "ima.template" },
	{ "data length 0xffffffff", 34, "ffffffff", "ima.dataLength" },
	{ "data length one more", 34, "34000000", "ima.dataLength" },
	{ "data length one less", 34, "32000000", "ima.fieldLength" },
	{ "field length beyond the data", 38, "ff000000", "ima.fieldLength" },
	{ "field length 0xfffffffc", 38, "fcffffff", "ima.fieldLength" },
	{ "digest without algorithm", 42, "78", "ima.d-ng" },
};

static void malformed_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(malformed); i++) {
		struct t_list l = { 0 };
		struct ay_bytes patch = t_hex(malformed[i].hex);
		struct ay_err e = { 0 };
		uint64_t n;

		print_message("malformed: %s\n", malformed[i].name);
		t_ima_ng(&l, 10, "/a");
		if (i == 8) /* the colon before the digest */
			l.buf[48] = 'x';
		else
			memcpy(l.buf + malformed[i].at, patch.p, patch.n);
		assert_int_equal(ay_ima_parse(t_list_bytes(&l), &n, &e), AY_E_INPUT);
		assert_string_equal(e.code, "IMA_MALFORMED");
		assert_string_equal(e.where, malformed[i].where);
		assert_int_equal(n, 0);
	}
}

static void every_prefix_fails(void **state)
{
	struct t_list l = { 0 };
	struct ay_err e;
	size_t first;
	uint64_t n;

	(void)state;
	t_ima_ng(&l, 10, "boot_aggregate");
	first = l.n;
	t_ima_sig(&l, 10, "/bin/sh", "0302");
	t_ima_old(&l, 10, "/bin/old");
	for (size_t i = 1; i < l.n; i++) {
		enum ay_rc rc = ay_ima_parse((struct ay_bytes){ l.buf, i }, &n, &e);

		if (rc == AY_OK)
			assert_true(i == first || n == 2);
		else
			assert_string_equal(e.code, "IMA_MALFORMED");
	}
	assert_int_equal(ay_ima_parse(t_list_bytes(&l), &n, &e), AY_OK);
	assert_int_equal(n, 3);
}

static void fields_of_templates(void **state)
{
	struct t_list l = { 0 };
	struct ay_ima_cursor c;
	struct ay_ima_entry en;

	(void)state;
	t_ima_sig(&l, 10, "/bin/sh", "030204");
	t_ima_custom(&l, 10, "ima-sigv2", "ima:sha256:", "/bin/v2", "aa", 1);
	t_ima_custom(&l, 11, "d-ng|n-ng|buf", "sha256:", ".ima", "beef", 1);
	t_ima_old(&l, 10, "/bin/old");
	ay_ima_begin(&c, t_list_bytes(&l));
	assert_true(ay_ima_next(&c, &en));
	assert_true(ay_bytes_eq(en.path, ay_bytes_of("/bin/sh")));
	assert_int_equal(en.sig.n, 3);
	assert_int_equal(en.digest_alg, AY_ALG_SHA256);
	assert_true(ay_ima_next(&c, &en));
	assert_int_equal(en.digest_alg, AY_ALG_SHA256);
	assert_true(ay_bytes_eq(en.digest_name, ay_bytes_of("sha256")));
	assert_int_equal(en.sig.n, 1);
	assert_true(ay_ima_next(&c, &en));
	assert_int_equal(en.pcr, 11);
	assert_int_equal(en.buf.n, 2);
	assert_true(ay_ima_next(&c, &en));
	assert_true(en.is_old);
	assert_int_equal(en.digest_alg, AY_ALG_SHA1);
	assert_false(ay_ima_next(&c, &en));
	assert_int_equal(ay_ima_end(&c, NULL), AY_OK);
}

/* Stepping back gives, for each prefix, what a replay of that prefix gives; and so does going on.
 */
static void prefixes_and_continuing(void **state)
{
	struct t_list l = { 0 };
	struct ay_ima_state zero, parsed;
	struct ay_ima_run all, some, rest;
	struct ay_arena arena;
	uint8_t buf[AY_IMA_STATE_WIRE_MAX], buf2[AY_IMA_STATE_WIRE_MAX];
	size_t end[40];

	(void)state;
	ay_arena_init(&arena, 8u << 20);
	ay_ima_state_init(&zero, banks, AY_COUNT(banks));
	for (size_t i = 0; i < AY_COUNT(end); i++) {
		char path[32];

		snprintf(path, sizeof(path), i == 0 ? "boot_aggregate" : "/file/%zu", i);
		t_ima_ng(&l, i % 7 == 6 ? 11 : 10, path);
		if (i % 9 == 8)
			memset(l.buf + end[i - 1] + 4, 0, 20); /* violation */
		if (i == 12)
			l.buf[end[i - 1] + 4] ^= 1;
		end[i] = l.n;
	}
	assert_int_equal(ay_ima_replay(&zero, t_list_bytes(&l), 30, &all, &arena, NULL), AY_OK);
	for (size_t i = AY_COUNT(end); i >= 10; i--) {
		struct ay_writer w, w2;
		struct ay_bytes b, b2;

		assert_int_equal(ay_ima_replay(&zero, (struct ay_bytes){ l.buf, end[i - 1] }, 0,
					       &some, &arena, NULL),
				 AY_OK);
		ay_wr_init(&w, buf, sizeof(buf));
		ay_ima_state_write(&w, &some.now);
		ay_wr_init(&w2, buf2, sizeof(buf2));
		ay_ima_state_write(&w2, &all.now);
		assert_int_equal(ay_wr_end(&w, "state", &b, NULL), AY_OK);
		assert_int_equal(ay_wr_end(&w2, "state", &b2, NULL), AY_OK);
		assert_true(ay_bytes_eq(b, b2));
		assert_int_equal(ay_ima_state_parse(b, &parsed, NULL), AY_OK);
		assert_int_equal(
			ay_ima_replay(&parsed,
				      (struct ay_bytes){ l.buf + end[i - 1], l.n - end[i - 1] }, 0,
				      &rest, &arena, NULL),
			AY_OK);
		assert_int_equal(rest.now.entries, AY_COUNT(end));
		for (size_t k = 0; k + 1 < b.n; k++)
			assert_int_not_equal(
				ay_ima_state_parse((struct ay_bytes){ b.p, k }, &parsed, NULL),
				AY_OK);
		if (i > 10)
			assert_true(ay_ima_step_back(&all));
	}
	assert_false(ay_ima_step_back(&all));
	ay_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_entries),	  cmocka_unit_test(every_prefix_fails),
		cmocka_unit_test(fields_of_templates),	  cmocka_unit_test(prefixes_and_continuing),
		cmocka_unit_test(ascii_and_binary_agree), cmocka_unit_test(ascii_newline),
		cmocka_unit_test(corpus_binary),	  cmocka_unit_test(corpus_stray),
		cmocka_unit_test(corpus_ascii),		  cmocka_unit_test(corpus_ascii_refused),
	};

	return cmocka_run_group_tests_name("evlog/ima", tests, NULL, NULL);
}
