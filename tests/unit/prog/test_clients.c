/* SPDX-License-Identifier: Apache-2.0 */
/* API clients that sign requests: who may, and what is done once only. */
#include "api_fixture.h"

#include "prog/assayd/api/clients.h"
#include "prog/assayd/ownnames.h"

static struct ay_own_names own;
static json_t *doc;
static struct ay_bytes der;

/* The case of tests/vectors/signed that signs the Date alone. */
static const json_t *signed_case(void)
{
	json_t *c;
	size_t i;

	json_array_foreach (json_object_get(doc, "cases"), i, c)
		if (strcmp(json_string_value(json_object_get(c, "name")),
			   "x509: one signed header") == 0)
			return c;
	fail();
	return NULL;
}

static const char *of_case(const char *member)
{
	return json_string_value(json_object_get(signed_case(), member));
}

static int set_up_clients(void **state)
{
	struct ay_bytes file = t_vector("signed/vectors.json");
	const json_t *h;
	size_t i;

	if (set_up(state) != 0)
		return -1;
	doc = json_loadb((const char *)file.p, file.n, 0, NULL);
	assert_non_null(doc);
	w.now = json_integer_value(json_object_get(doc, "now"));
	own.name[0] = ay_bytes_of("assay.example");
	own.n = 1;
	w.own = &own;
	w.listener = AY_LISTENER_MTWILSON;
	w.more[0] = "host";
	w.more_value[0] = of_case("authority");
	json_array_foreach (json_object_get(signed_case(), "headers"), i, h)
		if (strcmp(json_string_value(json_array_get(h, 0)), "date") == 0) {
			w.more[1] = "date";
			w.more_value[1] = json_string_value(json_array_get(h, 1));
		}
	der = t_hex(json_string_value(json_array_get(
		json_object_get(doc, "certificates"),
		(size_t)json_integer_value(json_object_get(signed_case(), "certificate")))));
	with_authorization = of_case("authorization");
	return 0;
}

static int tear_down_clients(void **state)
{
	with_authorization = NULL;
	json_decref(doc);
	return tear_down(state);
}

static int ask_signed(void)
{
	char target[256];

	snprintf(target, sizeof(target), "%s?%s", of_case("path"), of_case("query"));
	return ask(of_case("method"), target, NULL, of_case("body"));
}

/* The certificate of the case as a client of `admin`, in this state. */
static void client(enum ay_identity_state state)
{
	const struct ay_client *x;
	struct ay_client row;
	struct ay_err e;

	assert_int_equal(ay_client_ask(w.api, der, ay_bytes_of("c"), ay_bytes_of(""), &x, &e),
			 AY_OK);
	row = *x;
	row.state = state;
	row.user = 1;
	assert_int_equal(ay_client_put(w.api, &row, &e), AY_OK);
}

static void nobody_knows_it(void **state)
{
	(void)state;
	assert_int_equal(ask_signed(), 401);
}

static void asked_for(void **state)
{
	(void)state;
	client(AY_IDENTITY_ASKED);
	assert_int_equal(ask_signed(), 401);
}

static void ended(void **state)
{
	(void)state;
	client(AY_IDENTITY_ENDED);
	assert_int_equal(ask_signed(), 401);
}

static void once(void **state)
{
	(void)state;
	client(AY_IDENTITY_ACTIVE);
	assert_int_not_equal(ask_signed(), 401);
	assert_int_equal(ask_signed(), 401);
}

/* The API's own address does not take the scheme. */
static void not_there(void **state)
{
	(void)state;
	client(AY_IDENTITY_ACTIVE);
	w.listener = AY_LISTENER_API;
	assert_int_equal(ask("GET", "/api/v1/hosts", NULL, NULL), 401);
}

static void after_a_restart(void **state)
{
	struct ay_api_out out = {
		on_reply, on_stream, on_chunk, on_end, on_cast, on_backlog, NULL
	};
	struct ay_err e;

	(void)state;
	client(AY_IDENTITY_ACTIVE);
	assert_int_not_equal(ask_signed(), 401);
	ay_engine_attest_forget(NULL, NULL);
	ay_api_free(w.api);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &out, &w.api, &e), AY_OK);
	assert_int_equal(ask_signed(), 401);
}

