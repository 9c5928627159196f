/* SPDX-License-Identifier: Apache-2.0 */
/* The role that a listener gives to requests of its networks without credentials. */
#include "prog/assayd/api/auth.h"

enum ay_rc ay_listener_roles_load(struct ay_api *a, struct ay_err *e)
{
	const struct ay_config *config = ay_engine_config_of(a->engine);
	enum ay_rc rc = AY_OK;
	uint64_t perms;

	for (int l = AY_LISTENER_API + 1; config != NULL && rc == AY_OK && l < AY_LISTENERS; l++) {
		struct ay_listener_set *s = &a->listener[l];

		rc = ay_listener_read(config, (enum ay_listener)l, s, e);
		if (rc == AY_OK && s->role[0] != '\0' && !ay_role_perms(s->role, &perms))
			rc = ay_fail(e, AY_E_INPUT, "compat", 0, "%s_role: there is no role %.60s",
				     ay_listener_name((enum ay_listener)l), s->role);
	}
	return rc;
}

/* Anything that may be meant as a credential: a wrong one never becomes none. */
static bool shows_something(const struct ay_api_request *r)
{
	return ay_api_request_header(r, "authorization").p != NULL ||
	       ay_api_request_header(r, "authorizationtoken").p != NULL ||
	       ay_api_request_header(r, "cookie").p != NULL;
}

enum ay_auth ay_auth_listener(struct ay_api_call *c, const struct ay_api_request *r,
			      struct ay_principal *who, struct ay_err *e)
{
	static const struct ay_scope everywhere;
	const struct ay_listener_set *s = &c->api->listener[c->listener];
	uint64_t perms;

	(void)e;
	if (AY_CHECKED("LISTENER_CREDENTIAL", shows_something(r)))
		return AY_AUTH_NONE;
	if (s->role == NULL || s->role[0] == '\0' ||
	    AY_CHECKED("LISTENER_FROM", !ay_listener_has(s, r->peer)) ||
	    !ay_role_perms(s->role, &perms))
		return AY_AUTH_NONE;
	if (!ay_principal_grant(who, perms, &everywhere))
		return AY_AUTH_NONE;
	snprintf(who->user, sizeof(who->user), "listener:%s", ay_listener_name(c->listener));
	who->known = true;
	return AY_AUTH_OK;
}
