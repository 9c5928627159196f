/* SPDX-License-Identifier: Apache-2.0 */
/* Login by a directory, with courier played: whose name it is, whose account he gets, what is
 * counted; and what [ldap] may say. */
#include "api_fixture.h"

#include "prog/assayd/ldap_settings.h"

#define SECTION                                                                                    \
	"[ldap]\nurl = ldaps://dir.example\nbase = dc=x\nroles = cn=ops,dc=x=operator; "           \
	"cn=audit,dc=x=auditor\n"
#define OPS "cn=ops,dc=x"

static int set_up_all(void **state)
{
	const struct ay_api_out out = { on_reply, on_stream,  on_chunk, on_end,
					on_cast,  on_backlog, NULL };
	struct ay_err e = { 0 };

	if (set_up(state) != 0)
		return -1;
	ay_api_free(w.api);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", SECTION, &w.config, &e), AY_OK);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &out, &w.api, &e), AY_OK);
	return 0;
}

static int tear_down_all(void **state)
{
	int rc = tear_down(state);

	ay_config_free(w.config);
	w.config = NULL;
	with_peer = with_authorization = with_cookie = with_csrf = with_site = NULL;
	return rc;
}

/* Until what is done in a thread has ended. */
static void settle(void)
{
	struct pollfd p = { .fd = ay_api_wake_fd(w.api), .events = POLLIN };

	while (w.answers == 0) {
		assert_int_equal(poll(&p, 1, 60000), 1);
		ay_api_woken(w.api);
	}
}

static void begin(const char *user, const char *password, const char *code)
{
	char body[512];

	snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"%s\"%s%s%s}", user, password,
		 code == NULL ? "" : ",\"code\":\"", code == NULL ? "" : code,
		 code == NULL ? "" : "\"");
	w.dir_fn = NULL;
	ask("POST", "/api/v1/login", NULL, body);
}

/* subject NULL: wrong. */
static int says(const char *subject, const char *group)
{
	struct ay_directory_answer a = { .right = subject != NULL };
	ay_directory_fn *fn = w.dir_fn;
	struct ay_err e = { 0 };

	assert_non_null(fn);
	w.dir_fn = NULL;
	if (subject != NULL) {
		snprintf(a.person.subject, sizeof(a.person.subject), "%s", subject);
		snprintf(a.person.name, sizeof(a.person.name), "alice");
	}
	if (group != NULL)
		a.group[a.n_groups++] = ay_bytes_of(group);
	fn(w.dir_arg, AY_OK, &e, &a);
	return w.status;
}

static int log_in(const char *user, const char *subject, const char *group)
{
	begin(user, "pw", NULL);
	return says(subject, group);
}

static void test_in(void **state)
{
	(void)state;
	begin("Alice", "some pw", NULL);
	assert_string_equal(w.dir_name, "Alice");
	assert_string_equal(w.dir_password, "some pw");
	assert_int_equal(says("entryuuid 1", OPS), 200);
	assert_string_equal(answer_text("user"), "alice@ldap");
	assert_string_equal(answer_text("scheme"), "ldap");
	assert_non_null(strstr(w.header, "__Host-assay="));
	/* another entry of the same name is another person; the entry renamed is the same */
	assert_int_equal(log_in("alice", "entryuuid 2", OPS), 200);
	assert_memory_equal(answer_text("user"), "alice@ldap.", 11);
	assert_int_equal(log_in("alicia", "entryuuid 1", OPS), 200);
	assert_string_equal(answer_text("user"), "alice@ldap");
	assert_non_null(strstr(w.body, "HOST_WRITE"));
	/* other groups, none */
	assert_int_equal(log_in("alice", "entryuuid 1", "CN=Audit,DC=x"), 200);
	assert_null(strstr(w.body, "HOST_WRITE"));
	assert_int_equal(log_in("alice", "entryuuid 1", NULL), 403);
	assert_string_equal(error_of("code"), "AUTH_NO_ROLE");
	assert_int_equal(log_in("zoe", "entryuuid 9", "cn=other,dc=x"), 403);
	assert_int_equal(ask("GET", "/api/v1/login/methods", NULL, NULL), 200);
	assert_non_null(strstr(w.body, "\"ldap\":true"));
}

