/* SPDX-License-Identifier: Apache-2.0 */
/* People from elsewhere: client certificates, an identity provider, whose account they get. */
#include "api_fixture.h"

#include "core/authz/audit.h"
#include "core/base/base64.h"
#include "core/crypto/certgen.h"
#include "core/crypto/ticket.h"

#include <sqlite3.h>

#define CERTS "/api/v1/client-certificates"

static struct ay_privkey *provider_key;
static char secret_file[128];

static int set_up_all(void **state)
{
	static const char text[] =
		"[oidc]\nissuer = https://op.example\nclient_id = assay\nredirect = "
		"https://us/api/v1/login/oidc/callback\nroles = ops=operator; audit=auditor\n";
	const struct ay_api_out out = { on_reply, on_stream,  on_chunk, on_end,
					on_cast,  on_backlog, NULL };
	struct ay_err e = { 0 };

	if (set_up(state) != 0)
		return -1;
	ay_api_free(w.api);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", text, &w.config, &e), AY_OK);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &out, &w.api, &e), AY_OK);
	if (provider_key == NULL)
		assert_int_equal(ay_privkey_generate(&provider_key, NULL), AY_OK);
	return 0;
}

static int tear_down_all(void **state)
{
	int rc = tear_down(state);

	ay_config_free(w.config);
	w.config = NULL;
	w.cert_n = 0;
	with_peer = with_authorization = with_cookie = with_csrf = with_site = NULL;
	return rc;
}

static void add_person(const char *name, const char *role)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"name\":\"%s\",\"role\":\"%s\"}", name, role);
	assert_int_equal(ask("POST", "/api/v1/users", admin, body), 201);
}

/* ---- certificates ---- */

static void show_new_cert(int64_t from_ms, int64_t until_ms)
{
	struct ay_privkey *k;
	struct ay_cert_spec spec = { .common_name = "somebody", .serial = { 1 } };

	assert_int_equal(ay_privkey_generate(&k, NULL), AY_OK);
	spec.key = ay_privkey_evp(k);
	spec.not_before_ms = from_ms;
	spec.not_after_ms = until_ms;
	spec.key_usage = AY_KU_DIGITAL_SIGNATURE;
	assert_int_equal(ay_certgen(&spec, k, w.cert, sizeof(w.cert), &w.cert_n, NULL), AY_OK);
	ay_privkey_free(k);
}

static void approve(const char *id, const char *user, const char *by, int status)
{
	char path[128], body[128];

	snprintf(path, sizeof(path), CERTS "/%s/approve", id);
	snprintf(body, sizeof(body), "{\"user\":\"%s\"}", user);
	assert_int_equal(ask("POST", path, by, body), status);
}

static void asked(char id[64])
{
	show_new_cert(w.now - 1000, w.now + 3600000);
	assert_int_equal(ask("POST", CERTS, NULL, "{\"name\":\"eve\"}"), 202);
	snprintf(id, 64, "%s", answer_text("id"));
}

static void test_cert(void **state)
{
	char id[64], path[128];

	(void)state;
	add_person("eve", "operator");
	asked(id);
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	assert_string_equal(error_of("code"), "AUTH_PENDING");
	assert_int_equal(ask("POST", CERTS, NULL, "{\"name\":\"eve\"}"), 409);
	approve(id, "admin", admin, 403); /* never oneself */
	assert_string_equal(error_of("code"), "APPROVAL_SELF");
	approve(id, "eve", admin, 200);
	approve(id, "eve", admin, 409);
	assert_int_equal(ask("GET", "/api/v1/session", NULL, NULL), 200);
	assert_string_equal(answer_text("user"), "eve");
	assert_string_equal(answer_text("scheme"), "certificate");
	assert_int_equal(ask("POST", "/api/v1/users", NULL, "{\"name\":\"x\",\"role\":\"admin\"}"),
			 403);
	/* a browser adds it to what any page asks for */
	with_site = "cross-site";
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 403);
	with_site = NULL;
	/* dates, state of the account, end */
	w.now += 3600001;
	assert_int_equal(ask("GET", "/api/v1/session", NULL, NULL), 401);
	assert_string_equal(error_of("code"), "AUTH_EXPIRED");
	w.now -= 3600001;
	assert_int_equal(ask("PATCH", "/api/v1/users/eve", admin, "{\"disabled\":true}"), 200);
	assert_int_equal(ask("GET", "/api/v1/session", NULL, NULL), 401);
	assert_int_equal(ask("PATCH", "/api/v1/users/eve", admin, "{\"disabled\":false}"), 200);
	assert_int_equal(ask("GET", "/api/v1/session", NULL, NULL), 200);
	snprintf(path, sizeof(path), CERTS "/%s", id);
	assert_int_equal(ask("DELETE", path, admin, NULL), 204);
	assert_int_equal(ask("GET", "/api/v1/session", NULL, NULL), 401);
	assert_int_equal(ask("POST", CERTS, NULL, "{\"name\":\"eve\"}"), 409);
}

