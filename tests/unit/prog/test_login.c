/* SPDX-License-Identifier: Apache-2.0 */
/* People: passwords, second factor, sessions, who must wait, who may give what. */
#include "api_fixture.h"

#include "core/authz/audit.h"
#include "core/base/base64.h"
#include "io/sys/wipe.h"
#include "prog/assayd/api/session.h"
#include "prog/assayd/api/totp.h"

#include <oath.h>
#include <sqlite3.h>

#define GOOD "correct horse battery"
#define LOGIN(user, password) "{\"user\":\"" user "\",\"password\":\"" password "\"}"

static char cookie[256], csrf[64];

/* Cookie and CSRF token of the last answer, for the next requests. */
static void take_session(void)
{
	const char *at = strstr(w.header, "set-cookie: ");

	assert_non_null(at);
	snprintf(cookie, sizeof(cookie), "%.*s", (int)strcspn(at + 12, ";"), at + 12);
	snprintf(csrf, sizeof(csrf), "%s", answer_text("csrf"));
	assert_int_equal(strlen(csrf), 43);
}

static void use_session(bool with_token)
{
	with_cookie = cookie;
	with_csrf = with_token ? csrf : NULL;
}

static void nobody(void)
{
	with_peer = with_authorization = with_cookie = with_csrf = with_site = NULL;
}

static void add_person(const char *name, const char *role)
{
	char body[256];

	nobody();
	snprintf(body, sizeof(body), "{\"name\":\"%s\",\"role\":\"%s\"}", name, role);
	assert_int_equal(ask("POST", "/api/v1/users", admin, body), 201);
	snprintf(body, sizeof(body), "/api/v1/users/%s/password", name);
	assert_int_equal(ask_wait("POST", body, admin, "{\"password\":\"" GOOD "\"}"), 204);
}

static void log_in(const char *body)
{
	nobody();
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, body), 200);
	take_session();
}

static void test_session(void **state)
{
	(void)state;
	add_person("eve", "operator");
	log_in(LOGIN("eve", GOOD));
	assert_non_null(strstr(w.header, "set-cookie: __Host-assay="));
	assert_non_null(strstr(w.header, "; Path=/; Secure; HttpOnly; SameSite=Strict"));
	use_session(false);
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200);
	assert_int_equal(ask("GET", "/api/v1/session", NULL, NULL), 200);
	assert_string_equal(answer_text("csrf"), csrf);
	assert_string_equal(answer_text("user"), "eve");
	/* a page of another site has the cookie and not the token */
	assert_int_equal(ask("POST", "/api/v1/hosts", NULL, "{\"name\":\"n\"}"), 403);
	assert_string_equal(error_of("code"), "CSRF");
	with_csrf = "x";
	assert_int_equal(ask("POST", "/api/v1/hosts", NULL, "{\"name\":\"n\"}"), 403);
	use_session(true);
	assert_int_equal(ask("POST", "/api/v1/hosts", NULL, "{\"name\":\"n\"}"), 201);
	with_site = "cross-site";
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 403);
	with_site = "same-origin";
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200);
	/* what is typed wins over the cookie, also when it is wrong */
	with_site = NULL;
	with_authorization = "Bearer asy1.x";
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	with_authorization = "Nothing x";
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	with_authorization = NULL;
	assert_int_equal(ask("POST", "/api/v1/logout", NULL, NULL), 204);
	assert_non_null(strstr(w.header, "Max-Age=0"));
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	nobody();
}

/* A second cookie of the name, which somebody else may have set, opens nothing. */
static void test_cookie_twice(void **state)
{
	char two[600];

	(void)state;
	add_person("eve", "operator");
	log_in(LOGIN("eve", GOOD));
	with_cookie = two;
	snprintf(two, sizeof(two), "a=b; %s; c=d", cookie);
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200);
	snprintf(two, sizeof(two), "%s; %s", cookie, cookie);
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	snprintf(two, sizeof(two), "%s", cookie);
	two[20] ^= 1;
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	nobody();
}

static void test_session_ends(void **state)
{
	static const struct {
		const char *what, *method, *path, *body;
	} rows[] = {
		{ "password set", "POST", "/api/v1/users/eve/password",
		  "{\"password\":\"" GOOD "\"}" },
		{ "disabled", "PATCH", "/api/v1/users/eve", "{\"disabled\":true}" },
		{ "role", "PATCH", "/api/v1/users/eve",
		  "{\"disabled\":false,\"role\":\"viewer\"}" },
		{ "ended", "DELETE", "/api/v1/users/eve/sessions", NULL },
		{ "removed", "DELETE", "/api/v1/users/eve", NULL },
	};

	(void)state;
	add_person("eve", "operator");
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("ends by: %s\n", rows[i].what);
		if (i != 2)
			log_in(LOGIN("eve", GOOD));
		use_session(true);
		if (i != 2)
			assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200);
		nobody();
		assert_in_range(ask_wait(rows[i].method, rows[i].path, admin, rows[i].body), 200,
				204);
		use_session(true);
		assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
		nobody();
	}
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 401);
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"eve\",\"role\":\"viewer\"}"), 409);
}

static void test_session_times(void **state)
{
	(void)state;
	add_person("eve", "operator");
	log_in(LOGIN("eve", GOOD));
	use_session(true);
	w.now += 29 * 60000;
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200);
	w.now += 29 * 60000;
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200);
	w.now += 30 * 60000;
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	assert_string_equal(error_of("code"), "AUTH_EXPIRED");
	log_in(LOGIN("eve", GOOD));
	use_session(true);
	for (int i = 0; i < 35; i++) {
		w.now += 20 * 60000;
		assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200);
	}
	w.now += 20 * 60000; /* twelve hours in all */
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	assert_non_null(w.api->sessions);
	ay_api_tick(w.api, w.now);
	assert_null(w.api->sessions);
	nobody();
}

/* Everybody sees and ends his own. */
static void test_session_own(void **state)
{
	char path[64], first[256];

	(void)state;
	add_person("eve", "operator");
	add_person("ann", "operator");
	log_in(LOGIN("eve", GOOD));
	snprintf(first, sizeof(first), "%s", cookie);
	snprintf(path, sizeof(path), "/api/v1/sessions/%s", answer_text("session"));
	log_in(LOGIN("ann", GOOD));
	use_session(true);
	assert_int_equal(ask("DELETE", path, NULL, NULL), 404);
	assert_int_equal(ask("GET", "/api/v1/sessions", NULL, NULL), 200);
	assert_non_null(strstr(w.body, "\"this\":true"));
	assert_null(strstr(w.body, path + strlen("/api/v1/sessions/")));
	with_cookie = first;
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200);
	log_in(LOGIN("eve", GOOD));
	use_session(true);
	assert_int_equal(ask("DELETE", path, NULL, NULL), 204);
	with_cookie = first;
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	nobody();
}

