/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/policy_members.h"

#include <string.h>

#include "core/crypto/hash.h"

#define MIN_FILES 1 /* boot_aggregate alone is never enough */

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

static enum ay_rc parse_switches(const json_t *o, struct ay_policy *p, struct ay_err *e)
{
	struct ay_ima_rules *r = &p->ima_rules;
	enum ay_rc rc = ay_json_bool(o, "policy.ima", "enabled", false, &p->ima, e);

	if (rc == AY_OK)
		rc = ay_json_bool(o, "policy.ima", "allow_padded_bank", false,
				  &p->allow_padded_bank, e);
	if (rc == AY_OK)
		rc = ay_json_bool(o, "policy.ima", "refuse_weak_digests", false,
				  &r->refuse_weak_digests, e);
	if (rc == AY_OK)
		rc = ay_json_u64(o, "policy.ima", "min_files", false, AY_MAX_IMA_ENTRIES,
				 &r->min_files, e);
	if (rc == AY_OK && r->min_files < MIN_FILES)
		rc = ay_json_bad(e, "policy.ima", "min_files", "is less than 1");
	return rc;
}

static enum ay_rc parse_lists(const json_t *o, struct ay_policy *p, struct ay_err *e)
{
	struct ay_ima_rules *r = &p->ima_rules;
	const json_t *keys, *paths = NULL, *bufs = NULL;
	enum ay_rc rc = ay_json_array(o, "policy.ima", "keys", false, &keys, e);

	if (rc == AY_OK)
		rc = ay_json_array(o, "policy.ima", "paths", false, &paths, e);
	if (rc == AY_OK)
		rc = ay_json_array(o, "policy.ima", "buffers", false, &bufs, e);
	if (rc == AY_OK && keys != NULL)
		rc = ay_ima_keys_parse(keys, "policy.ima.keys", &p->arena, &r->keys, e);
	if (rc == AY_OK && paths != NULL)
		rc = ay_ima_paths_parse(paths, &p->arena, &r->paths, e);
	if (rc == AY_OK && bufs != NULL)
		rc = ay_ima_bufs_parse(bufs, &p->arena, &r->bufs, e);
	return rc;
}

/* Tallies are kept with hosts and must not outlive the rules they were made by. */
static enum ay_rc name_by_hash(struct ay_policy *p, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *j = ay_policy_ima_build(p, "ima");
	struct ay_bytes text = j == NULL ? (struct ay_bytes){ 0 } : ay_json_canonical(j, &p->arena);

	if (text.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "policy.ima", 0, "out of memory for its hash");
	ay_sha256(text, p->ima_rules.sha256);
	return AY_OK;
}

enum ay_rc ay_policy_ima_parse(const json_t *doc, const char *key, struct ay_policy *p,
			       struct ay_err *e)
{
	static const char *const known[] = { "enabled",
					     "violations",
					     "allow_padded_bank",
					     "refuse_weak_digests",
					     "min_files",
					     "keys",
					     "paths",
					     "buffers",
					     NULL };
	const json_t *o;
	enum ay_rc rc = ay_json_object(doc, "policy", key, false, &o, e);

	p->ima = true;
	p->ima_rules.min_files = MIN_FILES;
	if (rc == AY_OK && o != NULL) {
		rc = ay_json_only(o, known, "policy.ima", e);
		if (rc == AY_OK)
			rc = parse_switches(o, p, e);
		if (rc == AY_OK)
			rc = parse_violations(o, p, e);
		if (rc == AY_OK)
			rc = parse_lists(o, p, e);
	}
	return rc == AY_OK ? name_by_hash(p, e) : rc;
}

static bool put(json_t *o, const char *key, bool is_set, json_t *v)
{
	if (is_set)
		return json_object_set_new(o, key, v) == 0;
	json_decref(v);
	return true;
}

/* What has its default is left out, so that policies keep their names when a member is added. */
json_t *ay_policy_ima_build(const struct ay_policy *p, const char *key)
{
	const struct ay_ima_rules *r = &p->ima_rules;
	json_t *violations = p->violations == AY_VIOLATIONS_AS_REFERENCE
				     ? json_string("reference")
				     : json_integer((json_int_t)p->max_violations);
	json_t *o = json_pack("{sb so sb}", "enabled", p->ima, "violations", violations,
			      "allow_padded_bank", p->allow_padded_bank);

	(void)key;
	if (o == NULL)
		return NULL;
	if (!put(o, "refuse_weak_digests", r->refuse_weak_digests, json_true()) ||
	    !put(o, "min_files", r->min_files != MIN_FILES,
		 json_integer((json_int_t)r->min_files)) ||
	    !put(o, "keys", r->keys.n > 0, ay_ima_keys_json(&r->keys)) ||
	    !put(o, "paths", r->paths.n > 0, ay_ima_paths_json(&r->paths)) ||
	    !put(o, "buffers", r->bufs.n > 0, ay_ima_bufs_json(&r->bufs)))
		ay_json_unref(&o);
	return o;
}
