/* SPDX-License-Identifier: Apache-2.0 */
/* Single changes to an IMA list, each with its code (facts/tamper-matrix.md 4). */
#include "support/t.h"

#include "core/appraise/check_ima.h"
#include "unit/evlog/make.h"

#include <stdio.h>

#define ENTRIES 9

struct bed {
	struct t_list l;
	size_t end[ENTRIES];	 /* of each entry */
	struct ay_pcrs attested; /* PCR 0-9 and what the list extended, all of it */
};

static size_t start_of(const struct bed *b, size_t entry)
{
	return entry == 1 ? 0 : b->end[entry - 2];
}

/* The hash over PCR 0 to last, by EVP; written into the first entry as its file digest. */
static void aggregate(const struct ay_pcrs *p, unsigned last, uint8_t out[32])
{
	uint8_t all[10 * 32];

	for (unsigned i = 0; i <= last; i++)
		memcpy(all + (size_t)32 * i, ay_pcrs_value(p, AY_ALG_SHA256, i).p, 32);
	t_digest(AY_ALG_SHA256, all, (last + 1) * (size_t)32, out);
}

static void rehash(struct bed *b, size_t entry)
{
	size_t at = start_of(b, entry), data = at + 28 + 6 + 4;
	uint8_t d[AY_DIGEST_MAX];

	t_digest(AY_ALG_SHA1, b->l.buf + data, b->end[entry - 1] - data, d);
	memcpy(b->l.buf + at + 4, d, 20);
}

static void re_extend(struct bed *b)
{
	static const uint16_t algs[] = { AY_ALG_SHA1, AY_ALG_SHA256 };
	uint8_t d[AY_DIGEST_MAX];

	for (size_t k = 0; k < 2; k++) {
		memset(ay_pcrs_bank(&b->attested, algs[k])->value[10], 0, AY_DIGEST_MAX);
		for (size_t i = 1; i <= ENTRIES; i++) {
			size_t data = start_of(b, i) + 28 + 6 + 4;

			t_digest(algs[k], b->l.buf + data, b->end[i - 1] - data, d);
			t_extend(&b->attested, algs[k], 10, d);
		}
	}
}

/* last: boot_aggregate is over PCR 0 to it. */
static void make(struct bed *b, unsigned last)
{
	uint8_t d[AY_DIGEST_MAX];

	*b = (struct bed){ 0 };
	for (unsigned pcr = 0; pcr < 10; pcr++) {
		memset(d, (int)pcr + 1, sizeof(d));
		t_extend(&b->attested, AY_ALG_SHA1, pcr, d);
		t_extend(&b->attested, AY_ALG_SHA256, pcr, d);
	}
	for (size_t i = 0; i < ENTRIES; i++) {
		char path[32];

		snprintf(path, sizeof(path), i == 0 ? "boot_aggregate" : "/usr/bin/program-%zu", i);
		t_ima_ng(&b->l, 10, path);
		b->end[i] = b->l.n;
	}
	aggregate(&b->attested, last, b->l.buf + 28 + 6 + 4 + 4 + 8);
	rehash(b, 1);
	re_extend(b);
}

static void judge(const struct bed *b, struct ay_arena *arena, struct ay_report *rep)
{
	struct ay_ima_state zero;
	struct ay_ima_run run;
	struct ay_err e = { 0 };
	bool fits;

	ay_report_init(rep, arena);
	ay_ima_state_init_for(&zero, &b->attested, false);
	if (ay_ima_replay(&zero, t_list_bytes(&b->l), AY_MAX_IMA_PREFIXES, &run, arena, &e) !=
	    AY_OK) {
		ay_check_ima_refused(&e, rep);
		return;
	}
	ay_check_ima_templates(&run.now, rep);
	fits = ay_ima_run_fit(&run, &b->attested, false);
	ay_check_ima_pcrs(&run, fits, &b->attested, rep);
	if (fits)
		ay_check_ima_aggregate(&run.now, &b->attested, rep);
	ay_check_ima_paths(t_list_bytes(&b->l), run.total, 1, rep);
}

static void none(struct bed *b)
{
	(void)b;
}

static void data_bit(struct bed *b)
{
	b->l.buf[start_of(b, 5) + 28 + 6 + 4 + 4 + 20] ^= 1;
}

static void path_character(struct bed *b)
{
	b->l.buf[b->end[4] - 2] ^= 1;
}

static void hash_bit(struct bed *b)
{
	b->l.buf[start_of(b, 5) + 4] ^= 1;
}

static void recomputed(struct bed *b)
{
	path_character(b);
	rehash(b, 5);
}

static void pcr_11(struct bed *b)
{
	b->l.buf[start_of(b, 5)] = 11;
}

static void made_violation(struct bed *b)
{
	memset(b->l.buf + start_of(b, 5) + 4, 0, 20);
}

static void removed(struct bed *b)
{
	t_cut(&b->l, start_of(b, 5), b->end[4]);
}

