/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions and the roles that are made of them. */
#include "prog/assayd/api/call.h"

#include <stdlib.h>

static const struct {
	const char *name, *doc;
} perms[] = {
#define X(name, doc) { #name, doc },
#include "prog/assayd/api/perms.def"
#undef X
};

#define P(name) AY_PERM_BIT(name)
#define AY_READS                                                                                   \
	(P(ANY) | P(HOST_READ) | P(ASSERTION_READ) | P(REFERENCE_READ) | P(POLICY_READ) |          \
	 P(EVENT_READ) | P(METRICS_READ) | P(CONFIG_READ) | P(APPROVAL_READ))

static const struct {
	const char *name;
	uint64_t perms;
	const char *doc;
} roles[] = {
#define X(name, perms, doc) { #name, perms, doc },
#include "prog/assayd/api/roles.def"
#undef X
};

const char *ay_perm_name(enum ay_perm p)
{
	return (size_t)p < AY_COUNT(perms) ? perms[p].name : "";
}

bool ay_perm_find(const char *name, enum ay_perm *out)
{
	for (size_t i = 0; i < AY_COUNT(perms); i++)
		if (strcmp(perms[i].name, name) == 0) {
			*out = (enum ay_perm)i;
			return true;
		}
	return false;
}

bool ay_role_perms(const char *role, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < AY_COUNT(roles); i++)
		if (strcmp(roles[i].name, role) == 0) {
			*out = roles[i].perms;
			return true;
		}
	return false;
}

const char *ay_role_builtin(size_t i, uint64_t *out, const char **doc)
{
	if (i >= AY_COUNT(roles))
		return NULL;
	*out = roles[i].perms;
	*doc = roles[i].doc;
	return roles[i].name;
}

bool ay_role_find(struct ay_api *a, const char *role, uint64_t *out, struct ay_scope *scope)
{
	memset(scope, 0, sizeof(*scope));
	if (ay_role_perms(role, out))
		return true;
	for (const struct ay_role *r = a->accounts->roles; r != NULL; r = r->next)
		if (strcmp(r->name, role) == 0 && !r->removed) {
			*out = r->perms;
			*scope = r->scope;
			return true;
		}
	return false;
}

char *ay_perms_text(uint64_t bits)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (f == NULL)
		return NULL;
	for (size_t i = 0; i < AY_PERMS; i++)
		if (((bits >> i) & 1) != 0)
			fprintf(f, "%s%s", ftell(f) > 0 ? "," : "", perms[i].name);
	return fclose(f) == 0 ? text : NULL;
}

enum ay_rc ay_perms_parse(const json_t *list, uint64_t *out, struct ay_err *e)
{
	enum ay_perm p;
	json_t *v;
	size_t i;

	*out = 0;
	json_array_foreach ((json_t *)(uintptr_t)list, i, v) {
		if (!ay_perm_find(json_string_value(v), &p) || p == AY_PERM_PUBLIC)
			return ay_fail(e, AY_E_INPUT, "permissions", i,
				       "%.40s is no permission: see assay role list",
				       json_string_value(v));
		*out |= UINT64_C(1) << p;
	}
	*out |= AY_PERM_BIT(ANY);
	return AY_OK;
}

json_t *ay_roles_json(void)
{
	json_t *all = json_object();
	const char *doc, *name;
	uint64_t held;

	for (size_t i = 0; (name = ay_role_builtin(i, &held, &doc)) != NULL; i++) {
		json_t *list = json_array();

		for (int p = 0; p < AY_PERMS; p++)
			if (((held >> p) & 1) != 0)
				json_array_append_new(list,
						      json_string(ay_perm_name((enum ay_perm)p)));
		json_object_set_new(all, name, list);
	}
	return all;
}
