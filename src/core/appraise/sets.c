/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/sets.h"

#include <string.h>

#include "core/appraise/check_demands.h"
#include "core/appraise/check_launch.h"
#include "core/appraise/rule_parts.h"
#include "core/base/timefmt.h"
#include "core/evlog/replay.h"

/* A set that may be compared with, and for which parts. */
struct use {
	const struct ay_refset *set;
	uint32_t parts;
	enum ay_fit fit;
};

struct sets {
	const struct ay_state_in *in;
	const struct ay_boot_facts *facts;
	struct ay_judged *out;
	struct ay_report *rep;
	struct use *use;
	size_t n;
};

/* ---- which sets ---- */

static uint32_t parts_for_host(const struct ay_state_in *in, size_t i)
{
	uint32_t parts = ay_refset_parts(in->sets[i]);

	if (in->parts != NULL)
		return parts & in->parts[i];
	return in->offline ? parts : parts & ~AY_PART_BIT(AY_PART_HOST_UNIQUE);
}

static void tell_fact(struct sets *s, const struct use *u, const char *what, const char *pattern,
		      const struct ay_machine_fact *f)
{
	struct ay_place at = { .optional = true };

	if (pattern == NULL)
		return;
	at.expected_text = pattern;
	at.measured_text = f->text;
	if (f->text == NULL)
		ay_report_add(s->rep, AY_CHECK_REF_MATCH, AY_NOT_CHECKED, &at,
			      "set %s asks for %s, which the evidence does not say", u->set->name,
			      what);
	else
		ay_report_add(s->rep, AY_CHECK_REF_MATCH,
			      u->fit == AY_FIT_YES ? AY_PASS : AY_NOT_CHECKED, &at,
			      "set %s %s: %s is \"%.100s\" (%s)", u->set->name,
			      u->fit == AY_FIT_YES ? "applies" : "does not apply", what, f->text,
			      ay_grade_name(f->grade));
}

static void tell_match(struct sets *s, const struct use *u, const struct ay_machine *m)
{
	tell_fact(s, u, "firmware vendor", u->set->match.vendor, &m->vendor);
	tell_fact(s, u, "firmware version", u->set->match.version, &m->version);
	tell_fact(s, u, "kernel command line", u->set->match.cmdline, &m->cmdline);
}

static bool find_uses(struct sets *s)
{
	const struct ay_state_in *in = s->in;
	struct ay_machine machine;

	s->use = ay_arena_array(s->rep->arena, in->n_sets + 1, sizeof(*s->use));
	if (s->use == NULL) {
		s->rep->fault = AY_E_NOMEM;
		return false;
	}
	ay_machine_of_log(s->facts->log, s->facts->unexplained, s->rep->arena, &machine);
	for (size_t i = 0; i < in->n_sets; i++) {
		struct use u = { .set = in->sets[i], .parts = parts_for_host(in, i) };

		if (u.parts == 0 || !ay_policy_in_force(in->policy, u.set, in->offline, in->now_ms))
			continue;
		u.fit = ay_match_machine(&u.set->match, &machine);
		tell_match(s, &u, &machine);
		s->use[s->n++] = u;
	}
	return true;
}

/* The set has values or events to compare in that part, not demands alone. */
static bool judges_part(const struct ay_refset *set, enum ay_part part)
{
	return (ay_refset_pcrs(set, part, AY_ROLE_WHOLE) |
		ay_refset_pcrs(set, part, AY_ROLE_SOME)) != 0;
}

static bool is_candidate(const struct use *u, const struct ay_ref_rule *r, enum ay_part part)
{
	return (u->parts & AY_PART_BIT(part)) != 0 &&
	       !AY_CHECKED("REF_MATCH", u->fit != AY_FIT_YES) &&
	       ay_ref_rule_names(r, u->set->name) && judges_part(u->set, part);
}

