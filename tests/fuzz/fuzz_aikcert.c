/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/aikcert.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_aikcert c;

	if (ay_aikcert_parse(in, &c, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
