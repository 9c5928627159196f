/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine remembers of boots, and when it asks (issue 3, "Time"), with a played front. */
#include "unit/prog/engine_world.h"

static bool has_cause(const struct agent *a, const char *class)
{
	json_t *report, *list, *c;
	bool found = false;
	size_t i;

	assert_int_equal(ay_engine_report(engine, host_of(a), &report, NULL), AY_OK);
	list = json_object_get(report, "causes");
	json_array_foreach (list, i, c)
		found = found || strcmp(json_string_value(json_object_get(c, "class")), class) == 0;
	json_decref(report);
	return found;
}

static void reboot(struct agent *a)
{
	a->boot_id = ay_rng_uuid();
	a->reset_count++;
	a->restart_count = 0;
}

static void a_tpm_reset_alone_lasts_until_the_host_boots(void **state)
{
	struct agent *a = enrolled_agent("tpm-reset");

	(void)state;
	trust(a);
	a->reset_count++; /* by its pin; the log was extended again */
	assert_int_equal(attest(a), AY_UNTRUSTED);
	assert_true(reports(a, "TPM_RESET"));
	assert_true(has_cause(a, "tpm_reset"));
	assert_int_equal(attest(a), AY_UNTRUSTED); /* the counters are the last ones by now */
	assert_true(reports(a, "TPM_RESET"));
	close_engine();
	open_engine();
	connect_as(a, 0);
	hello(a, true);
	assert_int_equal(attest(a), AY_UNTRUSTED); /* nor does the server forget it */
	assert_true(reports(a, "TPM_RESET"));
	reboot(a);
	assert_int_equal(attest(a), AY_TRUSTED);
	agent_free(a);
}

static void a_tpm_reset_is_acknowledged_by_an_operator(void **state)
{
	struct agent *a = enrolled_agent("tpm-reset-ack");

	(void)state;
	trust(a);
	a->reset_count++;
	assert_int_equal(attest(a), AY_UNTRUSTED);
	assert_int_equal(ay_engine_host_acknowledge(engine, host_of(a), "test", "pin test", NULL),
			 AY_OK);
	assert_int_equal(verdict_of(a), AY_UNKNOWN);
	assert_int_equal(attest(a), AY_TRUSTED);
	agent_free(a);
}

static void a_reboot_that_never_was(void **state)
{
	struct agent *a = enrolled_agent("fake-reboot");

	(void)state;
	trust(a);
	a->boot_id = ay_rng_uuid();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(attest(a), AY_UNTRUSTED);
		assert_true(reports(a, "BOOT_WITHOUT_RESET"));
		assert_true(has_cause(a, "counter"));
	}
	reboot(a);
	assert_int_equal(attest(a), AY_TRUSTED);
	agent_free(a);
}

static void a_resume_without_the_saved_state(void **state)
{
	struct agent *a = enrolled_agent("resume");
	uint8_t *pcr = ay_pcrs_bank(&boot.pcrs, AY_ALG_SHA256)->value[4], was[32];

	(void)state;
	trust(a);
	a->restart_count++;
	assert_int_equal(attest(a), AY_TRUSTED); /* suspended and resumed, as it should be */
	memcpy(was, pcr, sizeof(was));
	memset(pcr, 0, sizeof(was)); /* PCRs zeroed, and the log is as it was */
	a->restart_count++;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(attest(a), AY_UNTRUSTED);
		assert_true(reports(a, "TPM_RESTART"));
		assert_true(has_cause(a, "tpm_reset"));
	}
	memcpy(pcr, was, sizeof(was));
	reboot(a);
	assert_int_equal(attest(a), AY_TRUSTED);
	agent_free(a);
}

/* ---- when hosts are asked ---- */

static unsigned n_overload, n_overload_end;

static void on_event(void *arg, uint64_t seq, const char *kind, const char *json)
{
	(void)arg, (void)seq;
	if (strcmp(kind, "overload") != 0)
		return;
	n_overload += strstr(json, "\"OVERLOAD\"") != NULL;
	n_overload_end += strstr(json, "\"OVERLOAD_END\"") != NULL;
	if (strstr(json, "\"OVERLOAD\""))
		assert_non_null(strstr(json, "hosts wait to be asked"));
}

