/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of one set that contradict each other, or of which one can never be met. */
#include "core/appraise/rule_parts.h"

#include <string.h>

static enum ay_rc bad(struct ay_err *e, unsigned pcr, const char *what)
{
	return ay_fail(e, AY_E_INPUT, "reference.parts", 0, "PCR %u: %s", pcr, what);
}

static bool has_alternatives(const struct ay_rule *r)
{
	for (size_t i = 0; i < r->n_events; i++)
		if (r->event[i].n_alternatives > 0)
			return true;
	return false;
}

/* What two rules about one PCR cannot be together; NULL: they may. Each pair comes in both orders.
 */
static const char *clash(const struct ay_rule *a, const struct ay_rule *b)
{
	bool is_value = a->kind == &ay_rule_pcr || a->kind == &ay_rule_one_of;

	if (a->kind == &ay_rule_launch && b->kind == a->kind && a->part != b->part)
		return NULL; /* each part names its own */
	if (a->kind == b->kind)
		return "two rules of one kind";
	if (a->kind == &ay_rule_pcr && b->kind == &ay_rule_one_of)
		return "an exact value and one of several";
	if (a->kind == &ay_rule_golden)
		return "a golden value stands alone: its log is known to be wrong";
	if (is_value && b->kind == &ay_rule_events_excluding)
		return "an event that may be missing leaves no value to be expected";
	if (a->kind == &ay_rule_launch &&
	    (b->kind == &ay_rule_events || b->kind == &ay_rule_events_excluding))
		return "all events, and those of one part";
	if (a->kind == &ay_rule_pcr && has_alternatives(b))
		return "with an exact value an event cannot be one of several";
	if (a->kind == &ay_rule_events && b->kind == &ay_rule_events_excluding)
		return "all events, and all but some";
	return NULL;
}

static enum ay_rc check_pair(const struct ay_rule *a, const struct ay_rule *b, struct ay_err *e)
{
	const char *what = clash(a, b);

	if (what == NULL)
		what = clash(b, a);
	return what == NULL ? AY_OK : bad(e, a->pcr, what);
}

/* The rules about each PCR, of which there are few, with each other. */
static enum ay_rc check_pairs(const struct ay_refset *s, struct ay_err *e)
{
	const struct ay_rule *of[AY_PCR_COUNT][4];
	size_t n[AY_PCR_COUNT] = { 0 };

	for (size_t i = 0; i < s->n_rules; i++) {
		const struct ay_rule *r = &s->rule[i];

		if (!r->kind->has_pcr)
			continue;
		for (size_t k = 0; k < n[r->pcr]; k++) {
			enum ay_rc rc = check_pair(r, of[r->pcr][k], e);

			if (rc != AY_OK)
				return rc;
		}
		if (n[r->pcr] == AY_COUNT(of[0]))
			return bad(e, r->pcr, "too many rules");
		of[r->pcr][n[r->pcr]++] = r;
	}
	return AY_OK;
}

/* ---- expected and forbidden ---- */

static const struct ay_digest_row *forbidden(const struct ay_refset *s, const struct ay_rule *r,
					     const uint8_t *const *digest)
{
	const struct ay_digest_row *row = NULL;

	for (size_t k = 0; row == NULL && k < r->n_banks; k++)
		if (digest[k] != NULL)
			row = ay_refset_forbids(
				s, r->bank[k],
				(struct ay_bytes){ digest[k], ay_alg_digest_size(r->bank[k]) });
	return row;
}

static const struct ay_digest_row *forbidden_event(const struct ay_refset *s,
						   const struct ay_rule *r)
{
	const struct ay_digest_row *row = NULL;

	for (size_t i = 0; row == NULL && i < r->n_events; i++) {
		const struct ay_ref_event *ev = &r->event[i];

		row = forbidden(s, r, ev->digest);
		for (size_t k = 0; row == NULL && k < ev->n_alternatives; k++)
			row = forbidden(s, r, ev->alternative[k].digest);
	}
	for (size_t i = 0; row == NULL && i < r->n_excluded; i++)
		row = forbidden(s, r, r->excluded[i].digest);
	return row;
}

static const struct ay_digest_row *forbidden_file(const struct ay_refset *s,
						  const struct ay_rule *r)
{
	for (size_t i = 0; r->kind == &ay_rule_files && i < r->files.room; i++) {
		const struct ay_digest_row *f = &r->files.row[i];
		const struct ay_digest_row *row =
			f->digest == NULL ? NULL
					  : ay_refset_forbids(s, f->alg,
							      (struct ay_bytes){
								      f->digest,
								      ay_alg_digest_size(f->alg) });

		if (row != NULL)
			return row;
	}
	return NULL;
}

static bool has_forbidden(const struct ay_refset *s)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rule[i].kind == &ay_rule_forbidden)
			return true;
	return false;
}

static enum ay_rc check_forbidden(const struct ay_refset *s, struct ay_err *e)
{
	for (size_t i = 0; has_forbidden(s) && i < s->n_rules; i++) {
		const struct ay_rule *r = &s->rule[i];
		const struct ay_digest_row *row = forbidden_event(s, r);

		if (row == NULL)
			row = forbidden_file(s, r);
		if (row != NULL)
			return ay_fail(e, AY_E_INPUT, "reference.parts", 0,
				       "\"%.60s\" is both expected and forbidden", row->path);
	}
	return AY_OK;
}

/* An event that is excluded is not compared, so that it can never be met. */
static enum ay_rc check_excluded(const struct ay_rule *r, struct ay_err *e)
{
	for (size_t x = 0; x < r->n_excluded; x++)
		for (size_t i = 0; i < r->n_events; i++)
			for (size_t k = 0; k < r->n_banks; k++) {
				const uint8_t *a = r->excluded[x].digest[k];
				const uint8_t *b = r->event[i].digest[k];

				if (a != NULL && b != NULL &&
				    memcmp(a, b, ay_alg_digest_size(r->bank[k])) == 0)
					return bad(e, r->pcr,
						   "an event is both expected and excluded");
			}
	return AY_OK;
}

enum ay_rc ay_refset_check_rules(const struct ay_refset *s, struct ay_err *e)
{
	enum ay_rc rc = check_pairs(s, e);

	for (size_t i = 0; rc == AY_OK && i < s->n_rules; i++)
		rc = check_excluded(&s->rule[i], e);
	return rc == AY_OK ? check_forbidden(s, e) : rc;
}
