/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Login by an identity provider. A login on its way is known by its state,
 * bound to one browser by a cookie, served once, for ten minutes. Every request
 * to the provider goes through courier.
 */
#include "core/authz/groups.h"
#include "core/authz/oidc.h"
#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"
#include "prog/assayd/api/credential.h"
#include "prog/assayd/api/identities.h"
#include "prog/assayd/api/session.h"
#include "prog/assayd/outgoing.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LOGIN_COOKIE "__Host-assay-login"

enum {
	LOGINS = 2048,	    /* on their way at a time; more push out the oldest */
	LOGIN_MS = 600000,  /* a login takes no longer */
	FRESH_MS = 3600000, /* discovery and keys are asked for again */
	KEYS_MS = 30000,    /* an unknown key makes us ask no sooner than that */
	SKEW_MS = 60000,
	ANSWER_MS = 10000,
	ANSWER_MAX = 256 * 1024,
	CA_MAX = 256 * 1024,
};

struct login {
	struct ay_oidc_login of;
	uint8_t browser[32]; /* SHA-256 of the cookie */
	int64_t at_ms;	     /* 0: free */
};

struct ay_oidc {
	struct ay_oidc_client client;
	char secret[512];
	struct ay_bytes ca;
	const char *issuer, *groups_claim, *mfa, *title;
	struct ay_group_map map;
	struct ay_oidc_provider provider;
	int64_t provider_ms, keys_ms; /* when they were asked for; 0: never */
	struct ay_jwt_keys keys;
	struct login login[LOGINS];
};

/* ---- configuration ---- */

static enum ay_rc read_secret(struct ay_oidc *o, const char *path, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes b = { NULL, 0 };
	struct stat st;
	enum ay_rc rc;

	if (path[0] == '\0')
		return AY_OK;
	rc = ay_file_read(path, sizeof(o->secret) - 1, &b, e);
	if (rc != AY_OK)
		return rc;
	if (stat(path, &st) != 0 || AY_CHECKED("OIDC_SECRET_MODE", (st.st_mode & 077) != 0))
		return ay_fail(e, AY_E_INPUT, "oidc.client_secret_file", 0,
			       "%.80s must be readable by its owner alone (0600)", path);
	while (b.n > 0 && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == '\r'))
		b.n--;
	memcpy(o->secret, b.p, b.n);
	return AY_OK;
}

static enum ay_rc read_settings(struct ay_oidc *o, const struct ay_config *c, struct ay_err *e)
{
	char url[AY_OIDC_URL];
	enum ay_rc rc;

	o->client = (struct ay_oidc_client){ ay_config_str(c, "oidc.client_id"),
					     ay_config_str(c, "oidc.redirect"),
					     ay_config_str(c, "oidc.scopes") };
	o->groups_claim = ay_config_str(c, "oidc.groups_claim");
	o->mfa = ay_config_str(c, "oidc.mfa");
	o->title = ay_config_str(c, "oidc.title");
	if (!ay_oidc_discovery_url(o->issuer, url))
		return ay_fail(e, AY_E_INPUT, "oidc.issuer", 0, "give an https address");
	if (o->client.id[0] == '\0' || strncmp(o->client.redirect, "https://", 8) != 0)
		return ay_fail(e, AY_E_INPUT, "oidc", 0,
			       "give client_id and redirect (https://..)");
	rc = ay_group_map_parse(ay_config_str(c, "oidc.roles"), "oidc.roles", &o->map, e);
	if (rc == AY_OK)
		rc = read_secret(o, ay_config_str(c, "oidc.client_secret_file"), e);
	if (rc == AY_OK && ay_config_str(c, "oidc.ca")[0] != '\0')
		rc = ay_file_read(ay_config_str(c, "oidc.ca"), CA_MAX, &o->ca, e);
	return rc;
}

enum ay_rc ay_oidc_load(struct ay_api *a, struct ay_err *e)
{
	const struct ay_config *config = ay_engine_config_of(a->engine);
	const char *issuer = config == NULL ? "" : ay_config_str(config, "oidc.issuer");
	enum ay_rc rc;

	if (issuer[0] == '\0')
		return AY_OK;
	a->oidc = calloc(1, sizeof(*a->oidc));
	if (a->oidc == NULL)
		return ay_fail(e, AY_E_NOMEM, "oidc", 0, "out of memory");
	a->oidc->issuer = issuer;
	rc = read_settings(a->oidc, config, e);
	return rc == AY_OK ? ay_person_roles_check(a, &a->oidc->map, "oidc.roles", e) : rc;
}

void ay_oidc_free(struct ay_api *a)
{
	if (a->oidc == NULL)
		return;
	ay_jwt_keys_free(&a->oidc->keys);
	ay_file_free(&a->oidc->ca);
	OPENSSL_cleanse(a->oidc, sizeof(*a->oidc));
	free(a->oidc);
	a->oidc = NULL;
}

