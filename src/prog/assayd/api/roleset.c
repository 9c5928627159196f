/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: the built-in ones, and those that somebody made. */
#include "prog/assayd/api/auth.h"

#include <stdlib.h>

static json_t *perms_json(uint64_t perms)
{
	json_t *list = json_array();

	for (size_t i = 0; i < AY_PERMS; i++)
		if (((perms >> i) & 1) != 0 && i != AY_PERM_PUBLIC)
			json_array_append_new(list, json_string(ay_perm_name((enum ay_perm)i)));
	return list;
}

static json_t *builtin_json(const char *name, uint64_t perms, const char *doc)
{
	return json_pack("{s:s, s:b, s:o, s:n, s:s}", "name", name, "built_in", 1, "permissions",
			 perms_json(perms), "scope", "doc", doc);
}

static json_t *role_json(const struct ay_role *r)
{
	return json_pack("{s:s, s:b, s:o, s:o, s:s}", "name", r->name, "built_in", 0, "permissions",
			 perms_json(r->perms), "scope", ay_scope_json(&r->scope), "doc", r->doc);
}

void ay_api_roles_list(struct ay_api_call *c)
{
	json_t *all = json_array();
	const char *name, *doc;
	uint64_t perms;

	for (size_t i = 0; (name = ay_role_builtin(i, &perms, &doc)) != NULL; i++)
		json_array_append_new(all, builtin_json(name, perms, doc));
	for (const struct ay_role *r = c->api->accounts->roles; r != NULL; r = r->next)
		if (!r->removed)
			json_array_append_new(all, role_json(r));
	ay_api_array_by(c, all, "name");
}

/* One that somebody made, removed ones included; NULL: none. */
static struct ay_role *find(struct ay_api *a, struct ay_bytes name)
{
	for (struct ay_role *r = a->accounts->roles; r != NULL; r = r->next)
		if (ay_bytes_eq(ay_bytes_of(r->name), name))
			return r;
	return NULL;
}

static struct ay_role *role_of(struct ay_api_call *c)
{
	struct ay_role *r = find(c->api, c->param[0]);
	struct ay_err e = { 0 };
	uint64_t perms;

	if (r != NULL && !r->removed)
		return r;
	if (ay_role_perms((const char *)c->param[0].p, &perms))
		ay_err_set(&e, AY_E_EXISTS, "role", 0, "a built-in role does not change");
	else
		ay_err_set(&e, AY_E_NOENT, "role", 0, "there is no such role");
	ay_api_problem(c, &e);
	return NULL;
}

/* permissions, scope and doc of the body; members left out stay. */
static enum ay_rc take(struct ay_api_call *c, struct ay_role *r, struct ay_err *e)
{
	const json_t *perms = json_object_get(c->body, "permissions");
	const json_t *scope = json_object_get(c->body, "scope");
	struct ay_bytes doc = ay_api_text(c, "doc");
	enum ay_rc rc = AY_OK;

	if (perms != NULL)
		rc = ay_perms_parse(perms, &r->perms, e);
	if (rc == AY_OK && scope != NULL)
		rc = ay_scope_parse(scope, "scope", &r->scope, e);
	if (doc.p != NULL)
		snprintf(r->doc, sizeof(r->doc), "%s", (const char *)doc.p);
	return rc;
}

/* Nobody makes a role of more than he has, nor changes one that has more. */
static enum ay_rc may(struct ay_api_call *c, const struct ay_role *r, struct ay_err *e)
{
	enum ay_rc rc = ay_may_give(&c->who, r->perms, &r->scope, e);

	if (rc != AY_OK)
		ay_api_denied(c, 403, e);
	return rc;
}

void ay_api_roles_add(struct ay_api_call *c)
{
	struct ay_role r = { .created_at = c->api->now_ms };
	struct ay_bytes name = ay_api_text(c, "name");
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;
	uint64_t perms;

	snprintf(r.name, sizeof(r.name), "%s", (const char *)name.p);
	if (ay_role_perms(r.name, &perms) || find(c->api, name) != NULL)
		rc = ay_fail(&e, AY_E_EXISTS, "name", 0,
			     "there is, or was, such a role: take another name");
	if (rc == AY_OK)
		rc = take(c, &r, &e);
	if (rc == AY_OK)
		rc = may(c, &r, &e);
	if (rc == AY_OK)
		rc = ay_role_put(c->api, &r, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	if (ay_api_audit(c, "ROLE_ADD", name, json_deep_copy(c->body)))
		ay_api_json(c, 201, role_json(&r));
}

static bool has_role(const struct ay_api_account *u, const char *role)
{
	for (size_t i = 0; i < u->n_grants; i++)
		if (strcmp(u->grants[i].role, role) == 0)
			return true;
	return false;
}

/* Whoever has the role may other things now: shows himself again. */
static enum ay_rc end_sessions(struct ay_api_call *c, const char *role, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (const struct ay_api_account *u = c->api->accounts->users; u != NULL; u = u->next)
		if (rc == AY_OK && has_role(u, role))
			rc = ay_sessions_end(c->api, u->id, c->who.session_id, e);
	return rc;
}

void ay_api_roles_patch(struct ay_api_call *c)
{
	struct ay_role *r = role_of(c), changed;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (r == NULL)
		return;
	changed = *r;
	rc = may(c, r, &e);
	if (rc == AY_OK)
		rc = take(c, &changed, &e);
	if (rc == AY_OK)
		rc = may(c, &changed, &e);
	if (rc == AY_OK)
		rc = ay_role_put(c->api, &changed, &e);
	if (rc == AY_OK)
		rc = end_sessions(c, changed.name, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	if (ay_api_audit(c, "ROLE_CHANGE", ay_bytes_of(changed.name), json_deep_copy(c->body)))
		ay_api_json(c, 200, role_json(&changed));
}

void ay_api_roles_remove(struct ay_api_call *c)
{
	struct ay_role *r = role_of(c), changed;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (r == NULL)
		return;
	changed = *r;
	rc = may(c, r, &e);
	for (const struct ay_api_account *u = c->api->accounts->users; u != NULL; u = u->next)
		if (rc == AY_OK && !u->removed && has_role(u, r->name))
			rc = ay_fail(&e, AY_E_EXISTS, "role", 0,
				     "%.60s has this role: take it away first", u->name);
	changed.removed = true;
	if (rc == AY_OK)
		rc = ay_role_put(c->api, &changed, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	if (ay_api_audit(c, "ROLE_REMOVE", ay_bytes_of(changed.name), json_object()))
		ay_api_empty(c, 204);
}
