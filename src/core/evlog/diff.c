/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/diff.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/align.h"
#include "core/evlog/ima.h"
#include "core/evlog/replay.h"

/* ---- boot logs ---- */

/* The events of one PCR that were extended, of both logs. */
struct pair {
	const struct ay_evlog *log_a, *log_b;
	uint8_t pcr;
	uint32_t *at_a, *at_b; /* indices in the logs */
	struct ay_diff *out;
	size_t n_differing; /* events of log_a that have no equal in log_b */
};

static size_t gather(const struct ay_evlog *log, unsigned pcr, uint32_t *at)
{
	size_t n = 0;

	for (size_t i = 0; i < log->n_events; i++)
		if (log->event[i].pcr == pcr && ay_event_is_extended(&log->event[i]))
			at[n++] = (uint32_t)i;
	return n;
}

static int bank_of(const struct ay_evlog *log, uint16_t alg)
{
	for (size_t k = 0; k < log->n_banks; k++)
		if (log->bank[k] == alg)
			return (int)k;
	return -1;
}

static bool share_bank(const struct ay_evlog *a, const struct ay_evlog *b)
{
	for (size_t k = 0; k < a->n_banks; k++)
		if (bank_of(b, a->bank[k]) >= 0)
			return true;
	return false;
}

/* Equal digests in every bank that both have, and at least in one. */
static bool same(void *arg, size_t i, size_t j)
{
	const struct pair *p = arg;
	const struct ay_event *a = &p->log_a->event[p->at_a[i]];
	const struct ay_event *b = &p->log_b->event[p->at_b[j]];
	bool any = false;

	for (size_t k = 0; k < p->log_a->n_banks; k++) {
		int l = bank_of(p->log_b, p->log_a->bank[k]);

		if (l < 0 || a->digest[k] == NULL || b->digest[l] == NULL)
			continue;
		if (memcmp(a->digest[k], b->digest[l], ay_alg_digest_size(p->log_a->bank[k])) != 0)
			return false;
		any = true;
	}
	return any;
}

/* What stands at the same place counts as changed; what is left over as only there. */
static void gap(void *arg, size_t a, size_t n_a, size_t b, size_t n_b)
{
	struct pair *p = arg;

	p->n_differing += n_a;
	for (size_t i = 0; i < n_a || i < n_b; i++)
		p->out->event[p->out->n_events++] = (struct ay_event_diff){
			.pcr = p->pcr,
			.a = i < n_a ? (int32_t)p->at_a[a + i] : -1,
			.b = i < n_b ? (int32_t)p->at_b[b + i] : -1,
		};
}

enum ay_rc ay_evlog_diff(const struct ay_evlog *a, const struct ay_evlog *b, struct ay_arena *arena,
			 struct ay_diff *out, struct ay_err *e)
{
	struct pair p = { .log_a = a, .log_b = b, .out = out };
	size_t n_a, n_b;

	out->n_events = out->same_events = 0;
	out->event = ay_arena_array(arena, a->n_events + b->n_events + 1, sizeof(*out->event));
	p.at_a = ay_arena_array(arena, a->n_events + 1, sizeof(*p.at_a));
	p.at_b = ay_arena_array(arena, b->n_events + 1, sizeof(*p.at_b));
	if (out->event == NULL || p.at_a == NULL || p.at_b == NULL)
		return ay_fail(e, AY_E_NOMEM, "diff", 0, "no memory");
	if (!share_bank(a, b)) {
		ay_err_set(e, AY_E_INPUT, "diff", 0, "the logs have no bank in common");
		ay_err_code(e, "DIFF_BANKS");
		return AY_E_INPUT;
	}
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		p.pcr = (uint8_t)pcr;
		p.n_differing = 0;
		n_a = gather(a, pcr, p.at_a);
		n_b = gather(b, pcr, p.at_b);
		ay_align(&(struct ay_align){ n_a, n_b, same, gap, &p }, arena);
		out->same_events += n_a - p.n_differing;
	}
	return AY_OK;
}

/* ---- IMA lists ---- */

struct file {
	struct ay_bytes path, digest;
	uint16_t alg;
};

struct files {
	size_t n;
	struct file *file;
};

