/* SPDX-License-Identifier: Apache-2.0 */
/* Attestation as the engine does it (design 3, 6), with a played front, which may be taken over. */
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

/* Only a manager's word has that form: it needs no launch for values of PCR 17-22. */
static void a_log_as_managers_report_it_is_no_agents(void **state)
{
	static const uint8_t head[16] = "ASSAY REPORTED\x01";
	static uint8_t octets[sizeof(head) + sizeof(boot.buf)];
	struct agent *a = enrolled_agent("manager");
	struct ay_bytes own = boot.octets;
	struct ay_err e = { 0 };
	struct asked q;
	json_t *set;

	(void)state;
	trust(a);
	memcpy(octets, head, sizeof(head));
	memcpy(octets + sizeof(head), own.p, own.n);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	boot.octets = (struct ay_bytes){ octets, sizeof(head) + own.n };
	answer(a, &q, NULL);
	boot.octets = own;
	assert_int_equal(result(a), AY_UNTRUSTED);
	assert_true(reports(a, "LOG_HEADER"));
	assert_int_equal(ay_engine_learn(engine,
					 &(struct ay_learn_ask){ .host = host_of(a),
								 .name = ay_bytes_of("false"),
								 .user = "tester" },
					 &set, &e),
			 AY_E_INPUT);
	assert_string_equal(e.code, "LOG_HEADER");
	agent_free(a);
}

static void evidence_may_come_in_parts(void **state)
{
	struct agent *a = enrolled_agent("parts");
	struct asked q;

	(void)state;
	trust(a);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	answer(a, &q, &(struct lie){ .part = 100 });
	assert_int_equal(result(a), AY_TRUSTED);
	ask_now(a);
	assert_true(challenged(a, &q, 5000));
	say_part(a, q.req, ay_bytes_of("one"));
	say_part(a, q.req + 1, ay_bytes_of("of another"));
	assert_true(closed(a->conn)); /* and no verdict changes */
	assert_int_equal(verdict_of(a), AY_TRUSTED);
	agent_free(a);
}

