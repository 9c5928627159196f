/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/base/guid.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t guid[16], again[16];
	char text[64], back[AY_GUID_TEXT];
	struct ay_err e;

	if (n >= sizeof(text))
		return 0;
	if (n > 0)
		memcpy(text, p, n);
	text[n] = '\0';
	if (ay_guid_parse(text, "guid", guid, &e) != AY_OK)
		return 0;
	ay_guid_format(guid, back);
	assert(ay_guid_parse(back, "guid", again, &e) == AY_OK && memcmp(guid, again, 16) == 0);
	AY_FUZZ_ACCEPT();
	return 0;
}
