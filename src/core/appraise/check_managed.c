/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_managed.h"

#include <string.h>

/* A manager reckons the instant of a boot from the host's clock, which is set now and then. */
#define CLOCK_SLACK_MS (5 * 60 * 1000)

bool ay_managed_same_boot(int64_t a_ms, int64_t b_ms)
{
	return a_ms - b_ms <= CLOCK_SLACK_MS && b_ms - a_ms <= CLOCK_SLACK_MS;
}

static bool check_host(const struct ay_managed_ask *ask, const struct ay_managed_facts *f,
		       struct ay_report *rep)
{
	char want[AY_UUID_TEXT], got[AY_UUID_TEXT];
	struct ay_place at = { .expected_text = want, .measured_text = got };

	ay_uuid_format(&ask->bound, want);
	ay_uuid_format(&f->id, got);
	if (AY_CHECKED("MANAGER_HOST", memcmp(ask->bound.b, f->id.b, sizeof(f->id.b)) != 0)) {
		ay_report_add(rep, AY_CHECK_MANAGER_HOST, AY_FAIL, &at,
			      "the manager has another machine in this host's place");
		return false;
	}
	ay_report_add(rep, AY_CHECK_MANAGER_HOST, AY_PASS, NULL, NULL);
	ay_report_add(rep, AY_CHECK_MANAGER_REPORT, AY_PASS, NULL,
		      ask->first_use ? "the manager vouches for the host; its own key was taken at "
				       "first use"
				     : NULL);
	return true;
}

static bool boot_fails(struct ay_report *rep, const char *why)
{
	ay_report_add(rep, AY_CHECK_MANAGER_BOOT, AY_FAIL, NULL, "%s", why);
	return false;
}

static bool check_boot(const struct ay_managed_ask *ask, const struct ay_managed_facts *f,
		       struct ay_report *rep)
{
	if (AY_CHECKED("MANAGER_BOOT_UNSAID", f->boot_ms <= 0)) {
		ay_report_add(rep, AY_CHECK_MANAGER_BOOT, AY_NOT_CHECKED, NULL,
			      "the manager does not say when the host booted");
		return false;
	}
	if (AY_CHECKED("MANAGER_BOOT_AHEAD", f->boot_ms > ask->now_ms + CLOCK_SLACK_MS))
		return boot_fails(rep, "the host booted in the future, by its manager's clock");
	if (AY_CHECKED("MANAGER_BOOT_BACK",
		       ask->last_boot_ms > f->boot_ms &&
			       !ay_managed_same_boot(ask->last_boot_ms, f->boot_ms)))
		return boot_fails(rep, "a report of an earlier boot than the one reported before");
	ay_report_add(rep, AY_CHECK_MANAGER_BOOT, AY_PASS, NULL, NULL);
	return true;
}

/* For both components that its events speak for. */
static void check_log(const struct ay_managed_facts *f, struct ay_report *rep)
{
	static const enum ay_component of[] = { AY_COMP_PLATFORM, AY_COMP_OS };

	for (size_t i = 0; i < AY_COUNT(of); i++) {
		struct ay_place at = { .component = of[i] };

		if (AY_CHECKED("MANAGER_LOG", !f->log_reliable))
			ay_report_add(rep, AY_CHECK_MANAGER_LOG, AY_FAIL, &at,
				      "the manager itself says that the event log is not reliable");
		else
			ay_report_add(rep, AY_CHECK_MANAGER_LOG, AY_PASS, &at, NULL);
	}
}

static void check_status(const struct ay_managed_facts *f, struct ay_report *rep)
{
	struct ay_place at = { .optional = true, .path = f->message };

	if (f->status == AY_MANAGED_UNSAID)
		ay_report_add(rep, AY_CHECK_MANAGER_STATUS, AY_NOT_CHECKED, &at,
			      "the manager has not attested the host itself");
	else if (AY_CHECKED("MANAGER_STATUS", f->status != AY_MANAGED_ACCEPTED))
		ay_report_add(rep, AY_CHECK_MANAGER_STATUS, AY_FAIL, &at,
			      "the manager's own attestation of the host failed");
	else if (AY_CHECKED("MANAGER_STATUS_OLD", f->attested_ms + CLOCK_SLACK_MS < f->boot_ms))
		ay_report_add(rep, AY_CHECK_MANAGER_STATUS, AY_NOT_CHECKED,
			      &(struct ay_place){ .path = f->message },
			      "the manager's own attestation is older than this boot");
	else
		ay_report_add(rep, AY_CHECK_MANAGER_STATUS, AY_PASS, NULL, NULL);
}

bool ay_check_managed(const struct ay_managed_ask *ask, const struct ay_managed_facts *f,
		      struct ay_report *rep)
{
	ay_report_grade(rep, AY_COMP_IDENTITY, AY_GRADE_REPORTED);
	if (!check_host(ask, f, rep) || !check_boot(ask, f, rep))
		return false;
	check_log(f, rep);
	check_status(f, rep);
	return true;
}

void ay_check_managed_kept(const struct ay_pcrs *before, const struct ay_pcrs *now,
			   struct ay_report *rep)
{
	for (size_t k = 0; k < now->n_banks; k++)
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			uint16_t alg = now->bank[k].alg;
			struct ay_bytes is = ay_pcrs_value(now, alg, pcr);
			struct ay_bytes was = ay_pcrs_value(before, alg, pcr);
			struct ay_place at = { .bank = alg,
					       .has_pcr = true,
					       .pcr = (uint8_t)pcr,
					       .expected = was,
					       .measured = is };

			if (was.n > 0 && is.n > 0 && !ay_bytes_eq(was, is))
				ay_report_add(rep, AY_CHECK_MANAGER_CHANGED, AY_PASS, &at,
					      "PCR %u changed within one boot", pcr);
		}
}
