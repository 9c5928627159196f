/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/tpm/tpm12.h"

#include <stdlib.h>
#include <string.h>

/* Values taken out of a composite and put together again have its digest. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t digest[AY_TPM12_DIGEST], again[AY_TPM12_DIGEST];
	struct ay_pcrs pcrs = { 0 };
	struct ay_composite12 c;

	if (ay_composite12_parse((struct ay_bytes){ p, n }, &c, NULL) != AY_OK)
		return 0;
	AY_FUZZ_ACCEPT();
	ay_composite12_digest(&c, digest);
	ay_composite12_pcrs(&c, &pcrs);
	if (!ay_composite12_of(&pcrs, c.mask, c.select_n, again) ||
	    memcmp(digest, again, sizeof(digest)) != 0)
		abort();
	return 0;
}
