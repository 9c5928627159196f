/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_GRANTS_H
#define AY_ASSAYD_API_GRANTS_H

/* Roles as they are given: which, and for which hosts. Nobody gives what he has not. */
#include "core/base/err.h"
#include "prog/assayd/api/principal.h"

#include <jansson.h>

struct ay_api;

/* A role that somebody has. */
struct ay_role_grant {
	char role[AY_MAX_NAME_BYTES + 1];
	struct ay_scope scope;
};

/* {"labels":{..},"pool":".."}, or NULL: everywhere. where: member, for the error. */
AY_MUST_USE enum ay_rc ay_scope_parse(const json_t *o, const char *where, struct ay_scope *out,
				      struct ay_err *e);
json_t *ay_scope_json(const struct ay_scope *s); /* {"labels":{..}}, null for everywhere */
/* Canonical text of it, freed by free(); "" for everywhere. NULL without memory. */
char *ay_scope_text(const struct ay_scope *s);
/* As stored. A text that cannot be read is no scope: false. */
AY_MUST_USE bool ay_scope_of(const char *text, struct ay_scope *out);

/* [{"role","scope"}..], at least one, at most AY_PRINCIPAL_GRANTS; freed by free(). */
AY_MUST_USE enum ay_rc ay_grants_parse(const json_t *list, struct ay_role_grant **out, size_t *n,
				       struct ay_err *e);
json_t *ay_grants_json(const struct ay_role_grant *g, size_t n);

/*
 * What a role is, built in or made by somebody: its permissions and its own
 * scope. False: there is none of that name.
 */
AY_MUST_USE bool ay_role_find(struct ay_api *a, const char *role, uint64_t *perms,
			      struct ay_scope *scope);
/*
 * May `who` give these permissions for this scope? AY_E_DENIED RIGHTS_EXCEEDED:
 * there is one that he has not, or not for all of those hosts.
 */
AY_MUST_USE enum ay_rc ay_may_give(const struct ay_principal *who, uint64_t perms,
				   const struct ay_scope *scope, struct ay_err *e);
/*
 * May `who` change somebody who has these grants? He must have all that they
 * give; a role that is no more gives nothing, and hides no other.
 */
AY_MUST_USE enum ay_rc ay_may_change(struct ay_api *a, const struct ay_principal *who,
				     const struct ay_role_grant *g, size_t n, struct ay_err *e);
/* The same for a list of grants; also AY_E_INPUT when a role does not exist. */
AY_MUST_USE enum ay_rc ay_may_grant(struct ay_api *a, const struct ay_principal *who,
				    const struct ay_role_grant *g, size_t n, struct ay_err *e);

#endif
