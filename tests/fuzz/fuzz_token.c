/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_token t;

	if (ay_token_parse(in, &t, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