static void test_wrong(void **state)
{
	(void)state;
	assert_int_equal(log_in("alice", NULL, NULL), 401);
	assert_string_equal(error_of("code"), "AUTH_FAILED");
	/* what is never asked for there */
	begin("alice", "", NULL);
	assert_int_equal(w.status, 401);
	assert_null(w.dir_fn);
	begin("alice ", "pw", NULL);
	assert_int_equal(w.status, 401);
	assert_null(w.dir_fn);
}

/* A local name is judged here, whatever the password, and whether it has one. */
static void test_local(void **state)
{
	(void)state;
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"bob\",\"role\":\"viewer\"}"), 201);
	begin("bob", "wrong wrong wrong", NULL);
	assert_null(w.dir_fn);
	assert_int_equal(w.dirs, 0);
	settle();
	assert_int_equal(w.status, 401);
	/* who has that name there says so */
	begin("bob@ldap", "pw", NULL);
	assert_string_equal(w.dir_name, "bob");
	assert_int_equal(says("entryuuid 5", OPS), 200);
	/* but for an account that was given a password here */
	assert_int_equal(ask_wait("POST", "/api/v1/users/alice@ldap/password", admin,
				  "{\"password\":\"a local password\"}"),
			 204);
	begin("alice@ldap", "pw", NULL);
	assert_null(w.dir_fn);
	settle();
	assert_int_equal(w.status, 401);
	assert_int_equal(ask("PATCH", "/api/v1/users/alice@ldap", admin, "{\"disabled\":true}"),
			 200);
	assert_int_equal(log_in("alice", "entryuuid 5", OPS), 401);
}

static void test_down(void **state)
{
	static const struct ay_directory_answer none;
	struct ay_err e = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++) { /* and nobody waits for it */
		begin("alice", "pw", NULL);
		ay_err_set(&e, AY_E_UNAVAIL, "x", 0, "x");
		ay_err_code(&e, "LDAP_TLS");
		w.dir_fn(w.dir_arg, AY_E_UNAVAIL, &e, &none);
		assert_int_equal(w.status, 503);
		assert_string_equal(error_of("code"), "AUTH_SOURCE_DOWN");
	}
	/* the client leaves meanwhile */
	begin("alice", "pw", NULL);
	ay_api_gone(w.api, w.asked);
	assert_null(w.dir_fn);
}

static void test_counted(void **state)
{
	static const char *const names[] = { "alice", "ALICE", "Alice", "aLICE", "alicE" };

	(void)state;
	with_peer = "203.0.113.5:1000";
	for (size_t i = 0; i < AY_COUNT(names); i++)
		assert_int_equal(log_in(names[i], NULL, NULL), 401);
	begin("aliCE", "pw", NULL);
	assert_int_equal(w.status, 429);
	assert_null(w.dir_fn);
	with_peer =
		"203.0.114.5:1000"; /* elsewhere nothing has changed, and a right one is right */
	assert_int_equal(log_in("alice", "entryuuid 1", OPS), 200);
}

/* One network does not take all places at a directory that hangs. */
static void test_share(void **state)
{
	uint32_t asked[AY_MAX_LDAP_SAME];
	char name[16];

	(void)state;
	with_peer = "203.0.113.5:1000";
	for (size_t i = 0; i < AY_MAX_LDAP_SAME; i++) {
		snprintf(name, sizeof(name), "u%zu", i);
		begin(name, "pw", NULL);
		assert_int_equal(w.answers, 0);
		asked[i] = w.asked;
	}
	begin("alice", "pw", NULL);
	assert_int_equal(w.status, 503);
	assert_string_equal(error_of("code"), "AUTH_BUSY");
	with_peer = "203.0.114.5:1000";
	begin("zoe", "pw", NULL);
	assert_non_null(w.dir_fn);
	ay_api_gone(w.api, w.asked);
	for (size_t i = 0; i < AY_MAX_LDAP_SAME; i++)
		ay_api_gone(w.api, asked[i]);
}

