/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"

enum { DEFAULT_WAIT_S = 30, MAX_WAIT_S = 120 };

static bool accepts(struct ay_bytes accept, const char *type)
{
	size_t n = strlen(type);

	for (size_t i = 0; i + n <= accept.n; i++)
		if (strncasecmp((const char *)accept.p + i, type, n) == 0)
			return true;
	return false;
}

/* The signer may still be at it when the client leaves; its answer then ends the call. */
static void done(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	struct ay_api_call *c = arg;

	if (ay_api_refused(c, rc, e))
		return;
	ay_api_bytes(c, 200,
		     ay_assertion_type(document.n && document.p[0] == '<' ? AY_ASSERTION_SAML
									  : AY_ASSERTION_EAR),
		     document);
}

static enum ay_rc read_form(const struct ay_api_call *c, struct ay_assertion_ask *ask,
			    struct ay_err *e)
{
	static const char *const names[] = { [AY_ASSERTION_SAML] = "assay",
					     [AY_ASSERTION_CIT] = "cit",
					     [AY_ASSERTION_SECL] = "secl",
					     [AY_ASSERTION_EAR] = "ear" };
	struct ay_bytes profile = ay_api_param(c, "profile");

	if (profile.p == NULL) {
		if (accepts(c->accept, "application/eat+jwt"))
			ask->form = AY_ASSERTION_EAR;
		return AY_OK;
	}
	for (size_t i = 0; i < AY_COUNT(names); i++) {
		if (!ay_bytes_eq(profile, ay_bytes_of(names[i])))
			continue;
		ask->form = (enum ay_assertion_form)i;
		return AY_OK;
	}
	return ay_fail(e, AY_E_INPUT, "profile", 0, "profile is assay, cit, secl or ear");
}

void ay_api_assertions_get(struct ay_api_call *c)
{
	struct ay_assertion_host host = { .host = ay_api_host(c) };
	struct ay_assertion_ask ask = { .audience = ay_api_param(c, "audience"),
					.nonce = ay_api_param(c, "nonce") };
	struct ay_bytes force = ay_api_param(c, "force_verify");
	uint64_t seconds = DEFAULT_WAIT_S;
	struct ay_err e = { 0 };

	if (host.host == NULL || ay_api_refused(c, read_form(c, &ask, &e), &e) ||
	    ay_api_refused(c, ay_api_seconds(c, "wait", MAX_WAIT_S, &seconds, &e), &e))
		return;
	ask.force_verify = ay_bytes_eq(force, ay_bytes_of("true"));
	ask.wait_ms = (int64_t)seconds * 1000;
	ask.rsa = ay_bytes_eq(ay_api_param(c, "alg"), ay_bytes_of("RS256"));
	ay_engine_assertion(c->api->engine, &host, 1, &ask, done, c);
}

void ay_api_assertions_jwks(struct ay_api_call *c)
{
	struct ay_jwks keys;
	json_t *set;
	struct ay_bytes text = { 0 };

	ay_engine_jwks(c->api->engine, &keys);
	set = ay_jwks_json(&keys);
	if (set != NULL)
		text = ay_json_canonical(set, &c->arena);
	json_decref(set);
	ay_api_bytes(c, 200, "application/jwk-set+json", text);
}

void ay_api_keys_list(struct ay_api_call *c)
{
	json_t *all = NULL;
	struct ay_err e = { 0 };

	if (!ay_api_refused(c, ay_engine_keys(c->api->engine, &all, &e), &e))
		ay_api_array(c, all);
}
