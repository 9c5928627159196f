/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"
#include "prog/assayd/approvals.h"

void ay_api_policies_list(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(c, ay_engine_policies(c->api->engine, &all, &e), &e))
		ay_api_array_by(c, all, "name,version");
}

void ay_api_policies_show(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *one = NULL;

	if (!ay_api_refused(c, ay_engine_policy(c->api->engine, c->param[0], &one, &e), &e))
		ay_api_json(c, 200, one);
}

/* Answer with what was changed, once that is in the audit. */
static void changed(struct ay_api_call *c, int status, const char *action, struct ay_bytes object,
		    json_t *detail, json_t *answer)
{
	if (ay_api_audit(c, action, object, detail))
		ay_api_json(c, status, answer);
	else
		json_decref(answer);
}

static json_t *version_of(const json_t *policy)
{
	return json_pack("{s:O?, s:O?, s:O?}", "id", json_object_get(policy, "id"), "version",
			 json_object_get(policy, "version"), "sha256",
			 json_object_get(policy, "sha256"));
}

void ay_api_policies_set(struct ay_api_call *c)
{
	const json_t *doc = json_object_get(c->body, "policy");
	struct ay_err e = { 0 };
	json_t *one = NULL;

	if (ay_api_refused(c, ay_engine_policy_set(c->api->engine, doc, c->who.user, &one, &e), &e))
		return;
	changed(c, 201, "POLICY_SET", ay_bytes_of(json_string_value(json_object_get(one, "name"))),
		version_of(one), one);
}

void ay_api_policies_lint(struct ay_api_call *c)
{
	const json_t *doc = json_object_get(c->body, "policy");
	struct ay_err e = { 0 };
	json_t *found = NULL;

	if (!ay_api_refused(c, ay_engine_policy_lint(c->api->engine, doc, &found, &e), &e))
		ay_api_json(c, 200, found);
}

void ay_api_policies_activate(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *one = NULL;

	if (ay_api_two_persons(c, &ay_approval_policy_activate, c->param[0], json_object()))
		return;
	if (!ay_api_refused(
		    c, ay_engine_policy_activate(c->api->engine, c->param[0], NULL, &one, &e), &e))
		changed(c, 200, "POLICY_ACTIVATE", c->param[0], version_of(one), one);
}

void ay_api_policies_revoke(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *one = NULL;

	if (!ay_api_refused(c, ay_engine_policy_revoke(c->api->engine, c->param[0], NULL, &one, &e),
			    &e))
		changed(c, 200, "POLICY_REVOKE", c->param[0], version_of(one), one);
}

/* ---- to whom they are attached ---- */

void ay_api_policies_attachments(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(c, ay_engine_policy_attachments(c->api->engine, &all, &e), &e))
		ay_api_array(c, all);
}

/* To one host: its own policy, or with an empty name none of its own. */
static void attach_host(struct ay_api_call *c, struct ay_bytes host, struct ay_bytes policy,
			const char *action)
{
	const struct ay_host *h = ay_engine_host_find(c->api->engine, host);
	struct ay_host_patch patch = { .policy = &policy };
	struct ay_err e = { 0 };

	if (h == NULL) {
		ay_err_set(&e, AY_E_NOENT, "host", 0, "no host has this id or name");
		ay_api_problem(c, &e);
		return;
	}
	if (!ay_api_refused(c, ay_engine_host_patch(c->api->engine, h, &patch, &e), &e))
		changed(c, 200, action, ay_bytes_of(h->name), json_deep_copy(c->body),
			json_pack("{s:s, s:s}", "host", h->name, "policy",
				  h->policy == NULL ? "" : h->policy));
}

static void attach_labels(struct ay_api_call *c, struct ay_bytes policy)
{
	const json_t *labels = json_object_get(c->body, "labels");
	struct ay_err e = { 0 };
	json_t *one = NULL;

	if (!ay_api_refused(c,
			    ay_engine_policy_attach(c->api->engine, (const char *)policy.p, labels,
						    &one, &e),
			    &e))
		changed(c, 200, "POLICY_ATTACH", policy, json_deep_copy(c->body), one);
}

static bool one_of_two(struct ay_api_call *c, struct ay_bytes host)
{
	struct ay_err e = { 0 };

	if ((host.n > 0) != (json_object_get(c->body, "labels") != NULL))
		return true;
	ay_err_set(&e, AY_E_INPUT, "host", 0, "give a host or labels, one of the two");
	ay_api_problem(c, &e);
	return false;
}

void ay_api_policies_attach(struct ay_api_call *c)
{
	struct ay_bytes host = ay_api_text(c, "host"), policy = ay_api_text(c, "policy");
	struct ay_err e = { 0 };
	json_t *known = NULL;

	if (!one_of_two(c, host) ||
	    ay_api_refused(c, ay_engine_policy(c->api->engine, policy, &known, &e), &e))
		return;
	policy = ay_bytes_of(json_string_value(json_object_get(known, "name")));
	if (host.n > 0)
		attach_host(c, host, policy, "POLICY_ATTACH");
	else
		attach_labels(c, policy);
	json_decref(known);
}

void ay_api_policies_detach(struct ay_api_call *c)
{
	struct ay_bytes host = ay_api_text(c, "host");
	const json_t *labels = json_object_get(c->body, "labels");
	struct ay_err e = { 0 };

	if (!one_of_two(c, host))
		return;
	if (host.n > 0)
		attach_host(c, host, ay_bytes_of(""), "POLICY_DETACH");
	else if (!ay_api_refused(c, ay_engine_policy_detach(c->api->engine, labels, &e), &e))
		changed(c, 200, "POLICY_DETACH", ay_bytes_of("labels"), json_deep_copy(c->body),
			json_deep_copy(c->body));
}
