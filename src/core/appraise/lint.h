/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_LINT_H
#define AY_APPRAISE_LINT_H

/*
 * What is wrong with a policy although it can be read: contradictions, rules
 * that can never match, rules that take in everything (lint.def).
 */
#include "core/appraise/policy.h"
#include "core/appraise/reference.h"

/* AY_LINT_REQUIRES_NOTHING, ...: the rows of lint.def. */
enum ay_lint {
#define X(code, severity, text, fix) AY_LINT_##code,
#include "core/appraise/lint.def"
#undef X
	AY_LINTS,
};

enum ay_lint_severity { AY_LINT_ERROR = 0, AY_LINT_WARNING };

struct ay_lint_row {
	const char *code;
	enum ay_lint_severity severity;
	const char *text; /* a format with one %s */
	const char *fix;
};
const struct ay_lint_row *ay_lint_row(enum ay_lint code); /* never NULL */
const char *ay_lint_severity_name(enum ay_lint_severity s);

struct ay_lint_in {
	const struct ay_policy *policy;
	const struct ay_refset *const *sets; /* every version, whatever its state */
	size_t n_sets;
	bool sets_known; /* false: nobody asked a server, so nothing is said of sets */
	int64_t now_ms;	 /* as in ay_state_in */
};

/* about: what the text is about, "" if nothing; lives until fn returns. */
typedef void ay_lint_fn(void *arg, enum ay_lint code, const char *about);

/* Tells every complaint, always in the same order; the number of errors. */
size_t ay_lint_policy(const struct ay_lint_in *in, ay_lint_fn *fn, void *arg);

/* {"complaints":[{"code","severity","text","fix"}],"errors":N}; NULL without memory. */
json_t *ay_lint_json(const struct ay_lint_in *in, size_t *n_errors);

#endif
