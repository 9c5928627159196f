/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/policy.h"

#include <stdlib.h>
#include <string.h>

#include "core/appraise/policy_members.h"
#include "core/base/hex.h"
#include "core/crypto/hash.h"

#define FORMAT "assay-policy-1"

static const char default_json[] = "{\"format\":\"" FORMAT "\",\"name\":\"default\",\"version\":1,"
				   "\"required\":[\"identity\",\"platform\",\"os\"],"
				   "\"required_if_reference\":[\"runtime\"],"
				   "\"lease_s\":900,\"reattest_s\":300,\"missed_deadlines\":2,"
				   "\"ima\":{\"enabled\":true}}";

const char *ay_policy_default_json(void)
{
	return default_json;
}

enum ay_rc ay_policy_default(struct ay_policy **out, struct ay_err *e)
{
	return ay_policy_parse(ay_bytes_of(default_json), out, e);
}

static enum ay_rc parse_format(const json_t *doc, const char *key, struct ay_policy *p,
			       struct ay_err *e)
{
	const char *format = "";
	enum ay_rc rc = ay_json_text(doc, "policy", key, true, 32, &p->arena, &format, e);

	if (rc == AY_OK && strcmp(format, FORMAT) != 0)
		rc = ay_json_bad(e, "policy", key, "is not " FORMAT);
	return rc;
}

static json_t *build_format(const struct ay_policy *p, const char *key)
{
	(void)p;
	(void)key;
	return json_string(FORMAT);
}

static enum ay_rc parse_name(const json_t *doc, const char *key, struct ay_policy *p,
			     struct ay_err *e)
{
	enum ay_rc rc =
		ay_json_text(doc, "policy", key, true, AY_MAX_NAME_BYTES, &p->arena, &p->name, e);

	if (rc == AY_OK && !ay_json_is_name(p->name))
		rc = ay_json_bad(e, "policy", key, "not a name");
	return rc;
}

static json_t *build_name(const struct ay_policy *p, const char *key)
{
	(void)key;
	return json_string(p->name);
}

/* Free texts of people. */
static const char **text_of(struct ay_policy *p, const char *key)
{
	return strcmp(key, "owner") == 0 ? &p->owner : &p->note;
}

static enum ay_rc parse_text(const json_t *doc, const char *key, struct ay_policy *p,
			     struct ay_err *e)
{
	return ay_json_text(doc, "policy", key, false, AY_MAX_TEXT_BYTES, &p->arena,
			    text_of(p, key), e);
}

static json_t *build_text(const struct ay_policy *p, const char *key)
{
	return json_string(strcmp(key, "owner") == 0 ? p->owner : p->note);
}

static bool has_owner(const struct ay_policy *p)
{
	return p->owner != NULL;
}

static bool has_note(const struct ay_policy *p)
{
	return p->note != NULL;
}

/* Numbers, with their range. */
static const struct {
	const char *key;
	size_t at;
	bool needed;
	uint32_t min, max, normal;
} numbers[] = {
	{ "version", offsetof(struct ay_policy, version), true, 1, UINT32_MAX, 0 },
	{ "lease_s", offsetof(struct ay_policy, lease_s), false, 5, 7 * 86400, 900 },
	{ "reattest_s", offsetof(struct ay_policy, reattest_s), false, 1, 7 * 86400, 300 },
	{ "missed_deadlines", offsetof(struct ay_policy, missed_deadlines), false, 1, 1000, 2 },
	{ "max_staleness_s", offsetof(struct ay_policy, max_staleness_s), false, 0, 7 * 86400, 0 },
};

static uint32_t *number_at(struct ay_policy *p, size_t i)
{
	return (uint32_t *)(void *)((uint8_t *)p + numbers[i].at);
}

static size_t number_of(const char *key)
{
	size_t i = 0;

	while (strcmp(numbers[i].key, key) != 0)
		i++;
	return i;
}

static enum ay_rc parse_number(const json_t *doc, const char *key, struct ay_policy *p,
			       struct ay_err *e)
{
	size_t i = number_of(key);
	uint64_t v = numbers[i].normal;
	enum ay_rc rc = ay_json_u64(doc, "policy", key, numbers[i].needed, numbers[i].max, &v, e);

	if (rc == AY_OK && v < numbers[i].min)
		rc = ay_json_bad(e, "policy", key, "out of range");
	*number_at(p, i) = (uint32_t)v;
	return rc;
}

static json_t *build_number(const struct ay_policy *p, const char *key)
{
	struct ay_policy copy = *p;

	return json_integer(*number_at(&copy, number_of(key)));
}

static bool has_staleness(const struct ay_policy *p)
{
	return p->max_staleness_s > 0;
}

/* Lists of components. */
static enum ay_rc parse_components(const json_t *doc, const char *key, struct ay_policy *p,
				   struct ay_err *e)
{
	bool needed = strcmp(key, "required") == 0;
	const json_t *list;
	unsigned mask = 0;
	enum ay_rc rc = ay_json_array(doc, "policy", key, needed, &list, e);

