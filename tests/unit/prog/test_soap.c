/* SPDX-License-Identifier: Apache-2.0 */
/* SOAP in front of the routes: that none is forgotten, and that nothing is permitted by this door
 * alone. */
#include "support/t.h"

#include "api_fixture.h"

#include "core/soap/convert.h"
#include "prog/assayd/soap/soap.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

/* ---- the table ---- */

static void each_route_has_its_row(void **state)
{
	size_t n;
	const struct ay_route *routes = ay_routes(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		size_t n_ops, found = 0;
		const struct ay_soap_row *ops = ay_soap_rows(&n_ops);

		for (size_t k = 0; k < n_ops; k++)
			found += ay_soap_route(&ops[k]) == &routes[i];
		if ((found > 0) == (ay_soap_without(&routes[i]) != NULL))
			fail_msg("%s %s: give it a row OP or WITHOUT in "
				 "src/prog/assayd/soap/operations.def",
				 ay_http_method_name(routes[i].method), routes[i].path);
	}
}

static void each_row_makes_sense(void **state)
{
	struct ay_arena arena;
	size_t n;
	const struct ay_soap_row *ops = ay_soap_rows(&n);

	(void)state;
	ay_arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < n; i++) {
		const struct ay_route *route = ay_soap_route(&ops[i]);
		struct ay_soap_inputs in;
		struct ay_err e = { 0 };

		print_message("operation: %s\n", ops[i].name);
		assert_non_null(route);
		assert_ptr_equal(ay_soap_find(ops[i].name), &ops[i]); /* one of each name */
		assert_int_equal(ay_soap_inputs(&ops[i], &arena, &in, &e), AY_OK);
		for (size_t k = 0; k < in.n; k++)
			for (size_t j = 0; j < k; j++)
				assert_string_not_equal(in.member[k].name, in.member[j].name);
		for (size_t k = in.n_path; k < in.n_path + in.n_query; k++)
			assert_true(ay_soap_named(route->query, in.member[k].name));
		if (ops[i].answers != AY_SOAP_RESULT || ops[i].keep[0] != '\0')
			assert_int_not_equal(route->response, AY_SCHEMA_NONE);
	}
	ay_arena_fini(&arena);
}

/* ---- messages ---- */

#define S11 "http://schemas.xmlsoap.org/soap/envelope/"

static char message[4096];

static const char *envelope(const char *operation, const char *inside)
{
	snprintf(message, sizeof(message),
		 "<s:Envelope xmlns:s='" S11 "'><s:Body><%s xmlns='urn:assay:soap:1'>%s</%s>"
		 "</s:Body></s:Envelope>",
		 operation, inside, operation);
	return message;
}

static int say(const char *operation, const char *inside, const char *token)
{
	int status;

	w.content_type = "text/xml; charset=utf-8";
	status = ask("POST", "/soap/v1", token, envelope(operation, inside));
	w.content_type = NULL;
	return status;
}

static bool told(const char *code)
{
	char want[64];

	snprintf(want, sizeof(want), "<code>%s</code>", code);
	return strstr(w.body, want) != NULL;
}

/* What has to be there of an operation, with host h1 for anything. */
static void least(const struct ay_soap_row *op, char out[1024])
{
	struct ay_arena arena;
	struct ay_soap_inputs in;
	struct ay_err e;
	size_t at = 0;

	ay_arena_init(&arena, 1 << 16);
	assert_int_equal(ay_soap_inputs(op, &arena, &in, &e), AY_OK);
	out[0] = '\0';
	for (size_t i = 0; i < in.n; i++) {
		const struct ay_member *m = &in.member[i];
		const char *value = m->type == AY_T_ANY	   ? "{}"
				    : m->type == AY_T_MAP  ? ""
				    : m->type == AY_T_HEX  ? "00"
				    : m->type == AY_T_UINT ? "1"
							   : "h1";

		if (m->need == AY_NEED_REQ)
			at += (size_t)snprintf(out + at, 1024 - at, "<%s>%s</%s>", m->name, value,
					       m->name);
	}
	ay_arena_fini(&arena);
}

static char viewer[AY_API_TOKEN_TEXT], relying[AY_API_TOKEN_TEXT];

