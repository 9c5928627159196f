/* SPDX-License-Identifier: Apache-2.0 */
/* What every route has in common: entity tags, idempotency keys, cursors. */
#include "api_fixture.h"

/* Ask with one more header. */
static int ask_with(const char *method, const char *target, const char *body, const char *name,
		    const char *value)
{
	int status;

	w.more[0] = name;
	w.more_value[0] = value;
	status = ask(method, target, admin, body);
	w.more[0] = NULL;
	return status;
}

/* The value of a header of the last answer; "" when it has none. */
static const char *header_of(const char *name)
{
	static char value[160];
	const char *at = strstr(w.header, name);

	snprintf(value, sizeof(value), "%.*s", at == NULL ? 0 : (int)strcspn(at, "\n"),
		 at == NULL ? "" : at);
	return at == NULL ? "" : value + strlen(name) + 2;
}

static void test_not_modified(void **state)
{
	char tag[64], list[160];

	(void)state;
	assert_int_equal(ask("GET", "/api/v1/hosts/h1", admin, NULL), 200);
	snprintf(tag, sizeof(tag), "%s", header_of("etag"));
	assert_int_equal(strlen(tag), 35);
	assert_int_equal(ask_with("GET", "/api/v1/hosts/h1", NULL, "if-none-match", tag), 304);
	assert_string_equal(w.body, "");
	assert_string_equal(header_of("etag"), tag);
	snprintf(list, sizeof(list), "\"x\", W/%s", tag);
	assert_int_equal(ask_with("GET", "/api/v1/hosts/h1", NULL, "if-none-match", list), 304);
	assert_int_equal(ask_with("GET", "/api/v1/hosts/h1", NULL, "if-none-match", "*"), 304);
	assert_int_equal(ask_with("GET", "/api/v1/hosts/h1", NULL, "if-none-match", "\"x\""), 200);
	w.host.version++; /* moves by itself, and is seen */
	assert_int_equal(ask_with("GET", "/api/v1/hosts/h1", NULL, "if-none-match", tag), 200);
	assert_int_equal(ask("GET", "/api/v1/hosts", admin, NULL), 200);
	assert_string_equal(header_of("etag"), "");
}

static void test_if_match(void **state)
{
	char tag[64], now[64], list[160];
	static char policy[] = "other";

	(void)state;
	assert_int_equal(ask("GET", "/api/v1/hosts/h1", admin, NULL), 200);
	snprintf(tag, sizeof(tag), "%s", header_of("etag"));
	assert_int_equal(ask_with("PATCH", "/api/v1/hosts/h1", "{}", "if-match", tag), 200);
	assert_string_equal(header_of("etag"), tag);
	w.host.version++; /* attested meanwhile: no matter to who changes its name */
	assert_int_equal(ask_with("PATCH", "/api/v1/hosts/h1", "{}", "if-match", tag), 200);
	/* but to who ends a failure: it may be another one */
	assert_int_equal(ask_with("POST", "/api/v1/hosts/h1/acknowledge", "{\"reason\":\"r\"}",
				  "if-match", tag),
			 412);
	assert_string_equal(error_of("code"), "IF_MATCH");
	assert_int_equal(ask("GET", "/api/v1/hosts/h1", admin, NULL), 200);
	snprintf(now, sizeof(now), "%s", header_of("etag"));
	assert_int_equal(ask_with("POST", "/api/v1/hosts/h1/acknowledge", "{\"reason\":\"r\"}",
				  "if-match", now),
			 200);
	w.host.policy = policy; /* somebody else changed it */
	w.calls = 0;
	assert_int_equal(ask_with("PATCH", "/api/v1/hosts/h1", "{}", "if-match", tag), 412);
	assert_int_equal(ask_with("DELETE", "/api/v1/hosts/h1", NULL, "if-match", tag), 412);
	assert_int_equal(w.calls, 2); /* looked at, not removed */
	snprintf(list, sizeof(list), "%s, \"y\"", tag);
	assert_int_equal(ask_with("DELETE", "/api/v1/hosts/h1", NULL, "if-match", list), 412);
	assert_int_equal(ask_with("DELETE", "/api/v1/hosts/h1", NULL, "if-match", "\"\""), 412);
	assert_int_equal(ask_with("DELETE", "/api/v1/hosts/h2", NULL, "if-match", tag), 404);
	w.host.policy = NULL;
	snprintf(list, sizeof(list), "W/%s", tag);
	assert_int_equal(ask_with("DELETE", "/api/v1/hosts/h1", NULL, "if-match", list), 412);
	snprintf(list, sizeof(list), "\"y\" ,%s", tag);
	assert_int_equal(ask_with("DELETE", "/api/v1/hosts/h1", NULL, "if-match", list), 204);
	assert_int_equal(ask_with("DELETE", "/api/v1/hosts/h1", NULL, "if-match", "*"), 204);
	/* what has no tag cannot be matched */
	assert_int_equal(ask_with("POST", "/api/v1/hosts", "{\"name\":\"n\"}", "if-match", "*"),
			 412);
}

