/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_PRINCIPAL_H
#define AY_ASSAYD_API_PRINCIPAL_H

/*
 * Who asks, after the credential was checked, and what he may do where.
 * Whatever the credential was (token, session, certificate, OIDC, ...), it
 * leads to one user id, which is given once and never again.
 */
#include "core/base/bytes.h"
#include "core/base/limits.h"

enum { AY_SCOPE_LABELS = 8, AY_SCOPE_KEY = 64, AY_PRINCIPAL_GRANTS = 8 };

struct ay_host;

enum ay_perm {
#define X(name, doc) AY_PERM_##name,
#include "prog/assayd/api/perms.def"
#undef X
	AY_PERMS
};
#define AY_PERM_BIT(name) (UINT64_C(1) << AY_PERM_##name)

/* Hosts that have all of these labels. A pool is the label "pool". n 0: every host. */
struct ay_scope {
	size_t n;
	struct {
		char key[AY_SCOPE_KEY + 1];
		char value[AY_MAX_NAME_BYTES + 1];
	} label[AY_SCOPE_LABELS];
};

/* One role somebody has: bit N of perms is permission N, held within the scope. */
struct ay_grant {
	uint64_t perms;
	struct ay_scope scope;
};

/* Zeroed: nobody, who may do nothing. */
struct ay_principal {
	bool known;
	uint64_t user_id;		     /* 0: a role given to a listener, no person */
	char user[AY_MAX_NAME_BYTES + 1];    /* login name, unique, never used twice */
	char display[AY_MAX_NAME_BYTES + 1]; /* for people to read; may be empty */
	const char *scheme;		     /* row of schemes.def that let him in, static */
	bool mfa;			     /* showed a second factor for this credential */
	char token_id[16];		     /* of an API token, else empty */
	char session_id[24];   /* of a session, else empty; says nothing about its cookie */
	int64_t token_made_at; /* when the credential was made: API token, session; ms */
	uint64_t perms;	       /* held for some object at least: of all grants */
	uint64_t everywhere;   /* held without any scope */
	size_t n_grants;
	struct ay_grant grant[AY_PRINCIPAL_GRANTS];
};

/* Adds a grant and the bits it gives; false: there are too many. */
AY_MUST_USE bool ay_principal_grant(struct ay_principal *p, uint64_t perms,
				    const struct ay_scope *scope);
/* Takes away what mask and scope do not have: of a token that has less than its owner. */
AY_MUST_USE bool ay_principal_narrow(struct ay_principal *p, uint64_t mask,
				     const struct ay_scope *scope);

/* Without scope: what is not about one host. */
static inline bool ay_may(const struct ay_principal *p, enum ay_perm perm)
{
	return ((p->everywhere >> perm) & 1) != 0;
}
/* For this host. */
bool ay_may_host(const struct ay_principal *p, enum ay_perm perm, const struct ay_host *h);
bool ay_scope_has(const struct ay_scope *s, const struct ay_host *h);

#endif
