/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/tpm/key12.h"

#include <stdlib.h>

/* A TPM_KEY12, or a TPM_PUBKEY, which has one spelling or none. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n }, b;
	struct ay_public12 k;
	uint8_t buf[2048];
	struct ay_writer w;
	uint16_t usage;

	(void)!ay_key12_parse(in, &k, &usage, NULL);
	if (ay_public12_parse(in, &k, NULL) != AY_OK)
		return 0;
	AY_FUZZ_ACCEPT();
	ay_wr_init(&w, buf, sizeof(buf));
	ay_public12_write(&w, &k);
	if (ay_ak12_fault(&k) == NULL &&
	    (ay_wr_end(&w, "key", &b, NULL) != AY_OK || !ay_bytes_eq(b, in)))
		abort();
	return 0;
}
