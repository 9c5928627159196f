/* SPDX-License-Identifier: Apache-2.0 */
/* The API against an engine that is played: what it lets through, and what it says to the rest. */
#include "api_fixture.h"

#include "core/authz/audit.h"

#include <sqlite3.h>

/* ---- tests ---- */

static void test_targets(void **state)
{
	static const struct {
		const char *path, *query;
		enum ay_rc rc;
		const char *where;
		size_t offset;
	} rows[] = {
		{ "/api/v1/hosts", "", AY_OK, NULL, 0 },
		{ "/api/v1/hosts/a%20b", "x=%C3%A4&y", AY_OK, NULL, 0 },
		{ "", "", AY_E_INPUT, "path", 0 },
		{ "api", "", AY_E_INPUT, "path", 0 },
		{ "/a//b", "", AY_E_INPUT, "path", 3 },
		{ "/a/../b", "", AY_E_INPUT, "path", 3 },
		{ "/a/%2e%2e/b", "", AY_E_INPUT, "path", 3 },
		{ "/a/b%2fc", "", AY_E_INPUT, "path", 4 },
		{ "/a/b%00", "", AY_E_INPUT, "path", 4 },
		{ "/a/b%4", "", AY_E_INPUT, "path", 4 },
		{ "/a/b%zz", "", AY_E_INPUT, "path", 4 },
		{ "/a/\xc0\xaf", "", AY_E_INPUT, "path", 3 },
		{ "/a/%ff", "", AY_E_INPUT, "path", 3 },
		{ "/a", "x=1&x=2", AY_E_INPUT, "query", 4 },
		{ "/a", "x=%", AY_E_INPUT, "query", 2 },
		{ "/a", "=1", AY_E_INPUT, "query", 0 },
		{ "/1/2/3/4/5/6/7/8/9/10/11/12/13", "", AY_E_NOENT, "path", 28 },
	};
	struct ay_arena a;
	struct ay_target t;
	struct ay_err e = { 0 };

	(void)state;
	ay_arena_init(&a, 1 << 16);
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("target: %s?%s\n", rows[i].path, rows[i].query);
		assert_int_equal(ay_target_parse(ay_bytes_of(rows[i].path),
						 ay_bytes_of(rows[i].query), &a, &t, &e),
				 rows[i].rc);
		if (rows[i].rc == AY_OK)
			continue;
		assert_string_equal(e.where, rows[i].where);
		assert_int_equal(e.offset, rows[i].offset);
	}
	ay_arena_fini(&a);
}

static void test_bodies(void **state)
{
	static const struct {
		const char *body, *field, *offset;
		int status;
	} rows[] = {
		{ "{\"name\":\"n\"}", NULL, NULL, 201 },
		{ "{\"name\":\"n\",\"labels\":{\"a\":\"b\"}}", NULL, NULL, 201 },
		{ "{}", "name", "0", 400 },
		{ "[]", "body", "0", 400 },
		{ "{\"name\":\"n\",\"x\":1}", "body", "16", 400 },
		{ "{\"name\":1}", "name", "8", 400 },
		{ "{\"name\":\"n\", \"trust_first_use\": \"yes\"}", "trust_first_use", "32", 400 },
		{ "{\"name\":\"0194f0c2-7a3e-7d2a-9b1c-8d0e5f6a7b8c\"}", "name", "8", 400 },
		{ "{\"name\":\"0194F0C2-7A3E-7D2A-9B1C-8D0E5F6A7B8C\"}", "name", "8", 400 },
		{ "{\"name\":\"a\\u0000b\"}", NULL, NULL, 400 },
		{ "{\"name\":\"n\",\"agent_key\":\"12\"}", "agent_key", "24", 400 },
		{ "{\"name\":\"n\",\"labels\":{\"a\":1}}", "labels", "21", 400 },
		{ "{\"name\":\"n\",\"name\":\"m\"}", "body", NULL, 400 },
		{ "{\"name\":\"n\"", "body", NULL, 400 },
		{ "{\"name\":\"n\"} x", "body", NULL, 400 },
		{ "{\"name\":\"taken\"}", "name", NULL, 409 },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("body: %s\n", rows[i].body);
		assert_int_equal(ask("POST", "/api/v1/hosts", admin, rows[i].body), rows[i].status);
		if (rows[i].field != NULL) {
			assert_string_equal(w.type, "application/problem+json");
			assert_string_equal(error_of("field"), rows[i].field);
		}
		if (rows[i].offset != NULL)
			assert_string_equal(error_of("offset"), rows[i].offset);
	}
	assert_int_equal(ask("POST", "/api/v1/hosts", admin, NULL), 415);
	assert_int_equal(ask("GET", "/api/v1/hosts", admin, "{}"), 400);
}

