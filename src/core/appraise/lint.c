/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/lint.h"

#include <stdio.h>
#include <string.h>

#include "core/appraise/state.h"
#include "core/tpm/alg.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))
#define ABOUT_MAX 400

static const struct ay_lint_row rows[AY_LINTS] = {
#define X(code, severity, text, fix) [AY_LINT_##code] = { #code, AY_LINT_##severity, text, fix },
#include "core/appraise/lint.def"
#undef X
};

const struct ay_lint_row *ay_lint_row(enum ay_lint code)
{
	static const struct ay_lint_row none = { "", AY_LINT_ERROR, "%s", "" };

	return (unsigned)code < AY_LINTS ? &rows[code] : &none;
}

const char *ay_lint_severity_name(enum ay_lint_severity s)
{
	return s == AY_LINT_WARNING ? "warning" : "error";
}

struct lint {
	const struct ay_lint_in *in;
	const struct ay_policy *p;
	ay_lint_fn *fn;
	void *arg;
	size_t n_errors;
	uint32_t ruled; /* PCRs that sets in force have rules for */
	uint32_t parts; /* ... and the parts they have */
};

static void say(struct lint *l, enum ay_lint code, const char *about)
{
	l->n_errors += rows[code].severity == AY_LINT_ERROR;
	l->fn(l->arg, code, about);
}

static void say_number(struct lint *l, enum ay_lint code, unsigned long long n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", n);
	say(l, code, text);
}

static bool requires(const struct ay_policy *p, enum ay_component c)
{
	return ((p->required | p->required_if_reference) & AY_COMP_BIT(c)) != 0;
}

static void look_at_sets(struct lint *l)
{
	for (size_t i = 0; i < l->in->n_sets; i++) {
		const struct ay_refset *s = l->in->sets[i];

		if (!ay_policy_in_force(l->p, s, false, l->in->now_ms))
			continue;
		l->parts |= ay_refset_parts(s);
		for (size_t r = 0; r < s->n_rules; r++)
			if (s->rule[r].kind->has_pcr)
				l->ruled |= 1u << s->rule[r].pcr;
	}
}

/* ---- what is required ---- */

static void lint_required(struct lint *l)
{
	static const enum ay_component state[] = { AY_COMP_PLATFORM, AY_COMP_OS };
	const struct ay_policy *p = l->p;

	if (p->required == 0) {
		say(l, AY_LINT_REQUIRES_NOTHING, "");
		return;
	}
	if ((p->required & AY_COMP_BIT(AY_COMP_IDENTITY)) == 0)
		say(l, AY_LINT_NO_IDENTITY, "");
	if ((p->required & (AY_COMP_BIT(AY_COMP_PLATFORM) | AY_COMP_BIT(AY_COMP_OS) |
			    AY_COMP_BIT(AY_COMP_RUNTIME))) == 0) {
		say(l, AY_LINT_ACCEPTS_ANY_STATE, "");
		return;
	}
	for (size_t i = 0; i < AY_COUNT(state); i++)
		if ((p->required & AY_COMP_BIT(state[i])) == 0)
			say(l, AY_LINT_NOT_REQUIRED, ay_component_name(state[i]));
}

/* ---- sets ---- */

static void lint_named_set(struct lint *l, const char *name)
{
	size_t n = 0, n_revoked = 0, n_active = 0;

	for (size_t i = 0; i < l->in->n_sets; i++) {
		const struct ay_refset *s = l->in->sets[i];

		if (strcmp(s->name, name) != 0)
			continue;
		n++;
		n_revoked += s->state == AY_SET_REVOKED;
		n_active += s->state == AY_SET_ACTIVE;
	}
	if (n == 0)
		say(l, AY_LINT_SET_UNKNOWN, name);
	else if (n == n_revoked)
		say(l, AY_LINT_SET_REVOKED, name);
	else if (n_active == 0)
		say(l, AY_LINT_SET_IDLE, name);
}

