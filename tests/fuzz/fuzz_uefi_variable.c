/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/tcg_data.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_uefi_variable v;

	if (ay_uefi_variable_parse((struct ay_bytes){ p, n }, &v, NULL) != AY_OK)
		return 0;
	AY_FUZZ_ACCEPT();
	if (32 + v.name.n + v.value.n != n)
		abort();
	return 0;
}
