/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/appraise/check_log.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"
#include "core/evlog/tcg_names.h"

/* Everything that is done with a boot log before anybody vouches for it. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_arena arena;
	struct ay_evlog log;
	struct ay_pcrs pcrs;
	struct ay_report rep;
	struct ay_err e;
	char text[64];

	ay_arena_init(&arena, 64u << 20);
	if (ay_evlog_parse((struct ay_bytes){ p, n }, &arena, &log, &e) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_evlog_check_data(&log);
		ay_report_init(&rep, &arena);
		if (ay_evlog_replay(&log, &pcrs, &e) == AY_OK)
			ay_check_log_pcrs(&log, &pcrs, &pcrs, 0, &rep);
		ay_check_log_shape(&log, NULL, &rep);
		ay_check_log_data(&log, NULL, &rep);
		for (size_t i = 0; i < log.n_events; i++)
			ay_event_summary(&log.event[i], text, sizeof(text));
	}
	ay_arena_fini(&arena);
	return 0;
}
