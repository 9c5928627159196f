/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };

	if (ay_envelope_parse(in, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
