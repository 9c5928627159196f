/* SPDX-License-Identifier: Apache-2.0 */
/* Requests signed with the signing key of an API token: Authorization: MtWilson */
#include "prog/assayd/api/auth.h"
#include "prog/assayd/api/clients.h"
#include "prog/assayd/keepers.h"

static enum ay_auth refused(enum ay_rc rc)
{
	return rc == AY_OK ? AY_AUTH_OK : AY_AUTH_REFUSED;
}

/* What is needed when keeper has answered. */
struct waiting {
	struct ay_sr_hmac s;
	char user[AY_MAX_NAME_BYTES + 1];
	const struct ay_api_request *r; /* while the scheme is asked; then the request is kept */
	struct ay_principal *who;
	struct ay_err *e;
	enum ay_auth got; /* when keeper answered at once */
};

static enum ay_rc hmac(struct ay_api_call *c, const struct ay_api_request *r,
		       const struct waiting *w, struct ay_bytes key, struct ay_principal *who,
		       struct ay_err *e)
{
	struct ay_sr_field field[AY_API_MAX_HEADERS];
	struct ay_sr_asked asked;
	int64_t date;
	enum ay_rc rc;

	ay_signed_asked(c, r, field, &asked);
	rc = ay_sr_hmac_check(&w->s, &asked, key, &c->arena, &date, e);
	if (rc == AY_OK)
		rc = ay_auth_token_id(c->api, ay_bytes_of(w->user), who, e);
	return rc != AY_OK ? rc
			   : ay_signed_once(c->api, w->user, AY_BYTES(w->s.signature), date, e);
}

/* The request itself is in c->message when keeper did not answer at once. */
static enum ay_rc check(struct ay_api_call *c, const struct waiting *w, struct ay_bytes key,
			struct ay_principal *who, struct ay_err *e)
{
	struct ay_api_request r;
	enum ay_rc rc = ay_api_request_parse(c->message, &r, e);

	return rc != AY_OK ? rc : hmac(c, &r, w, key, who, e);
}

static void unwrapped(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes key)
{
	struct ay_api_call *c = arg;
	struct waiting *w = c->state;
	struct ay_principal who = { 0 };
	struct ay_err bad = { 0 };

	if (w->r != NULL) { /* at once */
		if (rc == AY_OK)
			rc = hmac(c, w->r, w, key, w->who, w->e);
		else
			*w->e = *e;
		w->got = rc == AY_OK ? AY_AUTH_OK : AY_AUTH_REFUSED;
		return;
	}
	c->state = NULL;
	if (rc == AY_OK) {
		e = &bad;
		rc = check(c, w, key, &who, &bad);
	}
	who.scheme = "mtwilson";
	ay_auth_finish(c, rc, &who, e);
}

static void client_left(struct ay_api_call *c)
{
	(void)c; /* keeper answers all the same, and ay_auth_finish() ends the call */
}

enum ay_auth ay_auth_mtwilson(struct ay_api_call *c, const struct ay_api_request *r,
			      struct ay_principal *who, struct ay_err *e)
{
	struct ay_bytes text = ay_api_request_header(r, "authorization");
	const struct ay_client *x;
	struct waiting *w;

	if (c->listener == AY_LISTENER_API || !ay_sr_is_hmac(text))
		return AY_AUTH_NONE;
	w = ay_arena_alloc(&c->arena, sizeof(*w));
	text = ay_arena_dup(&c->arena, text); /* what is parsed borrows from it */
	if (w == NULL || text.p == NULL)
		return refused(ay_fail(e, AY_E_NOMEM, "authorization", 0, "out of memory"));
	if (ay_sr_hmac_parse(text, &c->arena, &w->s, e) != AY_OK)
		return AY_AUTH_REFUSED;
	snprintf(w->user, sizeof(w->user), "%.*s", (int)w->s.user.n, (const char *)w->s.user.p);
	x = ay_client_find(c->api, AY_CLIENT_HMAC, w->user);
	if (x == NULL || x->state != AY_IDENTITY_ACTIVE)
		return refused(ay_auth_wrong(e));
	w->r = r;
	w->who = who;
	w->e = e;
	w->got = AY_AUTH_LATER;
	c->state = w;
	ay_keeper_unwrap(c->api->engine, "mtwilson", ay_bytes_of(w->user),
			 (struct ay_bytes){ x->octets, x->octets_n }, unwrapped, c);
	w->r = NULL;
	c->left = w->got == AY_AUTH_LATER ? client_left : NULL;
	return w->got;
}
