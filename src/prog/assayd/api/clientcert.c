/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS client certificates. TLS proved that the client has the key; who he is,
 * says the one who approved that key here. No issuer is asked: the key is pinned.
 */
#include "core/crypto/pem.h"
#include "core/crypto/x509.h"
#include "prog/assayd/api/identities.h"

/* It comes with every request: the audit has it once an hour. */
enum { SEEN_MS = 3600000 };

static void subject_of(const uint8_t spki[32], char out[65])
{
	ay_hex_encode((struct ay_bytes){ spki, 32 }, out);
}

/* ---- the scheme ---- */

/* A browser adds the certificate to whatever a page of anybody makes it send. */
static bool is_other_site(const struct ay_api_request *r)
{
	struct ay_bytes site = ay_api_request_header(r, "sec-fetch-site");
	bool get = r->method == AY_HTTP_GET || r->method == AY_HTTP_HEAD;

	if (site.n > 0 && !ay_bytes_eq(site, ay_bytes_of("same-origin")) &&
	    !ay_bytes_eq(site, ay_bytes_of("none")))
		return true;
	return site.n == 0 && !get && ay_api_request_header(r, "origin").n > 0;
}

static enum ay_rc let_in(struct ay_api *a, const struct ay_identity *i, struct ay_principal *who,
			 struct ay_err *e)
{
	const struct ay_api_account *u = ay_account_by_id(a, i->user);
	enum ay_rc rc;

	if (AY_CHECKED("CERT_PENDING", i->state == AY_IDENTITY_ASKED))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_PENDING", "certificate",
				    "this certificate waits for approval");
	if (AY_CHECKED("CERT_ENDED", i->state == AY_IDENTITY_ENDED) || u == NULL)
		return ay_auth_wrong(e);
	if (AY_CHECKED("CERT_DATES", a->now_ms < i->not_before || a->now_ms > i->not_after))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_EXPIRED", "certificate",
				    "this certificate is out of date");
	rc = ay_auth_user(a, u, who, e);
	who->token_made_at = i->decided_at;
	return rc;
}

enum ay_auth ay_auth_cert(struct ay_api_call *c, const struct ay_api_request *r,
			  struct ay_principal *who, struct ay_err *e)
{
	struct ay_identity *i;
	char subject[65];
	enum ay_rc rc;

	if (!r->has_cert || ay_api_request_header(r, "authorization").p != NULL)
		return AY_AUTH_NONE; /* what was typed wins */
	subject_of(r->cert_spki, subject);
	i = ay_identity_find(c->api, "cert", subject);
	if (AY_CHECKED("CERT_SITE", is_other_site(r)))
		rc = ay_fail_code(e, AY_E_DENIED, "CSRF", "origin",
				  "the request comes from a page of another site");
	else
		rc = i == NULL ? ay_auth_wrong(e) : let_in(c->api, i, who, e);
	if (rc == AY_OK && c->api->now_ms - i->seen_at >= SEEN_MS) {
		i->seen_at = c->api->now_ms;
		ay_api_login(c, ay_bytes_of(who->user), "certificate", NULL);
	} else if (rc != AY_OK && i != NULL) { /* others' are denials like any other */
		ay_api_login(c, ay_bytes_of(i->name), "certificate", e->code);
	}
	return rc == AY_OK ? AY_AUTH_OK : AY_AUTH_REFUSED;
}

/* ---- registration ---- */

/* What is kept of a certificate: its key, and how long it is good. */
static enum ay_rc read_cert(struct ay_bytes der, struct ay_identity *out, struct ay_err *e)
{
	struct ay_pubkey *key = NULL;
	struct ay_cert cert;
	uint8_t spki[32];
	enum ay_rc rc = ay_cert_parse(der, &cert, e);

	if (rc == AY_OK)
		rc = ay_cert_key(&cert, &key, e);
	if (rc == AY_OK && (ay_pubkey_kind(key) == AY_KEY_RSA && ay_pubkey_bits(key) < 2048))
		rc = ay_fail(e, AY_E_INPUT, "certificate", 0, "an RSA key has 2048 bits at least");
	ay_pubkey_free(key);
	if (rc != AY_OK)
		return rc;
	ay_cert_spki_hash(&cert, spki);
	snprintf(out->source, sizeof(out->source), "cert");
	subject_of(spki, out->subject);
	out->not_before = cert.not_before_ms;
	out->not_after = cert.not_after_ms;
	return AY_OK;
}

static enum ay_rc is_new(struct ay_api *a, const struct ay_identity *row, struct ay_err *e)
{
	if (ay_identity_find(a, "cert", row->subject) != NULL)
		return ay_fail_code(e, AY_E_EXISTS, "IDENTITY_TAKEN", "certificate",
				    "this key is known already; one that was revoked is not taken "
				    "again");
	if (row->not_after <= a->now_ms)
		return ay_fail(e, AY_E_INPUT, "certificate", 0, "it has expired");
	return AY_OK;
}