void ay_api_login_methods(struct ay_api_call *c)
{
	const struct ay_oidc *o = c->api->oidc;
	json_t *oidc = o == NULL ? json_null()
				 : json_pack("{s:s, s:s}", "title", o->title, "path",
					     "/api/v1/login/oidc");

	ay_api_json(c, 200,
		    json_pack("{s:b, s:b, s:o, s:b}", "password", 1, "ldap",
			      (int)(c->api->ldap != NULL), "oidc", oidc, "certificate", 1));
}

/* ---- one request to the provider ---- */

typedef void step_fn(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e,
		     struct ay_bytes body);

/* State of a call while the provider is asked. */
struct work {
	struct ay_api_call *c;
	uint32_t number;
	step_fn *then;
	struct ay_oidc_login of; /* the login that came back */
	struct ay_bytes id_token;
	char kid[AY_JWT_KID];
};

static void drop(struct ay_api_call *c)
{
	struct work *w = c->state;

	c->state = NULL;
	c->left = NULL;
	if (w != NULL)
		OPENSSL_cleanse(w, sizeof(*w));
	free(w);
}

static void left(struct ay_api_call *c)
{
	ay_outgoing_forget(c->api->engine, ((struct work *)c->state)->number);
	drop(c);
	if (c->gone)
		ay_api_empty(c, 204); /* nobody hears it; ends the call */
}

static struct work *work_of(struct ay_api_call *c)
{
	struct work *w = c->state;

	if (w == NULL)
		w = calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	w->c = c;
	c->state = w;
	c->left = left;
	return w;
}

/* Refused, and told to the audit; nobody learns more than that. */
static void refuse(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e)
{
	bool ours = rc == AY_E_UNAVAIL || rc == AY_E_NOMEM;

	drop(c);
	ay_api_login(c, ay_bytes_of("-"), "oidc", e->code);
	ay_api_problem_as(c, ours ? 503 : 403, e, NULL, NULL);
}

static void on_answer(void *arg, enum ay_rc rc, const struct ay_err *e,
		      const struct ay_outgoing_answer *a)
{
	struct work *w = arg;
	struct ay_err down = { 0 };

	w->number = 0;
	w->c->api->now_ms = ay_engine_now_ms(w->c->api->engine);
	if (rc == AY_OK && (a->status != 200 || a->body.n == 0))
		rc = ay_fail(&down, AY_E_UNAVAIL, "oidc", 0, "the provider answered %u",
			     (unsigned)a->status);
	else if (rc != AY_OK)
		rc = ay_fail(&down, AY_E_UNAVAIL, "oidc", 0, "the provider cannot be asked: %s",
			     e->code);
	if (rc != AY_OK)
		ay_err_code(&down, "AUTH_SOURCE_DOWN");
	w->then(w->c, rc, &down, rc == AY_OK ? a->body : (struct ay_bytes){ NULL, 0 });
}

static void send_it(struct ay_api_call *c, struct ay_outgoing *q, step_fn *then)
{
	struct work *w = work_of(c);
	struct ay_err e = { 0 };
	uint32_t number;

	if (w == NULL) {
		ay_err_set(&e, AY_E_NOMEM, "oidc", 0, "out of memory");
		refuse(c, AY_E_NOMEM, &e);
		return;
	}
	w->then = then;
	q->ca = c->api->oidc->ca;
	q->deadline_ms = ANSWER_MS;
	q->max_answer = ANSWER_MAX;
	number = ay_outgoing_send(c->api->engine, q, on_answer, w);
	if (number != 0)
		w->number = number; /* else w is gone */
}

static void get(struct ay_api_call *c, const char *url, step_fn *then)
{
	struct ay_outgoing q = { .method = AY_OUTGOING_GET, .url = ay_bytes_of(url) };

	q.header[q.n_headers++] = (struct ay_outgoing_header){ ay_bytes_of("accept"),
							       ay_bytes_of("application/json") };
	send_it(c, &q, then);
}

/* ---- there ---- */

static void draw(char out[AY_OIDC_RANDOM])
{
	uint8_t r[32];

	ay_rng_bytes(r, sizeof(r));
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(r), out);
	OPENSSL_cleanse(r, sizeof(r));
}

static struct login *slot_of(struct ay_oidc *o)
{
	struct login *old = &o->login[0];

	for (size_t i = 0; i < LOGINS; i++)
		if (o->login[i].at_ms < old->at_ms)
			old = &o->login[i];
	return old;
}

