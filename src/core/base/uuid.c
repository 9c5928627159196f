/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/uuid.h"
#include "core/base/hex.h"

static bool is_dash(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

void ay_uuid_format(const struct ay_uuid *u, char out[AY_UUID_TEXT])
{
	char hex[33];
	size_t h = 0;

	ay_hex_encode(AY_BYTES(u->b), hex);
	for (size_t i = 0; i < 36; i++)
		out[i] = is_dash(i) ? '-' : hex[h++];
	out[36] = '\0';
}

enum ay_rc ay_uuid_parse(struct ay_bytes text, const char *field, struct ay_uuid *out,
			 struct ay_err *e)
{
	uint8_t hex[32];
	size_t h = 0;

	*out = (struct ay_uuid){ 0 };
	if (text.n != 36)
		return ay_fail(e, AY_E_INPUT, field, 0, "a UUID has 36 characters, not %zu",
			       text.n);
	for (size_t i = 0; i < 36; i++) {
		if (is_dash(i) != (text.p[i] == '-'))
			return ay_fail(e, AY_E_INPUT, field, i, "dash misplaced in UUID");
		if (!is_dash(i))
			hex[h++] = text.p[i];
	}
	return ay_hex_decode(AY_BYTES(hex), field, out->b, sizeof(out->b), e);
}

bool ay_uuid_looks_like(struct ay_bytes text)
{
	struct ay_uuid u;

	return ay_uuid_parse(text, "name", &u, NULL) == AY_OK;
}

struct ay_uuid ay_uuid_from_random(const uint8_t random[16])
{
	struct ay_uuid u;

	memcpy(u.b, random, sizeof(u.b));
	u.b[6] = (uint8_t)(0x40 | (u.b[6] & 0x0f));
	u.b[8] = (uint8_t)(0x80 | (u.b[8] & 0x3f));
	return u;
}

struct ay_uuid ay_uuid_from_time(int64_t at_ms, const uint8_t random[16])
{
	struct ay_uuid u = ay_uuid_from_random(random);

	for (unsigned i = 0; i < 6; i++)
		u.b[i] = (uint8_t)((uint64_t)at_ms >> (8 * (5 - i)));
	u.b[6] = (uint8_t)(0x70 | (u.b[6] & 0x0f));
	return u;
}

int64_t ay_uuid_time(const struct ay_uuid *u)
{
	int64_t at_ms = 0;

	if (u->b[6] >> 4 != 7)
		return -1;
	for (unsigned i = 0; i < 6; i++)
		at_ms = at_ms << 8 | u->b[i];
	return at_ms;
}
