/* SPDX-License-Identifier: Apache-2.0 */
/* The Mt. Wilson family: what is served where, who may come in, how it is told. */
#include "api_fixture.h"

#include "prog/assayd/api/auth.h"
#include "prog/assayd/family/family.h"
#include "prog/assayd/family/mle.h"

#include <stdlib.h>

static int set_up_family(void **state)
{
	static const char text[] =
		"[compat]\noat1_listen = 127.0.0.1:1\noat1_from = 10.0.0.0/8, 2001:db8::/32\n"
		"oat1_role = viewer\noat2_listen = 127.0.0.1:2\n"
		"mtwilson_listen = 127.0.0.1:3\nsecl_listen = 127.0.0.1:4\n";
	struct ay_api_out out = {
		on_reply, on_stream, on_chunk, on_end, on_cast, on_backlog, NULL
	};
	struct ay_err e;

	if (set_up(state) != 0)
		return -1;
	ay_api_free(w.api);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", text, &w.config, &e), AY_OK);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &out, &w.api, &e), AY_OK);
	return 0;
}

static int tear_down_family(void **state)
{
	int rc = tear_down(state);

	ay_config_free(w.config);
	return rc;
}

/* ---- what is served where ---- */

static void each_listener_serves_its_own_routes(void **state)
{
	static const struct {
		enum ay_listener l;
		const char *path;
		int status;
		const char *body;
	} rows[] = {
		{ AY_LISTENER_API, "/healthz", 200, NULL },
		{ AY_LISTENER_API, "/AttestationService/resources/asstatus", 404, NULL },
		{ AY_LISTENER_API, "/mtwilson/v2/version", 404, NULL },
		{ AY_LISTENER_API, "/hvs/v2/version", 404, NULL },
		{ AY_LISTENER_OAT1, "/AttestationService/resources/asstatus", 200, "True" },
		{ AY_LISTENER_OAT1, "/healthz", 404, NULL },
		{ AY_LISTENER_OAT1, "/api/v1/openapi.json", 404, NULL },
		{ AY_LISTENER_OAT1, "/ManagementService/resources/msstatus", 404, NULL },
		{ AY_LISTENER_OAT2, "/AttestationService/resources/asstatus", 200, "true" },
		{ AY_LISTENER_OAT2, "/ManagementService/resources/msstatus", 200, "true" },
		{ AY_LISTENER_OAT2, "/mtwilson/v2/version", 404, NULL },
		{ AY_LISTENER_MTWILSON, "/WLMService/resources/wlmstatus", 200, "true" },
		{ AY_LISTENER_MTWILSON, "/mtwilson/v1/WLMService/resources/wlmstatus", 200,
		  "true" },
		{ AY_LISTENER_OAT2, "/mtwilson/v1/WLMService/resources/wlmstatus", 404, NULL },
		{ AY_LISTENER_MTWILSON, "/mtwilson/v2/version", 200, NULL },
		{ AY_LISTENER_MTWILSON, "/mtwilson/v2/version.xml", 200,
		  "<?xml version=\"1.0\" encoding=\"UTF-8\"?><version><version>" AY_VERSION
		  "</version></version>" },
		{ AY_LISTENER_MTWILSON, "/mtwilson/v2/version.json", 200,
		  "{\"version\":\"" AY_VERSION "\"}" },
		{ AY_LISTENER_MTWILSON, "/hvs/v2/version", 404, NULL },
		{ AY_LISTENER_SECL, "/hvs/v2/version", 200, NULL },
		{ AY_LISTENER_SECL, "/healthz", 404, NULL },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("%s: %s\n", ay_listener_name(rows[i].l), rows[i].path);
		w.listener = rows[i].l;
		assert_int_equal(ask("GET", rows[i].path, NULL, NULL), rows[i].status);
		if (rows[i].body != NULL)
			assert_string_equal(w.body, rows[i].body);
	}
}

static void a_wrong_method_names_the_right_ones(void **state)
{
	(void)state;
	w.listener = AY_LISTENER_OAT1;
	assert_int_equal(ask("PUT", "/AttestationService/resources/asstatus", NULL, NULL), 405);
	assert_non_null(strstr(w.header, "allow: GET"));
}

