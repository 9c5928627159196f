/* SPDX-License-Identifier: Apache-2.0 */
/* The second factor: codes by time, or one of the recovery codes. */
#include "io/sys/rng.h"
#include "prog/assayd/api/attempt.h"
#include "prog/assayd/api/identities.h"
#include "prog/assayd/api/session.h"
#include "prog/assayd/api/totp.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static bool use_recovery(struct ay_secrets *s, struct ay_bytes code)
{
	uint8_t hash[32];
	size_t found = AY_RECOVERY_CODES;

	ay_recovery_hash(code, hash);
	for (size_t i = 0; i < s->n_recovery; i++)
		if (CRYPTO_memcmp(hash, s->recovery[i], sizeof(hash)) == 0)
			found = i;
	if (found == AY_RECOVERY_CODES)
		return false;
	s->n_recovery--; /* each once */
	memmove(s->recovery[found], s->recovery[s->n_recovery], 32);
	return true;
}

static bool use_totp(const uint8_t *seed, struct ay_secrets *s, struct ay_bytes code,
		     int64_t now_ms)
{
	return seed != NULL && ay_totp_check((struct ay_bytes){ seed, AY_TOTP_SECRET }, code,
					     now_ms / 1000, &s->totp_step);
}

/* Shortly after a start, or while keeper does not answer. */
static enum ay_rc not_open(struct ay_err *e)
{
	return ay_fail_code(e, AY_E_UNAVAIL, "UNAVAIL", "code",
			    "codes cannot be checked yet: try again in a moment");
}

enum ay_rc ay_second_check(struct ay_api *a, struct ay_api_account *u, struct ay_bytes code,
			   const char **how, struct ay_err *e)
{
	const uint8_t *seed;
	struct ay_secrets s;
	enum ay_rc rc;

	*how = "password";
	if (u->secrets == NULL || u->secrets->totp_state != AY_TOTP_ON)
		return AY_OK;
	if (AY_CHECKED("TOTP_WANTED", code.n == 0))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_TOTP", "code",
				    "give the code of your authenticator, or a recovery code");
	s = *u->secrets;
	seed = ay_seed_of(a, u);
	*how = "totp";
	if (!use_totp(seed, &s, code, a->now_ms)) {
		*how = "recovery code";
		if (AY_CHECKED("TOTP_WRONG", !use_recovery(&s, code))) {
			OPENSSL_cleanse(&s, sizeof(s));
			return seed != NULL ? ay_auth_wrong(e) : not_open(e);
		}
	}
	rc = ay_account_keep(a, u, &s, e); /* used: stored before it counts */
	OPENSSL_cleanse(&s, sizeof(s));
	return rc;
}

/* ---- one's own: enrolment ---- */

static struct ay_secrets secrets_of(const struct ay_api_account *u)
{
	return u->secrets == NULL ? (struct ay_secrets){ 0 } : *u->secrets;
}

/* The account of the caller, who must be a person with a password, here or at the directory. */
static struct ay_api_account *own(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_account_by_id(c->api, c->who.user_id);
	bool has = u != NULL && u->secrets != NULL && u->secrets->password[0] != '\0';
	struct ay_err e;

	/* whoever has a token for little could lock its owner out of his own account */
	if (AY_CHECKED("TOTP_BY_TOKEN", c->who.token_id[0] != '\0')) {
		ay_err_set(&e, AY_E_DENIED, "authorization", 0,
			   "an API token does not change the second factor: log in");
		ay_err_code(&e, "TOKEN_BY_TOKEN");
		ay_api_denied(c, 403, &e);
		ay_api_problem(c, &e);
		return NULL;
	}
	if (u != NULL && (has || ay_identity_is_of(c->api, u->id, "ldap")) &&
	    (u->secrets == NULL || u->secrets->break_glass == AY_GLASS_NONE))
		return u;
	ay_err_set(&e, AY_E_EXISTS, "user", 0, "this account has no password of its own");
	ay_api_problem(c, &e);
	return NULL;
}