static int compare_bytes(struct ay_bytes a, struct ay_bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int compare_files(const void *x, const void *y)
{
	const struct file *a = x, *b = y;
	int c = compare_bytes(a->path, b->path);

	return c != 0 ? c : compare_bytes(a->digest, b->digest);
}

/* Every file once, ordered by path and digest. */
static enum ay_rc read_files(struct ay_bytes list, struct ay_arena *arena, struct files *out,
			     struct ay_err *e)
{
	struct ay_ima_cursor c;
	struct ay_ima_entry en;
	uint64_t n;
	size_t kept = 0;
	enum ay_rc rc = ay_ima_parse(list, &n, e);

	if (rc != AY_OK)
		return rc;
	*out = (struct files){ .file = ay_arena_array(arena, (size_t)n + 1, sizeof(*out->file)) };
	if (out->file == NULL)
		return ay_fail(e, AY_E_NOMEM, "diff", 0, "no memory for %zu files", (size_t)n);
	ay_ima_begin(&c, list);
	while (ay_ima_next(&c, &en))
		if (!en.violation && en.index > 1 && en.digest.n > 0)
			out->file[out->n++] = (struct file){ en.path, en.digest, en.digest_alg };
	qsort(out->file, out->n, sizeof(*out->file), compare_files);
	for (size_t i = 0; i < out->n; i++)
		if (kept == 0 || compare_files(&out->file[kept - 1], &out->file[i]) != 0)
			out->file[kept++] = out->file[i];
	out->n = kept;
	return AY_OK;
}

static size_t end_of_path(const struct files *f, size_t i)
{
	size_t end = i;

	while (end < f->n && compare_bytes(f->file[end].path, f->file[i].path) == 0)
		end++;
	return end;
}

/* Both lists are in order, so that a path with very many digests costs no more than others. */
static bool has(const struct files *f, size_t from, size_t to, const struct file *x)
{
	return to > from &&
	       bsearch(x, f->file + from, to - from, sizeof(*x), compare_files) != NULL;
}

/* The next file of [*i, to) that the other list does not have; NULL: none. */
static const struct file *next_own(const struct files *f, size_t *i, size_t to,
				   const struct files *other, size_t from_o, size_t to_o,
				   size_t *n_same)
{
	for (; *i < to; (*i)++) {
		if (!has(other, from_o, to_o, &f->file[*i]))
			return &f->file[(*i)++];
		if (n_same != NULL)
			(*n_same)++;
	}
	return NULL;
}

/* One path: digests that only one has, paired as changes. */
static void diff_path(const struct files *a, size_t from_a, size_t to_a, const struct files *b,
		      size_t from_b, size_t to_b, struct ay_diff *out)
{
	const struct file *x, *y;
	size_t i = from_a, j = from_b;

	for (;;) {
		x = next_own(a, &i, to_a, b, from_b, to_b, &out->same_files);
		y = next_own(b, &j, to_b, a, from_a, to_a, NULL);
		if (x == NULL && y == NULL)
			return;
		out->file[out->n_files++] = (struct ay_file_diff){
			.path = x != NULL ? x->path : y->path,
			.alg_a = x != NULL ? x->alg : 0,
			.alg_b = y != NULL ? y->alg : 0,
			.a = x != NULL ? x->digest : (struct ay_bytes){ 0 },
			.b = y != NULL ? y->digest : (struct ay_bytes){ 0 },
		};
	}
}

enum ay_rc ay_ima_diff(struct ay_bytes a, struct ay_bytes b, struct ay_arena *arena,
		       struct ay_diff *out, struct ay_err *e)
{
	struct files fa, fb;
	size_t i = 0, j = 0;
	enum ay_rc rc = read_files(a, arena, &fa, e);

	out->n_files = out->same_files = 0;
	if (rc == AY_OK)
		rc = read_files(b, arena, &fb, e);
	if (rc != AY_OK)
		return rc;
	out->file = ay_arena_array(arena, fa.n + fb.n + 1, sizeof(*out->file));
	if (out->file == NULL)
		return ay_fail(e, AY_E_NOMEM, "diff", 0, "no memory");
	while (i < fa.n || j < fb.n) {
		int c = i == fa.n   ? 1
			: j == fb.n ? -1
				    : compare_bytes(fa.file[i].path, fb.file[j].path);
		size_t to_i = c <= 0 ? end_of_path(&fa, i) : i;
		size_t to_j = c >= 0 ? end_of_path(&fb, j) : j;

		diff_path(&fa, i, to_i, &fb, j, to_j, out);
		i = to_i;
		j = to_j;
	}
	return AY_OK;
}
