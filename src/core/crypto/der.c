/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/der.h"

#include "core/base/timefmt.h"

#include <stdio.h>

uint8_t ay_der_peek(const struct ay_reader *r)
{
	return ay_rd_peek8(r);
}

/* Tag and length; the length is definite, in its shortest form, of four octets at most. */
static size_t head(struct ay_reader *r, const char *field, uint8_t *tag)
{
	uint32_t n;
	uint8_t first, octets;

	*tag = ay_rd_u8(r, field);
	if ((*tag & 0x1f) == 0x1f)
		ay_rd_reject(r, field, "tag of more than one octet");
	first = ay_rd_u8(r, field);
	if (first < 0x80)
		return first;
	octets = first & 0x7f;
	if (octets == 0 || octets > 4) {
		ay_rd_reject(r, field, "length 0x%02x is not DER", first);
		return 0;
	}
	n = 0;
	for (uint8_t i = 0; i < octets; i++)
		n = n << 8 | ay_rd_u8(r, field);
	if (n < 0x80 || (octets > 1 && n < 1u << (8 * (octets - 1))))
		ay_rd_reject(r, field, "length is not in its shortest form");
	return n;
}

static size_t expect(struct ay_reader *r, const char *field, uint8_t want)
{
	uint8_t tag;
	size_t n = head(r, field, &tag);

	if (ay_rd_ok(r) && tag != want)
		ay_rd_reject(r, field, "tag 0x%02x, want 0x%02x", tag, want);
	return ay_rd_ok(r) ? n : 0;
}

struct ay_bytes ay_der_get(struct ay_reader *r, const char *field, uint8_t tag)
{
	size_t n = expect(r, field, tag);

	return ay_rd_bytes(r, field, n);
}

struct ay_bytes ay_der_whole(struct ay_reader *r, const char *field)
{
	size_t at = ay_rd_offset(r);
	uint8_t tag;
	size_t n = head(r, field, &tag);

	ay_rd_bytes(r, field, n);
	return ay_rd_since(r, at);
}

void ay_der_enter(struct ay_reader *r, const char *field, uint8_t tag, struct ay_reader *sub)
{
	size_t n = expect(r, field, tag);

	ay_rd_window(r, field, n, sub);
}

bool ay_der_enter_if(struct ay_reader *r, const char *field, uint8_t tag, struct ay_reader *sub)
{
	if (ay_der_peek(r) != tag)
		return false;
	ay_der_enter(r, field, tag, sub);
	return true;
}

uint32_t ay_der_u31(struct ay_reader *r, const char *field)
{
	struct ay_bytes b = ay_der_get(r, field, AY_DER_INTEGER);
	uint32_t v = 0;

	if (!ay_rd_ok(r))
		return 0;
	if (b.n == 0 || b.n > 4 || b.p[0] > 0x7f || (b.n > 1 && b.p[0] == 0 && b.p[1] < 0x80)) {
		ay_rd_reject(r, field, "not a small number");
		return 0;
	}
	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return v;
}

bool ay_der_bool(struct ay_reader *r, const char *field)
{
	struct ay_bytes b = ay_der_get(r, field, AY_DER_BOOLEAN);

	if (ay_rd_ok(r) && (b.n != 1 || (b.p[0] != 0 && b.p[0] != 0xff)))
		ay_rd_reject(r, field, "not a boolean");
	return ay_rd_ok(r) && b.p[0] == 0xff;
}

int64_t ay_der_time(struct ay_reader *r, const char *field)
{
	bool utc = ay_der_peek(r) == AY_DER_UTC_TIME;
	struct ay_bytes b = ay_der_get(r, field, utc ? AY_DER_UTC_TIME : AY_DER_GENERALIZED_TIME);
	const char *t = (const char *)b.p, *century;
	char text[AY_TIME_ROOM];
	int64_t at = 0;

	if (!ay_rd_ok(r))
		return 0;
	if (b.n != (utc ? 13u : 15u)) {
		ay_rd_reject(r, field, "time of %zu octets", b.n);
		return 0;
	}
	century = !utc ? "" : t[0] < '5' ? "20" : "19"; /* [RFC5280 4.1.2.5.1] */
	snprintf(text, sizeof(text), "%s%.*s-%.2s-%.2sT%.2s:%.2s:%.3s", century, utc ? 2 : 4, t,
		 t + b.n - 11, t + b.n - 9, t + b.n - 7, t + b.n - 5, t + b.n - 3);
	if (ay_time_parse(ay_bytes_of(text), field, &at, NULL) != AY_OK)
		ay_rd_reject(r, field, "not a time");
	return at;
}

struct ay_bytes ay_der_bits(struct ay_reader *r, const char *field)
{
	struct ay_bytes b = ay_der_get(r, field, AY_DER_BIT_STRING);

	if (!ay_rd_ok(r))
		return b;
	if (b.n == 0 || b.p[0] != 0) {
		ay_rd_reject(r, field, "bit string with unused bits");
		return (struct ay_bytes){ 0 };
	}
	return (struct ay_bytes){ b.p + 1, b.n - 1 };
}
