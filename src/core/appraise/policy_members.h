/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_POLICY_MEMBERS_H
#define AY_APPRAISE_POLICY_MEMBERS_H

/*
 * The members of a policy document, each in the file of its topic; joined by
 * the table `members[]` of policy.c. A later kind of demand is one more row.
 */
#include "core/appraise/policy.h"

/* One member: how it is read and written. */
struct ay_policy_member {
	const char *key;
	/* Absent: AY_OK and the default, unless it is needed. Memory from p->arena. */
	enum ay_rc (*parse)(const json_t *doc, const char *key, struct ay_policy *p,
			    struct ay_err *e);
	/* A new reference; NULL: no memory. */
	json_t *(*build)(const struct ay_policy *p, const char *key);
	bool (*is_set)(const struct ay_policy *p); /* NULL: always written */
};

/* policy_refs.c: `references` */
AY_MUST_USE enum ay_rc ay_policy_references_parse(const json_t *doc, const char *key,
						  struct ay_policy *p, struct ay_err *e);
json_t *ay_policy_references_build(const struct ay_policy *p, const char *key);
bool ay_policy_references_set(const struct ay_policy *p);

/* policy_ima.c: `ima` */
AY_MUST_USE enum ay_rc ay_policy_ima_parse(const json_t *doc, const char *key, struct ay_policy *p,
					   struct ay_err *e);
json_t *ay_policy_ima_build(const struct ay_policy *p, const char *key);

/* policy_demands.c: `banks`, `pcrs_judged`, `grades`, `secure_boot` */
AY_MUST_USE enum ay_rc ay_policy_banks_parse(const json_t *doc, const char *key,
					     struct ay_policy *p, struct ay_err *e);
json_t *ay_policy_banks_build(const struct ay_policy *p, const char *key);
bool ay_policy_banks_set(const struct ay_policy *p);
AY_MUST_USE enum ay_rc ay_policy_pcrs_parse(const json_t *doc, const char *key, struct ay_policy *p,
					    struct ay_err *e);
json_t *ay_policy_pcrs_build(const struct ay_policy *p, const char *key);
bool ay_policy_pcrs_set(const struct ay_policy *p);
AY_MUST_USE enum ay_rc ay_policy_grades_parse(const json_t *doc, const char *key,
					      struct ay_policy *p, struct ay_err *e);
json_t *ay_policy_grades_build(const struct ay_policy *p, const char *key);
bool ay_policy_grades_set(const struct ay_policy *p);
AY_MUST_USE enum ay_rc ay_policy_sb_parse(const json_t *doc, const char *key, struct ay_policy *p,
					  struct ay_err *e);
json_t *ay_policy_sb_build(const struct ay_policy *p, const char *key);
bool ay_policy_sb_set(const struct ay_policy *p);

/* policy_waivers.c: `waivers`, `windows` */
AY_MUST_USE enum ay_rc ay_policy_waivers_parse(const json_t *doc, const char *key,
					       struct ay_policy *p, struct ay_err *e);
json_t *ay_policy_waivers_build(const struct ay_policy *p, const char *key);
bool ay_policy_waivers_set(const struct ay_policy *p);
AY_MUST_USE enum ay_rc ay_policy_windows_parse(const json_t *doc, const char *key,
					       struct ay_policy *p, struct ay_err *e);
json_t *ay_policy_windows_build(const struct ay_policy *p, const char *key);
bool ay_policy_windows_set(const struct ay_policy *p);

#endif
