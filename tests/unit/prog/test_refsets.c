/* SPDX-License-Identifier: Apache-2.0 */
/* Reference sets in the real engine: life, import, and what two persons do, over restarts. */
#include "engine_world.h"

#include "core/authz/dsse.h"
#include "prog/assayd/approvals.h"
#include "prog/assayd/refs.h"
#include "prog/assayd/signers.h"

#define DAY_MS 86400000
#define SET(name, version, first)                                                                  \
	"{\"format\":\"assay-reference-1\",\"name\":\"" name "\",\"version\":" version             \
	",\"parts\":{\"platform\":[{\"kind\":\"pcr\",\"pcr\":0,\"values\":{\"sha256\":\"" first    \
	"000000000000000000000000000000000000000000000000000000000000000\"}}]}}"

static struct ay_config *config;
static struct ay_signers signers;

static int set_up(void **state)
{
	struct ay_err e;

	assert_int_equal(world_set_up(state), 0);
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "test",
					 "[approval]\nreference_activate = yes\nexpires = 1h\n"
					 "token_age = 24h\n",
					 &config, &e),
			 AY_OK);
	engine->config = config;
	signers = (struct ay_signers){ .unsigned_too = true };
	engine->signers = &signers;
	return 0;
}

static int tear_down(void **state)
{
	int rc = world_tear_down(state);

	ay_config_free(config);
	ay_signers_fini(&signers);
	return rc;
}

static void restart(void)
{
	close_engine();
	open_engine();
	engine->config = config;
	engine->signers = &signers;
}

/* "" or the code of the refusal */
static const char *import(const char *text, const char *name)
{
	static struct ay_err e;
	json_t *j = json_loads(text, 0, NULL), *out = NULL;
	enum ay_rc rc;

	e = (struct ay_err){ 0 };
	assert_non_null(j);
	rc = ay_engine_reference_import(engine, j, ay_bytes_of(name), "ann", &out, &e);
	assert_int_equal(rc == AY_OK, out != NULL);
	json_decref(out);
	json_decref(j);
	return rc == AY_OK ? "" : e.code[0] != '\0' ? e.code : ay_rc_name(rc);
}

typedef enum ay_rc move_fn(struct ay_engine *g, struct ay_bytes id,
			   const struct ay_reference_change *how, const struct ay_also *also,
			   json_t **out, struct ay_err *e);

static const char *move(move_fn *fn, const char *id, struct ay_reference_change how)
{
	static struct ay_err e;
	json_t *out = NULL;
	enum ay_rc rc;

	e = (struct ay_err){ 0 };
	rc = fn(engine, ay_bytes_of(id), &how, NULL, &out, &e);
	json_decref(out);
	return rc == AY_OK ? "" : e.code[0] != '\0' ? e.code : ay_rc_name(rc);
}

static const char *state_of(const char *id)
{
	const struct ay_set *s = ay_refs_find(engine->refs, ay_bytes_of(id));

	return s == NULL ? "none" : ay_set_state_name(s->set->state);
}

static const struct ay_reference_change plainly, forced = { .force = true },
						 replacing = { .supersede = true };