static uint64_t late_of(const char *policy)
{
	struct ay_deadline_misses m;

	for (size_t i = 0; ay_engine_deadline_misses(engine, i, &m); i++)
		if (strcmp(m.policy, policy) == 0)
			return m.late + m.silent;
	return 0;
}

/* No slot is free: a host waits past its deadline. */
static void overload_is_said(void **state)
{
	struct agent *b = enrolled_agent("waiter");
	struct ay_subscription *sub = ay_engine_subscribe(engine, on_event, NULL);
	struct ay_host_run *r = ay_hosts_by_id(engine, &b->id)->run;
	uint32_t window = engine->pace.window;
	struct ay_overview o;
	struct asked q;

	(void)state;
	assert_non_null(sub);
	engine->pace.window = 0;
	while (r->pace.slot_until) { /* it was asked once more before */
		assert_true(challenged(b, &q, 5000));
		answer(b, &q, NULL);
		assert_true(result(b) >= 0);
	}
	/* it became due long ago, and nobody asked it */
	r->due = engine->mono_ms;
	r->by = engine->mono_ms - 1;
	ay_schedule_host(engine, r->host);
	idle_ms(1100);
	for (int i = 0; i < 100 && !n_overload; i++)
		idle_ms(50);
	assert_int_equal(n_overload, 1);
	ay_engine_overview(engine, &o);
	assert_true(o.overloaded);
	engine->pace.window = engine->pace.n_slots + 1;
	ay_schedule_host(engine, r->host);
	assert_true(challenged(b, &q, 5000)); /* late, but asked */
	answer(b, &q, NULL);
	assert_true(result(b) >= 0);
	for (int i = 0; i < 200 && !n_overload_end; i++)
		idle_ms(50);
	assert_int_equal(n_overload_end, 1);
	ay_engine_overview(engine, &o);
	assert_false(o.overloaded);
	assert_true(o.overdue >= 1);
	engine->pace.window = window;
	ay_engine_unsubscribe(engine, sub);
	agent_free(b);
}

static void a_missed_deadline_is_counted_for_its_policy(void **state)
{
	struct agent *a = enrolled_agent("forgotten");
	struct ay_host *h = ay_hosts_by_id(engine, &a->id);
	uint64_t was;

	(void)state;
	trust(a);
	was = late_of("default");
	h->run->stale_at = engine->mono_ms; /* its evidence is as old as it may be */
	ay_schedule_host(engine, h);
	idle_ms(100);
	assert_int_equal(late_of("default"), was + 1);
	idle_ms(100);
	assert_int_equal(late_of("default"), was + 1); /* once */
	agent_free(a);
}

static void who_comes_back_in_the_same_boot_waits_its_turn(void **state)
{
	struct agent *a = enrolled_agent("back");
	struct asked q;

	(void)state;
	trust(a);
	disconnect(a);
	idle_ms(50);
	connect_as(a, 0);
	hello(a, true);
	idle_ms(50);
	/* within 30 s by its own place; not all of a fleet at once */
	assert_true(ay_hosts_by_id(engine, &a->id)->run->due <= engine->mono_ms + 30000);
	disconnect(a);
	idle_ms(1100); /* connections of one host are heard once a second */
	reboot(a);
	connect_as(a, 0);
	hello(a, true);
	assert_true(challenged(a, &q, 500)); /* it says itself that it is another boot */
	answer(a, &q, NULL);
	assert_int_equal(result(a), AY_TRUSTED);
	agent_free(a);
}

/* ---- a removed host's certificate, and a CA that was away ---- */

static struct ay_bytes serial_of_cert(const struct agent *a)
{
	static struct ay_cert c;

	assert_int_equal(ay_cert_parse((struct ay_bytes){ a->cert, a->cert_n }, &c, NULL), AY_OK);
	return c.serial;
}

static bool ca_lists(struct ay_bytes serial)
{
	struct ay_crl crl;
	struct ay_bytes der;
	bool there;

	assert_int_equal(ay_ca_crl(ca, ay_clock_wall_ms(), &der, NULL), AY_OK);
	assert_int_equal(ay_crl_parse(der, &crl, NULL), AY_OK);
	there = ay_crl_lists(&crl, serial);
	free((void *)(uintptr_t)der.p);
	return there;
}