static void test_deep(void **state)
{
	char body[4096] = "{\"name\":";

	(void)state;
	memset(body + strlen(body), '[', 1000);
	assert_int_equal(ask("POST", "/api/v1/hosts", admin, body), 413);
}

static void test_paths(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/api/v1/nothing", admin, NULL), 404);
	assert_int_equal(ask("GET", "/api/v1/hosts/h2", admin, NULL), 404);
	assert_string_equal(error_of("field"), "host");
	assert_int_equal(ask("PATCH", "/api/v1/hosts/h2", admin, "{\"name\":\"x\"}"), 404);
	assert_int_equal(ask("POST", "/api/v1/hosts/h2/acknowledge", admin, "{\"reason\":\"x\"}"),
			 404);
	assert_int_equal(ask("PUT", "/api/v1/hosts", admin, NULL), 405);
	assert_non_null(strstr(w.header, "allow: GET, HEAD, POST, OPTIONS"));
	assert_int_equal(ask("GET", "/api/v1/hosts?limit=0", admin, NULL), 400);
	assert_int_equal(ask("GET", "/api/v1/hosts?limit=1001", admin, NULL), 400);
	assert_int_equal(ask("GET", "/api/v1/hosts?limit=-1", admin, NULL), 400);
	assert_int_equal(ask("GET", "/api/v1/hosts?what=1", admin, NULL), 400);
	assert_string_equal(error_of("field"), "query");
	assert_int_equal(ask("HEAD", "/api/v1/hosts", admin, NULL), 200);
	/* a plain row before one with {..} */
	assert_int_equal(ask("POST", "/api/v1/reference-sets/learn", admin,
			     "{\"host\":\"h1\",\"name\":\"s\"}"),
			 201);
	assert_int_equal(ask("POST", "/api/v1/reference-sets/learn", admin,
			     "{\"host\":\"h1\",\"name\":\"s\",\"parts\":[\"roof\"]}"),
			 400);
	assert_string_equal(error_of("field"), "parts");
}

static void test_pages(void **state)
{
	char next[64], target[128];
	json_t *j;

	(void)state;
	assert_int_equal(ask("GET", "/api/v1/hosts?limit=2", admin, NULL), 200);
	snprintf(next, sizeof(next), "%s", answer_text("next"));
	snprintf(target, sizeof(target), "/api/v1/hosts?limit=2&cursor=%s", next);
	assert_int_equal(ask("GET", target, admin, NULL), 200);
	j = json_loads(w.body, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(j, "items")), 1);
	assert_true(json_is_null(json_object_get(j, "next")));
	json_decref(j);
	assert_int_equal(ask("GET", "/api/v1/hosts?limit=3", admin, NULL), 200);
	assert_non_null(strstr(w.body, "\"next\":null"));
}

/* Every row of the table with every kind of credential; nothing reaches engine without the right
 * one. */
static char viewer[AY_API_TOKEN_TEXT], expired[AY_API_TOKEN_TEXT], revoked[AY_API_TOKEN_TEXT];
static char disabled[AY_API_TOKEN_TEXT];

static void make_token(const char *user, const char *role, int64_t expires,
		       char text[AY_API_TOKEN_TEXT], struct ay_api_key **k)
{
	struct ay_api_account row = { .created_at = w.now }, *u;
	struct ay_err e;

	w.api->now_ms = w.now;
	snprintf(row.name, sizeof(row.name), "%s", user);
	snprintf(row.role, sizeof(row.role), "%s", role);
	assert_int_equal(ay_account_put(w.api, &row, &e), AY_OK);
	u = ay_account_find(w.api, ay_bytes_of(user));
	assert_non_null(u);
	assert_int_equal(ay_key_create(w.api, u, role, ay_bytes_of("t"), expires, text, k, &e),
			 AY_OK);
}