/* Sessions outlive the server; the store has no secret of them. */
static void test_session_kept(void **state)
{
	struct ay_api_out out = {
		on_reply, on_stream, on_chunk, on_end, on_cast, on_backlog, NULL
	};
	struct ay_err e;

	(void)state;
	add_person("eve", "operator");
	log_in(LOGIN("eve", GOOD));
	ay_api_free(w.api);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &out, &w.api, &e), AY_OK);
	use_session(true);
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200);
	nobody();
}

/* Whoever guesses at one place does not keep the owner out at another. */
static void test_lockout(void **state)
{
	unsigned locked = 0;
	int64_t begun = w.now;

	(void)state;
	add_person("eve", "operator");
	with_peer = "203.0.113.5:1000";
	for (unsigned i = 0; i < 30; i++)
		locked +=
			ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", "wrong wrong")) == 429;
	assert_int_equal(locked, 25); /* five are free */
	assert_string_equal(error_of("code"), "AUTH_LOCKED");
	assert_non_null(strstr(w.header, "retry-after: 1\n"));
	/* even the right one, from there; and from a neighbour */
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 429);
	with_peer = "203.0.113.77:1000";
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 429);
	with_peer = "198.51.100.7:1000";
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 200);
	with_peer = "[2001:db8::1]:1000";
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 200);
	/* after the wait one more, then twice as long */
	with_peer = "203.0.113.5:1000";
	w.now += 1000;
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", "wrong wrong")), 401);
	w.now += 1000;
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 429);
	w.now += 1000;
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 200);
	assert_in_range(w.now - begun, 1, 10000);
	nobody();
}

/* Many names from one network: the network waits, whatever the name; others do not. */
static void test_spray(void **state)
{
	unsigned locked = 0;
	char body[128];

	(void)state;
	add_person("eve", "operator");
	with_peer = "203.0.113.5:1000";
	for (unsigned i = 0; i < 60; i++) {
		snprintf(body, sizeof(body), "{\"user\":\"u%u\",\"password\":\"summer 2026\"}", i);
		locked += ask_wait("POST", "/api/v1/login", NULL, body) == 429;
	}
	assert_int_equal(locked, 20);
	with_peer = "198.51.100.7:1000";
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 200);
	nobody();
}

/* Right and wrong, and who is nobody, get the same answer, and a hash is made for each. */
static void test_login_refused(void **state)
{
	static const char *const rows[] = {
		LOGIN("nobody", GOOD), LOGIN("eve", "wrong wrong"),
		LOGIN("eve", ""),      LOGIN("admin", GOOD), /* has tokens and no password */
		LOGIN("off", GOOD),
	};
	char first[4096] = "";

	(void)state;
	add_person("eve", "operator");
	add_person("off", "operator");
	assert_int_equal(ask("PATCH", "/api/v1/users/off", admin, "{\"disabled\":true}"), 200);
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("refused: %s\n", rows[i]);
		assert_int_equal(ask("POST", "/api/v1/login", NULL, rows[i]), 0); /* later */
		ay_api_gone(w.api, 0);
		assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, rows[i]), 401);
		assert_string_equal(error_of("code"), "AUTH_FAILED");
		if (i == 0)
			snprintf(first, sizeof(first), "%s", error_of("text"));
		assert_string_equal(error_of("text"), first);
		w.now += 3600000;
	}
}

/* A client that leaves while its password is checked. */
static void test_login_left(void **state)
{
	(void)state;
	add_person("eve", "operator");
	assert_int_equal(ask("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 0);
	ay_api_gone(w.api, w.api->calls->req);
	assert_null(w.api->calls);
	with_authorization = "Basic ZXZlOnh4eHh4eHh4eHh4";
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 0);
	ay_api_gone(w.api, w.api->calls->req);
	assert_null(w.api->calls);
	nobody();
}

static void set_basic(const char *user, const char *password)
{
	static char header[512];
	char plain[256], text[400];

	snprintf(plain, sizeof(plain), "%s:%s", user, password);
	ay_base64_encode(AY_BASE64_STD, ay_bytes_of(plain), text);
	snprintf(header, sizeof(header), "Basic %s", text);
	with_authorization = header;
}

static void test_basic(void **state)
{
	static const char *const bad[] = { "Basic",	 "Basic ",	   "Basic !",
					   "Basic ZXZl", "Basic ZXZlOgE=", "basic  Og==" };

	(void)state;
	add_person("eve", "operator");
	set_basic("eve", GOOD);
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 200);
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200); /* known for a while */
	assert_int_equal(ask("POST", "/api/v1/hosts", NULL, "{\"name\":\"n\"}"), 201);
	set_basic("eve", "wrong wrong");
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 401);
	set_basic("admin", admin);
	assert_int_equal(ask("GET", "/api/v1/users", NULL, NULL), 200);
	set_basic("eve", admin); /* the token is somebody else's */
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		print_message("basic: %s\n", bad[i]);
		with_authorization = bad[i];
		w.now += 3600000;
		assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 401);
	}
	/* another password ends what was known */
	set_basic("eve", GOOD);
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 200);
	nobody();
	assert_int_equal(ask_wait("POST", "/api/v1/users/eve/password", admin,
				  "{\"password\":\"another one\"}"),
			 204);
	set_basic("eve", GOOD);
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 401);
	nobody();
}

/* Records of the audit of this action; last: the detail of the last one. */
struct records {
	const char *action;
	unsigned n;
	char last[1024];
};

static void count_records(void *arg, uint64_t seq, struct ay_bytes record)
{
	struct records *n = arg;
	struct ay_audit_record r;

	(void)seq;
	assert_int_equal(ay_audit_record_parse(record, &r, NULL), AY_OK);
	if (!ay_bytes_eq(r.action, ay_bytes_of(n->action)))
		return;
	n->n++;
	snprintf(n->last, sizeof(n->last), "%.*s %.*s %.*s", (int)r.actor.n,
		 (const char *)r.actor.p, (int)r.object.n, (const char *)r.object.p,
		 (int)r.detail.n, (const char *)r.detail.p);
}

