/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "prog/assayd/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_enrol_proof proof;

	if (ay_enrol_proof_parse(in, &proof, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
