/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 16u
#define BLOCK 65536u

struct ay_arena_block {
	struct ay_arena_block *next;
	size_t size; /* of data */
	size_t used;
	_Alignas(ALIGN) uint8_t data[];
};

void ay_arena_init(struct ay_arena *a, size_t max_bytes)
{
	*a = (struct ay_arena){ .max = max_bytes };
}

void ay_arena_fini(struct ay_arena *a)
{
	struct ay_arena_block *b = a->head, *next;

	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	a->head = NULL;
	a->used = 0;
}

void ay_arena_reset(struct ay_arena *a)
{
	struct ay_arena_block *keep = a->head;

	if (keep == NULL || keep->size != BLOCK) {
		ay_arena_fini(a);
		return;
	}
	a->head = keep->next;
	ay_arena_fini(a);
	memset(keep->data, 0, keep->used);
	keep->next = NULL;
	keep->used = 0;
	a->head = keep;
}

static struct ay_arena_block *add_block(struct ay_arena *a, size_t n)
{
#ifdef AY_ARENA_DEBUG
	size_t size = n;
#else
	size_t size = n > BLOCK ? n : BLOCK;
#endif
	struct ay_arena_block *b = NULL;

	if (size <= SIZE_MAX - sizeof(*b))
		b = calloc(1, sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->size = size;
	b->next = a->head;
	a->head = b;
	return b;
}

void *ay_arena_alloc(struct ay_arena *a, size_t n)
{
	size_t need = n + (ALIGN - n % ALIGN) % ALIGN;
	struct ay_arena_block *b = a->head;
	void *p;

	if (need < n || need > a->max - a->used)
		return NULL;
#ifdef AY_ARENA_DEBUG
	need = n;
	b = NULL;
#endif
	if (b == NULL || need > b->size - b->used)
		b = add_block(a, need);
	if (b == NULL)
		return NULL;
	p = b->data + b->used;
	b->used += need;
	a->used += need;
	return p;
}

void *ay_arena_array(struct ay_arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	return ay_arena_alloc(a, n);
}

char *ay_arena_str(struct ay_arena *a, struct ay_bytes s)
{
	char *p = s.n == SIZE_MAX ? NULL : ay_arena_alloc(a, s.n + 1);

	if (p != NULL && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

char *ay_arena_printf(struct ay_arena *a, const char *fmt, ...)
{
	char *p = NULL;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0)
		p = ay_arena_alloc(a, (size_t)n + 1);
	if (p != NULL)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return p;
}

struct ay_bytes ay_arena_dup(struct ay_arena *a, struct ay_bytes b)
{
	uint8_t *p = ay_arena_alloc(a, b.n);

	if (p == NULL)
		return (struct ay_bytes){ 0 };
	if (b.n > 0)
		memcpy(p, b.p, b.n);
	return (struct ay_bytes){ p, b.n };
}