static void redirect(struct ay_api_call *c)
{
	struct ay_oidc *o = c->api->oidc;
	struct login *l = slot_of(o);
	char cookie[AY_OIDC_RANDOM], header[192], url[AY_OIDC_REQUEST];
	struct ay_err e = { 0 };

	draw(l->of.state);
	draw(l->of.nonce);
	draw(l->of.verifier);
	draw(cookie);
	ay_sha256(ay_bytes_of(cookie), l->browser);
	l->at_ms = c->api->now_ms;
	drop(c);
	if (!ay_oidc_request(&o->provider, &o->client, &l->of, url)) {
		ay_err_set(&e, AY_E_LIMIT, "oidc", 0, "the provider's address is too long");
		ay_api_problem(c, &e);
		return;
	}
	/* Lax: the browser comes back by a link of another site */
	snprintf(header, sizeof(header),
		 LOGIN_COOKIE "=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Lax", cookie,
		 LOGIN_MS / 1000);
	ay_api_header(c, "set-cookie", header);
	ay_api_header(c, "cache-control", "no-store");
	ay_api_answer(c, 302, NULL, (struct ay_bytes){ NULL, 0 }, "location", url);
}

static void discovered(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e,
		       struct ay_bytes body)
{
	struct ay_oidc *o = c->api->oidc;
	struct ay_oidc_provider p;
	struct ay_err why = *e;

	if (rc == AY_OK)
		rc = ay_oidc_discovery_parse(body, o->issuer, &p, &why);
	if (rc != AY_OK) {
		refuse(c, rc, &why);
		return;
	}
	o->provider = p;
	o->provider_ms = c->api->now_ms;
	redirect(c);
}

static bool is_configured(struct ay_api_call *c)
{
	struct ay_err e;

	if (c->api->oidc != NULL)
		return true;
	ay_err_set(&e, AY_E_NOENT, "oidc", 0, "no identity provider is configured");
	ay_api_problem(c, &e);
	return false;
}

void ay_api_login_oidc(struct ay_api_call *c)
{
	struct ay_oidc *o = c->api->oidc;
	char url[AY_OIDC_URL];

	if (!is_configured(c))
		return;
	if (o->provider_ms != 0 && c->api->now_ms - o->provider_ms < FRESH_MS)
		redirect(c);
	else if (ay_oidc_discovery_url(o->issuer, url))
		get(c, url, discovered);
}

/* ---- and back ---- */

static void entered(struct ay_api_call *c, const struct ay_oidc_person *p)
{
	/* not a redirect: a Strict cookie goes along only with what our own page asks for */
	static const char page[] = "<!doctype html><meta http-equiv=\"refresh\" "
				   "content=\"0;url=/\"><title>Assay</title>"
				   "<a href=\"/\">continue</a>\n";
	char subject[AY_IDENTITY_SUBJECT];
	struct ay_person who = { .source = "oidc",
				 .subject = subject,
				 .name = p->name,
				 .display = p->display,
				 .mfa = p->mfa };
	struct ay_api_account *u;
	struct ay_session *s;
	struct ay_err e = { 0 };
	const char *csrf;
	enum ay_rc rc;

	snprintf(subject, sizeof(subject), "%s %s", c->api->oidc->issuer, p->subject);
	who.n_roles = ay_group_roles(&c->api->oidc->map, (const char(*)[AY_GROUP_TEXT])p->groups,
				     p->n_groups, false, who.role, AY_PRINCIPAL_GRANTS);
	rc = ay_person_enter(c, &who, &u, &e);
	if (rc == AY_OK)
		rc = ay_login_open(c, u, "oidc", p->mfa, &s, &csrf, &e);
	if (rc != AY_OK) {
		refuse(c, rc, &e);
		return;
	}
	drop(c);
	ay_api_header(c, "cache-control", "no-store");
	ay_api_answer(c, 200, "text/html; charset=utf-8", ay_bytes_of(page), NULL, NULL);
}

static void judge(struct ay_api_call *c)
{
	struct ay_oidc *o = c->api->oidc;
	struct work *w = c->state;
	const struct ay_oidc_expect want = { .keys = &o->keys,
					     .issuer = o->issuer,
					     .client_id = o->client.id,
					     .nonce = w->of.nonce,
					     .now_ms = c->api->now_ms,
					     .skew_ms = SKEW_MS,
					     .max_age_ms = LOGIN_MS,
					     .groups_claim = o->groups_claim,
					     .mfa = o->mfa };
	struct ay_oidc_person p;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_oidc_id_token_check(w->id_token, &want, &c->arena, &p, &e);

	if (rc == AY_OK)
		entered(c, &p);
	else
		refuse(c, rc, &e);
}

static void keys_came(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e,
		      struct ay_bytes body)
{
	struct ay_oidc *o = c->api->oidc;
	struct ay_jwt_keys keys;
	struct ay_err why = *e;