static int64_t made_at(const struct ay_refset *set)
{
	int64_t at;

	if (ay_time_parse(ay_bytes_of(set->provenance.at), "at", &at, NULL) != AY_OK)
		return INT64_MIN; /* nobody says when: older than all that do */
	return at;
}

/* Of two sets the later: of one name by version, else by the instant it was made. */
static bool is_later(const struct ay_refset *a, const struct ay_refset *b)
{
	if (strcmp(a->name, b->name) == 0)
		return a->version > b->version;
	return made_at(a) > made_at(b);
}

/* Candidates of a rule for a part, in c; how many. */
static size_t candidates(const struct sets *s, const struct ay_ref_rule *r, enum ay_part part,
			 const struct use **c)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct use *u = &s->use[i];

		if (!is_candidate(u, r, part))
			continue;
		if (r->match == AY_REF_LATEST && n > 0) {
			if (is_later(c[0]->set, u->set))
				continue;
			if (is_later(u->set, c[0]->set))
				n = 0;
		}
		c[n++] = u;
	}
	return n;
}

/* ---- comparison ---- */

static uint32_t failures(const struct ay_report *r, bool open)
{
	uint32_t n = 0;

	for (unsigned c = 0; c < AY_COMPONENTS; c++)
		n += open ? r->component[c].n_open : r->component[c].n_fail;
	return n;
}

static bool is_better(const struct ay_report *a, const struct ay_report *b)
{
	if (failures(a, false) != failures(b, false))
		return failures(a, false) < failures(b, false);
	return failures(a, true) < failures(b, true);
}

static bool is_clean(const struct ay_report *r)
{
	return failures(r, false) + failures(r, true) == 0;
}

static void note_values(struct sets *s, const struct ay_rule *r)
{
	const struct ay_pcrs *quoted = s->in->pcrs;

	for (size_t k = 0; k < quoted->n_banks; k++) {
		bool all = r->n_values > 0;

		for (size_t i = 0; i < r->n_values; i++)
			all &= ay_pcrs_value(&r->values[i], quoted->bank[k].alg, r->pcr).n > 0;
		if (all)
			s->out->valued[k] |= 1u << r->pcr;
	}
}

static void note_rule(struct sets *s, const struct ay_rule *r)
{
	uint32_t bit = 1u << r->pcr;

	if (r->kind->role == AY_ROLE_SOME)
		s->out->in_part |= bit;
	else if (r->kind->by_events)
		s->out->by_events |= bit;
	else
		s->out->by_value |= bit;
	if (r->kind == &ay_rule_launch)
		s->out->launch |= bit;
	if (r->part == AY_PART_PLATFORM && r->pcr >= AY_DRTM_FIRST)
		s->out->of_platform |= bit;
	s->out->wants_launch |= ay_rule_wants_launch(r);
	if (ay_rule_is_strong(s->in->policy, r, s->in->pcrs))
		s->out->strong |= bit;
	note_values(s, r);
}

/* The findings of a set about these PCRs of a part count. */
static void take(struct sets *s, const struct ay_refset *set, enum ay_part part, uint32_t pcrs,
		 const struct ay_report *found)
{
	struct ay_named name = ay_refset_named(set);

	ay_report_merge(s->rep, found);
	ay_report_add_reference(s->rep, &name);
	for (size_t i = 0; i < set->n_rules; i++) {
		const struct ay_rule *r = &set->rule[i];

		if (r->part != part || !r->kind->has_pcr || (pcrs >> r->pcr & 1) == 0)
			continue;
		note_rule(s, r);
		if (r->kind == &ay_rule_golden)
			s->out->golden[r->pcr] = ay_refset_excuses_log(set, part, r->pcr, s->facts);
	}
}

static void try_set(struct sets *s, const struct ay_refset *set, enum ay_part part, uint32_t pcrs,
		    struct ay_report *found)
{
	ay_report_init(found, s->rep->arena);
	ay_refset_check(set, part, pcrs, s->facts, found);
}

