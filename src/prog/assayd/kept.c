/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/kept.h"

#include "prog/assayd/engine_impl.h"

#include <stdlib.h>

static void take_row(void *arg, const struct ay_attest_past *p)
{
	struct ay_kept_row *k = arg;

	memcpy(k->report.b, p->report_id, sizeof(k->report.b));
	k->host = p->host;
	k->seq = p->seq;
	k->at_ms = p->at;
	k->lease_until_ms = p->lease_until;
	k->verdict = (enum ay_verdict)p->verdict;
}

/* ---- one report ---- */

struct reading {
	struct ay_engine *g;
	json_t *out;
	struct ay_err *e;
	enum ay_rc rc;
};

/* The stored document has neither id, host nor instant: they are the row's. */
static void read_report(void *arg, const struct ay_attest_past *row)
{
	struct reading *l = arg;
	char host[AY_UUID_TEXT], id[AY_UUID_TEXT], at[AY_TIME_ROOM], evidence[65];
	struct ay_uuid report_id;
	struct ay_arena a;
	struct ay_bytes body;

	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	l->rc = ay_store_blob(l->g->store, row->report, &a, &body, l->e);
	if (l->rc == AY_OK)
		l->rc = ay_json_load(body, AY_MAX_ARENA_BYTES, "report", &l->out, l->e);
	ay_arena_fini(&a);
	if (l->rc != AY_OK)
		return;
	memcpy(report_id.b, row->report_id, sizeof(report_id.b));
	ay_uuid_format(&report_id, id);
	ay_uuid_format(&row->host, host);
	ay_time_format(row->at, at);
	ay_store_evidence_name(row, evidence);
	json_object_set_new(l->out, "id", json_string(id));
	json_object_set_new(l->out, "host", json_string(host));
	json_object_set_new(l->out, "at", json_string(at));
	json_object_set_new(l->out, "evidence", json_string(evidence));
}

enum ay_rc ay_engine_kept_report(struct ay_engine *g, uint64_t seq, json_t **out, struct ay_err *e)
{
	struct reading l = { g, NULL, e, AY_E_NOENT };
	enum ay_rc rc = AY_OK;

	*out = NULL;
	if (seq != 0)
		rc = ay_store_attestations(g->store, seq, 1, read_report, &l, e);
	if (rc != AY_OK)
		return rc;
	if (l.rc == AY_E_NOENT && l.out == NULL)
		return ay_fail_code(e, AY_E_NOENT, "NO_REPORT", "report", "host has no report yet");
	*out = l.out;
	return l.rc;
}

enum ay_rc ay_engine_report(struct ay_engine *g, const struct ay_host *h, json_t **out,
			    struct ay_err *e)
{
	return ay_engine_kept_report(g, h->run->seq, out, e);
}

/* ---- by host and time ---- */

/* The row of each host that is looked at next, the newest on top. */
struct heap {
	uint64_t *seq;
	size_t n;
};

static void sift_down(struct heap *h, size_t at)
{
	for (;;) {
		size_t big = at, left = 2 * at + 1;

		if (left < h->n && h->seq[left] > h->seq[big])
			big = left;
		if (left + 1 < h->n && h->seq[left + 1] > h->seq[big])
			big = left + 1;
		if (big == at)
			return;
		uint64_t keep = h->seq[at];

		h->seq[at] = h->seq[big];
		h->seq[big] = keep;
		at = big;
	}
}

/* The newest is replaced by the row before it of the same host; 0: there is none. */
static void replace_top(struct heap *h, uint64_t by)
{
	h->seq[0] = by != 0 ? by : h->seq[--h->n];
	sift_down(h, 0);
}

static bool heap_make(struct heap *h, const struct ay_kept_ask *ask)
{
	*h = (struct heap){ calloc(ask->n_hosts + 1, sizeof(*h->seq)), 0 };
	if (h->seq == NULL)
		return false;
	for (size_t i = 0; i < ask->n_hosts; i++)
		if (ask->host[i]->run->seq != 0)
			h->seq[h->n++] = ask->host[i]->run->seq;
	for (size_t i = h->n / 2; i-- > 0;)
		sift_down(h, i);
	return true;
}

/* A row, and the number of the one before it. */
struct step {
	struct ay_kept_row row;
	uint64_t prev;
	bool found;
};

