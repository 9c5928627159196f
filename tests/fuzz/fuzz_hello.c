/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "prog/assayd/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_hello h;

	if (ay_hello_parse(in, &h, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