/*
 * A PCR that the set which the host meets says nothing about, and another one
 * does: the host must meet one of those in it, or have nothing in it.
 */
static void judge_hidden(struct sets *s, const struct use *const *c, size_t n, enum ay_part part,
			 unsigned pcr)
{
	struct ay_place at = { .has_pcr = true, .pcr = (uint8_t)pcr };
	struct ay_report found;

	if (ay_pcr_is_unextended(s->facts, pcr) || s->out->golden[pcr] != NULL)
		return; /* nothing in it, or all of it met as a whole */
	for (size_t i = 0; i < n; i++) {
		if ((ay_refset_pcrs(c[i]->set, part, AY_ROLE_WHOLE) >> pcr & 1) == 0)
			continue;
		try_set(s, c[i]->set, part, 1u << pcr, &found);
		if (is_clean(&found)) {
			take(s, c[i]->set, part, 1u << pcr, &found);
			return;
		}
	}
	if (AY_CHECKED("REF_HIDDEN", true))
		ay_report_add(s->rep, AY_CHECK_REF_NONE, AY_NOT_CHECKED, &at,
			      "the set that fits says nothing about PCR %u, and it is not what "
			      "another one expects",
			      pcr);
}

static void judge_all_hidden(struct sets *s, const struct use *const *c, size_t n,
			     const struct ay_refset *chosen, enum ay_part part)
{
	uint32_t hidden = 0;

	for (size_t i = 0; i < n; i++)
		hidden |= ay_refset_pcrs(c[i]->set, part, AY_ROLE_WHOLE);
	hidden &= ~ay_refset_pcrs(chosen, part, AY_ROLE_WHOLE);
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
		if ((hidden >> pcr & 1) != 0)
			judge_hidden(s, c, n, part, pcr);
}

/* One of several: the set that fits, or of those that do not the one that comes nearest. */
static void judge_any(struct sets *s, const struct use *const *c, size_t n, enum ay_part part)
{
	const struct ay_refset *chosen = NULL;
	struct ay_report best = { 0 }, tried;

	for (size_t i = 0; i < n && (chosen == NULL || !is_clean(&best)); i++) {
		try_set(s, c[i]->set, part, UINT32_MAX, &tried);
		if (chosen == NULL || is_better(&tried, &best)) {
			best = tried;
			chosen = c[i]->set;
		}
	}
	if (chosen == NULL)
		return;
	take(s, chosen, part, UINT32_MAX, &best);
	/* even if it fails: a waiver may excuse that */
	judge_all_hidden(s, c, n, chosen, part);
}

static void judge_all(struct sets *s, const struct use *const *c, size_t n, enum ay_part part)
{
	struct ay_report found;

	for (size_t i = 0; i < n; i++) {
		try_set(s, c[i]->set, part, UINT32_MAX, &found);
		take(s, c[i]->set, part, UINT32_MAX, &found);
	}
}

/* ---- the policy's references ---- */

static enum ay_component component_of(enum ay_part part)
{
	return part == AY_PART_OS ? AY_COMP_OS : AY_COMP_PLATFORM;
}

static bool is_named_by(const struct use *const *c, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(c[i]->set->name, name) == 0)
			return true;
	return false;
}

/* Each of the names must have a set. */
static void tell_missing(struct sets *s, const struct ay_ref_rule *r, const struct use *const *c,
			 size_t n, enum ay_part part)
{
	struct ay_place at = { .component = component_of(part) };

	for (size_t i = 0; i < r->n_names; i++)
		if (AY_CHECKED("REF_ALL_OF", !is_named_by(c, n, r->name[i])))
			ay_report_add(s->rep, AY_CHECK_REF_NONE, AY_NOT_CHECKED, &at,
				      "set %s, one of all that the policy asks for part %s, is "
				      "not in force for this machine",
				      r->name[i], ay_part_name(part));
}