/* Who may change a host and not read it learns nothing of it by guessing tags. */
static void test_if_match_reads(void **state)
{
	char tag[64], text[AY_API_TOKEN_TEXT];

	(void)state;
	assert_int_equal(ask("GET", "/api/v1/hosts/h1", admin, NULL), 200);
	snprintf(tag, sizeof(tag), "%s", header_of("etag"));
	assert_int_equal(ask("POST", "/api/v1/roles", admin,
			     "{\"name\":\"blind\",\"permissions\":[\"HOST_WRITE\"]}"),
			 201);
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"mole\",\"role\":\"blind\"}"), 201);
	assert_int_equal(ask("POST", "/api/v1/users/mole/tokens", admin, "{}"), 201);
	snprintf(text, sizeof(text), "%s", answer_text("token"));
	w.more[0] = "if-match";
	for (unsigned i = 0; i < 2; i++) { /* the right one and a wrong one: no difference */
		w.more_value[0] = i == 0 ? tag : "\"x\"";
		assert_int_equal(ask("PATCH", "/api/v1/hosts/h1", text, "{}"), 403);
		assert_string_equal(error_of("code"), "NOT_PERMITTED");
	}
	w.more[0] = NULL;
	assert_int_equal(ask("PATCH", "/api/v1/hosts/h1", text, "{}"), 200);
}

static const char host_n[] = "{\"name\":\"n\"}";

static void test_idempotent(void **state)
{
	char first[4096];

	(void)state;
	assert_int_equal(ask_with("POST", "/api/v1/hosts", host_n, "idempotency-key", "k1"), 201);
	memcpy(first, w.body, sizeof(first) - 1);
	first[sizeof(first) - 1] = '\0';
	assert_string_equal(header_of("idempotency-replayed"), "");
	w.calls = 0;
	assert_int_equal(ask_with("POST", "/api/v1/hosts", host_n, "idempotency-key", "k1"), 201);
	assert_int_equal(w.calls, 0);
	assert_string_equal(w.body, first);
	assert_string_equal(header_of("idempotency-replayed"), "true");
	assert_int_equal(
		ask_with("POST", "/api/v1/hosts", "{\"name\":\"m\"}", "idempotency-key", "k1"),
		422);
	assert_string_equal(error_of("code"), "IDEMPOTENCY_REUSED");
	assert_int_equal(
		ask_with("POST", "/api/v1/policies/p/activate", NULL, "idempotency-key", "k1"),
		422);
	assert_int_equal(w.calls, 0);
	assert_int_equal(ask_with("POST", "/api/v1/hosts", host_n, "idempotency-key", ""), 400);
	assert_int_equal(ask_with("POST", "/api/v1/hosts", host_n, "idempotency-key", "a b"), 400);
	/* the next day it is another request */
	w.now += AY_IDEM_MS + 1;
	assert_int_equal(ask_with("POST", "/api/v1/hosts", host_n, "idempotency-key", "k1"), 201);
	assert_string_equal(header_of("idempotency-replayed"), "");
}

