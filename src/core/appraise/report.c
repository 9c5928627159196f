/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/hex.h"

static const struct ay_check_row rows[AY_CHECKS] = {
	[AY_CHECK_NONE] = { "", AY_COMP_IDENTITY, AY_KIND_GUARD, AY_SEV_HIGH, "", "" },
#define X(code, comp, kind, sev, clause, text)                                                     \
	[AY_CHECK_##code] = { #code, AY_COMP_##comp, AY_KIND_##kind, AY_SEV_##sev, clause, text },
#include "core/appraise/checks.def"
#undef X
};

const struct ay_check_row *ay_check_row(enum ay_check code)
{
	return (unsigned)code < AY_CHECKS ? &rows[code] : &rows[AY_CHECK_NONE];
}

enum ay_check ay_check_find(struct ay_bytes code)
{
	for (unsigned i = 1; i < AY_CHECKS; i++)
		if (ay_bytes_eq(code, ay_bytes_of(rows[i].code)))
			return (enum ay_check)i;
	return AY_CHECK_NONE;
}

const char *ay_severity_name(enum ay_severity s)
{
	static const char *const name[] = { "info", "low", "medium", "high" };

	return (unsigned)s < AY_COUNT(name) ? name[s] : "high";
}

void ay_report_init(struct ay_report *rep, struct ay_arena *arena)
{
	*rep = (struct ay_report){ .arena = arena };
}

static void set_fault(struct ay_report *rep, enum ay_rc rc)
{
	if (rep->fault == AY_OK)
		rep->fault = rc;
}

/* A kept pointer; NULL becomes a fault and a text that may be read. */
static const char *kept(struct ay_report *rep, const char *s)
{
	if (s != NULL)
		return s;
	set_fault(rep, AY_E_NOMEM);
	return "";
}

/*
 * Room for one more in a list of items of size octets: the list, moved if it
 * had to grow; NULL when it is full (cap) or memory is out, which is a fault.
 */
static void *grown(struct ay_report *rep, void *list, size_t n, size_t *max, size_t size,
		   size_t cap)
{
	size_t want = *max == 0 ? 16 : *max * 2;
	void *p;

	if (n < *max)
		return list;
	if (n >= cap)
		return NULL;
	p = ay_arena_array(rep->arena, want, size);
	if (p == NULL) {
		set_fault(rep, AY_E_NOMEM);
		return NULL;
	}
	if (n > 0)
		memcpy(p, list, n * size);
	*max = want;
	return p;
}

/* Outside text as one printable line: what is not becomes \xNN. */
static const char *printable(struct ay_report *rep, struct ay_bytes b)
{
	char *s = ay_arena_alloc(rep->arena, b.n * 4 + 1);
	size_t at = 0;

	if (s == NULL)
		return kept(rep, NULL);
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] >= 0x20 && b.p[i] < 0x7f && b.p[i] != '\\')
			s[at++] = (char)b.p[i];
		else
			at += (size_t)snprintf(s + at, 5, "\\x%02x", b.p[i]);
	}
	s[at] = '\0';
	return s;
}

/* A digest as hex, or words, or NULL when neither was given. */
static const char *shown(struct ay_report *rep, struct ay_bytes digest, const char *words)
{
	char *s;

	if (digest.n == 0)
		return words == NULL ? NULL : printable(rep, ay_bytes_of(words));
	s = ay_arena_alloc(rep->arena, digest.n * 2 + 1);
	if (s == NULL)
		return kept(rep, NULL);
	ay_hex_encode(digest, s);
	return s;
}

static void count(struct ay_report *rep, const struct ay_finding *f)
{
	struct ay_component_state *c = &rep->component[f->component];

	if (f->result == AY_PASS) {
		c->n_judged += ay_check_row(f->code)->kind == AY_KIND_JUDGE;
	} else if (f->result == AY_NOT_CHECKED) {
		c->n_open += !f->optional;
	} else {
		c->n_fail++;
	}
}

static enum ay_component component_of(const struct ay_report *rep, enum ay_check code,
				      const struct ay_place *at)
{
	enum ay_component c = ay_check_row(code)->component;

	if (at->component > AY_COMP_OF_PCR && at->component < AY_COMPONENTS)
		return at->component;
	if (c != AY_COMP_OF_PCR)
		return c;
	if (rep->launch_component != AY_COMP_OF_PCR && at->has_pcr && at->pcr >= 17 &&
	    at->pcr <= 22)
		return rep->launch_component;
	return at->has_pcr ? ay_component_of_pcr(at->pcr) : AY_COMP_PLATFORM;
}

/* The finding without its texts. */
static struct ay_finding bare(const struct ay_report *rep, enum ay_check code,
			      enum ay_result result, const struct ay_place *at)
{
	return (struct ay_finding){
		.code = code,
		.result = result,
		.component = component_of(rep, code, at),
		.optional = at->optional,
		.has_pcr = at->has_pcr,
		.has_event = at->has_event,
		.has_entry = at->has_entry,
		.pcr = at->pcr,
		.bank = at->bank,
		.event = at->event,
		.entry = at->entry,
		.text = "",
	};
}

/* A place in the list; NULL when there is no room. The counts are the caller's. */
static struct ay_finding *listed(struct ay_report *rep, const struct ay_finding *f)
{
	struct ay_finding *list;

	list = grown(rep, rep->finding, rep->n_findings, &rep->max_findings, sizeof(*list),
		     AY_MAX_FINDINGS);
	if (list == NULL) {
		rep->n_dropped++;
		return NULL;
	}
	rep->finding = list;
	list[rep->n_findings] = *f;
	return &list[rep->n_findings++];
}