static void judge_rule(struct sets *s, const struct ay_ref_rule *r, enum ay_part part)
{
	const struct use **c = ay_arena_array(s->rep->arena, s->n + 1, sizeof(struct use *));
	struct ay_place at = { .component = component_of(part) };
	size_t n;

	if (c == NULL) {
		s->rep->fault = AY_E_NOMEM;
		return;
	}
	n = candidates(s, r, part, c);
	if (r->match == AY_REF_ALL_OF) {
		judge_all(s, c, n, part);
		tell_missing(s, r, c, n, part);
		return;
	}
	judge_any(s, c, n, part);
	if (n == 0 && AY_CHECKED("REF_REQUIRED", r->required))
		ay_report_add(s->rep, AY_CHECK_REF_NONE, AY_NOT_CHECKED, &at,
			      "the policy requires a set with part %s, and none is in force for "
			      "this machine",
			      ay_part_name(part));
}

/* Sets with demands alone (minima) apply beside whatever set the host meets. */
static void judge_demands(struct sets *s, enum ay_part part)
{
	struct ay_report found;

	for (size_t i = 0; i < s->n; i++) {
		const struct use *u = &s->use[i];

		if ((u->parts & AY_PART_BIT(part)) == 0 || u->fit == AY_FIT_NO ||
		    !ay_policy_takes_part(s->in->policy, u->set->name, part) ||
		    judges_part(u->set, part))
			continue;
		try_set(s, u->set, part, UINT32_MAX, &found);
		if (found.n_findings > 0)
			take(s, u->set, part, 0, &found);
	}
}

/* Not narrowed by what the evidence says of the machine: the host writes that itself. */
static void judge_forbidden(struct sets *s)
{
	for (size_t i = 0; i < s->n; i++)
		ay_refset_check_forbidden(s->use[i].set, s->use[i].parts, s->facts, s->rep);
}

static void judge_part(struct sets *s, enum ay_part part)
{
	const struct ay_policy *p = s->in->policy;
	const struct ay_ref_rule names = { .parts = AY_PARTS_ALL,
					   .n_names = p->n_references,
					   .name = p->reference };

	if (p->n_ref_rules == 0)
		judge_rule(s, &names, part);
	for (size_t i = 0; i < p->n_ref_rules; i++)
		if ((p->ref_rule[i].parts & AY_PART_BIT(part)) != 0)
			judge_rule(s, &p->ref_rule[i], part);
	judge_demands(s, part);
}

/* ---- banks that the log says nothing about ---- */

static bool log_has_bank(const struct ay_evlog *log, uint16_t alg)
{
	for (size_t k = 0; k < log->n_banks; k++)
		if (log->bank[k] == alg)
			return ay_evlog_speaks(log, k, 0);
	return false;
}

static uint32_t pcrs_with_events(const struct ay_evlog *log, enum ay_component c)
{
	uint32_t mask = 0;

	/* what a launch leaves unmeasured is LOG_PCR_NO_EVENTS */
	for (size_t i = 0; i < (log->is_joined ? log->n_boot : log->n_events); i++)
		if (log->event[i].pcr < AY_PCR_COUNT && ay_event_is_extended(&log->event[i]) &&
		    ay_component_of_pcr(log->event[i].pcr) == c)
			mask |= 1u << log->event[i].pcr;
	return mask & AY_PCR_BY_VALUE;
}

static bool is_empty(const struct ay_pcr_bank *b, uint32_t pcrs)
{
	static const uint8_t zero[AY_DIGEST_MAX];

	for (unsigned pcr = 0; pcr < 8; pcr++)
		if ((pcrs & b->have & 1u << pcr) != 0 &&
		    memcmp(b->value[pcr], zero, ay_alg_digest_size(b->alg) - 1) != 0)
			return false;
	return true;
}