/* Anybody may fill this; not more of it than somebody can look through. */
static enum ay_rc has_room(const struct ay_api *a, struct ay_err *e)
{
	size_t n = 0;

	for (const struct ay_identity *i = a->identities; i != NULL; i = i->next)
		n += i->state == AY_IDENTITY_ASKED;
	if (AY_CHECKED("CERT_ASKED_MAX", n >= AY_IDENTITY_ASKED_MAX))
		return ay_fail(e, AY_E_UNAVAIL, "certificate", 0,
			       "too many certificates wait for approval");
	return AY_OK;
}

/* By the one who has the key: over TLS with that very certificate. */
void ay_api_certs_ask(struct ay_api_call *c)
{
	const struct ay_api_request *r = c->request;
	struct ay_identity row = { .state = AY_IDENTITY_ASKED, .created_at = c->api->now_ms }, *i;
	struct ay_bytes name = ay_api_text(c, "name");
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	if (!r->has_cert || r->cert.n == 0)
		rc = ay_fail(&e, AY_E_INPUT, "certificate", 0,
			     "connect with the certificate that is to be taken");
	if (rc == AY_OK)
		rc = has_room(c->api, &e);
	if (rc == AY_OK)
		rc = read_cert(r->cert, &row, &e);
	if (rc == AY_OK)
		rc = is_new(c->api, &row, &e);
	snprintf(row.name, sizeof(row.name), "%s", (const char *)name.p);
	if (rc == AY_OK)
		rc = ay_identity_put(c->api, &row, &i, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "CERT_ASK", ay_bytes_of(row.subject), json_deep_copy(c->body)))
		ay_api_identity_answer(c, 202, i);
}

static enum ay_rc of_pem(struct ay_api_call *c, struct ay_identity *row, struct ay_err *e)
{
	struct ay_bytes pem = ay_api_text(c, "certificate"), der = { NULL, 0 };
	enum ay_rc rc = ay_pem_next(&pem, "CERTIFICATE", &c->arena, &der, e);

	return rc == AY_OK ? read_cert(der, row, e) : rc;
}

void ay_api_certs_add(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_api_user_to_change(c);
	struct ay_identity row = { .state = AY_IDENTITY_ACTIVE,
				   .created_at = c->api->now_ms,
				   .decided_at = c->api->now_ms },
			   *i;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (u == NULL)
		return;
	rc = of_pem(c, &row, &e);
	if (rc == AY_OK)
		rc = is_new(c->api, &row, &e);
	row.user = u->id;
	snprintf(row.name, sizeof(row.name), "%s", u->name);
	snprintf(row.by, sizeof(row.by), "%s", c->who.user);
	if (rc == AY_OK)
		rc = ay_identity_put(c->api, &row, &i, &e);
	if (!ay_api_refused(c, rc, &e) && ay_api_audit(c, "CERT_ADD", ay_bytes_of(u->name),
						       json_pack("{s:s}", "spki", row.subject)))
		ay_api_identity_answer(c, 201, i);
}

static enum ay_rc may_approve(struct ay_api_call *c, const struct ay_identity *i,
			      const struct ay_api_account *u, struct ay_err *e)
{
	if (i == NULL)
		return ay_fail(e, AY_E_NOENT, "certificate", 0, "no such certificate");
	if (AY_CHECKED("CERT_APPROVED", i->state != AY_IDENTITY_ASKED))
		return ay_fail(e, AY_E_EXISTS, "certificate", 0, "this was decided already");
	if (AY_CHECKED("CERT_SELF", u->id == c->who.user_id))
		return ay_fail_code(e, AY_E_DENIED, "APPROVAL_SELF", "user",
				    "somebody else must approve it");
	return AY_OK;
}

void ay_api_certs_approve(struct ay_api_call *c)
{
	struct ay_api_account *u = ay_api_account_to_give(c, ay_api_text(c, "user"));
	struct ay_identity *i = c->api->identities, row;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (u == NULL)
		return;
	while (i != NULL &&
	       (strcmp(i->source, "cert") != 0 || !ay_bytes_eq(ay_bytes_of(i->id), c->param[0])))
		i = i->next;
	rc = may_approve(c, i, u, &e);
	if (rc == AY_OK) {
		row = *i;
		row.state = AY_IDENTITY_ACTIVE;
		row.user = u->id;
		row.decided_at = c->api->now_ms;
		snprintf(row.by, sizeof(row.by), "%s", c->who.user);
		rc = ay_identity_put(c->api, &row, &i, &e);
	}
	if (rc == AY_E_DENIED)
		ay_api_denied(c, 403, &e);
	if (!ay_api_refused(c, rc, &e) && ay_api_audit(c, "CERT_APPROVE", ay_bytes_of(u->name),
						       json_pack("{s:s}", "spki", i->subject)))
		ay_api_identity_answer(c, 200, i);
}