static void life(void **state)
{
	static move_fn *const put = ay_engine_reference_activate,
			      *const end = ay_engine_reference_supersede,
			      *const ban = ay_engine_reference_revoke;
	const struct {
		move_fn *fn;
		const char *id;
		struct ay_reference_change how;
		const char *code, *states; /* of s@1, s@2, s@3 afterwards, by first letter */
	} rows[] = {
		{ end, "s@1", plainly, "STATE", "ddd" },
		{ put, "s@1", plainly, "", "add" },
		{ put, "s@1", plainly, "", "add" },
		{ put, "s@2", plainly, "", "aad" }, /* side by side */
		{ put, "s@9", plainly, "NOENT", "aad" },
		{ put, "s", replacing, "", "ssa" }, /* a name is its newest version */
		{ put, "s@1", plainly, "STATE", "ssa" },
		{ end, "s@3", plainly, "", "sss" },
		{ ban, "s@2", plainly, "", "srs" },
		{ ban, "s@2", plainly, "", "srs" },
		{ put, "s@2", plainly, "STATE", "srs" },
		{ end, "s@2", forced, "STATE", "srs" },
	};

	(void)state;
	assert_string_equal(import(SET("s", "1", "1"), ""), "");
	assert_string_equal(import(SET("s", "2", "2"), ""), "");
	assert_string_equal(import(SET("s", "3", "3"), ""), "");
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		char now[4] = { state_of("s@1")[0] };

		print_message("life: step %zu\n", i);
		assert_string_equal(move(rows[i].fn, rows[i].id, rows[i].how), rows[i].code);
		now[0] = state_of("s@1")[0];
		now[1] = state_of("s@2")[0];
		now[2] = state_of("s@3")[0];
		assert_string_equal(now, rows[i].states);
	}
	restart();
	assert_string_equal(state_of("s@1"), "superseded");
	assert_string_equal(state_of("s@2"), "revoked");
}

static void an_end_that_was_planned(void **state)
{
	struct ay_reference_change later = { .supersede = true };

	(void)state;
	assert_string_equal(import(SET("s", "1", "1"), ""), "");
	assert_string_equal(import(SET("s", "2", "2"), ""), "");
	assert_string_equal(move(ay_engine_reference_activate, "s@1", plainly), "");
	later.supersede_at = engine->now_ms + DAY_MS;
	assert_string_equal(move(ay_engine_reference_activate, "s@2", later), "");
	assert_string_equal(state_of("s@1"), "active");
	restart();
	ay_refs_tick(engine);
	assert_string_equal(state_of("s@1"), "active");
	engine->now_ms = later.supersede_at;
	ay_refs_tick(engine);
	assert_string_equal(state_of("s@1"), "superseded");
	assert_string_equal(state_of("s@2"), "active");
}

static void what_hosts_rely_on(void **state)
{
	struct agent *a = enrolled_agent("a");
	const struct ay_set *s;

	(void)state;
	engine->config = NULL; /* trust() activates at once */
	trust(a);
	s = ay_refs_find(engine->refs, ay_bytes_of("boot"));
	assert_int_equal(ay_refs_users(engine, s), 1);
	assert_string_equal(move(ay_engine_reference_supersede, "boot", plainly),
			    "REFERENCE_IN_USE");
	assert_string_equal(move(ay_engine_reference_revoke, "boot", plainly), "REFERENCE_IN_USE");
	assert_int_equal(verdict_of(a), AY_TRUSTED);
	/* nobody is there who could be asked anew: the trust ends */
	disconnect(a);
	run_ms(50);
	assert_int_equal(verdict_of(a), AY_TRUSTED);
	assert_string_equal(move(ay_engine_reference_revoke, "boot", forced), "");
	assert_int_equal(verdict_of(a), AY_UNKNOWN);
	s = ay_refs_find(engine->refs, ay_bytes_of("boot"));
	assert_int_equal(ay_refs_users(engine, s), 0);
	restart();
	assert_int_equal(verdict_of(a), AY_UNKNOWN);
	agent_free(a);
}

/* ---- import ---- */

static struct ay_sigkey *new_key(void)
{
	struct ay_privkey *p;
	struct ay_sigkey *k;
	char pem[512];

	assert_int_equal(ay_privkey_generate(&p, NULL), AY_OK);
	assert_int_equal(ay_privkey_pem(p, pem, sizeof(pem), NULL), AY_OK);
	assert_int_equal(ay_sigkey_new_private_pem(ay_bytes_of(pem), &k, NULL), AY_OK);
	ay_privkey_free(p);
	return k;
}

static char *sealed(const char *set, const struct ay_sigkey *k)
{
	json_t *j = ay_dsse_build(AY_DSSE_REFERENCE_SET, ay_bytes_of(set), &k, 1, NULL);
	char *text = json_dumps(j, 0);

	json_decref(j);
	return text;
}

