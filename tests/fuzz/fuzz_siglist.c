/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/predict/siglist.h"

/* A variable as a file, appended to itself and to nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes value, out, none = { 0 };
	enum ay_siglist_form form;
	struct ay_arena arena;
	struct ay_err e;

	ay_arena_init(&arena, 16u << 20);
	if (n < 65536 && ay_siglist_open((struct ay_bytes){ p, n }, &value, &form, &e) == AY_OK) {
		AY_FUZZ_ACCEPT();
		if (ay_siglist_append(value, value, &arena, &out, &e) != AY_OK ||
		    !ay_bytes_eq(out, value))
			__builtin_trap(); /* all of it was there already */
		if (ay_siglist_append(none, value, &arena, &out, &e) != AY_OK || out.n > value.n)
			__builtin_trap();
	}
	ay_arena_fini(&arena);
	return 0;
}
