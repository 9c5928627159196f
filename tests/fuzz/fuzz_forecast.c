/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"
#include "core/predict/change.h"

/* The log of an earlier boot, from a host that may lie, with one change of each kind. */
static void change(struct ay_forecast *f)
{
	struct ay_bytes fresh = ay_bytes_of("new"), old;
	struct ay_evlog log;
	struct ay_pcrs pcrs;
	struct ay_err e;
	size_t n;
	int done = 0;

	done += ay_change_text(f, "6.1.0", "6.1.1-longer", &n, &e) == AY_OK;
	done += ay_change_file(f, AY_BOOT_KERNEL, NULL, NULL, fresh, &n, &e) == AY_OK;
	done += ay_change_file(f, AY_BOOT_INITRD, NULL, NULL, fresh, &n, &e) == AY_OK;
	done += ay_change_file(f, AY_BOOT_GRUB_CFG, NULL, NULL, fresh, &n, &e) == AY_OK;
	done += ay_change_cmdline(f, NULL, "root=new", &n, &e) == AY_OK;
	if (ay_change_variable_old(f, "db", &old, &e) == AY_OK)
		done += ay_change_variable(f, "db", fresh, &e) == AY_OK;
	if (ay_forecast_end(f, &log, &e) == AY_OK && ay_evlog_replay(&log, &pcrs, &e) == AY_OK &&
	    done > 0)
		AY_FUZZ_ACCEPT();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_arena arena;
	struct ay_forecast f;
	struct ay_evlog log;
	struct ay_err e;

	ay_arena_init(&arena, 64u << 20);
	if (ay_evlog_parse((struct ay_bytes){ p, n }, &arena, &log, &e) == AY_OK) {
		ay_evlog_check_data(&log);
		if (ay_forecast_from_log(&f, &arena, &log, &e) == AY_OK)
			change(&f);
	}
	ay_arena_fini(&arena);
	return 0;
}