static void imports(void **state)
{
	struct ay_sigkey *known = new_key(), *unknown = new_key();
	char *good = sealed(SET("v", "7", "1"), known), *bad = sealed(SET("w", "1", "1"), unknown);
	char *no_set = sealed("{}", known);

	(void)state;
	signers.key[0] = known;
	signers.n = 1;
	assert_string_equal(import(good, ""), "");
	assert_string_equal(state_of("v@7"), "draft");
	assert_string_equal(import(good, ""), "REFERENCE_EXISTS");
	assert_string_equal(import(SET("v", "7", "2"), ""), "REFERENCE_VERSION");
	assert_string_equal(import(good, "mine"), "");
	assert_string_equal(state_of("mine@1"), "draft");
	assert_string_equal(import(good, "mine"), "");
	assert_string_equal(state_of("mine@2"), "draft");
	assert_string_equal(import(bad, ""), "DSSE_SIGNER");
	assert_string_equal(state_of("w"), "none");
	assert_string_equal(import(no_set, ""), "INPUT");
	assert_string_equal(import(SET("u", "1", "1"), ""), "");
	signers.unsigned_too = false;
	assert_string_equal(import(SET("u", "2", "1"), ""), "REFERENCE_UNSIGNED");
	assert_string_equal(import("{\"payload\":null}", ""), "INPUT");
	engine->signers = NULL; /* nobody is trusted where nothing is configured */
	assert_string_equal(import(good, "x"), "DSSE_SIGNER");
	free(good);
	free(bad);
	free(no_set);
	ay_sigkey_free(unknown);
}

/* ---- two persons ---- */

static char approval[AY_UUID_TEXT];

/* "" or the code */
static const char *ask(const char *object, const char *user, struct ay_reference_change how)
{
	static struct ay_err e;
	json_t *args = ay_reference_change_json(&how), *out = NULL;
	struct ay_approval_request r = { .kind = &ay_approval_reference_activate,
					 .object = ay_bytes_of(object),
					 .args = args,
					 .user = user,
					 .permission = "REFERENCE_WRITE" };
	enum ay_rc rc;

	e = (struct ay_err){ 0 };
	rc = ay_engine_approval_ask(engine, &r, &out, &e);
	if (rc == AY_OK)
		snprintf(approval, sizeof(approval), "%s",
			 json_string_value(json_object_get(out, "id")));
	json_decref(args);
	json_decref(out);
	return rc == AY_OK ? "" : e.code[0] != '\0' ? e.code : ay_rc_name(rc);
}

static const char *approve(const char *user)
{
	static struct ay_err e;
	struct ay_approver by = { user, 0, true };
	json_t *out = NULL;
	enum ay_rc rc;

	e = (struct ay_err){ 0 };
	rc = ay_engine_approval_approve(engine, ay_bytes_of(approval), &by, ay_bytes_of("why"),
					&out, &e);
	json_decref(out);
	return rc == AY_OK ? "" : e.code[0] != '\0' ? e.code : ay_rc_name(rc);
}

static bool approval_is(const char *state)
{
	json_t *out = NULL;
	bool same;

	assert_int_equal(ay_engine_approval(engine, ay_bytes_of(approval), &out, NULL), AY_OK);
	same = strcmp(json_string_value(json_object_get(out, "state")), state) == 0;
	json_decref(out);
	return same;
}

static void done_once(void **state)
{
	(void)state;
	assert_true(ay_engine_two_persons(engine, &ay_approval_reference_activate));
	assert_false(ay_engine_two_persons(engine, &ay_approval_reference_revoke));
	assert_string_equal(import(SET("s", "1", "1"), ""), "");
	assert_string_equal(ask("s@2", "ann", plainly), "NOENT");
	assert_string_equal(ask("s@1", "ann", plainly), "");
	assert_string_equal(ask("s", "bob", plainly), "APPROVAL_PENDING");
	assert_string_equal(state_of("s@1"), "draft");
	assert_string_equal(approve("ann"), "APPROVAL_OWN");
	restart();
	assert_true(approval_is("pending"));
	assert_string_equal(approve("bob"), "");
	assert_string_equal(state_of("s@1"), "active");
	assert_string_equal(approve("bob"), "APPROVAL_DONE");
	restart();
	assert_true(approval_is("approved"));
	assert_string_equal(approve("eve"), "APPROVAL_DONE");
	assert_string_equal(state_of("s@1"), "active");
	assert_string_equal(ask("s@1", "ann", plainly), "STATE");
}

