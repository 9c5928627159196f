/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed requests of the Mt. Wilson family (docs/protocol/signed-requests.md),
 * on its listeners alone: X509, and an API token in x-auth-blob.
 */
#include "prog/assayd/api/auth.h"
#include "prog/assayd/api/clients.h"
#include "prog/assayd/ownnames.h"

void ay_signed_asked(struct ay_api_call *c, const struct ay_api_request *r,
		     struct ay_sr_field field[AY_API_MAX_HEADERS], struct ay_sr_asked *out)
{
	const struct ay_own_names *own = ay_engine_own_names(c->api->engine);

	for (size_t i = 0; i < r->n_headers; i++)
		field[i] = (struct ay_sr_field){ r->header[i].name, r->header[i].value };
	*out = (struct ay_sr_asked){
		.method = ay_http_method_name(r->method),
		.authority = ay_api_request_header(r, "host"),
		.path = r->path,
		.query = r->query,
		.header = field,
		.n_headers = r->n_headers,
		.body = r->body,
		.now_ms = c->api->now_ms,
		.own_name = own == NULL ? NULL : own->name,
		.n_own_names = own == NULL ? 0 : own->n,
	};
}

static enum ay_auth ended(enum ay_rc rc)
{
	return rc == AY_OK ? AY_AUTH_OK : AY_AUTH_REFUSED;
}

/* ---- X509 ---- */

static const struct ay_api_account *user_of(const struct ay_api *a, uint64_t id)
{
	for (const struct ay_api_account *u = a->accounts->users; u != NULL && id != 0; u = u->next)
		if (u->id == id)
			return u;
	return NULL;
}

static enum ay_rc x509(struct ay_api_call *c, const struct ay_api_request *r,
		       const struct ay_sr_x509 *s, const struct ay_client *x,
		       struct ay_principal *who, struct ay_err *e)
{
	const struct ay_api_account *u = user_of(c->api, x->user);
	struct ay_sr_field field[AY_API_MAX_HEADERS];
	struct ay_sr_asked asked;
	struct ay_cert cert;
	int64_t date;
	enum ay_rc rc = ay_cert_parse((struct ay_bytes){ x->octets, x->octets_n }, &cert, e);

	if (rc != AY_OK)
		return rc;
	ay_signed_asked(c, r, field, &asked);
	rc = ay_sr_x509_check(s, &asked, &cert, &c->arena, &date, e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("CLIENT_STATE", x->state != AY_IDENTITY_ACTIVE) || u == NULL)
		return ay_fail_code(e, AY_E_DENIED, "AUTH_PENDING", "authorization",
				    x->state == AY_IDENTITY_ASKED
					    ? "no administrator has approved this certificate yet"
					    : "this certificate is no longer taken");
	rc = ay_signed_once(c->api, x->subject, s->signature, date, e);
	return rc != AY_OK ? rc : ay_auth_user(c->api, u, who, e);
}

enum ay_auth ay_auth_x509(struct ay_api_call *c, const struct ay_api_request *r,
			  struct ay_principal *who, struct ay_err *e)
{
	struct ay_bytes text = ay_api_request_header(r, "authorization");
	const struct ay_client *x;
	struct ay_sr_x509 s;
	char print[65];
	enum ay_rc rc;

	if (c->listener == AY_LISTENER_API || !ay_sr_is_x509(text))
		return AY_AUTH_NONE;
	rc = ay_sr_x509_parse(text, &c->arena, &s, e);
	if (rc != AY_OK)
		return AY_AUTH_REFUSED;
	ay_hex_encode(AY_BYTES(s.fingerprint), print);
	x = ay_client_find(c->api, AY_CLIENT_X509, print);
	if (x == NULL)
		return ended(ay_auth_wrong(e));
	return ended(x509(c, r, &s, x, who, e));
}

/* ---- x-auth-blob, AuthorizationToken ---- */

/* Clients of OpenAttestation send anything there: only what has the form of our tokens counts. */
enum ay_auth ay_auth_blob(struct ay_api_call *c, const struct ay_api_request *r,
			  struct ay_principal *who, struct ay_err *e)
{
	static const char form[] = "asy1.";
	struct ay_bytes text = ay_api_request_header(r, "x-auth-blob");

	if (text.n == 0)
		text = ay_api_request_header(r, "authorizationtoken");
	if (c->listener == AY_LISTENER_API || text.n < sizeof(form) ||
	    memcmp(text.p, form, sizeof(form) - 1) != 0)
		return AY_AUTH_NONE;
	return ended(ay_bearer_check(c->api, text, who, e));
}
