/* SPDX-License-Identifier: Apache-2.0 */
#include "core/xml/tojson.h"
#include "io/sys/rng.h"
#include "io/sys/wipe.h"
#include "prog/assayd/api/attempt.h"
#include "prog/assayd/api/clients.h"
#include "prog/assayd/api/identities.h"
#include "prog/assayd/api/router.h"
#include "prog/assayd/api/session.h"
#include "prog/assayd/family/cit_rpc.h"
#include "prog/assayd/family/objects.h"
#include "prog/assayd/soap/soap.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { CALL_BYTES = 64 * 1024 * 1024 };

/* Without configuration (tests): cheap hashes. */
static struct ay_api_settings settings_of(const struct ay_config *config)
{
	struct ay_api_settings s = { .session_idle_ms = 30 * 60000,
				     .session_life_ms = 12 * 3600000,
				     .hash = { 64, 1, 1 },
				     .hash_threads = 2 };

	if (config == NULL)
		return s;
	s.session_idle_ms = ay_config_int(config, "login.session_idle");
	s.session_life_ms = ay_config_int(config, "login.session_life");
	s.hash.memory_kib = (uint32_t)(ay_config_int(config, "login.password_memory") / 1024);
	s.hash.passes = (uint32_t)ay_config_int(config, "login.password_passes");
	return s;
}

int ay_api_wake_fd(const struct ay_api *a)
{
	return ay_hasher_fd(a->hasher);
}

void ay_api_woken(struct ay_api *a)
{
	ay_hasher_done(a->hasher);
}

enum ay_rc ay_api_new(struct ay_engine *g, struct ay_store *store, const struct ay_api_out *out,
		      struct ay_api **api, struct ay_err *e)
{
	struct ay_api *a = calloc(1, sizeof(*a));
	enum ay_rc rc;

	*api = NULL;
	if (a == NULL)
		return ay_fail(e, AY_E_NOMEM, "api", 0, "out of memory");
	ay_wipe_json();
	a->engine = g;
	a->store = store;
	a->out = *out;
	a->denials = ay_denials_new();
	ay_rng_bytes(a->basic_key, sizeof(a->basic_key));
	a->settings = settings_of(ay_engine_config_of(g));
	rc = ay_attempts_new(a, e);
	if (rc == AY_OK)
		rc = ay_accounts_load(a, e);
	if (rc == AY_OK)
		rc = ay_listener_roles_load(a, e);
	if (rc == AY_OK)
		rc = ay_identities_load(a, e);
	if (rc == AY_OK)
		rc = ay_oidc_load(a, e);
	if (rc == AY_OK)
		rc = ay_ldap_load(a, e);
	if (rc == AY_OK)
		rc = ay_objects_load(a, e);
	if (rc == AY_OK)
		rc = ay_clients_load(a, e);
	if (rc != AY_OK) {
		ay_api_free(a);
		return rc;
	}
	*api = a;
	return AY_OK;
}

void ay_api_free(struct ay_api *a)
{
	if (a == NULL)
		return;
	a->closing = true;
	while (a->calls != NULL) {
		struct ay_api_call *c = a->calls;
		struct ay_err e;

		if (c->left != NULL)
			c->left(c);
		ay_err_set(&e, AY_E_UNAVAIL, "server", 0, "the server stops");
		ay_api_problem(c, &e);
	}
	ay_api_sweep(a);
	ay_denials_flush(a, true);
	free(a->denials);
	free(a->streams);
	ay_objects_free(a);
	ay_clients_free(a);
	ay_rpcs_free(a);
	ay_identities_free(a);
	ay_oidc_free(a);
	ay_ldap_free(a);
	ay_accounts_free(a);
	ay_attempts_free(a);
	OPENSSL_cleanse(a->basic_key, sizeof(a->basic_key));
	free(a);
}

/* ---- one request ---- */

static struct ay_api_call *call_new(struct ay_api *a, uint32_t req)
{
	struct ay_api_call *c = calloc(1, sizeof(*c));
	uint8_t id[AY_REQUEST_ID_TEXT / 2];

	if (c == NULL)
		return NULL;
	c->api = a;
	c->req = req;
	ay_rng_bytes(id, sizeof(id));
	ay_hex_encode(AY_BYTES(id), c->id);
	ay_arena_init(&c->arena, CALL_BYTES);
	c->next = a->calls;
	a->calls = c;
	return c;
}

/* What may be asked of a path is no secret: the OpenAPI document tells it to anybody. */
static enum ay_rc options(struct ay_api_call *c)
{
	char allow[64];