static const struct records *records_of(const char *action)
{
	static struct records n;
	struct ay_event_row event = { .at = 5, .kind = "X", .body = "{}" };

	n = (struct records){ .action = action };
	/* lazy records are there once a later write is */
	assert_int_equal(fx_write(&w.fx, (struct ay_write){ .kind = AY_WR_EVENT, .event = &event }),
			 AY_OK);
	assert_int_equal(ay_store_audits(w.fx.s, 0, 10000, count_records, &n, &w.fx.e), AY_OK);
	return &n;
}

/* A password that comes with every request is a login once an hour from each address. */
static void test_basic_recorded(void **state)
{
	(void)state;
	add_person("eve", "operator");
	set_basic("eve", GOOD);
	for (unsigned i = 0; i < 20; i++) { /* ports differ, and the hash is made anew at times */
		with_peer = i % 2 == 0 ? "192.0.2.9:1000" : "192.0.2.9:2000";
		w.now += 60000;
		assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 200);
	}
	assert_int_equal(records_of("LOGIN")->n, 1);
	assert_non_null(strstr(records_of("LOGIN")->last, "user:eve eve "));
	assert_non_null(strstr(records_of("LOGIN")->last, "\"how\":\"basic\""));
	with_peer = "192.0.2.10:1000";
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 200);
	assert_int_equal(records_of("LOGIN")->n, 2);
	w.now += 3600000;
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 200);
	assert_int_equal(records_of("LOGIN")->n, 3);
	set_basic("eve", "wrong wrong");
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 401);
	assert_int_equal(records_of("LOGIN_DENIED")->n, 1);
	assert_non_null(strstr(records_of("LOGIN_DENIED")->last, "anybody eve "));
	assert_non_null(strstr(records_of("LOGIN_DENIED")->last, "\"code\":\"AUTH_FAILED\""));
	nobody();
}

/* Who is made to wait is not told of each time: he could fill the disk. */
static void test_locked_counted(void **state)
{
	(void)state;
	add_person("eve", "operator");
	for (unsigned i = 0; i < 200; i++)
		ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", "wrong wrong"));
	assert_int_equal(w.status, 429);
	assert_in_range(records_of("LOGIN_DENIED")->n, 5, 8);
	assert_int_equal(records_of("DENIED")->n, 1);
	nobody();
}

/* ---- second factor ---- */

static char secret[64];

static const char *code_at(int64_t now_ms)
{
	static char otp[8];
	char *raw;
	size_t n;

	assert_int_equal(oath_base32_decode(secret, strlen(secret), &raw, &n), OATH_OK);
	assert_int_equal(oath_totp_generate(raw, n, (time_t)(now_ms / 1000), 30, 0, 6, otp),
			 OATH_OK);
	free(raw);
	return otp;
}

static int login_code(const char *code)
{
	char body[256];

	nobody();
	snprintf(body, sizeof(body), "{\"user\":\"eve\",\"password\":\"" GOOD "\",\"code\":\"%s\"}",
		 code);
	return ask_wait("POST", "/api/v1/login", NULL, body);
}

static int confirm(const char *code)
{
	char body[64];

	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	return ask("POST", "/api/v1/totp/confirm", NULL, body);
}

static char recovery[32];

static void enrol_totp(void)
{
	json_t *j;

	add_person("eve", "operator");
	log_in(LOGIN("eve", GOOD));
	use_session(true);
	assert_int_equal(ask("POST", "/api/v1/totp", NULL, NULL), 201);
	snprintf(secret, sizeof(secret), "%s", answer_text("secret"));
	assert_int_equal(strlen(secret), 32);
	assert_non_null(strstr(answer_text("uri"), "otpauth://totp/Assay:eve?secret="));
	/* not in force before the first code */
	assert_int_equal(confirm("000000"), 400);
	assert_int_equal(confirm(code_at(w.now)), 200);
	j = json_loads(w.body, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(j, "recovery")), 10);
	snprintf(recovery, sizeof(recovery), "%s",
		 json_string_value(json_array_get(json_object_get(j, "recovery"), 3)));
	json_decref(j);
}

static void test_totp(void **state)
{
	(void)state;
	enrol_totp();
	nobody();
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 401);
	assert_string_equal(error_of("code"), "AUTH_TOTP");
	assert_int_equal(login_code(code_at(w.now)), 401); /* used when it was confirmed */
	assert_int_equal(login_code("12345"), 401);
	w.now += 60000;
	assert_int_equal(login_code(code_at(w.now - 90000)), 401); /* too old */
	assert_int_equal(login_code(code_at(w.now)), 200);
	assert_non_null(strstr(w.body, "\"mfa\":true"));
	assert_int_equal(login_code(code_at(w.now)), 401); /* once */
	w.now += 30000;
	assert_int_equal(login_code(code_at(w.now + 30000)), 200); /* a clock a little ahead */
	/* each recovery code once, however it is typed */
	assert_int_equal(login_code(recovery), 200);
	assert_string_equal(answer_text("scheme"), "recovery code");
	assert_int_equal(login_code(recovery), 401);
	/* a client that cannot show a code gets in by a token alone */
	set_basic("eve", GOOD);
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 401);
	assert_string_equal(error_of("code"), "AUTH_TOTP");
	nobody();
}

/* The store has a seed wrapped; one of before is wrapped when it is met, and opened after a start.
 */
static void test_totp_wrapped(void **state)
{
	struct ay_api_account *u;
	struct ay_secrets s;
	struct ay_err e;

	(void)state;
	enrol_totp();
	u = ay_account_find(w.api, ay_bytes_of("eve"));
	assert_int_equal(u->secrets->totp[0], 1);
	s = *u->secrets; /* as it was stored by a server of before: the fake keeper changes nothing
			  */
	s.totp[0] = 0;
	assert_int_equal(ay_account_keep(w.api, u, &s, &e), AY_OK);
	ay_seeds_free(w.api); /* a start */
	w.now += 60000;
	assert_int_equal(login_code(code_at(w.now)), 503); /* not open yet */
	ay_api_tick(w.api, w.now);
	assert_int_equal(u->secrets->totp[0], 1);
	assert_int_equal(login_code(code_at(w.now)), 200);
	ay_seeds_free(w.api);
	ay_api_tick(w.api, w.now + 30000);
	w.now += 30000;
	assert_int_equal(login_code(code_at(w.now)), 200);
	nobody();
}