static void make_tokens(void)
{
	struct ay_api_key *k;
	struct ay_err e;

	make_token("view", "viewer", 0, viewer, &k);
	make_token("late", "admin", w.now, expired, &k);
	make_token("gone", "admin", 0, revoked, &k);
	assert_int_equal(ay_key_revoke(w.api, k, &e), AY_OK);
	make_token("off", "admin", 0, disabled, &k);
	ay_account_find(w.api, ay_bytes_of("off"))->disabled = true;
}

static void path_of(const struct ay_route *r, char out[256])
{
	size_t n = 0;

	for (const char *p = r->path; *p != '\0'; p++) {
		if (*p == '{') {
			out[n++] = 'h';
			out[n++] = '1';
			p = strchr(p, '}');
		} else {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
}

static const char *wrong_secret(void)
{
	static char text[AY_API_TOKEN_TEXT];

	strcpy(text, admin);
	text[30] = text[30] == 'A' ? 'B' : 'A';
	return text;
}

static void test_matrix(void **state)
{
	const char *const bad[] = { "", "asy1.", "x", wrong_secret(), expired, revoked, disabled };
	size_t n, done = 0;
	const struct ay_route *r = ay_routes(&n);
	uint64_t may;

	(void)state;
	make_tokens();
	assert_true(ay_role_perms("viewer", &may));
	for (size_t i = 0; i < n; i++) {
		const char *method = ay_http_method_name(r[i].method);
		bool permitted = (may >> r[i].perm) & 1;
		char path[256];

		path_of(&r[i], path);
		if (r[i].perm == AY_PERM_PUBLIC) {
			bool none = strstr(path, "/login/oidc") != NULL; /* there is no provider */

			assert_int_equal(ask(method, path, NULL, NULL),
					 none				  ? 404
					 : r[i].request == AY_SCHEMA_NONE ? 200
									  : 415);
			continue;
		}
		w.calls = 0;
		assert_int_equal(ask(method, path, NULL, NULL), 401);
		assert_non_null(strstr(w.body, "AUTH_REQUIRED")); /* JSON, or a SOAP fault */
		for (size_t k = 0; k < AY_COUNT(bad); k++) {
			w.now += 1000; /* the bucket of failures refills */
			assert_int_equal(ask(method, path, bad[k], NULL), 401);
		}
		assert_int_equal(w.calls, 0);
		ask(method, path, viewer, NULL);
		/* what a token may not do, whatever its role, is no matter of permissions */
		assert_int_equal(permitted,
				 w.status != 403 || strstr(w.body, "TOKEN_BY_TOKEN") != NULL);
		assert_int_not_equal(w.status, 401);
		if (!permitted)
			assert_int_equal(w.calls, 0);
		done++;
	}
	print_message("matrix: %zu rows with 9 credentials\n", done);
}

static void test_rate(void **state)
{
	unsigned refused = 0;

	(void)state;
	for (unsigned i = 0; i < 400; i++)
		refused += ask("GET", "/api/v1/hosts", "asy1.wrong", NULL) == 429;
	assert_in_range(refused, 100, 399);
	assert_non_null(strstr(w.header, "retry-after"));
	assert_int_equal(ask("GET", "/api/v1/hosts", admin, NULL), 200); /* who is right is heard */
	w.now += 60000;
	assert_int_equal(ask("GET", "/api/v1/hosts", "asy1.wrong", NULL), 401);
}

static void test_attest_wait(void **state)
{
	struct ay_err e = { 0 };

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/hosts/h1/attest", admin, NULL), 202);
	assert_non_null(strstr(w.header, "location: /api/v1/hosts/"));
	assert_int_equal(ask("POST", "/api/v1/hosts/h1/attest?wait=5", admin, NULL), 0); /* later */
	w.attest(w.attest_arg, AY_OK, &e, &w.host);
	assert_int_equal(w.status, 200);
	assert_int_equal(w.answers, 1);
	assert_int_equal(ask("POST", "/api/v1/hosts/h1/attest?wait=5", admin, NULL), 0);
	ay_err_set(&e, AY_E_UNAVAIL, "attest", 0, "no answer");
	w.attest(w.attest_arg, AY_E_UNAVAIL, &e, &w.host);
	assert_int_equal(w.status, 202);
	assert_int_equal(ask("POST", "/api/v1/hosts/h1/attest?wait=5", admin, NULL), 0);
	ay_api_gone(w.api, w.api->calls->req);
	assert_int_equal(w.forgotten, 1);
	assert_null(w.api->calls);
	assert_int_equal(w.answers, 0);
	assert_int_equal(ask("POST", "/api/v1/hosts/h1/attest?wait=1000", admin, NULL), 400);
}

static void test_events(void **state)
{
	struct ay_event_row row = { .at = 1, .kind = "host", .body = "{\"a\":1}" };

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			fx_write(&w.fx, (struct ay_write){ .kind = AY_WR_EVENT, .event = &row }),
			AY_OK);
	assert_int_equal(ask("GET", "/api/v1/events?after=1", admin, NULL), 200);
	assert_int_equal(w.streams, 1);
	assert_int_equal(w.chunks, 3); /* the greeting, event 2, and that there are no more */
	assert_string_equal(w.body, "id: 2\n: caught up\n\n");
	w.event(w.event_arg, 2, "host", "{}"); /* seen already */
	assert_int_equal(w.chunks, 3);
	w.event(w.event_arg, 3, "verdict", "{\"a\":1}");
	assert_int_equal(w.chunks, 4);
	assert_string_equal(w.body, "id: 3\nevent: verdict\ndata: {\"a\":1}\n\n");
	ay_api_tick(w.api, w.now + 20000);
	assert_int_equal(w.chunks, 5);
	ay_api_gone(w.api, w.api->calls->req);
	assert_null(w.event);
	assert_null(w.api->calls);
	assert_int_equal(w.api->metrics.streams, 0);
	assert_int_equal(ask("GET", "/api/v1/events", admin, NULL), 200);
	assert_string_equal(w.body,
			    "id: 2\n: from now on\n\n"); /* a reader that is cut resumes there */
	ay_api_gone(w.api, w.api->calls->req);
}

static uint64_t store_event(void)
{
	static char body[4001];
	struct ay_event_row row = { .at = 1, .kind = "host", .body = body };
	uint64_t newest = 0;

	memset(body, 'x', sizeof(body) - 1);
	assert_int_equal(fx_write(&w.fx, (struct ay_write){ .kind = AY_WR_EVENT, .event = &row }),
			 AY_OK);
	assert_int_equal(ay_store_event_newest(w.fx.s, &newest, &w.fx.e), AY_OK);
	w.event(w.event_arg, newest, "host", body);
	return newest;
}

/* Events that came to this reader, in order and each once, from *at on. */
static uint64_t heard[2000][2];

static void on_heard(void *arg, const uint32_t *req, size_t n, struct ay_bytes text)
{
	unsigned long long id = 0;

	(void)arg;
	w.casts++;
	if (strstr((const char *)text.p, "\nevent: host\n") == NULL ||
	    sscanf((const char *)text.p, "id: %llu", &id) != 1)
		return;
	for (size_t i = 0; i < n; i++) {
		if (heard[req[i] % 2000][0] != 0) /* none twice, none left out */
			assert_int_equal(id, heard[req[i] % 2000][0] + 1);
		heard[req[i] % 2000][0] = id;
		heard[req[i] % 2000][1] += text.n;
	}
}

/* What is written once is told to all; who takes nothing has little on its way, and loses nothing.
 */
static void test_events_at_the_readers_pace(void **state)
{
	uint32_t fast, slow, dead;
	uint64_t newest = 0;

	(void)state;
	memset(heard, 0, sizeof(heard));
	w.api->out.cast = on_heard;
	ask("GET", "/api/v1/events", admin, NULL);
	fast = w.asked;
	ask("GET", "/api/v1/events", admin, NULL);
	slow = w.asked;
	ask("GET", "/api/v1/events", admin, NULL);
	dead = w.asked;
	w.casts = 0;
	store_event();
	assert_int_equal(w.casts, 1);
	for (int i = 0; i < 50; i++) {
		newest = store_event();
		ay_api_drained(w.api, fast, 1 << 20);
		ay_api_turn(w.api);
	}
	assert_int_equal(heard[fast % 2000][0], newest);
	assert_in_range(heard[slow % 2000][1], 1, AY_MAX_EVENT_AHEAD + 8192);
	assert_int_equal(heard[dead % 2000][0], heard[slow % 2000][0]);
	ay_api_turn(w.api); /* nothing more fits */
	assert_in_range(heard[slow % 2000][1], 1, AY_MAX_EVENT_AHEAD + 8192);
	for (int i = 0; i < 20; i++) {
		ay_api_drained(w.api, slow, AY_MAX_EVENT_AHEAD / 2);
		ay_api_turn(w.api);
	}
	assert_int_equal(heard[slow % 2000][0], newest);
	assert_in_range(heard[dead % 2000][1], 1, AY_MAX_EVENT_AHEAD + 8192);
	newest = store_event(); /* it is told of what happens now again */
	assert_int_equal(heard[slow % 2000][0], newest);
	ay_api_tick(w.api, w.now);
	assert_int_equal(w.ends, 0);
	ay_api_drained(w.api, fast, 1 << 20);
	ay_api_drained(w.api, slow, 1 << 20);
	ay_api_tick(w.api, w.now + AY_MAX_EVENT_STALL_MS + 1);
	assert_int_equal(w.ends, 1); /* the one that took nothing */
	assert_int_equal(w.api->metrics.streams, 2);
	/* front itself does not keep up: later, from the store */
	w.backlog = 64 << 20;
	newest = store_event();
	assert_int_equal(heard[fast % 2000][0], newest - 1);
	w.backlog = 0;
	ay_api_tick(w.api, w.now);
	assert_int_equal(heard[fast % 2000][0], newest);
	assert_int_equal(heard[slow % 2000][0], newest);
}

static void test_users(void **state)
{
	char token[128], id[32], path[128];

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/users", admin, "{\"name\":\"eve\",\"role\":\"god\"}"),
			 400);
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"eve\",\"role\":\"operator\"}"),
		201);
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"eve\",\"role\":\"operator\"}"),
		409);
	/* a token asks for more than its owner may: it gets what the owner may */
	assert_int_equal(ask("POST", "/api/v1/users/eve/tokens", admin, "{\"role\":\"admin\"}"),
			 201);
	snprintf(token, sizeof(token), "%s", answer_text("token"));
	snprintf(id, sizeof(id), "%s", answer_text("id"));
	assert_int_equal(ask("GET", "/api/v1/users", token, NULL), 403);
	assert_int_equal(ask("GET", "/api/v1/hosts", token, NULL), 200);
	assert_int_equal(ask("PATCH", "/api/v1/users/eve", admin, "{\"role\":\"relying\"}"), 200);
	assert_int_equal(ask("GET", "/api/v1/hosts", token, NULL), 403);
	assert_int_equal(ask("GET", "/api/v1/hosts/h1/assertion", token, NULL), 200);
	assert_string_equal(w.type, "application/samlassertion+xml");
	snprintf(path, sizeof(path), "/api/v1/users/eve/tokens/%s", id);
	assert_int_equal(ask("DELETE", path, admin, NULL), 204);
	assert_int_equal(ask("GET", "/api/v1/hosts/h1/assertion", token, NULL), 401);
	assert_int_equal(ask("PATCH", "/api/v1/users/admin", admin, "{\"disabled\":true}"),
			 409); /* the last one */
	assert_int_equal(ask("PATCH", "/api/v1/users/admin", admin, "{\"role\":\"viewer\"}"), 409);
}

