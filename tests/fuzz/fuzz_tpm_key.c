/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_pubkey *key = NULL;

	if (ay_pubkey_new_spki((struct ay_bytes){ p, n }, &key, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_pubkey_free(key);
	}
	return 0;
}
