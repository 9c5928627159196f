/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/writer.h"

#include <string.h>

void ay_wr_init(struct ay_writer *w, void *buf, size_t max)
{
	*w = (struct ay_writer){ .p = buf, .max = max };
}

static uint8_t *reserve(struct ay_writer *w, size_t n)
{
	uint8_t *p;

	if (w->fail.rc != AY_OK)
		return NULL;
	if (n > w->max - w->n) {
		ay_err_set(&w->fail, AY_E_LIMIT, "writer", w->n, "%zu bytes do not fit in %zu", n,
			   w->max - w->n);
		return NULL;
	}
	p = w->p + w->n;
	w->n += n;
	return p;
}

static void put_be(struct ay_writer *w, uint64_t v, size_t n)
{
	uint8_t *p = reserve(w, n);

	for (size_t i = 0; p != NULL && i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static void put_le(struct ay_writer *w, uint64_t v, size_t n)
{
	uint8_t *p = reserve(w, n);

	for (size_t i = 0; p != NULL && i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void ay_wr_u8(struct ay_writer *w, uint8_t v)
{
	put_be(w, v, 1);
}

void ay_wr_be16(struct ay_writer *w, uint16_t v)
{
	put_be(w, v, 2);
}

void ay_wr_be32(struct ay_writer *w, uint32_t v)
{
	put_be(w, v, 4);
}

void ay_wr_be64(struct ay_writer *w, uint64_t v)
{
	put_be(w, v, 8);
}

void ay_wr_le16(struct ay_writer *w, uint16_t v)
{
	put_le(w, v, 2);
}

void ay_wr_le32(struct ay_writer *w, uint32_t v)
{
	put_le(w, v, 4);
}

void ay_wr_le64(struct ay_writer *w, uint64_t v)
{
	put_le(w, v, 8);
}

void ay_wr_bytes(struct ay_writer *w, struct ay_bytes b)
{
	uint8_t *p = reserve(w, b.n);

	if (p != NULL && b.n > 0)
		memcpy(p, b.p, b.n);
}

void ay_wr_str(struct ay_writer *w, const char *s)
{
	ay_wr_bytes(w, ay_bytes_of(s));
}

static void put_vec(struct ay_writer *w, struct ay_bytes b, size_t width)
{
	if (b.n >> (8 * width) != 0 && w->fail.rc == AY_OK)
		ay_err_set(&w->fail, AY_E_LIMIT, "writer", w->n,
			   "%zu bytes do not fit a length of %zu octets", b.n, width);
	put_be(w, b.n, width);
	ay_wr_bytes(w, b);
}

void ay_wr_vec8(struct ay_writer *w, struct ay_bytes b)
{
	put_vec(w, b, 1);
}

void ay_wr_vec16(struct ay_writer *w, struct ay_bytes b)
{
	put_vec(w, b, 2);
}

void ay_wr_vec32(struct ay_writer *w, struct ay_bytes b)
{
	put_vec(w, b, 4);
}

static void close_at(struct ay_writer *w, size_t at, size_t width)
{
	size_t len;

	if (w->fail.rc != AY_OK)
		return;
	len = w->n - at - width;
	if (len >> (8 * width) != 0) {
		ay_err_set(&w->fail, AY_E_LIMIT, "writer", at, "%zu bytes do not fit their length",
			   len);
		return;
	}
	for (size_t i = 0; i < width; i++)
		w->p[at + i] = (uint8_t)(len >> (8 * (width - 1 - i)));
}

size_t ay_wr_open16(struct ay_writer *w)
{
	size_t at = w->n;

	ay_wr_be16(w, 0);
	return at;
}

void ay_wr_close16(struct ay_writer *w, size_t at)
{
	close_at(w, at, 2);
}

size_t ay_wr_open32(struct ay_writer *w)
{
	size_t at = w->n;

	ay_wr_be32(w, 0);
	return at;
}

void ay_wr_close32(struct ay_writer *w, size_t at)
{
	close_at(w, at, 4);
}

enum ay_rc ay_wr_end(const struct ay_writer *w, const char *what, struct ay_bytes *out,
		     struct ay_err *e)
{
	*out = (struct ay_bytes){ 0 };
	if (w->fail.rc != AY_OK)
		return ay_fail(e, w->fail.rc, what, w->fail.offset, "%s", w->fail.text);
	*out = (struct ay_bytes){ w->p, w->n };
	return AY_OK;
}
