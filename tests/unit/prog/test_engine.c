/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's promises (design 3 to 6), with a played front and agents in software. */
#include "unit/prog/engine_world.h"

static void enrolled_and_trusted_by_what_was_learned(void **state)
{
	struct agent *a = agent_new("happy");

	(void)state;
	enrol(a, new_token(NULL, 1));
	assert_string_equal(host_of(a)->name, "happy");
	assert_string_equal(host_of(a)->identity.grade, "ek_certified");
	assert_int_equal(attest(a), AY_UNKNOWN); /* no policy: nothing is trusted */
	trust(a);
	assert_int_equal(verdict_of(a), AY_TRUSTED);
	assert_true(host_of(a)->lease.until_ms > ay_engine_now_ms(engine));
	agent_free(a);
}

static void a_replayed_quote_is_not_an_answer(void **state)
{
	struct agent *a = enrolled_agent("replay");
	struct asked q;

	(void)state;
	trust(a);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, &(struct lie){ .old_quote = true });
	assert_int_equal(result(a), AY_UNTRUSTED);
	assert_true(reports(a, "QUOTE_NONCE"));
	assert_int_equal(attest(a), AY_TRUSTED); /* ended by a complete pass */
	agent_free(a);
}

static void a_host_cannot_answer_for_another(void **state)
{
	struct agent *a = enrolled_agent("cross-a"), *b = enrolled_agent("cross-b");
	struct asked q;

	(void)state;
	trust(a);
	trust(b);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	/* a's challenge answered by b's TPM, sent over b's connection: nobody asked b */
	answer(b, &q, &(struct lie){ .exporter = a->exporter, .host = &a->id });
	run_ms(200);
	assert_int_equal(verdict_of(b), AY_TRUSTED);
	assert_int_equal(verdict_of(a), AY_TRUSTED);
	/* and over a's own connection it is b's AK that signed */
	answer(a, &q, &(struct lie){ .signed_by = &b->ak });
	assert_int_equal(result(a), AY_UNTRUSTED);
	assert_true(reports(a, "QUOTE_SIGNATURE"));
	assert_int_equal(verdict_of(b), AY_TRUSTED);
	agent_free(a);
	agent_free(b);
}

static void a_quote_is_bound_to_connection_and_host(void **state)
{
	struct agent *a = enrolled_agent("bound");
	static const uint8_t other[32] = { 1 };
	struct ay_uuid id = { { 1 } };
	struct asked q;

	(void)state;
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, &(struct lie){ .exporter = other });
	assert_int_equal(result(a), AY_UNTRUSTED);
	assert_true(reports(a, "QUOTE_NONCE"));
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, &(struct lie){ .host = &id });
	assert_int_equal(result(a), AY_UNTRUSTED);
	assert_true(reports(a, "QUOTE_NONCE"));
	agent_free(a);
}

static void garbage_from_a_bound_host_is_an_answer(void **state)
{
	struct agent *a = enrolled_agent("garbage");
	static const uint8_t junk[] = { 0xff, 0xff, 1, 2, 3 };
	struct asked q;

	(void)state;
	trust(a);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	say(a, AY_FRAME_EVIDENCE, q.req, AY_BYTES(junk));
	assert_int_equal(result(a), AY_UNTRUSTED);
	assert_true(reports(a, "EVIDENCE_MALFORMED"));
	agent_free(a);
}

static void an_answer_serves_once(void **state)
{
	struct agent *a = enrolled_agent("twice");
	struct asked q;
	uint64_t stale = engine->count.stale;

	(void)state;
	trust(a);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, NULL);
	answer(a, &q, &(struct lie){ .signed_by = &a->ek });
	assert_int_equal(result(a), AY_TRUSTED);
	run_ms(100);
	assert_int_equal(engine->count.stale, stale + 1);
	assert_int_equal(verdict_of(a), AY_TRUSTED);
	agent_free(a);
}

