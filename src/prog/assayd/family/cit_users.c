/* SPDX-License-Identifier: Apache-2.0 */
/* CIT v2: users, roles, and certificates that ask to become a client. */
#include "core/base/base64.h"
#include "prog/assayd/api/auth.h"
#include "prog/assayd/api/clients.h"
#include "prog/assayd/family/hostview.h"

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
		if (name.p == NULL || ay_bytes_eq(name, ay_bytes_of(u->name)))
			json_array_append_new(list, user_json(u));
	ay_family_document(c, 200, "user_collection", json_pack("{s:o}", "users", list));
}

void ay_cit_user(struct ay_api_call *c)
{
	char id[24];
	struct ay_err e;

	for (const struct ay_api_account *u = c->api->accounts->users; u != NULL; u = u->next) {
		snprintf(id, sizeof(id), "%llu", (unsigned long long)u->id);
		if (!ay_bytes_eq(c->param[0], ay_bytes_of(id)))
			continue;
		ay_family_document(c, 200, "user", user_json(u));
		return;
	}
	ay_err_set(&e, AY_E_NOENT, "user", 0, "no such user");
	ay_api_problem(c, &e);
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
	ay_family_document(c, 200, "role_collection", json_pack("{s:o}", "roles", list));
}

/* ---- registering a certificate ---- */

/* Base 64 of DER, with or without line ends and the lines of PEM. */
static enum ay_rc der_of(struct ay_api_call *c, struct ay_bytes text, struct ay_bytes *out,
			 struct ay_err *e)
{
	char *clean = ay_arena_alloc(&c->arena, text.n + 1);
	uint8_t *der = ay_arena_alloc(&c->arena, text.n + 1);
	bool in_line = false;
	size_t n = 0;
	enum ay_rc rc;

	*out = (struct ay_bytes){ NULL, 0 };
	if (clean == NULL || der == NULL)
		return ay_fail(e, AY_E_NOMEM, "certificate", 0, "out of memory");
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '-')
			in_line = true;
		if (text.p[i] == '\n')
			in_line = false;
		if (!in_line && text.p[i] > ' ')
			clean[n++] = (char)text.p[i];
	}
	rc = ay_base64_decode(AY_BASE64_STD, (struct ay_bytes){ (uint8_t *)clean, n },
			      "certificate", der, text.n, &n, e);
	if (rc == AY_OK)
		*out = (struct ay_bytes){ der, n };
	return rc;
}

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
	if (ay_api_refused(c, der_of(c, text, &der, &e), &e) ||
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
