/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/txt.h"

#include <stdlib.h>

/* Events and tail lie inside the input, one after the other. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_txt_container c;

	if (ay_txt_container_parse((struct ay_bytes){ p, n }, &c, NULL) != AY_OK)
		return 0;
	AY_FUZZ_ACCEPT();
	if (c.events_offset + c.events.n + c.tail.n != n)
		abort();
	return 0;
}