/* ---- who may come in without credentials ---- */

/* What the gate gives a request; the route is one that anybody with a credential may use. */
static uint64_t rights(enum ay_listener l, const char *peer, const char *authorization)
{
	struct ay_api_request r = { .listener = l, .peer = ay_bytes_of(peer) };
	struct ay_api_call c = { .api = w.api, .listener = l };
	struct ay_principal who;
	struct ay_err e;

	if (authorization != NULL)
		r.header[r.n_headers++] = (struct ay_api_header){ ay_bytes_of("authorization"),
								  ay_bytes_of(authorization) };
	if (ay_auth_check(&c, &r, &who, &e) != AY_AUTH_OK)
		return 0;
	assert_int_equal(who.user_id, 0); /* no person */
	assert_true(who.known);
	return who.everywhere;
}

static void a_role_is_for_its_listener_and_networks_alone(void **state)
{
	static const struct {
		enum ay_listener l;
		const char *peer, *authorization;
		bool in;
	} rows[] = {
		{ AY_LISTENER_OAT1, "10.1.2.3:4", NULL, true },
		{ AY_LISTENER_OAT1, "[2001:db8::7]:4", NULL, true },
		{ AY_LISTENER_OAT1, "[::ffff:10.1.2.3]:4", NULL, true },
		{ AY_LISTENER_OAT1, "11.1.2.3:4", NULL, false },
		{ AY_LISTENER_OAT1, "[2001:db9::7]:4", NULL, false },
		{ AY_LISTENER_OAT1, "?:4", NULL, false },
		{ AY_LISTENER_OAT2, "10.1.2.3:4", NULL, false },
		{ AY_LISTENER_API, "10.1.2.3:4", NULL, false },
		/* a wrong credential never becomes none */
		{ AY_LISTENER_OAT1, "10.1.2.3:4", "Bearer asy1.x.y", false },
		{ AY_LISTENER_OAT1, "10.1.2.3:4", "Nonsense", false },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		uint64_t got;

		print_message("%s: %s %s\n", ay_listener_name(rows[i].l), rows[i].peer,
			      rows[i].authorization == NULL ? "" : rows[i].authorization);
		got = rights(rows[i].l, rows[i].peer, rows[i].authorization);
		assert_int_equal((got & AY_PERM_BIT(HOST_READ)) != 0, rows[i].in);
		assert_int_equal(got & AY_PERM_BIT(HOST_WRITE), 0);
	}
}

static void a_role_that_there_is_not_ends_the_start(void **state)
{
	struct ay_api_out out = {
		on_reply, on_stream, on_chunk, on_end, on_cast, on_backlog, NULL
	};
	struct ay_config *before = w.config;
	struct ay_api *api;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t",
					 "[compat]\nsecl_from = ::1\nsecl_role = king\n", &w.config,
					 &e),
			 AY_OK);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &out, &api, &e), AY_E_INPUT);
	assert_non_null(strstr(e.text, "king"));
	ay_config_free(w.config);
	w.config = before;
}

/* ---- errors ---- */

static void failures_have_the_numbers_of_the_dialect(void **state)
{
	static const struct {
		enum ay_dialect d;
		enum ay_rc rc;
		const char *code;
		int status, number;
	} rows[] = {
		{ AY_DIALECT_OAT2, AY_E_NOENT, "HOST_NOT_FOUND", 404, 1003 },
		{ AY_DIALECT_OAT1, AY_E_NOENT, "HOST_NOT_FOUND", 404, 2000 },
		{ AY_DIALECT_MTW, AY_E_EXISTS, "OEM_IN_USE", 400, 2003 },
		{ AY_DIALECT_OAT1, AY_E_EXISTS, "OEM_IN_USE", 400, 1006 },
		{ AY_DIALECT_CIT, AY_E_BUG, "", 500, 1 },
		{ AY_DIALECT_OAT1, AY_E_INPUT, "", 400, 412 },
		{ AY_DIALECT_OAT1, AY_E_NOMEM, "WHAT_EVER", 500, 500 },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_err e = { .rc = rows[i].rc };
		struct ay_family_error f;

		ay_err_code(&e, rows[i].code);
		f = ay_family_error_of(rows[i].d, &e);
		print_message("error: %s %s\n", ay_dialect_name(rows[i].d), rows[i].code);
		assert_int_equal(f.status, rows[i].status);
		assert_int_equal(f.number, rows[i].number);
	}
}