static void duplicated(struct bed *b)
{
	uint8_t copy[256];
	size_t n = b->end[4] - start_of(b, 5);

	memcpy(copy, b->l.buf + start_of(b, 5), n);
	t_insert(&b->l, b->end[4], copy, n);
}

static void swapped(struct bed *b)
{
	uint8_t copy[256];
	size_t from = start_of(b, 5), n = b->end[4] - from;

	memcpy(copy, b->l.buf + from, n);
	t_insert(&b->l, b->end[5], copy, n);
	t_cut(&b->l, from, from + n);
}

static void shorter(struct bed *b)
{
	b->l.n = b->end[7];
}

static void empty(struct bed *b)
{
	b->l.n = 0;
}

static void appended(struct bed *b)
{
	t_ima_ng(&b->l, 10, "/usr/bin/later");
}

static void cut(struct bed *b)
{
	b->l.n = b->end[8] - 1;
}

static void name_length(struct bed *b)
{
	memcpy(b->l.buf + start_of(b, 5) + 24, "\xff\xff\xff\x7f", 4);
}

static void data_length(struct bed *b)
{
	memcpy(b->l.buf + start_of(b, 5) + 34, "\xff\xff\xff\xff", 4);
}

static void field_length(struct bed *b)
{
	b->l.buf[start_of(b, 5) + 38] = 0xf0;
}

/* These are what the TPM measured: the values follow. */
static void not_aggregate(struct bed *b)
{
	b->l.buf[b->end[0] - 3] ^= 1;
	rehash(b, 1);
	re_extend(b);
}

static void other_aggregate(struct bed *b)
{
	b->l.buf[28 + 6 + 4 + 4 + 8] ^= 1;
	rehash(b, 1);
	re_extend(b);
}

static void odd_path(struct bed *b)
{
	b->l.buf[b->end[4] - 3] = ' ';
	rehash(b, 5);
	re_extend(b);
}

static void newline_path(struct bed *b)
{
	b->l.buf[b->end[4] - 3] = '\n';
	rehash(b, 5);
	re_extend(b);
}

static void high_path(struct bed *b)
{
	b->l.buf[b->end[4] - 3] = 0xe9;
	rehash(b, 5);
	re_extend(b);
}

static void aggregate_again(struct bed *b)
{
	uint8_t copy[256];
	size_t n = b->end[0];

	/* entry 9 becomes a second boot_aggregate */
	memcpy(copy, b->l.buf, n);
	b->l.n = b->end[7];
	t_put(&b->l, copy, n);
	b->end[8] = b->l.n;
	re_extend(b);
}

static const struct {
	const char *name;
	void (*change)(struct bed *b);
	enum ay_result result;
	const char *code, *also; /* "": nothing fails */
	uint64_t entry;
} rows[] = {
	{ "unchanged", none, AY_FAIL, "", NULL, 0 },
	{ "template data bit", data_bit, AY_FAIL, "IMA_TEMPLATE_HASH", "IMA_PCR", 5 },
	{ "path character", path_character, AY_FAIL, "IMA_TEMPLATE_HASH", "IMA_PCR", 5 },
	{ "template hash bit", hash_bit, AY_FAIL, "IMA_TEMPLATE_HASH", NULL, 5 },
	{ "path changed and hash recomputed", recomputed, AY_FAIL, "IMA_PCR", NULL, 0 },
	{ "PCR 10 to 11", pcr_11, AY_FAIL, "IMA_PCR", NULL, 0 },
	{ "made a violation", made_violation, AY_FAIL, "IMA_PCR", NULL, 0 },
	{ "entry removed", removed, AY_FAIL, "IMA_PCR", NULL, 0 },
	{ "entry duplicated", duplicated, AY_FAIL, "IMA_PCR", NULL, 0 },
	{ "two swapped", swapped, AY_FAIL, "IMA_PCR", NULL, 0 },
	{ "shorter than the quoted PCR", shorter, AY_FAIL, "IMA_PCR", NULL, 0 },
	{ "empty list", empty, AY_FAIL, "IMA_PCR", NULL, 0 },
	{ "appended after the quoted state", appended, AY_PASS, "IMA_UNATTESTED_TAIL", NULL, 9 },
	{ "truncated in an entry", cut, AY_FAIL, "IMA_MALFORMED", NULL, 0 },
	{ "name length 0x7fffffff", name_length, AY_FAIL, "IMA_MALFORMED", NULL, 0 },
	{ "data length 0xffffffff", data_length, AY_FAIL, "IMA_MALFORMED", NULL, 0 },
	{ "field length beyond the data", field_length, AY_FAIL, "IMA_MALFORMED", NULL, 0 },
	{ "first entry is not boot_aggregate", not_aggregate, AY_FAIL, "IMA_BOOT_AGGREGATE", NULL,
	  1 },
	{ "boot_aggregate of other PCRs", other_aggregate, AY_FAIL, "IMA_BOOT_AGGREGATE", NULL, 1 },
	{ "path with a blank", odd_path, AY_PASS, "IMA_PATH", NULL, 5 },
	{ "path with a newline", newline_path, AY_PASS, "IMA_PATH", NULL, 5 },
	{ "path with an octet above 0x7f", high_path, AY_PASS, "IMA_PATH", NULL, 5 },
	{ "boot_aggregate as a later path", aggregate_again, AY_PASS, "IMA_PATH", NULL, 9 },
};

