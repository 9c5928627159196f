/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: begun with name, password and second factor; shown; ended. */
#include "prog/assayd/api/attempt.h"
#include "prog/assayd/api/identities.h"
#include "prog/assayd/api/session.h"

#include <openssl/crypto.h>

/* ---- in ---- */

static int status_of(enum ay_rc rc, const struct ay_err *e)
{
	if (rc != AY_E_DENIED)
		return ay_rc_http(rc);
	return strcmp(e->code, "AUTH_LOCKED") == 0    ? 429
	       : strcmp(e->code, "AUTH_NO_ROLE") == 0 ? 403
						      : 401;
}

/* how: "password" or "ldap". That a directory is down is told to the audit too. */
static void refuse(struct ay_api_call *c, const char *how, enum ay_rc rc, const struct ay_err *e)
{
	c->api->metrics.unauthenticated += rc == AY_E_DENIED;
	if (rc == AY_E_DENIED || strcmp(e->code, "AUTH_SOURCE_DOWN") == 0)
		ay_api_login(c, ay_api_text(c, "user"), how, e->code);
	ay_api_problem_as(c, status_of(rc, e), e, NULL, NULL);
}

static json_t *perms_json(uint64_t perms)
{
	json_t *list = json_array();

	for (size_t i = 0; i < AY_PERMS; i++)
		if (((perms >> i) & 1) != 0 && i != AY_PERM_PUBLIC)
			json_array_append_new(list, json_string(ay_perm_name((enum ay_perm)i)));
	return list;
}

static json_t *session_json(const struct ay_api *a, const struct ay_principal *who,
			    const struct ay_session *s, const char *csrf)
{
	const struct ay_api_account *u =
		who->user_id == 0 ? NULL
				  : ay_account_by_id((struct ay_api *)(uintptr_t)a, who->user_id);

	return json_pack("{s:s, s:I, s:s, s:s, s:b, s:o, s:o, s:s?, s:s?, s:o}", "user", who->user,
			 "user_id", (json_int_t)who->user_id, "display", who->display, "scheme",
			 s != NULL ? s->scheme : who->scheme, "mfa", (int)who->mfa, "permissions",
			 perms_json(who->perms), "grants",
			 u == NULL ? json_array() : ay_grants_json(u->grants, u->n_grants),
			 "session", s == NULL ? NULL : s->id, "csrf", csrf, "until",
			 ay_api_time(s == NULL ? 0 : s->created_at + a->settings.session_life_ms));
}

/* Its one use: it must be armed anew. Everybody is told, loudly. */
static enum ay_rc break_glass(struct ay_api_call *c, struct ay_api_account *u, struct ay_err *e)
{
	struct ay_secrets s = { 0 };
	char text[AY_MAX_NAME_BYTES + 128];
	enum ay_rc rc = AY_OK;

	if (u->secrets == NULL || u->secrets->break_glass == AY_GLASS_NONE)
		return AY_OK;
	s = *u->secrets;
	if (AY_CHECKED("GLASS_USED", s.break_glass != AY_GLASS_ARMED))
		rc = ay_auth_wrong(e);
	s.break_glass = AY_GLASS_USED;
	if (rc == AY_OK)
		rc = ay_account_keep(c->api, u, &s, e);
	OPENSSL_cleanse(&s, sizeof(s));
	if (rc != AY_OK)
		return rc;
	snprintf(text, sizeof(text), "the account for emergencies %s was used from %.*s", u->name,
		 (int)c->peer.n, (const char *)c->peer.p);
	ay_api_leave(c, "BREAK_GLASS_USE", u->name, NULL, "done");
	ay_engine_person_event(c->api->engine, "BREAK_GLASS_USED", text);
	return AY_OK;
}

static struct ay_session spec_of(const struct ay_api_call *c, const char *how, bool mfa)
{
	struct ay_session spec = { .mfa = mfa };

	snprintf(spec.scheme, sizeof(spec.scheme), "%s", how);
	snprintf(spec.peer, sizeof(spec.peer), "%.*s", (int)c->peer.n, (const char *)c->peer.p);
	snprintf(spec.agent, sizeof(spec.agent), "%.*s", (int)c->agent.n,
		 c->agent.n == 0 ? "" : (const char *)c->agent.p);
	return spec;
}