static void a_refusal_speaks_the_dialect(void **state)
{
	(void)state;
	w.listener = AY_LISTENER_OAT1;
	assert_int_equal(ask("GET", "/nothing", NULL, NULL), 404);
	assert_string_equal(w.body, "{\"error_code\":404,\"error_message\":\"no such path\","
				    "\"detail\":\"path\"}");
	w.listener = AY_LISTENER_MTWILSON;
	assert_int_equal(ask("GET", "/nothing", NULL, NULL), 404);
	assert_string_equal(w.body, "{\"error_code\":404,\"error_message\":\"no such path\"}");
	assert_string_equal(w.type, "application/json");
	w.listener = AY_LISTENER_SECL;
	assert_int_equal(ask("GET", "/nothing", NULL, NULL), 404);
	assert_string_equal(w.body, "no such path");
	assert_int_equal(ask("GET", "/%zz", NULL, NULL), 400);
	assert_string_equal(w.type, "text/plain");
}

/* ---- PollHosts ---- */

#define POLL "/AttestationService/resources/PollHosts"

static void polled(const char *more, const char *level)
{
	char body[200], want[64];

	snprintf(body, sizeof(body), "{\"hosts\":[\"h1\"]%s}", more);
	assert_int_equal(ask("POST", POLL, admin, body), 200);
	snprintf(want, sizeof(want), "\"trust_lvl\":\"%s\"", level);
	print_message("poll: %s\n", w.body);
	assert_non_null(strstr(w.body, want));
}

static void the_level_is_the_whole_verdict(void **state)
{
	(void)state;
	w.listener = AY_LISTENER_OAT1;
	polled("", "unknown"); /* registered only */
	w.host.state = AY_HOST_ENROLLED;
	w.host.attested_ms = w.now - 5000;
	w.host.components[AY_COMP_PLATFORM] = w.host.components[AY_COMP_OS] = AY_TRUSTED;
	w.host.lease = (struct ay_lease){ AY_UNTRUSTED, 0, true };
	polled("", "untrusted"); /* though BIOS and VMM are trusted */
	w.host.lease = (struct ay_lease){ AY_TRUSTED, w.now + 1000, true };
	polled("", "trusted");
	assert_string_equal(strstr(w.body, "\"vtime\""),
			    "\"vtime\":\"2023-11-14T22:13:15.000+0000\"}]}");
	w.host.lease.until_ms = w.now;
	polled("", "unknown"); /* the lease has ended */
}

static void who_wants_a_fresh_result_gets_no_old_one(void **state)
{
	(void)state;
	w.listener = AY_LISTENER_OAT1;
	w.host.state = AY_HOST_ENROLLED;
	w.host.attested_ms = w.now - 5000;
	w.host.lease = (struct ay_lease){ AY_TRUSTED, w.now + 60000, true };
	polled(",\"timeThreshold\":5000", "trusted"); /* as old as that: nobody is asked */
	assert_null(w.attest);
	(void)ask("POST", POLL, admin, "{\"hosts\":[\"h1\",\"h1\"],\"timeThreshold\":4999}");
	assert_int_equal(w.answers, 0); /* it waits for both */
	assert_non_null(w.attest);
	w.attest(w.attest_arg, AY_E_UNAVAIL, NULL, &w.host);
	assert_int_equal(w.answers, 0);
	w.attest(w.attest_arg, AY_E_UNAVAIL, NULL, &w.host);
	assert_int_equal(w.answers, 1);
	assert_non_null(strstr(w.body, "\"timeout\""));
	assert_null(strstr(w.body, "\"trusted\""));
	w.listener = AY_LISTENER_OAT2; /* knows no threshold: it is passed over */
	polled(",\"timeThreshold\":4999", "trusted");
}

