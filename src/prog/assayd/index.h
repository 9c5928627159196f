/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_INDEX_H
#define AY_ASSAYD_INDEX_H

/*
 * Which host has this name, key or id. Open addressing over keys that the
 * entries borrow from their hosts; the seed is random, so a peer cannot choose
 * keys that collide.
 */
#include "core/base/bytes.h"

struct ay_index;

AY_MUST_USE struct ay_index *ay_index_new(uint64_t seed);
void ay_index_free(struct ay_index *x);				    /* NULL is fine */
void *ay_index_find(const struct ay_index *x, struct ay_bytes key); /* NULL = none */
/* key lives as long as the entry. False: taken by another value, or no memory. */
AY_MUST_USE bool ay_index_add(struct ay_index *x, struct ay_bytes key, void *value);
/* Only if it is value's; nothing else is touched. */
void ay_index_drop(struct ay_index *x, struct ay_bytes key, const void *value);
/* Take out every entry for which drop says so. */
void ay_index_sweep(struct ay_index *x, bool (*drop)(void *arg, void *value), void *arg);

#endif
