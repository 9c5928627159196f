/* SPDX-License-Identifier: Apache-2.0 */
/* What may be said of a manager: by whom it is known, and that its password is there. */
#include "core/crypto/pem.h"
#include "prog/assayd/connector.h"
#include "prog/assayd/managers.h"

enum { PASSWORD_MAX = 512, CA_MAX = 60000 };

static bool has_trust(const struct ay_manager *m)
{
	return m->ca || m->tls.kind != AY_TLS_NONE;
}

static enum ay_rc check_ca(struct ay_bytes pem, struct ay_err *e)
{
	struct ay_bytes der, rest = pem;
	struct ay_arena a;
	enum ay_rc rc;

	if (pem.n > CA_MAX || memchr(pem.p, 0, pem.n))
		return ay_fail_code(e, AY_E_LIMIT, "MANAGER_TLS", "tls_policy.value",
				    "longer than %d octets, or no text", CA_MAX);
	ay_arena_init(&a, 4 * CA_MAX);
	rc = ay_pem_next(&rest, "CERTIFICATE", &a, &der, e);
	ay_arena_fini(&a);
	return rc == AY_E_NOENT ? ay_fail_code(e, AY_E_INPUT, "MANAGER_TLS", "tls_policy.value",
					       "holds no PEM certificate")
				: rc;
}

static enum ay_rc check_offered(const struct ay_connstr *c, struct ay_err *e)
{
	if (!ay_connstr_is_managed(c) || c->is_nats || !ay_connector_find(c->vendor))
		return ay_fail_code(e, AY_E_INPUT, "NOT_OFFERED", "connect",
				    "%s: is not offered as a manager of hosts",
				    ay_connstr_vendor_name(c->vendor));
	if (c->user.n == 0)
		return ay_fail_code(e, AY_E_INPUT, "MANAGER_SECRET", "connect",
				    "a user is needed: ;u=USER");
	return AY_OK;
}

enum ay_rc ay_manager_put_check(const struct ay_manager *known, const struct ay_manager_spec *s,
				const struct ay_connstr *c, struct ay_bytes secret,
				struct ay_err *e)
{
	bool says_trust = s->ca.n > 0 || s->tls.kind != AY_TLS_NONE;
	enum ay_rc rc = check_offered(c, e);

	if (rc == AY_OK && s->ca.n)
		rc = check_ca(s->ca, e);
	if (rc != AY_OK)
		return rc;
	if (!says_trust && !(known && has_trust(known)))
		return ay_fail_code(e, AY_E_INPUT, "MANAGER_TLS", "tls_policy",
				    "whom to believe at the manager must be said: a pinned "
				    "certificate, key or CA, or trust_first_use");
	if (secret.n > PASSWORD_MAX)
		return ay_fail_code(e, AY_E_LIMIT, "MANAGER_SECRET", "secret",
				    "longer than %d octets", PASSWORD_MAX);
	if (!secret.n && !(known && known->wrapped_n))
		return ay_fail_code(e, AY_E_INPUT, "MANAGER_SECRET", "secret",
				    "no password is known for this manager and user");
	/* else who may change managers could have the password sent to a server of his own */
	if (AY_CHECKED("MANAGER_RETRUST", known && says_trust && !secret.n))
		return ay_fail_code(e, AY_E_DENIED, "MANAGER_SECRET", "secret",
				    "whom the password is shown to changes: give it again");
	return AY_OK;
}