static void make_token(const char *user, const char *role, char text[AY_API_TOKEN_TEXT])
{
	struct ay_api_account row = { .created_at = w.now }, *u;
	struct ay_api_key *k;
	struct ay_err e;

	w.api->now_ms = w.now;
	snprintf(row.name, sizeof(row.name), "%s", user);
	snprintf(row.role, sizeof(row.role), "%s", role);
	assert_int_equal(ay_account_put(w.api, &row, &e), AY_OK);
	u = ay_account_find(w.api, ay_bytes_of(user));
	assert_non_null(u);
	assert_int_equal(ay_key_create(w.api, u, role, ay_bytes_of("t"), 0, text, &k, &e), AY_OK);
}

/* Each operation by each kind of caller: what the route's permission says, and no other way. */
static void permitted_as_the_route(void **state)
{
	const struct {
		const char *role, *token;
	} callers[] = { { "viewer", viewer }, { "relying", relying } };
	size_t n;
	const struct ay_soap_row *ops = ay_soap_rows(&n);
	char inside[1024];

	(void)state;
	make_token("view", "viewer", viewer);
	make_token("rely", "relying", relying);
	for (size_t i = 0; i < n; i++) {
		enum ay_perm perm = ay_soap_route(&ops[i])->perm;

		least(&ops[i], inside);
		w.now += 1000; /* the bucket of failures refills */
		w.calls = 0;
		assert_int_equal(say(ops[i].name, inside, NULL), 401);
		assert_true(told("AUTH_REQUIRED"));
		assert_non_null(strstr(w.header, "www-authenticate"));
		assert_int_equal(say(ops[i].name, inside, "asy1.wrong"), 401);
		assert_int_equal(w.calls, 0);
		for (size_t k = 0; k < AY_COUNT(callers); k++) {
			uint64_t may;

			assert_true(ay_role_perms(callers[k].role, &may));
			w.calls = 0;
			say(ops[i].name, inside, callers[k].token);
			print_message("%s by %s: %d\n", ops[i].name, callers[k].role, w.status);
			assert_int_equal(told("NOT_PERMITTED"),
					 perm != AY_PERM_PUBLIC && ((may >> perm) & 1) == 0);
			assert_int_equal(w.answers, 1);
			if (told("NOT_PERMITTED"))
				assert_int_equal(w.calls, 0);
		}
	}
}

static const struct {
	const char *name, *operation, *inside;
	int status;
	const char *code;
} refusals[] = {
	{ "unknown operation", "DropTables", "", 500, "SOAP_OPERATION" },
	{ "no host", "GetTrust", "", 500, "INPUT" },
	{ "an empty host", "GetTrust", "<host></host>", 500, "INPUT" },
	{ "no such host", "GetTrust", "<host>h9</host>", 500, "NOENT" },
	{ "a host that is a path", "GetTrust", "<host>h1/report</host>", 500, "INPUT" },
	{ "a host that goes up", "GetTrust", "<host>..</host>", 500, "INPUT" },
	{ "a host with a line end", "GetTrust", "<host>h1\n</host>", 500, "INPUT" },
	{ "a query hidden in a host", "GetTrust", "<host>h1?x=y</host>", 500, "NOENT" },
	{ "an escape that is none", "GetTrust", "<host>%68%31</host>", 500, "NOENT" },
	{ "a host that leads to another operation", "Attest", "<host>bulk</host>", 500, "INPUT" },
	{ "unknown member", "GetTrust", "<host>h1</host><x/>", 500, "SOAP_ELEMENT" },
	{ "a member of another operation", "GetTrust", "<host>h1</host><name>x</name>", 500,
	  "SOAP_ELEMENT" },
	{ "a page too long", "ListHosts", "<limit>1001</limit>", 500, "INPUT" },
	{ "a name that REST refuses", "RegisterHost",
	  "<name>12345678-1234-1234-1234-123456789abc</name>", 500, "INPUT" },
	{ "no name", "RegisterHost", "", 500, "INPUT" },
};

static void refused_with_our_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(refusals); i++) {
		print_message("refused: %s\n", refusals[i].name);
		assert_int_equal(say(refusals[i].operation, refusals[i].inside, admin),
				 refusals[i].status);
		assert_true(told(refusals[i].code));
		assert_non_null(strstr(w.type, "text/xml"));
	}
	assert_int_equal(say("Attest", "<host>bulk</host>", admin), 500);
	assert_non_null(strstr(w.body, "another operation"));
	assert_int_equal(ask("POST", "/soap/v1", admin, "{}"), 415);
	assert_true(told("SOAP_MEDIA"));
	assert_int_equal(ask("PUT", "/soap/v1", admin, NULL), 405);
	w.more[0] = "soapaction";
	w.more_value[0] = "\"urn:assay:soap:1#RemoveHost\"";
	assert_int_equal(say("GetTrust", "<host>h1</host>", admin), 500);
	assert_true(told("SOAP_ACTION"));
	w.more_value[0] = "\"urn:assay:soap:1#GetTrust\"";
	assert_int_equal(say("GetTrust", "<host>h1</host>", admin), 200);
	w.more[0] = NULL;
}