static void late_answers_count_as_silence(void **state)
{
	struct agent *a;
	struct asked q;
	int64_t deadline = engine->set.deadline_ms, interval = engine->set.interval_ms;

	(void)state;
	a = enrolled_agent("late");
	trust(a);
	engine->set.deadline_ms = 60;
	engine->set.interval_ms = 100;
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	for (int i = 0; i < 40 && host_of(a)->missed == 0; i++)
		run_ms(20);
	answer(a, &q, NULL); /* too late: it changes nothing */
	run_ms(20);
	assert_int_equal(verdict_of(a), AY_TRUSTED); /* one may be missed */
	for (int i = 0; i < 100 && host_of(a)->missed < 2; i++)
		run_ms(20);
	assert_int_equal(verdict_of(a), AY_UNKNOWN);
	engine->set.deadline_ms = deadline;
	engine->set.interval_ms = interval;
	assert_true(challenged(a, &q, 5000));
	while (challenged(a, &q, 300))
		;
	ask_now(a);
	agent_free(a);
}

static void counters_that_go_back_need_an_operator(void **state)
{
	struct agent *a = enrolled_agent("counters");
	struct asked q;

	(void)state;
	trust(a);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, &(struct lie){ .clock_back_ms = 500000 });
	assert_int_equal(result(a), AY_UNTRUSTED);
	assert_true(reports(a, "COUNTER_BACK"));
	assert_int_equal(attest(a), AY_UNTRUSTED); /* a good quote does not end it */
	assert_true(reports(a, "COUNTER_BACK"));
	assert_int_equal(ay_engine_host_acknowledge(engine, host_of(a), "test", "board test", NULL),
			 AY_OK);
	assert_int_equal(verdict_of(a), AY_UNKNOWN);
	assert_int_equal(attest(a), AY_TRUSTED);
	agent_free(a);
}

static void a_token_of_a_pool_ends_no_standing_failure(void **state)
{
	struct agent *a = agent_new("kept");
	char pool[AY_MAX_TOKEN_BYTES];
	struct asked q;

	(void)state;
	snprintf(pool, sizeof(pool), "%s", new_token(NULL, 3));
	enrol(a, pool);
	assert_true(attest(a) >= 0);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, &(struct lie){ .clock_back_ms = 500000 });
	assert_int_equal(result(a), AY_UNTRUSTED);
	disconnect(a);
	agent_new_ak(a);
	enrol(a, pool); /* the machine has kept what it was enrolled with */
	assert_int_equal(attest(a), AY_UNTRUSTED);
	assert_true(reports(a, "COUNTER_BACK"));
	disconnect(a);
	enrol(a, new_token("kept", 1)); /* by an operator, but the AK is the one of before */
	assert_true(host_of(a)->sticky);
	disconnect(a);
	agent_new_ak(a);
	enrol(a, new_token("kept", 1));
	assert_false(host_of(a)->sticky);
	agent_free(a);
}

static void two_machines_with_one_identity(void **state)
{
	struct agent *a = enrolled_agent("clone"), b;
	struct asked q, qa, qb;

	(void)state;
	trust(a);
	b = *a; /* the vTPM was copied, keys and all */
	connect_as(&b, 0);
	hello(&b, true);
	assert_true(challenged(a, &qa, 5000));
	assert_true(challenged(&b, &qb, 5000));
	answer(a, &qa, NULL);
	(void)result(a);
	answer(&b, &qb, NULL);
	assert_string_equal(failed(&b), "HOST_DUPLICATE");
	for (int i = 0; i < 50 && verdict_of(a) != AY_UNTRUSTED; i++)
		run_ms(20);
	assert_int_equal(verdict_of(a), AY_UNTRUSTED);
	assert_true(reports(a, "HOST_DUPLICATE"));
	a->clock_ms = b.clock_ms;
	assert_int_equal(attest(a), AY_UNTRUSTED); /* until an operator acts */
	disconnect(&b);
	assert_int_equal(
		ay_engine_host_acknowledge(engine, host_of(a), "test", "clone is gone", NULL),
		AY_OK);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, NULL);
	assert_int_equal(result(a), AY_TRUSTED);
	agent_free(a);
}

