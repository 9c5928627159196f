/* SPDX-License-Identifier: Apache-2.0 */
/* The binary form of a report: what the store keeps. Version octet first, big-endian. */
#include "core/appraise/report_json.h"
#include "core/base/reader.h"
#include "core/base/writer.h"

#include <string.h>

#define VERSION 1
#define STRING_MAX 65535

enum finding_flags {
	HAS_PCR = 1,
	HAS_EVENT = 2,
	HAS_ENTRY = 4,
	HAS_PATH = 8,
	HAS_EXPECTED = 16,
	HAS_MEASURED = 32,
	IS_OPTIONAL = 64,
	OWN_TEXT = 128, /* else the text is the check's own */
};

/* ---- writing ---- */

static size_t len(const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);

	return n > STRING_MAX ? STRING_MAX : n;
}

static void put(struct ay_writer *w, const char *s)
{
	ay_wr_vec16(w, (struct ay_bytes){ (const uint8_t *)s, len(s) });
}

/* An upper bound, so that the buffer is made once. */
static size_t size_of(const struct ay_report *rep)
{
	size_t n = 512 + len(rep->policy.name);

	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *f = &rep->finding[i];

		n += 96 + len(f->text) + len(f->path) + len(f->expected) + len(f->measured);
	}
	for (size_t i = 0; i < rep->n_coverage; i++)
		n += 16 + len(rep->coverage[i].rule);
	for (size_t i = 0; i < rep->n_causes; i++)
		n += 64 + len(rep->cause[i].text) + len(rep->cause[i].fix);
	for (size_t i = 0; i < rep->n_references; i++)
		n += 64 + len(rep->reference[i].name);
	return n;
}

static unsigned flags_of(const struct ay_finding *f)
{
	return (f->has_pcr ? HAS_PCR : 0u) | (f->has_event ? HAS_EVENT : 0u) |
	       (f->has_entry ? HAS_ENTRY : 0u) | (f->path != NULL ? HAS_PATH : 0u) |
	       (f->expected != NULL ? HAS_EXPECTED : 0u) |
	       (f->measured != NULL ? HAS_MEASURED : 0u) | (f->optional ? IS_OPTIONAL : 0u) |
	       (strcmp(f->text, ay_check_row(f->code)->text) != 0 ? OWN_TEXT : 0u);
}

static void write_finding(struct ay_writer *w, const struct ay_finding *f)
{
	unsigned flags = flags_of(f);

	ay_wr_vec8(w, ay_bytes_of(ay_check_row(f->code)->code));
	ay_wr_u8(w, (uint8_t)f->result);
	ay_wr_u8(w, (uint8_t)f->component);
	ay_wr_u8(w, (uint8_t)flags);
	ay_wr_be16(w, f->bank);
	if ((flags & HAS_PCR) != 0)
		ay_wr_u8(w, f->pcr);
	if ((flags & HAS_EVENT) != 0)
		ay_wr_be32(w, f->event);
	if ((flags & HAS_ENTRY) != 0)
		ay_wr_be64(w, f->entry);
	if ((flags & OWN_TEXT) != 0)
		put(w, f->text);
	if ((flags & HAS_PATH) != 0)
		put(w, f->path);
	if ((flags & HAS_EXPECTED) != 0)
		put(w, f->expected);
	if ((flags & HAS_MEASURED) != 0)
		put(w, f->measured);
}

static void write_named(struct ay_writer *w, const struct ay_named *n)
{
	put(w, n->name);
	ay_wr_be32(w, n->version);
	ay_wr_bytes(w, AY_BYTES(n->sha256));
}