static void a_client_that_leaves_takes_its_questions_along(void **state)
{
	unsigned before = w.forgotten;
	struct ay_api_call *c;

	(void)state;
	w.listener = AY_LISTENER_OAT1;
	w.host.state = AY_HOST_ENROLLED;
	(void)ask("POST", POLL, admin, "{\"hosts\":[\"h1\"],\"timeThreshold\":0}");
	c = w.api->calls;
	assert_non_null(c);
	ay_api_gone(w.api, c->req);
	assert_int_equal(w.forgotten, before + 1);
	assert_null(w.api->calls);
}

/* ---- OEMs, OSs, MLEs ---- */

#define WLM "/WLMService/resources"

static int oat(const char *method, const char *target, const char *body)
{
	w.listener = AY_LISTENER_OAT1;
	print_message("%s %s %s\n", method, target, body == NULL ? "" : body);
	return ask(method, target, admin, body);
}

static void make_mles(void)
{
	assert_int_equal(oat("POST", WLM "/oem", "{\"Name\":\"Dell\"}"), 200);
	assert_int_equal(oat("POST", WLM "/os", "{\"Name\":\"Debian\",\"Version\":\"12\"}"), 200);
	assert_int_equal(oat("POST", WLM "/mles",
			     "{\"Name\":\"b\",\"Version\":\"1\",\"OemName\":\"Dell\",\"MLE_Type\":"
			     "\"BIOS\",\"Attestation_Type\":\"PCR\",\"MLE_Manifests\":[{\"Name\":"
			     "\"17\",\"Value\":\"\"}]}"),
			 200);
	assert_int_equal(oat("POST", WLM "/mles",
			     "{\"Name\":\"v\",\"Version\":\"1\",\"OsName\":\"Debian\","
			     "\"OsVersion\":\"12\",\"MLE_Type\":\"VMM\",\"Attestation_Type\":"
			     "\"PCR\"}"),
			 200);
}

#define SHA1 "0123456789abcdef0123456789abcdef01234567"

static void a_required_pcr_without_value_keeps_the_mle_out_of_force(void **state)
{
	(void)state;
	make_mles();
	assert_int_equal(w.made, 0);
	assert_int_equal(oat("POST", WLM "/mles/whitelist/pcr",
			     "{\"mleName\":\"b\",\"mleVersion\":\"1\",\"oemName\":\"Dell\","
			     "\"pcrName\":\"0\",\"pcrDigest\":\"" SHA1 "\"}"),
			 200);
	assert_int_equal(w.made, 0); /* 17 is still missing */
	assert_int_equal(oat("POST", WLM "/mles/whitelist/pcr",
			     "{\"mleName\":\"b\",\"mleVersion\":\"1\",\"oemName\":\"Dell\","
			     "\"pcrName\":\"17\",\"pcrDigest\":\"" SHA1 "\"}"),
			 200);
	assert_int_equal(w.made, 1);
}

#define FLAVOR(part, more)                                                                         \
	"{\"flavor\":{\"meta\":{\"description\":{\"flavor_part\":\"" part                          \
	"\",\"label\":\"x\"" more                                                                  \
	"}},\"pcrs\":[{\"pcr\":{\"index\":4,\"bank\":\"SHA1\"},\"measurement\":\"" SHA1            \
	"\",\"pcr_matches\":true}]}"
#define SIGNED(flavor, signature)                                                                  \
	"{\"signed_flavor_collection\":{\"signed_flavors\":[" flavor ",\"signature\":" signature   \
	"}]}}"