static void see_step(void *arg, const struct ay_attest_past *p)
{
	struct step *s = arg;

	take_row(&s->row, p);
	s->prev = p->prev;
	s->found = true;
}

static enum ay_rc walk(struct ay_engine *g, const struct ay_kept_ask *ask, struct heap *h,
		       struct ay_kept_row *out, size_t *n, struct ay_err *e)
{
	uint64_t skip = ask->skip;
	enum ay_rc rc = AY_OK;

	for (size_t looked = 0; rc == AY_OK && h->n > 0 && *n < ask->limit; looked++) {
		struct step s = { 0 };
		bool fits;

		if (looked == AY_MAX_HISTORY_WALK)
			return ay_fail_code(e, AY_E_LIMIT, "SEARCH_TOO_WIDE", "fromDate",
					    "too many attestations to look at: name one host, or a "
					    "time nearer to now");
		rc = ay_store_attestations(g->store, h->seq[0], 1, see_step, &s, e);
		fits = s.found && (ask->to_ms == 0 || s.row.at_ms <= ask->to_ms);
		if (!s.found || s.row.at_ms < ask->from_ms) {
			replace_top(h, 0); /* what is before it is older still */
			continue;
		}
		replace_top(h, fits && ask->latest ? 0 : s.prev);
		if (fits && skip > 0)
			skip--;
		else if (fits)
			out[(*n)++] = s.row;
	}
	return rc;
}

enum ay_rc ay_engine_kept(struct ay_engine *g, const struct ay_kept_ask *ask, struct ay_kept_row *out,
			  size_t *n, struct ay_err *e)
{
	struct heap h;
	enum ay_rc rc;

	*n = 0;
	if (!heap_make(&h, ask))
		return ay_fail(e, AY_E_NOMEM, "history", 0, "no memory");
	rc = walk(g, ask, &h, out, n, e);
	free(h.seq);
	if (rc != AY_OK)
		*n = 0;
	return rc;
}

/* ---- by id ---- */

/*
 * Ids of reports begin with their instant, and rows are about in the order of
 * their instants: a search by halves leads near the row, which is then looked
 * for among its neighbours. History needs no index for that.
 */
enum { NEIGHBOURS = 4096 };

struct hunt {
	const struct ay_uuid *want;
	struct ay_kept_row *out;
	bool found;
};

static void see_neighbour(void *arg, const struct ay_attest_past *p)
{
	struct hunt *h = arg;

	if (h->found || memcmp(p->report_id, h->want->b, sizeof(h->want->b)) != 0)
		return;
	take_row(h->out, p);
	h->found = true;
}

/* The row with this number, or the one before; found false: none. */
static enum ay_rc probe(struct ay_engine *g, uint64_t seq, struct step *s, struct ay_err *e)
{
	*s = (struct step){ 0 };
	return ay_store_history(g->store, seq, 1, see_step, s, e);
}

/* A number near the last row of that instant. */
static enum ay_rc near(struct ay_engine *g, int64_t at_ms, uint64_t *out, struct ay_err *e)
{
	struct step s;
	uint64_t low = 0, high;
	enum ay_rc rc = probe(g, INT64_MAX, &s, e);

	for (high = s.row.seq; rc == AY_OK && low < high;) {
		uint64_t middle = low + (high - low + 1) / 2;

		rc = probe(g, middle, &s, e);
		if (!s.found || s.row.at_ms <= at_ms)
			low = middle;
		else
			high = s.row.seq - 1;
	}
	*out = low;
	return rc;
}

enum ay_rc ay_engine_kept_find(struct ay_engine *g, const struct ay_uuid *report,
			       struct ay_kept_row *out, struct ay_err *e)
{
	struct hunt h = { report, out, false };
	int64_t at_ms = ay_uuid_time(report);
	uint64_t seq = INT64_MAX - NEIGHBOURS; /* ids of before: among the newest */
	enum ay_rc rc = AY_OK;

	memset(out, 0, sizeof(*out));
	if (at_ms >= 0)
		rc = near(g, at_ms, &seq, e);
	if (rc == AY_OK)
		rc = ay_store_history(g->store, seq + NEIGHBOURS, 2 * (size_t)NEIGHBOURS,
				      see_neighbour, &h, e);
	if (rc == AY_OK && !h.found)
		return ay_fail(e, AY_E_NOENT, "report", 0, "no such report is kept");
	return rc;
}
