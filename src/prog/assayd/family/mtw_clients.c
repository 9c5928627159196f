/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mt. Wilson v1: /ManagementService/resources/apiclient. A client is a
 * certificate that signs requests (api/clients.h); who approves it gives it
 * roles of the family, which stand for roles of ours of the same name with the
 * permissions below, made when they are first given.
 */
#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "core/crypto/x509.h"
#include "prog/assayd/api/auth.h"
#include "prog/assayd/api/clients.h"
#include "prog/assayd/family/hostview.h"
#include "prog/assayd/family/members.h"

#include <stdlib.h>

#define P(name) (UINT64_C(1) << AY_PERM_##name)

static const struct role {
	const char *name, *doc;
	uint64_t perms;
} roles[] = {
	{ "Attestation", "Mt. Wilson: registers and attests hosts",
	  P(HOST_READ) | P(HOST_WRITE) | P(HOST_ATTEST) | P(ASSERTION_READ) },
	{ "Whitelist", "Mt. Wilson: keeps whitelists",
	  P(HOST_READ) | P(REFERENCE_READ) | P(REFERENCE_WRITE) },
	{ "Security", "Mt. Wilson: approves API clients", P(USER_READ) | P(USER_WRITE) },
	{ "Cache", "Mt. Wilson: fetches trust of many hosts", P(HOST_READ) | P(ASSERTION_READ) },
	{ "Report", "Mt. Wilson: reads reports", P(HOST_READ) | P(REFERENCE_READ) },
	{ "Audit", "Mt. Wilson: reads the audit", P(AUDIT_READ) },
};

void ay_mtw_roles(struct ay_api_call *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < AY_COUNT(roles); i++)
		json_array_append_new(list, json_string(roles[i].name));
	ay_family_document(c, 200, "roles", list);
}

/* ---- asking ---- */

void ay_mtw_client_register(struct ay_api_call *c)
{
	const char *text = ay_member_text(c->body, "X509Certificate,x509Certificate,Certificate");
	const struct ay_client *x = NULL;
	struct ay_bytes der;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_family_der(c, ay_bytes_of(text), &der, &e);

	if (rc == AY_OK)
		rc = ay_client_ask(c->api, der,
				   ay_bytes_of(ay_member_text(c->body, "Name,UserName")),
				   ay_bytes_of(ay_member_text(c->body, "Comment")), &x, &e);
	if (!ay_api_refused(c, rc, &e) && ay_api_audit(c, "API_CLIENT_ASK", ay_bytes_of(x->subject),
						       json_pack("{s:s}", "name", x->name)))
		ay_family_done(c);
}

/* ---- looking ---- */

static const char *status_of(const struct ay_client *x)
{
	return x->state == AY_IDENTITY_ASKED	? "Pending"
	       : x->state == AY_IDENTITY_ACTIVE ? "Approved"
						: "Rejected";
}

static json_t *roles_of(const struct ay_api *a, const struct ay_client *x)
{
	json_t *list = json_array();

	for (const struct ay_api_account *u = a->accounts->users; u != NULL; u = u->next)
		for (size_t i = 0; u->id == x->user && x->user != 0 && i < u->n_grants; i++)
			json_array_append_new(list, json_string(u->grants[i].role));
	return list;
}

static json_t *client_view(const struct ay_api_call *c, const struct ay_client *x)
{
	struct ay_bytes der = { x->octets, x->octets_n };
	char *text = malloc(AY_BASE64_ROOM(der.n));
	struct ay_cert cert;
	int64_t until = ay_cert_parse(der, &cert, NULL) == AY_OK ? cert.not_after_ms : 0;
	json_t *o;

	if (text != NULL)
		ay_base64_encode(AY_BASE64_STD, der, text);
	o = json_pack("{s:s, s:s?, s:s, s:o, s:b, s:s, s:o, s:s}", "Name", x->name, "Certificate",
		      text, "Fingerprint", x->subject, "Expires", ay_api_time(until), "Enabled",
		      (int)(x->state == AY_IDENTITY_ACTIVE), "Status", status_of(x), "Roles",
		      roles_of(c->api, x), "Comment", x->comment);
	free(text);
	return o;
}

static bool same(const struct ay_api_call *c, const char *param, const char *value)
{
	struct ay_bytes v = ay_api_param(c, param);

	return v.n == 0 ||
	       (v.n == strlen(value) && strncasecmp((const char *)v.p, value, v.n) == 0);
}

void ay_mtw_clients(struct ay_api_call *c)
{
	struct ay_bytes has = ay_api_param(c, "nameContains");
	json_t *list = json_array();

	for (const struct ay_client *x = ay_clients(c->api); x != NULL; x = x->next)
		if (x->kind == AY_CLIENT_X509 && same(c, "fingerprint", x->subject) &&
		    same(c, "statusEqualTo", status_of(x)) && same(c, "nameEqualTo", x->name) &&
		    same(c, "enabledEqualTo", x->state == AY_IDENTITY_ACTIVE ? "true" : "false") &&
		    (has.n == 0 || strstr(x->name, (const char *)has.p) != NULL))
			json_array_append_new(list, client_view(c, x));
	ay_family_document(c, 200, "api_clients", list);
}

/* ---- deciding ---- */

