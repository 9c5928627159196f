/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/waiver.h"

#include <string.h>

#include "core/base/timefmt.h"

static const struct row {
	enum ay_check code;
	unsigned names;
	bool judges;
} rows[] = {
#define PCR AY_WAIVER_PCR
#define PATH AY_WAIVER_PATH
#define EXPECTED AY_WAIVER_EXPECTED
#define MEASURED AY_WAIVER_MEASURED
#define X(code, names, judges) { AY_CHECK_##code, names, judges },
#include "core/appraise/waiver.def"
#undef X
#undef PCR
#undef PATH
#undef EXPECTED
#undef MEASURED
};

static const struct row *row_of(enum ay_check code)
{
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

bool ay_waiver_may(enum ay_check code)
{
	return row_of(code) != NULL;
}

unsigned ay_waiver_needs(enum ay_check code)
{
	const struct row *r = row_of(code);

	return r == NULL ? 0 : r->names;
}

static bool judges(enum ay_check code)
{
	const struct row *r = row_of(code);

	return r != NULL && r->judges;
}

unsigned ay_waiver_names(const struct ay_waiver *w)
{
	return (w->has_pcr ? AY_WAIVER_PCR : 0) | (w->path != NULL ? AY_WAIVER_PATH : 0) |
	       (w->expected != NULL ? AY_WAIVER_EXPECTED : 0) |
	       (w->measured != NULL ? AY_WAIVER_MEASURED : 0);
}

/* ---- when things end ---- */

static bool is_open(int64_t until_ms, int64_t now_ms)
{
	return now_ms > 0 && now_ms < until_ms;
}

int64_t ay_policy_next_end(const struct ay_policy *p, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < p->n_waivers; i++)
		if (is_open(p->waiver[i].until_ms, now_ms) && p->waiver[i].until_ms < next)
			next = p->waiver[i].until_ms;
	for (size_t i = 0; i < p->n_windows; i++)
		if (is_open(p->window[i].until_ms, now_ms) && p->window[i].until_ms < next)
			next = p->window[i].until_ms;
	return next;
}

const struct ay_window *ay_policy_window(const struct ay_policy *p, const char *set_name,
					 uint32_t version, int64_t now_ms)
{
	for (size_t i = 0; i < p->n_windows; i++) {
		const struct ay_window *w = &p->window[i];

		if (w->version == version && strcmp(w->set, set_name) == 0 &&
		    !AY_CHECKED("WINDOW_UNTIL", !is_open(w->until_ms, now_ms)))
			return w;
	}
	return NULL;
}

/* ---- what is excused ---- */

static bool same(const char *named, const char *found)
{
	return named == NULL || (found != NULL && strcmp(named, found) == 0);
}

bool ay_waiver_excuses(const struct ay_waiver *w, const struct ay_finding *f, int64_t now_ms)
{
	unsigned missing = ay_waiver_needs(w->code) & ~ay_waiver_names(w);

	if (f->result != AY_FAIL || f->code != w->code || !ay_waiver_may(w->code) || missing != 0)
		return false;
	if (w->has_pcr && (!f->has_pcr || f->pcr != w->pcr))
		return false;
	if (w->bank != 0 && w->bank != f->bank)
		return false;
	if (AY_CHECKED("WAIVER_EXACT", !same(w->path, f->path) || !same(w->expected, f->expected) ||
					       !same(w->measured, f->measured)))
		return false;
	return !AY_CHECKED("WAIVER_UNTIL", !is_open(w->until_ms, now_ms));
}

/* The waiver that excuses a finding; NULL: none. */
static const struct ay_waiver *waiver_of(const struct ay_policy *p, const struct ay_finding *f,
					 int64_t now_ms)
{
	for (size_t k = 0; k < p->n_waivers; k++)
		if (ay_waiver_excuses(&p->waiver[k], f, now_ms))
			return &p->waiver[k];
	return NULL;
}

static bool is_of_events(enum ay_check c)
{
	return c == AY_CHECK_REF_EVENT || c == AY_CHECK_REF_ADDED || c == AY_CHECK_REF_MISSING;
}

/*
 * A PCR's value follows from its events: where all that fails of them is waived
 * and the log explains the value, that value is not a failure of its own. What
 * could not be listed may be anything, so then nothing follows.
 */
static void excuse_values(uint32_t excused, struct ay_report *rep)
{
	uint32_t open = 0;

	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *f = &rep->finding[i];

		if (f->has_pcr && f->result != AY_PASS && f->code != AY_CHECK_REF_PCR)
			open |= 1u << f->pcr;
	}
	if (rep->n_dropped > 0)
		return;
	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *f = &rep->finding[i];

		if (f->code == AY_CHECK_REF_PCR && f->result == AY_FAIL &&
		    (excused & 1u << f->pcr) != 0 &&
		    !AY_CHECKED("WAIVER_FOLLOWS", (open & 1u << f->pcr) != 0))
			ay_report_excuse(rep, i, true,
					 "follows from what is waived of PCR %u: %.200s", f->pcr,
					 f->text);
	}
}

void ay_waivers_apply(const struct ay_policy *p, int64_t now_ms, struct ay_report *rep)
{
	char until[AY_TIME_ROOM];
	uint32_t excused = 0; /* bit N: an event of PCR N */

	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *f = &rep->finding[i];
		const struct ay_waiver *w = waiver_of(p, f, now_ms);

		if (w == NULL)
			continue;
		if (is_of_events(f->code) && f->has_pcr)
			excused |= 1u << f->pcr;
		ay_time_format(w->until_ms, until);
		ay_report_excuse(rep, i, judges(w->code),
				 "waived by %.60s until %s (%.120s): %.200s", w->owner, until,
				 w->reason, f->text);
	}
	if (excused != 0)
		excuse_values(excused, rep);
}
