/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of API clients, as administrators see them. */
#include "core/base/base64.h"
#include "io/sys/rng.h"
#include "prog/assayd/api/clients.h"
#include "prog/assayd/keepers.h"

#include <openssl/crypto.h>

static const char *user_name(const struct ay_api *a, uint64_t id)
{
	for (const struct ay_api_account *u = a->accounts->users; u != NULL && id != 0; u = u->next)
		if (u->id == id)
			return u->name;
	return NULL;
}

static json_t *client_json(const struct ay_api *a, const struct ay_client *x)
{
	static const char *const states[] = { "asked", "active", "ended" };

	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:o}", "fingerprint", x->subject, "state",
			 states[x->state % AY_COUNT(states)], "user", user_name(a, x->user), "name",
			 x->name, "comment", x->comment, "created_at", ay_api_time(x->created_at));
}

void ay_api_apiclients_list(struct ay_api_call *c)
{
	json_t *all = json_array();

	for (const struct ay_client *x = ay_clients(c->api); x != NULL; x = x->next)
		if (x->kind == AY_CLIENT_X509)
			json_array_append_new(all, client_json(c->api, x));
	ay_api_array_by(c, all, "fingerprint");
}

/* The one of the path, or NULL and the call is answered. */
static const struct ay_client *client_of(struct ay_api_call *c)
{
	char print[65];
	const struct ay_client *x;
	struct ay_err e;

	snprintf(print, sizeof(print), "%.*s", (int)(c->param[0].n < 64 ? c->param[0].n : 64),
		 (const char *)c->param[0].p);
	x = c->param[0].n == 64 ? ay_client_find(c->api, AY_CLIENT_X509, print) : NULL;
	if (x != NULL)
		return x;
	ay_err_set(&e, AY_E_NOENT, "client", 0, "no certificate has this fingerprint");
	ay_api_problem(c, &e);
	return NULL;
}

/* Stored, and told to the audit; true: the call goes on. */
static bool change(struct ay_api_call *c, const struct ay_client *x, enum ay_identity_state state,
		   uint64_t user, const char *action)
{
	struct ay_client row = *x;
	struct ay_err e = { 0 };

	row.state = state;
	row.user = user;
	if (ay_api_refused(c, ay_client_put(c->api, &row, &e), &e))
		return false;
	return ay_api_audit(c, action, ay_bytes_of(row.subject),
			    json_pack("{s:I}", "user", (json_int_t)user));
}

/*
 * The account of this name, if this caller has all its rights: who could let a
 * certificate act for somebody who may more, could do all that he may. NULL:
 * answered.
 */
static const struct ay_api_account *account_to_open(struct ay_api_call *c, struct ay_bytes name)
{
	struct ay_bytes of_path = c->param[0];
	const struct ay_api_account *u;

	c->param[0] = name;
	u = ay_api_user_to_change(c);
	c->param[0] = of_path;
	return u;
}

void ay_api_apiclients_approve(struct ay_api_call *c)
{
	const struct ay_client *x = client_of(c);
	const struct ay_api_account *u;
	char print[65];
	struct ay_err e = { 0 };

	if (x == NULL)
		return;
	if (x->state == AY_IDENTITY_ENDED) {
		ay_err_set(&e, AY_E_EXISTS, "client", 0, "this certificate was ended");
		ay_api_problem(c, &e);
		return;
	}
	if (AY_CHECKED("CLIENT_ABOVE", account_to_open(c, ay_api_text(c, "user")) == NULL))
		return;
	u = ay_account_find(c->api, ay_api_text(c, "user"));
	snprintf(print, sizeof(print), "%s", x->subject);
	if (change(c, x, AY_IDENTITY_ACTIVE, u->id, "API_CLIENT_APPROVE"))
		ay_api_json(c, 200,
			    client_json(c->api, ay_client_find(c->api, AY_CLIENT_X509, print)));
}

void ay_api_apiclients_end(struct ay_api_call *c)
{
	const struct ay_client *x = client_of(c);
	const char *name = x == NULL ? NULL : user_name(c->api, x->user);

	if (name != NULL &&
	    AY_CHECKED("CLIENT_END_ABOVE", account_to_open(c, ay_bytes_of(name)) == NULL))
		return;
	if (x != NULL && change(c, x, AY_IDENTITY_ENDED, x->user, "API_CLIENT_END"))
		ay_api_empty(c, 204);
}

/* ---- signing keys of API tokens ---- */

enum { KEY_N = 32, KEY_TEXT = AY_BASE64_ROOM(KEY_N) };

/* The key's text, while keeper wraps it. */
static void wrapped(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes octets)
{
	struct ay_api_call *c = arg;
	char *text = c->state;
	struct ay_client row = { .kind = AY_CLIENT_HMAC,
				 .state = AY_IDENTITY_ACTIVE,
				 .created_at = c->api->now_ms,
				 .octets = (uint8_t *)(uintptr_t)octets.p,
				 .octets_n = octets.n };
	const struct ay_api_account *u = ay_account_find(c->api, c->param[0]);
	struct ay_err bad = { 0 };
	json_t *answer;

	c->state = NULL;
	snprintf(row.subject, sizeof(row.subject), "%.*s", (int)c->param[1].n,
		 (const char *)c->param[1].p);
	row.user = u == NULL ? 0 : u->id;
	answer = json_pack("{s:s, s:s}", "username", row.subject, "password", text);
	OPENSSL_cleanse(text, KEY_TEXT);
	if (rc == AY_OK) {
		e = &bad;
		rc = ay_client_put(c->api, &row, &bad);
	}
	if (ay_api_refused(c, rc, e))
		json_decref(answer);
	else if (ay_api_audit(c, "API_TOKEN_SIGNING_KEY", c->param[1], json_object()))
		ay_api_json(c, 201, answer);
	else
		json_decref(answer);
}

static bool has_token(const struct ay_api_call *c)
{
	char id[AY_BASE64_ROOM(9)];

	for (const struct ay_api_key *k = c->api->accounts->keys; k != NULL; k = k->next) {
		ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), id);
		if (!k->revoked && ay_bytes_eq(ay_bytes_of(id), c->param[1]) &&
		    ay_bytes_eq(ay_bytes_of(k->user), c->param[0]))
			return true;
	}
	return false;
}

void ay_api_apiclients_signing_key(struct ay_api_call *c)
{
	uint8_t key[KEY_N];
	char *text = ay_arena_alloc(&c->arena, KEY_TEXT);
	struct ay_err e = { 0 };

	if (AY_CHECKED("SIGNING_KEY_ABOVE", ay_api_user_to_change(c) == NULL))
		return;
	if (!has_token(c))
		ay_err_set(&e, AY_E_NOENT, "token", 0, "the account has no such token");
	else if (text == NULL)
		ay_err_set(&e, AY_E_NOMEM, "token", 0, "out of memory");
	if (e.rc != AY_OK) {
		ay_api_problem(c, &e);
		return;
	}
	ay_rng_bytes(key, sizeof(key));
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(key), text);
	OPENSSL_cleanse(key, sizeof(key));
	c->state = text;
	ay_keeper_wrap(c->api->engine, "mtwilson", c->param[1], ay_bytes_of(text), wrapped, c);
}