/* Who changed what stands in the audit, chained. */
static void test_audited(void **state)
{
	char target[128];
	json_t *j, *items;

	(void)state;
	assert_int_equal(ask("POST", "/api/v1/hosts", admin, "{\"name\":\"n\"}"), 201);
	assert_int_equal(
		ask("POST", "/api/v1/hosts/h1/acknowledge", admin, "{\"reason\":\"new board\"}"),
		200);
	assert_int_equal(ask("DELETE", "/api/v1/hosts/h1", admin, NULL), 204);
	assert_int_equal(ask("GET", "/api/v1/audit?limit=1", admin, NULL), 200);
	snprintf(target, sizeof(target), "/api/v1/audit?cursor=%s", answer_text("next"));
	assert_int_equal(ask("GET", target, admin, NULL), 200);
	j = json_loads(w.body, JSON_REJECT_DUPLICATES, NULL);
	items = json_object_get(j, "items");
	assert_int_equal(json_array_size(items), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(items, 1), "action")),
			    "HOST_ACKNOWLEDGE");
	assert_string_equal(json_string_value(json_object_get(json_array_get(items, 1), "actor")),
			    "user:admin");
	json_decref(j);
	assert_int_equal(ask("GET", "/api/v1/audit/head", admin, NULL), 200);
	assert_non_null(strstr(w.body, "\"size\":4"));
	assert_int_equal(ask("GET", "/api/v1/audit?format=export", admin, NULL), 200);
	assert_int_equal(ay_store_verify(w.fx.s, &w.fx.e), AY_OK);
}