static void a_reconnect_is_no_duplicate(void **state)
{
	struct agent *a = enrolled_agent("reconnect"), old;
	struct asked q;
	int64_t deadline = engine->set.deadline_ms;

	(void)state;
	trust(a);
	old = *a;
	engine->set.deadline_ms = 300;
	connect_as(a, 0);
	hello(a, true);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, NULL);
	assert_int_equal(result(a), AY_TRUSTED);
	assert_true(closed(old.conn)); /* it was silent */
	engine->set.deadline_ms = deadline;
	assert_false(host_of(a)->sticky);
	assert_int_equal(attest(a), AY_TRUSTED);
	agent_free(a);
}

/* ---- enrolment ---- */

static void proofs_that_are_false_bind_nothing(void **state)
{
	struct agent *other = enrolled_agent("other"), *a;
	static const uint8_t elsewhere[32] = { 7 };
	const struct {
		const char *name;
		struct false_proof f;
		const char *code;
	} cases[] = {
		{ "another host's certificate over my connection",
		  { .cert_of = other },
		  "AIK_CERT" },
		{ "signed by another AK", { .signed_by = &other->ak }, "QUOTE_SIGNATURE" },
		{ "made on another connection", { .exporter = elsewhere }, "QUOTE_NONCE" },
	};
	size_t hosts = ay_engine_host_count(engine);

	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct provision p;

		print_message("proof: %s\n", cases[i].name);
		a = agent_new("false");
		connect_as(a, 0);
		hello(a, false);
		prove_token(a, new_token(NULL, 1));
		assert_true(provisioned(a, &p));
		assert_true(certify(a, &p));
		send_proof(a, &p, &cases[i].f);
		assert_string_equal(failed(a), cases[i].code);
		assert_int_equal(ay_engine_host_count(engine), hosts);
		assert_null(ay_hosts_by_key(engine, a->spki));
		free(p.msg);
		agent_free(a);
	}
	agent_free(other);
}

/* The certificate was issued, but the key of the proof is not quite the certified one. */
static void the_certified_key_and_no_other(void **state)
{
	for (int renamed = 0; renamed < 2; renamed++) {
		struct agent *a = agent_new("otherkey");
		struct provision p;
		struct ay_name ek;

		(void)state;
		connect_as(a, 0);
		hello(a, false);
		prove_token(a, new_token(NULL, 1));
		assert_true(provisioned(a, &p));
		assert_true(certify(a, &p));
		if (renamed) { /* the same numbers with other attributes: another Name */
			a->ak.pub.attributes |= AY_OA_NO_DA;
			t_tpmkey_rewrite(&a->ak);
			assert_true(ay_public_name(&a->ek.pub, &ek));
		} else {
			agent_new_ak(a);
		}
		send_proof(a, &p, NULL);
		assert_string_equal(failed(a), renamed ? "AK_NAME" : "QUOTE_WRONG_AK");
		free(p.msg);
		agent_free(a);
	}
}

static void one_token_for_two(void **state)
{
	struct agent *a = agent_new("race-a"), *b = agent_new("race-b");
	struct provision pa, pb;
	char token[AY_MAX_TOKEN_BYTES];
	bool a_in, b_in;
	struct sent *s;

	(void)state;
	snprintf(token, sizeof(token), "%s", new_token(NULL, 1));
	connect_as(a, 0);
	connect_as(b, 0);
	hello(a, false);
	hello(b, false);
	prove_token(a, token);
	prove_token(b, token);
	assert_true(provisioned(a, &pa) && provisioned(b, &pb));
	assert_true(certify(a, &pa) && certify(b, &pb));
	send_proof(a, &pa, NULL);
	send_proof(b, &pb, NULL);
	run_ms(300);
	s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_ENROLLED, 1000);
	a_in = s != NULL;
	free(s);
	s = wait_for(b->conn, AY_MSG_FRAME, AY_FRAME_ENROLLED, 300);
	b_in = s != NULL;
	free(s);
	assert_true(a_in != b_in);
	assert_string_equal(failed(a_in ? b : a), "TOKEN_SPENT");
	free(pa.msg);
	free(pb.msg);
	agent_free(a);
	agent_free(b);
}

