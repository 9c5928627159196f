/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/predict/grubcfg.h"
#include "core/predict/ipl.h"

/* A grub.cfg: its entries are in the file where they say, and put into a log of themselves. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint16_t bank[] = { AY_ALG_SHA256 };
	struct ay_grubcfg cfg;
	struct ay_forecast f;
	struct ay_arena arena;
	struct ay_err e;
	size_t changed;

	ay_arena_init(&arena, 64u << 20);
	if (ay_grubcfg_parse((struct ay_bytes){ p, n }, &arena, &cfg, &e) == AY_OK &&
	    ay_forecast_init(&f, &arena, bank, 1, &e) == AY_OK) {
		AY_FUZZ_ACCEPT();
		for (size_t i = 0; i < cfg.n; i++) {
			if (cfg.entry[i].start >= cfg.entry[i].end || cfg.entry[i].end > n ||
			    p[cfg.entry[i].start] != '{' || p[cfg.entry[i].end - 1] != '}')
				__builtin_trap();
			if (cfg.entry[i].head != NULL)
				ay_ipl_add_command(
					&f, ay_arena_printf(&arena, "%s {}", cfg.entry[i].head));
		}
		if (ay_grubcfg_change(&f, NULL, &cfg, &changed, &e) == AY_OK && changed > cfg.n)
			__builtin_trap();
	}
	ay_arena_fini(&arena);
	return 0;
}
