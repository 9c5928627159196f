/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_SESSION_H
#define AY_ASSAYD_API_SESSION_H

/*
 * Sessions of browsers and of `assay login`: a cookie with 32 random octets, of
 * which the store has the hash alone. They end by themselves when idle or old,
 * and when the password, the rights or the state of the account change.
 */
#include "prog/assayd/api/auth.h"

#define AY_SESSION_COOKIE "__Host-assay"
enum { AY_SESSION_SECRET = 44, AY_SESSION_ID = 20 }; /* texts with terminator */

struct ay_session {
	struct ay_session *next;
	uint8_t hash[32];
	char id[AY_SESSION_ID];
	uint64_t user;
	int64_t created_at, used_at, kept_at; /* kept_at: used_at as the store has it */
	bool mfa;
	char scheme[24]; /* how he showed who he is */
	char peer[80], agent[128];
};

/* What its browser is told, once. */
struct ay_session_told {
	char cookie[AY_SESSION_SECRET];
	char csrf[AY_SESSION_SECRET];
};

/* mfa, scheme, peer and agent of spec; the rest is made. */
AY_MUST_USE enum ay_rc ay_session_new(struct ay_api *a, uint64_t user,
				      const struct ay_session *spec, struct ay_session_told *told,
				      struct ay_session **out, struct ay_err *e);
/* "__Host-assay=..; Path=/; Secure; HttpOnly; SameSite=Strict". secret "": to make it go. */
void ay_session_cookie(const char *secret, char out[128]);
/* The session of this call, or NULL; csrf of it. */
struct ay_session *ay_session_of(struct ay_api *a, const struct ay_principal *who);
AY_MUST_USE enum ay_rc ay_session_end(struct ay_api *a, struct ay_session *s, struct ay_err *e);
void ay_session_csrf(struct ay_bytes secret, char out[AY_SESSION_SECRET]);
/* Is it over by now? */
bool ay_session_is_over(const struct ay_api *a, const struct ay_session *s);

/*
 * seal.c: seeds of second factors. A new one is checked from the moment it is
 * stored wrapped, which follows soon. False: no memory.
 */
AY_MUST_USE bool ay_seed_offer(struct ay_api *a, uint64_t user, const uint8_t seed[20]);
/* NULL: it is not unwrapped yet, or not stored yet. */
const uint8_t *ay_seed_of(struct ay_api *a, const struct ay_api_account *u);
void ay_seed_drop(struct ay_api *a, uint64_t user);
/* About once a second: those of before are wrapped, those not open yet are opened. */
void ay_seeds_tick(struct ay_api *a);
void ay_seeds_free(struct ay_api *a);
/*
 * second.c: the second factor of an account that has one. AY_E_DENIED AUTH_TOTP:
 * a code is wanted; AUTH_FAILED. *how: "password", "totp", "recovery code".
 */
AY_MUST_USE enum ay_rc ay_second_check(struct ay_api *a, struct ay_api_account *u,
				       struct ay_bytes code, const char **how, struct ay_err *e);

/* With the accounts. */
AY_MUST_USE enum ay_rc ay_sessions_load(struct ay_api *a, struct ay_err *e);
void ay_sessions_free(struct ay_api *a);
/* Those that are over go; about once a second. */
void ay_sessions_tick(struct ay_api *a);

#endif