void ay_report_excuse(struct ay_report *rep, size_t i, bool judged, const char *fmt, ...)
{
	struct ay_finding *f = &rep->finding[i];
	struct ay_component_state *c = &rep->component[f->component];
	char line[512];
	va_list ap;

	if (f->result != AY_FAIL || c->n_fail == 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	f->text = printable(rep, ay_bytes_of(line));
	f->result = AY_PASS;
	c->n_fail--;
	c->n_judged += judged;
}

enum ay_result ay_report_add(struct ay_report *rep, enum ay_check code, enum ay_result result,
			     const struct ay_place *at, const char *fmt, ...)
{
	static const struct ay_place nowhere;
	struct ay_finding f = bare(rep, code, result, at == NULL ? &nowhere : at), *kept_f;
	char line[512];
	va_list ap;

	count(rep, &f);
	kept_f = listed(rep, &f);
	if (kept_f == NULL)
		return result;
	if (fmt == NULL) {
		kept_f->text = ay_check_row(code)->text;
	} else {
		va_start(ap, fmt);
		(void)vsnprintf(line, sizeof(line), fmt, ap);
		va_end(ap);
		kept_f->text = printable(rep, ay_bytes_of(line));
	}
	if (at == NULL)
		return result;
	if (at->path.n > 0)
		kept_f->path = printable(rep, at->path);
	kept_f->expected = shown(rep, at->expected, at->expected_text);
	kept_f->measured = shown(rep, at->measured, at->measured_text);
	return result;
}

void ay_report_cover(struct ay_report *rep, uint16_t bank, unsigned pcr, int32_t event,
		     const char *rule)
{
	struct ay_coverage *list = grown(rep, rep->coverage, rep->n_coverage, &rep->max_coverage,
					 sizeof(*list), AY_MAX_COVERAGE);

	if (list == NULL)
		return;
	rep->coverage = list;
	list[rep->n_coverage++] = (struct ay_coverage){ bank, (uint8_t)pcr, event, rule };
}

void ay_report_add_cause(struct ay_report *rep, const char *class, enum ay_cause_kind kind,
			 const char *text, const char *fix)
{
	struct ay_cause *list = grown(rep, rep->cause, rep->n_causes, &rep->max_causes,
				      sizeof(*list), AY_MAX_FINDINGS);

	if (list == NULL)
		return;
	rep->cause = list;
	list[rep->n_causes++] = (struct ay_cause){ class, kind, printable(rep, ay_bytes_of(text)),
						   printable(rep, ay_bytes_of(fix)) };
}

void ay_report_add_reference(struct ay_report *rep, const struct ay_named *set)
{
	struct ay_named *list;

	for (size_t i = 0; i < rep->n_references; i++)
		if (memcmp(rep->reference[i].sha256, set->sha256, sizeof(set->sha256)) == 0)
			return;
	list = grown(rep, rep->reference, rep->n_references, &rep->max_references, sizeof(*list),
		     AY_MAX_FINDINGS);
	if (list == NULL)
		return;
	rep->reference = list;
	list[rep->n_references] = *set;
	list[rep->n_references++].name = printable(rep, ay_bytes_of(set->name));
}

void ay_report_grade(struct ay_report *rep, enum ay_component c, enum ay_grade g)
{
	if (c < AY_COMPONENTS && rep->component[c].grade < g)
		rep->component[c].grade = g;
}

/* A text of from in rep's arena; the same one if they share it. */
static const char *copied(struct ay_report *rep, const struct ay_report *from, const char *s)
{
	if (s == NULL || rep->arena == from->arena)
		return s;
	return kept(rep, ay_arena_str(rep->arena, ay_bytes_of(s)));
}

static void merge_findings(struct ay_report *rep, const struct ay_report *from)
{
	for (size_t i = 0; i < from->n_findings; i++) {
		struct ay_finding *f = listed(rep, &from->finding[i]);

		if (f == NULL)
			continue;
		f->text = copied(rep, from, f->text);
		f->path = copied(rep, from, f->path);
		f->expected = copied(rep, from, f->expected);
		f->measured = copied(rep, from, f->measured);
	}
}

void ay_report_adopt(struct ay_report *rep, const struct ay_report *from)
{
	set_fault(rep, from->fault);
	for (unsigned c = 0; c < AY_COMPONENTS; c++) { /* these know the dropped ones too */
		rep->component[c].n_fail += from->component[c].n_fail;
		rep->component[c].n_open += from->component[c].n_open;
		rep->component[c].n_judged += from->component[c].n_judged;
		ay_report_grade(rep, (enum ay_component)c, from->component[c].grade);
	}
}

void ay_report_merge(struct ay_report *rep, const struct ay_report *from)
{
	ay_report_adopt(rep, from);
	merge_findings(rep, from);
	rep->n_dropped += from->n_dropped;
	for (size_t i = 0; i < from->n_coverage; i++) {
		const struct ay_coverage *c = &from->coverage[i];

		ay_report_cover(rep, c->bank, c->pcr, c->event, copied(rep, from, c->rule));
	}
	for (size_t i = 0; i < from->n_causes; i++)
		ay_report_add_cause(rep, from->cause[i].class, from->cause[i].kind,
				    from->cause[i].text, from->cause[i].fix);
	for (size_t i = 0; i < from->n_references; i++)
		ay_report_add_reference(rep, &from->reference[i]);
	if (rep->policy.name == NULL && from->policy.name != NULL) {
		rep->policy = from->policy;
		rep->policy.name = copied(rep, from, from->policy.name);
	}
}

const struct ay_finding *ay_report_find(const struct ay_report *rep, enum ay_check code)
{
	for (size_t i = 0; i < rep->n_findings; i++)
		if (rep->finding[i].code == code && rep->finding[i].result != AY_PASS)
			return &rep->finding[i];
	return NULL;
}