	ay_route_allow(c->listener, &c->target, allow);
	ay_api_answer(c, 204, NULL, (struct ay_bytes){ NULL, 0 }, "allow", allow);
	return AY_E_NOENT;
}

/* Refused before it had a call of its own. */
static enum ay_rc not_found(struct ay_api_call *c, const struct ay_api_request *r, bool path_known)
{
	char allow[64];
	struct ay_err e;

	c->api->metrics.not_found++;
	if (path_known) {
		ay_route_allow(c->listener, &c->target, allow);
		ay_err_set(&e, AY_E_INPUT, "method", 0, "%s is not among %s here",
			   ay_http_method_name(r->method), allow);
		ay_api_problem_as(c, 405, &e, "allow", allow);
	} else {
		ay_err_set(&e, AY_E_NOENT, "path", 0, "no such path");
		ay_api_problem(c, &e);
	}
	return AY_E_NOENT;
}

/*
 * Every way in that there is, as one header. Basic is not told at our own
 * address: browsers would ask with a window of theirs in place of the login page.
 */
static void challenges(const struct ay_api_call *c, char *out, size_t room)
{
	bool own = c->listener == AY_LISTENER_API;
	size_t n, at = 0;
	const struct ay_auth_scheme *s = ay_auth_schemes(&n);

	out[0] = '\0';
	for (size_t i = 0; i < n && at < room; i++)
		if (s[i].challenge[0] != '\0' && !(own && strncmp(s[i].challenge, "Basic", 5) == 0))
			at += (size_t)snprintf(out + at, room - at, "%s%s", at == 0 ? "" : ", ",
					       s[i].challenge);
}

static void unauthenticated(struct ay_api_call *c, const struct ay_err *e)
{
	struct ay_err many;
	char list[256];

	c->api->metrics.unauthenticated++;
	if (strcmp(e->code, "AUTH_REQUIRED") == 0 || ay_auth_failed(c->api, c->peer)) {
		ay_api_denied(c, 401, e);
		challenges(c, list, sizeof(list));
		ay_api_problem_as(c, 401, e, "www-authenticate", list);
		return;
	}
	ay_err_set(&many, AY_E_DENIED, "authorization", 0,
		   "too many refused credentials from this address");
	ay_err_code(&many, "AUTH_RATE");
	ay_api_denied(c, 429, &many);
	ay_api_problem_as(c, 429, &many, "retry-after", "10");
}

/* The credential was refused, or what it permits is not this. */
static void refuse(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e)
{
	if (rc == AY_E_DENIED && strcmp(e->code, "AUTH_LOCKED") == 0) {
		ay_api_denied(c, 429, e);
		ay_api_problem_as(c, 429, e, NULL, NULL);
		return;
	}
	if (rc == AY_E_DENIED && strncmp(e->code, "AUTH_", 5) == 0) {
		unauthenticated(c, e);
		return;
	}
	if (rc == AY_E_DENIED || rc == AY_E_NOENT)
		ay_api_denied(c, rc == AY_E_DENIED ? 403 : 404, e);
	ay_api_problem(c, e);
}

/* Permission, then scope. A host outside is as one that does not exist. */
static enum ay_rc permit(struct ay_api_call *c, struct ay_err *e)
{
	enum ay_rc rc = ay_route_permit(c->route, &c->who, e);
	size_t at;

	if (rc == AY_OK)
		rc = ay_route_scope(c->route, &c->who, e);
	if (rc != AY_OK || c->route->perm == AY_PERM_PUBLIC || ay_may(&c->who, c->route->perm) ||
	    !ay_route_host(c->route, &at))
		return rc;
	if (ay_api_host_find(c, c->param[at]) == NULL) /* handlers ask again */
		return ay_fail(e, AY_E_NOENT, "host", 0, "no host has this id or name");
	return AY_OK;
}

static struct ay_bytes keep(struct ay_api_call *c, struct ay_bytes b)
{
	return ay_arena_dup(&c->arena, b);
}

/* The type itself; parameters may follow. */
static bool is_type(struct ay_bytes type, const char *want)
{
	size_t n = strlen(want);

	return type.n >= n && strncasecmp((const char *)type.p, want, n) == 0 &&
	       (type.n == n || type.p[n] == ';' || type.p[n] == ' ');
}

static bool is_json_type(struct ay_bytes type)
{
	return is_type(type, "application/json");
}

static bool is_xml_type(struct ay_bytes type)
{
	return is_type(type, "application/xml") || is_type(type, "text/xml");
}

