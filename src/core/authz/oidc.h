/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_OIDC_H
#define AY_AUTHZ_OIDC_H

/*
 * People of an identity provider: OpenID Connect, authorization code flow with
 * PKCE (docs/login.md). What the provider says is read and checked here; who
 * sends it, keeps it and draws random numbers is the caller's matter.
 * Spec [OIDC-CORE 3.1], [OIDC-DISCOVERY 4], [RFC7636], [RFC9207], [RFC9700]
 */
#include "core/assertion/jwt.h"

enum {
	AY_OIDC_URL = 1024,	/* room for an address, with terminator */
	AY_OIDC_RANDOM = 44,	/* 32 octets in base64url: state, nonce, verifier */
	AY_OIDC_REQUEST = 4096, /* room for the address of a login */
};

/* What discovery tells. */
struct ay_oidc_provider {
	char issuer[AY_OIDC_URL];
	char authorization[AY_OIDC_URL], token[AY_OIDC_URL], jwks[AY_OIDC_URL];
	bool says_iss; /* names itself in each answer [RFC9207] */
	bool post;     /* takes the client's secret in the body alone, not as Basic */
};

/* "ISSUER/.well-known/openid-configuration"; false: too long, or the issuer is no https address. */
AY_MUST_USE bool ay_oidc_discovery_url(const char *issuer, char out[AY_OIDC_URL]);
/*
 * The document there. Its issuer must be ours, octet for octet; its addresses
 * https; code flow and S256 among what it can do. Codes OIDC_DISCOVERY, OIDC_ISSUER.
 */
AY_MUST_USE enum ay_rc ay_oidc_discovery_parse(struct ay_bytes text, const char *issuer,
					       struct ay_oidc_provider *out, struct ay_err *e);

/* One login on its way: random texts of AY_OIDC_RANDOM. */
struct ay_oidc_login {
	char state[AY_OIDC_RANDOM], nonce[AY_OIDC_RANDOM], verifier[AY_OIDC_RANDOM];
};
struct ay_oidc_client {
	const char *id, *redirect, *scopes; /* scopes: blanks between; has "openid" */
};
/* Where the browser is sent. False: it does not fit. */
AY_MUST_USE bool ay_oidc_request(const struct ay_oidc_provider *p, const struct ay_oidc_client *c,
				 const struct ay_oidc_login *l, char out[AY_OIDC_REQUEST]);
/* base64url(SHA-256(verifier)) [RFC7636 4.2] */
void ay_oidc_challenge(const char *verifier, char out[AY_OIDC_RANDOM]);

/* What the browser brings back; views, n 0: missing. */
struct ay_oidc_answer {
	struct ay_bytes state, code, iss, error;
};
/*
 * Is it an answer of this provider? It must name itself where discovery says it
 * does, and nobody else ever [RFC9207 2.4]. Codes OIDC_ISSUER, OIDC_REFUSED (error:
 * the provider let nobody in), OIDC_CODE.
 */
AY_MUST_USE enum ay_rc ay_oidc_answer_check(const struct ay_oidc_answer *a,
					    const struct ay_oidc_provider *p, struct ay_err *e);

/* The form that asks for the token; in the arena, {NULL, 0} without memory. secret NULL: not in it.
 */
struct ay_bytes ay_oidc_token_form(const struct ay_oidc_client *c, const struct ay_oidc_login *l,
				   struct ay_bytes code, const char *secret, struct ay_arena *a);
/* "Basic ..." of client and secret, each form-encoded first [RFC6749 2.3.1]; NULL: no memory. */
const char *ay_oidc_basic(const char *id, const char *secret, struct ay_arena *a);
/* The ID token in the token's answer, in the arena. Code OIDC_TOKEN. */
AY_MUST_USE enum ay_rc ay_oidc_token_parse(struct ay_bytes text, struct ay_arena *a,
					   struct ay_bytes *id_token, struct ay_err *e);

enum { AY_OIDC_GROUP = 256 };

/* Who somebody is, as the provider says. */
struct ay_oidc_person {
	char subject[256];		  /* never given to another person by this provider */
	char name[AY_MAX_NAME_BYTES + 1]; /* as our names are; may be empty */
	char display[AY_MAX_NAME_BYTES + 1];
	bool mfa; /* amr or acr is among those that mean a second factor */
	size_t n_groups;
	char (*groups)[AY_OIDC_GROUP]; /* in the arena */
};

struct ay_oidc_expect {
	const struct ay_jwt_keys *keys;
	const char *issuer, *client_id, *nonce;
	int64_t now_ms, skew_ms, max_age_ms; /* max_age: oldest iat that is taken */
	const char *groups_claim;
	const char *mfa; /* values of amr or acr, with commas between */
};
/*
 * ID token [OIDC-CORE 3.1.3.7]: signature with RS256 or ES256 by a key of the
 * provider, iss, aud and azp, exp, iat, nonce. Codes JWT_*, OIDC_ISSUER OIDC_AUDIENCE
 * OIDC_TIME OIDC_NONCE OIDC_CLAIMS.
 */
AY_MUST_USE enum ay_rc ay_oidc_id_token_check(struct ay_bytes text,
					      const struct ay_oidc_expect *want, struct ay_arena *a,
					      struct ay_oidc_person *out, struct ay_err *e);
/* The claims alone, once they are believed. */
AY_MUST_USE enum ay_rc ay_oidc_claims_check(const json_t *claims, const struct ay_oidc_expect *want,
					    struct ay_arena *a, struct ay_oidc_person *out,
					    struct ay_err *e);

#endif
