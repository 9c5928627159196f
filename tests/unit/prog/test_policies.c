/* SPDX-License-Identifier: Apache-2.0 */
/* Policies in the real engine: versions, life, what the linter refuses, which one is a host's. */
#include "engine_world.h"

#include "prog/assayd/approvals.h"

#define DOC(name, members)                                                                         \
	"{\"format\":\"assay-policy-1\",\"name\":\"" name "\",\"version\":7,"                      \
	"\"required\":[\"identity\",\"platform\",\"os\"]" members "}"

static enum ay_rc set(const char *text, json_t **out, struct ay_err *e)
{
	json_t *doc = json_loads(text, 0, NULL);
	enum ay_rc rc;

	assert_non_null(doc);
	rc = ay_engine_policy_set(engine, doc, "ann", out, e);
	json_decref(doc);
	return rc;
}

static long long version_of(const json_t *p)
{
	return json_integer_value(json_object_get(p, "version"));
}

static void keep(const char *text, long long version)
{
	json_t *p = NULL;
	struct ay_err e = { 0 };

	if (set(text, &p, &e) != AY_OK)
		fail_msg("%s: %s", text, e.text);
	assert_int_equal(version_of(p), version);
	assert_string_equal(json_string_value(json_object_get(p, "state")), "draft");
	assert_string_equal(json_string_value(json_object_get(p, "created_by")), "ann");
	json_decref(p);
}

static enum ay_rc put_in_force(const char *id, struct ay_err *e)
{
	json_t *p = NULL;
	enum ay_rc rc = ay_engine_policy_activate(engine, ay_bytes_of(id), NULL, &p, e);

	json_decref(p);
	return rc;
}

static bool state_is(const char *id, const char *state)
{
	json_t *p = NULL;
	bool same;

	assert_int_equal(ay_engine_policy(engine, ay_bytes_of(id), &p, NULL), AY_OK);
	same = strcmp(json_string_value(json_object_get(p, "state")), state) == 0;
	json_decref(p);
	return same;
}

static void test_life(void **state)
{
	struct ay_err e = { 0 };
	json_t *p = NULL;

	(void)state;
	keep(DOC("web", ""), 1); /* the server numbers, whatever the document says */
	keep(DOC("web", ",\"note\":\"n\""), 2);
	assert_int_equal(put_in_force("web@1", &e), AY_OK);
	assert_true(state_is("web@1", "active"));
	assert_int_equal(put_in_force("web@1", &e), AY_E_EXISTS);
	assert_string_equal(e.code, "STATE");
	assert_int_equal(put_in_force("web", &e), AY_OK); /* the newest version */
	assert_true(state_is("web@1", "superseded"));
	assert_true(state_is("web@2", "active"));
	assert_int_equal(ay_engine_policy_revoke(engine, ay_bytes_of("web@2"), NULL, &p, &e),
			 AY_OK);
	json_decref(p);
	assert_true(state_is("web@2", "revoked"));
	assert_int_equal(put_in_force("web@2", &e), AY_E_EXISTS);
	assert_int_equal(put_in_force("nothing", &e), AY_E_NOENT);
}

/* What was shown may be edited and sent back. */
static void test_shown_is_accepted(void **state)
{
	struct ay_err e = { 0 };
	json_t *p = NULL, *again = NULL;

	(void)state;
	keep(DOC("web", ""), 1);
	assert_int_equal(ay_engine_policy(engine, ay_bytes_of("web"), &p, NULL), AY_OK);
	assert_non_null(json_object_get(p, "id"));
	if (ay_engine_policy_set(engine, p, "ann", &again, &e) != AY_OK)
		fail_msg("%s", e.text);
	assert_int_equal(version_of(again), 2);
	json_decref(p);
	json_decref(again);
}

static void test_linter_refuses(void **state)
{
	static const char *const refused[] = {
		"{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,\"required\":[]}",
		DOC("p", ",\"references\":[\"nowhere\"]"),
		DOC("p", ",\"pcrs_judged\":[16]"),
	};
	struct ay_err e = { 0 };
	json_t *p = NULL;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(refused); i++) {
		assert_int_equal(set(refused[i], &p, &e), AY_E_CRYPTO);
		assert_string_equal(e.code, "POLICY_LINT");
		assert_null(p);
	}
	assert_int_equal(set("[]", &p, &e), AY_E_INPUT);
	assert_int_equal(set("{\"name\":\"p\"}", &p, &e), AY_E_INPUT);
	assert_int_equal(ay_engine_policies(engine, &p, NULL), AY_OK);
	assert_int_equal(json_array_size(p), 0); /* nothing of it was kept */
	json_decref(p);
}

/* ---- which policy is a host's ---- */

static const struct ay_host *add_host(const char *name, const char *policy,
				      const struct ay_label *labels, size_t n)
{
	struct ay_host_spec spec = { .name = ay_bytes_of(name),
				     .policy = ay_bytes_of(policy),
				     .labels = labels,
				     .n_labels = n };
	const struct ay_host *h = NULL;
	struct ay_err e;

	if (ay_engine_host_add(engine, &spec, &h, &e) != AY_OK)
		fail_msg("%s", e.text);
	return h;
}

static void attach(const char *policy, const char *labels)
{
	json_t *l = json_loads(labels, 0, NULL), *one = NULL;
	struct ay_err e;

	if (ay_engine_policy_attach(engine, policy, l, &one, &e) != AY_OK)
		fail_msg("%s", e.text);
	json_decref(one);
	json_decref(l);
}