/* Who knows the password guesses codes no faster than passwords, and asking for one is no failure.
 */
static void test_totp_guess(void **state)
{
	(void)state;
	enrol_totp();
	nobody();
	w.now += 60000;
	for (int i = 0; i < 8; i++) {
		assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 401);
		assert_string_equal(error_of("code"), "AUTH_TOTP");
	}
	for (int i = 0; i < 4; i++) /* the fifth was one while it was added */
		assert_int_equal(login_code("000000"), 401);
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 429);
	assert_int_equal(login_code("000000"), 429);
}

static void test_totp_ends(void **state)
{
	char body[64];

	(void)state;
	enrol_totp();
	w.now += 60000;
	assert_int_equal(login_code(code_at(w.now)), 200);
	take_session();
	use_session(true);
	assert_int_equal(ask("POST", "/api/v1/totp", NULL, NULL),
			 409); /* not over the one in force */
	assert_int_equal(ask("POST", "/api/v1/totp/end", NULL, "{\"code\":\"\"}"), 403);
	assert_int_equal(ask("POST", "/api/v1/totp/end", NULL, "{\"code\":\"000000\"}"), 403);
	w.now += 60000;
	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code_at(w.now));
	assert_int_equal(ask("POST", "/api/v1/totp/end", NULL, body), 204);
	log_in(LOGIN("eve", GOOD));
	nobody();
}

/* ---- passwords ---- */

static void test_password(void **state)
{
	(void)state;
	add_person("eve", "operator");
	assert_int_equal(
		ask("POST", "/api/v1/users/eve/password", admin, "{\"password\":\"short\"}"), 400);
	log_in(LOGIN("eve", GOOD));
	use_session(true);
	assert_int_equal(ask_wait("POST", "/api/v1/password", NULL,
				  "{\"old\":\"wrong wrong\",\"password\":\"a new password\"}"),
			 403);
	assert_int_equal(ask_wait("POST", "/api/v1/password", NULL,
				  "{\"old\":\"" GOOD "\",\"password\":\"short\"}"),
			 400);
	assert_int_equal(ask_wait("POST", "/api/v1/password", NULL,
				  "{\"old\":\"" GOOD "\",\"password\":\"a new password\"}"),
			 204);
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 200); /* this one goes on */
	nobody();
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", GOOD)), 401);
	log_in(LOGIN("eve", "a new password"));
	nobody();
}

/* A hash of the reference program opens the account and is renewed when it is cheaper than ours. */
static void test_rehash(void **state)
{
	struct ay_secrets s = { 0 };
	struct ay_api_account *u;
	struct ay_err e;

	(void)state;
	add_person("eve", "operator");
	u = ay_account_find(w.api, ay_bytes_of("eve"));
	s = *u->secrets;
	/* printf password | argon2 somesaltsomesalt -id -t 1 -k 32 -p 1 -l 32 -e */
	strcpy(s.password, "$argon2id$v=19$m=32,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$+"
			   "h6QMWmUpCUl6OPbR8xZ7RUMmNR9spmyvLaJ2CF6+BE");
	assert_int_equal(ay_account_keep(w.api, u, &s, &e), AY_OK);
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", "passwore")), 401);
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", "password")), 200);
	assert_non_null(strstr(u->secrets->password, "$m=64,t=1,p=1$"));
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, LOGIN("eve", "password")), 200);
}

static void test_hash_cost(void **state)
{
	static const struct {
		const char *hash;
		bool cheaper;
	} rows[] = {
		{ "$argon2id$v=19$m=64,t=2,p=1$c2FsdA$aGFzaA", false },
		{ "$argon2id$v=19$m=65,t=3,p=2$c2FsdA$aGFzaA", false },
		{ "$argon2id$v=19$m=63,t=2,p=1$c2FsdA$aGFzaA", true },
		{ "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA", true },
		{ "$argon2i$v=19$m=64,t=2,p=1$c2FsdA$aGFzaA", true },
		{ "", true },
	};
	static const struct ay_hash_cost cost = { 64, 2, 1 };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		assert_int_equal(ay_hash_is_cheaper(rows[i].hash, &cost), rows[i].cheaper);
}

static void never(void *arg, const struct ay_hash_done *done)
{
	(void)done;
	++*(unsigned *)arg;
}

/* Without threads nothing leaves the queue: one network fills its share of it and no more. */
static void test_hash_queue(void **state)
{
	static const struct ay_hash_cost cost = { 64, 1, 1 };
	unsigned told = 0, taken[10] = { 0 };
	struct ay_hasher *h;
	struct ay_err e = { 0 };

	(void)state;
	assert_int_equal(ay_hasher_new(&cost, 0, &h, &e), AY_OK);
	for (unsigned i = 0; i < 100; i++) {
		struct ay_hash_ask q = {
			.password = ay_bytes_of("x"), .network = i % 10, .fn = never, .arg = &told
		};

		taken[i % 10] += ay_hasher_ask(h, &q, &e) == AY_OK;
	}
	assert_string_equal(e.code, "AUTH_BUSY");
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(taken[i], 6, 8); /* 64 in all, 8 of one */
	for (unsigned i = 0; i < 3; i++) {
		struct ay_hasher *one;

		assert_int_equal(ay_hasher_new(&cost, 0, &one, &e), AY_OK);
		for (unsigned k = 0; k < 9; k++) {
			struct ay_hash_ask q = { .password = ay_bytes_of("x"),
						 .network = 7,
						 .fn = never,
						 .arg = &told };

			assert_int_equal(ay_hasher_ask(one, &q, &e) == AY_OK, k < 8);
		}
		ay_hasher_free(one);
	}
	ay_hasher_free(h);
	assert_int_equal(told, 0);
}

/* RFC 6238 appendix B, SHA-1: the last six of its eight digits. */
static void test_totp_vectors(void **state)
{
	static const struct {
		int64_t at;
		const char *code;
	} rows[] = {
		{ 59, "287082" },	  { 1111111109, "081804" }, { 1111111111, "050471" },
		{ 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" },
	};
	struct ay_bytes key = ay_bytes_of("12345678901234567890"), none = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_bytes code = ay_bytes_of(rows[i].code);
		uint64_t step = 0;

		assert_true(ay_totp_check(key, code, rows[i].at, &step));
		assert_int_equal(step, rows[i].at / 30);
		assert_false(ay_totp_check(key, code, rows[i].at, &step)); /* used */
		step = 0;
		assert_false(ay_totp_check(key, code, rows[i].at + 60, &step));
		assert_false(ay_totp_check(key, (struct ay_bytes){ code.p, 5 }, rows[i].at, &step));
		assert_false(ay_totp_check(none, code, rows[i].at, &step));
	}
}

