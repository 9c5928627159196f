/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts of people whom another source vouches for. */
#include "core/authz/groups.h"
#include "core/crypto/hash.h"
#include "prog/assayd/api/identities.h"

enum ay_rc ay_person_roles_check(struct ay_api *a, const struct ay_group_map *m, const char *where,
				 struct ay_err *e)
{
	struct ay_scope scope;
	uint64_t perms;

	for (size_t i = 0; i < m->n; i++)
		if (!ay_role_find(a, m->row[i].role, &perms, &scope))
			return ay_fail(e, AY_E_INPUT, where, 0, "there is no role %.60s",
				       m->row[i].role);
	return AY_OK;
}

/* Everywhere: a source knows roles, not hosts. None: a role of no name, which gives nothing. */
static size_t grants_of(const struct ay_person *p, struct ay_role_grant g[AY_PRINCIPAL_GRANTS])
{
	memset(g, 0, AY_PRINCIPAL_GRANTS * sizeof(*g));
	for (size_t i = 0; i < p->n_roles && i < AY_PRINCIPAL_GRANTS; i++)
		snprintf(g[i].role, sizeof(g[i].role), "%s", p->role[i]);
	return p->n_roles > 0 ? p->n_roles : 1;
}

static bool has_them(const struct ay_api_account *u, const struct ay_role_grant *g, size_t n)
{
	bool same = u->n_grants == n;

	for (size_t i = 0; same && i < n; i++)
		same = strcmp(u->grants[i].role, g[i].role) == 0 && u->grants[i].scope.n == 0;
	return same;
}

/* Rights as the groups give them now. What he had may not be what he has: his sessions end. */
static enum ay_rc renew(struct ay_api *a, struct ay_api_account *u, const struct ay_person *p,
			struct ay_err *e)
{
	struct ay_role_grant g[AY_PRINCIPAL_GRANTS];
	struct ay_api_account changed = *u;
	enum ay_rc rc;

	changed.n_grants = grants_of(p, g);
	changed.grants = g;
	if (has_them(u, g, changed.n_grants))
		return AY_OK;
	rc = ay_account_put(a, &changed, e);
	return rc == AY_OK ? ay_sessions_end(a, u->id, NULL, e) : rc;
}

/*
 * "NAME@SOURCE": never the name of a local account, whatever the source calls
 * him; where two want one name, the second has a part of his subject's hash.
 */
static enum ay_rc pick_name(struct ay_api *a, const struct ay_person *p,
			    char out[AY_MAX_NAME_BYTES + 1], struct ay_err *e)
{
	char all[2 * AY_MAX_NAME_BYTES], hex[65];
	uint8_t hash[32];
	int n;

	ay_sha256(ay_bytes_of(p->subject), hash);
	ay_hex_encode(AY_BYTES(hash), hex);
	n = snprintf(all, sizeof(all), "%s@%s", p->name[0] == '\0' ? "user" : p->name, p->source);
	if (n > AY_MAX_NAME_BYTES || ay_account_find(a, ay_bytes_of(all)) != NULL)
		n = snprintf(all, sizeof(all), "%.40s@%s.%.12s", p->name, p->source, hex);
	if (n > AY_MAX_NAME_BYTES || ay_account_find(a, ay_bytes_of(all)) != NULL)
		return ay_fail(e, AY_E_EXISTS, "user", 0, "no name is left for this person");
	memcpy(out, all, (size_t)n + 1);
	return AY_OK;
}

static enum ay_rc make(struct ay_api_call *c, const struct ay_person *p,
		       struct ay_api_account **out, struct ay_err *e)
{
	struct ay_api *a = c->api;
	struct ay_role_grant g[AY_PRINCIPAL_GRANTS];
	struct ay_api_account u = { .created_at = a->now_ms, .grants = g };
	struct ay_identity i = { .state = AY_IDENTITY_ACTIVE,
				 .managed = true,
				 .created_at = a->now_ms,
				 .decided_at = a->now_ms };
	enum ay_rc rc = pick_name(a, p, u.name, e);

	u.n_grants = grants_of(p, g);
	snprintf(u.display, sizeof(u.display), "%s", p->display);
	snprintf(i.source, sizeof(i.source), "%s", p->source);
	snprintf(i.subject, sizeof(i.subject), "%s", p->subject);
	snprintf(i.name, sizeof(i.name), "%s", p->name);
	if (rc == AY_OK)
		rc = ay_identity_make(a, &u, &i, e);
	if (rc != AY_OK)
		return rc;
	*out = ay_account_find(a, ay_bytes_of(u.name));
	ay_api_leave(c, "USER_ADD", u.name,
		     json_pack("{s:s, s:s}", "source", p->source, "subject", p->subject), "done");
	return AY_OK;
}

static enum ay_rc find(struct ay_api_call *c, const struct ay_person *p,
		       struct ay_api_account **out, struct ay_err *e)
{
	const struct ay_identity *i = ay_identity_find(c->api, p->source, p->subject);
	enum ay_rc rc = AY_OK;

	if (i == NULL && AY_CHECKED("PERSON_NO_ROLE", p->n_roles == 0))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_NO_ROLE", "groups",
				    "none of your groups has a role here");
	if (i == NULL)
		return make(c, p, out, e);
	if (AY_CHECKED("PERSON_ENDED", i->state != AY_IDENTITY_ACTIVE))
		return ay_auth_wrong(e);
	*out = ay_account_by_id(c->api, i->user);
	if (*out == NULL)
		return ay_auth_wrong(e);
	if (!i->managed)
		return AY_OK; /* linked by an administrator: its rights are its own */
	rc = renew(c->api, *out, p, e);
	if (rc == AY_OK && p->n_roles == 0)
		rc = ay_fail_code(e, AY_E_DENIED, "AUTH_NO_ROLE", "groups",
				  "none of your groups has a role here any more");
	return rc;
}

/* What a local account demands of its person, its link cannot leave out. */
static enum ay_rc satisfies(const struct ay_api_account *u, const struct ay_person *p,
			    struct ay_err *e)
{
	const struct ay_secrets *s = u->secrets;

	if (u->disabled || u->removed) /* and ay_auth_user() asks again */
		return ay_auth_wrong(e);
	if (s != NULL && AY_CHECKED("PERSON_GLASS", s->break_glass != AY_GLASS_NONE))
		return ay_auth_wrong(e);
	if (s != NULL && !p->second_here &&
	    AY_CHECKED("PERSON_MFA", s->totp_state == AY_TOTP_ON && !p->mfa))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_TOTP", "mfa",
				    "this account has a second factor, and the provider saw none");
	return AY_OK;
}

enum ay_rc ay_person_enter(struct ay_api_call *c, const struct ay_person *p,
			   struct ay_api_account **out, struct ay_err *e)
{
	struct ay_api_account *u = NULL;
	enum ay_rc rc = find(c, p, &u, e);

	*out = NULL;
	if (rc == AY_OK)
		rc = satisfies(u, p, e);
	if (rc == AY_OK)
		*out = u;
	return rc;
}