static void test_cert_unknown(void **state)
{
	(void)state;
	show_new_cert(w.now - 1000, w.now + 3600000);
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	assert_string_equal(error_of("code"), "AUTH_FAILED");
	w.cert_n = 0;
	assert_int_equal(ask("POST", CERTS, NULL, "{\"name\":\"eve\"}"), 400);
	show_new_cert(w.now - 3600000, w.now - 1000);
	assert_int_equal(ask("POST", CERTS, NULL, "{\"name\":\"eve\"}"), 400);
}

/* Who may make people does not make himself one with more rights. */
static void test_cert_above(void **state)
{
	char id[64], token[AY_API_TOKEN_TEXT];

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/roles", admin,
			     "{\"name\":\"desk\",\"permissions\":[\"USER_READ\",\"USER_WRITE\"]}"),
			 201);
	add_person("dora", "desk");
	add_person("boss", "admin");
	assert_int_equal(ask("POST", "/api/v1/users/dora/tokens", admin, "{}"), 201);
	snprintf(token, sizeof(token), "%s", answer_text("token"));
	asked(id);
	approve(id, "boss", token, 403);
	assert_string_equal(error_of("code"), "RIGHTS_EXCEEDED");
	assert_int_equal(ask("POST", "/api/v1/identities", token,
			     "{\"source\":\"oidc\",\"subject\":\"x y\",\"user\":\"boss\"}"),
			 403);
}

static void test_cert_many(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		show_new_cert(w.now - 1000, w.now + 3600000);
		assert_int_equal(ask("POST", CERTS, NULL, "{\"name\":\"eve\"}"), 202);
	}
	show_new_cert(w.now - 1000, w.now + 3600000);
	assert_int_equal(ask("POST", CERTS, NULL, "{\"name\":\"eve\"}"), 503);
}

/* ---- the identity provider, played ---- */

static void provider_says(int status, const char *text)
{
	struct ay_outgoing_answer a = { .status = (uint16_t)status, .body = ay_bytes_of(text) };
	struct ay_err e = { 0 };
	ay_outgoing_fn *fn = w.out_fn;

	assert_non_null(fn);
	w.out_fn = NULL;
	fn(w.out_arg, AY_OK, &e, &a);
}

static char state_text[64], nonce[64], login_cookie[128];

static void take_param(const char *name, char out[64])
{
	char want[32];
	const char *at;

	snprintf(want, sizeof(want), "%s=", name);
	at = strstr(w.header, want);
	assert_non_null(at);
	snprintf(out, 64, "%.*s", (int)strcspn(at + strlen(want), "&\r\n"), at + strlen(want));
}

static void begin(void)
{
	with_cookie = NULL;
	ask("GET", "/api/v1/login/oidc", NULL, NULL);
	if (w.answers == 0)
		provider_says(200,
			      "{\"issuer\":\"https://op.example\",\"authorization_endpoint\":"
			      "\"https://op.example/auth\",\"token_endpoint\":"
			      "\"https://op.example/token\",\"jwks_uri\":\"https://op.example/"
			      "jwks\",\"authorization_response_iss_parameter_supported\":true}");
	assert_int_equal(w.status, 302);
	assert_non_null(strstr(w.header, "https://op.example/auth?response_type=code"));
	assert_non_null(strstr(w.header, "SameSite=Lax"));
	take_param("&state", state_text);
	take_param("&nonce", nonce);
	snprintf(login_cookie, sizeof(login_cookie), "%.*s",
		 (int)strcspn(strstr(w.header, "__Host-assay-login="), ";"),
		 strstr(w.header, "__Host-assay-login="));
}

static int come_back(const char *issuer)
{
	char target[256];

	with_cookie = login_cookie;
	snprintf(target, sizeof(target), "/api/v1/login/oidc/callback?state=%s&code=c1&iss=%s",
		 state_text, issuer);
	ask("GET", target, NULL, NULL);
	with_cookie = NULL;
	return w.status;
}

