/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/tpm/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_signature q;

	if (ay_signature_parse((struct ay_bytes){ p, n }, &q, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
