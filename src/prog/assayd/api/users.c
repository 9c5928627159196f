/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/base64.h"
#include "prog/assayd/api/call.h"

#include <openssl/crypto.h>

static json_t *user_json(const struct ay_api_account *u)
{
	return json_pack("{s:s, s:s, s:b, s:o}", "name", u->name, "role", u->role, "disabled",
			 (int)u->disabled, "created_at", ay_api_time(u->created_at));
}

static struct ay_api_account *user_of(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_account_find(c->api, c->param[0]);
	struct ay_err e;

	if (u != NULL)
		return u;
	ay_err_set(&e, AY_E_NOENT, "user", 0, "no account has this name");
	ay_api_problem(c, &e);
	return NULL;
}

static enum ay_rc take_role(struct ay_api_call *c, char role[16], struct ay_err *e)
{
	struct ay_bytes text = ay_api_text(c, "role");
	uint64_t perms;

	if (text.p == NULL)
		return AY_OK;
	if (!ay_role_perms((const char *)text.p, &perms))
		return ay_fail(e, AY_E_INPUT, "role", 0,
			       "role is admin, operator, auditor, viewer or relying");
	snprintf(role, 16, "%s", (const char *)text.p);
	return AY_OK;
}

void ay_api_users_list(struct ay_api_call *c)
{
	json_t *all = json_array();

	for (const struct ay_api_account *u = c->api->accounts->users; u != NULL; u = u->next)
		json_array_append_new(all, user_json(u));
	ay_api_array_by(c, all, "name");
}

void ay_api_users_add(struct ay_api_call *c)
{
	struct ay_api_account u = { .created_at = c->api->now_ms };
	struct ay_bytes name = ay_api_text(c, "name");
	struct ay_err e = { 0 };

	if (ay_account_find(c->api, name) != NULL) {
		ay_err_set(&e, AY_E_EXISTS, "name", 0, "there is such an account");
		ay_api_problem(c, &e);
		return;
	}
	snprintf(u.name, sizeof(u.name), "%s", (const char *)name.p);
	if (ay_api_refused(c, take_role(c, u.role, &e), &e) ||
	    ay_api_refused(c, ay_account_put(c->api, &u, &e), &e))
		return;
	if (ay_api_audit(c, "USER_ADD", name, json_pack("{s:s}", "role", u.role)))
		ay_api_json(c, 201, user_json(&u));
}

/* Somebody must be left who can undo it. */
static bool last_admin(const struct ay_api *a, const struct ay_api_account *not_this)
{
	for (const struct ay_api_account *u = a->accounts->users; u != NULL; u = u->next)
		if (u != not_this && !u->disabled && strcmp(u->role, "admin") == 0)
			return false;
	return true;
}

void ay_api_users_patch(struct ay_api_call *c)
{
	struct ay_api_account *u = user_of(c), changed;
	struct ay_err e = { 0 };

	if (u == NULL)
		return;
	changed = *u;
	if (ay_api_refused(c, take_role(c, changed.role, &e), &e))
		return;
	if (json_object_get(c->body, "disabled") != NULL)
		changed.disabled = ay_api_flag(c, "disabled");
	if ((changed.disabled || strcmp(changed.role, "admin") != 0) &&
	    strcmp(u->role, "admin") == 0 && !u->disabled && last_admin(c->api, u)) {
		ay_err_set(&e, AY_E_EXISTS, "role", 0, "this is the last administrator");
		ay_api_problem(c, &e);
		return;
	}
	if (ay_api_refused(c, ay_account_put(c->api, &changed, &e), &e))
		return;
	if (ay_api_audit(c, "USER_CHANGE", ay_bytes_of(u->name), json_deep_copy(c->body)))
		ay_api_json(c, 200, user_json(u));
}

/* ---- API tokens ---- */

static json_t *key_json(const struct ay_api_key *k)
{
	char id[AY_BASE64_ROOM(sizeof(k->id))];

	ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), id);
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b}", "id", id, "label", k->label, "role",
			 k->role, "created_at", ay_api_time(k->created_at), "until",
			 ay_api_time(k->expires_at), "revoked", (int)k->revoked);
}

void ay_api_users_tokens(struct ay_api_call *c)
{
	const struct ay_api_account *u = user_of(c);
	json_t *all;

	if (u == NULL)
		return;
	all = json_array();
	for (const struct ay_api_key *k = c->api->accounts->keys; k != NULL; k = k->next)
		if (strcmp(k->user, u->name) == 0)
			json_array_append_new(all, key_json(k));
	ay_api_array_by(c, all, "created_at,id");
}

void ay_api_users_token_create(struct ay_api_call *c)
{
	const struct ay_api_account *u = user_of(c);
	uint64_t ttl = ay_api_number(c, "ttl_s", 0);
	char text[AY_API_TOKEN_TEXT], role[16], id[16];
	struct ay_api_key *k;
	struct ay_err e = { 0 };

	if (u == NULL)
		return;
	snprintf(role, sizeof(role), "%s", u->role);
	if (ay_api_refused(c, take_role(c, role, &e), &e) ||
	    ay_api_refused(c,
			   ay_key_create(c->api, u, role, ay_api_text(c, "label"),
					 ttl == 0 ? 0 : c->api->now_ms + (int64_t)ttl * 1000, text,
					 &k, &e),
			   &e))
		return;
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), id);
	if (ay_api_audit(c, "API_TOKEN_CREATE", ay_bytes_of(u->name),
			 json_pack("{s:s, s:s}", "id", id, "role", role)))
		ay_api_json(c, 201,
			    json_pack("{s:s, s:s, s:o}", "id", id, "token", text, "until",
				      ay_api_time(k->expires_at)));
	OPENSSL_cleanse(text, sizeof(text));
}

void ay_api_users_token_revoke(struct ay_api_call *c)
{
	const struct ay_api_account *u = user_of(c);
	struct ay_err e = { 0 };
	char id[16];

	if (u == NULL)
		return;
	for (struct ay_api_key *k = c->api->accounts->keys; k != NULL; k = k->next) {
		ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), id);
		if (strcmp(k->user, u->name) != 0 || !ay_bytes_eq(ay_bytes_of(id), c->param[1]))
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
