/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_ALIGN_H
#define AY_BASE_ALIGN_H

/*
 * What differs between two sequences: the gaps between the elements of a
 * longest common subsequence.
 */
#include "core/base/arena.h"

/* Stretches longer than this are not aligned but given as one gap. */
#define AY_ALIGN_MAX 512

struct ay_align {
	size_t n_a, n_b;
	/* Is element a of the first the same as element b of the second? */
	bool (*same)(void *arg, size_t a, size_t b);
	/* A gap: n_a elements from a stand where n_b elements from b stand; not both are none. */
	void (*gap)(void *arg, size_t a, size_t n_a, size_t b, size_t n_b);
	void *arg;
};

/* Calls gap in order; never when all is the same. Without memory as for long stretches. */
void ay_align(const struct ay_align *al, struct ay_arena *arena);

#endif
