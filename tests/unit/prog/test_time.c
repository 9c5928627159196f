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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tpm_reset_alone_lasts_until_the_host_boots),
		cmocka_unit_test(a_tpm_reset_is_acknowledged_by_an_operator),
		cmocka_unit_test(a_reboot_that_never_was),
		cmocka_unit_test(a_resume_without_the_saved_state),
	};

	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
