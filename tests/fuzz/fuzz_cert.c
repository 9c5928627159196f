/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/crypto/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t san[] = { 0x55, 0x1d, 0x11 }; /* 2.5.29.17 */
	struct ay_pubkey *key = NULL;
	struct ay_cert c;
	bool critical;

	if (ay_cert_parse((struct ay_bytes){ p, n }, &c, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		(void)ay_cert_extension(&c, AY_BYTES(san), &critical);
		if (ay_cert_key(&c, &key, NULL) == AY_OK)
			ay_pubkey_free(key);
	}
	return 0;
}