static void a_flavor_that_another_signed_is_refused(void **state)
{
	static const struct {
		const char *body;
		int status;
	} rows[] = {
		{ SIGNED(FLAVOR("OS", ""), "\"\""), 201 },
		{ SIGNED(FLAVOR("OS", ""), "null"), 201 },
		{ SIGNED(FLAVOR("OS", ""), "\"aGk=\""), 400 },
		{ SIGNED(FLAVOR("OS", ""), "[]"), 400 },
		{ "{\"flavor_collection\":{\"flavors\":[" FLAVOR("OS",
								 "") ",\"signature\":\"aGk=\"}]}}",
		  400 },
	};

	(void)state;
	w.listener = AY_LISTENER_SECL;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		unsigned calls = w.calls;
		int is;

		print_message("%s\n", rows[i].body);
		is = ask("POST", "/hvs/v2/flavors", admin, rows[i].body);
		assert_int_equal(is, rows[i].status);
		assert_int_equal(w.calls > calls, is == 201);
	}
}

static void what_is_referred_to_stays(void **state)
{
	char id[AY_UUID_TEXT];
	struct ay_err e;
	const json_t *bios;

	(void)state;
	make_mles();
	assert_int_equal(oat("DELETE", WLM "/oem?Name=Dell", NULL), 400);
	assert_int_equal(oat("DELETE", WLM "/os?Name=Debian&Version=12", NULL), 400);
	bios = ay_mle_find(w.api,
			   &(struct ay_mle_key){ .name = "b", .version = "1", .oem = "Dell" });
	snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(bios, "id")));
	assert_int_equal(
		ay_family_host_keep(w.api, &w.host, json_pack("{s:s}", "bios_mle", id), &e), AY_OK);
	assert_int_equal(ay_mle_users(w.api, id), 1);
	assert_int_equal(oat("DELETE", WLM "/mles?mleName=b&mleVersion=1&oemName=Dell", NULL), 400);
	assert_int_equal(ay_family_host_keep(w.api, &w.host, json_object(), &e), AY_OK);
	assert_int_equal(oat("DELETE", WLM "/mles?mleName=b&mleVersion=1&oemName=Dell", NULL), 200);
	assert_int_equal(oat("DELETE", WLM "/oem?Name=Dell", NULL), 200);
}

/* An MLE's set comes into force, and ends, by two persons where two are wanted. */
static void two_persons_put_sets_in_force_and_end_them(void **state)
{
	static const char *const pcrs[] = { "17", "0" };
	char body[200];

	(void)state;
	make_mles();
	w.two_persons = true;
	for (size_t i = 0; i < AY_COUNT(pcrs); i++) {
		w.asked_by[0] = '\0';
		snprintf(body, sizeof(body),
			 "{\"mleName\":\"b\",\"mleVersion\":\"1\",\"oemName\":\"Dell\","
			 "\"pcrName\":\"%s\",\"pcrDigest\":\"" SHA1 "\"}",
			 pcrs[i]);
		assert_int_equal(oat("POST", WLM "/mles/whitelist/pcr", body), 200);
		assert_string_equal(w.asked_by, "admin for REFERENCE_WRITE");
	}
	w.asked_by[0] = '\0';
	assert_int_equal(oat("DELETE", WLM "/mles?mleName=b&mleVersion=1&oemName=Dell", NULL), 200);
	assert_string_equal(w.asked_by, "admin for REFERENCE_WRITE");
}

static void two_persons_put_flavors_in_force(void **state)
{
	static char connect[] = "10.0.0.1:1443";

	(void)state;
	w.host.dial.connect = connect;
	w.listener = AY_LISTENER_SECL;
	w.two_persons = true;
	assert_int_equal(ask("POST", "/hvs/v2/flavors", admin,
			     "{\"connection_string\":\"intel:https://10.0.0.1:1443\"}"),
			 201);
	assert_string_equal(w.asked_by, "admin for REFERENCE_WRITE");
	w.host.dial.connect = NULL;
}

/* Who keeps whitelists and may not write hosts. */
static void keeper_of_whitelists(char token[AY_API_TOKEN_TEXT])
{
	w.listener = AY_LISTENER_API;
	assert_int_equal(ask("POST", "/api/v1/roles", admin,
			     "{\"name\":\"keeper\",\"permissions\":[\"HOST_READ\","
			     "\"REFERENCE_READ\",\"REFERENCE_WRITE\"]}"),
			 201);
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"k\",\"role\":\"keeper\"}"), 201);
	assert_int_equal(ask("POST", "/api/v1/users/k/tokens", admin, "{}"), 201);
	snprintf(token, AY_API_TOKEN_TEXT, "%.*s", AY_API_TOKEN_TEXT - 1, answer_text("token"));
}