struct counted {
	unsigned denied, more, begun;
	char last[4096];
};

static void count_audit(void *arg, uint64_t seq, struct ay_bytes record)
{
	struct counted *n = arg;
	struct ay_audit_record r;

	(void)seq;
	assert_int_equal(ay_audit_record_parse(record, &r, NULL), AY_OK);
	n->denied += ay_bytes_eq(r.action, ay_bytes_of("DENIED"));
	n->more += ay_bytes_eq(r.action, ay_bytes_of("DENIED_MORE"));
	n->begun += ay_bytes_eq(r.action, ay_bytes_of("REQUEST"));
	snprintf(n->last, sizeof(n->last), "%.*s %.*s %.*s", (int)r.actor.n,
		 (const char *)r.actor.p, (int)r.object.n, (const char *)r.object.p,
		 (int)r.detail.n, (const char *)r.detail.p);
}

static struct counted counted(void)
{
	struct counted n = { 0 };
	struct ay_event_row event = { .at = 5, .kind = "X", .body = "{}" };

	/* lazy records are there once a later write is */
	assert_int_equal(fx_write(&w.fx, (struct ay_write){ .kind = AY_WR_EVENT, .event = &event }),
			 AY_OK);
	assert_int_equal(ay_store_audits(w.fx.s, 0, 100, count_audit, &n, &w.fx.e), AY_OK);
	return n;
}

