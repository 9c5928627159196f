/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_READER_H
#define AY_BASE_READER_H

/*
 * Bounded cursor over bytes that nobody has checked yet.
 *
 * The first failure sticks: later reads return zero or an empty view and do
 * not move, so a parser reads field after field and asks once, at the end,
 * with ay_rd_end(). Every read names its field; the name and the offset of the
 * first failure end up in the error.
 *
 * Rules that make it safe: count loops also ask ay_rd_ok(); never two reads in
 * one argument list; limits are checked before looping; an out parameter is
 * assigned only after ay_rd_end().
 *
 * Views returned by the reader borrow from the input buffer.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

struct ay_reader {
	const uint8_t *p;    /* next octet */
	size_t n;	     /* octets left in this window */
	size_t base;	     /* offset of p in the whole input */
	struct ay_err *fail; /* shared with windows: first failure */
	struct ay_err own;
};

void ay_rd_init(struct ay_reader *r, struct ay_bytes in);

uint8_t ay_rd_u8(struct ay_reader *r, const char *field);
uint16_t ay_rd_be16(struct ay_reader *r, const char *field);
uint32_t ay_rd_be32(struct ay_reader *r, const char *field);
uint64_t ay_rd_be64(struct ay_reader *r, const char *field);
uint16_t ay_rd_le16(struct ay_reader *r, const char *field);
uint32_t ay_rd_le32(struct ay_reader *r, const char *field);
uint64_t ay_rd_le64(struct ay_reader *r, const char *field);

/* Exactly n octets. */
struct ay_bytes ay_rd_bytes(struct ay_reader *r, const char *field, size_t n);
/* A big-endian length of 1, 2 or 4 octets and that many octets, at most max (AY_E_LIMIT). */
struct ay_bytes ay_rd_vec8(struct ay_reader *r, const char *field, size_t max);
struct ay_bytes ay_rd_vec16(struct ay_reader *r, const char *field, size_t max);
struct ay_bytes ay_rd_vec32(struct ay_reader *r, const char *field, size_t max);
/* All that is left. */
struct ay_bytes ay_rd_rest(struct ay_reader *r, const char *field);

/* Copy exactly n octets to out; zeroes out on failure. */
void ay_rd_copy(struct ay_reader *r, const char *field, void *out, size_t n);

/* A reader over the next n octets, which it shares failures with; ends with ay_rd_window_end(). */
void ay_rd_window(struct ay_reader *r, const char *field, size_t n, struct ay_reader *sub);
/* The window must have been read whole; else the failure is trailing bytes. */
void ay_rd_window_end(struct ay_reader *sub, const char *field);

void ay_rd_expect32(struct ay_reader *r, const char *field, uint32_t want);
/* The parser itself found something wrong with what it read last. */
void ay_rd_reject(struct ay_reader *r, const char *field, const char *fmt, ...) AY_PRINTF(3, 4);
/* As ay_rd_reject, with AY_E_LIMIT. */
void ay_rd_limit(struct ay_reader *r, const char *field, size_t got, size_t max);

bool ay_rd_ok(const struct ay_reader *r);
size_t ay_rd_left(const struct ay_reader *r);
size_t ay_rd_offset(const struct ay_reader *r);
/* The next octet without reading it; 0 when nothing is left. */
uint8_t ay_rd_peek8(const struct ay_reader *r);
/* What this reader has read since ay_rd_offset() gave offset; empty after a failure. */
struct ay_bytes ay_rd_since(const struct ay_reader *r, size_t offset);

/* AY_OK if nothing failed and nothing is left; else the first failure, copied to e. */
AY_MUST_USE enum ay_rc ay_rd_end(struct ay_reader *r, const char *what, struct ay_err *e);

#endif
