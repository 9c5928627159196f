/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords are set: one's own, somebody else's, the first administrator's, for emergencies. */
#include "core/crypto/hash.h"
#include "io/sys/rng.h"
#include "prog/assayd/api/attempt.h"
#include "prog/assayd/api/session.h"
#include "prog/assayd/api/totp.h"

#include <openssl/crypto.h>

/* by_owner: whoever knew the old one; else the account's credentials begin anew. */
static enum ay_rc put_password(struct ay_api *a, struct ay_api_account *u, const char *hash,
			       bool by_owner, enum ay_break_glass glass, struct ay_err *e)
{
	struct ay_secrets s = { 0 };
	enum ay_rc rc;

	if (u->secrets != NULL)
		s = *u->secrets;
	snprintf(s.password, sizeof(s.password), "%s", hash);
	if (!by_owner)
		s.password_at = a->now_ms;
	s.break_glass = (uint8_t)glass;
	rc = ay_account_keep(a, u, &s, e);
	OPENSSL_cleanse(&s, sizeof(s));
	return rc;
}

/* ---- one's own ---- */

static void own_made(struct ay_api_call *c, const char *hash, const struct ay_err *why)
{
	struct ay_api_account *u = ay_account_by_id(c->api, c->who.user_id);
	struct ay_err e = *why;
	enum ay_rc rc = hash == NULL ? why->rc : AY_OK;

	if (rc == AY_OK && u == NULL)
		rc = ay_fail(&e, AY_E_NOENT, "user", 0, "the account is gone");
	if (rc == AY_OK)
		rc = put_password(c->api, u, hash, true, AY_GLASS_NONE, &e);
	if (rc == AY_OK)
		rc = ay_sessions_end(c->api, u->id, c->who.session_id, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "PASSWORD_CHANGE", ay_bytes_of(u->name), json_object()))
		ay_api_empty(c, 204);
}

static void own_checked(struct ay_api_call *c, enum ay_rc rc, struct ay_api_account *u,
			const struct ay_err *e)
{
	struct ay_err why = { 0 };

	if (rc == AY_E_DENIED) {
		ay_api_denied(c, 403, e);
		ay_api_problem_as(c, 403, e, NULL, NULL);
		return;
	}
	if (ay_api_refused(c, rc, e))
		return;
	rc = u->secrets->break_glass == AY_GLASS_NONE
		     ? ay_password_make(c, ay_api_text(c, "password"), own_made, &why)
		     : ay_fail(&why, AY_E_EXISTS, "password", 0,
			       "an account for emergencies is armed by an administrator");
	if (ay_api_refused(c, rc, &why))
		return;
	ay_attempt_refund(c, ay_bytes_of(c->who.user), true);
}

void ay_api_password_change(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_password_is_fit(c->who.user, ay_api_text(c, "password"), &e);

	if (ay_api_refused(c, rc, &e) || !ay_api_intend(c))
		return;
	rc = ay_attempt_start(c, ay_bytes_of(c->who.user), ay_api_text(c, "old"), own_checked, &e);
	if (rc == AY_E_DENIED)
		ay_api_problem_as(c, 429, &e, NULL, NULL);
	else if (rc != AY_OK)
		ay_api_problem(c, &e);
}

/* ---- somebody else's ---- */

static void other_made(struct ay_api_call *c, const char *hash, const struct ay_err *why)
{
	struct ay_api_account *u = ay_api_user_to_change(c); /* rights may have changed meanwhile */
	struct ay_err e = *why;
	enum ay_rc rc = hash == NULL ? why->rc : AY_OK;

	if (u == NULL)
		return;
	if (rc == AY_OK)
		rc = put_password(c->api, u, hash, false, AY_GLASS_NONE, &e);
	if (rc == AY_OK)
		rc = ay_sessions_end(c->api, u->id, NULL, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "PASSWORD_SET", ay_bytes_of(u->name), json_object()))
		ay_api_empty(c, 204);
}

void ay_api_users_password(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_api_user_to_change(c);
	struct ay_err e = { 0 };

	if (u == NULL ||
	    ay_api_refused(c, ay_password_is_fit(u->name, ay_api_text(c, "password"), &e), &e) ||
	    !ay_api_intend(c))
		return;
	ay_api_refused(c, ay_password_make(c, ay_api_text(c, "password"), other_made, &e), &e);
}

/* ---- for emergencies ---- */

static void glass_made(struct ay_api_call *c, const char *hash, const struct ay_err *why)
{
	struct ay_api_account *u = ay_api_user_to_change(c);
	struct ay_err e = *why;
	enum ay_rc rc = hash == NULL ? why->rc : AY_OK;

	if (u == NULL)
		return;
	if (rc == AY_OK)
		rc = put_password(c->api, u, hash, false, AY_GLASS_ARMED, &e);
	if (rc == AY_OK)
		rc = ay_sessions_end(c->api, u->id, NULL, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "BREAK_GLASS_ARM", ay_bytes_of(u->name), json_object()))
		ay_api_json(c, 201,
			    json_pack("{s:s, s:s}", "user", u->name, "password", c->sealed));
}