static void write_components(struct ay_writer *w, const struct ay_report *rep)
{
	uint8_t required = 0;

	for (unsigned c = 0; c < AY_COMPONENTS; c++)
		required |= (uint8_t)(rep->component[c].required ? AY_COMP_BIT(c) : 0u);
	ay_wr_u8(w, required);
	ay_wr_u8(w, AY_COMPONENTS);
	for (unsigned c = 0; c < AY_COMPONENTS; c++) {
		ay_wr_u8(w, (uint8_t)rep->component[c].grade);
		ay_wr_be32(w, rep->component[c].n_fail);
		ay_wr_be32(w, rep->component[c].n_open);
		ay_wr_be32(w, rep->component[c].n_judged);
	}
}

/* Rules repeat: a row without its own text has that of the row before. */
static void write_coverage(struct ay_writer *w, const struct ay_report *rep)
{
	const char *last = NULL;

	ay_wr_be32(w, (uint32_t)rep->n_coverage);
	for (size_t i = 0; i < rep->n_coverage; i++) {
		const struct ay_coverage *c = &rep->coverage[i];
		const char *rule = c->rule == NULL ? "" : c->rule;
		bool same = last != NULL && strcmp(last, rule) == 0;

		ay_wr_be16(w, c->bank);
		ay_wr_u8(w, c->pcr);
		ay_wr_be32(w, (uint32_t)c->event + 1u);
		ay_wr_u8(w, same ? 0 : 1);
		if (!same)
			put(w, rule);
		last = rule;
	}
}

static void write_causes(struct ay_writer *w, const struct ay_report *rep)
{
	ay_wr_be32(w, (uint32_t)rep->n_causes);
	for (size_t i = 0; i < rep->n_causes; i++) {
		put(w, rep->cause[i].class);
		ay_wr_u8(w, (uint8_t)rep->cause[i].kind);
		put(w, rep->cause[i].text);
		put(w, rep->cause[i].fix);
	}
}

struct ay_bytes ay_report_write(const struct ay_report *rep, struct ay_arena *a)
{
	size_t max = size_of(rep);
	uint8_t *buf = ay_arena_alloc(a, max);
	struct ay_bytes out = { 0 };
	struct ay_writer w;

	if (buf == NULL || rep->fault != AY_OK)
		return out;
	ay_wr_init(&w, buf, max);
	ay_wr_u8(&w, VERSION);
	write_components(&w, rep);
	ay_wr_be32(&w, (uint32_t)rep->n_dropped);
	ay_wr_be32(&w, (uint32_t)rep->n_findings);
	for (size_t i = 0; i < rep->n_findings; i++)
		write_finding(&w, &rep->finding[i]);
	write_coverage(&w, rep);
	write_causes(&w, rep);
	ay_wr_u8(&w, rep->policy.name != NULL);
	if (rep->policy.name != NULL)
		write_named(&w, &rep->policy);
	ay_wr_be32(&w, (uint32_t)rep->n_references);
	for (size_t i = 0; i < rep->n_references; i++)
		write_named(&w, &rep->reference[i]);
	if (ay_wr_end(&w, "report", &out, NULL) != AY_OK)
		return (struct ay_bytes){ 0 };
	return out;
}

/* ---- reading ---- */

struct in {
	struct ay_reader r;
	struct ay_report *rep;
};

static const char *get(struct in *in, const char *field)
{
	struct ay_bytes b = ay_rd_vec16(&in->r, field, STRING_MAX);
	const char *s = ay_arena_str(in->rep->arena, b);

	if (s == NULL)
		in->rep->fault = AY_E_NOMEM;
	if (memchr(b.n > 0 ? (const void *)b.p : "x", 0, b.n) != NULL)
		ay_rd_reject(&in->r, field, "has a NUL");
	return s == NULL ? "" : s;
}

/* A count of items of at least size octets each; never more than there is room for. */
static size_t get_count(struct in *in, const char *field, size_t size, size_t max)
{
	uint32_t n = ay_rd_be32(&in->r, field);

	if (n > max || n > ay_rd_left(&in->r) / size) {
		ay_rd_limit(&in->r, field, n, max);
		return 0;
	}
	return n;
}

