/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/base/timefmt.h"
#include "core/base/uuid.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Times and UUIDs; what was accepted is written as it was read (in lower case, without ".000"). */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n };
	char id[AY_UUID_TEXT], time[AY_TIME_ROOM];
	struct ay_uuid u;
	int64_t at, again;

	if (ay_uuid_parse(in, "t", &u, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_uuid_format(&u, id);
		if (strncasecmp(id, (const char *)p, n) != 0 || !ay_uuid_looks_like(in))
			abort();
	}
	if (ay_time_parse(in, "t", &at, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_time_format(at, time);
		if (memcmp(p, time, 19) != 0 ||
		    ay_time_parse(ay_bytes_of(time), "t", &again, NULL) != AY_OK || again != at)
			abort();
	}
	return 0;
}
