/* SPDX-License-Identifier: Apache-2.0 */
/* CIT v2: users, roles, and certificates that ask to become a client. */
#include "prog/assayd/api/auth.h"
#include "prog/assayd/api/clients.h"
#include "prog/assayd/family/hostview.h"
#include "prog/assayd/family/members.h"

#include <stdlib.h>

static json_t *user_json(const struct ay_api_account *u)
{
	char id[24];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)u->id);
	return json_pack("{s:s, s:s, s:s, s:b}", "id", id, "username", u->name, "comment",
			 u->display, "enabled", (int)!u->disabled);
}

void ay_cit_users(struct ay_api_call *c)
{
	struct ay_bytes name = ay_api_param(c, "nameEqualTo");
	json_t *list = json_array();

	if (name.p == NULL)
		name = ay_api_param(c, "userNameEqualTo");
	for (const struct ay_api_account *u = c->api->accounts->users; u != NULL; u = u->next)
		if (!u->removed && (name.p == NULL || ay_bytes_eq(name, ay_bytes_of(u->name))))
			json_array_append_new(list, user_json(u));
	ay_family_document(c, 200, "user_collection", json_pack("{s:o}", "users", list));
}

void ay_cit_roles(struct ay_api_call *c)
{
	static const struct {
		const char *name, *doc;
	} roles[] = {
#define X(name, perms, doc) { #name, doc },
#include "prog/assayd/api/roles.def"
#undef X
	};
	struct ay_bytes want = ay_api_param(c, "nameEqualTo");
	json_t *list = json_array();

	for (size_t i = 0; i < AY_COUNT(roles); i++)
		if (want.p == NULL || ay_bytes_eq(want, ay_bytes_of(roles[i].name)))
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:s}", "id", roles[i].name, "role_name",
						roles[i].name, "description", roles[i].doc));
	for (const struct ay_role *r = c->api->accounts->roles; r != NULL; r = r->next)
		if (!r->removed && (want.p == NULL || ay_bytes_eq(want, ay_bytes_of(r->name))))
			json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", r->name,
							      "role_name", r->name, "description",
							      r->doc));
	ay_family_document(c, 200, "role_collection", json_pack("{s:o}", "roles", list));
}

/* ---- changing people ---- */

/* The account whose id is in the path; NULL: answered. */
static struct ay_api_account *user_of(struct ay_api_call *c)
{
	char id[24];
	struct ay_err e;

	for (struct ay_api_account *u = c->api->accounts->users; u != NULL; u = u->next) {
		snprintf(id, sizeof(id), "%llu", (unsigned long long)u->id);
		if (!u->removed && ay_bytes_eq(c->param[0], ay_bytes_of(id)))
			return u;
	}
	ay_err_set(&e, AY_E_NOENT, "user", 0, "no such user");
	ay_api_problem(c, &e);
	return NULL;
}

/* The same, if this caller may change it (api/users.c); by name from then on. */
static struct ay_api_account *user_to_change(struct ay_api_call *c)
{
	struct ay_api_account *u = user_of(c);

	if (u == NULL)
		return NULL;
	c->param[0] = ay_bytes_of(u->name);
	return ay_api_user_to_change(c);
}

void ay_cit_user(struct ay_api_call *c)
{
	const struct ay_api_account *u = user_of(c);

	if (u != NULL)
		ay_family_document(c, 200, "user", user_json(u));
}

/* As in the API: printable, no spaces at the ends. */
static bool is_name(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f || s[i] == '/')
			return false;
	return n > 0 && n <= AY_MAX_NAME_BYTES && s[0] != ' ' && s[n - 1] != ' ';
}

/* Without a role he may do nothing yet. */
void ay_cit_user_create(struct ay_api_call *c)
{
	const char *name = ay_member_text(c->body, "username,name");
	struct ay_api_account row = { .created_at = c->api->now_ms };
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	if (!is_name(name))
		rc = ay_fail_code(&e, AY_E_INPUT, "MISSING_INPUT", "username",
				  "the name is missing, too long, or has characters that are not "
				  "allowed");
	else if (ay_account_find(c->api, ay_bytes_of(name)) != NULL)
		rc = ay_fail(&e, AY_E_EXISTS, "username", 0,
			     "there is such an account, or was one: names are not used again");
	snprintf(row.name, sizeof(row.name), "%s", name);
	snprintf(row.display, sizeof(row.display), "%s", ay_member_text(c->body, "comment"));
	if (rc == AY_OK)
		rc = ay_account_put(c->api, &row, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "USER_ADD", ay_bytes_of(name), json_object()))
		ay_family_document(c, 200, "user",
				   user_json(ay_account_find(c->api, ay_bytes_of(name))));
}

