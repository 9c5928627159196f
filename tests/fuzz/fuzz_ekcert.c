/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/ekcert.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_ekcert c;
	struct ay_pubkey *key = NULL;

	if (ay_ekcert_parse(in, &c, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		if (ay_cert_key(&c.cert, &key, NULL) == AY_OK)
			ay_pubkey_free(key);
	}
	return 0;
}
