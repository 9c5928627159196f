/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/text.h"

#include "core/base/hex.h"

enum { DIGITS_MAX = 15 };

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

void ay_text_expect(struct ay_reader *r, const char *field, const char *literal)
{
	struct ay_bytes got = ay_rd_bytes(r, field, strlen(literal));

	if (ay_rd_ok(r) && !ay_bytes_eq(got, ay_bytes_of(literal)))
		ay_rd_reject(r, field, "want %s", literal);
}

bool ay_text_expect_if(struct ay_reader *r, const char *field, const char *literal)
{
	if (ay_rd_peek8(r) != (uint8_t)literal[0])
		return false;
	ay_text_expect(r, field, literal);
	return ay_rd_ok(r);
}

struct ay_bytes ay_text_quoted(struct ay_reader *r, const char *field, size_t max)
{
	size_t at = ay_rd_offset(r);
	struct ay_bytes text;

	while (ay_rd_left(r) > 0 && is_plain(ay_rd_peek8(r)))
		ay_rd_u8(r, field);
	text = ay_rd_since(r, at);
	if (text.n > max)
		ay_rd_limit(r, field, text.n, max);
	ay_text_expect(r, field, "\"");
	return text;
}

void ay_text_copy(struct ay_reader *r, const char *field, char *out, size_t size)
{
	struct ay_bytes text = ay_text_quoted(r, field, size - 1);

	memset(out, 0, size);
	if (ay_rd_ok(r) && text.n > 0)
		memcpy(out, text.p, text.n);
}

void ay_text_hex(struct ay_reader *r, const char *field, uint8_t *out, size_t n)
{
	struct ay_bytes text = ay_rd_bytes(r, field, 2 * n);

	memset(out, 0, n);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 'A' && text.p[i] <= 'F')
			ay_rd_reject(r, field, "upper-case digit");
	if (ay_rd_ok(r) && ay_hex_decode(text, field, out, n, NULL) != AY_OK)
		ay_rd_reject(r, field, "not %zu octets in hex", n);
	ay_text_expect(r, field, "\"");
}

int64_t ay_text_number(struct ay_reader *r, const char *field)
{
	int64_t v = 0;
	unsigned digits = 0;

	while (ay_rd_peek8(r) >= '0' && ay_rd_peek8(r) <= '9') {
		if ((digits == 1 && v == 0) || digits++ == DIGITS_MAX) {
			ay_rd_reject(r, field, "leading zero, or too long");
			return 0;
		}
		v = v * 10 + (ay_rd_u8(r, field) - '0');
	}
	if (digits == 0)
		ay_rd_reject(r, field, "not a number");
	return v;
}

bool ay_text_is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (!is_plain((uint8_t)*s))
			return false;
	return true;
}
