/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/tpm/identity12.h"

#include <stdlib.h>
#include <string.h>

/* TPM_IDENTITY_PROOF as it is inside a request; what is read is what is written. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t buf[32 * 1024];
	struct ay_secret secret;
	struct ay_proof12 proof, again;
	struct ay_writer w;
	struct ay_bytes b;

	(void)!ay_credential12_open((struct ay_bytes){ p, n },
				    (struct ay_bytes){ p, n < 24 ? n : 24 }, &secret, NULL);
	if (ay_proof12_parse((struct ay_bytes){ p, n }, &proof, NULL) != AY_OK)
		return 0;
	AY_FUZZ_ACCEPT();
	ay_wr_init(&w, buf, sizeof(buf));
	ay_proof12_write(&w, &proof);
	if (ay_wr_end(&w, "proof", &b, NULL) != AY_OK ||
	    ay_proof12_parse(b, &again, NULL) != AY_OK || !ay_bytes_eq(again.ak, proof.ak) ||
	    !ay_bytes_eq(again.label, proof.label) || !ay_bytes_eq(again.ek_cert, proof.ek_cert))
		abort();
	return 0;
}
