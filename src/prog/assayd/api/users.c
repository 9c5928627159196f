/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/base64.h"
#include "prog/assayd/api/identities.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { OWN_TOKENS = 100 };

static const char *second_factor(const struct ay_api_account *u)
{
	return u->secrets != NULL && u->secrets->totp_state == AY_TOTP_ON ? "totp" : "none";
}

static json_t *user_json(const struct ay_api_account *u)
{
	bool password = u->secrets != NULL && u->secrets->password[0] != '\0';

	return json_pack("{s:I, s:s, s:s, s:s, s:o, s:b, s:b, s:s, s:b, s:o}", "id",
			 (json_int_t)u->id, "name", u->name, "display", u->display, "role",
			 u->n_grants > 0 ? u->grants[0].role : "", "grants",
			 ay_grants_json(u->grants, u->n_grants), "disabled", (int)u->disabled,
			 "password", (int)password, "second_factor", second_factor(u),
			 "break_glass",
			 (int)(u->secrets != NULL && u->secrets->break_glass != AY_GLASS_NONE),
			 "created_at", ay_api_time(u->created_at));
}

static struct ay_api_account *user_of(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_account_find(c->api, c->param[0]);
	struct ay_err e;

	if (u != NULL && !u->removed)
		return u;
	ay_err_set(&e, AY_E_NOENT, "user", 0, "no account has this name");
	ay_api_problem(c, &e);
	return NULL;
}

/*
 * An account is changed by those alone who have all its rights: who could set
 * the password of somebody who may more, could do all that he may.
 */
struct ay_api_account *ay_api_user_to_change(struct ay_api_call *c)
{
	struct ay_api_account *u = user_of(c);
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (u == NULL)
		return NULL;
	rc = ay_may_change(c->api, &c->who, u->grants, u->n_grants, &e);
	if (!AY_CHECKED("USER_ABOVE", rc != AY_OK))
		return u;
	ay_api_denied(c, 403, &e);
	ay_api_problem(c, &e);
	return NULL;
}

/* role or grants of the body; *grants is the caller's, or NULL: neither is there. */
static enum ay_rc take_grants(struct ay_api_call *c, struct ay_role_grant **grants, size_t *n,
			      struct ay_err *e)
{
	const json_t *list = json_object_get(c->body, "grants");
	struct ay_bytes role = ay_api_text(c, "role");
	json_t *one = NULL;
	enum ay_rc rc = AY_OK;

	*grants = NULL;
	*n = 0;
	if (list != NULL && role.p != NULL)
		return ay_fail(e, AY_E_INPUT, "grants", 0, "give role or grants, not both");
	if (list == NULL && role.p == NULL)
		return AY_OK;
	if (role.p != NULL)
		list = one = json_pack("[{s:s}]", "role", (const char *)role.p);
	rc = ay_grants_parse(list, grants, n, e);
	json_decref(one);
	if (rc == AY_OK)
		rc = ay_may_grant(c->api, &c->who, *grants, *n, e);
	if (rc == AY_E_DENIED)
		ay_api_denied(c, 403, e);
	if (rc != AY_OK) {
		free(*grants);
		*grants = NULL;
	}
	return rc;
}

void ay_api_users_list(struct ay_api_call *c)
{
	json_t *all = json_array();

	for (const struct ay_api_account *u = c->api->accounts->users; u != NULL; u = u->next)
		if (!u->removed)
			json_array_append_new(all, user_json(u));
	ay_api_array_by(c, all, "name");
}

void ay_api_users_show(struct ay_api_call *c)
{
	const struct ay_api_account *u = user_of(c);

	if (u != NULL)
		ay_api_json(c, 200, user_json(u));
}

static enum ay_rc may_add(struct ay_api_call *c, struct ay_bytes name, struct ay_err *e)
{
	const struct ay_api_account *u = ay_account_find(c->api, name);

	if (u == NULL)
		return AY_OK;
	return ay_fail(e, AY_E_EXISTS, "name", 0,
		       u->removed ? "somebody had this name; names are not used again"
				  : "there is such an account");
}