static uint8_t get_enum(struct in *in, const char *field, uint8_t end)
{
	uint8_t v = ay_rd_u8(&in->r, field);

	if (v >= end)
		ay_rd_reject(&in->r, field, "unknown value %u", v);
	return v < end ? v : 0;
}

static uint8_t read_components(struct in *in)
{
	uint8_t required = ay_rd_u8(&in->r, "report.required");

	if ((required & ~((1u << AY_COMPONENTS) - 2u)) != 0)
		ay_rd_reject(&in->r, "report.required", "unknown component");
	if (ay_rd_u8(&in->r, "report.components") != AY_COMPONENTS)
		ay_rd_reject(&in->r, "report.components", "another number of components");
	for (unsigned c = 0; c < AY_COMPONENTS; c++) {
		struct ay_component_state *s = &in->rep->component[c];

		s->grade = get_enum(in, "report.grade", AY_GRADE_TPM_SIGNED + 1);
		s->n_fail = ay_rd_be32(&in->r, "report.n_fail");
		s->n_open = ay_rd_be32(&in->r, "report.n_open");
		s->n_judged = ay_rd_be32(&in->r, "report.n_judged");
	}
	return required;
}

static void read_place(struct in *in, struct ay_finding *f, unsigned flags)
{
	f->bank = ay_rd_be16(&in->r, "finding.bank");
	f->has_pcr = (flags & HAS_PCR) != 0;
	f->has_event = (flags & HAS_EVENT) != 0;
	f->has_entry = (flags & HAS_ENTRY) != 0;
	if (f->has_pcr)
		f->pcr = ay_rd_u8(&in->r, "finding.pcr");
	if (f->has_event)
		f->event = ay_rd_be32(&in->r, "finding.event");
	if (f->has_entry)
		f->entry = ay_rd_be64(&in->r, "finding.entry");
	f->text = (flags & OWN_TEXT) != 0 ? get(in, "finding.text") : ay_check_row(f->code)->text;
	if ((flags & HAS_PATH) != 0)
		f->path = get(in, "finding.path");
	if ((flags & HAS_EXPECTED) != 0)
		f->expected = get(in, "finding.expected");
	if ((flags & HAS_MEASURED) != 0)
		f->measured = get(in, "finding.measured");
}

static void read_finding(struct in *in, struct ay_finding *f)
{
	unsigned flags;

	f->code = ay_check_find(ay_rd_vec8(&in->r, "finding.code", 64));
	if (f->code == AY_CHECK_NONE)
		ay_rd_reject(&in->r, "finding.code", "unknown check");
	f->result = get_enum(in, "finding.result", AY_PASS + 1);
	f->component = get_enum(in, "finding.component", AY_COMPONENTS);
	if (f->component == AY_COMP_OF_PCR)
		ay_rd_reject(&in->r, "finding.component", "no component");
	flags = ay_rd_u8(&in->r, "finding.flags");
	f->optional = (flags & IS_OPTIONAL) != 0;
	read_place(in, f, flags);
}

static void *room(struct in *in, size_t n, size_t size)
{
	void *p = ay_arena_array(in->rep->arena, n, size);

	if (p == NULL) {
		in->rep->fault = AY_E_NOMEM;
		ay_rd_reject(&in->r, "report", "out of memory");
	}
	return p;
}

/* The stored counts may exceed the list (dropped findings), never fall short of it. */
static void check_counts(struct in *in)
{
	struct ay_component_state n[AY_COMPONENTS] = { 0 };

	for (size_t i = 0; i < in->rep->n_findings; i++) {
		const struct ay_finding *f = &in->rep->finding[i];

		n[f->component].n_fail += f->result == AY_FAIL;
		n[f->component].n_open += f->result == AY_NOT_CHECKED && !f->optional;
	}
	for (unsigned c = 0; c < AY_COMPONENTS; c++)
		if (n[c].n_fail > in->rep->component[c].n_fail ||
		    n[c].n_open > in->rep->component[c].n_open)
			ay_rd_reject(&in->r, "report.findings", "more than were counted");
}

