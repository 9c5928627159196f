/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/appraise/state.h"

#include <stdlib.h>

/* Canonical: what parses is written back octet by octet. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t buf[AY_TALLY_WIRE_MAX];
	struct ay_ima_tally t;
	struct ay_bytes out;
	struct ay_writer w;

	if (ay_tally_parse((struct ay_bytes){ p, n }, &t, NULL) != AY_OK)
		return 0;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_tally_write(&w, &t);
	if (ay_wr_end(&w, "tally", &out, NULL) != AY_OK ||
	    !ay_bytes_eq(out, (struct ay_bytes){ p, n }))
		abort();
	AY_FUZZ_ACCEPT();
	return 0;
}
