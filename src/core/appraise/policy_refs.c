/* SPDX-License-Identifier: Apache-2.0 */
/* `references`: names of sets, or rules that choose sets for parts. */
#include "core/appraise/policy_members.h"

#include <string.h>

#include "core/appraise/reference.h"

#define REFERENCES_MAX 1024
#define WHERE "policy.references"

static const char *const match_names[AY_REF_MATCHES] = { "any_of", "all_of", "latest" };

static enum ay_rc out_of_memory(struct ay_err *e)
{
	return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory");
}

static enum ay_rc parse_names(const json_t *list, const char *where, const char *key,
			      struct ay_arena *a, const char ***out, size_t *n, struct ay_err *e)
{
	*out = ay_arena_array(a, json_array_size(list) + 1, sizeof(**out));
	if (*out == NULL)
		return out_of_memory(e);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (name == NULL || !ay_json_is_name(name))
			return ay_json_bad(e, where, key, "not a name");
		(*out)[i] = ay_arena_str(a, ay_bytes_of(name));
		if ((*out)[i] == NULL)
			return out_of_memory(e);
		*n = i + 1;
	}
	return AY_OK;
}

static enum ay_rc parse_parts(const json_t *o, struct ay_ref_rule *r, struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(o, WHERE, "parts", false, &list, e);

	r->parts = AY_PARTS_ALL;
	if (rc != AY_OK || list == NULL)
		return rc;
	r->parts = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		enum ay_part part;

		if (name == NULL || !ay_part_find(ay_bytes_of(name), &part))
			return ay_json_bad(e, WHERE, "parts", "unknown part");
		r->parts |= AY_PART_BIT(part);
	}
	return r->parts != 0 ? AY_OK
			     : ay_json_bad(e, WHERE, "parts", "empty; leave it out for all");
}

static enum ay_rc parse_match(const json_t *o, struct ay_arena *a, struct ay_ref_rule *r,
			      struct ay_err *e)
{
	const char *match = match_names[AY_REF_ANY_OF], *need = "required_if_defined";
	enum ay_rc rc = ay_json_text(o, WHERE, "match", false, 32, a, &match, e);
	unsigned m = 0;

	if (rc == AY_OK)
		rc = ay_json_text(o, WHERE, "need", false, 32, a, &need, e);
	if (rc != AY_OK)
		return rc;
	while (m < AY_REF_MATCHES && strcmp(match_names[m], match) != 0)
		m++;
	if (m == AY_REF_MATCHES)
		return ay_json_bad(e, WHERE, "match", "is any_of, all_of or latest");
	r->match = (enum ay_ref_match)m;
	r->required = strcmp(need, "required") == 0;
	if (!r->required && strcmp(need, "required_if_defined") != 0)
		return ay_json_bad(e, WHERE, "need", "is required or required_if_defined");
	return AY_OK;
}

static enum ay_rc parse_rule(const json_t *o, struct ay_arena *a, struct ay_ref_rule *r,
			     struct ay_err *e)
{
	static const char *const known[] = { "parts", "match", "need", "names", NULL };
	const json_t *names;
	enum ay_rc rc = ay_json_only(o, known, WHERE, e);

	if (rc == AY_OK)
		rc = parse_parts(o, r, e);
	if (rc == AY_OK)
		rc = parse_match(o, a, r, e);
	if (rc == AY_OK)
		rc = ay_json_array(o, WHERE, "names", false, &names, e);
	if (rc != AY_OK)
		return rc;
	if (names == NULL)
		return r->match != AY_REF_ALL_OF
			       ? AY_OK
			       : ay_json_bad(e, WHERE, "names", "all_of needs the names of all");
	if (json_array_size(names) == 0 || json_array_size(names) > REFERENCES_MAX)
		return ay_json_bad(e, WHERE, "names", "needs 1 to 1024 names");
	return parse_names(names, WHERE, "names", a, &r->name, &r->n_names, e);
}

static enum ay_rc parse_rules(const json_t *list, struct ay_policy *p, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	p->ref_rule = ay_arena_array(&p->arena, json_array_size(list), sizeof(*p->ref_rule));
	if (p->ref_rule == NULL)
		return out_of_memory(e);
	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++)
		rc = parse_rule(json_array_get(list, i), &p->arena, &p->ref_rule[p->n_ref_rules++],
				e);
	return rc;
}

enum ay_rc ay_policy_references_parse(const json_t *doc, const char *key, struct ay_policy *p,
				      struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(doc, "policy", key, false, &list, e);

	if (rc != AY_OK || list == NULL)
		return rc;
	if (json_array_size(list) == 0 || json_array_size(list) > REFERENCES_MAX)
		return ay_json_bad(e, "policy", key, "needs 1 to 1024 names; leave it out for all");
	if (json_is_object(json_array_get(list, 0)))
		return parse_rules(list, p, e);
	return parse_names(list, "policy", key, &p->arena, &p->reference, &p->n_references, e);
}

static json_t *names_json(const char *const *name, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(name[i]));
	return list;
}

static json_t *parts_json(uint32_t parts)
{
	json_t *list = json_array();

	for (unsigned part = 0; part < AY_PARTS; part++)
		if ((parts & AY_PART_BIT(part)) != 0)
			(void)json_array_append_new(list,
						    json_string(ay_part_name((enum ay_part)part)));
	return list;
}

static json_t *rule_json(const struct ay_ref_rule *r)
{
	return json_pack("{so ss ss so*}", "parts", parts_json(r->parts), "match",
			 match_names[r->match], "need",
			 r->required ? "required" : "required_if_defined", "names",
			 r->n_names > 0 ? names_json(r->name, r->n_names) : NULL);
}

json_t *ay_policy_references_build(const struct ay_policy *p, const char *key)
{
	json_t *list = names_json(p->reference, p->n_references);

	(void)key;
	for (size_t i = 0; i < p->n_ref_rules; i++)
		if (json_array_append_new(list, rule_json(&p->ref_rule[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

bool ay_policy_references_set(const struct ay_policy *p)
{
	return p->n_references + p->n_ref_rules > 0;
}

/* ---- use ---- */

bool ay_ref_rule_names(const struct ay_ref_rule *r, const char *set_name)
{
	for (size_t i = 0; i < r->n_names; i++)
		if (strcmp(r->name[i], set_name) == 0)
			return true;
	return r->n_names == 0;
}

bool ay_policy_takes_part(const struct ay_policy *p, const char *set_name, unsigned part)
{
	const struct ay_ref_rule names = { .n_names = p->n_references, .name = p->reference };

	for (size_t i = 0; i < p->n_ref_rules; i++)
		if ((p->ref_rule[i].parts >> part & 1) != 0 &&
		    ay_ref_rule_names(&p->ref_rule[i], set_name))
			return true;
	return p->n_ref_rules == 0 && ay_ref_rule_names(&names, set_name);
}

bool ay_policy_takes(const struct ay_policy *p, const char *set_name)
{
	for (unsigned part = 0; part < AY_PARTS; part++)
		if (ay_policy_takes_part(p, set_name, part))
			return true;
	return false;
}