enum ay_rc ay_login_open(struct ay_api_call *c, struct ay_api_account *u, const char *how, bool mfa,
			 struct ay_session **s, const char **csrf, struct ay_err *e)
{
	const struct ay_session spec = spec_of(c, how, mfa);
	struct ay_session_told told = { 0 };
	struct ay_principal who;
	char cookie[128];
	enum ay_rc rc = ay_auth_user(c->api, u, &who, e);

	if (rc == AY_OK)
		rc = break_glass(c, u, e);
	if (rc == AY_OK)
		rc = ay_session_new(c->api, u->id, &spec, &told, s, e);
	if (rc != AY_OK)
		return rc;
	who.mfa = mfa;
	who.scheme = "session";
	snprintf(who.session_id, sizeof(who.session_id), "%s", (*s)->id);
	c->who = who;
	ay_session_cookie(told.cookie, cookie);
	ay_api_header(c, "set-cookie", cookie);
	ay_api_login(c, ay_bytes_of(u->name), how, NULL);
	*csrf = ay_arena_str(&c->arena, ay_bytes_of(told.csrf));
	OPENSSL_cleanse(&told, sizeof(told));
	OPENSSL_cleanse(cookie, sizeof(cookie));
	return AY_OK;
}

/*
 * The password was right, and counts no more; a code that is not is a failure
 * like a wrong password, and one that was not given is none.
 */
static bool is_guess(enum ay_rc rc, const struct ay_err *e)
{
	return rc == AY_E_DENIED && strcmp(e->code, "AUTH_TOTP") != 0;
}

static void answer(struct ay_api_call *c, const struct ay_session *s, const char *csrf)
{
	ay_api_json(c, 200, session_json(c->api, &c->who, s, csrf));
}

static void with_password(struct ay_api_call *c, enum ay_rc rc, struct ay_api_account *u,
			  const struct ay_err *e)
{
	struct ay_err why = *e;
	struct ay_session *s;
	const char *how = "", *csrf;

	if (rc == AY_OK) {
		rc = ay_second_check(c->api, u, ay_api_text(c, "code"), &how, &why);
		if (AY_CHECKED("TOTP_GUESS", is_guess(rc, &why)))
			ay_attempt_charge(c, ay_bytes_of(u->name));
	}
	if (rc == AY_OK)
		rc = ay_login_open(c, u, how, strcmp(how, "password") != 0, &s, &csrf, &why);
	if (rc != AY_OK) {
		refuse(c, "password", rc, &why);
		return;
	}
	ay_attempt_refund(c, ay_bytes_of(u->name), true);
	answer(c, s, csrf);
}

/* The same, where the directory has said that the password is right. */
static void with_directory(struct ay_api_call *c, enum ay_rc rc, struct ay_api_account *u,
			   const struct ay_err *e)
{
	struct ay_err why = *e;
	struct ay_session *s;
	struct ay_bytes there;
	const char *how = "", *csrf;
	char scheme[32] = "ldap";
	bool second = false;

	if (!ay_ldap_decides(c->api, ay_api_text(c, "user"), &there))
		rc = ay_auth_wrong(&why); /* an account of that name was made meanwhile */
	if (rc == AY_OK) {
		rc = ay_second_check(c->api, u, ay_api_text(c, "code"), &how, &why);
		if (AY_CHECKED("LDAP_TOTP_GUESS", is_guess(rc, &why)))
			ay_ldap_charge(c, there);
	}
	second = strcmp(how, "password") != 0;
	if (second)
		snprintf(scheme, sizeof(scheme), "ldap, %s", how);
	if (rc == AY_OK)
		rc = ay_login_open(c, u, scheme, second, &s, &csrf, &why);
	if (rc != AY_OK) {
		refuse(c, "ldap", rc, &why);
		return;
	}
	ay_ldap_refund(c, there, true);
	answer(c, s, csrf);
}

