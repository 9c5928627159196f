/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_crl c;

	if (ay_crl_parse(in, &c, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		(void)ay_crl_lists(&c, (struct ay_bytes){ p, n < 16 ? n : 16 });
	}
	return 0;
}
