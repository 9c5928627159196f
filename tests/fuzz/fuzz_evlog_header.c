/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/tcg_header.h"

#include <stdlib.h>

/* The data of a first event; accepted when it makes the log crypto-agile. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct ay_event first = { .type = 3, .data = { p, n } }; /* EV_NO_ACTION */
	struct ay_evlog log = { 0 };
	size_t overhang = 0;

	if (ay_evlog_header_parse(&first, &log, &overhang, NULL) != AY_OK)
		return 0;
	if (log.n_banks == 0 || log.n_banks > AY_BANKS_MAX)
		abort();
	if (log.format == AY_EVLOG_AGILE)
		AY_FUZZ_ACCEPT();
	return 0;
}
