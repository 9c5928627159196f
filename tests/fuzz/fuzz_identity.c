/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/aikwire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_identity_request q;
	struct ay_ca_answer a;

	if (ay_identity_request_parse(in, &q, NULL) == AY_OK ||
	    ay_ca_answer_parse(in, &a, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
