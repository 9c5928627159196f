/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/pinchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	const uint8_t pin[32] = { 0 };
	struct ay_pin_change c;

	if (ay_pin_change_parse(in, &c, NULL) != AY_OK)
		return 0;
	AY_FUZZ_ACCEPT();
	if (ay_pin_change_check(&c, pin, 0, 0, NULL) == AY_OK)
		__builtin_trap(); /* nobody has a key whose SPKI hashes to zero */
	return 0;
}