void ay_api_users_break_glass(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_api_user_to_change(c);
	char part[2][AY_RECOVERY_TEXT];
	uint8_t hash[32];
	struct ay_err e = { 0 };

	if (u == NULL)
		return;
	if (u->id == c->who.user_id) {
		ay_err_set(&e, AY_E_EXISTS, "user", 0,
			   "an account for emergencies is one that nobody uses");
		ay_api_problem(c, &e);
		return;
	}
	if (!ay_api_intend(c))
		return;
	ay_recovery_make(part[0], hash);
	ay_recovery_make(part[1], hash);
	snprintf(c->sealed, sizeof(c->sealed), "%s-%s", part[0], part[1]);
	OPENSSL_cleanse(part, sizeof(part));
	ay_api_refused(c, ay_password_make(c, ay_bytes_of(c->sealed), glass_made, &e), &e);
}

/* ---- the first administrator ---- */

static const char meta_key[] = "first-admin"; /* SHA-256 of the secret, end as u64; empty: used */

static enum ay_rc link_is_good(struct ay_api_call *c, struct ay_err *e)
{
	struct ay_bytes secret = ay_api_text(c, "secret"), kept = { NULL, 0 };
	uint8_t hash[32];
	struct ay_reader r;
	enum ay_rc rc = ay_store_meta(c->api->store, meta_key, &c->arena, &kept, e);
	int64_t until;
	bool same;

	if (rc != AY_OK && rc != AY_E_NOENT)
		return rc;
	ay_sha256(secret, hash);
	same = kept.n == 40 && CRYPTO_memcmp(kept.p, hash, sizeof(hash)) == 0;
	ay_rd_init(&r, kept.n == 40 ? (struct ay_bytes){ kept.p + 32, 8 }
				    : (struct ay_bytes){ NULL, 0 });
	until = (int64_t)ay_rd_be64(&r, "until");
	if (AY_CHECKED("FIRST_ADMIN_LINK", !same) ||
	    AY_CHECKED("FIRST_ADMIN_EXPIRED", until <= c->api->now_ms))
		return ay_fail_code(
			e, AY_E_DENIED, "FIRST_ADMIN", "secret",
			"the link is wrong, used or too old: assayd first-admin makes a new one");
	return AY_OK;
}

static enum ay_rc make_first(struct ay_api_call *c, const char *hash, struct ay_err *e)
{
	struct ay_secrets s = { .password_at = c->api->now_ms };
	struct ay_api_account row = { .role = "admin",
				      .created_at = c->api->now_ms,
				      .secrets = &s };
	struct ay_write w = { .kind = AY_WR_META, .meta = { meta_key, { NULL, 0 } } };
	struct ay_bytes name = ay_api_text(c, "name");
	enum ay_rc rc = link_is_good(c, e); /* another request may have used it meanwhile */

	if (rc == AY_OK && ay_account_find(c->api, name) != NULL)
		rc = ay_fail(e, AY_E_EXISTS, "name", 0,
			     "there is such an account: take another name");
	snprintf(row.name, sizeof(row.name), "%s", (const char *)name.p);
	snprintf(s.password, sizeof(s.password), "%s", hash);
	if (rc == AY_OK) /* the link is used when there is somebody who may log in, not before */
		rc = ay_account_put_with(c->api, &row, &w, e);
	OPENSSL_cleanse(&s, sizeof(s));
	return rc;
}

static void first_made(struct ay_api_call *c, const char *hash, const struct ay_err *why)
{
	struct ay_err e = *why;
	enum ay_rc rc = hash == NULL ? why->rc : make_first(c, hash, &e);

	if (rc == AY_E_DENIED)
		ay_api_denied(c, 403, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "FIRST_ADMIN", ay_api_text(c, "name"), json_object()))
		ay_api_empty(c, 204);
}

void ay_api_first_admin(struct ay_api_call *c)
{
	static const char slot[] = "first-admin"; /* no name of an account can slow this down */
	struct ay_bytes name = ay_api_text(c, "name"), password = ay_api_text(c, "password");
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_attempt_may(c, ay_bytes_of(slot), &e);

	if (rc == AY_E_DENIED) {
		ay_api_problem_as(c, 429, &e, NULL, NULL);
		return;
	}
	rc = link_is_good(c, &e);
	if (rc == AY_E_DENIED) {
		ay_attempt_charge(c, ay_bytes_of(slot));
		ay_api_denied(c, 403, &e);
	}
	if (rc == AY_OK)
		rc = ay_password_is_fit((const char *)name.p, password, &e);
	if (ay_api_refused(c, rc, &e) || !ay_api_intend(c))
		return;
	ay_api_refused(c, ay_password_make(c, password, first_made, &e), &e);
}
