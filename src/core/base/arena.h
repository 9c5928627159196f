/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_ARENA_H
#define AY_BASE_ARENA_H

/*
 * Memory of one request or one appraisal: many small pieces, freed at once,
 * with a hard cap that input cannot exceed. Pieces are zeroed and aligned for
 * any type. With -DAY_ARENA_DEBUG every piece is a malloc of its own, so that
 * AddressSanitizer sees overruns between pieces.
 */
#include "core/base/bytes.h"

struct ay_arena {
	struct ay_arena_block *head;
	size_t used; /* octets handed out */
	size_t max;
};

void ay_arena_init(struct ay_arena *a, size_t max_bytes);
/* Frees all pieces; the arena may be used again. Fits AY_CLEANUP. */
void ay_arena_fini(struct ay_arena *a);
/* As fini, but keeps one block for the next use. */
void ay_arena_reset(struct ay_arena *a);

/* NULL when the cap is reached or memory is out. n == 0 gives a valid pointer. */
void *ay_arena_alloc(struct ay_arena *a, size_t n);
/* count items of size octets; NULL also when the product overflows. */
void *ay_arena_array(struct ay_arena *a, size_t count, size_t size);
/* A terminated copy; NULL as above. */
char *ay_arena_str(struct ay_arena *a, struct ay_bytes s);
char *ay_arena_printf(struct ay_arena *a, const char *fmt, ...) AY_PRINTF(2, 3);
/* A copy of b; {NULL, 0} as above. */
struct ay_bytes ay_arena_dup(struct ay_arena *a, struct ay_bytes b);

#endif