/* A refusal keeps nothing: the corrected request may have the same key. */
static void test_idempotent_refused(void **state)
{
	(void)state;
	assert_int_equal(
		ask_with("POST", "/api/v1/hosts", "{\"name\":\"taken\"}", "idempotency-key", "k2"),
		409);
	assert_string_equal(error_of("code"), "NAME_TAKEN");
	assert_int_equal(ask_with("POST", "/api/v1/hosts", host_n, "idempotency-key", "k2"), 201);
}

/* What is told once is not in the store, and is not told twice. */
static void test_idempotent_secret(void **state)
{
	const char *path = "/api/v1/tokens";

	(void)state;
	assert_int_equal(ask_with("POST", path, "{}", "idempotency-key", "k3"), 201);
	assert_string_equal(answer_text("token"), "assay1.x");
	assert_int_equal(ask_with("POST", path, "{}", "idempotency-key", "k3"), 409);
	assert_string_equal(error_of("code"), "IDEMPOTENCY_SECRET");
	assert_null(strstr(w.body, "assay1.x"));
	assert_non_null(strstr(w.body, "aaaaaaaa")); /* its id, to end it by */
}

/* Another server's life: what was begun and not ended is not done again. */
static void test_idempotent_cut(void **state)
{
	struct ay_api_out out = { on_reply, on_stream, on_chunk, on_end, on_cast, on_backlog, NULL };
	struct ay_err e;

	(void)state;
	w.attest = NULL;
	assert_int_equal(
		ask_with("POST", "/api/v1/hosts/h1/attest?wait=5", NULL, "idempotency-key", "k4"),
		0); /* waits */
	assert_int_equal(
		ask_with("POST", "/api/v1/hosts/h1/attest?wait=5", NULL, "idempotency-key", "k4"),
		409);
	assert_string_equal(error_of("code"), "IDEMPOTENCY_BUSY");
	ay_api_free(w.api);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &out, &w.api, &e), AY_OK);
	/* it ended with a refusal (the server stops): the key is free */
	assert_int_equal(ask_with("POST", "/api/v1/hosts", host_n, "idempotency-key", "k4"), 201);
}

/* ---- lists of hosts ---- */

/* Names of a list of hosts, with blanks between. */
static const char *names_of(const char *target)
{
	static char names[256];
	json_t *j, *v;
	size_t i, at = 0;

	names[0] = '\0';
	if (ask("GET", target, admin, NULL) != 200)
		return "refused";
	j = json_loads(w.body, 0, NULL);
	json_array_foreach (json_object_get(j, "items"), i, v)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", i > 0 ? " " : "",
				       json_string_value(json_object_get(v, "name")));
	json_decref(j);
	return names;
}

static void test_filters(void **state)
{
	static char key[] = "pool", value[] = "gold", policy[] = "strict";
	static struct ay_label label = { key, value };
	static const struct {
		const char *query, *names;
	} rows[] = {
		{ "verdict=trusted", "h1 h2 h3" },
		{ "verdict=untrusted,trusted", "h1 h2 h3" },
		{ "verdict=untrusted", "" },
		{ "state=enrolled", "h1 h2 h3" },
		{ "state=registered", "" },
		{ "name=2", "h2" },
		{ "prefix=h2", "h2" },
		{ "prefix=h", "h1 h2 h3" },
		{ "prefix=i", "" },
		{ "label=pool%3Dgold", "h1 h2 h3" },
		{ "label=pool", "h1 h2 h3" },
		{ "label=pool%3Dsilver", "" },
		{ "label=pool%3Dgold,site", "" },
		{ "policy=strict", "h1 h2 h3" },
		{ "policy=-", "" },
		{ "reference=ref", "h1 h2 h3" },
		{ "reference=ref%402", "h1 h2 h3" },
		{ "reference=ref%401", "" },
		{ "cause=initrd,kernel", "h1 h2 h3" },
		{ "cause=initrd", "" },
		{ "lease_s=60", "h1 h2 h3" },
		{ "lease_s=59", "" },
		{ "age_s=10", "h1 h2 h3" },
		{ "age_s=11", "" },
		{ "age_s=x", "refused" },
		{ "connected=true", "" },
		{ "connected=maybe", "refused" },
		{ "facets=roof", "refused" },
		{ "colour=red", "refused" },
	};
	char target[128];

	(void)state;
	w.host.lease.verdict = AY_TRUSTED;
	w.host.lease.until_ms = w.now + 60000;
	w.host.attested_ms = w.now - 10000;
	w.host.state = AY_HOST_ENROLLED;
	w.host.labels = &label;
	w.host.n_labels = 1;
	w.host.policy = policy;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("filter: %s\n", rows[i].query);
		snprintf(target, sizeof(target), "/api/v1/hosts?%s", rows[i].query);
		assert_string_equal(names_of(target), rows[i].names);
	}
	assert_string_equal(
		names_of("/api/v1/hosts?limit=1&prefix=h&facets=verdict,label.pool,cause"), "h1");
	assert_non_null(strstr(w.body, "\"facets\":{\"verdict\":{\"trusted\":3},\"label.pool\":"
				       "{\"gold\":3},\"cause\":{\"kernel\":3}},\"total\":3"));
}

