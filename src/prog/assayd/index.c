/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/index.h"

#include <stdlib.h>

struct slot {
	struct ay_bytes key;
	void *value; /* NULL: free */
};

struct ay_index {
	uint64_t seed;
	size_t n, room; /* room: a power of two, more than 4/3 n */
	struct slot *slot;
};

struct ay_index *ay_index_new(uint64_t seed)
{
	struct ay_index *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->seed = seed;
	x->room = 64;
	x->slot = calloc(x->room, sizeof(*x->slot));
	if (!x->slot) {
		free(x);
		return NULL;
	}
	return x;
}

void ay_index_free(struct ay_index *x)
{
	if (!x)
		return;
	free(x->slot);
	free(x);
}

/* FNV-1a with a random start, then mixed: keys are names or digests, at most 128 octets. */
static size_t place(const struct ay_index *x, struct ay_bytes key)
{
	uint64_t h = x->seed ^ 0xcbf29ce484222325u;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ key.p[i]) * 0x100000001b3u + (x->seed >> 7);
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return (size_t)(h >> 20) & (x->room - 1);
}

static struct slot *slot_of(const struct ay_index *x, struct ay_bytes key)
{
	size_t i = place(x, key);

	while (x->slot[i].value && !ay_bytes_eq(x->slot[i].key, key))
		i = (i + 1) & (x->room - 1);
	return &x->slot[i];
}

void *ay_index_find(const struct ay_index *x, struct ay_bytes key)
{
	return slot_of(x, key)->value;
}

static bool grow(struct ay_index *x)
{
	struct slot *old = x->slot;
	size_t room = x->room;

	x->slot = calloc(2 * room, sizeof(*x->slot));
	if (!x->slot) {
		x->slot = old;
		return false;
	}
	x->room = 2 * room;
	for (size_t i = 0; i < room; i++)
		if (old[i].value)
			*slot_of(x, old[i].key) = old[i];
	free(old);
	return true;
}

bool ay_index_add(struct ay_index *x, struct ay_bytes key, void *value)
{
	struct slot *s;

	if (4 * (x->n + 1) > 3 * x->room && !grow(x))
		return false;
	s = slot_of(x, key);
	if (s->value)
		return s->value == value;
	*s = (struct slot){ key, value };
	x->n++;
	return true;
}

void ay_index_drop(struct ay_index *x, struct ay_bytes key, const void *value)
{
	struct slot *s = slot_of(x, key), moved;
	size_t i;

	if (!s->value || s->value != value)
		return;
	*s = (struct slot){ 0 };
	x->n--;
	/* those behind it may have been pushed there by it */
	for (i = ((size_t)(s - x->slot) + 1) & (x->room - 1); x->slot[i].value;
	     i = (i + 1) & (x->room - 1)) {
		moved = x->slot[i];
		x->slot[i] = (struct slot){ 0 };
		*slot_of(x, moved.key) = moved;
	}
}

void ay_index_sweep(struct ay_index *x, bool (*drop)(void *arg, void *value), void *arg)
{
	struct slot *old = x->slot;
	size_t room = x->room;
	struct slot *fresh = calloc(room, sizeof(*fresh));

	if (!fresh)
		return; /* the next sweep does it */
	x->slot = fresh;
	x->n = 0;
	for (size_t i = 0; i < room; i++)
		if (old[i].value && !drop(arg, old[i].value)) {
			*slot_of(x, old[i].key) = old[i];
			x->n++;
		}
	free(old);
}
