/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/wake.h"

#include <stdlib.h>

void ay_sched_init(struct ay_sched *s)
{
	*s = (struct ay_sched){ 0 };
}

void ay_sched_fini(struct ay_sched *s)
{
	free(s->heap);
	ay_sched_init(s);
}

static void put(struct ay_sched *s, uint32_t i, struct ay_wake *w)
{
	s->heap[i] = w;
	w->place = i;
}

static void sift_up(struct ay_sched *s, uint32_t i)
{
	struct ay_wake *w = s->heap[i];

	for (; i > 1 && s->heap[i / 2]->heap_at > w->heap_at; i /= 2)
		put(s, i, s->heap[i / 2]);
	put(s, i, w);
}

static void sift_down(struct ay_sched *s, uint32_t i)
{
	struct ay_wake *w = s->heap[i];
	uint32_t child;

	for (; (child = 2 * i) <= s->n; i = child) {
		if (child < s->n && s->heap[child + 1]->heap_at < s->heap[child]->heap_at)
			child++;
		if (s->heap[child]->heap_at >= w->heap_at)
			break;
		put(s, i, s->heap[child]);
	}
	put(s, i, w);
}

static bool grow(struct ay_sched *s)
{
	uint32_t max = s->max ? 2 * s->max : 64;
	struct ay_wake **heap = realloc(s->heap, (max + 1) * sizeof(struct ay_wake *));

	if (!heap)
		return false;
	s->heap = heap;
	s->max = max;
	return true;
}

bool ay_sched_set(struct ay_sched *s, struct ay_wake *w, int64_t at)
{
	w->at = at;
	if (w->place && at >= w->heap_at)
		return true;
	if (!w->place) {
		if (at == AY_NEVER)
			return true;
		if (s->n == s->max && !grow(s))
			return false;
		put(s, ++s->n, w);
	}
	w->heap_at = at;
	sift_up(s, w->place);
	return true;
}

void ay_sched_drop(struct ay_sched *s, struct ay_wake *w)
{
	uint32_t i = w->place;
	struct ay_wake *last;

	if (!i)
		return;
	w->place = 0;
	last = s->heap[s->n--];
	if (last == w)
		return;
	put(s, i, last);
	sift_up(s, i);
	sift_down(s, last->place);
}

struct ay_wake *ay_sched_take(struct ay_sched *s, int64_t now)
{
	while (s->n && s->heap[1]->heap_at <= now) {
		struct ay_wake *w = s->heap[1];

		if (w->at <= now || w->at == AY_NEVER) {
			ay_sched_drop(s, w);
			if (w->at != AY_NEVER)
				return w;
			continue;
		}
		w->heap_at = w->at; /* it was put off since */
		sift_down(s, 1);
	}
	return NULL;
}

int64_t ay_sched_next(const struct ay_sched *s)
{
	return s->n ? s->heap[1]->heap_at : AY_NEVER;
}