/* Strangers cannot fill the store. */
static void too_many_ask(void **state)
{
	uint8_t other[4096];
	const struct ay_client *x;
	struct ay_err e;

	(void)state;
	assert_true(der.n < sizeof(other));
	memcpy(other, der.p, der.n);
	for (unsigned i = 0; i < AY_MAX_CLIENTS_ASKED + 1; i++) {
		other[der.n - 1] = (uint8_t)i; /* of the signature, which nobody relies on */
		assert_int_equal(ay_client_ask(w.api, (struct ay_bytes){ other, der.n },
					       ay_bytes_of("x"), ay_bytes_of(""), &x, &e),
				 i < AY_MAX_CLIENTS_ASKED ? AY_OK : AY_E_LIMIT);
	}
	other[der.n - 1] = 0;
	assert_int_equal(ay_client_ask(w.api, (struct ay_bytes){ other, der.n }, ay_bytes_of("x"),
				       ay_bytes_of(""), &x, &e),
			 AY_E_EXISTS);
}

/* Who may change people and no more. */
static void desk_token(char token[AY_API_TOKEN_TEXT])
{
	w.listener = AY_LISTENER_API;
	with_authorization = NULL;
	assert_int_equal(ask("POST", "/api/v1/roles", admin,
			     "{\"name\":\"desk\",\"permissions\":[\"USER_READ\",\"USER_WRITE\"]}"),
			 201);
	assert_int_equal(ask("POST", "/api/v1/users", admin, "{\"name\":\"d\",\"role\":\"desk\"}"),
			 201);
	assert_int_equal(ask("POST", "/api/v1/users/d/tokens", admin, "{}"), 201);
	snprintf(token, AY_API_TOKEN_TEXT, "%.*s", AY_API_TOKEN_TEXT - 1, answer_text("token"));
}

/* Of the one certificate there is; what: what follows its fingerprint. */
static int by_api(const char *token, const char *method, const char *what, const char *body)
{
	char path[200];

	w.listener = AY_LISTENER_API;
	snprintf(path, sizeof(path), "/api/v1/api-clients/%s%s", ay_clients(w.api)->subject, what);
	print_message("%s %s\n", method, path);
	return ask(method, path, token, body);
}

static int by_family(const char *token, const char *more)
{
	char body[200];

	w.listener = AY_LISTENER_MTWILSON;
	snprintf(body, sizeof(body), "{\"Fingerprint\":\"%s\",%s}", ay_clients(w.api)->subject,
		 more);
	print_message("PUT %s\n", body);
	return ask("PUT", "/ManagementService/resources/apiclient", token, body);
}

static void nobody_lets_a_certificate_do_what_he_may_not(void **state)
{
	char desk[AY_API_TOKEN_TEXT];

	(void)state;
	client(AY_IDENTITY_ASKED);
	desk_token(desk);
	assert_int_equal(by_api(desk, "POST", "/approve", "{\"user\":\"admin\"}"), 403);
	assert_int_equal(by_family(desk, "\"Roles\":[\"admin\"]"), 403);
	assert_int_equal(by_family(desk, "\"Roles\":[\"Attestation\"]"), 403);
	w.listener = AY_LISTENER_API;
	assert_int_equal(ask("GET", "/api/v1/roles", admin, NULL), 200);
	assert_non_null(strstr(w.body, "\"desk\""));
	assert_null(strstr(w.body, "Attestation")); /* nor is a role made that gives more */
	assert_int_equal(ay_clients(w.api)->state, AY_IDENTITY_ASKED);
	assert_int_equal(by_api(admin, "POST", "/approve", "{\"user\":\"admin\"}"), 200);
	assert_int_equal(by_api(desk, "DELETE", "", NULL), 403);
	assert_int_equal(by_family(desk, "\"Enabled\":false"), 403);
	assert_int_equal(ay_clients(w.api)->state, AY_IDENTITY_ACTIVE);
	assert_int_equal(by_api(admin, "DELETE", "", NULL), 204);
}

static void nobody_signs_with_rights_he_has_not(void **state)
{
	char desk[AY_API_TOKEN_TEXT], path[200];

	(void)state;
	desk_token(desk);
	assert_int_equal(ask("POST", "/api/v1/users/admin/tokens", admin, "{}"), 201);
	snprintf(path, sizeof(path), "/api/v1/users/admin/tokens/%s/signing-key",
		 answer_text("id"));
	assert_int_equal(ask("POST", path, desk, NULL), 403);
	assert_string_equal(error_of("code"), "RIGHTS_EXCEEDED");
	assert_int_equal(ask("POST", path, admin, NULL), 201);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up_clients, tear_down_clients)
	const struct CMUnitTest tests[] = {
		T(nobody_knows_it),
		T(asked_for),
		T(ended),
		T(once),
		T(not_there),
		T(after_a_restart),
		T(too_many_ask),
		T(nobody_lets_a_certificate_do_what_he_may_not),
		T(nobody_signs_with_rights_he_has_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