static void a_token_must_be_held(void **state)
{
	struct agent *a = agent_new("thief");
	struct ay_token t;
	char text[AY_MAX_TOKEN_BYTES];
	const char *real = new_token(NULL, 1);

	(void)state;
	assert_int_equal(ay_token_parse(ay_bytes_of(real), &t, NULL), AY_OK);
	t.secret[0] ^= 1; /* the id was seen, the secret was not */
	assert_int_equal(ay_token_build(&t, text, NULL), AY_OK);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, text);
	assert_string_equal(failed(a), "TOKEN");
	connect_as(a, 0);
	hello(a, false);
	t.id[0] = t.id[0] == 'a' ? 'b' : 'a';
	assert_int_equal(ay_token_build(&t, text, NULL), AY_OK);
	prove_token(a, text);
	assert_string_equal(failed(a), "TOKEN_UNKNOWN");
	agent_free(a);
}

static void tokens_end(void **state)
{
	struct agent *a = agent_new("ended");
	char token[AY_MAX_TOKEN_BYTES];
	int64_t life = engine->set.token_life_ms;
	struct ay_token t;

	(void)state;
	engine->set.token_life_ms = 1;
	snprintf(token, sizeof(token), "%s", new_token(NULL, 1));
	engine->set.token_life_ms = life;
	run_ms(20);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, token);
	assert_string_equal(failed(a), "TOKEN_EXPIRED");
	snprintf(token, sizeof(token), "%s", new_token(NULL, 1));
	assert_int_equal(ay_token_parse(ay_bytes_of(token), &t, NULL), AY_OK);
	assert_int_equal(ay_engine_token_revoke(engine, ay_bytes_of(t.id), NULL), AY_OK);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, token);
	assert_string_equal(failed(a), "TOKEN_REVOKED");
	snprintf(token, sizeof(token), "%s", new_token(NULL, 1));
	enrol(a, token);
	connect_as(a, 0);
	ay_rng_bytes(a->spki, 32);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, token);
	assert_string_equal(failed(a), "TOKEN_SPENT");
	agent_free(a);
}

static void one_tpm_is_one_host(void **state)
{
	struct agent *a = enrolled_agent("first"), *b = agent_new("second");
	struct provision p;

	(void)state;
	t_tpmkey_fini(&b->ek);
	memset(&b->ek, 0, sizeof(b->ek));
	b->ek = a->ek; /* the same EK, a new AK, another TLS key */
	agent_new_ak(b);
	connect_as(b, 0);
	hello(b, false);
	prove_token(b, new_token(NULL, 1));
	assert_true(provisioned(b, &p));
	if (certify(b, &p))
		send_proof(b, &p, NULL);
	assert_string_equal(failed(b), "EK_BOUND");
	assert_int_equal(host_of(a)->state, AY_HOST_ENROLLED);
	free(p.msg);
	memset(&b->ek, 0, sizeof(b->ek));
	agent_free(a);
	agent_free(b);
}

static void a_known_host_with_another_ek_is_refused(void **state)
{
	struct agent *a = enrolled_agent("swapped"), *b = agent_new("swapped");
	struct provision p;

	(void)state;
	connect_as(b, 0);
	hello(b, false);
	prove_token(b, new_token("swapped", 1));
	assert_true(provisioned(b, &p));
	if (certify(b, &p))
		send_proof(b, &p, NULL);
	assert_string_equal(failed(b), "EK_OTHER");
	assert_string_equal(host_of(a)->note_code, "EK_OTHER"); /* told to the operator */
	assert_int_equal(host_of(a)->state, AY_HOST_ENROLLED);
	assert_non_null(ay_hosts_by_key(engine, a->spki));
	free(p.msg);
	agent_free(a);
	agent_free(b);
}

