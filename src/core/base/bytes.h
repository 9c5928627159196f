/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_BYTES_H
#define AY_BASE_BYTES_H

/*
 * A view of bytes that somebody else owns. Passed by value; the comment of a
 * function that returns one names what it borrows from.
 */
#include "core/base/defs.h"

#include <string.h>

struct ay_bytes {
	const uint8_t *p;
	size_t n;
};

/* A view of a string without its terminator. */
static inline struct ay_bytes ay_bytes_of(const char *s)
{
	return (struct ay_bytes){ (const uint8_t *)s, strlen(s) };
}

/* Byte-wise equality of public data; secrets use CRYPTO_memcmp. */
static inline bool ay_bytes_eq(struct ay_bytes a, struct ay_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

#define AY_BYTES(array) ((struct ay_bytes){ (const uint8_t *)(array), sizeof(array) })

#endif
