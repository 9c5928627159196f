/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/guid.h"

#include "core/base/uuid.h"

static void swap(uint8_t g[16])
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint8_t was[16];

	memcpy(was, g, sizeof(was));
	for (size_t i = 0; i < sizeof(was); i++)
		g[i] = was[order[i]];
}

enum ay_rc ay_guid_parse(const char *text, const char *field, uint8_t out[16], struct ay_err *e)
{
	struct ay_uuid u = { 0 };
	enum ay_rc rc = ay_uuid_parse(ay_bytes_of(text), field, &u, e);

	swap(u.b);
	memcpy(out, u.b, sizeof(u.b));
	return rc;
}

void ay_guid_format(const uint8_t guid[16], char out[AY_GUID_TEXT])
{
	struct ay_uuid u;

	memcpy(u.b, guid, sizeof(u.b));
	swap(u.b);
	ay_uuid_format(&u, out);
}