static void send_token(const char *claims)
{
	char payload[1024], jwt[2048], text[4096];

	snprintf(payload, sizeof(payload),
		 "{\"iss\":\"https://op.example\",\"aud\":\"assay\",\"nonce\":\"%s\",\"iat\":%lld,"
		 "\"exp\":%lld,%s}",
		 nonce, (long long)w.now / 1000, (long long)w.now / 1000 + 300, claims);
	assert_int_equal(ay_jws_sign(ay_bytes_of("{\"alg\":\"ES256\",\"kid\":\"k\"}"),
				     ay_bytes_of(payload), provider_key, jwt, sizeof(jwt), NULL),
			 AY_OK);
	snprintf(text, sizeof(text), "{\"token_type\":\"Bearer\",\"id_token\":\"%s\"}", jwt);
	assert_string_equal(w.out_url, "https://op.example/token");
	assert_non_null(strstr(w.out_body, "code=c1&redirect_uri=https%3A%2F%2Fus%2F"));
	provider_says(200, text);
}

static void send_keys(void)
{
	uint8_t spki[AY_SPKI_P256];
	char x[64], y[64], text[512];

	assert_string_equal(w.out_url, "https://op.example/jwks");
	assert_int_equal(ay_privkey_spki(provider_key, spki, NULL), AY_OK);
	ay_base64_encode(AY_BASE64_URL, (struct ay_bytes){ spki + 27, 32 }, x);
	ay_base64_encode(AY_BASE64_URL, (struct ay_bytes){ spki + 59, 32 }, y);
	snprintf(text, sizeof(text),
		 "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"%s\",\"y\":"
		 "\"%s\"}]}",
		 x, y);
	provider_says(200, text);
}

/* The whole way; who: claims of the person. */
static int log_in(const char *who)
{
	begin();
	come_back("https%3A%2F%2Fop.example");
	send_token(who);
	if (w.answers == 0)
		send_keys();
	return w.status;
}

static char session[128];

static void take_session(void)
{
	const char *at = strstr(w.header, "__Host-assay=");

	assert_non_null(at);
	snprintf(session, sizeof(session), "%.*s", (int)strcspn(at, ";"), at);
}

static int by_session(void)
{
	int status;

	with_cookie = session;
	status = ask("GET", "/api/v1/session", NULL, NULL);
	with_cookie = NULL;
	return status;
}

#define EVE(groups) "\"sub\":\"7\",\"preferred_username\":\"eve\",\"groups\":[" groups "]"

static void test_oidc(void **state)
{
	char old[128];

	(void)state;
	add_person("eve", "admin"); /* a local account of the same name is somebody else */
	assert_int_equal(log_in(EVE("\"ops\",\"x\"")), 200);
	assert_non_null(strstr(w.body, "url=/\""));
	take_session();
	assert_int_equal(by_session(), 200);
	assert_string_equal(answer_text("user"), "eve@oidc");
	assert_string_equal(answer_text("scheme"), "oidc");
	assert_null(strstr(w.body, "USER_WRITE"));
	/* another group: other rights, and what was begun with the old ones ends */
	assert_int_equal(log_in(EVE("\"audit\"")), 200);
	snprintf(old, sizeof(old), "%s", session);
	take_session();
	assert_int_equal(by_session(), 200);
	assert_null(strstr(w.body, "HOST_WRITE"));
	with_cookie = old;
	assert_int_equal(ask("GET", "/api/v1/session", NULL, NULL), 401);
	/* no group any more */
	assert_int_equal(log_in(EVE("")), 403);
	assert_string_equal(error_of("code"), "AUTH_NO_ROLE");
	assert_int_equal(by_session(), 401);
	/* disabled here, whatever is said there */
	assert_int_equal(log_in(EVE("\"ops\"")), 200);
	assert_int_equal(ask("PATCH", "/api/v1/users/eve@oidc", admin, "{\"disabled\":true}"), 200);
	assert_int_equal(log_in(EVE("\"ops\"")), 403);
	assert_string_equal(error_of("code"), "AUTH_FAILED");
}

static void test_oidc_stranger(void **state)
{
	(void)state;
	assert_int_equal(log_in("\"sub\":\"8\",\"groups\":[\"x\"]"), 403);
	assert_string_equal(error_of("code"), "AUTH_NO_ROLE");
	/* two people of one name are two accounts */
	assert_int_equal(log_in("\"sub\":\"8\",\"preferred_username\":\"bob\",\"groups\":\"ops\""),
			 200);
	assert_int_equal(log_in("\"sub\":\"9\",\"preferred_username\":\"bob\",\"groups\":\"ops\""),
			 200);
	take_session();
	assert_int_equal(by_session(), 200);
	assert_memory_equal(answer_text("user"), "bob@oidc.", 9);
}

