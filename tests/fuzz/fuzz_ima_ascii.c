/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/ima.h"
#include "core/evlog/ima_ascii.h"

#include <stdlib.h>

/* What the text form gives must be a binary list that can be read. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_arena arena;
	struct ay_bytes list;
	struct ay_err e;
	uint64_t entries;

	ay_arena_init(&arena, 64u << 20);
	if (ay_ima_ascii_parse((struct ay_bytes){ p, n }, &arena, &list, &e) == AY_OK && n > 0) {
		AY_FUZZ_ACCEPT();
		if (ay_ima_parse(list, &entries, &e) != AY_OK)
			abort();
	}
	ay_arena_fini(&arena);
	return 0;
}
