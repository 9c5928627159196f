/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/tpm/tpm12.h"

/* All structures of the family: quotes, the quote file, public keys. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_pubkey *key = NULL;
	struct ay_quote12 q;
	struct ay_file12 f;
	struct ay_pcrs pcrs = { 0 };
	uint8_t digest[AY_TPM12_DIGEST];

	if (ay_quote12_parse(in, &q, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	if (ay_file12_parse(in, &f, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_composite12_digest(&f.composite, digest);
		ay_composite12_pcrs(&f.composite, &pcrs);
	}
	if (ay_pubkey12_parse(in, &key, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_pubkey_free(key);
	}
	return 0;
}
