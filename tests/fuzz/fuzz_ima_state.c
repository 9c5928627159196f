/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/ima_replay.h"

#include <stdlib.h>
#include <string.h>

/* Canonical: what is accepted is written as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t buf[AY_IMA_STATE_WIRE_MAX];
	struct ay_ima_state s;
	struct ay_writer w;
	struct ay_bytes b;
	struct ay_err e;

	if (ay_ima_state_parse((struct ay_bytes){ p, n }, &s, &e) != AY_OK)
		return 0;
	AY_FUZZ_ACCEPT();
	ay_wr_init(&w, buf, sizeof(buf));
	ay_ima_state_write(&w, &s);
	if (ay_wr_end(&w, "state", &b, &e) != AY_OK || b.n != n || memcmp(b.p, p, n) != 0)
		abort();
	return 0;
}
