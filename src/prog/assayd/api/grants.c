/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/grants.h"

#include "core/base/json.h"
#include "prog/assayd/api/call.h"

#include <stdlib.h>

/* ---- scopes ---- */

static enum ay_rc add_label(struct ay_scope *s, const char *where, const char *key,
			    const json_t *value, struct ay_err *e)
{
	const char *v = json_string_value(value);

	if (v == NULL || key[0] == '\0' || strlen(key) > AY_SCOPE_KEY ||
	    strlen(v) > AY_MAX_NAME_BYTES || json_string_length(value) != strlen(v))
		return ay_fail(e, AY_E_INPUT, where, 0,
			       "a label is a key of at most %d and a value of at most %d octets",
			       AY_SCOPE_KEY, AY_MAX_NAME_BYTES);
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->label[i].key, key) == 0)
			return ay_fail(e, AY_E_INPUT, where, 0, "label %.60s is there twice", key);
	if (s->n == AY_COUNT(s->label))
		return ay_fail(e, AY_E_LIMIT, where, 0, "at most %d labels", AY_SCOPE_LABELS);
	snprintf(s->label[s->n].key, sizeof(s->label[0].key), "%s", key);
	snprintf(s->label[s->n].value, sizeof(s->label[0].value), "%s", v);
	s->n++;
	return AY_OK;
}

enum ay_rc ay_scope_parse(const json_t *o, const char *where, struct ay_scope *out,
			  struct ay_err *e)
{
	static const char *const known[] = { "labels", "pool", NULL };
	const json_t *labels = json_object_get(o, "labels"), *pool = json_object_get(o, "pool");
	enum ay_rc rc = AY_OK;
	const char *key;
	json_t *v;

	memset(out, 0, sizeof(*out));
	if (o == NULL || json_is_null(o))
		return AY_OK;
	rc = ay_json_only(o, known, where, e);
	if (rc == AY_OK && labels != NULL && !json_is_object(labels))
		rc = ay_fail(e, AY_E_INPUT, where, 0, "labels is an object of texts");
	if (rc == AY_OK && pool != NULL)
		rc = add_label(out, where, "pool", pool, e);
	json_object_foreach ((json_t *)(uintptr_t)labels, key, v)
		if (rc == AY_OK)
			rc = add_label(out, where, key, v, e);
	if (rc == AY_OK && AY_CHECKED("SCOPE_EMPTY", out->n == 0))
		rc = ay_fail(e, AY_E_INPUT, where, 0,
			     "a scope names labels or a pool; leave it out for every host");
	if (rc != AY_OK)
		memset(out, 0, sizeof(*out));
	return rc;
}

json_t *ay_scope_json(const struct ay_scope *s)
{
	json_t *labels;

	if (s->n == 0)
		return json_null();
	labels = json_object();
	for (size_t i = 0; i < s->n; i++)
		json_object_set_new(labels, s->label[i].key, json_string(s->label[i].value));
	return json_pack("{s:o}", "labels", labels);
}

char *ay_scope_text(const struct ay_scope *s)
{
	json_t *o = ay_scope_json(s);
	char *text = s->n == 0 ? strdup("") : json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(o);
	return text;
}

bool ay_scope_of(const char *text, struct ay_scope *out)
{
	json_t *o = text[0] == '\0' ? NULL : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct ay_err e;
	bool ok = text[0] == '\0' ||
		  (json_is_object(o) && ay_scope_parse(o, "scope", out, &e) == AY_OK);

	if (text[0] == '\0' || !ok)
		memset(out, 0, sizeof(*out));
	json_decref(o);
	return ok;
}

/* ---- grants ---- */

static enum ay_rc parse_grant(const json_t *o, struct ay_role_grant *g, struct ay_err *e)
{
	static const char *const known[] = { "role", "scope", NULL };
	const char *role = json_string_value(json_object_get(o, "role"));
	enum ay_rc rc = ay_json_only(o, known, "grants", e);

	if (rc != AY_OK)
		return rc;
	if (role == NULL || !ay_json_is_name(role))
		return ay_fail(e, AY_E_INPUT, "grants", 0, "each grant names a role");
	snprintf(g->role, sizeof(g->role), "%s", role);
	return ay_scope_parse(json_object_get(o, "scope"), "grants", &g->scope, e);
}

