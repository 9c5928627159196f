/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"

static void approved(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	struct ay_api_call *c = arg;
	struct ay_bytes hash = ay_api_text(c, "hash");

	(void)document;
	if (ay_api_refused(c, rc, e))
		return;
	if (ay_api_audit(c, "EK_APPROVE", hash, json_object()))
		ay_api_json(c, 201, json_pack("{s:s}", "hash", (const char *)hash.p));
}

void ay_api_ek_approve(struct ay_api_call *c)
{
	if (ay_api_intend(c)) /* the change is the Privacy CA's, not our store's */
		ay_engine_ek_approve(c->api->engine, ay_api_text(c, "hash"), approved, c);
}

static void crl(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	struct ay_api_call *c = arg;

	if (!ay_api_refused(c, rc, e))
		ay_api_bytes(c, 200, "application/pkix-crl", document);
}

void ay_api_ek_crl(struct ay_api_call *c)
{
	ay_engine_crl(c->api->engine, crl, c);
}