static void lint_sets(struct lint *l)
{
	static const struct {
		enum ay_component c;
		enum ay_part part;
	} of[] = { { AY_COMP_PLATFORM, AY_PART_PLATFORM },
		   { AY_COMP_OS, AY_PART_OS },
		   { AY_COMP_RUNTIME, AY_PART_RUNTIME },
		   { AY_COMP_ASSET_TAG, AY_PART_ASSET_TAG } };

	if (!l->in->sets_known)
		return;
	for (size_t i = 0; i < l->p->n_references; i++)
		lint_named_set(l, l->p->reference[i]);
	for (size_t i = 0; i < l->p->n_ref_rules; i++)
		for (size_t k = 0; k < l->p->ref_rule[i].n_names; k++)
			lint_named_set(l, l->p->ref_rule[i].name[k]);
	for (size_t i = 0; i < AY_COUNT(of); i++)
		if ((l->p->required & AY_COMP_BIT(of[i].c)) != 0 &&
		    (l->parts & AY_PART_BIT(of[i].part)) == 0)
			say(l, AY_LINT_PART_ABSENT, ay_component_name(of[i].c));
}

/* ---- banks and PCRs ---- */

static bool is_in(const uint16_t *list, size_t n, uint16_t alg)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == alg)
			return true;
	return false;
}

static void lint_banks(struct lint *l)
{
	static const uint16_t all[] = { AY_ALG_SHA1, AY_ALG_SHA256, AY_ALG_SHA384, AY_ALG_SHA512 };
	const struct ay_bank_demands *b = &l->p->banks;
	size_t left = AY_COUNT(all);

	for (size_t i = 0; i < b->n_required; i++)
		if (is_in(b->refused, b->n_refused, b->required[i]))
			say(l, AY_LINT_BANK_CONFLICT, ay_alg_bank_name(b->required[i]));
		else if (b->required[i] == AY_ALG_SHA1)
			say(l, AY_LINT_BANK_SHA1, "sha1");
	for (size_t i = 0; i < AY_COUNT(all); i++)
		left -= is_in(b->refused, b->n_refused, all[i]);
	if (left == 0)
		say(l, AY_LINT_NO_BANK_LEFT, "");
}

static void lint_pcrs(struct lint *l)
{
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		uint32_t bit = 1u << pcr;

		if ((l->p->pcrs_judged & bit) == 0)
			continue;
		if ((AY_PCR_BY_VALUE & bit) == 0)
			say_number(l, AY_LINT_PCR_NEVER_JUDGED, pcr);
		else if (l->in->sets_known && (l->ruled & bit) == 0)
			say_number(l, AY_LINT_PCR_NO_RULE, pcr);
	}
}

/* ---- Secure Boot, grades, what is let pass ---- */

static void lint_secure_boot(struct lint *l)
{
	const struct ay_sb_demands *d = &l->p->secure_boot;
	bool rule = !l->in->sets_known || (l->ruled >> 7 & 1) != 0;

	if (d->state == AY_SB_ANY && d->dbx_min == 0 && d->n_dbx == 0 && d->n_sbat == 0)
		return;
	if (!rule || (l->p->pcrs_judged >> 7 & 1) == 0)
		say(l, AY_LINT_SB_PCR7, "");
	if (l->p->allow_no_log)
		say(l, AY_LINT_SB_NO_LOG, "");
	if (!requires(l->p, AY_COMP_PLATFORM))
		say(l, AY_LINT_SB_PLATFORM, "");
	if (d->state == AY_SB_OFF)
		say(l, AY_LINT_SB_DEMANDED_OFF, "");
}

static void lint_grades(struct lint *l)
{
	const struct ay_grade_demands *g = &l->p->grades;

	for (unsigned c = AY_COMP_PLATFORM; c < AY_COMPONENTS; c++)
		if (g->component[c] != AY_GRADE_NONE && !requires(l->p, (enum ay_component)c))
			say(l, AY_LINT_GRADE_IDLE, ay_component_name((enum ay_component)c));
	if (g->component[AY_COMP_RUNTIME] > AY_GRADE_LOG_REPLAYED)
		say(l, AY_LINT_GRADE_UNREACHABLE, "runtime");
}

