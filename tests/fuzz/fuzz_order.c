/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/authz/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_order o;

	if (ay_order_parse(in, &o, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