static void unauthenticated_failures_change_no_record(void **state)
{
	struct agent *a = enrolled_agent("victim"), *b = agent_new("victim");
	uint64_t version = host_of(a)->version, rev = host_of(a)->run->rev;
	struct ay_token t;
	char text[AY_MAX_TOKEN_BYTES];

	(void)state;
	assert_int_equal(ay_token_parse(ay_bytes_of(new_token("victim", 1)), &t, NULL), AY_OK);
	t.secret[3] ^= 1;
	assert_int_equal(ay_token_build(&t, text, NULL), AY_OK);
	connect_as(b, 0);
	hello(b, false);
	prove_token(b, text);
	assert_string_equal(failed(b), "TOKEN");
	assert_int_equal(host_of(a)->version, version);
	assert_int_equal(host_of(a)->run->rev, rev);
	assert_null(host_of(a)->note_code);
	agent_free(a);
	agent_free(b);
}

static void a_removed_host_is_a_stranger(void **state)
{
	struct agent *a = enrolled_agent("removed");
	struct asked q;

	(void)state;
	trust(a);
	assert_int_equal(ay_engine_host_remove(engine, host_of(a), NULL), AY_OK);
	assert_true(closed(a->conn));
	assert_null(host_of(a));
	disconnect(a);
	connect_as(a, 0);
	hello(a, true);
	assert_false(challenged(a, &q, 300));
	agent_free(a);
}

static void a_host_removed_while_it_enrols_is_not_bound(void **state)
{
	struct agent *a = enrolled_agent("leaving");
	struct provision p;

	(void)state;
	disconnect(a);
	run_ms(50);
	agent_new_ak(a);
	connect_as(a, 0);
	hello(a, false);
	prove_token(a, new_token("leaving", 1));
	assert_true(provisioned(a, &p));
	assert_true(certify(a, &p));
	assert_int_equal(ay_engine_host_remove(engine, host_of(a), NULL), AY_OK);
	send_proof(a, &p, NULL);
	assert_string_equal(failed(a), "HOST_REMOVED");
	free(p.msg);
	close_engine();
	open_engine();
	assert_null(host_of(a));
	agent_free(a);
}

static void what_was_settled_survives_the_process(void **state)
{
	struct agent *a = enrolled_agent("survivor"), *b = enrolled_agent("sticky");
	struct asked q;

	(void)state;
	trust(a);
	ask_now(b);
	assert_true(challenged(b, &q, 5000));
	answer(b, &q, &(struct lie){ .clock_back_ms = 500000 });
	assert_int_equal(result(b), AY_UNTRUSTED);
	close_engine();
	open_engine();
	assert_int_equal(verdict_of(a), AY_TRUSTED);
	assert_int_equal(verdict_of(b), AY_UNTRUSTED);
	assert_true(reports(b, "COUNTER_BACK"));
	connect_as(a, 0);
	hello(a, true);
	assert_int_equal(attest(a), AY_TRUSTED);
	connect_as(b, 0);
	hello(b, true);
	assert_int_equal(attest(b), AY_UNTRUSTED); /* still: nobody acknowledged it */
	agent_free(a);
	agent_free(b);
}

/* ---- listening agents ---- */

/* The id of the next DIAL for this host; others are passed over. */
static uint32_t dialled(const char *name)
{
	const struct ay_host *h = ay_engine_host_find(engine, ay_bytes_of(name));
	struct sent *s;

	while ((s = wait_for(0, AY_MSG_DIAL, 0, 5000))) {
		uint32_t id = s->req;

		free(s);
		if (id == h->run->dial_id)
			return id;
	}
	return 0;
}

static void add_listening(const char *name, const struct agent *pin, const char *token, bool tofu)
{
	char hex[65];
	struct ay_host_spec spec = { .name = ay_bytes_of(name),
				     .connect = ay_bytes_of("192.0.2.7:1443"),
				     .trust_first_use = tofu };
	const struct ay_host *h;
	struct ay_err e;

	if (pin) {
		ay_hex_encode(AY_BYTES(pin->spki), hex);
		spec.agent_key = ay_bytes_of(hex);
	}
	if (token)
		spec.token = ay_bytes_of(token);
	if (ay_engine_host_add(engine, &spec, &h, &e) != AY_OK)
		fail_msg("add: %s %s", e.where, e.text);
}

