/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"

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

	if (!ay_api_refused(c, rc, e))
		ay_api_bytes(c, 200, "application/samlassertion+xml", document);
}

void ay_api_assertions_get(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	struct ay_assertion_ask ask = { .format = ay_bytes_of("saml"),
					.profile = ay_api_param(c, "profile"),
					.audience = ay_api_param(c, "audience"),
					.nonce = ay_api_param(c, "nonce") };
	struct ay_err e = { 0 };

	if (h == NULL)
		return;
	if (accepts(c->accept, "application/eat+jwt")) {
		ay_err_set(&e, AY_E_INPUT, "accept", 0,
			   "only application/samlassertion+xml is made yet");
		ay_api_problem_as(c, 406, &e, NULL, NULL);
		return;
	}
	if (ask.profile.p != NULL && !ay_bytes_eq(ask.profile, ay_bytes_of("assay")) &&
	    !ay_bytes_eq(ask.profile, ay_bytes_of("cit"))) {
		ay_err_set(&e, AY_E_INPUT, "profile", 0, "profile is assay or cit");
		ay_api_problem(c, &e);
		return;
	}
	ay_engine_assertion(c->api->engine, h, &ask, done, c);
}