void ay_api_users_add(struct ay_api_call *c)
{
	struct ay_api_account u = { .created_at = c->api->now_ms };
	struct ay_bytes name = ay_api_text(c, "name"), display = ay_api_text(c, "display");
	struct ay_err e = { 0 };
	enum ay_rc rc = may_add(c, name, &e);

	if (rc == AY_OK)
		rc = take_grants(c, &u.grants, &u.n_grants, &e);
	if (rc == AY_OK && u.grants == NULL)
		rc = ay_fail(&e, AY_E_INPUT, "role", 0, "give a role");
	snprintf(u.name, sizeof(u.name), "%s", (const char *)name.p);
	snprintf(u.display, sizeof(u.display), "%s",
		 display.p == NULL ? "" : (const char *)display.p);
	if (rc == AY_OK)
		rc = ay_account_put(c->api, &u, &e);
	free(u.grants);
	if (ay_api_refused(c, rc, &e))
		return;
	if (ay_api_audit(c, "USER_ADD", name, json_deep_copy(c->body)))
		ay_api_json(c, 201, user_json(ay_account_find(c->api, name)));
}

static bool is_admin(const struct ay_api_account *u)
{
	if (u->disabled || u->removed)
		return false;
	for (size_t i = 0; i < u->n_grants; i++)
		if (strcmp(u->grants[i].role, "admin") == 0 && u->grants[i].scope.n == 0)
			return true;
	return false;
}

/* Somebody must be left who can undo it. */
static bool is_last_admin(const struct ay_api *a, const struct ay_api_account *not_this)
{
	for (const struct ay_api_account *u = a->accounts->users; u != NULL; u = u->next)
		if (u != not_this && is_admin(u) &&
		    (u->secrets == NULL || u->secrets->break_glass == AY_GLASS_NONE))
			return false;
	return true;
}

static enum ay_rc keeps_admin(const struct ay_api_call *c, const struct ay_api_account *u,
			      const struct ay_api_account *changed, struct ay_err *e)
{
	if (AY_CHECKED("LAST_ADMIN", is_admin(u) && !is_admin(changed) && is_last_admin(c->api, u)))
		return ay_fail_code(e, AY_E_EXISTS, "LAST_ADMIN", "role",
				    "this is the last administrator: make another one first");
	return AY_OK;
}

/* Puts a changed account. What it may has changed: whoever has its session shows himself again. */
static enum ay_rc put_changed(struct ay_api_call *c, struct ay_api_account *u,
			      const struct ay_api_account *changed, struct ay_err *e)
{
	enum ay_rc rc = keeps_admin(c, u, changed, e);

	if (rc == AY_OK)
		rc = ay_account_put(c->api, changed, e);
	if (rc == AY_OK)
		rc = ay_sessions_end(c->api, u->id, NULL, e);
	return rc;
}

enum ay_rc ay_account_change(struct ay_api_call *c, struct ay_api_account *u, const char *display,
			     bool disabled, struct ay_err *e)
{
	struct ay_api_account changed = *u;

	if (display != NULL)
		snprintf(changed.display, sizeof(changed.display), "%s", display);
	changed.disabled = disabled;
	return put_changed(c, u, &changed, e);
}

void ay_api_users_patch(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_api_user_to_change(c), changed;
	struct ay_role_grant *grants;
	struct ay_bytes display;
	struct ay_err e = { 0 };
	enum ay_rc rc;
	size_t n;

	if (u == NULL)
		return;
	changed = *u;
	display = ay_api_text(c, "display");
	rc = take_grants(c, &grants, &n, &e);
	if (grants != NULL) {
		changed.grants = grants;
		changed.n_grants = n;
	}
	if (display.p != NULL)
		snprintf(changed.display, sizeof(changed.display), "%s", (const char *)display.p);
	if (json_object_get(c->body, "disabled") != NULL)
		changed.disabled = ay_api_flag(c, "disabled");
	if (rc == AY_OK)
		rc = put_changed(c, u, &changed, &e);
	free(grants);
	if (ay_api_refused(c, rc, &e))
		return;
	if (ay_api_audit(c, "USER_CHANGE", ay_bytes_of(u->name), json_deep_copy(c->body)))
		ay_api_json(c, 200, user_json(u));
}

