/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/base/numbers.h"

#include <stdlib.h>

/* A text that is one number is also a list of that one. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes text = { p, n };
	uint64_t one = 0, set = 0;
	struct ay_err e;
	bool is_list = ay_number_set_parse(text, "n", 23, &set, &e) == AY_OK;

	if (is_list && (set == 0 || set >> 24 != 0))
		abort();
	if (ay_number_parse(text, "n", 23, &one, &e) == AY_OK &&
	    (!is_list || set != UINT64_C(1) << one))
		abort();
	if (is_list)
		AY_FUZZ_ACCEPT();
	return 0;
}