static void finish_enrolment(struct agent *a)
{
	struct provision p;
	struct sent *s;

	if (!provisioned(a, &p))
		fail_msg("no PROVISION: %s", failed(a));
	assert_true(certify(a, &p));
	send_proof(a, &p, NULL);
	s = wait_for(a->conn, AY_MSG_FRAME, AY_FRAME_ENROLLED, 5000);
	assert_non_null(s);
	free(s);
	free(p.msg);
}

static void a_pinned_agent_and_no_other(void **state)
{
	struct agent *a = agent_new("x"), *b = agent_new("y");

	(void)state;
	add_listening("pinned", a, NULL, false);
	connect_as(b, dialled("pinned"));
	hello(b, false);
	assert_string_equal(failed(b), "AGENT_KEY");
	disconnect(b);
	connect_as(a, dialled("pinned"));
	hello(a, false);
	finish_enrolment(a);
	assert_string_equal(host_of(a)->identity.grade, "ek_certified");
	agent_free(a);
	agent_free(b);
}

static void trust_at_first_use_is_for_the_first_only(void **state)
{
	struct agent *a = agent_new("x"), *b = agent_new("y");

	(void)state;
	add_listening("tofu", NULL, NULL, true);
	connect_as(a, dialled("tofu"));
	hello(a, false);
	finish_enrolment(a);
	assert_string_equal(host_of(a)->name, "tofu");
	assert_string_equal(host_of(a)->identity.grade, "tls_tofu");
	disconnect(a);
	connect_as(b, dialled("tofu"));
	hello(b, false);
	assert_string_equal(failed(b), "AGENT_KEY");
	disconnect(b);
	agent_free(a);
	agent_free(b);
}

static void a_listening_agent_proves_its_own_token(void **state)
{
	struct agent *a = agent_new("x");
	char mine[AY_MAX_TOKEN_BYTES], others[AY_MAX_TOKEN_BYTES];
	struct agent *other = enrolled_agent("owner");

	(void)state;
	snprintf(others, sizeof(others), "%s", new_token("owner", 1));
	snprintf(mine, sizeof(mine), "%s", new_token(NULL, 1));
	add_listening("listener", NULL, mine, false);
	connect_as(a, dialled("listener"));
	hello(a, false);
	prove_token(a, others);
	assert_string_equal(failed(a), "TOKEN_HOST");
	disconnect(a);
	connect_as(a, dialled("listener"));
	hello(a, false);
	prove_token(a, new_token(NULL, 5)); /* good for any new host, not for this one */
	assert_string_equal(failed(a), "TOKEN_HOST");
	disconnect(a);
	connect_as(a, dialled("listener"));
	hello(a, false);
	prove_token(a, mine);
	finish_enrolment(a);
	assert_string_equal(host_of(a)->name, "listener");
	agent_free(a);
	agent_free(other);
}

/* ---- what else stands against a host ---- */

static void a_bank_that_vanishes_is_a_failure(void **state)
{
	struct agent *a = enrolled_agent("banks");

	(void)state;
	trust(a);
	disconnect(a);
	a->one_bank = true;
	connect_as(a, 0);
	hello(a, true);
	assert_int_equal(attest(a), AY_UNTRUSTED);
	assert_true(reports(a, "BANK_LOST"));
	assert_int_equal(attest(a), AY_UNTRUSTED); /* nor is it forgotten */
	assert_true(reports(a, "BANK_LOST"));
	assert_int_equal(ay_engine_host_acknowledge(engine, host_of(a), "test", "new TPM", NULL),
			 AY_OK);
	(void)attest(a);
	assert_false(reports(a, "BANK_LOST"));
	agent_free(a);
}

