/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/policy_members.h"

#include <string.h>

#define REFERENCES_MAX 1024

enum ay_rc ay_policy_references_parse(const json_t *doc, const char *key, struct ay_policy *p,
				      struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(doc, "policy", key, false, &list, e);

	if (rc != AY_OK || list == NULL)
		return rc;
	if (json_array_size(list) == 0 || json_array_size(list) > REFERENCES_MAX)
		return ay_json_bad(e, "policy", key, "needs 1 to 1024 names; leave it out for all");
	p->reference = ay_arena_array(&p->arena, json_array_size(list), sizeof(*p->reference));
	if (p->reference == NULL)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (name == NULL || !ay_json_is_name(name))
			return ay_json_bad(e, "policy", key, "not a name");
		p->reference[i] = ay_arena_str(&p->arena, ay_bytes_of(name));
		if (p->reference[i] == NULL)
			return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory");
		p->n_references = i + 1;
	}
	return AY_OK;
}

json_t *ay_policy_references_build(const struct ay_policy *p, const char *key)
{
	json_t *list = json_array();

	(void)key;
	for (size_t i = 0; i < p->n_references; i++)
		(void)json_array_append_new(list, json_string(p->reference[i]));
	return list;
}

bool ay_policy_references_set(const struct ay_policy *p)
{
	return p->n_references > 0;
}
