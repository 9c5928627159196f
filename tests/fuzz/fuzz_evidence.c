/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "prog/assayd/evidence.h"

/* Changes are read on top of these: one bank with PCR 0. */
static const uint8_t known[] = { 1, 0, 0x0b, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				 0, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	struct ay_evidence ev;
	struct ay_pcrs values;

	if (ay_evidence_parse(in, &ev, NULL) == AY_OK &&
	    ay_evidence_values(&ev, AY_BYTES(known), &values, NULL) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
