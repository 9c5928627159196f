/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_REPORT_H
#define AY_APPRAISE_REPORT_H

/*
 * What came of an appraisal: findings (one a check), coverage (which rule
 * judged each PCR and event), components, verdict, causes. The same structure
 * feeds REST, SAML, the dashboard and sinks.
 *
 * All memory comes from the arena given to ay_report_init(). A finding that
 * cannot be kept is never lost for the verdict: the counts per component are
 * taken when it is added, before the list is asked for room.
 */
#include "core/appraise/verdict.h"
#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/limits.h"

/* AY_CHECK_QUOTE_NONCE, ...: the rows of checks.def. Zero is no check. */
enum ay_check {
	AY_CHECK_NONE = 0,
#define X(code, component, kind, severity, clause, text) AY_CHECK_##code,
#include "core/appraise/checks.def"
#undef X
	AY_CHECKS,
};

/* What a `pass` of a check is worth (column kind of checks.def). */
enum ay_check_kind {
	AY_KIND_NOTE = 0, /* says something, judges nothing */
	AY_KIND_GUARD,	  /* must not fail; its pass alone judges nothing */
	AY_KIND_JUDGE,	  /* its pass means that the component was judged */
};

enum ay_severity { AY_SEV_INFO = 0, AY_SEV_LOW, AY_SEV_MEDIUM, AY_SEV_HIGH };

struct ay_check_row {
	const char *code;
	enum ay_component component;
	enum ay_check_kind kind;
	enum ay_severity severity;
	const char *clause;
	const char *text; /* what the check says when it passes */
};

/* Never NULL: an unknown number gives the row of AY_CHECK_NONE, code "". */
const struct ay_check_row *ay_check_row(enum ay_check code);
/* AY_CHECK_NONE when there is none of that name. */
enum ay_check ay_check_find(struct ay_bytes code);
const char *ay_severity_name(enum ay_severity s);

/*
 * Where a finding is, and what was seen there. Every member may stay zero.
 * Digests are given as octets and kept as lower-case hex.
 */
struct ay_place {
	enum ay_component component; /* instead of the row's own */
	bool optional;		     /* not_checked, and the policy does not need it */
	bool has_pcr, has_event, has_entry;
	uint8_t pcr;
	uint16_t bank;				   /* TPM algorithm; 0: none */
	uint32_t event;				   /* index in the boot log, from 0 */
	uint64_t entry;				   /* entry of the IMA list, from 1 */
	struct ay_bytes path;			   /* any octets; made printable */
	struct ay_bytes expected, measured;	   /* digests */
	const char *expected_text, *measured_text; /* or words, when there is no digest */
};

struct ay_finding {
	enum ay_check code;
	enum ay_result result;
	enum ay_component component;
	bool optional;
	bool has_pcr, has_event, has_entry;
	uint8_t pcr;
	uint16_t bank;
	uint32_t event;
	uint64_t entry;
	const char *text; /* one printable line; never NULL */
	const char *path; /* NULL: none; so the two below */
	const char *expected;
	const char *measured;
	const char *cause; /* class, set by ay_causes_find(); not written to octets */
};

/* Which rule judged a PCR's value (event < 0) or one event of it. */
struct ay_coverage {
	uint16_t bank;
	uint8_t pcr;
	int32_t event;
	const char *rule; /* "set NAME vN: exact", "no rule", ... */
};

enum ay_cause_kind { AY_CAUSE_SUSPICIOUS = 0, AY_CAUSE_UNKNOWN, AY_CAUSE_EXPECTED };

struct ay_cause {
	const char *class; /* a stable word: causes.def */
	enum ay_cause_kind kind;
	const char *text;
	const char *fix; /* what would make it trusted */
};

struct ay_component_state {
	enum ay_verdict verdict; /* set by ay_report_conclude() */
	enum ay_grade grade;
	bool required;
	uint32_t n_fail, n_open, n_judged; /* open: not_checked and needed */
};

/* What a result names: a reference set or a policy. */
struct ay_named {
	const char *name;
	uint32_t version;
	uint8_t sha256[32];
};

struct ay_report {
	struct ay_arena *arena;
	enum ay_rc fault; /* first failure to keep something; no verdict then */
	/* What a launch measured belongs to the part that speaks of it: of findings about
	 * PCR 17-22 added now. AY_COMP_OF_PCR: by the PCR. */
	enum ay_component launch_component;
	struct ay_component_state component[AY_COMPONENTS];
	enum ay_verdict verdict; /* of the host */

	struct ay_finding *finding;
	size_t n_findings, max_findings;
	size_t n_dropped; /* beyond AY_MAX_FINDINGS: counted above, not listed */

	struct ay_coverage *coverage;
	size_t n_coverage, max_coverage;

	struct ay_cause *cause;
	size_t n_causes, max_causes;

	struct ay_named policy; /* name NULL: none */
	struct ay_named *reference;
	size_t n_references, max_references;
};

void ay_report_init(struct ay_report *rep, struct ay_arena *arena);

/*
 * Append the finding of one check and return its result, so that a check ends
 * with `return ay_report_add(...)`. fmt NULL: the row's own text (for a pass).
 * at may be NULL. What cannot be kept sets rep->fault.
 */
enum ay_result ay_report_add(struct ay_report *rep, enum ay_check code, enum ay_result result,
			     const struct ay_place *at, const char *fmt, ...) AY_PRINTF(5, 6);

/*
 * The i-th finding, a fail, becomes a note (pass) with this text: somebody
 * answers for it (waiver.h). judged: its component counts as judged by it.
 */
void ay_report_excuse(struct ay_report *rep, size_t i, bool judged, const char *fmt, ...)
	AY_PRINTF(4, 5);

/* rule is kept as it is given (static, or of the same arena). event < 0: the PCR's value. */
void ay_report_cover(struct ay_report *rep, uint16_t bank, unsigned pcr, int32_t event,
		     const char *rule);
void ay_report_add_cause(struct ay_report *rep, const char *class, enum ay_cause_kind kind,
			 const char *text, const char *fix);
/* Once per set; name is copied. */
void ay_report_add_reference(struct ay_report *rep, const struct ay_named *set);
/* Raise the grade of what a component was judged from; never lowers it. */
void ay_report_grade(struct ay_report *rep, enum ay_component c, enum ay_grade g);

/*
 * Append all of from (findings, coverage, references, counts) to rep, copying
 * into rep's arena: how the findings about a state that many hosts share are
 * joined with those about one quote.
 */
void ay_report_merge(struct ay_report *rep, const struct ay_report *from);

/*
 * As merge, but only counts and grades: enough to conclude, without a
 * copy of anything. What hosts share is kept once and named by its key; the
 * whole report is put together when somebody asks for it.
 */
void ay_report_adopt(struct ay_report *rep, const struct ay_report *from);

/* First finding with that code and result fail or not_checked; NULL = none. */
const struct ay_finding *ay_report_find(const struct ay_report *rep, enum ay_check code);

/*
 * Findings to verdicts (design 6). required: AY_COMP_BIT()s. A component is
 * untrusted if a finding of it failed; else unknown if a needed check was not
 * made or nothing of it was judged; else trusted. The host's verdict is the
 * minimum over required components; without any it is unknown.
 *
 * The fault of rep, if it has one; then every verdict is untrusted.
 */
AY_MUST_USE enum ay_rc ay_report_conclude(struct ay_report *rep, unsigned required,
					  struct ay_err *e);

#endif