/* What is done to something that is there already needs no body when nothing is to be said. */
bool ay_api_may_be_empty(const struct ay_route *r)
{
	return r->request == AY_SCHEMA_ReferenceChange || r->request == AY_SCHEMA_Decision;
}

/* JSON or XML of a client of the family; other forms are read by the handler. */
static enum ay_rc take_family_body(struct ay_api_call *c, const struct ay_api_request *r)
{
	struct ay_bytes type = ay_api_request_header(r, "content-type");
	struct ay_err e = { 0 };
	enum ay_rc rc;

	c->raw = keep(c, r->body);
	c->content_type = keep(c, type);
	if (c->route->request == AY_SCHEMA_NONE || r->body.n == 0 ||
	    (type.n > 0 && !is_json_type(type) && !is_xml_type(type)))
		return AY_OK;
	rc = is_xml_type(type) ? ay_xml_to_json(c->raw, &c->body, &e)
			       : ay_json_load(c->raw, AY_MAX_API_BODY, "body", &c->body, &e);
	if (rc != AY_OK)
		ay_api_problem(c, &e);
	return rc;
}

static enum ay_rc take_body(struct ay_api_call *c, const struct ay_api_request *r)
{
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (c->dialect != AY_DIALECT_NATIVE)
		return take_family_body(c, r);
	if (c->route->request == AY_SCHEMA_NONE && r->body.n > 0) {
		ay_err_set(&e, AY_E_INPUT, "body", 0, "no body is expected here");
		ay_api_problem(c, &e);
		return AY_E_INPUT;
	}
	if (c->route->request == AY_SCHEMA_NONE)
		return AY_OK;
	if (r->body.n == 0 && ay_api_may_be_empty(c->route))
		return AY_OK;
	if (!is_json_type(ay_api_request_header(r, "content-type"))) {
		ay_err_set(&e, AY_E_INPUT, "content-type", 0, "send application/json");
		ay_api_problem_as(c, 415, &e, NULL, NULL);
		return AY_E_INPUT;
	}
	rc = ay_json_load(r->body, AY_MAX_API_BODY, "body", &c->body, &e);
	if (rc == AY_OK)
		rc = ay_schema_check(c->route->request, c->body, r->body, &e);
	if (rc != AY_OK)
		ay_api_problem(c, &e);
	return rc;
}

/* The handler may answer, and so end the call, before it returns. */
static void handle(struct ay_api_call *c)
{
	struct ay_api *a = c->api;

	ay_api_witness(c);
	c->route->handler(c);
	ay_api_witness_end(a);
}

/* A message that holds the request proper: what it asks is judged by itself. */
static bool is_letter(const struct ay_api_call *c)
{
	return c->route->request == AY_SCHEMA_SoapMessage;
}

/*
 * What is JSON alone is refused to who takes none, before anything is done.
 * Routes with more forms choose for themselves.
 */
static bool is_acceptable(const struct ay_api_call *c)
{
	const struct ay_schema *s =
		c->route->response == AY_SCHEMA_NONE ? NULL : ay_schema_of(c->route->response);

	return c->dialect != AY_DIALECT_NATIVE || s == NULL ||
	       ay_api_param(c, "format").p != NULL || strcmp(s->media, "application/json") != 0 ||
	       ay_api_accepts(c->accept, s->media);
}

static void not_acceptable(struct ay_api_call *c)
{
	struct ay_err e;

	ay_err_set(&e, AY_E_INPUT, "accept", 0, "the answer is application/json");
	ay_err_code(&e, "NOT_ACCEPTABLE");
	ay_api_problem_as(c, 406, &e, NULL, NULL);
}

/* Who asks is known, or nobody: what is left of the request. */
static void admitted(struct ay_api_call *c, const struct ay_api_request *r)
{
	struct ay_err e = { 0 };
	enum ay_rc rc = permit(c, &e);

	if (rc != AY_OK) {
		refuse(c, rc, &e);
		return;
	}
	if (c->dialect == AY_DIALECT_NATIVE) /* clients of the family send more than we know */
		rc = ay_route_query(c->route, &c->target, &e);
	if (rc != AY_OK) {
		ay_api_problem(c, &e);
		return;
	}
	c->request = r;
	if (is_letter(c)) {
		c->route->handler(c);
		return;
	}
	if (!is_acceptable(c)) {
		not_acceptable(c);
		return;
	}
	/* a repeat is known before its condition is looked at: what it did itself broke that */
	if (take_body(c, r) == AY_OK && ay_idem_begin(c, r) && ay_etag_permits(c))
		handle(c);
}

