/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/tagcert.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_tag_cert c;

	if (ay_tag_cert_parse(in, &c, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
