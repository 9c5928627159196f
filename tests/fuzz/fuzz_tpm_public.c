/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/tpm/ek_template.h"

/* What parses is written again alike; its Name and key must be computable without harm. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_pubkey *key = NULL;
	struct ay_public pub;
	struct ay_name name;
	uint8_t buf[2048];
	struct ay_writer w;

	if (ay_public_parse(in, &pub, NULL) != AY_OK && ay_public_parse_2b(in, &pub, NULL) != AY_OK)
		return 0;
	AY_FUZZ_ACCEPT();
	ay_wr_init(&w, buf, sizeof(buf));
	ay_public_write(&w, &pub);
	if (w.n != pub.raw.n || memcmp(buf, pub.raw.p, w.n) != 0)
		__builtin_trap();
	if (!ay_public_name(&pub, &name) && name.n != 0)
		__builtin_trap();
	(void)ay_ek_template_match(&pub);
	if (ay_public_key(&pub, &key, NULL) == AY_OK)
		ay_pubkey_free(key);
	return 0;
}
