/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ay_rd_init(struct ay_reader *r, struct ay_bytes in)
{
	*r = (struct ay_reader){ .p = in.p, .n = in.n };
	r->fail = &r->own;
}

bool ay_rd_ok(const struct ay_reader *r)
{
	return r->fail->rc == AY_OK;
}

size_t ay_rd_left(const struct ay_reader *r)
{
	return ay_rd_ok(r) ? r->n : 0;
}

size_t ay_rd_offset(const struct ay_reader *r)
{
	return r->base;
}

uint8_t ay_rd_peek8(const struct ay_reader *r)
{
	return ay_rd_left(r) > 0 ? *r->p : 0;
}

struct ay_bytes ay_rd_since(const struct ay_reader *r, size_t offset)
{
	size_t n = r->base - offset;

	if (!ay_rd_ok(r) || offset > r->base)
		return (struct ay_bytes){ 0 };
	return (struct ay_bytes){ r->p - n, n };
}

/* The one bounds check of the tree: every octet of untrusted input passes here. */
static const uint8_t *take(struct ay_reader *r, const char *field, size_t n)
{
	const uint8_t *p = r->p;

	if (!ay_rd_ok(r))
		return NULL;
	if (n > r->n) {
		ay_err_set(r->fail, AY_E_INPUT, field, r->base, "need %zu bytes, %zu left", n,
			   r->n);
		return NULL;
	}
	if (n > 0)
		r->p += n;
	r->n -= n;
	r->base += n;
	return p;
}

static uint64_t take_be(struct ay_reader *r, const char *field, size_t n)
{
	const uint8_t *p = take(r, field, n);
	uint64_t v = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint64_t take_le(struct ay_reader *r, const char *field, size_t n)
{
	const uint8_t *p = take(r, field, n);
	uint64_t v = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t ay_rd_u8(struct ay_reader *r, const char *field)
{
	return (uint8_t)take_be(r, field, 1);
}

uint16_t ay_rd_be16(struct ay_reader *r, const char *field)
{
	return (uint16_t)take_be(r, field, 2);
}

uint32_t ay_rd_be32(struct ay_reader *r, const char *field)
{
	return (uint32_t)take_be(r, field, 4);
}

uint64_t ay_rd_be64(struct ay_reader *r, const char *field)
{
	return take_be(r, field, 8);
}

uint16_t ay_rd_le16(struct ay_reader *r, const char *field)
{
	return (uint16_t)take_le(r, field, 2);
}

uint32_t ay_rd_le32(struct ay_reader *r, const char *field)
{
	return (uint32_t)take_le(r, field, 4);
}

uint64_t ay_rd_le64(struct ay_reader *r, const char *field)
{
	return take_le(r, field, 8);
}

struct ay_bytes ay_rd_bytes(struct ay_reader *r, const char *field, size_t n)
{
	const uint8_t *p = take(r, field, n);

	return (struct ay_bytes){ p, p == NULL ? 0 : n };
}

static struct ay_bytes take_vec(struct ay_reader *r, const char *field, size_t n, size_t max)
{
	if (ay_rd_ok(r) && n > max)
		ay_rd_limit(r, field, n, max);
	return ay_rd_bytes(r, field, n);
}

struct ay_bytes ay_rd_vec8(struct ay_reader *r, const char *field, size_t max)
{
	size_t n = ay_rd_u8(r, field);

	return take_vec(r, field, n, max);
}

struct ay_bytes ay_rd_vec16(struct ay_reader *r, const char *field, size_t max)
{
	size_t n = ay_rd_be16(r, field);

	return take_vec(r, field, n, max);
}

struct ay_bytes ay_rd_vec32(struct ay_reader *r, const char *field, size_t max)
{
	size_t n = ay_rd_be32(r, field);

	return take_vec(r, field, n, max);
}

struct ay_bytes ay_rd_rest(struct ay_reader *r, const char *field)
{
	return ay_rd_bytes(r, field, ay_rd_left(r));
}

void ay_rd_copy(struct ay_reader *r, const char *field, void *out, size_t n)
{
	const uint8_t *p = take(r, field, n);

	memset(out, 0, n);
	if (p != NULL && n > 0)
		memcpy(out, p, n);
}

void ay_rd_window(struct ay_reader *r, const char *field, size_t n, struct ay_reader *sub)
{
	size_t at = r->base;
	const uint8_t *p = take(r, field, n);

	*sub = (struct ay_reader){ .p = p, .n = p == NULL ? 0 : n, .base = at, .fail = r->fail };
}

void ay_rd_window_end(struct ay_reader *sub, const char *field)
{
	if (ay_rd_ok(sub) && sub->n > 0)
		ay_err_set(sub->fail, AY_E_INPUT, field, sub->base, "%zu bytes too many", sub->n);
}

void ay_rd_expect32(struct ay_reader *r, const char *field, uint32_t want)
{
	size_t at = r->base;
	uint32_t got = ay_rd_be32(r, field);

	if (ay_rd_ok(r) && got != want)
		ay_err_set(r->fail, AY_E_INPUT, field, at, "is 0x%08x, not 0x%08x", got, want);
}

void ay_rd_reject(struct ay_reader *r, const char *field, const char *fmt, ...)
{
	char text[sizeof(r->own.text)];
	va_list ap;

	if (!ay_rd_ok(r))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ay_err_set(r->fail, AY_E_INPUT, field, r->base, "%s", text);
}

void ay_rd_limit(struct ay_reader *r, const char *field, size_t got, size_t max)
{
	if (ay_rd_ok(r))
		ay_err_set(r->fail, AY_E_LIMIT, field, r->base, "%zu, the limit is %zu", got, max);
}

enum ay_rc ay_rd_end(struct ay_reader *r, const char *what, struct ay_err *e)
{
	ay_rd_window_end(r, what);
	if (e != NULL)
		*e = *r->fail;
	return r->fail->rc;
}