	for (size_t i = 0; rc == AY_OK && list != NULL && i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		enum ay_component c =
			name == NULL ? AY_COMP_OF_PCR : ay_component_find(ay_bytes_of(name));

		if (c == AY_COMP_OF_PCR)
			rc = ay_json_bad(e, "policy", key, "unknown component");
		else if ((mask & AY_COMP_BIT(c)) != 0)
			rc = ay_json_bad(e, "policy", key, "component stands there twice");
		mask |= AY_COMP_BIT(c);
	}
	*(needed ? &p->required : &p->required_if_reference) = mask;
	return rc;
}

static json_t *build_components(const struct ay_policy *p, const char *key)
{
	unsigned mask = strcmp(key, "required") == 0 ? p->required : p->required_if_reference;
	json_t *list = json_array();

	for (unsigned c = AY_COMP_IDENTITY; c < AY_COMPONENTS; c++)
		if ((mask & AY_COMP_BIT(c)) != 0)
			(void)json_array_append_new(
				list, json_string(ay_component_name((enum ay_component)c)));
	return list;
}

static enum ay_rc parse_no_log(const json_t *doc, const char *key, struct ay_policy *p,
			       struct ay_err *e)
{
	static const char *const known[] = { "owner", "reason", NULL };
	const json_t *o;
	enum ay_rc rc = ay_json_object(doc, "policy", key, false, &o, e);

	if (rc != AY_OK || o == NULL)
		return rc;
	rc = ay_json_only(o, known, "policy.allow_no_log", e);
	if (rc == AY_OK)
		rc = ay_json_text(o, "policy.allow_no_log", "owner", true, AY_MAX_TEXT_BYTES,
				  &p->arena, &p->no_log_owner, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, "policy.allow_no_log", "reason", true, AY_MAX_TEXT_BYTES,
				  &p->arena, &p->no_log_reason, e);
	if (rc == AY_OK && (*p->no_log_owner == '\0' || *p->no_log_reason == '\0'))
		rc = ay_json_bad(e, "policy", key, "needs an owner and a reason");
	p->allow_no_log = rc == AY_OK;
	return rc;
}

static json_t *build_no_log(const struct ay_policy *p, const char *key)
{
	(void)key;
	return json_pack("{ss ss}", "owner", p->no_log_owner, "reason", p->no_log_reason);
}

static bool has_no_log(const struct ay_policy *p)
{
	return p->allow_no_log;
}

static enum ay_rc parse_weak(const json_t *doc, const char *key, struct ay_policy *p,
			     struct ay_err *e)
{
	return ay_json_bool(doc, "policy", key, false, &p->refuse_weak_log, e);
}

static json_t *build_weak(const struct ay_policy *p, const char *key)
{
	(void)key;
	return json_boolean(p->refuse_weak_log);
}

static enum ay_rc parse_launch(const json_t *doc, const char *key, struct ay_policy *p,
			       struct ay_err *e)
{
	return ay_json_bool(doc, "policy", key, false, &p->launch_required, e);
}

static json_t *build_launch(const struct ay_policy *p, const char *key)
{
	(void)key;
	return json_boolean(p->launch_required);
}

static bool has_launch(const struct ay_policy *p)
{
	return p->launch_required;
}

static enum ay_rc parse_hash(const json_t *doc, const char *key, struct ay_policy *p,
			     struct ay_err *e)
{
	/* judged when the hash is known: check_own_hash() */
	(void)doc;
	(void)key;
	(void)p;
	(void)e;
	return AY_OK;
}

static json_t *build_hash(const struct ay_policy *p, const char *key)
{
	char hex[65];

	(void)key;
	ay_hex_encode(AY_BYTES(p->sha256), hex);
	return json_string(hex);
}

static const struct ay_policy_member members[] = {
	{ "format", parse_format, build_format, NULL },
	{ "name", parse_name, build_name, NULL },
	{ "version", parse_number, build_number, NULL },
	{ "owner", parse_text, build_text, has_owner },
	{ "note", parse_text, build_text, has_note },
	{ "required", parse_components, build_components, NULL },
	{ "required_if_reference", parse_components, build_components, NULL },
	{ "references", ay_policy_references_parse, ay_policy_references_build,
	  ay_policy_references_set },
	{ "lease_s", parse_number, build_number, NULL },
	{ "reattest_s", parse_number, build_number, NULL },
	{ "missed_deadlines", parse_number, build_number, NULL },
	{ "max_staleness_s", parse_number, build_number, has_staleness },
	{ "allow_no_log", parse_no_log, build_no_log, has_no_log },
	{ "ima", ay_policy_ima_parse, ay_policy_ima_build, NULL },
	{ "refuse_weak_log", parse_weak, build_weak, NULL },
	{ "banks", ay_policy_banks_parse, ay_policy_banks_build, ay_policy_banks_set },
	{ "pcrs_judged", ay_policy_pcrs_parse, ay_policy_pcrs_build, ay_policy_pcrs_set },
	{ "grades", ay_policy_grades_parse, ay_policy_grades_build, ay_policy_grades_set },
	{ "secure_boot", ay_policy_sb_parse, ay_policy_sb_build, ay_policy_sb_set },
	{ "launch_required", parse_launch, build_launch, has_launch },
	{ "waivers", ay_policy_waivers_parse, ay_policy_waivers_build, ay_policy_waivers_set },
	{ "windows", ay_policy_windows_parse, ay_policy_windows_build, ay_policy_windows_set },
	{ "sha256", parse_hash, build_hash, NULL },
};

