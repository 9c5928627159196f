/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_quote.h"

#include <inttypes.h>

static enum ay_result back(struct ay_report *rep, const char *what, uint64_t was, uint64_t is)
{
	return ay_report_add(rep, AY_CHECK_COUNTER_BACK, AY_FAIL, NULL,
			     "%s was %" PRIu64 " and is %" PRIu64
			     ": an old quote, or a state put back",
			     what, was, is);
}

/*
 * Clock survives resets only as well as the TPM could save it: after an
 * unannounced loss of power it may have gone back, and says so by safe
 * [TPM2-P1 36.3]. So across resets it is compared only when it is safe.
 */
static bool clock_went_back(const struct ay_quote *q, const struct ay_counters *last)
{
	bool comparable = q->reset_count == last->reset_count || q->clock_safe == 1;

	return comparable && q->clock_ms < last->clock_ms;
}

static void note_changes(const struct ay_quote *q, const struct ay_counters *last,
			 struct ay_report *rep)
{
	if (q->reset_count > last->reset_count)
		(void)ay_report_add(rep, AY_CHECK_INFO_REBOOTED, AY_PASS, NULL,
				    "rebooted: resetCount %" PRIu32 " to %" PRIu32,
				    last->reset_count, q->reset_count);
	else if (q->restart_count != last->restart_count)
		(void)ay_report_add(rep, AY_CHECK_INFO_RESUMED, AY_PASS, NULL,
				    "resumed: restartCount %" PRIu32 " to %" PRIu32,
				    last->restart_count, q->restart_count);
	if (q->firmware > last->firmware)
		(void)ay_report_add(rep, AY_CHECK_INFO_FIRMWARE, AY_PASS, NULL,
				    "TPM firmware %016" PRIx64 " to %016" PRIx64, last->firmware,
				    q->firmware);
}

enum ay_result ay_check_counters(const struct ay_quote *q, const struct ay_counters *last,
				 struct ay_report *rep, bool *rebooted)
{
	*rebooted = last->known && q->reset_count > last->reset_count;
	if (q->clock_safe != 1)
		(void)ay_report_add(rep, AY_CHECK_CLOCK_UNSAFE, AY_PASS, NULL, NULL);
	if (!last->known)
		return ay_report_add(rep, AY_CHECK_COUNTER_BACK, AY_NOT_CHECKED,
				     &(struct ay_place){ .optional = true },
				     "no earlier quote of this TPM is known here");
	if (AY_CHECKED("COUNTER_BACK_RESET", q->reset_count < last->reset_count))
		return back(rep, "resetCount", last->reset_count, q->reset_count);
	if (AY_CHECKED("COUNTER_BACK_RESTART", q->reset_count == last->reset_count &&
						       q->restart_count < last->restart_count))
		return back(rep, "restartCount", last->restart_count, q->restart_count);
	if (AY_CHECKED("COUNTER_BACK_FIRMWARE", q->firmware < last->firmware))
		return back(rep, "firmwareVersion", last->firmware, q->firmware);
	if (AY_CHECKED("COUNTER_BACK_CLOCK", clock_went_back(q, last)))
		return back(rep, "clock", last->clock_ms, q->clock_ms);
	note_changes(q, last, rep);
	return ay_report_add(rep, AY_CHECK_COUNTER_BACK, AY_PASS, NULL, NULL);
}