/* Hosts that come and go between two pages move no other. */
static void test_cursor_holds(void **state)
{
	char target[128];

	(void)state;
	w.n_hosts = 5;
	assert_string_equal(names_of("/api/v1/hosts?limit=2"), "h1 h2");
	snprintf(target, sizeof(target), "/api/v1/hosts?limit=2&cursor=%s", answer_text("next"));
	w.n_hosts = 4;
	assert_string_equal(names_of(target), "h3 h4");
	assert_non_null(strstr(w.body, "\"next\":null"));
	w.n_hosts = 1; /* the one it names is gone, too */
	assert_string_equal(names_of(target), "");
	/* good for this list with these filters, and no other */
	snprintf(target, sizeof(target), "/api/v1/hosts?name=h&cursor=%s", answer_text("next"));
	assert_string_equal(names_of(target), "refused");
	assert_string_equal(error_of("code"), "CURSOR");
}

/* ---- many hosts ---- */

static void test_bulk(void **state)
{
	static const char *const paths[] = { "attest", "acknowledge", "change", "remove" };
	char path[64];

	(void)state;
	assert_int_equal(
		ask("POST", "/api/v1/hosts/bulk/remove", admin, "{\"hosts\":[\"h1\",\"h9\"]}"),
		200);
	assert_non_null(strstr(w.body, "\"host\":\"h1\""));
	assert_non_null(strstr(w.body, "\"status\":200"));
	assert_non_null(strstr(w.body, "\"status\":404,\"code\":\"NOENT\""));
	assert_int_equal(ask("POST", "/api/v1/hosts/bulk/change", admin,
			     "{\"filter\":{\"prefix\":\"h\"},\"labels\":{\"a\":\"b\",\"c\":null}}"),
			 200);
	assert_non_null(strstr(w.body, "\"host\":\"h3\""));
	assert_int_equal(ask("POST", "/api/v1/hosts/bulk/change", admin,
			     "{\"filter\":{\"colour\":\"red\"}}"),
			 400);
	assert_int_equal(ask("POST", "/api/v1/hosts/bulk/change", admin,
			     "{\"filter\":{},\"labels\":{\"a\":1}}"),
			 400);
	for (size_t i = 0; i < AY_COUNT(paths); i++) {
		snprintf(path, sizeof(path), "/api/v1/hosts/bulk/%s", paths[i]);
		assert_int_equal(ask("POST", path, admin, "{\"reason\":\"r\"}"), 400);
	}
}

#define API_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_not_modified),	   API_TEST(test_if_match),
		API_TEST(test_if_match_reads),	   API_TEST(test_idempotent),
		API_TEST(test_idempotent_refused), API_TEST(test_idempotent_secret),
		API_TEST(test_idempotent_cut),	   API_TEST(test_filters),
		API_TEST(test_cursor_holds),	   API_TEST(test_bulk),
	};

	return cmocka_run_group_tests_name("api_rest", tests, NULL, NULL);
}