static void a_revoked_certificate_is_a_failure(void **state)
{
	struct agent *a = enrolled_agent("revoked");
	struct ay_host *h = ay_hosts_by_id(engine, &a->id);
	struct asked q;

	(void)state;
	trust(a);
	h->run->revoked = true; /* an answer that was under way when the list came */
	assert_int_equal(attest(a), AY_UNTRUSTED);
	assert_true(reports(a, "AIK_CERT"));
	ay_hosts_revoked(engine, h);
	assert_true(closed(a->conn));
	disconnect(a);
	connect_as(a, 0);
	hello(a, true);
	assert_false(challenged(a, &q, 300)); /* it is a stranger now */
	disconnect(a);
	enrol(a, new_token("revoked", 1)); /* a new certificate by order of an operator */
	assert_false(h->run->revoked);
	(void)attest(a);
	assert_false(reports(a, "AIK_CERT"));
	agent_free(a);
}

static void an_expired_certificate_is_a_failure(void **state)
{
	struct agent *a = enrolled_agent("expired");

	(void)state;
	trust(a);
	ay_hosts_by_id(engine, &a->id)->identity.cert_until_ms = ay_engine_now_ms(engine) - 1;
	assert_int_equal(attest(a), AY_UNTRUSTED);
	assert_true(reports(a, "AIK_CERT"));
	agent_free(a);
}

static void a_result_for_an_older_state_changes_nothing(void **state)
{
	struct agent *a = enrolled_agent("cas");
	struct ay_host *h = ay_hosts_by_id(engine, &a->id);
	uint64_t conflicts = engine->count.conflicts;
	struct ay_job *j;
	struct ay_err e;

	(void)state;
	trust(a);
	j = ay_job_new(engine, h, h->run->conn);
	assert_non_null(j);
	/* meanwhile an operator acts */
	assert_int_equal(ay_engine_host_acknowledge(engine, h, "test", "cas", &e), AY_OK);
	j->verdict = AY_UNTRUSTED;
	j->report = ay_blob_new(ay_bytes_of("{}"));
	j->tries = 100; /* and it is not judged once more */
	ay_settle_job(engine, j);
	assert_int_equal(engine->count.conflicts, conflicts + 1);
	run_ms(100);
	assert_int_equal(verdict_of(a), AY_TRUSTED);
	agent_free(a);
}

static void asked_of_unknown(void *arg, enum ay_rc rc, const struct ay_err *e,
			     struct ay_bytes document)
{
	(void)document;
	assert_int_equal(rc, AY_E_EXISTS);
	assert_string_equal(e->code, "VERDICT_UNKNOWN");
	*(bool *)arg = true;
}

static void nothing_is_asserted_of_an_unknown_host(void **state)
{
	struct agent *a = agent_new("unasserted");
	struct ay_assertion_ask ask = { .format = ay_bytes_of("saml") };
	bool told = false;

	(void)state;
	enrol(a, new_token(NULL, 1));
	ay_engine_assertion(engine, host_of(a), &ask, asked_of_unknown, &told);
	assert_true(told);
	agent_free(a);
}

/* ---- a front that was taken over (design 2, SECURITY.md) ---- */

static void a_taken_over_front_makes_nothing_trusted(void **state)
{
	struct agent *a = enrolled_agent("prey"), liar;
	struct t_tpmkey mine = { 0 };
	struct asked q;
	static const uint8_t exporter[32] = { 9 };

	(void)state;
	t_ak_make(&mine, false);
	disconnect(a);
	/* It says that the host has connected, and answers itself. */
	liar = *a;
	connect_as(&liar, 0);
	hello(&liar, true);
	assert_true(challenged(&liar, &q, 5000));
	answer(&liar, &q, &(struct lie){ .signed_by = &mine });
	assert_int_equal(result(&liar), AY_UNTRUSTED);
	assert_true(reports(a, "QUOTE_SIGNATURE"));
	/* It relays the nonce to the real host over a connection with another exporter. */
	ask_now(&liar);
	assert_true(challenged(&liar, &q, 5000));
	answer(&liar, &q, &(struct lie){ .exporter = exporter });
	assert_int_equal(result(&liar), AY_UNTRUSTED);
	/* It plays old quotes. */
	ask_now(&liar);
	assert_true(challenged(&liar, &q, 5000));
	answer(&liar, &q, &(struct lie){ .old_quote = true });
	assert_int_equal(result(&liar), AY_UNTRUSTED);
	t_tpmkey_fini(&mine);
	agent_free(a);
}