/* ---- rights ---- */

static void token_of(const char *user, char text[AY_API_TOKEN_TEXT])
{
	char path[96];

	snprintf(path, sizeof(path), "/api/v1/users/%s/tokens", user);
	assert_int_equal(ask("POST", path, admin, "{}"), 201);
	snprintf(text, AY_API_TOKEN_TEXT, "%s", answer_text("token"));
}

/* Who may change people, and has not all rights himself, makes nobody greater than he is. */
static void test_give(void **state)
{
	static const struct {
		const char *what, *method, *path, *body;
		int status;
	} rows[] = {
		{ "an equal", "POST", "/api/v1/users", "{\"name\":\"a\",\"role\":\"desk\"}", 201 },
		{ "less", "POST", "/api/v1/users", "{\"name\":\"b\",\"role\":\"viewer\"}", 201 },
		{ "an administrator", "POST", "/api/v1/users",
		  "{\"name\":\"c\",\"role\":\"admin\"}", 403 },
		{ "an operator", "POST", "/api/v1/users", "{\"name\":\"c\",\"role\":\"operator\"}",
		  403 },
		{ "his own promotion", "PATCH", "/api/v1/users/desk", "{\"role\":\"admin\"}", 403 },
		{ "a role of more", "POST", "/api/v1/roles",
		  "{\"name\":\"r\",\"permissions\":[\"HOST_WRITE\"]}", 403 },
		{ "a role of what he has", "POST", "/api/v1/roles",
		  "{\"name\":\"r\",\"permissions\":[\"HOST_READ\"]}", 201 },
		{ "more for his own role", "PATCH", "/api/v1/roles/desk",
		  "{\"permissions\":[\"HOST_WRITE\"]}", 403 },
		{ "a greater one's password", "POST", "/api/v1/users/admin/password",
		  "{\"password\":\"" GOOD "\"}", 403 },
		{ "a greater one's token", "POST", "/api/v1/users/admin/tokens", "{}", 403 },
		{ "a greater one's end", "PATCH", "/api/v1/users/admin", "{\"disabled\":true}",
		  403 },
		{ "a greater one's second factor", "DELETE", "/api/v1/users/admin/totp", NULL,
		  403 },
		{ "an emergency account of a greater one", "POST",
		  "/api/v1/users/admin/break-glass", NULL, 403 },
	};
	char desk[AY_API_TOKEN_TEXT];

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/roles", admin,
			     "{\"name\":\"desk\",\"permissions\":[\"USER_READ\",\"USER_WRITE\","
			     "\"HOST_READ\",\"ASSERTION_READ\",\"REFERENCE_READ\",\"POLICY_READ\","
			     "\"EVENT_READ\",\"METRICS_READ\",\"CONFIG_READ\",\"APPROVAL_READ\"]}"),
			 201);
	add_person("desk", "desk");
	token_of("desk", desk);
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("give: %s\n", rows[i].what);
		assert_int_equal(ask(rows[i].method, rows[i].path, desk, rows[i].body),
				 rows[i].status);
		if (rows[i].status == 403)
			assert_string_equal(error_of("code"), "RIGHTS_EXCEEDED");
	}
	/* all rights for some hosts are not for others to give */
	assert_int_equal(ask("PATCH", "/api/v1/users/desk", admin,
			     "{\"grants\":[{\"role\":\"desk\"},"
			     "{\"role\":\"admin\",\"scope\":{\"pool\":\"north\"}}]}"),
			 200);
	token_of("desk", desk); /* the old one has the old role alone */
	assert_int_equal(
		ask("POST", "/api/v1/users", desk, "{\"name\":\"d\",\"role\":\"operator\"}"), 403);
	assert_int_equal(ask("POST", "/api/v1/users", desk,
			     "{\"name\":\"d\",\"grants\":[{\"role\":\"operator\","
			     "\"scope\":{\"pool\":\"south\"}}]}"),
			 403);
}

static void set_label(const char *key, const char *value)
{
	static struct ay_label label;
	static char k[64], v[64];

	snprintf(k, sizeof(k), "%s", key);
	snprintf(v, sizeof(v), "%s", value);
	label = (struct ay_label){ k, v };
	w.host.labels = &label;
	w.host.n_labels = 1;
}

/* Routes whose handlers look at hosts of the scope alone; {host} is checked before. */
static bool is_limited_itself(const char *path)
{
	static const char *const paths[] = { "/api/v1/hosts", "/api/v1/events", "/api/v1/overview",
					     "/api/v1/digests/{digest}" };

	for (size_t i = 0; i < AY_COUNT(paths); i++)
		if (strcmp(path, paths[i]) == 0)
			return true;
	return strstr(path, "/bulk/") != NULL;
}

/* Every route by somebody whose role is limited: only hosts with the label, or nothing. */
static void test_scope(void **state)
{
	static const char grants[] = "{\"name\":\"north\",\"grants\":[{\"role\":\"admin\","
				     "\"scope\":{\"pool\":\"north\"}}]}";
	char north[AY_API_TOKEN_TEXT];
	size_t n, refused = 0;
	const struct ay_route *r = ay_routes(&n);

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/users", admin,
			     "{\"name\":\"x\",\"grants\":[{\"role\":\"admin\",\"scope\":{}}]}"),
			 400);
	assert_int_equal(ask("POST", "/api/v1/users", admin, grants), 201);
	token_of("north", north);
	set_label("pool", "north");
	assert_int_equal(ask("GET", "/api/v1/hosts/h1", north, NULL), 200);
	assert_int_equal(ask("GET", "/api/v1/hosts", north, NULL), 200);
	assert_non_null(strstr(w.body, "\"name\":\"h1\""));
	assert_int_equal(ask("POST", "/api/v1/hosts", north,
			     "{\"name\":\"n\",\"labels\":{\"pool\":\"north\"}}"),
			 201);
	assert_int_equal(ask("POST", "/api/v1/hosts", north, "{\"name\":\"n\"}"), 403);
	assert_int_equal(
		ask("PATCH", "/api/v1/hosts/h1", north, "{\"labels\":{\"pool\":\"south\"}}"), 403);
	set_label("pool", "south");
	assert_int_equal(ask("GET", "/api/v1/hosts", north, NULL), 200);
	assert_null(strstr(w.body, "\"name\":\"h1\""));
	for (size_t i = 0; i < n; i++) {
		char path[256], *at;
		int status;

		snprintf(path, sizeof(path), "%s", r[i].path);
		while ((at = strchr(path, '{')) != NULL) {
			memmove(at + 2, strchr(at, '}') + 1, strlen(strchr(at, '}')));
			memcpy(at, "h1", 2);
		}
		if (r[i].perm == AY_PERM_PUBLIC || r[i].perm == AY_PERM_ANY)
			continue;
		w.calls = 0;
		status = ask(ay_http_method_name(r[i].method), path, north, NULL);
		if (status == 200 || status == 400 || status == 415) /* has no body here */
			assert_true(is_limited_itself(r[i].path));
		else
			assert_int_equal(status, strstr(r[i].path, "{host}") != NULL ? 404 : 403);
		assert_in_range(w.calls, 0, 1); /* at most the search for the host */
		refused += status == 403 || status == 404;
	}
	print_message("scope: %zu of %zu routes refused\n", refused, n);
	w.host.labels = NULL;
	w.host.n_labels = 0;
}

