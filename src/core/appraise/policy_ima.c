/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/policy_members.h"

#include <string.h>

static enum ay_rc parse_violations(const json_t *o, struct ay_policy *p, struct ay_err *e)
{
	const json_t *v = json_object_get(o, "violations");

	if (v == NULL || (json_is_string(v) && strcmp(json_string_value(v), "reference") == 0)) {
		p->violations = AY_VIOLATIONS_AS_REFERENCE;
		return AY_OK;
	}
	p->violations = AY_VIOLATIONS_AT_MOST;
	return ay_json_u64(o, "policy.ima", "violations", true, INT64_MAX, &p->max_violations, e);
}

enum ay_rc ay_policy_ima_parse(const json_t *doc, const char *key, struct ay_policy *p,
			       struct ay_err *e)
{
	static const char *const known[] = { "enabled", "violations", "allow_padded_bank", NULL };
	const json_t *o;
	enum ay_rc rc = ay_json_object(doc, "policy", key, false, &o, e);

	p->ima = true;
	if (rc != AY_OK || o == NULL)
		return rc;
	rc = ay_json_only(o, known, "policy.ima", e);
	if (rc == AY_OK)
		rc = ay_json_bool(o, "policy.ima", "enabled", false, &p->ima, e);
	if (rc == AY_OK)
		rc = ay_json_bool(o, "policy.ima", "allow_padded_bank", false,
				  &p->allow_padded_bank, e);
	if (rc == AY_OK)
		rc = parse_violations(o, p, e);
	return rc;
}

json_t *ay_policy_ima_build(const struct ay_policy *p, const char *key)
{
	json_t *violations = p->violations == AY_VIOLATIONS_AS_REFERENCE
				     ? json_string("reference")
				     : json_integer((json_int_t)p->max_violations);

	(void)key;
	return json_pack("{sb so sb}", "enabled", p->ima, "violations", violations,
			 "allow_padded_bank", p->allow_padded_bank);
}