static void a_whitelist_writes_hosts_only_by_who_may(void **state)
{
	static const struct {
		const char *host, *more;
		int status;
	} rows[] = {
		{ "h1", "", 403 }, /* it would be judged by other MLEs */
		{ "h1", "\"register_host\":true,", 403 },
		{ "new", "\"register_host\":false,", 403 }, /* it is no host yet */
		{ "h1", "\"register_host\":false,", 400 },  /* its agent is not there */
	};
	char keeper[AY_API_TOKEN_TEXT], body[300];

	(void)state;
	keeper_of_whitelists(keeper);
	w.listener = AY_LISTENER_MTWILSON;
	w.host.state = AY_HOST_ENROLLED;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		snprintf(body, sizeof(body),
			 "{\"wl_config\":{%s\"txt_host_record\":{\"host_name\":\"%s\","
			 "\"addOn_Connection_String\":\"intel:https://10.0.0.1:1443\"}}}",
			 rows[i].more, rows[i].host);
		print_message("whitelist: %s\n", body);
		assert_int_equal(ask("POST", "/mtwilson/v2/rpc/create-whitelist", keeper, body),
				 rows[i].status);
	}
}

static void names_have_the_limits_of_oat(void **state)
{
	char body[200], name[60];

	(void)state;
	for (int n = 50; n <= 51; n++) {
		memset(name, 'n', sizeof(name));
		name[n] = '\0';
		snprintf(body, sizeof(body), "{\"Name\":\"%s\"}", name);
		assert_int_equal(oat("POST", WLM "/oem", body), n == 50 ? 200 : 400);
	}
	assert_int_equal(oat("POST", WLM "/oem", "{\"Name\":\"a&b\"}"), 400);
	assert_int_equal(oat("POST", WLM "/oem", "{\"Name\":\"\"}"), 400);
}

/* ---- forms ---- */

#define BIT AY_MEDIA_BIT

static void the_form_is_what_accept_likes_best(void **state)
{
	static const struct {
		const char *accept;
		unsigned offered;
		enum ay_media otherwise, want;
	} rows[] = {
		{ "", BIT(AY_MEDIA_JSON), AY_MEDIA_JSON, AY_MEDIA_JSON },
		{ "*/*", BIT(AY_MEDIA_JSON) | BIT(AY_MEDIA_XML), AY_MEDIA_XML, AY_MEDIA_XML },
		{ "application/xml", BIT(AY_MEDIA_JSON) | BIT(AY_MEDIA_XML), AY_MEDIA_JSON,
		  AY_MEDIA_XML },
		{ "Application/JSON ; charset=utf-8", BIT(AY_MEDIA_JSON) | BIT(AY_MEDIA_XML),
		  AY_MEDIA_XML, AY_MEDIA_JSON },
		{ "application/json;q=0.5, application/xml;q=0.9",
		  BIT(AY_MEDIA_JSON) | BIT(AY_MEDIA_XML), AY_MEDIA_JSON, AY_MEDIA_XML },
		{ "application/xml;q=0, */*", BIT(AY_MEDIA_JSON) | BIT(AY_MEDIA_XML), AY_MEDIA_XML,
		  AY_MEDIA_JSON },
		{ "text/html, application/samlassertion+xml",
		  BIT(AY_MEDIA_JSON) | BIT(AY_MEDIA_SAML), AY_MEDIA_JSON, AY_MEDIA_SAML },
		{ "application/samlassertion+xml, */*;q=0.1",
		  BIT(AY_MEDIA_JSON) | BIT(AY_MEDIA_SAML), AY_MEDIA_JSON, AY_MEDIA_SAML },
		{ "application/samlassertion+xml, */*", BIT(AY_MEDIA_JSON) | BIT(AY_MEDIA_SAML),
		  AY_MEDIA_JSON, AY_MEDIA_SAML },
		{ "text/*", BIT(AY_MEDIA_JSON) | BIT(AY_MEDIA_TEXT), AY_MEDIA_JSON,
		  AY_MEDIA_JSON }, /* text/json */
		{ "text/yaml", BIT(AY_MEDIA_YAML), AY_MEDIA_JSON, AY_MEDIA_YAML },
		{ "image/png", BIT(AY_MEDIA_JSON), AY_MEDIA_JSON, AY_MEDIA_NONE },
		{ ",,;q=1,", BIT(AY_MEDIA_JSON), AY_MEDIA_JSON, AY_MEDIA_NONE },
		{ "application/json;q=x", BIT(AY_MEDIA_JSON), AY_MEDIA_JSON, AY_MEDIA_NONE },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("accept: %s\n", rows[i].accept);
		assert_int_equal(ay_media_choose(ay_bytes_of(rows[i].accept), rows[i].offered,
						 rows[i].otherwise),
				 rows[i].want);
	}
}