static const struct role *role_named(const char *name)
{
	for (size_t i = 0; i < AY_COUNT(roles); i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	return NULL;
}

/* A role of ours of that name, else the family's is made: by who has all of its permissions. */
static enum ay_rc need_role(struct ay_api_call *c, const char *name, struct ay_err *e)
{
	static const struct ay_scope all;
	struct ay_role row = { .created_at = c->api->now_ms };
	const struct role *r = role_named(name);
	struct ay_scope scope;
	uint64_t perms;

	if (ay_role_find(c->api, name, &perms, &scope))
		return AY_OK;
	if (r == NULL)
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "Roles",
				    "there is no role %.60s", name);
	if (AY_CHECKED("CLIENT_ROLE", ay_may_give(&c->who, r->perms, &all, e) != AY_OK))
		return e->rc;
	snprintf(row.name, sizeof(row.name), "%s", r->name);
	snprintf(row.doc, sizeof(row.doc), "%s", r->doc);
	row.perms = r->perms;
	return ay_role_put(c->api, &row, e);
}

/* The account that the certificate acts for: its own, made now. */
static enum ay_rc make_account(struct ay_api_call *c, const struct ay_client *x, uint64_t *id,
			       struct ay_err *e)
{
	struct ay_role_grant grant[AY_PRINCIPAL_GRANTS] = { 0 };
	struct ay_api_account row = { .created_at = c->api->now_ms, .grants = grant };
	const json_t *list = ay_member(c->body, "Roles,roles");
	size_t n = ay_member_items(list);
	enum ay_rc rc = AY_OK;

	if (n == 0 || n > AY_PRINCIPAL_GRANTS)
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "Roles",
				    "give 1 to %d roles to approve a client", AY_PRINCIPAL_GRANTS);
	for (; rc == AY_OK && row.n_grants < n; row.n_grants++) {
		const char *name = json_string_value(ay_member_item(list, row.n_grants));

		rc = need_role(c, name == NULL ? "" : name, e);
		snprintf(grant[row.n_grants].role, sizeof(grant[0].role), "%s",
			 name == NULL ? "" : name);
	}
	if (rc == AY_OK &&
	    AY_CHECKED("CLIENT_GRANT", ay_may_grant(c->api, &c->who, grant, n, e) != AY_OK))
		rc = e->rc;
	snprintf(row.name, sizeof(row.name), "client-%.16s", x->subject);
	snprintf(row.display, sizeof(row.display), "%s", x->name);
	if (rc == AY_OK && x->state != AY_IDENTITY_ASKED)
		rc = ay_fail(
			e, AY_E_EXISTS, "Status", 0,
			"the client was decided on before: its roles are those of its account");
	if (rc == AY_OK && ay_account_find(c->api, ay_bytes_of(row.name)) != NULL)
		rc = ay_fail(e, AY_E_EXISTS, "Fingerprint", 0, "there is such an account");
	if (rc == AY_OK)
		rc = ay_account_put(c->api, &row, e);
	if (rc == AY_OK)
		*id = ay_account_find(c->api, ay_bytes_of(row.name))->id;
	return rc;
}

static const struct ay_client *client_of(struct ay_api_call *c)
{
	const char *text = ay_member_text(c->body, "Fingerprint,fingerprint");
	const char *cert = ay_member_text(c->body, "X509Certificate,x509Certificate");
	uint8_t print[32];
	char hex[65];
	struct ay_bytes der;

	if (text[0] != '\0')
		return ay_client_find(c->api, AY_CLIENT_X509, text);
	if (ay_family_der(c, ay_bytes_of(cert), &der, NULL) != AY_OK)
		return NULL;
	ay_sha256(der, print);
	ay_hex_encode(AY_BYTES(print), hex);
	return ay_client_find(c->api, AY_CLIENT_X509, hex);
}

/* Who ends a client must have the rights of its account, as everywhere. */
static enum ay_rc may_end(struct ay_api_call *c, const struct ay_client *x, struct ay_err *e)
{
	const struct ay_api_account *u = ay_account_by_id(c->api, x->user);

	if (u != NULL && AY_CHECKED("CLIENT_END_FAMILY", ay_may_change(c->api, &c->who, u->grants,
								       u->n_grants, e) != AY_OK))
		return e->rc;
	return AY_OK;
}

void ay_mtw_client_update(struct ay_api_call *c)
{
	const struct ay_client *x = client_of(c);
	bool approve = ay_member_truth(c->body, "Enabled,enabled", true) &&
		       strcasecmp(ay_member_text(c->body, "Status,status"), "Rejected") != 0;
	struct ay_client row;
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	if (x == NULL)
		rc = ay_fail(&e, AY_E_NOENT, "Fingerprint", 0, "no client has this fingerprint");
	else if (x->state == AY_IDENTITY_ENDED)
		rc = ay_fail(&e, AY_E_EXISTS, "Fingerprint", 0, "this certificate was ended");
	else
		row = *x;
	if (rc == AY_OK)
		rc = approve ? make_account(c, x, &row.user, &e) : may_end(c, x, &e);
	if (rc == AY_OK) {
		row.state = approve ? AY_IDENTITY_ACTIVE : AY_IDENTITY_ENDED;
		rc = ay_client_put(c->api, &row, &e);
	}
	if (rc == AY_E_DENIED)
		ay_api_denied(c, 403, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	if (ay_api_audit(c, approve ? "API_CLIENT_APPROVE" : "API_CLIENT_END",
			 ay_bytes_of(row.subject),
			 json_pack("{s:I, s:O*}", "user", (json_int_t)row.user, "roles",
				   ay_member(c->body, "Roles,roles"))))
		ay_family_done(c);
}