static void test_oidc_link(void **state)
{
	static const char link[] = "{\"source\":\"oidc\",\"subject\":\"https://op.example 7\","
				   "\"user\":\"ann\"}";
	char id[64], path[128];

	(void)state;
	add_person("ann", "viewer");
	assert_int_equal(ask("POST", "/api/v1/identities", admin, link), 201);
	snprintf(id, sizeof(id), "%s", answer_text("id"));
	assert_int_equal(ask("POST", "/api/v1/identities", admin, link), 409);
	assert_int_equal(log_in(EVE("\"ops\"")), 200);
	take_session();
	assert_int_equal(by_session(), 200);
	assert_string_equal(answer_text("user"), "ann");
	assert_null(strstr(w.body, "HOST_WRITE")); /* its rights are its own */
	snprintf(path, sizeof(path), "/api/v1/identities/%s", id);
	assert_int_equal(ask("DELETE", path, admin, NULL), 204);
	assert_int_equal(by_session(), 401);
	assert_int_equal(log_in(EVE("\"ops\"")), 403);
}

/* A second factor of the account is not left out by a link; an emergency account has none. */
static void test_oidc_mfa(void **state)
{
	static const char link[] = "{\"source\":\"oidc\",\"subject\":\"https://op.example 7\","
				   "\"user\":\"ann\"}";
	struct ay_secrets s = { .totp_state = AY_TOTP_ON };
	struct ay_api_account *u;

	(void)state;
	add_person("ann", "viewer");
	assert_int_equal(ask("POST", "/api/v1/identities", admin, link), 201);
	u = ay_account_find(w.api, ay_bytes_of("ann"));
	assert_int_equal(ay_account_keep(w.api, u, &s, NULL), AY_OK);
	assert_int_equal(log_in(EVE("")), 403);
	assert_string_equal(error_of("code"), "AUTH_TOTP");
	assert_int_equal(log_in(EVE("") ",\"amr\":[\"mfa\"]"), 200);
	u = ay_account_find(w.api, ay_bytes_of("ann"));
	s = (struct ay_secrets){ .break_glass = AY_GLASS_ARMED };
	assert_int_equal(ay_account_keep(w.api, u, &s, NULL), AY_OK);
	assert_int_equal(log_in(EVE("") ",\"amr\":[\"mfa\"]"), 403);
}

static void test_oidc_state(void **state)
{
	char other[128];

	(void)state;
	begin();
	/* another browser */
	snprintf(other, sizeof(other), "%s", login_cookie);
	login_cookie[strlen(login_cookie) - 1] ^= 1;
	assert_int_equal(come_back("https%3A%2F%2Fop.example"), 403);
	assert_string_equal(error_of("code"), "OIDC_STATE");
	snprintf(login_cookie, sizeof(login_cookie), "%s", other);
	/* another provider's answer; the state is used up by it */
	assert_int_equal(come_back("https%3A%2F%2Fevil.example"), 403);
	assert_string_equal(error_of("code"), "OIDC_ISSUER");
	assert_int_equal(come_back("https%3A%2F%2Fop.example"), 403);
	assert_string_equal(error_of("code"), "OIDC_STATE");
	/* too late */
	begin();
	w.now += 600001;
	assert_int_equal(come_back("https%3A%2F%2Fop.example"), 403);
	assert_string_equal(error_of("code"), "OIDC_STATE");
	/* twice */
	assert_int_equal(log_in(EVE("\"ops\"")), 200);
	assert_int_equal(come_back("https%3A%2F%2Fop.example"), 403);
	assert_string_equal(error_of("code"), "OIDC_STATE");
	/* the nonce of another login */
	begin();
	come_back("https%3A%2F%2Fop.example");
	strcpy(nonce, "replayed");
	send_token(EVE("\"ops\""));
	assert_int_equal(w.status, 403);
	assert_string_equal(error_of("code"), "OIDC_NONCE");
}

static void test_oidc_down(void **state)
{
	struct ay_outgoing_answer none = { 0 };
	struct ay_err e = { 0 };

	(void)state;
	ask("GET", "/api/v1/login/oidc", NULL, NULL);
	ay_err_set(&e, AY_E_UNAVAIL, "x", 0, "x");
	ay_err_code(&e, "OUTGOING_CONNECT");
	w.out_fn(w.out_arg, AY_E_UNAVAIL, &e, &none);
	assert_int_equal(w.status, 503);
	assert_string_equal(error_of("code"), "AUTH_SOURCE_DOWN");
	ask("GET", "/api/v1/login/oidc", NULL, NULL);
	provider_says(404, "{}");
	assert_int_equal(w.status, 503);
	/* the client leaves meanwhile */
	ask("GET", "/api/v1/login/oidc", NULL, NULL);
	ay_api_gone(w.api, w.asked);
	assert_null(w.out_fn);
	assert_int_equal(ask("GET", "/api/v1/login/methods", NULL, NULL), 200);
	assert_non_null(strstr(w.body, "/api/v1/login/oidc"));
}