static enum ay_rc check_members(const json_t *j, struct ay_err *e)
{
	const char *known[AY_COUNT(members) + 1] = { NULL };

	for (size_t i = 0; i < AY_COUNT(members); i++)
		known[i] = members[i].key;
	return ay_json_only(j, known, "policy", e);
}

static enum ay_rc name_by_hash(struct ay_policy *p, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *j = ay_policy_json(p);
	struct ay_bytes text = { 0 };

	if (j != NULL && json_object_del(j, "sha256") == 0)
		text = ay_json_canonical(j, &p->arena);
	if (text.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory for its hash");
	ay_sha256(text, p->sha256);
	return AY_OK;
}

static enum ay_rc check_own_hash(const struct ay_policy *p, const json_t *j, struct ay_err *e)
{
	const json_t *v = json_object_get(j, "sha256");
	char hex[65];

	ay_hex_encode(AY_BYTES(p->sha256), hex);
	if (v != NULL && (!json_is_string(v) || strcmp(json_string_value(v), hex) != 0))
		return ay_json_bad(e, "policy", "sha256", "is not the hash of this policy");
	return AY_OK;
}

/* What no single member can tell. */
static enum ay_rc check_sense(const struct ay_policy *p, struct ay_err *e)
{
	if (p->reattest_s > p->lease_s)
		return ay_json_bad(e, "policy", "reattest_s", "is longer than the lease");
	if (p->max_staleness_s > 0 && p->max_staleness_s < p->reattest_s)
		return ay_json_bad(e, "policy", "max_staleness_s", "is shorter than reattest_s");
	if ((p->required & p->required_if_reference) != 0)
		return ay_json_bad(e, "policy", "required_if_reference",
				   "names a component that is required anyway");
	if (!p->ima &&
	    ((p->required | p->required_if_reference) & AY_COMP_BIT(AY_COMP_RUNTIME)) != 0)
		return ay_json_bad(e, "policy.ima", "enabled",
				   "runtime is required but IMA is off");
	return AY_OK;
}

enum ay_rc ay_policy_from_json(const json_t *j, struct ay_policy **out, struct ay_err *e)
{
	struct ay_policy *p = calloc(1, sizeof(*p));
	enum ay_rc rc;

	*out = NULL;
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory");
	ay_arena_init(&p->arena, (size_t)AY_MAX_POLICY_BYTES * 8);
	rc = check_members(j, e);
	for (size_t i = 0; rc == AY_OK && i < AY_COUNT(members); i++)
		rc = members[i].parse(j, members[i].key, p, e);
	if (rc == AY_OK)
		rc = check_sense(p, e);
	if (rc == AY_OK)
		rc = name_by_hash(p, e);
	if (rc == AY_OK)
		rc = check_own_hash(p, j, e);
	if (rc != AY_OK) {
		ay_policy_free(p);
		return rc;
	}
	*out = p;
	return AY_OK;
}

enum ay_rc ay_policy_parse(struct ay_bytes json, struct ay_policy **out, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *j = NULL;
	enum ay_rc rc = ay_json_load(json, AY_MAX_POLICY_BYTES, "policy", &j, e);

	*out = NULL;
	return rc == AY_OK ? ay_policy_from_json(j, out, e) : rc;
}

void ay_policy_free(struct ay_policy *p)
{
	if (p == NULL)
		return;
	ay_ima_keys_fini(&p->ima_rules.keys);
	ay_arena_fini(&p->arena);
	free(p);
}

json_t *ay_policy_json(const struct ay_policy *p)
{
	json_t *j = json_object();

	for (size_t i = 0; i < AY_COUNT(members); i++)
		if ((members[i].is_set == NULL || members[i].is_set(p)) &&
		    json_object_set_new(j, members[i].key, members[i].build(p, members[i].key)) !=
			    0) {
			json_decref(j);
			return NULL;
		}
	return j;
}

struct ay_bytes ay_policy_build(const struct ay_policy *p, struct ay_arena *a)
{
	AY_CLEANUP(ay_json_unref) json_t *j = ay_policy_json(p);

	return j == NULL ? (struct ay_bytes){ 0 } : ay_json_canonical(j, a);
}

struct ay_named ay_policy_named(const struct ay_policy *p)
{
	struct ay_named n = { .name = p->name, .version = p->version };

	memcpy(n.sha256, p->sha256, sizeof(n.sha256));
	return n;
}