static void expect(const char *host, const char *name, const char *by, bool in_force)
{
	const struct ay_host *h = ay_engine_host_find(engine, ay_bytes_of(host));
	struct ay_host_policy p;

	ay_engine_host_policy(engine, h, &p);
	if (name == NULL) {
		assert_null(p.name);
	} else {
		assert_string_equal(p.name, name);
		assert_string_equal(p.by, by);
	}
	assert_int_equal(p.version != 0, in_force);
	/* and that is what it is judged by */
	assert_int_equal(h->run->judge != NULL, in_force);
	if (in_force)
		assert_string_equal(h->run->judge->policy->name, name);
}

static char role_key[] = "role", web[] = "web", db[] = "db", site_key[] = "site", x[] = "x";
static struct ay_label role = { role_key, web }, site = { site_key, x };

static void expect_all(void)
{
	expect("plain", "default", "default", true);
	expect("own", "one", "host", true);
	expect("labelled", "two", "labels", true); /* both labels before one */
	expect("role", "one", "labels", true);
	expect("broken", "draft", "host", false); /* nothing in its place */
}

static void test_precedence(void **state)
{
	struct ay_label both[2] = { role, site }, other = { role_key, db };
	struct ay_err e;

	(void)state;
	add_host("plain", "", &other, 1);
	expect("plain", NULL, NULL, false);
	keep(DOC("default", ""), 1);
	keep(DOC("one", ""), 1);
	keep(DOC("two", ""), 1);
	keep(DOC("draft", ""), 1);
	expect("plain", NULL, NULL, false); /* a draft is nobody's */
	assert_int_equal(put_in_force("default", &e), AY_OK);
	assert_int_equal(put_in_force("one", &e), AY_OK);
	assert_int_equal(put_in_force("two", &e), AY_OK);
	attach("two", "{\"role\":\"web\"}");
	attach("one", "{\"role\":\"web\"}"); /* in its place */
	attach("one", "{\"site\":\"x\"}");
	attach("two", "{\"role\":\"web\",\"site\":\"x\"}");
	add_host("own", "one", both, 2);
	add_host("labelled", "", both, 2);
	add_host("role", "", &role, 1);
	add_host("broken", "draft", both, 2);
	expect_all();
	close_engine();
	open_engine(); /* all of it is in the store */
	expect_all();
}

static void test_attachments(void **state)
{
	json_t *labels = json_loads("{\"role\":\"web\"}", 0, NULL), *none = json_object(), *out;
	struct ay_err e = { 0 };

	(void)state;
	assert_int_equal(ay_engine_policy_attach(engine, "one", labels, &out, &e), AY_E_NOENT);
	keep(DOC("one", ""), 1);
	assert_int_equal(ay_engine_policy_attach(engine, "one", none, &out, &e), AY_E_INPUT);
	attach("one", "{\"role\":\"web\"}");
	assert_int_equal(ay_engine_policy_attachments(engine, &out, NULL), AY_OK);
	assert_int_equal(json_array_size(out), 1);
	json_decref(out);
	assert_int_equal(ay_engine_policy_detach(engine, labels, &e), AY_OK);
	assert_int_equal(ay_engine_policy_detach(engine, labels, &e), AY_E_NOENT);
	json_decref(labels);
	json_decref(none);
}

/* What ends by itself ends the judge that was made with it. */
static void test_ends_by_itself(void **state)
{
	char until[AY_TIME_ROOM], text[512];
	const struct ay_host *h;
	const struct ay_judge *was;
	struct ay_err e;

	(void)state;
	keep(DOC("steady", ""), 1);
	ay_time_format(engine->now_ms + 1500, until);
	snprintf(text, sizeof(text),
		 DOC("web", ",\"windows\":[{\"set\":\"a\",\"version\":1,\"owner\":\"o\","
			    "\"reason\":\"r\",\"until\":\"%s\"}]"),
		 until);
	keep(text, 1);
	assert_int_equal(put_in_force("web", &e), AY_OK);
	assert_int_equal(put_in_force("steady", &e), AY_OK);
	h = add_host("a", "web", NULL, 0);
	add_host("b", "steady", NULL, 0);
	was = h->run->judge;
	assert_true(ay_refs_lease_ms(engine, h) <= 1500);
	idle_ms(2600);
	assert_ptr_not_equal(h->run->judge, was);
	assert_int_equal(ay_refs_lease_ms(engine, h), settings.lease_ms);
}

/* Two persons: what is approved is this version in place of that one. */
static void test_approved_object(void **state)
{
	const struct ay_approval_kind *k = &ay_approval_policy_activate;
	struct ay_approval_target first, second;
	json_t *out = NULL;
	struct ay_err e;

	(void)state;
	keep(DOC("web", ""), 1);
	keep(DOC("web", ",\"note\":\"n\""), 2);
	assert_int_equal(k->target(engine, ay_bytes_of("web@2"), NULL, &first, &e), AY_OK);
	assert_string_equal(first.title, "web@2");
	assert_int_equal(put_in_force("web@1", &e), AY_OK);
	assert_int_equal(k->target(engine, ay_bytes_of("web@2"), NULL, &second, &e), AY_OK);
	assert_memory_equal(first.content, second.content, 32);
	assert_memory_not_equal(first.context, second.context, 32);
	assert_int_equal(k->run(engine, ay_bytes_of(second.id), NULL, NULL, &out, &e), AY_OK);
	json_decref(out);
	assert_int_equal(k->target(engine, ay_bytes_of("web@2"), NULL, &second, &e), AY_E_EXISTS);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		T(test_life),
		T(test_shown_is_accepted),
		T(test_linter_refuses),
		T(test_precedence),
		T(test_attachments),
		T(test_ends_by_itself),
		T(test_approved_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