/* Our secret there, in a file that others can read. */
static void test_oidc_secret(void **state)
{
	struct ay_config *before = w.config;
	char text[512];
	struct ay_api *a;
	struct ay_err e = { 0 };
	FILE *f;

	(void)state;
	snprintf(secret_file, sizeof(secret_file), "%s/secret", w.fx.dir);
	f = fopen(secret_file, "w");
	assert_non_null(f);
	fputs("s3\n", f);
	fclose(f);
	snprintf(text, sizeof(text),
		 "[oidc]\nissuer = https://op.example\nclient_id = a\nredirect = https://us/cb\n"
		 "client_secret_file = %s\n",
		 secret_file);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", text, &w.config, &e), AY_OK);
	assert_int_equal(chmod(secret_file, 0640), 0);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &w.api->out, &a, &e), AY_E_INPUT);
	assert_int_equal(chmod(secret_file, 0600), 0);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &w.api->out, &a, &e), AY_OK);
	ay_api_free(a);
	ay_config_free(w.config);
	w.config = before;
}

static void change_store(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(w.fx.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* An account of nobody, made before its name elsewhere failed, would keep that name for ever. */
static void test_oidc_whole(void **state)
{
	(void)state;
	change_store("CREATE TRIGGER t BEFORE INSERT ON identity "
		     "BEGIN SELECT RAISE(ABORT, 'no'); END");
	assert_int_equal(log_in(EVE("\"ops\"")), 503);
	assert_int_equal(ask("GET", "/api/v1/users/eve@oidc", admin, NULL), 404);
	change_store("DROP TRIGGER t");
	assert_int_equal(log_in(EVE("\"ops\"")), 200);
	assert_int_equal(ask("GET", "/api/v1/users/eve@oidc", admin, NULL), 200);
}

/* Rights that come with each login do not live on in a token. */
static void test_oidc_tokens(void **state)
{
	char csrf[64];

	(void)state;
	assert_int_equal(log_in(EVE("\"ops\"")), 200);
	take_session();
	assert_int_equal(by_session(), 200);
	snprintf(csrf, sizeof(csrf), "%s", answer_text("csrf"));
	with_cookie = session;
	with_csrf = csrf;
	assert_int_equal(ask("POST", "/api/v1/me/tokens", NULL, "{}"), 403);
	assert_string_equal(error_of("code"), "RIGHTS_ELSEWHERE");
	with_cookie = with_csrf = NULL;
}

static void count_denied(void *arg, uint64_t seq, struct ay_bytes record)
{
	struct ay_audit_record r;

	(void)seq;
	assert_int_equal(ay_audit_record_parse(record, &r, NULL), AY_OK);
	*(unsigned *)arg += ay_bytes_eq(r.action, ay_bytes_of("LOGIN_DENIED"));
}

/* What costs nothing to ask for is told of so often, then counted. */
static void test_flood(void **state)
{
	static const char path[] = "/api/v1/login/oidc/callback?state=x&code=y";
	struct ay_event_row event = { .at = 5, .kind = "X", .body = "{}" };
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(ask("GET", path, NULL, NULL), 403);
	assert_int_equal(fx_write(&w.fx, (struct ay_write){ .kind = AY_WR_EVENT, .event = &event }),
			 AY_OK);
	assert_int_equal(ay_store_audits(w.fx.s, 0, 1000, count_denied, &n, &w.fx.e), AY_OK);
	assert_int_equal(n, 50);
	n = 0;
	with_peer = "[2001:db8::1]:99"; /* elsewhere it is told again */
	assert_int_equal(ask("GET", path, NULL, NULL), 403);
	with_peer = NULL;
	assert_int_equal(fx_write(&w.fx, (struct ay_write){ .kind = AY_WR_EVENT, .event = &event }),
			 AY_OK);
	assert_int_equal(ay_store_audits(w.fx.s, 0, 1000, count_denied, &n, &w.fx.e), AY_OK);
	assert_int_equal(n, 51);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up_all, tear_down_all)
	const struct CMUnitTest tests[] = {
		T(test_cert),	    T(test_cert_unknown),  T(test_cert_above), T(test_cert_many),
		T(test_oidc),	    T(test_oidc_stranger), T(test_oidc_link),  T(test_oidc_mfa),
		T(test_oidc_state), T(test_flood),	   T(test_oidc_whole), T(test_oidc_tokens),
		T(test_oidc_down),  T(test_oidc_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
