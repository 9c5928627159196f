/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_IDENTITIES_H
#define AY_ASSAYD_API_IDENTITIES_H

/*
 * What people are called elsewhere: a subject at a source leads to one user id.
 *
 *   oidc  "ISSUER SUBJECT" of the identity provider
 *   ldap  "ATTRIBUTE VALUE": what of his entry in the directory is never another's
 *   cert  SHA-256 of a client certificate's public key in hex. Anybody may ask
 *         for one to be taken; it opens nothing until somebody else approves it.
 *
 * Two names belong to one person only because an administrator says so.
 */
#include "prog/assayd/api/auth.h"

enum { AY_IDENTITY_ID = 33, AY_IDENTITY_SUBJECT = 1400, AY_IDENTITY_ASKED_MAX = 100 };

struct ay_identity {
	struct ay_identity *next;
	char id[AY_IDENTITY_ID]; /* of source and subject, for addresses */
	char source[16];
	char subject[AY_IDENTITY_SUBJECT];
	uint64_t user;
	enum ay_identity_state state;
	bool managed;			  /* the source decides about the account's rights */
	char name[AY_MAX_NAME_BYTES + 1]; /* that whoever asked gave */
	char by[AY_MAX_NAME_BYTES + 1];	  /* who approved, added or linked it */
	int64_t not_before, not_after;	  /* of a certificate; else 0 */
	int64_t created_at, decided_at;
	int64_t seen_at; /* last told in the audit; not stored */
};

/* identities.c: the answer of a route; the account that a name may be given to (else answered). */
void ay_api_identity_answer(struct ay_api_call *c, int status, const struct ay_identity *i);
struct ay_api_account *ay_api_account_to_give(struct ay_api_call *c, struct ay_bytes name);

AY_MUST_USE enum ay_rc ay_identities_load(struct ay_api *a, struct ay_err *e);
void ay_identities_free(struct ay_api *a);
struct ay_identity *ay_identity_find(struct ay_api *a, const char *source, const char *subject);
/* Does another source decide what this account may? */
bool ay_identity_manages(const struct ay_api *a, uint64_t user);
/* Stored, then in memory; source and subject of row decide which. *out may be NULL. */
AY_MUST_USE enum ay_rc ay_identity_put(struct ay_api *a, const struct ay_identity *row,
				       struct ay_identity **out, struct ay_err *e);
/* A new account and the first name of it, together or not at all; i->user is set. */
AY_MUST_USE enum ay_rc ay_identity_make(struct ay_api *a, const struct ay_api_account *u,
					struct ay_identity *i, struct ay_err *e);

/* Somebody as another source describes him. */
struct ay_person {
	const char *source, *subject;
	const char *name, *display; /* may be "" */
	bool mfa;		    /* the source saw a second factor */
	bool second_here;	    /* we ask for the second factor of his account ourselves */
	size_t n_roles;		    /* that his groups give */
	const char *role[AY_PRINCIPAL_GRANTS];
};
/*
 * people.c: the account of this person, made when there is none and a group
 * gives him a role; with the rights that his groups give him now. What he lost
 * ends his sessions. AY_E_DENIED AUTH_NO_ROLE, AUTH_TOTP, AUTH_FAILED.
 */
AY_MUST_USE enum ay_rc ay_person_enter(struct ay_api_call *c, const struct ay_person *p,
				       struct ay_api_account **out, struct ay_err *e);

struct ay_session;
/*
 * login.c: begins a session, whose cookie goes with the answer, and says so in
 * the audit. *csrf: in the arena.
 */
AY_MUST_USE enum ay_rc ay_login_open(struct ay_api_call *c, struct ay_api_account *u,
				     const char *how, bool mfa, struct ay_session **s,
				     const char **csrf, struct ay_err *e);

/* people.c: does each row name a role that there is? where: its key in the configuration. */
struct ay_group_map;
AY_MUST_USE enum ay_rc ay_person_roles_check(struct ay_api *a, const struct ay_group_map *m,
					     const char *where, struct ay_err *e);
/* identities.c: may this account come by that source? */
bool ay_identity_is_of(const struct ay_api *a, uint64_t user, const char *source);

/* oidc_login.c */
AY_MUST_USE enum ay_rc ay_oidc_load(struct ay_api *a, struct ay_err *e);
void ay_oidc_free(struct ay_api *a);

/* ldap_login.c */
AY_MUST_USE enum ay_rc ay_ldap_load(struct ay_api *a, struct ay_err *e);
void ay_ldap_free(struct ay_api *a);
/*
 * Is this name the directory's to judge, and what is it called there? Names of
 * local accounts never are; "NAME@ldap" always is, but for an account that was
 * given a password here.
 */
AY_MUST_USE bool ay_ldap_decides(struct ay_api *a, struct ay_bytes name, struct ay_bytes *there);

#endif