void ay_api_users_remove(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_api_user_to_change(c), changed;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (u == NULL)
		return;
	changed = *u;
	changed.removed = changed.disabled = true;
	changed.secrets = NULL;
	rc = put_changed(c, u, &changed, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	if (ay_api_audit(c, "USER_REMOVE", ay_bytes_of(u->name), json_object()))
		ay_api_empty(c, 204);
}

/* ---- API tokens ---- */

static json_t *key_json(const struct ay_api_key *k)
{
	char id[AY_BASE64_ROOM(sizeof(k->id))];

	ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), id);
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "id", id, "label", k->label,
			 "role", k->role, "scope", ay_scope_json(&k->scope), "created_at",
			 ay_api_time(k->created_at), "until", ay_api_time(k->expires_at), "used_at",
			 ay_api_time(k->used_at), "revoked", (int)k->revoked);
}

static void list_tokens(struct ay_api_call *c, const struct ay_api_account *u)
{
	json_t *all = json_array();

	for (const struct ay_api_key *k = c->api->accounts->keys; k != NULL; k = k->next)
		if (strcmp(k->user, u->name) == 0)
			json_array_append_new(all, key_json(k));
	ay_api_array_by(c, all, "created_at,id");
}

void ay_api_users_tokens(struct ay_api_call *c)
{
	const struct ay_api_account *u = user_of(c);

	if (u != NULL)
		list_tokens(c, u);
}

static enum ay_rc key_spec(struct ay_api_call *c, const struct ay_api_account *u,
			   struct ay_key_spec *out, struct ay_err *e)
{
	struct ay_bytes role = ay_api_text(c, "role");
	uint64_t ttl = ay_api_number(c, "ttl_s", 0), perms;
	struct ay_scope scope;

	*out = (struct ay_key_spec){ .role = role.p == NULL ? "" : (const char *)role.p,
				     .label = ay_api_text(c, "label") };
	if (ttl != 0)
		out->expires_at = c->api->now_ms + (int64_t)ttl * 1000;
	if (role.p == NULL && u->n_grants > 0)
		out->role = u->n_grants == 1 ? u->grants[0].role : "admin"; /* all he has */
	if (!ay_role_find(c->api, out->role, &perms, &scope))
		return ay_fail(e, AY_E_INPUT, "role", 0, "there is no role %.60s", out->role);
	return ay_scope_parse(json_object_get(c->body, "scope"), "scope", &out->scope, e);
}

static void create_token(struct ay_api_call *c, const struct ay_api_account *u)
{
	char text[AY_API_TOKEN_TEXT] = "", id[16];
	struct ay_key_spec spec;
	struct ay_api_key *k;
	struct ay_err e = { 0 };
	enum ay_rc rc = key_spec(c, u, &spec, &e);

	if (rc == AY_OK)
		rc = ay_key_make(c->api, u, &spec, text, &k, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), id);
	if (ay_api_audit(c, "API_TOKEN_CREATE", ay_bytes_of(u->name),
			 json_pack("{s:s, s:s, s:o}", "id", id, "role", k->role, "scope",
				   ay_scope_json(&k->scope))))
		ay_api_json(c, 201,
			    json_pack("{s:s, s:s, s:o}", "id", id, "token", text, "until",
				      ay_api_time(k->expires_at)));
	OPENSSL_cleanse(text, sizeof(text));
}

void ay_api_users_token_create(struct ay_api_call *c)
{
	const struct ay_api_account *u = ay_api_user_to_change(c);

	if (u != NULL)
		create_token(c, u);
}

static void revoke_token(struct ay_api_call *c, const struct ay_api_account *u,
			 struct ay_bytes token)
{
	struct ay_err e = { 0 };
	char id[16];