static void documents_in_each_form(void **state)
{
	static const struct {
		const char *json, *xml, *yaml;
	} rows[] = {
		{ "{\"hosts\":[{\"name\":\"a<&>\\\"\",\"n\":1},{\"name\":\"b\\u0001\"}]}",
		  "<r><hosts><host><name>a&lt;&amp;&gt;&quot;</name><n>1</n></host><host>"
		  "<name>b\xef\xbf\xbd</name></host></hosts></r>",
		  "---\n\"hosts\": \n  - \n    \"name\": \"a<&>\\\"\"\n    \"n\": 1\n  - \n"
		  "    \"name\": \"b\\u0001\"\n" },
		{ "{\"a\":null,\"b\":true,\"c\":[],\"d\":{}}",
		  "<r><a></a><b>true</b><c></c><d></d></r>",
		  "---\n\"a\": null\n\"b\": true\n\"c\": []\n\"d\": {}\n" },
		{ "{\"TAG[x]\":\"y\",\"<z>\":1,\"ok\":\"\\ufffe\"}", "<r><ok>\xef\xbf\xbd</ok></r>",
		  NULL },
	};
	static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		json_t *doc = json_loads(rows[i].json, 0, NULL);
		char *xml = ay_xml_of_json("r", doc), *yaml = ay_yaml_of_json(doc);

		assert_non_null(doc);
		assert_memory_equal(xml, head, sizeof(head) - 1);
		assert_string_equal(xml + sizeof(head) - 1, rows[i].xml);
		if (rows[i].yaml != NULL)
			assert_string_equal(yaml, rows[i].yaml);
		free(xml);
		free(yaml);
		json_decref(doc);
	}
}

int main(void)
{
#define IN(test) cmocka_unit_test_setup_teardown(test, set_up_family, tear_down_family)
	const struct CMUnitTest tests[] = {
		IN(each_listener_serves_its_own_routes),
		IN(a_wrong_method_names_the_right_ones),
		IN(a_role_is_for_its_listener_and_networks_alone),
		IN(a_role_that_there_is_not_ends_the_start),
		IN(failures_have_the_numbers_of_the_dialect),
		IN(a_refusal_speaks_the_dialect),
		IN(the_level_is_the_whole_verdict),
		IN(who_wants_a_fresh_result_gets_no_old_one),
		IN(a_client_that_leaves_takes_its_questions_along),
		IN(a_required_pcr_without_value_keeps_the_mle_out_of_force),
		IN(a_flavor_that_another_signed_is_refused),
		IN(what_is_referred_to_stays),
		IN(two_persons_put_sets_in_force_and_end_them),
		IN(two_persons_put_flavors_in_force),
		IN(a_whitelist_writes_hosts_only_by_who_may),
		IN(names_have_the_limits_of_oat),
		cmocka_unit_test(the_form_is_what_accept_likes_best),
		cmocka_unit_test(documents_in_each_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