static void trust_runs_out_by_itself(void **state)
{
	struct agent *a = enrolled_agent("lease");
	int64_t lease = engine->set.lease_ms;

	(void)state;
	trust(a);
	engine->set.lease_ms = 150;
	assert_int_equal(attest(a), AY_TRUSTED);
	engine->set.lease_ms = lease;
	idle_ms(350);
	assert_int_equal(verdict_of(a), AY_UNKNOWN);
	assert_int_equal(host_of(a)->lease.verdict, AY_UNKNOWN); /* told, not only counted */
	assert_int_equal(attest(a), AY_TRUSTED);
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

static void parts_that_nobody_asked_for_are_not_kept(void **state)
{
	struct agent *a = enrolled_agent("hoarder");
	static const uint8_t part[1000];
	struct ay_ipc_msg m = { .type = AY_MSG_FRAME,
				.sub = AY_FRAME_EVIDENCE,
				.flags = 1,
				.conn = a->conn,
				.req = 77777,
				.body = AY_BYTES(part) };

	(void)state;
	for (int i = 0; i < 3; i++)
		ay_ipc_send_msg(front, &m);
	run_ms(50);
	assert_int_equal(ay_conns_find(engine, a->conn)->n_parts, 0);
	assert_true(attest(a) >= 0); /* and it is not held against the host */
	agent_free(a);
}

static void an_agent_does_not_set_the_pace(void **state)
{
	struct agent *a = enrolled_agent("pushy");
	static const uint8_t log_grew[] = { 1 };
	struct asked q;

	(void)state;
	ay_hosts_by_id(engine, &a->id)->run->notice_from = engine->mono_ms + 2000;
	say(a, AY_FRAME_NOTICE, 0, AY_BYTES(log_grew));
	assert_false(challenged(a, &q, 200));
	assert_true(challenged(a, &q, 8000)); /* it is heard, later */
	answer(a, &q, NULL);
	assert_true(result(a) >= 0);
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
		idle_ms(20);
	answer(a, &q, NULL); /* too late: it changes nothing */
	run_ms(20);
	assert_int_equal(verdict_of(a), AY_TRUSTED); /* one may be missed */
	for (int i = 0; i < 100 && host_of(a)->missed < 2; i++)
		idle_ms(20);
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
	assert_null(h->run->conn);
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

static void a_result_by_rules_of_before_changes_nothing(void **state)
{
	struct agent *a = enrolled_agent("rules");
	struct ay_host *h = ay_hosts_by_id(engine, &a->id);
	uint64_t conflicts = engine->count.conflicts;
	struct ay_job *j;

	(void)state;
	trust(a);
	j = ay_job_new(engine, h, h->run->conn);
	assert_non_null(j);
	/* meanwhile a set is revoked: what judged the job is in force no more */
	ay_judge_unref(j->judge);
	j->judge = NULL;
	j->verdict = AY_UNTRUSTED;
	j->report = ay_blob_new(ay_bytes_of("{}"));
	j->tries = 100;
	ay_settle_job(engine, j);
	assert_int_equal(engine->count.conflicts, conflicts + 1);
	run_ms(100);
	assert_int_equal(verdict_of(a), AY_TRUSTED);
	agent_free(a);
}

/* Looked at by the test: an assertion that fails inside the event loop leaves the loop running.
 * Static where it is used: an answer that comes late still has where to go. */
struct refusal {
	bool told;
	enum ay_rc rc;
	char code[32];
};

static void take_refusal(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	struct refusal *r = arg;

	(void)document;
	r->told = true;
	r->rc = rc;
	snprintf(r->code, sizeof(r->code), "%s", rc == AY_OK ? "" : e->code);
}

static void nothing_is_asserted_of_an_unknown_host(void **state)
{
	struct agent *a = agent_new("unasserted");
	struct ay_assertion_ask ask = { .form = AY_ASSERTION_SAML };
	struct ay_assertion_host host = { 0 };
	static struct refusal r;

	(void)state;
	enrol(a, new_token(NULL, 1));
	host.host = host_of(a);
	ay_engine_assertion(engine, &host, 1, &ask, take_refusal, &r);
	assert_true(r.told);
	assert_int_equal(r.rc, AY_E_EXISTS);
	assert_string_equal(r.code, "VERDICT_UNKNOWN");
	agent_free(a);
}

/* What was known before is not given out as if it had been asked for now. */
static void nothing_is_asserted_of_a_host_that_must_attest_and_does_not(void **state)
{
	struct agent *a = enrolled_agent("forced");
	struct ay_assertion_ask ask = { .form = AY_ASSERTION_CIT,
					.force_verify = true,
					.wait_ms = 1000 };
	struct ay_assertion_host host = { .host = host_of(a) };
	static struct refusal r;

	(void)state;
	disconnect(a);
	idle_ms(50);
	ay_engine_assertion(engine, &host, 1, &ask, take_refusal, &r);
	assert_true(r.told);
	assert_int_equal(r.rc, AY_E_UNAVAIL);
	assert_string_equal(r.code, "HOST_OFFLINE");
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
	idle_ms(100);
	ask_now(&liar); /* the lease still holds, so it would not be asked at once */
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
		cmocka_unit_test(a_log_as_managers_report_it_is_no_agents),
		cmocka_unit_test(evidence_may_come_in_parts),
		cmocka_unit_test(trust_runs_out_by_itself),
		cmocka_unit_test(an_answer_serves_once),
		cmocka_unit_test(parts_that_nobody_asked_for_are_not_kept),
		cmocka_unit_test(an_agent_does_not_set_the_pace),
		cmocka_unit_test(late_answers_count_as_silence),
		cmocka_unit_test(counters_that_go_back_need_an_operator),
		cmocka_unit_test(two_machines_with_one_identity),
		cmocka_unit_test(a_reconnect_is_no_duplicate),
		cmocka_unit_test(a_removed_host_is_a_stranger),
		cmocka_unit_test(what_was_settled_survives_the_process),
		cmocka_unit_test(a_bank_that_vanishes_is_a_failure),
		cmocka_unit_test(a_revoked_certificate_is_a_failure),
		cmocka_unit_test(an_expired_certificate_is_a_failure),
		cmocka_unit_test(a_result_by_rules_of_before_changes_nothing),
		cmocka_unit_test(a_result_for_an_older_state_changes_nothing),
		cmocka_unit_test(nothing_is_asserted_of_an_unknown_host),
		cmocka_unit_test(nothing_is_asserted_of_a_host_that_must_attest_and_does_not),
		cmocka_unit_test(a_taken_over_front_makes_nothing_trusted),
		cmocka_unit_test(a_taken_over_front_cannot_leave_the_protocol),
	};
	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
