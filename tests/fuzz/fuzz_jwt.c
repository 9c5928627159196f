/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/assertion/ear.h"

#include <stdlib.h>
#include <string.h>

/*
 * A JWK set, a zero octet, and a JWT by one of its keys. What is accepted names
 * a key of the set and a time that is not over.
 */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *end = n ? memchr(p, 0, n) : NULL;
	struct ay_ear_expect want = { .now_ms = 1800000000000 };
	struct ay_jwks keys;
	json_t *claims;

	if (end == NULL ||
	    ay_jwks_parse((struct ay_bytes){ p, (size_t)(end - p) }, &keys, NULL) != AY_OK)
		return 0;
	want.keys = &keys;
	if (ay_ear_verify((struct ay_bytes){ end + 1, n - (size_t)(end - p) - 1 }, &want, &claims,
			  NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		if (keys.n == 0 ||
		    json_integer_value(json_object_get(claims, "exp")) <= want.now_ms / 1000)
			abort();
		json_decref(claims);
	} else if (claims != NULL) {
		abort();
	}
	return 0;
}
