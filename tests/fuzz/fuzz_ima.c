/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/ima_replay.h"

#include <stdlib.h>
#include <string.h>

/* A list is replayed, stepped back, and its state written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct ay_ima_bank banks[] = { { AY_ALG_SHA1, false },
						    { AY_ALG_SHA256, true } };
	uint8_t buf[AY_IMA_STATE_WIRE_MAX];
	struct ay_ima_state zero, back;
	struct ay_ima_run run;
	struct ay_arena arena;
	struct ay_writer w;
	struct ay_bytes b;
	struct ay_err e;

	ay_arena_init(&arena, 64u << 20);
	ay_ima_state_init(&zero, banks, AY_COUNT(banks));
	if (ay_ima_replay(&zero, (struct ay_bytes){ p, n }, 8, &run, &arena, &e) == AY_OK) {
		AY_FUZZ_ACCEPT();
		while (ay_ima_step_back(&run))
			;
		ay_wr_init(&w, buf, sizeof(buf));
		ay_ima_state_write(&w, &run.now);
		if (ay_wr_end(&w, "state", &b, &e) != AY_OK ||
		    ay_ima_state_parse(b, &back, &e) != AY_OK || back.entries != run.now.entries)
			abort();
	}
	ay_arena_fini(&arena);
	return 0;
}