	for (struct ay_api_key *k = c->api->accounts->keys; k != NULL; k = k->next) {
		ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), id);
		if (strcmp(k->user, u->name) != 0 || !ay_bytes_eq(ay_bytes_of(id), token))
			continue;
		if (ay_api_refused(c, ay_key_revoke(c->api, k, &e), &e))
			return;
		if (ay_api_audit(c, "API_TOKEN_REVOKE", ay_bytes_of(u->name),
				 json_pack("{s:s}", "id", id)))
			ay_api_empty(c, 204);
		return;
	}
	ay_err_set(&e, AY_E_NOENT, "token", 0, "the account has no such token");
	ay_api_problem(c, &e);
}

void ay_api_users_token_revoke(struct ay_api_call *c)
{
	const struct ay_api_account *u = ay_api_user_to_change(c);

	if (u != NULL)
		revoke_token(c, u, c->param[1]);
}

/* ---- one's own ---- */

static void refuse(struct ay_api_call *c, const char *code, const char *text)
{
	struct ay_err e;

	ay_err_set(&e, AY_E_DENIED, "authorization", 0, "%s", text);
	ay_err_code(&e, code);
	ay_api_denied(c, 403, &e);
	ay_api_problem(c, &e);
}

/* The account of who asks; a role that a listener gives is nobody's. */
static const struct ay_api_account *own(struct ay_api_call *c)
{
	const struct ay_api_account *u = ay_account_by_id(c->api, c->who.user_id);

	if (u == NULL)
		refuse(c, "NOT_A_PERSON", "this credential is no account's");
	return u;
}

static size_t in_force(const struct ay_api *a, const struct ay_api_account *u)
{
	size_t n = 0;

	for (const struct ay_api_key *k = a->accounts->keys; k != NULL; k = k->next)
		n += strcmp(k->user, u->name) == 0 && !k->revoked &&
		     (k->expires_at == 0 || k->expires_at > a->now_ms);
	return n;
}

void ay_api_me_tokens(struct ay_api_call *c)
{
	const struct ay_api_account *u = own(c);

	if (u != NULL)
		list_tokens(c, u);
}

/*
 * What a token may is cut to what its owner may, each time it is used. But one
 * that makes others could not be taken back, and rights that another source
 * gives at each login must not outlive that login.
 */
void ay_api_me_token_create(struct ay_api_call *c)
{
	const struct ay_api_account *u = own(c);
	struct ay_err e;

	if (u == NULL)
		return;
	if (AY_CHECKED("OWN_TOKEN_BY_TOKEN", c->who.token_id[0] != '\0')) {
		refuse(c, "TOKEN_BY_TOKEN", "an API token makes no other: log in");
	} else if (AY_CHECKED("OWN_TOKEN_MANAGED", ay_identity_manages(c->api, u->id))) {
		refuse(c, "RIGHTS_ELSEWHERE",
		       "your rights come with each login from elsewhere: "
		       "ask an administrator for an account for programs");
	} else if (u->secrets != NULL && u->secrets->break_glass != AY_GLASS_NONE) {
		refuse(c, "NOT_PERMITTED", "an account for emergencies has no tokens");
	} else if (in_force(c->api, u) >= OWN_TOKENS) {
		ay_err_set(&e, AY_E_LIMIT, "token", 0, "you have %d tokens: end one first",
			   OWN_TOKENS);
		ay_api_problem(c, &e);
	} else {
		create_token(c, u);
	}
}

/* A token that got into wrong hands ends itself, and no other. */
void ay_api_me_token_revoke(struct ay_api_call *c)
{
	const struct ay_api_account *u = own(c);

	if (u == NULL)
		return;
	if (AY_CHECKED("OWN_TOKEN_END",
		       c->who.token_id[0] != '\0' &&
			       !ay_bytes_eq(ay_bytes_of(c->who.token_id), c->param[0])))
		refuse(c, "TOKEN_BY_TOKEN", "an API token ends itself alone: log in");
	else
		revoke_token(c, u, c->param[0]);
}