/* Whoever runs first after firmware may fill a bank that firmware left empty. */
static void check_bank(struct sets *s, size_t k, enum ay_component c)
{
	const struct ay_pcr_bank *b = &s->in->pcrs->bank[k];
	uint32_t open = pcrs_with_events(s->facts->log, c) & b->have & ~s->out->valued[k];
	struct ay_place at = { .component = c, .bank = b->alg };
	bool empty = is_empty(b, open & 0xff);

	if (open != 0 && AY_CHECKED("BANK_UNMEASURED", true))
		ay_report_add(s->rep, AY_CHECK_BANK_UNMEASURED, empty ? AY_FAIL : AY_NOT_CHECKED,
			      &at,
			      empty ? "bank %s was left empty by the firmware: anybody may fill it"
				    : "bank %s is not in the log, and no set has its values",
			      ay_alg_bank_name(b->alg));
}

static void check_banks(struct sets *s)
{
	for (size_t k = 0; s->facts->log != NULL && k < s->in->pcrs->n_banks; k++)
		if (!log_has_bank(s->facts->log, s->in->pcrs->bank[k].alg)) {
			check_bank(s, k, AY_COMP_PLATFORM);
			check_bank(s, k, AY_COMP_OS);
		}
}

void ay_judge_sets(const struct ay_state_in *in, const struct ay_boot_facts *facts,
		   struct ay_judged *out, struct ay_report *rep)
{
	struct sets s = { .in = in, .facts = facts, .out = out, .rep = rep };

	*out = (struct ay_judged){ 0 };
	if (!find_uses(&s))
		return;
	judge_part(&s, AY_PART_PLATFORM);
	judge_part(&s, AY_PART_OS);
	judge_part(&s, AY_PART_HOST_UNIQUE);
	judge_forbidden(&s);
	check_banks(&s);
}

/* ---- logs known to be wrong ---- */

static bool is_of_log(enum ay_check c)
{
	return c == AY_CHECK_LOG_PCR_MISMATCH || c == AY_CHECK_LOG_PCR_NO_EVENTS ||
	       c == AY_CHECK_LOG_EVENT_DATA || c == AY_CHECK_LOG_SEPARATOR ||
	       c == AY_CHECK_LOG_BANK_INCONSISTENT;
}

void ay_excuse_log(const struct ay_judged *j, size_t n, struct ay_report *rep)
{
	for (size_t i = 0; i < n && i < rep->n_findings; i++) {
		const struct ay_finding *f = &rep->finding[i];
		const struct ay_rule *r =
			f->has_pcr && f->pcr < AY_PCR_COUNT ? j->golden[f->pcr] : NULL;

		if (r != NULL && f->result == AY_FAIL && is_of_log(f->code))
			ay_report_excuse(rep, i, false, "golden value met (%.60s: %.120s): %.200s",
					 r->owner, r->reason, f->text);
	}
}

/* ---- allow-lists ---- */

static bool uses_by_rule(const struct ay_ref_rule *r, const struct ay_refset *const *sets,
			 size_t n_sets, size_t i)
{
	if ((r->parts & AY_PART_BIT(AY_PART_RUNTIME)) == 0 || !ay_ref_rule_names(r, sets[i]->name))
		return false;
	for (size_t k = 0; r->match == AY_REF_LATEST && k < n_sets; k++)
		if ((ay_refset_parts(sets[k]) & AY_PART_BIT(AY_PART_RUNTIME)) != 0 &&
		    ay_ref_rule_names(r, sets[k]->name) && is_later(sets[k], sets[i]))
			return false;
	return true;
}

bool ay_policy_uses_runtime(const struct ay_policy *p, const struct ay_refset *const *sets,
			    size_t n_sets, size_t i, bool offline, int64_t now_ms)
{
	if ((ay_refset_parts(sets[i]) & AY_PART_BIT(AY_PART_RUNTIME)) == 0 ||
	    !ay_policy_in_force(p, sets[i], offline, now_ms))
		return false;
	for (size_t k = 0; k < p->n_ref_rules; k++)
		if (uses_by_rule(&p->ref_rule[k], sets, n_sets, i))
			return true;
	return p->n_ref_rules == 0;
}