void ay_cit_user_update(struct ay_api_call *c)
{
	struct ay_api_account *u = user_to_change(c);
	const char *comment = ay_member_text(c->body, "comment");
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (u == NULL)
		return;
	rc = ay_account_change(c, u, comment[0] == '\0' ? NULL : comment,
			       !ay_member_truth(c->body, "enabled", !u->disabled), &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "USER_CHANGE", ay_bytes_of(u->name), json_object()))
		ay_family_document(c, 200, "user", user_json(u));
}

void ay_cit_user_delete(struct ay_api_call *c)
{
	if (user_to_change(c) != NULL)
		ay_api_users_remove(c);
}

/* ---- how they come in ---- */

static json_t *role_names(const struct ay_api_account *u)
{
	json_t *list = json_array();

	for (size_t i = 0; i < u->n_grants; i++)
		json_array_append_new(list, json_string(u->grants[i].role));
	return list;
}

static json_t *login_json(const struct ay_api_account *u, const char *id, bool active)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:o}", "id", id, "username", u->name, "enabled",
			 (int)(active && !u->disabled), "status", active ? "APPROVED" : "REJECTED",
			 "roles", role_names(u));
}

void ay_cit_login_passwords(struct ay_api_call *c)
{
	const struct ay_api_account *u = user_of(c);
	json_t *list;

	if (u == NULL)
		return;
	list = json_array();
	if (u->secrets != NULL && u->secrets->password[0] != '\0')
		json_array_append_new(list,
				      login_json(u, (const char *)c->param[0].p, !u->disabled));
	ay_family_document(c, 200, "user_login_password_collection",
			   json_pack("{s:o}", "user_login_passwords", list));
}

static json_t *clients_of(const struct ay_api_call *c, const struct ay_api_account *u,
			  enum ay_client_kind kind)
{
	json_t *list = json_array();

	for (const struct ay_client *x = ay_clients(c->api); x != NULL; x = x->next)
		if (x->kind == kind && x->user == u->id)
			json_array_append_new(
				list, login_json(u, x->subject, x->state == AY_IDENTITY_ACTIVE));
	return list;
}

void ay_cit_login_certificates(struct ay_api_call *c)
{
	const struct ay_api_account *u = user_of(c);

	if (u != NULL)
		ay_family_document(c, 200, "user_login_certificate_collection",
				   json_pack("{s:o}", "user_login_certificates",
					     clients_of(c, u, AY_CLIENT_X509)));
}

void ay_cit_login_hmacs(struct ay_api_call *c)
{
	const struct ay_api_account *u = user_of(c);

	if (u != NULL)
		ay_family_document(
			c, 200, "user_login_hmac_collection",
			json_pack("{s:o}", "user_login_hmacs", clients_of(c, u, AY_CLIENT_HMAC)));
}

/* ---- registering a certificate ---- */

/* Open to anybody: what it leaves opens nothing until an administrator approves it. */
void ay_cit_register_user(struct ay_api_call *c)
{
	const json_t *user = json_object_get(c->body, "user");
	const json_t *login = json_object_get(c->body, "user_login_certificate");
	struct ay_bytes text = ay_family_member(login, "certificate", "certificate"), der;
	const struct ay_client *x = NULL;
	struct ay_err e = { 0 };

	if (text.n == 0 || text.n > 2 * (size_t)AY_MAX_CERT_BYTES) {
		ay_err_set(&e, AY_E_INPUT, "certificate", 0,
			   "give user_login_certificate.certificate in base 64");
		ay_err_code(&e, "MISSING_INPUT");
		ay_api_problem(c, &e);
		return;
	}
	if (ay_api_refused(c, ay_family_der(c, text, &der, &e), &e) ||
	    ay_api_refused(c,
			   ay_client_ask(c->api, der, ay_family_member(user, "username", "name"),
					 ay_family_member(user, "comment", "comment"), &x, &e),
			   &e))
		return;
	if (ay_api_audit(c, "API_CLIENT_ASK", ay_bytes_of(x->subject),
			 json_pack("{s:s}", "name", x->name)))
		ay_family_document(c, 200, "register_user_with_certificate",
				   json_pack("{s:b}", "result", 1));
}