/* The refused are recorded: once, then as a count, so that they cannot fill the disk. */
static void test_denied_audited(void **state)
{
	struct counted n;
	char id[64];

	(void)state;
	for (int i = 0; i < 500; i++)
		ask("GET", "/api/v1/hosts", "asy1.x", NULL);
	n = counted();
	assert_int_equal(n.denied, 1);
	assert_int_equal(n.more, 0);
	assert_non_null(strstr(n.last, "anybody GET /api/v1/hosts "));
	assert_non_null(strstr(n.last, "\"code\":\"AUTH_FAILED\""));
	assert_non_null(strstr(n.last, "\"from\":\"192.0.2.9:5555\""));
	w.now += 61000;
	ay_api_tick(w.api, w.now);
	n = counted();
	assert_int_equal(n.denied, 1);
	assert_int_equal(n.more, 1);
	assert_non_null(strstr(n.last, "\"more\":499"));
	/* silence for two minutes ends the count; what comes then is told at once */
	w.now += 130000;
	ay_api_tick(w.api, w.now);
	assert_int_equal(ask("DELETE", "/api/v1/hosts/h1", NULL, NULL), 401);
	n = counted();
	assert_int_equal(n.denied, 2);
	assert_int_equal(n.more, 1);
	snprintf(id, sizeof(id), "\"id\":\"%s\"", answer_text("request_id"));
	assert_non_null(strstr(n.last, id));
	assert_non_null(strstr(w.header, answer_text("request_id")));
}