/* What hosts of others are reached through is not changed by who sees some hosts only. */
static void test_scope_manager(void **state)
{
	static const char grants[] = "{\"name\":\"north\",\"grants\":[{\"role\":\"admin\","
				     "\"scope\":{\"pool\":\"north\"}}]}";
	static const char *const more[] = {
		"\"secret\":\"s\"",
		"\"trust_first_use\":true",
		"\"tls_policy\":{\"kind\":\"ca\",\"value\":\"x\"}",
	};
	char north[AY_API_TOKEN_TEXT], body[256];

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/users", admin, grants), 201);
	token_of("north", north);
	for (size_t i = 0; i < AY_COUNT(more); i++) {
		snprintf(body, sizeof(body),
			 "{\"name\":\"n\",\"connect\":\"vmware:https://vc/sdk;h=e1;u=root\","
			 "\"labels\":{\"pool\":\"north\"},%s}",
			 more[i]);
		print_message("manager: %s\n", more[i]);
		assert_int_equal(ask("POST", "/api/v1/hosts", north, body), 403);
		assert_string_equal(error_of("code"), "OUT_OF_SCOPE");
		assert_int_equal(ask("POST", "/api/v1/hosts", admin, body), 503); /* none here */
	}
}

/* Whoever is logged in makes tokens for himself without rights over people; a token makes none. */
static void test_own_tokens(void **state)
{
	char own[AY_API_TOKEN_TEXT], other[AY_API_TOKEN_TEXT], path[96], id[32];

	(void)state;
	add_person("eve", "operator");
	token_of("eve", other);
	log_in(LOGIN("eve", GOOD));
	use_session(true);
	assert_int_equal(ask("POST", "/api/v1/me/tokens", NULL, "{\"role\":\"admin\"}"), 201);
	snprintf(own, sizeof(own), "%s", answer_text("token"));
	snprintf(id, sizeof(id), "%s", answer_text("id"));
	assert_int_equal(ask("GET", "/api/v1/me/tokens", NULL, NULL), 200);
	assert_non_null(strstr(w.body, id));
	use_session(false); /* a page of another site makes none */
	assert_int_equal(ask("POST", "/api/v1/me/tokens", NULL, "{}"), 403);
	nobody();
	/* whatever role it names, it may what its owner may */
	assert_int_equal(ask("GET", "/api/v1/hosts", own, NULL), 200);
	assert_int_equal(ask("GET", "/api/v1/users", own, NULL), 403);
	assert_int_equal(ask("GET", "/api/v1/me/tokens", own, NULL), 200);
	assert_int_equal(ask("POST", "/api/v1/me/tokens", own, "{}"), 403);
	assert_string_equal(error_of("code"), "TOKEN_BY_TOKEN");
	assert_int_equal(ask("POST", "/api/v1/totp", own, NULL), 403);
	assert_string_equal(error_of("code"), "TOKEN_BY_TOKEN");
	/* it ends itself; not another, and never somebody else's */
	snprintf(path, sizeof(path), "/api/v1/me/tokens/%s", id);
	assert_int_equal(ask("DELETE", path, other, NULL), 403);
	assert_int_equal(ask("DELETE", path, admin, NULL), 403);
	assert_int_equal(ask("DELETE", path, own, NULL), 204);
	assert_int_equal(ask("GET", "/api/v1/hosts", own, NULL), 401);
	add_person("dan", "operator");
	log_in(LOGIN("dan", GOOD));
	use_session(true);
	assert_int_equal(ask("GET", "/api/v1/me/tokens", NULL, NULL), 200);
	assert_null(strstr(w.body, id));
	snprintf(path, sizeof(path), "/api/v1/me/tokens/%.12s", other + 5);
	assert_int_equal(ask("DELETE", path, NULL, NULL), 404);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(ask("POST", "/api/v1/me/tokens", NULL, "{}"), 201);
	assert_int_equal(ask("POST", "/api/v1/me/tokens", NULL, "{}"), 413);
	nobody();
}

static int64_t number_of(const char *member, const char *in)
{
	json_t *j = json_loads(w.body, 0, NULL), *o = in == NULL ? j : json_object_get(j, in);
	int64_t n = json_is_integer(json_object_get(o, member))
			    ? json_integer_value(json_object_get(o, member))
			    : -1;

	json_decref(j);
	return n;
}

/* Counts and finds: of his hosts to who is limited, of all to others. */
static void test_counts_scope(void **state)
{
	static const char grants[] = "{\"name\":\"north\",\"grants\":[{\"role\":\"viewer\","
				     "\"scope\":{\"pool\":\"north\"}}]}";
	static const char digest[] = "/api/v1/digests/"
				     "00112233445566778899aabbccddeeff00112233445566778899aabbccdd"
				     "eeff";
	char north[AY_API_TOKEN_TEXT];

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/users", admin, grants), 201);
	token_of("north", north);
	for (unsigned i = 0; i < 2; i++) {
		set_label("pool", i == 0 ? "north" : "south");
		assert_int_equal(ask("GET", "/api/v1/overview", north, NULL), 200);
		assert_int_equal(number_of("total", "hosts"), i == 0 ? 3 : 0);
		assert_null(strstr(w.body, "\"service\""));
		assert_null(strstr(w.body, "\"schedule\""));
		assert_non_null(strstr(w.body, "\"limited\":true"));
		assert_int_equal(ask("GET", digest, north, NULL), 200);
		assert_int_equal(number_of("hosts", NULL), i == 0 ? 1 : 0);
	}
	assert_int_equal(ask("GET", "/api/v1/overview", admin, NULL), 200);
	assert_int_equal(number_of("total", "hosts"), 1000);
	assert_non_null(strstr(w.body, "\"schedule\""));
	assert_int_equal(ask("GET", digest, admin, NULL), 200);
	assert_int_equal(number_of("hosts", NULL), 3);
	w.host.labels = NULL;
	w.host.n_labels = 0;
}