static void read_findings(struct in *in)
{
	struct ay_report *rep = in->rep;
	size_t n;

	rep->n_dropped = ay_rd_be32(&in->r, "report.dropped");
	n = get_count(in, "report.findings", 6, AY_MAX_FINDINGS);
	rep->finding = room(in, n, sizeof(*rep->finding));
	while (rep->finding != NULL && rep->n_findings < n && ay_rd_ok(&in->r))
		read_finding(in, &rep->finding[rep->n_findings++]);
	rep->max_findings = rep->n_findings;
	check_counts(in);
}

static void read_coverage(struct in *in)
{
	struct ay_report *rep = in->rep;
	size_t n = get_count(in, "report.coverage", 8, AY_MAX_COVERAGE);
	const char *rule = "";

	rep->coverage = room(in, n, sizeof(*rep->coverage));
	while (rep->coverage != NULL && rep->n_coverage < n && ay_rd_ok(&in->r)) {
		struct ay_coverage *c = &rep->coverage[rep->n_coverage++];

		c->bank = ay_rd_be16(&in->r, "coverage.bank");
		c->pcr = ay_rd_u8(&in->r, "coverage.pcr");
		c->event = (int32_t)(ay_rd_be32(&in->r, "coverage.event") - 1u);
		if (get_enum(in, "coverage.has_rule", 2) == 1)
			rule = get(in, "coverage.rule");
		c->rule = rule;
	}
	rep->max_coverage = rep->n_coverage;
}

static void read_causes(struct in *in)
{
	struct ay_report *rep = in->rep;
	size_t n = get_count(in, "report.causes", 7, AY_MAX_FINDINGS);

	rep->cause = room(in, n, sizeof(*rep->cause));
	while (rep->cause != NULL && rep->n_causes < n && ay_rd_ok(&in->r)) {
		struct ay_cause *c = &rep->cause[rep->n_causes++];

		c->class = get(in, "cause.class");
		c->kind = get_enum(in, "cause.kind", AY_CAUSE_EXPECTED + 1);
		c->text = get(in, "cause.text");
		c->fix = get(in, "cause.fix");
	}
	rep->max_causes = rep->n_causes;
}

static void read_named(struct in *in, struct ay_named *n)
{
	n->name = get(in, "named.name");
	n->version = ay_rd_be32(&in->r, "named.version");
	ay_rd_copy(&in->r, "named.sha256", n->sha256, sizeof(n->sha256));
}

static void read_names(struct in *in)
{
	struct ay_report *rep = in->rep;
	size_t n;

	if (get_enum(in, "report.has_policy", 2) == 1)
		read_named(in, &rep->policy);
	n = get_count(in, "report.references", 38, AY_MAX_FINDINGS);
	rep->reference = room(in, n, sizeof(*rep->reference));
	while (rep->reference != NULL && rep->n_references < n && ay_rd_ok(&in->r))
		read_named(in, &rep->reference[rep->n_references++]);
	rep->max_references = rep->n_references;
}

enum ay_rc ay_report_parse(struct ay_bytes bytes, struct ay_arena *a, struct ay_report *rep,
			   struct ay_err *e)
{
	struct in in = { .rep = rep };
	unsigned required;
	enum ay_rc rc;

	ay_report_init(rep, a);
	ay_rd_init(&in.r, bytes);
	if (ay_rd_u8(&in.r, "report.version") != VERSION)
		ay_rd_reject(&in.r, "report.version", "another version");
	required = read_components(&in);
	read_findings(&in);
	read_coverage(&in);
	read_causes(&in);
	read_names(&in);
	rc = rep->fault != AY_OK ? ay_fail(e, rep->fault, "report", 0, "out of memory")
				 : ay_rd_end(&in.r, "report", e);
	if (rc == AY_OK)
		rc = ay_report_conclude(rep, required, e);
	if (rc != AY_OK)
		*rep = (struct ay_report){ 0 };
	return rc;
}