enum ay_rc ay_grants_parse(const json_t *list, struct ay_role_grant **out, size_t *n,
			   struct ay_err *e)
{
	size_t count = json_array_size(list);
	struct ay_role_grant *g;
	enum ay_rc rc = AY_OK;

	*out = NULL;
	*n = 0;
	if (count == 0 || count > AY_PRINCIPAL_GRANTS)
		return ay_fail(e, AY_E_INPUT, "grants", 0, "grants is a list of 1 to %d roles",
			       AY_PRINCIPAL_GRANTS);
	g = calloc(count, sizeof(*g));
	if (g == NULL)
		return ay_fail(e, AY_E_NOMEM, "grants", 0, "no memory");
	for (size_t i = 0; rc == AY_OK && i < count; i++)
		rc = parse_grant(json_array_get(list, i), &g[i], e);
	if (rc != AY_OK) {
		free(g);
		return rc;
	}
	*out = g;
	*n = count;
	return AY_OK;
}

json_t *ay_grants_json(const struct ay_role_grant *g, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:o*}", "role", g[i].role, "scope",
					g[i].scope.n == 0 ? NULL : ay_scope_json(&g[i].scope)));
	return list;
}

/* ---- who may give what ---- */

static bool scope_names(const struct ay_scope *s, const char *key, const char *value)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->label[i].key, key) == 0 && strcmp(s->label[i].value, value) == 0)
			return true;
	return false;
}

/* Every host of inner is one of outer: inner demands at least the labels that outer does. */
static bool is_within(const struct ay_scope *inner, const struct ay_scope *outer)
{
	for (size_t i = 0; i < outer->n; i++)
		if (!scope_names(inner, outer->label[i].key, outer->label[i].value))
			return false;
	return true;
}

enum ay_rc ay_may_give(const struct ay_principal *who, uint64_t perms, const struct ay_scope *scope,
		       struct ay_err *e)
{
	uint64_t has = 0;

	for (size_t i = 0; i < who->n_grants; i++)
		if (!AY_CHECKED("GIVE_SCOPE", !is_within(scope, &who->grant[i].scope)))
			has |= who->grant[i].perms;
	if (AY_CHECKED("GIVE_PERMS", (perms & ~has) != 0))
		return ay_fail_code(
			e, AY_E_DENIED, "RIGHTS_EXCEEDED", "role",
			"nobody gives, or changes an account with, rights he has not himself");
	return AY_OK;
}

static bool join(struct ay_scope *to, const struct ay_scope *more)
{
	for (size_t i = 0; i < more->n; i++) {
		if (to->n == AY_COUNT(to->label))
			return false;
		to->label[to->n++] = more->label[i];
	}
	return true;
}

static enum ay_rc may_one(const struct ay_principal *who, const struct ay_role_grant *g,
			  uint64_t perms, struct ay_scope *own, struct ay_err *e)
{
	if (!join(own, &g->scope))
		return ay_fail(e, AY_E_LIMIT, "grants", 0,
			       "role and grant together have more than %d labels", AY_SCOPE_LABELS);
	return ay_may_give(who, perms, own, e);
}

enum ay_rc ay_may_change(struct ay_api *a, const struct ay_principal *who,
			 const struct ay_role_grant *g, size_t n, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (size_t i = 0; rc == AY_OK && i < n; i++) {
		struct ay_scope own;
		uint64_t perms;

		if (ay_role_find(a, g[i].role, &perms, &own))
			rc = may_one(who, &g[i], perms, &own, e);
	}
	return rc;
}

enum ay_rc ay_may_grant(struct ay_api *a, const struct ay_principal *who,
			const struct ay_role_grant *g, size_t n, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (size_t i = 0; rc == AY_OK && i < n; i++) {
		struct ay_scope scope;
		uint64_t perms;

		if (!ay_role_find(a, g[i].role, &perms, &scope))
			return ay_fail(e, AY_E_INPUT, "role", 0,
				       "there is no role %.60s: see assay role list", g[i].role);
		rc = may_one(who, &g[i], perms, &scope, e);
	}
	return rc;
}
