/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/launch_source.h"
#include "core/evlog/tcg.h"
#include "core/evlog/txt_heap.h"

#include <stdlib.h>

/* What a host finds of its launch, and what a server does with it. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_bundle b = { 0 }, again;
	struct ay_txt_heap h;
	struct ay_arena arena;
	struct ay_evlog log;

	ay_arena_init(&arena, 64u << 20);
	if (ay_launch_source_read(in, &arena, &b, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		if (b.part[AY_BUNDLE_HEAP].n > 0 &&
		    ay_txt_heap_parse(b.part[AY_BUNDLE_HEAP], &h, NULL) != AY_OK)
			abort(); /* what we wrote */
	}
	if (ay_bundle_parse(in, &again, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		if (ay_bundle_room(&again) != n)
			abort();
		(void)!ay_evlog_parse(in, &arena, &log, NULL);
	}
	ay_arena_fini(&arena);
	return 0;
}
