/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/appraise/policy.h"

#include <stdlib.h>

/* A policy that parses is written and parses again to the same name. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_policy *one, *two;
	struct ay_arena a;

	if (ay_policy_parse((struct ay_bytes){ p, n }, &one, NULL) != AY_OK)
		return 0;
	ay_arena_init(&a, AY_MAX_POLICY_BYTES);
	if (ay_policy_parse(ay_policy_build(one, &a), &two, NULL) != AY_OK ||
	    !ay_bytes_eq(AY_BYTES(one->sha256), AY_BYTES(two->sha256)))
		abort();
	ay_policy_free(one);
	ay_policy_free(two);
	ay_arena_fini(&a);
	AY_FUZZ_ACCEPT();
	return 0;
}