/* The second factor that he added here is asked for, and guesses of it are counted. */
static void test_totp(void **state)
{
	struct ay_secrets s;
	struct ay_api_account *u;
	char session[128], csrf[128];

	(void)state;
	with_peer = "203.0.113.5:1000";
	assert_int_equal(log_in("alice", "entryuuid 1", OPS), 200);
	snprintf(session, sizeof(session), "%.*s",
		 (int)strcspn(strstr(w.header, "__Host-assay="), ";"),
		 strstr(w.header, "__Host-assay="));
	snprintf(csrf, sizeof(csrf), "%s", answer_text("csrf"));
	with_cookie = session;
	with_csrf = csrf;
	assert_int_equal(ask("POST", "/api/v1/totp", NULL, NULL), 201);
	with_cookie = with_csrf = NULL;
	u = ay_account_find(w.api, ay_bytes_of("alice@ldap"));
	s = *u->secrets;
	s.totp_state = AY_TOTP_ON;
	assert_int_equal(ay_account_keep(w.api, u, &s, NULL), AY_OK);
	for (int i = 0; i < 8; i++) { /* not giving one is no failure */
		assert_int_equal(log_in("alice", "entryuuid 1", OPS), 401);
		assert_string_equal(error_of("code"), "AUTH_TOTP");
	}
	for (int i = 0; i < 5; i++) {
		begin("alice", "pw", "000000");
		assert_int_equal(says("entryuuid 1", OPS), 401);
		assert_string_equal(error_of("code"), "AUTH_FAILED");
	}
	begin("alice", "pw", "000000");
	assert_int_equal(w.status, 429);
}

static void test_settings(void **state)
{
	static const struct {
		const char *what, *text;
		enum ay_rc rc;
	} rows[] = {
		{ "as it should be", SECTION, AY_OK },
		{ "in clear", "[ldap]\nurl = ldap://dir.example\nbase = dc=x\n", AY_E_INPUT },
		{ "no scheme", "[ldap]\nurl = dir.example\nbase = dc=x\n", AY_E_INPUT },
		{ "a base in the address", "[ldap]\nurl = ldaps://dir.example/dc=x\nbase = dc=x\n",
		  AY_E_INPUT },
		{ "somebody in the address", "[ldap]\nurl = ldaps://u@dir.example\nbase = dc=x\n",
		  AY_E_INPUT },
		{ "an address and a port",
		  "[ldap]\nurl = ldaps://[2001:db8::1]:6636\nbase = dc=x\n", AY_OK },
		{ "no base", "[ldap]\nurl = ldaps://dir.example\n", AY_E_INPUT },
		{ "a name in its place", "[ldap]\nurl = ldaps://d\nuser_dn = uid={user},dc=x\n",
		  AY_OK },
		{ "that is everybody's", "[ldap]\nurl = ldaps://d\nuser_dn = uid=a,dc=x\n",
		  AY_E_INPUT },
		{ "a filter that finds everybody",
		  "[ldap]\nurl = ldaps://d\nbase = dc=x\nuser_filter = (uid=*)\n", AY_E_INPUT },
		{ "a filter without parentheses",
		  "[ldap]\nurl = ldaps://d\nbase = dc=x\nuser_filter = uid={user}\n", AY_E_INPUT },
		{ "groups of everybody",
		  "[ldap]\nurl = ldaps://d\nbase = dc=x\ngroup_base = dc=x\ngroup_filter = "
		  "(objectClass=group)\n",
		  AY_E_INPUT },
		{ "a searcher without password",
		  "[ldap]\nurl = ldaps://d\nbase = dc=x\nbind_dn = cn=s\n", AY_E_INPUT },
		{ "a password without searcher",
		  "[ldap]\nurl = ldaps://d\nbase = dc=x\nbind_password_file = /x\n", AY_E_INPUT },
		{ "an id that is given again",
		  "[ldap]\nurl = ldaps://d\nbase = dc=x\nid_attribute = uid\n", AY_E_INPUT },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_ldap_settings s;
		struct ay_config *c;

		print_message("%s\n", rows[i].what);
		assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", rows[i].text, &c, NULL),
				 AY_OK);
		assert_int_equal(ay_ldap_settings_read(c, &s, NULL), rows[i].rc);
		assert_int_equal(s.is_set, rows[i].rc == AY_OK);
		if (i == 0)
			assert_string_equal(s.uri, "ldaps://dir.example:636");
		if (i == 5)
			assert_string_equal(s.uri, "ldaps://[2001:db8::1]:6636");
		ay_config_free(c);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up_all, tear_down_all)
	const struct CMUnitTest tests[] = {
		T(test_in),	 T(test_wrong), T(test_local), T(test_down),
		T(test_counted), T(test_share), T(test_totp),  cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
