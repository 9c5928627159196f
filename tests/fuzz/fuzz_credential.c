/* SPDX-License-Identifier: Apache-2.0 */
/* A Cookie header and what stands after "Basic": both of the same octets. */
#include "fuzz/smoke.h"

#include "prog/assayd/api/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n }, a, b;
	struct ay_arena arena;
	struct ay_err e;
	bool ok;

	ay_arena_init(&arena, 1 << 16);
	ok = ay_cookie_find(in, "__Host-assay", &a, &e) == AY_OK;
	ok |= ay_basic_parse(in, &arena, &a, &b, &e) == AY_OK;
	ay_arena_fini(&arena);
	if (ok)
		AY_FUZZ_ACCEPT();
	return 0;
}