static void a_taken_over_front_cannot_leave_the_protocol(void **state)
{
	struct agent *a = agent_new("raw");
	static const uint8_t junk[64] = { 0 };
	static const uint8_t types[] = { AY_FRAME_EVIDENCE,
					 AY_FRAME_NOTICE,
					 AY_FRAME_ENROL_PROOF,
					 AY_FRAME_CA_REQUEST,
					 AY_FRAME_CHALLENGE,
					 AY_FRAME_ENROLLED,
					 AY_FRAME_WELCOME,
					 77,
					 255 };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(types); i++) {
		connect_as(a, 0);
		say(a, types[i], 1, AY_BYTES(junk)); /* before HELLO */
		assert_true(closed(a->conn));
		connect_as(a, 0);
		hello(a, false);
		say(a, types[i], 1, AY_BYTES(junk)); /* after it, unbound */
		assert_true(closed(a->conn));
	}
	a->conn = 99999; /* a connection that never was */
	say(a, AY_FRAME_EVIDENCE, 1, AY_BYTES(junk));
	ay_ipc_send(front, AY_MSG_CONN_DOWN, 99999, 0, ay_bytes_of(""));
	ay_ipc_send(front, AY_MSG_DIAL_FAILED, 0, 99999, ay_bytes_of(""));
	run_ms(100);
	assert_false(ay_ipc_is_gone(front));
	assert_null(ay_hosts_by_key(engine, a->spki));
	agent_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enrolled_and_trusted_by_what_was_learned),
		cmocka_unit_test(a_replayed_quote_is_not_an_answer),
		cmocka_unit_test(a_host_cannot_answer_for_another),
		cmocka_unit_test(a_quote_is_bound_to_connection_and_host),
		cmocka_unit_test(garbage_from_a_bound_host_is_an_answer),
		cmocka_unit_test(an_answer_serves_once),
		cmocka_unit_test(late_answers_count_as_silence),
		cmocka_unit_test(counters_that_go_back_need_an_operator),
		cmocka_unit_test(a_token_of_a_pool_ends_no_standing_failure),
		cmocka_unit_test(two_machines_with_one_identity),
		cmocka_unit_test(a_reconnect_is_no_duplicate),
		cmocka_unit_test(proofs_that_are_false_bind_nothing),
		cmocka_unit_test(the_certified_key_and_no_other),
		cmocka_unit_test(one_token_for_two),
		cmocka_unit_test(a_token_must_be_held),
		cmocka_unit_test(tokens_end),
		cmocka_unit_test(one_tpm_is_one_host),
		cmocka_unit_test(a_known_host_with_another_ek_is_refused),
		cmocka_unit_test(unauthenticated_failures_change_no_record),
		cmocka_unit_test(a_removed_host_is_a_stranger),
		cmocka_unit_test(a_host_removed_while_it_enrols_is_not_bound),
		cmocka_unit_test(what_was_settled_survives_the_process),
		cmocka_unit_test(a_pinned_agent_and_no_other),
		cmocka_unit_test(trust_at_first_use_is_for_the_first_only),
		cmocka_unit_test(a_listening_agent_proves_its_own_token),
		cmocka_unit_test(a_bank_that_vanishes_is_a_failure),
		cmocka_unit_test(a_revoked_certificate_is_a_failure),
		cmocka_unit_test(an_expired_certificate_is_a_failure),
		cmocka_unit_test(a_result_for_an_older_state_changes_nothing),
		cmocka_unit_test(nothing_is_asserted_of_an_unknown_host),
		cmocka_unit_test(a_taken_over_front_makes_nothing_trusted),
		cmocka_unit_test(a_taken_over_front_cannot_leave_the_protocol),
	};
	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