void ay_auth_finish(struct ay_api_call *c, enum ay_rc rc, const struct ay_principal *who,
		    const struct ay_err *e)
{
	struct ay_api_request r;
	struct ay_err bad = { 0 };

	c->left = NULL;
	if (c->gone) {
		ay_api_empty(c, 204); /* nobody hears it; ends the call */
	} else if (rc != AY_OK || !who->known) {
		refuse(c, rc == AY_OK ? ay_auth_wrong(&bad) : rc, rc == AY_OK ? &bad : e);
	} else if (ay_api_request_parse(c->message, &r, &bad) != AY_OK) {
		ay_api_problem(c, &bad);
	} else {
		c->who = *who;
		admitted(c, &r);
	}
}

/* Credential, then permission; nothing of the request is looked at before. */
static void admit(struct ay_api_call *c, const struct ay_api_request *r, struct ay_bytes message)
{
	struct ay_err e = { 0 };
	enum ay_auth got = AY_AUTH_NONE;

	if (c->route->perm != AY_PERM_PUBLIC)
		got = ay_auth_check(c, r, &c->who, &e);
	if (got == AY_AUTH_REFUSED)
		refuse(c, e.rc, &e);
	else if (got == AY_AUTH_LATER)
		c->message = keep(c, message);
	else
		admitted(c, r);
}

/* A fault: the call was answered already. */
static enum ay_rc route(struct ay_api_call *c, const struct ay_api_request *r)
{
	struct ay_err e = { 0 };
	struct ay_route_found found;
	enum ay_rc rc;

	c->listener = r->listener;
	c->dialect = ay_listener_dialect(r->listener);
	c->peer = keep(c, r->peer);
	c->accept = keep(c, ay_api_request_header(r, "accept"));
	c->last_event_id = keep(c, ay_api_request_header(r, "last-event-id"));
	c->agent = keep(c, ay_api_request_header(r, "user-agent"));
	c->if_match = keep(c, ay_api_request_header(r, "if-match"));
	c->if_none_match = keep(c, ay_api_request_header(r, "if-none-match"));
	rc = ay_target_parse(r->path, r->query, &c->arena, &c->target, &e);
	if (rc != AY_OK) {
		ay_api_problem(c, &e);
		return rc;
	}
	c->route = ay_route_find(r->listener, r->method, &c->target, &found);
	c->dialect = found.dialect;
	c->suffix = found.suffix;
	memcpy(c->param, found.param, sizeof(c->param));
	if (c->route == NULL && found.path_known && r->method == AY_HTTP_OPTIONS)
		return options(c);
	if (c->route == NULL)
		return not_found(c, r, found.path_known);
	return AY_OK;
}

void ay_api_instead(struct ay_api_call *c, const struct ay_api_request *r,
		    const struct ay_route *as)
{
	struct ay_err e;

	if (route(c, r) != AY_OK)
		return;
	if (AY_CHECKED("SOAP_ROUTE", c->route != as)) {
		ay_err_set(&e, AY_E_INPUT, "soap.body", 0,
			   "a parameter leads to another operation");
		ay_api_problem(c, &e);
		return;
	}
	admitted(c, r);
}

/* A letter is answered in its own form, a refusal of the sender included. */
static enum ay_rc begin(struct ay_api_call *c, const struct ay_api_request *r)
{
	struct ay_err e;
	enum ay_rc rc = route(c, r);

	if (rc != AY_OK)
		return rc;
	c->api->metrics.requests++;
	rc = is_letter(c) ? ay_soap_begin(c, r, &e) : AY_OK;
	if (rc != AY_OK)
		ay_api_problem(c, &e);
	return rc;
}

void ay_api_request(struct ay_api *a, uint32_t req, struct ay_bytes message)
{
	struct ay_api_call *c;
	struct ay_api_request r;
	struct ay_err e;

	ay_api_sweep(a);
	c = call_new(a, req);
	if (c == NULL)
		return; /* front's own deadline answers */
	a->now_ms = ay_engine_now_ms(a->engine);
	if (ay_api_request_parse(message, &r, &e) != AY_OK) {
		ay_api_problem(c, &e);
		return;
	}
	if (begin(c, &r) == AY_OK)
		admit(c, &r, message);
}

void ay_api_gone(struct ay_api *a, uint32_t req)
{
	for (struct ay_api_call *c = a->calls; c != NULL; c = c->next) {
		if (c->req != req || c->gone)
			continue;
		c->gone = true;
		a->metrics.clients_left++;
		if (c->left != NULL)
			c->left(c);
		return;
	}
}

json_t *ay_api_tables(void)
{
	return json_pack("{s:o, s:o}", "routes", ay_routes_json(), "roles", ay_roles_json());
}
