/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/appraise/match.h"
#include "core/evlog/tcg_data.h"

#include <stdlib.h>

/* Texts that a log gives are printable and short, whatever stands in its events. */
static void check(const struct ay_machine_fact *f)
{
	if (f->text == NULL)
		return;
	for (const char *c = f->text; *c != '\0'; c++)
		if (*c < 0x20 || *c >= 0x7f || c - f->text > 1024)
			abort();
	AY_FUZZ_ACCEPT();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_machine m;
	struct ay_evlog log;
	struct ay_arena a;

	ay_arena_init(&a, 16u << 20);
	if (ay_evlog_parse((struct ay_bytes){ p, n }, &a, &log, NULL) == AY_OK) {
		ay_evlog_check_data(&log);
		ay_machine_of_log(&log, 0, &a, &m);
		check(&m.vendor);
		check(&m.version);
		check(&m.cmdline);
	}
	ay_arena_fini(&a);
	return 0;
}