/* A change that is a transaction of the store stands in it with who asked for it. */
static void test_witnessed(void **state)
{
	struct counted n;

	(void)state;
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"eve\",\"role\":\"viewer\"}"), 201);
	n = counted();
	assert_int_equal(n.begun, 1);
	assert_non_null(strstr(n.last, "user:admin eve "));
	assert_non_null(strstr(n.last, "\"outcome\":\"done\""));
	assert_true(ay_store_witnessed(w.fx.s));
	assert_int_equal(ask("GET", "/api/v1/users", admin, NULL), 200);
	assert_int_equal(counted().begun, 1);
}

/* The audit is lost: no change, and it says why. */
static void test_audit_lost(void **state)
{
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(w.fx.path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "ALTER TABLE audit RENAME TO elsewhere", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(
		ask("POST", "/api/v1/users", admin, "{\"name\":\"eve\",\"role\":\"viewer\"}"), 503);
	assert_string_equal(error_of("code"), "AUDIT_UNAVAILABLE");
	assert_int_equal(
		sqlite3_exec(db, "ALTER TABLE elsewhere RENAME TO audit", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(ask("GET", "/api/v1/users", admin, NULL), 200);
	assert_null(strstr(w.body, "eve"));
}

static void test_reports(void **state)
{
	struct ay_blob *report = ay_blob_new(FX_BYTES("{\"verdict\":\"trusted\",\"findings\":[]}"));
	char path[128];

	(void)state;
	for (uint64_t v = 1; v <= 3; v++) {
		struct ay_attest_row a = fx_attest(1, v, report);

		a.status.report_id[0] = (uint8_t)v;
		assert_int_equal(
			fx_write(&w.fx, (struct ay_write){ .kind = AY_WR_ATTEST, .attest = &a }),
			AY_OK);
	}
	ay_blob_unref(report);
	assert_int_equal(ask("GET", "/api/v1/hosts/h1/reports?limit=2", admin, NULL), 200);
	snprintf(path, sizeof(path), "/api/v1/hosts/h1/reports?limit=2&cursor=%s",
		 answer_text("next"));
	assert_int_equal(ask("GET", path, admin, NULL), 200);
	assert_non_null(strstr(w.body, "\"id\":\"01000000-"));
	assert_non_null(strstr(w.body, "\"next\":null"));
	snprintf(path, sizeof(path),
		 "/api/v1/hosts/h1/reports/02000000-0000-0000-0000-000000000000");
	assert_int_equal(ask("GET", path, admin, NULL), 200);
	assert_string_equal(answer_text("verdict"), "trusted");
	assert_string_equal(answer_text("id"), "02000000-0000-0000-0000-000000000000");
	assert_int_equal(ask("GET", "/api/v1/hosts/h1/reports/09000000-0000-0000-0000-000000000000",
			     admin, NULL),
			 404);
}

/* The document lists exactly the rows of the table. */
static void test_openapi(void **state)
{
	json_t *j, *path, *op;
	const char *name, *method;
	size_t n, listed = 0;

	(void)state;
	(void)ay_routes(&n);
	assert_int_equal(ask("GET", "/api/v1/openapi.json", NULL, NULL), 200);
	j = json_loads(w.body, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	json_object_foreach (json_object_get(j, "paths"), name, path)
		json_object_foreach (path, method, op)
			listed++;
	assert_int_equal(listed, n);
	json_decref(j);
}

#define API_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		API_TEST(test_bodies),
		API_TEST(test_deep),
		API_TEST(test_paths),
		API_TEST(test_pages),
		API_TEST(test_matrix),
		API_TEST(test_rate),
		API_TEST(test_attest_wait),
		API_TEST(test_events),
		API_TEST(test_events_at_the_readers_pace),
		API_TEST(test_users),
		API_TEST(test_audited),
		API_TEST(test_denied_audited),
		API_TEST(test_witnessed),
		API_TEST(test_audit_lost),
		API_TEST(test_reports),
		API_TEST(test_openapi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
