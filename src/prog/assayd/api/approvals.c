/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for a second person. The engine audits each step with the step itself. */
#include "prog/assayd/approvals.h"
#include "prog/assayd/api/auth.h"

bool ay_api_two_persons(struct ay_api_call *c, const struct ay_approval_kind *kind,
			struct ay_bytes object, json_t *args)
{
	struct ay_approval_request r = { .kind = kind,
					 .object = object,
					 .args = args,
					 .user = c->who.user,
					 .permission = c->route->perm_name };
	struct ay_err e = { 0 };
	json_t *approval = NULL;
	bool two = ay_engine_two_persons(c->api->engine, kind);

	if (two &&
	    !ay_api_refused(c, ay_engine_approval_ask(c->api->engine, &r, &approval, &e), &e))
		ay_api_json(c, 202, json_pack("{so*}", "approval", approval));
	json_decref(args);
	return two;
}

void ay_api_approvals_list(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(
		    c, ay_engine_approvals(c->api->engine, ay_api_param(c, "state"), &all, &e), &e))
		ay_api_array_by(c, all, "-requested_at,id");
}

void ay_api_approvals_show(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *one = NULL;

	if (!ay_api_refused(c, ay_engine_approval(c->api->engine, c->param[0], &one, &e), &e))
		ay_api_json(c, 200, one);
}

/* Who asked could still do it alone, were it not for this rule: accounts change meanwhile. */
static enum ay_rc requester_may(struct ay_api_call *c, const char *name, enum ay_perm perm,
				struct ay_err *e)
{
	const struct ay_api_account *u = ay_account_find(c->api, ay_bytes_of(name));
	struct ay_principal now = { 0 };
	struct ay_err why;

	if (AY_CHECKED("APPROVAL_REQUESTER", u == NULL ||
						     ay_auth_user(c->api, u, &now, &why) != AY_OK ||
						     !ay_may(&now, perm)))
		return ay_fail_code(e, AY_E_DENIED, "APPROVAL_REQUESTER", "approval",
				    "%.60s, who asked for it, may not do it any more", name);
	return AY_OK;
}

/* false: the call is answered. */
static bool approver_of(struct ay_api_call *c, bool approves, struct ay_approver *out)
{
	const char *requester = "";
	const char *perm_name =
		ay_engine_approval_permission(c->api->engine, c->param[0], &requester);
	enum ay_perm perm = AY_PERM_PUBLIC;
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	if (perm_name == NULL)
		rc = ay_fail(&e, AY_E_NOENT, "approval", 0, "no approval has this id");
	else if (!ay_perm_find(perm_name, &perm))
		rc = ay_fail(&e, AY_E_INPUT, "approval", 0, "this server knows no such permission");
	else if (approves)
		rc = requester_may(c, requester, perm, &e);
	*out = (struct ay_approver){ .user = c->who.user,
				     .token_made_at = c->who.token_made_at,
				     .permitted = rc == AY_OK && ay_may(&c->who, perm) };
	return !ay_api_refused(c, rc, &e);
}

static void decide(struct ay_api_call *c, bool approves)
{
	struct ay_approver by;
	struct ay_err e = { 0 };
	json_t *out = NULL;

	if (!approver_of(c, approves, &by))
		return;
	if (!ay_api_refused(
		    c,
		    (approves ? ay_engine_approval_approve : ay_engine_approval_deny)(
			    c->api->engine, c->param[0], &by, ay_api_text(c, "reason"), &out, &e),
		    &e))
		ay_api_json(c, 200, out);
}

void ay_api_approvals_approve(struct ay_api_call *c)
{
	decide(c, true);
}

void ay_api_approvals_deny(struct ay_api_call *c)
{
	decide(c, false);
}