/* ---- description and answers ---- */

static void silent(void *arg, const char *msg, ...)
{
	(void)arg;
	(void)msg;
}

static xmlSchemaPtr schema_of(const char *text)
{
	xmlSchemaParserCtxtPtr p = xmlSchemaNewMemParserCtxt(text, (int)strlen(text));
	xmlSchemaPtr s;

	assert_non_null(p);
	s = xmlSchemaParse(p);
	xmlSchemaFreeParserCtxt(p);
	assert_non_null(s);
	return s;
}

/* The first element of the Body. */
static xmlNodePtr payload(xmlDocPtr doc)
{
	xmlNodePtr n = xmlDocGetRootElement(doc);

	for (int level = 0; level < 2; level++)
		n = n == NULL ? NULL : xmlFirstElementChild(n);
	return n;
}

static bool fits(xmlSchemaPtr s, const char *text)
{
	xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, 0);
	xmlSchemaValidCtxtPtr v = xmlSchemaNewValidCtxt(s);
	int rc;

	assert_non_null(doc);
	assert_non_null(payload(doc));
	xmlSchemaSetValidErrors(v, silent, silent, NULL);
	rc = xmlSchemaValidateOneElement(v, payload(doc));
	xmlSchemaFreeValidCtxt(v);
	xmlFreeDoc(doc);
	return rc == 0;
}

static void described_and_kept(void **state)
{
	static const struct {
		const char *operation, *inside;
	} calls[] = {
		{ "GetTrust", "<host>h1</host>" },
		{ "GetHost", "<host>h1</host>" },
		{ "ListHosts", "<limit>2</limit>" },
		{ "RegisterHost",
		  "<name>web</name><labels><entry><key>k</key><value>v</value></entry>"
		  "</labels>" },
		{ "RemoveHost", "<host>h1</host>" },
		{ "GetVersion", "" },
		{ "ListUsers", "" },
		{ "GetOverview", "" },
	};
	static char xsd[262144];
	xmlSchemaPtr s;

	(void)state;
	assert_int_equal(ask("GET", "/soap/v1?xsd=assay", NULL, NULL), 200);
	snprintf(xsd, sizeof(xsd), "%s", w.body);
	s = schema_of(xsd);
	for (size_t i = 0; i < AY_COUNT(calls); i++) {
		print_message("call: %s\n", calls[i].operation);
		assert_true(fits(s, envelope(calls[i].operation, calls[i].inside)));
		assert_int_equal(say(calls[i].operation, calls[i].inside, admin), 200);
		assert_true(fits(s, w.body));
	}
	assert_false(fits(s, envelope("GetTrust", "<what/>"))); /* it can fail */
	xmlSchemaFree(s);
}

static void where_the_service_is(void **state)
{
	static const struct {
		const char *host, *location;
	} hosts[] = {
		{ "assay.example:8443", "https://assay.example:8443/soap/v1\"" },
		{ "[2001:db8::1]:8443", "https://[2001:db8::1]:8443/soap/v1\"" },
		{ "evil.example/x?", "https://localhost:8443/soap/v1\"" },
		{ "a\"/><x", "https://localhost:8443/soap/v1\"" },
		{ "user@evil", "https://localhost:8443/soap/v1\"" },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(hosts); i++) {
		w.more[0] = "host";
		w.more_value[0] = hosts[i].host;
		assert_int_equal(ask("GET", "/soap/v1?wsdl", NULL, NULL), 200);
		assert_non_null(strstr(w.body, hosts[i].location));
	}
	w.more[0] = NULL;
	assert_int_equal(ask("GET", "/soap/v1?xsd=x", NULL, NULL), 404);
	assert_int_equal(ask("GET", "/soap/v1?what", NULL, NULL), 400);
}

#define API_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_route_has_its_row),
		cmocka_unit_test(each_row_makes_sense),
		API_TEST(permitted_as_the_route),
		API_TEST(refused_with_our_codes),
		API_TEST(described_and_kept),
		API_TEST(where_the_service_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