/* What was sent does not outlive its call in memory that is used again. */
static void test_wiped(void **state)
{
	struct ay_api_call *c;
	json_malloc_t make;
	json_free_t drop;

	(void)state;
	add_person("eve", "operator");
	with_authorization = "Basic ZXZlOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==";
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 200);
	c = w.api->ended;
	assert_non_null(c->message.p);
	ay_api_call_wipe(c);
	for (size_t i = 0; i < c->message.n; i++)
		assert_int_equal(c->message.p[i], 0);
	json_get_alloc_funcs(&make, &drop);
	assert_true(drop == ay_wipe_free);
	nobody();
}

/* A reader that is limited hears of events of hosts he may see: not of another's, nor of none's. */
static void test_event_scope(void **state)
{
	static const char grants[] = "{\"name\":\"north\",\"grants\":[{\"role\":\"viewer\","
				     "\"scope\":{\"pool\":\"north\"}}]}";
	static const char other[] = "{\"host\":\"018f0000-0000-7000-8000-0000000000ff\","
				    "\"name\":\"h9\",\"code\":\"HOST_ADDED\"}";
	char north[AY_API_TOKEN_TEXT], id[AY_UUID_TEXT], own[160];
	unsigned chunks;

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/users", admin, grants), 201);
	token_of("north", north);
	ay_uuid_format(&w.host.id, id);
	snprintf(own, sizeof(own), "{\"host\":\"%s\",\"name\":\"h1\",\"code\":\"HOST_ADDED\"}", id);
	assert_int_equal(ask("GET", "/api/v1/events", north, NULL), 200);
	chunks = w.chunks;
	set_label("pool", "south");
	w.event(w.event_arg, 100, "host", own);
	w.event(w.event_arg, 101, "host", other);
	w.event(w.event_arg, 102, "policy", "{\"code\":\"POLICY_ACTIVE\",\"text\":\"p\"}");
	assert_int_equal(w.chunks, chunks);
	set_label("pool", "north");
	w.event(w.event_arg, 103, "host", own);
	assert_int_equal(w.chunks, chunks + 1);
	assert_non_null(strstr(w.body, "id: 103\nevent: host\n"));
	ay_api_gone(w.api, w.api->calls->req);
	assert_int_equal(ask("GET", "/api/v1/events", admin, NULL), 200);
	chunks = w.chunks;
	w.event(w.event_arg, 104, "host", other);
	assert_int_equal(w.chunks, chunks + 1); /* who is not limited hears of all */
	ay_api_gone(w.api, w.api->calls->req);
	w.host.labels = NULL;
	w.host.n_labels = 0;
}

/* A token for fewer hosts than its owner; a role with a scope of its own; nothing wider. */
static void test_narrow(void **state)
{
	char token[AY_API_TOKEN_TEXT];

	(void)state;
	set_label("pool", "south");
	assert_int_equal(ask("POST", "/api/v1/users/admin/tokens", admin,
			     "{\"scope\":{\"labels\":{\"pool\":\"north\"}}}"),
			 201);
	snprintf(token, sizeof(token), "%s", answer_text("token"));
	assert_int_equal(ask("GET", "/api/v1/hosts/h1", token, NULL), 404);
	assert_int_equal(ask("GET", "/api/v1/users", token, NULL), 403);
	/* its role's scope and its own: both */
	assert_int_equal(ask("POST", "/api/v1/roles", admin,
			     "{\"name\":\"south\",\"permissions\":[\"HOST_READ\"],"
			     "\"scope\":{\"pool\":\"south\"}}"),
			 201);
	assert_int_equal(ask("POST", "/api/v1/users", admin, "{\"name\":\"s\",\"role\":\"south\"}"),
			 201);
	token_of("s", token);
	assert_int_equal(ask("GET", "/api/v1/hosts/h1", token, NULL), 200);
	assert_int_equal(ask("DELETE", "/api/v1/roles/south", admin, NULL), 409);
	assert_int_equal(
		ask("PATCH", "/api/v1/roles/south", admin, "{\"scope\":{\"pool\":\"north\"}}"),
		200);
	assert_int_equal(ask("GET", "/api/v1/hosts/h1", token, NULL), 404);
	assert_int_equal(ask("PATCH", "/api/v1/roles/admin", admin, "{\"doc\":\"x\"}"), 409);
	w.host.labels = NULL;
	w.host.n_labels = 0;
}

static void test_last_admin(void **state)
{
	(void)state;
	assert_int_equal(ask("DELETE", "/api/v1/users/admin", admin, NULL), 409);
	assert_string_equal(error_of("code"), "LAST_ADMIN");
	assert_int_equal(ask("PATCH", "/api/v1/users/admin", admin,
			     "{\"grants\":[{\"role\":\"admin\",\"scope\":{\"pool\":\"north\"}}]}"),
			 409);
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"two\",\"role\":\"admin\"}"), 201);
	assert_int_equal(ask("DELETE", "/api/v1/users/two", admin, NULL), 204);
	assert_int_equal(ask("DELETE", "/api/v1/users/admin", admin, NULL), 409);
}

/* ---- emergencies, and the first administrator ---- */

