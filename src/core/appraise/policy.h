/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_POLICY_H
#define AY_APPRAISE_POLICY_H

/*
 * Trust policy: which components a group of hosts must satisfy, from which
 * reference sets, and for how long that holds (docs/formats/policy.md). A
 * policy in memory never changes. Zeroed, it requires nothing and so trusts
 * nothing.
 */
#include "core/appraise/report.h"
#include "core/base/json.h"

enum ay_violations {
	AY_VIOLATIONS_AS_REFERENCE = 0, /* no more than the set has */
	AY_VIOLATIONS_AT_MOST,
};

struct ay_policy {
	struct ay_arena arena;
	const char *name;
	uint32_t version;
	const char *owner, *note;
	uint8_t sha256[32]; /* of the canonical JSON: what results name it by */

	unsigned required;		/* AY_COMP_BIT()s */
	unsigned required_if_reference; /* required when a set in force has the part */

	size_t n_references; /* names of sets; 0: every set in force */
	const char **reference;

	uint32_t lease_s;	   /* how long `trusted` holds */
	uint32_t reattest_s;	   /* how often to ask */
	uint32_t missed_deadlines; /* after so many `trusted` becomes `unknown` */

	/* A host whose log never reached the operating system (design 6). */
	bool allow_no_log;
	const char *no_log_owner, *no_log_reason;

	bool ima; /* the IMA list is judged */
	enum ay_violations violations;
	uint64_t max_violations;
	bool allow_padded_bank; /* banks extended with zero-padded SHA-1 */
	bool refuse_weak_log;	/* a SHA-1-only log is LOG_BANK_WEAK */
};

/* *out is new and the caller's; NULL on failure. Errors name the field. */
AY_MUST_USE enum ay_rc ay_policy_parse(struct ay_bytes json, struct ay_policy **out,
				       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_policy_from_json(const json_t *j, struct ay_policy **out,
					   struct ay_err *e);
void ay_policy_free(struct ay_policy *p); /* NULL is fine */
/* The document; NULL without memory. */
json_t *ay_policy_json(const struct ay_policy *p);
struct ay_bytes ay_policy_build(const struct ay_policy *p, struct ay_arena *a);

/* The default policy, named "default": its JSON and the policy itself. */
const char *ay_policy_default_json(void);
AY_MUST_USE enum ay_rc ay_policy_default(struct ay_policy **out, struct ay_err *e);

/* Does the policy take this set? Names only; states are judged by the appraisal. */
bool ay_policy_takes(const struct ay_policy *p, const char *set_name);
struct ay_named ay_policy_named(const struct ay_policy *p);

#endif