void ay_api_totp_offer(struct ay_api_call *c)
{
	struct ay_api_account *u = own(c);
	uint8_t secret[AY_TOTP_SECRET];
	char text[AY_TOTP_TEXT], *uri;
	struct ay_secrets s;
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	if (u == NULL)
		return;
	s = secrets_of(u);
	if (AY_CHECKED("TOTP_OFFER", s.totp_state == AY_TOTP_ON))
		rc = ay_fail(&e, AY_E_EXISTS, "totp", 0, "end the one in force first");
	ay_rng_bytes(secret, sizeof(secret));
	s.totp_state = AY_TOTP_OFFERED;
	OPENSSL_cleanse(s.totp, sizeof(s.totp));
	s.totp_n = 0; /* it comes when keeper has wrapped it */
	if (rc == AY_OK)
		rc = ay_account_keep(c->api, u, &s, &e);
	if (rc == AY_OK && !ay_seed_offer(c->api, u->id, secret))
		rc = ay_fail(&e, AY_E_NOMEM, "totp", 0, "no memory");
	OPENSSL_cleanse(&s, sizeof(s));
	ay_totp_text(secret, text);
	uri = ay_totp_uri(u->name, secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "TOTP_OFFER", ay_bytes_of(u->name), json_object()))
		ay_api_json(c, 201, json_pack("{s:s, s:s?}", "secret", text, "uri", uri));
	if (uri != NULL)
		OPENSSL_cleanse(uri, strlen(uri));
	free(uri);
	OPENSSL_cleanse(text, sizeof(text));
}

static json_t *make_recovery(struct ay_secrets *s)
{
	json_t *list = json_array();
	char text[AY_RECOVERY_TEXT];

	for (s->n_recovery = 0; s->n_recovery < AY_RECOVERY_CODES; s->n_recovery++) {
		ay_recovery_make(text, s->recovery[s->n_recovery]);
		json_array_append_new(list, json_string(text));
	}
	OPENSSL_cleanse(text, sizeof(text));
	return json_pack("{s:o}", "recovery", list);
}

void ay_api_totp_confirm(struct ay_api_call *c)
{
	struct ay_api_account *u = own(c);
	struct ay_bytes code = ay_api_text(c, "code");
	json_t *told = NULL;
	struct ay_secrets s;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (u == NULL)
		return;
	s = secrets_of(u);
	rc = ay_attempt_may(c, ay_bytes_of(u->name), &e);
	if (rc == AY_OK && s.totp_state != AY_TOTP_OFFERED)
		rc = ay_fail(&e, AY_E_EXISTS, "totp", 0, "ask for a secret first");
	if (rc == AY_OK && ay_seed_of(c->api, u) == NULL)
		rc = not_open(&e);
	if (rc == AY_OK && !use_totp(ay_seed_of(c->api, u), &s, code, c->api->now_ms)) {
		ay_attempt_charge(c, ay_bytes_of(u->name));
		rc = ay_fail_code(&e, AY_E_INPUT, "TOTP_WRONG", "code",
				  "this is not the code of now: is the clock right?");
	}
	if (rc == AY_OK) {
		s.totp_state = AY_TOTP_ON;
		told = make_recovery(&s);
		rc = ay_account_keep(c->api, u, &s, &e);
	}
	OPENSSL_cleanse(&s, sizeof(s));
	if (rc == AY_OK) /* sessions begun without it */
		rc = ay_sessions_end(c->api, u->id, c->who.session_id, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "TOTP_ON", ay_bytes_of(u->name), json_object()))
		ay_api_json(c, 200, json_incref(told));
	json_decref(told);
}

static enum ay_rc end_totp(struct ay_api *a, struct ay_api_account *u, struct ay_err *e)
{
	struct ay_secrets s = secrets_of(u);
	enum ay_rc rc;

	s.totp_state = AY_TOTP_NONE;
	s.n_recovery = 0;
	OPENSSL_cleanse(s.totp, sizeof(s.totp));
	s.totp_n = 0;
	rc = ay_account_keep(a, u, &s, e);
	if (rc == AY_OK)
		ay_seed_drop(a, u->id);
	OPENSSL_cleanse(&s, sizeof(s));
	return rc;
}

/* Only with a code: a session left open does not take the second factor away. */
void ay_api_totp_end(struct ay_api_call *c)
{
	struct ay_api_account *u = own(c);
	struct ay_err e = { 0 };
	const char *how;
	enum ay_rc rc;

	if (u == NULL)
		return;
	rc = ay_attempt_may(c, ay_bytes_of(u->name), &e);
	if (rc == AY_OK) {
		rc = ay_second_check(c->api, u, ay_api_text(c, "code"), &how, &e);
		if (rc == AY_E_DENIED)
			ay_attempt_charge(c, ay_bytes_of(u->name));
	}
	if (rc == AY_OK)
		rc = end_totp(c->api, u, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "TOTP_OFF", ay_bytes_of(u->name), json_object()))
		ay_api_empty(c, 204);
}

void ay_api_users_totp_end(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_api_user_to_change(c);
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	if (u == NULL)
		return;
	if (u->secrets != NULL)
		rc = end_totp(c->api, u, &e);
	if (rc == AY_OK)
		rc = ay_sessions_end(c->api, u->id, NULL, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "TOTP_OFF", ay_bytes_of(u->name), json_object()))
		ay_api_empty(c, 204);
}
