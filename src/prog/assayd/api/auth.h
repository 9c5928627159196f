/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_AUTH_H
#define AY_ASSAYD_API_AUTH_H

/*
 * How a request shows who sends it: one row of schemes.def per way. The first
 * row that finds its kind of credential decides, whatever the others would say:
 * a wrong one is refused and never becomes "no credential".
 */
#include "prog/assayd/api/call.h"

enum ay_auth {
	AY_AUTH_REFUSED = 0, /* e: AY_E_DENIED, code AUTH_*; or a fault */
	AY_AUTH_NONE,	     /* the request has no credential of this kind */
	AY_AUTH_OK,	     /* who is filled */
	AY_AUTH_LATER,	     /* the answer comes by ay_auth_finish() */
};

/*
 * r is the request as sent: method, path and query undecoded, headers, body,
 * peer, TLS client certificate. It lives until the call returns, or, after
 * AY_AUTH_LATER, in c->message. who is zeroed before. A scheme that answers
 * later keeps c, sets c->left (the client may go) and ends with
 * ay_auth_finish(); it must not keep r.
 */
typedef enum ay_auth ay_auth_fn(struct ay_api_call *c, const struct ay_api_request *r,
				struct ay_principal *who, struct ay_err *e);

struct ay_auth_scheme {
	const char *name;
	ay_auth_fn *check;
	const char *challenge; /* one challenge of WWW-Authenticate, or "" */
	const char *doc;
};
const struct ay_auth_scheme *ay_auth_schemes(size_t *n);

#define X(name, check, challenge, doc) ay_auth_fn check;
#include "prog/assayd/api/schemes.def"
#undef X

/* listener.c: what [compat] says. AY_E_INPUT: a role that there is not. */
AY_MUST_USE enum ay_rc ay_listener_roles_load(struct ay_api *a, struct ay_err *e);

/* Asks the rows in turn. AY_AUTH_NONE: nothing was shown; the route decides. */
enum ay_auth ay_auth_check(struct ay_api_call *c, const struct ay_api_request *r,
			   struct ay_principal *who, struct ay_err *e);
/* The end of AY_AUTH_LATER: goes on with the request, or refuses it. who: when rc is AY_OK. */
void ay_auth_finish(struct ay_api_call *c, enum ay_rc rc, const struct ay_principal *who,
		    const struct ay_err *e);

/* The one refusal for every credential that is not right: it does not say why. */
AY_MUST_USE enum ay_rc ay_auth_wrong(struct ay_err *e);
enum ay_auth ay_auth_refused(struct ay_err *e); /* the same, as a row ends */
/* The credentials of an Authorization header of this scheme: what stands after the blank. NULL
 * view: it is of another scheme, or there is none. */
struct ay_bytes ay_auth_of(const struct ay_api_request *r, const char *scheme);
/* An API token as text: who it lets in. AY_E_DENIED AUTH_*. */
AY_MUST_USE enum ay_rc ay_bearer_check(struct ay_api *a, struct ay_bytes text,
				       struct ay_principal *who, struct ay_err *e);
/* What a user may: fills id, name, grants. AY_E_DENIED when the account is not to be used. */
AY_MUST_USE enum ay_rc ay_auth_user(struct ay_api *a, const struct ay_api_account *u,
				    struct ay_principal *who, struct ay_err *e);

/* The rights of the token of this id, for a caller who checked another proof of it. */
AY_MUST_USE enum ay_rc ay_auth_token_id(struct ay_api *a, struct ay_bytes id,
					struct ay_principal *who, struct ay_err *e);

/*
 * A request was refused for its credential or its rights: status 401, 403, 404
 * (out of scope) or 429. The one place where that is reported to the audit.
 */
void ay_api_denied(struct ay_api_call *c, int status, const struct ay_err *e);

#endif
