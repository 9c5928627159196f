/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/align.h"

/* The middle of both, behind a common head and before a common tail. */
struct stretch {
	size_t a, n_a, b, n_b;
};

static bool same(const struct ay_align *al, const struct stretch *s, size_t i, size_t j)
{
	return al->same(al->arg, s->a + i, s->b + j);
}

/* Length of the longest common subsequence of the two tails, by dynamic programming. */
static uint16_t *make_table(const struct ay_align *al, const struct stretch *s,
			    struct ay_arena *arena)
{
	size_t w = s->n_b + 1;
	uint16_t *t = ay_arena_array(arena, (s->n_a + 1) * w, sizeof(*t));

	for (size_t i = s->n_a; t != NULL && i-- > 0;)
		for (size_t j = s->n_b; j-- > 0;) {
			uint16_t down = t[(i + 1) * w + j], right = t[i * w + j + 1];

			t[i * w + j] = down > right ? down : right;
			if (same(al, s, i, j))
				t[i * w + j] = (uint16_t)(t[(i + 1) * w + j + 1] + 1);
		}
	return t;
}

static void gap(const struct ay_align *al, const struct stretch *s, size_t i, size_t n_i, size_t j,
		size_t n_j)
{
	if (n_i + n_j > 0)
		al->gap(al->arg, s->a + i, n_i, s->b + j, n_j);
}

static void align_stretch(const struct ay_align *al, const struct stretch *s,
			  struct ay_arena *arena)
{
	size_t w = s->n_b + 1, i = 0, j = 0, gap_i = 0, gap_j = 0;
	uint16_t *t = NULL;

	if (s->n_a > 0 && s->n_b > 0 && s->n_a <= AY_ALIGN_MAX && s->n_b <= AY_ALIGN_MAX)
		t = make_table(al, s, arena);
	while (t != NULL && i < s->n_a && j < s->n_b) {
		if (same(al, s, i, j)) {
			gap(al, s, gap_i, i - gap_i, gap_j, j - gap_j);
			gap_i = ++i;
			gap_j = ++j;
		} else if (t[(i + 1) * w + j] >= t[i * w + j + 1]) {
			i++;
		} else {
			j++;
		}
	}
	gap(al, s, gap_i, s->n_a - gap_i, gap_j, s->n_b - gap_j);
}

void ay_align(const struct ay_align *al, struct ay_arena *arena)
{
	size_t head = 0, tail = 0, n_a = al->n_a, n_b = al->n_b;
	struct stretch s;

	while (head < n_a && head < n_b && al->same(al->arg, head, head))
		head++;
	while (tail < n_a - head && tail < n_b - head &&
	       al->same(al->arg, n_a - tail - 1, n_b - tail - 1))
		tail++;
	s = (struct stretch){ head, n_a - head - tail, head, n_b - head - tail };
	if (s.n_a + s.n_b > 0)
		align_stretch(al, &s, arena);
}