/* What a rule lets pass without looking is the reviewer's business: broad ones are refused. */
static void lint_paths(struct lint *l)
{
	const struct ay_ima_paths *paths = &l->p->ima_rules.paths;
	bool takes_signed = false;

	for (size_t i = 0; i < paths->n; i++) {
		const struct ay_ima_path_rule *r = &paths->rule[i];

		if (ay_ima_path_is_broad(r))
			say(l, AY_LINT_PATH_BROAD, r->pattern);
		if (ay_ima_path_is_shadowed(paths, i))
			say(l, AY_LINT_PATH_SHADOWED, r->pattern);
		takes_signed |=
			r->action == AY_IMA_ACT_SIGNED || r->action == AY_IMA_ACT_REQUIRE_SIGNED;
	}
	if (l->p->ima_rules.keys.n > 0 && !takes_signed)
		say(l, AY_LINT_KEYS_IDLE, "");
}

static void lint_let_pass(struct lint *l)
{
	const struct ay_policy *p = l->p;

	if (p->allow_no_log)
		say(l, AY_LINT_NO_LOG, "");
	if (!p->ima)
		say(l, AY_LINT_IMA_OFF, "");
	if (p->allow_padded_bank)
		say(l, AY_LINT_PADDED_BANK, "");
	if (p->violations == AY_VIOLATIONS_AT_MOST && p->max_violations > 0)
		say_number(l, AY_LINT_VIOLATIONS, p->max_violations);
	lint_paths(l);
}

/* ---- waivers ---- */

