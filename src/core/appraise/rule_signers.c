/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "signers": keys whose signature of a file is trusted where the policy's path rules say so.
 */
#include "core/appraise/reference.h"

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "keys", NULL };
	const json_t *keys;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK && r->part != AY_PART_RUNTIME)
		rc = ay_json_bad(e, "reference.rule", "kind", "signers belong to part runtime");
	if (rc == AY_OK)
		rc = ay_json_array(o, "reference.rule", "keys", true, &keys, e);
	return rc == AY_OK ? ay_ima_keys_parse(keys, "reference.rule.keys", a, &r->keys, e) : rc;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	return json_object_set_new(o, "keys", ay_ima_keys_json(&r->keys)) == 0;
}

const struct ay_rule_kind ay_rule_signers = {
	.name = "signers",
	.doc = "keys that sign files",
	.role = AY_ROLE_RUNTIME,
	.parse = parse,
	.build = build,
};
