/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two boot logs and two IMA lists. */
#include "support/t.h"

#include "core/base/align.h"
#include "core/evlog/diff.h"
#include "make.h"

static struct ay_arena arena;

static int setup(void **state)
{
	(void)state;
	ay_arena_init(&arena, 64 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ay_arena_fini(&arena);
	return 0;
}

/* ---- alignment: each gap as "a+n/b+n" ---- */

struct words {
	const char *a, *b;
	char gaps[256];
};

static bool same_letter(void *arg, size_t a, size_t b)
{
	const struct words *w = arg;

	return w->a[a] == w->b[b];
}

static void note_gap(void *arg, size_t a, size_t n_a, size_t b, size_t n_b)
{
	struct words *w = arg;
	size_t at = strlen(w->gaps);

	snprintf(w->gaps + at, sizeof(w->gaps) - at, "%zu+%zu/%zu+%zu ", a, n_a, b, n_b);
}

static void alignment(void **state)
{
	static const struct {
		const char *a, *b, *gaps;
	} rows[] = {
		{ "", "", "" },
		{ "abc", "abc", "" },
		{ "abc", "", "0+3/0+0 " },
		{ "", "abc", "0+0/0+3 " },
		{ "abc", "axc", "1+1/1+1 " },
		{ "abc", "abxc", "2+0/2+1 " },
		{ "abcd", "acd", "1+1/1+0 " },
		{ "abcdef", "xbcyef", "0+1/0+1 3+1/3+1 " },
		{ "aab", "ab", "1+1/1+0 " },
		{ "ab", "cd", "0+2/0+2 " },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct words w = { .a = rows[i].a, .b = rows[i].b };

		ay_align(&(struct ay_align){ strlen(w.a), strlen(w.b), same_letter, note_gap, &w },
			 &arena);
		assert_string_equal(w.gaps, rows[i].gaps);
	}
}

/* What is longer than the limit is one gap, whatever is in it. */
static void alignment_is_bounded(void **state)
{
	static char a[2 * AY_ALIGN_MAX], b[2 * AY_ALIGN_MAX];
	struct words w = { .a = a, .b = b };
	char want[64];

	(void)state;
	memset(a, 'm', sizeof(a));
	memset(b, 'm', sizeof(b));
	a[0] = 'a';
	a[sizeof(a) - 1] = 'a';
	b[0] = 'b';
	b[sizeof(b) - 1] = 'b';
	ay_align(&(struct ay_align){ sizeof(a), sizeof(b), same_letter, note_gap, &w }, &arena);
	snprintf(want, sizeof(want), "0+%zu/0+%zu ", sizeof(a), sizeof(b));
	assert_string_equal(w.gaps, want);
}

/* ---- boot logs ---- */

struct made {
	struct ay_event ev[8];
	uint8_t digest[8][32];
	struct ay_evlog log;
};

/* One letter an event of PCR 4; capitals are of PCR 9. */
static void make_log(struct made *m, const char *letters, uint16_t bank)
{
	memset(m, 0, sizeof(*m));
	m->log = (struct ay_evlog){ .event = m->ev, .n_events = strlen(letters), .n_banks = 1 };
	m->log.bank[0] = bank;
	for (size_t i = 0; i < m->log.n_events; i++) {
		memset(m->digest[i], letters[i], 32);
		m->ev[i] = (struct ay_event){ .pcr = letters[i] < 'a' ? 9 : 4, .type = AY_EV_IPL };
		m->ev[i].digest[0] = m->digest[i];
	}
}

static void boot_logs(void **state)
{
	struct made a, b;
	struct ay_diff d = { 0 };

	(void)state;
	make_log(&a, "aXbYc", AY_ALG_SHA256);
	make_log(&b, "XabcY", AY_ALG_SHA256); /* the order between PCRs does not matter */
	assert_int_equal(ay_evlog_diff(&a.log, &b.log, &arena, &d, NULL), AY_OK);
	assert_int_equal(d.n_events, 0);
	assert_int_equal(d.same_events, 5);
	make_log(&b, "aXdYZc", AY_ALG_SHA256);
	assert_int_equal(ay_evlog_diff(&a.log, &b.log, &arena, &d, NULL), AY_OK);
	assert_int_equal(d.n_events, 2);
	assert_int_equal(d.same_events, 4);
	assert_int_equal(d.event[0].pcr, 4);
	assert_int_equal(d.event[0].a, 2);
	assert_int_equal(d.event[0].b, 2);
	assert_int_equal(d.event[1].pcr, 9);
	assert_int_equal(d.event[1].a, -1);
	assert_int_equal(d.event[1].b, 4);
}

/* No bank in common: that is said, not "no difference". */
static void no_bank_in_common(void **state)
{
	struct made a, b;
	struct ay_diff d = { 0 };
	struct ay_err e = { 0 };

	(void)state;
	make_log(&a, "a", AY_ALG_SHA1);
	make_log(&b, "a", AY_ALG_SHA256);
	assert_int_equal(ay_evlog_diff(&a.log, &b.log, &arena, &d, &e), AY_E_INPUT);
	assert_string_equal(e.code, "DIFF_BANKS");
}

/* ---- IMA lists ---- */

/* An ima-ng entry whose file digest is 32 times that octet. */
static void put_file(struct t_list *l, const char *path, uint8_t digest)
{
	/* PCR, template hash, name, data length, field length, "sha256:" NUL */
	size_t at = l->n + 4 + 20 + (4 + 6) + 4 + 4 + 8;

	t_ima_ng(l, 10, path);
	memset(l->buf + at, digest, 32);
}

static void ima_lists(void **state)
{
	static struct t_list a, b;
	struct ay_diff d = { 0 };

	(void)state;
	a.n = b.n = 0;
	put_file(&a, "boot_aggregate", 0x11);
	put_file(&b, "boot_aggregate", 0x22);
	put_file(&a, "/bin/sh", 0xaa);
	put_file(&b, "/bin/ls", 0xbb);
	put_file(&a, "/bin/ls", 0xbb);
	put_file(&a, "/bin/ls", 0xbb); /* measured twice */
	put_file(&b, "/bin/sh", 0xcc);
	put_file(&a, "/only/a", 0xdd);
	put_file(&b, "/only/b", 0xdd);
	assert_int_equal(ay_ima_diff(t_list_bytes(&a), t_list_bytes(&b), &arena, &d, NULL), AY_OK);
	assert_int_equal(d.same_files, 1);
	assert_int_equal(d.n_files, 3);
	assert_true(ay_bytes_eq(d.file[0].path, ay_bytes_of("/bin/sh")));
	assert_int_equal(d.file[0].a.p[0], 0xaa);
	assert_int_equal(d.file[0].b.p[0], 0xcc);
	assert_true(ay_bytes_eq(d.file[1].path, ay_bytes_of("/only/a")));
	assert_int_equal(d.file[1].b.n, 0);
	assert_true(ay_bytes_eq(d.file[2].path, ay_bytes_of("/only/b")));
	assert_int_equal(d.file[2].a.n, 0);
	assert_int_equal(ay_ima_diff(t_list_bytes(&a), (struct ay_bytes){ 0 }, &arena, &d, NULL),
			 AY_OK);
	assert_int_equal(d.n_files, 3);
	assert_int_equal(
		ay_ima_diff((struct ay_bytes){ a.buf, 7 }, t_list_bytes(&b), &arena, &d, NULL),
		AY_E_INPUT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(alignment), T(alignment_is_bounded), T(boot_logs), T(no_bank_in_common),
		T(ima_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