static void name_waiver(const struct ay_waiver *w, char out[ABOUT_MAX])
{
	char pcr[16] = "";

	if (w->has_pcr)
		snprintf(pcr, sizeof(pcr), " PCR %u", w->pcr);
	snprintf(out, ABOUT_MAX, "%s%s%s%.100s%s%.140s", ay_check_row(w->code)->code, pcr,
		 w->path == NULL ? "" : " ", w->path == NULL ? "" : w->path,
		 w->measured == NULL && w->expected == NULL ? "" : " ",
		 w->measured != NULL   ? w->measured
		 : w->expected != NULL ? w->expected
				       : "");
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_waiver(const struct ay_waiver *a, const struct ay_waiver *b)
{
	return a->code == b->code && a->has_pcr == b->has_pcr && a->pcr == b->pcr &&
	       a->bank == b->bank && same_text(a->path, b->path) &&
	       same_text(a->expected, b->expected) && same_text(a->measured, b->measured);
}

static enum ay_component component_of(const struct ay_waiver *w)
{
	enum ay_component c = ay_check_row(w->code)->component;

	return c != AY_COMP_OF_PCR ? c : ay_component_of_pcr(w->pcr);
}

static void lint_waiver(struct lint *l, size_t i)
{
	const struct ay_waiver *w = &l->p->waiver[i];
	int64_t now = l->in->now_ms;
	char name[ABOUT_MAX];

	name_waiver(w, name);
	if (now > 0 && w->until_ms <= now)
		say(l, AY_LINT_WAIVER_EXPIRED, name);
	if (now > 0 && w->until_ms > now + 366 * DAY_MS)
		say(l, AY_LINT_WAIVER_LONG, name);
	for (size_t k = 0; k < i; k++)
		if (same_waiver(w, &l->p->waiver[k])) {
			say(l, AY_LINT_WAIVER_DOUBLE, name);
			break;
		}
	if (!requires(l->p, component_of(w)))
		say(l, AY_LINT_WAIVER_ELSEWHERE, name);
}

static void lint_waived_whole(struct lint *l, enum ay_component c)
{
	uint32_t ruled = 0, waived = 0;

	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
		if (ay_component_of_pcr(pcr) == c)
			ruled |= l->ruled & 1u << pcr;
	for (size_t i = 0; i < l->p->n_waivers; i++)
		if (l->p->waiver[i].code == AY_CHECK_REF_PCR)
			waived |= 1u << l->p->waiver[i].pcr;
	if (ruled != 0 && (ruled & ~waived) == 0)
		say(l, AY_LINT_COMPONENT_WAIVED, ay_component_name(c));
}

/* ---- update windows ---- */

static const struct ay_refset *version_of(const struct lint *l, const struct ay_window *w)
{
	for (size_t i = 0; i < l->in->n_sets; i++)
		if (l->in->sets[i]->version == w->version &&
		    strcmp(l->in->sets[i]->name, w->set) == 0)
			return l->in->sets[i];
	return NULL;
}

static void lint_window(struct lint *l, const struct ay_window *w)
{
	const struct ay_refset *s = version_of(l, w);
	int64_t now = l->in->now_ms;
	char name[AY_MAX_NAME_BYTES + 24];

	snprintf(name, sizeof(name), "%s version %u", w->set, (unsigned)w->version);
	if (now > 0 && w->until_ms <= now)
		say(l, AY_LINT_WINDOW_PAST, name);
	if (now > 0 && w->until_ms > now + 90 * DAY_MS)
		say(l, AY_LINT_WINDOW_LONG, name);
	if (!ay_policy_takes(l->p, w->set))
		say(l, AY_LINT_WINDOW_NOT_TAKEN, w->set);
	for (size_t i = 0; i < l->p->n_ref_rules; i++)
		if (l->p->ref_rule[i].match == AY_REF_LATEST &&
		    ay_ref_rule_names(&l->p->ref_rule[i], w->set)) {
			say(l, AY_LINT_WINDOW_LATEST, name);
			break;
		}
	if (!l->in->sets_known)
		return;
	if (s == NULL)
		say(l, AY_LINT_WINDOW_UNKNOWN, name);
	else if (s->state == AY_SET_REVOKED)
		say(l, AY_LINT_WINDOW_REVOKED, name);
	else if (s->state == AY_SET_ACTIVE)
		say(l, AY_LINT_WINDOW_IDLE, name);
}

/* ---- time ---- */

static void lint_times(struct lint *l)
{
	const struct ay_policy *p = l->p;

	if (p->lease_s / 2 < p->reattest_s)
		say(l, AY_LINT_LEASE_TIGHT, "");
	if (p->max_staleness_s >= p->lease_s)
		say(l, AY_LINT_STALENESS_IDLE, "");
}

size_t ay_lint_policy(const struct ay_lint_in *in, ay_lint_fn *fn, void *arg)
{
	struct lint l = { .in = in, .p = in->policy, .fn = fn, .arg = arg };

	look_at_sets(&l);
	lint_required(&l);
	lint_sets(&l);
	lint_banks(&l);
	lint_pcrs(&l);
	lint_secure_boot(&l);
	lint_grades(&l);
	lint_let_pass(&l);
	for (size_t i = 0; i < l.p->n_waivers; i++)
		lint_waiver(&l, i);
	lint_waived_whole(&l, AY_COMP_PLATFORM);
	lint_waived_whole(&l, AY_COMP_OS);
	for (size_t i = 0; i < l.p->n_windows; i++)
		lint_window(&l, &l.p->window[i]);
	lint_times(&l);
	return l.n_errors;
}

/* ---- as JSON ---- */

static const char text_format_is_one_string[] = "%s";

/* The text of the row with its one "%s" filled in. */
static void fill(const char *text, const char *about, char *out, size_t room)
{
	const char *at = strstr(text, text_format_is_one_string);
	size_t head = at == NULL ? strlen(text) : (size_t)(at - text);

	snprintf(out, room, "%.*s%s%s", (int)head, text, at == NULL ? "" : about,
		 at == NULL ? "" : at + 2);
}

static void add_json(void *arg, enum ay_lint code, const char *about)
{
	const struct ay_lint_row *r = ay_lint_row(code);
	char text[ABOUT_MAX + 200];
	json_t *o;

	fill(r->text, about, text, sizeof(text));
	o = json_pack("{ss ss ss ss}", "code", r->code, "severity",
		      ay_lint_severity_name(r->severity), "text", text, "fix", r->fix);
	(void)json_array_append_new(arg, o);
}

json_t *ay_lint_json(const struct ay_lint_in *in, size_t *n_errors)
{
	json_t *list = json_array();

	*n_errors = 1; /* until it is known */
	if (list == NULL)
		return NULL;
	*n_errors = ay_lint_policy(in, add_json, list);
	return json_pack("{so sI}", "complaints", list, "errors", (json_int_t)*n_errors);
}