	o->keys_ms = c->api->now_ms;
	if (rc == AY_OK)
		rc = ay_jwt_keys_parse(body, &keys, &why);
	if (rc != AY_OK) {
		refuse(c, rc, &why);
		return;
	}
	ay_jwt_keys_free(&o->keys);
	o->keys = keys;
	judge(c);
}

/* Keys are asked for when they are old, or when one is named that we do not know: seldom. */
static void token_came(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e,
		       struct ay_bytes body)
{
	struct ay_oidc *o = c->api->oidc;
	struct work *w = c->state;
	struct ay_err why = *e;
	int64_t age = c->api->now_ms - o->keys_ms;

	if (rc == AY_OK)
		rc = ay_oidc_token_parse(body, &c->arena, &w->id_token, &why);
	if (rc == AY_OK)
		rc = ay_jwt_kid(w->id_token, w->kid, &why);
	if (rc != AY_OK)
		refuse(c, rc, &why);
	else if (o->keys_ms == 0 || age >= FRESH_MS ||
		 (ay_jwt_keys_find(&o->keys, w->kid) == NULL && age >= KEYS_MS))
		get(c, o->provider.jwks, keys_came);
	else
		judge(c);
}

static void ask_token(struct ay_api_call *c, struct ay_bytes code)
{
	struct ay_oidc *o = c->api->oidc;
	struct work *w = c->state;
	bool in_form = o->secret[0] == '\0' || o->provider.post;
	struct ay_outgoing q = { .method = AY_OUTGOING_POST,
				 .url = ay_bytes_of(o->provider.token) };
	const char *basic = in_form ? "" : ay_oidc_basic(o->client.id, o->secret, &c->arena);
	struct ay_err e = { 0 };

	q.body =
		ay_oidc_token_form(&o->client, &w->of, code, in_form ? o->secret : NULL, &c->arena);
	if (basic == NULL || q.body.p == NULL) {
		ay_err_set(&e, AY_E_NOMEM, "oidc", 0, "out of memory");
		refuse(c, AY_E_NOMEM, &e);
		return;
	}
	q.header[q.n_headers++] =
		(struct ay_outgoing_header){ ay_bytes_of("content-type"),
					     ay_bytes_of("application/x-www-form-urlencoded") };
	q.header[q.n_headers++] = (struct ay_outgoing_header){ ay_bytes_of("accept"),
							       ay_bytes_of("application/json") };
	if (!in_form)
		q.header[q.n_headers++] = (struct ay_outgoing_header){ ay_bytes_of("authorization"),
								       ay_bytes_of(basic) };
	send_it(c, &q, token_came);
}

/* The login of this state, begun by this browser; taken, so that it serves once. */
static enum ay_rc take_login(struct ay_api_call *c, struct ay_bytes state,
			     struct ay_oidc_login *out, struct ay_err *e)
{
	struct ay_oidc *o = c->api->oidc;
	struct ay_bytes cookie = { NULL, 0 };
	struct login *l = NULL;
	uint8_t browser[32];

	for (size_t i = 0; i < LOGINS; i++)
		if (o->login[i].at_ms != 0 && state.n == AY_OIDC_RANDOM - 1 &&
		    CRYPTO_memcmp(state.p, o->login[i].of.state, state.n) == 0)
			l = &o->login[i];
	if (ay_cookie_find(ay_api_request_header(c->request, "cookie"), LOGIN_COOKIE, &cookie, e) !=
	    AY_OK)
		cookie = ay_bytes_of("");
	ay_sha256(cookie, browser);
	if (l == NULL ||
	    AY_CHECKED("OIDC_BROWSER", CRYPTO_memcmp(browser, l->browser, sizeof(browser)) != 0) ||
	    AY_CHECKED("OIDC_STATE_AGE", c->api->now_ms - l->at_ms >= LOGIN_MS))
		return ay_fail_code(e, AY_E_DENIED, "OIDC_STATE", "state",
				    "this login was not begun here, was used, or took too long: "
				    "begin again");
	*out = l->of;
	OPENSSL_cleanse(l, sizeof(*l));
	return AY_OK;
}

void ay_api_login_oidc_callback(struct ay_api_call *c)
{
	const struct ay_oidc_answer a = { .state = ay_api_param(c, "state"),
					  .code = ay_api_param(c, "code"),
					  .iss = ay_api_param(c, "iss"),
					  .error = ay_api_param(c, "error") };
	struct ay_err e = { 0 };
	struct work *w;
	enum ay_rc rc;

	if (!is_configured(c))
		return;
	w = work_of(c);
	rc = w == NULL ? ay_fail(&e, AY_E_NOMEM, "oidc", 0, "out of memory")
		       : take_login(c, a.state, &w->of, &e);
	if (rc == AY_OK)
		rc = ay_oidc_answer_check(&a, &c->api->oidc->provider, &e);
	if (rc != AY_OK)
		refuse(c, rc, &e);
	else
		ask_token(c, a.code);
}
