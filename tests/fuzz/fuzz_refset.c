/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/appraise/reference.h"

#include <stdlib.h>

/* A set that parses is written and parses again to the same name. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_refset *one, *two;
	struct ay_arena a;
	struct ay_bytes text;

	if (ay_refset_parse((struct ay_bytes){ p, n }, &one, NULL) != AY_OK)
		return 0;
	ay_arena_init(&a, AY_MAX_REFSET_BYTES);
	text = ay_refset_build(one, &a);
	if (ay_refset_parse(text, &two, NULL) != AY_OK ||
	    !ay_bytes_eq(AY_BYTES(one->sha256), AY_BYTES(two->sha256)))
		abort();
	ay_refset_free(one);
	ay_refset_free(two);
	ay_arena_fini(&a);
	AY_FUZZ_ACCEPT();
	return 0;
}
