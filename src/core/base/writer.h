/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_WRITER_H
#define AY_BASE_WRITER_H

/*
 * The mirror of the reader: append fields to a caller's buffer of fixed size.
 * The first overflow sticks and is reported by ay_wr_end(). Lengths that are
 * known only later are opened, and patched when closed.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

struct ay_writer {
	uint8_t *p;
	size_t n;   /* written */
	size_t max; /* capacity of p */
	struct ay_err fail;
};

void ay_wr_init(struct ay_writer *w, void *buf, size_t max);

void ay_wr_u8(struct ay_writer *w, uint8_t v);
void ay_wr_be16(struct ay_writer *w, uint16_t v);
void ay_wr_be32(struct ay_writer *w, uint32_t v);
void ay_wr_be64(struct ay_writer *w, uint64_t v);
void ay_wr_le16(struct ay_writer *w, uint16_t v);
void ay_wr_le32(struct ay_writer *w, uint32_t v);
void ay_wr_le64(struct ay_writer *w, uint64_t v);
void ay_wr_bytes(struct ay_writer *w, struct ay_bytes b);
void ay_wr_str(struct ay_writer *w, const char *s); /* without terminator or length */
/* A big-endian length and the octets; too long for the length field is a failure. */
void ay_wr_vec8(struct ay_writer *w, struct ay_bytes b);
void ay_wr_vec16(struct ay_writer *w, struct ay_bytes b);
void ay_wr_vec32(struct ay_writer *w, struct ay_bytes b);

/* Reserve a big-endian length; returns its place for the matching close. */
AY_MUST_USE size_t ay_wr_open16(struct ay_writer *w);
void ay_wr_close16(struct ay_writer *w, size_t at);
AY_MUST_USE size_t ay_wr_open32(struct ay_writer *w);
void ay_wr_close32(struct ay_writer *w, size_t at);

/* AY_OK and the bytes written (borrowed from the buffer), or the first failure. */
AY_MUST_USE enum ay_rc ay_wr_end(const struct ay_writer *w, const char *what, struct ay_bytes *out,
				 struct ay_err *e);

#endif