static void only_what_was_asked_for(void **state)
{
	(void)state;
	assert_string_equal(import(SET("s", "1", "1"), ""), "");
	assert_string_equal(import(SET("s", "2", "2"), ""), "");
	assert_string_equal(import(SET("s", "3", "3"), ""), "");
	/* the set itself */
	assert_string_equal(ask("s@1", "ann", plainly), "");
	assert_string_equal(move(ay_engine_reference_revoke, "s@1", plainly), "");
	assert_string_equal(approve("bob"), "APPROVAL_CHANGED");
	assert_true(approval_is("void"));
	assert_string_equal(state_of("s@1"), "revoked");
	/* what it would replace */
	assert_string_equal(ask("s@2", "ann", replacing), "");
	assert_string_equal(move(ay_engine_reference_activate, "s@3", plainly), "");
	assert_string_equal(approve("bob"), "APPROVAL_CHANGED");
	assert_string_equal(state_of("s@3"), "active");
	/* asked for again, as it is now */
	assert_string_equal(ask("s@2", "ann", replacing), "");
	assert_string_equal(approve("bob"), "");
	assert_string_equal(state_of("s@2"), "active");
	assert_string_equal(state_of("s@3"), "superseded");
}

static void it_expires(void **state)
{
	struct ay_approver bob = { "bob", 0, true };
	json_t *out = NULL;
	struct ay_err e;

	(void)state;
	assert_string_equal(import(SET("s", "1", "1"), ""), "");
	assert_string_equal(ask("s", "ann", plainly), "");
	engine->now_ms += 3600000;
	assert_string_equal(approve("bob"), "APPROVAL_EXPIRED");
	ay_approvals_tick(engine);
	assert_true(approval_is("expired"));
	/* and can be asked for anew, and denied */
	assert_string_equal(ask("s", "ann", plainly), "");
	assert_int_equal(ay_engine_approval_deny(engine, ay_bytes_of(approval), &bob,
						 ay_bytes_of("no"), &out, &e),
			 AY_OK);
	json_decref(out);
	assert_string_equal(approve("eve"), "APPROVAL_DONE");
	assert_string_equal(state_of("s"), "draft");
}

/* The end of an approval and what it does are one transaction. */
static void all_or_nothing(void **state)
{
	struct ay_approval_end end = { .state = AY_APPROVAL_DENIED, .decided_by = "eve" };
	struct ay_write w = { .kind = AY_WR_APPROVAL_END, .approval_end = &end };
	struct ay_store_result res;
	struct ay_err e;

	(void)state;
	assert_string_equal(import(SET("s", "1", "1"), ""), "");
	assert_string_equal(ask("s", "ann", plainly), "");
	/* as another node of the server would end it meanwhile */
	assert_int_equal(ay_uuid_parse(ay_bytes_of(approval), "id", &end.id, &e), AY_OK);
	assert_int_equal(ay_store_write(store, &w, 1, &res, &e), AY_OK);
	assert_string_equal(approve("bob"), "APPROVAL_DONE");
	assert_string_equal(state_of("s"), "draft");
	restart();
	assert_string_equal(state_of("s"), "draft");
	assert_true(approval_is("denied"));
}

#define WORLD(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(life),
		WORLD(an_end_that_was_planned),
		WORLD(what_hosts_rely_on),
		WORLD(imports),
		WORLD(done_once),
		WORLD(only_what_was_asked_for),
		WORLD(it_expires),
		WORLD(all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