static const struct ay_finding *find(const struct ay_report *rep, const char *code,
				     enum ay_result result)
{
	enum ay_check c = ay_check_find(ay_bytes_of(code));

	for (size_t i = 0; i < rep->n_findings; i++)
		if (rep->finding[i].code == c && rep->finding[i].result == result)
			return &rep->finding[i];
	return NULL;
}

static size_t count_fails(const struct ay_report *rep)
{
	size_t n = 0;

	for (size_t i = 0; i < rep->n_findings; i++)
		n += rep->finding[i].result == AY_FAIL;
	return n;
}

static void single_changes(void **state)
{
	static struct bed b;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		const struct ay_finding *f;
		struct ay_arena arena;
		struct ay_report rep;

		print_message("ima: %s\n", rows[i].name);
		ay_arena_init(&arena, 4u << 20);
		make(&b, 7);
		rows[i].change(&b);
		judge(&b, &arena, &rep);
		if (rows[i].result == AY_PASS || rows[i].code[0] == '\0')
			assert_int_equal(count_fails(&rep), 0);
		if (rows[i].code[0] != '\0') {
			f = find(&rep, rows[i].code, rows[i].result);
			assert_non_null(f);
			if (rows[i].entry > 0)
				assert_int_equal(f->entry, rows[i].entry);
		}
		if (rows[i].also != NULL)
			assert_non_null(find(&rep, rows[i].also, AY_FAIL));
		ay_arena_fini(&arena);
	}
}

/* Either range of PCRs is right, and the finding says which. */
static void aggregate_ranges(void **state)
{
	static const unsigned lasts[] = { 7, 9 };
	static struct bed b;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char want[32];
		struct ay_arena arena;
		struct ay_report rep;

		ay_arena_init(&arena, 4u << 20);
		make(&b, lasts[i]);
		judge(&b, &arena, &rep);
		snprintf(want, sizeof(want), "PCR 0-%u", lasts[i]);
		assert_non_null(strstr(find(&rep, "IMA_BOOT_AGGREGATE", AY_PASS)->text, want));
		ay_arena_fini(&arena);
	}
}

static void aggregate_unattested(void **state)
{
	static struct bed b;
	struct ay_arena arena;
	struct ay_report rep;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	make(&b, 7);
	for (size_t i = 0; i < b.attested.n_banks; i++)
		b.attested.bank[i].have = 1u << 10;
	judge(&b, &arena, &rep);
	assert_non_null(find(&rep, "IMA_BOOT_AGGREGATE", AY_NOT_CHECKED));
	ay_arena_fini(&arena);
}

static void continuity(void **state)
{
	static const struct {
		bool rebooted;
		uint64_t entries, octets;
		enum ay_result want;
	} cases[] = {
		{ false, 9, 900, AY_PASS },   { false, 8, 800, AY_FAIL },
		{ false, 10, 1000, AY_FAIL }, { false, 9, 901, AY_FAIL },
		{ false, 0, 0, AY_FAIL },     { true, 0, 0, AY_PASS },
		{ true, 9, 900, AY_FAIL },
	};
	struct ay_ima_state last = { .entries = 9, .octets = 900 };
	struct ay_arena arena;
	struct ay_report rep;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		ay_report_init(&rep, &arena);
		assert_int_equal(ay_check_ima_continuity(&last, cases[i].rebooted, cases[i].entries,
							 cases[i].octets, &rep),
				 cases[i].want);
		assert_non_null(find(&rep, "IMA_CONTINUITY", cases[i].want));
	}
	ay_arena_fini(&arena);
}

/* Both banks must fit the same prefix: values of different prefixes are no prefix at all. */
static void same_prefix(void **state)
{
	static struct bed b;
	struct ay_pcrs all;
	struct ay_arena arena;
	struct ay_report rep;
	uint8_t d[AY_DIGEST_MAX];
	size_t data;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	make(&b, 7);
	all = b.attested;
	data = start_of(&b, 9) + 28 + 6 + 4;
	t_ima_ng(&b.l, 10, "/usr/bin/later");
	judge(&b, &arena, &rep);
	assert_int_equal(count_fails(&rep), 0);
	/* sha256 one entry further than sha1 */
	data = b.end[8] + 28 + 6 + 4;
	t_digest(AY_ALG_SHA256, b.l.buf + data, b.l.n - data, d);
	b.attested = all;
	t_extend(&b.attested, AY_ALG_SHA256, 10, d);
	judge(&b, &arena, &rep);
	assert_non_null(find(&rep, "IMA_PCR", AY_FAIL));
	ay_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_changes),	cmocka_unit_test(aggregate_ranges),
		cmocka_unit_test(aggregate_unattested), cmocka_unit_test(continuity),
		cmocka_unit_test(same_prefix),
	};

	return cmocka_run_group_tests_name("appraise/ima", tests, NULL, NULL);
}
