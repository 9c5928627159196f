/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_ATTEMPT_H
#define AY_ASSAYD_API_ATTEMPT_H

/*
 * One try of a name and a password: slowed down by who fails where (lockout.h),
 * checked in a thread, equally long for names that nobody has.
 */
#include "core/authz/lockout.h"
#include "prog/assayd/api/auth.h"

struct ay_attempts; /* counts and cache of all of them */

/*
 * rc AY_OK: the password is that of u. AY_E_DENIED AUTH_FAILED; AY_E_UNAVAIL.
 * The call goes on in here; it has no state any more.
 */
typedef void ay_attempt_fn(struct ay_api_call *c, enum ay_rc rc, struct ay_api_account *u,
			   const struct ay_err *e);

/*
 * AY_OK: fn is told. AY_E_DENIED AUTH_LOCKED (Retry-After is set), AY_E_UNAVAIL
 * AUTH_BUSY: it is not. Takes c->state and c->left meanwhile.
 */
AY_MUST_USE enum ay_rc ay_attempt_start(struct ay_api_call *c, struct ay_bytes name,
					struct ay_bytes password, ay_attempt_fn *fn,
					struct ay_err *e);
/* The same at the directory, for a name that ay_ldap_decides() gave (ldap_login.c). */
AY_MUST_USE enum ay_rc ay_ldap_attempt(struct ay_api_call *c, struct ay_bytes there,
				       struct ay_bytes password, ay_attempt_fn *fn,
				       struct ay_err *e);
void ay_ldap_charge(struct ay_api_call *c, struct ay_bytes there);
void ay_ldap_refund(struct ay_api_call *c, struct ay_bytes there, bool all);
/* What was charged for this call's attempt and is not a failure after all. */
void ay_attempt_refund(struct ay_api_call *c, struct ay_bytes name, bool all);
/* A second factor was wrong, or something else that guesses: slows down like a password. */
void ay_attempt_charge(struct ay_api_call *c, struct ay_bytes name);
/* How long this caller must wait for this name; sets Retry-After. */
AY_MUST_USE enum ay_rc ay_attempt_may(struct ay_api_call *c, struct ay_bytes name,
				      struct ay_err *e);

/* A new hash, in a thread. fn: hash NULL with e. Takes c->state and c->left meanwhile. */
typedef void ay_password_fn(struct ay_api_call *c, const char *hash, const struct ay_err *e);
AY_MUST_USE enum ay_rc ay_password_make(struct ay_api_call *c, struct ay_bytes password,
					ay_password_fn *fn, struct ay_err *e);
/* AY_E_INPUT: too short, too long, or the account's own name. */
AY_MUST_USE enum ay_rc ay_password_is_fit(const char *user, struct ay_bytes password,
					  struct ay_err *e);

AY_MUST_USE enum ay_rc ay_attempts_new(struct ay_api *a, struct ay_err *e);
void ay_attempts_free(struct ay_api *a);

#endif
