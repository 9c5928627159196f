/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/appraise/report_json.h"

#include <stdlib.h>

/* A report that parses is written to a form that parses, and makes an object. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_report_head head = { 0 };
	struct ay_report rep, again;
	struct ay_arena a;
	struct ay_bytes b;

	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	if (ay_report_parse((struct ay_bytes){ p, n }, &a, &rep, NULL) == AY_OK) {
		json_t *j = ay_report_json(&rep, &head);

		b = ay_report_write(&rep, &a);
		if (ay_report_parse(b, &a, &again, NULL) != AY_OK || again.verdict != rep.verdict)
			abort();
		json_decref(j);
		AY_FUZZ_ACCEPT();
	}
	ay_arena_fini(&a);
	return 0;
}
