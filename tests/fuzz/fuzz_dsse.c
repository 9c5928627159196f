/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/authz/dsse.h"

#include <stdlib.h>

/* An envelope that parses has a payload that no more octets than its text could hold. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_arena a;
	struct ay_dsse d;
	size_t which;

	ay_arena_init(&a, 1 << 22);
	if (ay_dsse_parse((struct ay_bytes){ p, n }, &a, &d, NULL) == AY_OK) {
		if (d.n == 0 || d.n > AY_MAX_DSSE_SIGNATURES || d.payload.n > n)
			abort();
		/* nobody is trusted */
		if (ay_dsse_verify(&d, d.type, NULL, 0, &a, &which, NULL) == AY_OK)
			abort();
		AY_FUZZ_ACCEPT();
	}
	ay_arena_fini(&a);
	return 0;
}
