/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/auth.h"

static const struct ay_auth_scheme schemes[] = {
#define X(name, check, challenge, doc) { #name, check, challenge, doc },
#include "prog/assayd/api/schemes.def"
#undef X
};

const struct ay_auth_scheme *ay_auth_schemes(size_t *n)
{
	*n = AY_COUNT(schemes);
	return schemes;
}

static void wrong(struct ay_err *e)
{
	ay_err_set(e, AY_E_DENIED, "authorization", 0, "the credential is not valid");
	ay_err_code(e, "AUTH_FAILED");
}

enum ay_rc ay_auth_wrong(struct ay_err *e)
{
	wrong(e);
	return AY_E_DENIED;
}

enum ay_auth ay_auth_refused(struct ay_err *e)
{
	wrong(e);
	return AY_AUTH_REFUSED;
}

struct ay_bytes ay_auth_of(const struct ay_api_request *r, const char *scheme)
{
	struct ay_bytes b = ay_api_request_header(r, "authorization");
	size_t n = strlen(scheme);

	if (b.n < n || strncasecmp((const char *)b.p, scheme, n) != 0 || (b.n > n && b.p[n] != ' '))
		return (struct ay_bytes){ NULL, 0 };
	while (n < b.n && b.p[n] == ' ')
		n++;
	return (struct ay_bytes){ b.p + n, b.n - n };
}

/* A role with a scope of its own, given for a scope: hosts that are in both. */
static bool add_grant(struct ay_api *a, const struct ay_role_grant *g, struct ay_principal *who)
{
	struct ay_principal one = { 0 };
	struct ay_scope own;
	uint64_t perms;

	if (!ay_role_find(a, g->role, &perms, &own))
		return true; /* a role that is no more gives nothing */
	return ay_principal_grant(&one, perms, &own) &&
	       ay_principal_narrow(&one, perms, &g->scope) &&
	       ay_principal_grant(who, perms, &one.grant[0].scope);
}

enum ay_rc ay_auth_user(struct ay_api *a, const struct ay_api_account *u, struct ay_principal *who,
			struct ay_err *e)
{
	bool ok = true;

	memset(who, 0, sizeof(*who));
	if (AY_CHECKED("API_USER_DISABLED", u->disabled || u->removed))
		return ay_auth_wrong(e);
	for (size_t i = 0; ok && i < u->n_grants; i++)
		ok = add_grant(a, &u->grants[i], who);
	if (!ok) {
		memset(who, 0, sizeof(*who));
		return ay_auth_wrong(e);
	}
	who->user_id = u->id;
	snprintf(who->user, sizeof(who->user), "%s", u->name);
	snprintf(who->display, sizeof(who->display), "%s", u->display);
	who->known = true;
	return AY_OK;
}

/* Nobody is let in by a row that forgot to say who it is. */
static enum ay_auth let_in(const struct ay_auth_scheme *s, struct ay_principal *who,
			   struct ay_err *e)
{
	if (!who->known)
		return ay_auth_refused(e);
	who->scheme = s->name;
	return AY_AUTH_OK;
}

enum ay_auth ay_auth_check(struct ay_api_call *c, const struct ay_api_request *r,
			   struct ay_principal *who, struct ay_err *e)
{
	memset(who, 0, sizeof(*who));
	for (size_t i = 0; i < AY_COUNT(schemes); i++) {
		enum ay_auth got = schemes[i].check(c, r, who, e);

		if (got == AY_AUTH_NONE)
			continue;
		if (got == AY_AUTH_OK)
			got = let_in(&schemes[i], who, e);
		if (got != AY_AUTH_OK)
			memset(who, 0, sizeof(*who));
		return got;
	}
	if (ay_api_request_header(r, "authorization").p == NULL)
		return AY_AUTH_NONE; /* the route decides */
	return ay_auth_refused(e);   /* of no kind that we know */
}