/* A local name is judged here and nowhere else; any other by the directory, if there is one. */
void ay_api_login_begin(struct ay_api_call *c)
{
	struct ay_bytes name = ay_api_text(c, "user"), password = ay_api_text(c, "password");
	struct ay_bytes there;
	struct ay_err e = { 0 };
	bool at_ldap = ay_ldap_decides(c->api, name, &there);
	enum ay_rc rc = at_ldap ? ay_ldap_attempt(c, there, password, with_directory, &e)
				: ay_attempt_start(c, name, password, with_password, &e);

	if (rc != AY_OK)
		refuse(c, at_ldap ? "ldap" : "password", rc, &e);
}

/* ---- what is there ---- */

void ay_api_session_show(struct ay_api_call *c)
{
	const struct ay_session *s = ay_session_of(c->api, &c->who);

	ay_api_json(c, 200, session_json(c->api, &c->who, s, c->csrf));
}

static json_t *row_json(const struct ay_api *a, const struct ay_session *s, const char *own)
{
	return json_pack("{s:s, s:b, s:s, s:b, s:s, s:s, s:o, s:o, s:o}", "id", s->id, "this",
			 (int)(strcmp(s->id, own) == 0), "scheme", s->scheme, "mfa", (int)s->mfa,
			 "peer", s->peer, "agent", s->agent, "created_at",
			 ay_api_time(s->created_at), "used_at", ay_api_time(s->used_at), "until",
			 ay_api_time(s->created_at + a->settings.session_life_ms));
}

static void list_of(struct ay_api_call *c, uint64_t user)
{
	json_t *all = json_array();

	for (const struct ay_session *s = c->api->sessions; s != NULL; s = s->next)
		if (s->user == user && user != 0)
			json_array_append_new(all, row_json(c->api, s, c->who.session_id));
	ay_api_array_by(c, all, "created_at,id");
}

void ay_api_sessions_list(struct ay_api_call *c)
{
	list_of(c, c->who.user_id);
}

void ay_api_users_sessions(struct ay_api_call *c)
{
	const struct ay_api_account *u = ay_account_find(c->api, c->param[0]);
	struct ay_err e;

	if (u != NULL) {
		list_of(c, u->id);
		return;
	}
	ay_err_set(&e, AY_E_NOENT, "user", 0, "no account has this name");
	ay_api_problem(c, &e);
}

/* ---- out ---- */

void ay_api_logout(struct ay_api_call *c)
{
	struct ay_session *s = ay_session_of(c->api, &c->who);
	struct ay_err e = { 0 };
	char cookie[128];

	if (s != NULL && ay_api_refused(c, ay_session_end(c->api, s, &e), &e))
		return;
	ay_session_cookie("", cookie);
	ay_api_header(c, "set-cookie", cookie);
	if (ay_api_audit(c, "LOGOUT", ay_bytes_of(c->who.user), json_object()))
		ay_api_empty(c, 204);
}

/* One of one's own. */
void ay_api_sessions_end_one(struct ay_api_call *c)
{
	struct ay_session *s = c->api->sessions;
	struct ay_err e = { 0 };

	while (s != NULL && (AY_CHECKED("SESSION_OWN", s->user != c->who.user_id) ||
			     !ay_bytes_eq(ay_bytes_of(s->id), c->param[0])))
		s = s->next;
	if (s == NULL) {
		ay_err_set(&e, AY_E_NOENT, "session", 0, "you have no such session");
		ay_api_problem(c, &e);
		return;
	}
	if (!ay_api_refused(c, ay_session_end(c->api, s, &e), &e) &&
	    ay_api_audit(c, "SESSION_END", c->param[0], json_object()))
		ay_api_empty(c, 204);
}

void ay_api_users_sessions_end(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_api_user_to_change(c);
	struct ay_err e = { 0 };

	if (u != NULL && !ay_api_refused(c, ay_sessions_end(c->api, u->id, NULL, &e), &e) &&
	    ay_api_audit(c, "SESSIONS_END", ay_bytes_of(u->name), json_object()))
		ay_api_empty(c, 204);
}