static void a_revocation_waits_for_the_ca(void **state)
{
	struct agent *a = enrolled_agent("gone"), *b = enrolled_agent("gone-too");

	(void)state;
	ca_is_away = true;
	assert_int_equal(ay_engine_host_remove(engine, host_of(a), NULL), AY_OK);
	idle_ms(100);
	assert_int_equal(engine->revoke_fails, 1); /* and an event told the operator */
	assert_true(engine->next_crl - engine->mono_ms <= 5000);
	ca_is_away = false;
	assert_false(ca_lists(serial_of_cert(a)));
	engine->next_crl = engine->mono_ms; /* the pause is over */
	for (int i = 0; i < 100 && engine->revoke_fails; i++)
		idle_ms(50);
	assert_int_equal(engine->revoke_fails, 0);
	assert_true(ca_lists(serial_of_cert(a)));
	/* and so it is when the server stopped before the CA could be told */
	ca_is_away = true;
	assert_int_equal(ay_engine_host_remove(engine, host_of(b), NULL), AY_OK);
	idle_ms(100);
	close_engine();
	ca_is_away = false;
	assert_false(ca_lists(serial_of_cert(b)));
	open_engine();
	for (int i = 0; i < 100 && !ca_lists(serial_of_cert(b)); i++)
		idle_ms(50);
	assert_true(ca_lists(serial_of_cert(b)));
	agent_free(a);
	agent_free(b);
}

/* ---- assertions ---- */

static void on_assertion(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	(void)e, (void)document;
	assert_int_equal(rc, AY_OK);
	*(bool *)arg = true;
}

/* How many were signed by now. */
static unsigned assertion(const struct agent *a, const char *audience, const char *nonce)
{
	struct ay_assertion_host host = { .host = host_of(a) };
	struct ay_assertion_ask ask = { .form = AY_ASSERTION_CIT,
					.audience = ay_bytes_of(audience),
					.nonce = ay_bytes_of(nonce) };
	bool told = false;

	ay_engine_assertion(engine, &host, 1, &ask, on_assertion, &told);
	for (int i = 0; i < 50 && !told; i++)
		idle_ms(10);
	assert_true(told);
	return n_assertions;
}

static void an_assertion_is_signed_once(void **state)
{
	struct agent *a = enrolled_agent("asserted");
	int64_t lease = engine->set.lease_ms;
	unsigned n;

	(void)state;
	trust(a);
	n = assertion(a, "", "");
	assert_int_equal(assertion(a, "", ""), n);
	assert_int_equal(assertion(a, "https://rp/", ""), n + 1); /* it says something else */
	assert_int_equal(assertion(a, "https://rp/", ""), n + 1);
	assert_int_equal(assertion(a, "", "fresh"), n + 2); /* a nonce is used once */
	assert_int_equal(assertion(a, "", "fresh"), n + 3);
	engine->set.lease_ms = 400;
	a->reset_count++;
	assert_int_equal(attest(a), AY_UNTRUSTED);
	assert_int_equal(assertion(a, "", ""), n + 4); /* the verdict changed */
	assert_int_equal(assertion(a, "", ""), n + 4);
	idle_ms(500);
	assert_int_equal(assertion(a, "", ""), n + 5); /* its time is over */
	engine->set.lease_ms = lease;
	agent_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tpm_reset_alone_lasts_until_the_host_boots),
		cmocka_unit_test(a_tpm_reset_is_acknowledged_by_an_operator),
		cmocka_unit_test(a_reboot_that_never_was),
		cmocka_unit_test(a_resume_without_the_saved_state),
		cmocka_unit_test(a_revocation_waits_for_the_ca),
		cmocka_unit_test(an_assertion_is_signed_once),
		cmocka_unit_test(overload_is_said),
		cmocka_unit_test(a_missed_deadline_is_counted_for_its_policy),
		cmocka_unit_test(who_comes_back_in_the_same_boot_waits_its_turn),
	};

	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