static void test_break_glass(void **state)
{
	char body[160], sealed[64], token[AY_API_TOKEN_TEXT];

	(void)state;
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"glass\",\"role\":\"admin\"}"),
		201);
	token_of("glass", token);
	assert_int_equal(ask_wait("POST", "/api/v1/users/glass/break-glass", admin, NULL), 201);
	snprintf(body, sizeof(body), "{\"user\":\"glass\",\"password\":\"%s\"}",
		 answer_text("password"));
	snprintf(sealed, sizeof(sealed), "%s", answer_text("password"));
	/* nobody relies on it as on an administrator, no token opens it */
	assert_int_equal(ask("PATCH", "/api/v1/users/admin", admin, "{\"disabled\":true}"), 409);
	assert_int_equal(ask("GET", "/api/v1/hosts", token, NULL), 401);
	set_basic("glass", sealed);
	assert_int_equal(ask_wait("GET", "/api/v1/hosts", NULL, NULL), 401);
	nobody();
	assert_int_equal(w.events, 0);
	log_in(body);
	assert_int_equal(w.events, 1);
	assert_string_equal(w.event_code, "BREAK_GLASS_USED");
	use_session(true);
	assert_int_equal(ask("GET", "/api/v1/users", NULL, NULL), 200);
	nobody();
	/* once */
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, body), 401);
	assert_int_equal(ask_wait("POST", "/api/v1/users/glass/break-glass", admin, NULL), 201);
	assert_int_equal(ask_wait("POST", "/api/v1/login", NULL, body), 401);
	snprintf(body, sizeof(body), "{\"user\":\"glass\",\"password\":\"%s\"}",
		 answer_text("password"));
}

static void put_link(int64_t until)
{
	uint8_t value[40];
	struct ay_write wr = { .kind = AY_WR_META, .meta = { "first-admin", AY_BYTES(value) } };

	/* printf one-time | sha256sum */
	static const char hash[] =
		"e7a4eae34c12ab2c05187399d2955aefc791814675e763426370bceb05dbab4f";
	for (size_t i = 0; i < 32; i++)
		sscanf(hash + 2 * i, "%2hhx", &value[i]);
	for (size_t i = 0; i < 8; i++)
		value[32 + i] = (uint8_t)((uint64_t)until >> (56 - 8 * i));
	assert_int_equal(fx_write(&w.fx, wr), AY_OK);
}

static void change_store(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(w.fx.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_first_admin(void **state)
{
	static const char right[] =
		"{\"secret\":\"one-time\",\"name\":\"ann\",\"password\":\"" GOOD "\"}";

	(void)state;
	assert_int_equal(ask_wait("POST", "/api/v1/first-admin", NULL, right), 403);
	put_link(w.now);
	assert_int_equal(ask_wait("POST", "/api/v1/first-admin", NULL, right), 403);
	put_link(w.now + 1);
	/* the store takes one half: there is neither, and the link is good still */
	change_store("CREATE TRIGGER t BEFORE INSERT ON account "
		     "BEGIN SELECT RAISE(ABORT, 'no'); END");
	assert_int_equal(ask_wait("POST", "/api/v1/first-admin", NULL, right), 503);
	change_store("DROP TRIGGER t");
	assert_int_equal(ask_wait("POST", "/api/v1/first-admin", NULL,
				  "{\"secret\":\"one-tima\",\"name\":\"ann\",\"password\":\"" GOOD
				  "\"}"),
			 403);
	assert_int_equal(
		ask_wait("POST", "/api/v1/first-admin", NULL,
			 "{\"secret\":\"one-time\",\"name\":\"ann\",\"password\":\"short\"}"),
		400);
	assert_int_equal(ask_wait("POST", "/api/v1/first-admin", NULL, right), 204);
	assert_int_equal(ask_wait("POST", "/api/v1/first-admin", NULL, right), 403);
	log_in(LOGIN("ann", GOOD));
	use_session(true);
	assert_int_equal(ask("GET", "/api/v1/users", NULL, NULL), 200);
	nobody();
}

/* A role that is no more gives nothing, and does not hide what else somebody has. */
static void test_above_hidden(void **state)
{
	static const struct {
		const char *method, *path, *body;
	} rows[] = {
		{ "POST", "/api/v1/users/boss/password", "{\"password\":\"" GOOD "\"}" },
		{ "POST", "/api/v1/users/boss/tokens", "{}" },
		{ "POST", "/api/v1/identities",
		  "{\"source\":\"oidc\",\"subject\":\"https://op.example 7\",\"user\":\"boss\"}" },
	};
	char desk[AY_API_TOKEN_TEXT];

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/roles", admin,
			     "{\"name\":\"temp\",\"permissions\":[\"HOST_READ\"]}"),
			 201);
	assert_int_equal(ask("POST", "/api/v1/users", admin,
			     "{\"name\":\"boss\",\"grants\":[{\"role\":\"temp\"},"
			     "{\"role\":\"admin\"}]}"),
			 201);
	assert_int_equal(ask("POST", "/api/v1/roles", admin,
			     "{\"name\":\"desk\",\"permissions\":[\"USER_READ\",\"USER_WRITE\","
			     "\"HOST_READ\"]}"),
			 201);
	add_person("desk", "desk");
	token_of("desk", desk);
	for (struct ay_role *r = w.api->accounts->roles; r != NULL; r = r->next)
		r->removed = r->removed || strcmp(r->name, "temp") == 0;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		assert_int_equal(ask(rows[i].method, rows[i].path, desk, rows[i].body), 403);
		assert_string_equal(error_of("code"), "RIGHTS_EXCEEDED");
	}
}

/* An id is given once: a removed account keeps it, and its name. */
static void test_ids(void **state)
{
	uint64_t id;

	(void)state;
	add_person("eve", "operator");
	id = ay_account_find(w.api, ay_bytes_of("eve"))->id;
	assert_int_equal(id, 2);
	assert_int_equal(ask("DELETE", "/api/v1/users/eve", admin, NULL), 204);
	assert_int_equal(ask("GET", "/api/v1/users/eve", admin, NULL), 404);
	add_person("ann", "operator");
	assert_int_equal(ay_account_find(w.api, ay_bytes_of("ann"))->id, 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_session),	T(test_cookie_twice),
		T(test_session_ends),	T(test_session_times),
		T(test_session_kept),	T(test_lockout),
		T(test_spray),		T(test_login_refused),
		T(test_login_left),	T(test_basic),
		T(test_basic_recorded), T(test_locked_counted),
		T(test_totp),		T(test_totp_guess),
		T(test_totp_wrapped),	T(test_totp_ends),
		T(test_password),	T(test_rehash),
		T(test_hash_cost),	T(test_give),
		T(test_above_hidden),	T(test_scope),
		T(test_scope_manager),	T(test_event_scope),
		T(test_wiped),		T(test_own_tokens),
		T(test_counts_scope),	T(test_narrow),
		T(test_last_admin),	T(test_break_glass),
		T(test_first_admin),	T(test_ids),
		T(test_session_own),	T(test_hash_queue),
		T(test_totp_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
