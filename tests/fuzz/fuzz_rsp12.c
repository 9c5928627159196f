/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/tpm/cmd12.h"
#include "core/tpm/key12.h"
#include "core/tpm/reply12.h"

#include <stdlib.h>
#include <string.h>

/* Whatever stands between us and a TPM 1.2 may answer anything to any command. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t nonce[AY_SHA1_BYTES];
	struct ay_bytes in = { p, n }, params, b;
	uint32_t handles[AY_HANDLES12_MAX], one, size;
	struct ay_identity12 id;
	struct ay_version12 v;
	struct ay_auth12 a = { 0 };
	struct ay_signed12 q;
	struct ay_cmd12 c;
	size_t count;

	ay_cmd12_begin(&c, AY_ORD12_PCR_READ);
	if (ay_rsp12_open(&c, in, &one, 0, NULL, 0, &params, NULL) != AY_OK)
		return 0;
	AY_FUZZ_ACCEPT();
	if (n >= 10 && ay_rsp12_size(p) != n && n <= AY_CMD12_MAX)
		abort();
	if (ay_oiap12_parse(params, &a, NULL) == AY_OK && params.n != 24)
		abort();
	if (ay_osap12_parse(params, nonce, nonce, &a, NULL) == AY_OK && params.n != 44)
		abort();
	if (ay_signed12_parse(params, true, nonce, &q, NULL) == AY_OK && q.n > sizeof(q.message))
		abort();
	if (ay_handles12_parse(params, handles, &count, NULL) == AY_OK && count > AY_HANDLES12_MAX)
		abort();
	if (ay_identity12_parse(params, &id, NULL) == AY_OK &&
	    id.key.n + id.binding.n + 4 != params.n)
		abort();
	if (ay_version12_parse(params, &v, NULL) == AY_OK && strlen(v.vendor) > 4)
		abort();
	(void)!ay_signed12_parse(params, false, nonce, &q, NULL);
	(void)!ay_sized12_parse(params, &b, NULL);
	(void)!ay_nv12_parse(params, 0x1000f000, &size, NULL);
	(void)!ay_pubek12_parse(params, nonce, &b, NULL);
	return 0;
}
