/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/lockout.h"

/* AY_LOCKOUT_SLOTS: it has none. */
static size_t find(const struct ay_lockout *l, uint64_t key)
{
	for (size_t i = 0; i < AY_LOCKOUT_NEAR; i++) {
		size_t at = (size_t)((key + i) % AY_LOCKOUT_SLOTS);

		if (l->slot[at].key == key)
			return at;
	}
	return AY_LOCKOUT_SLOTS;
}

static int64_t wait_of(const struct ay_lockout_rule *r, uint32_t count)
{
	int64_t wait = r->first_ms;

	if (count < r->free)
		return 0;
	for (uint32_t i = r->free; i < count && wait < r->most_ms; i++)
		wait *= 2;
	return wait < r->most_ms ? wait : r->most_ms;
}

static bool is_forgotten(const struct ay_lockout_rule *r, int64_t last_ms, int64_t now_ms)
{
	return now_ms - last_ms >= r->forget_ms;
}

int64_t ay_lockout_wait(const struct ay_lockout *l, const struct ay_lockout_rule *r, uint64_t key,
			int64_t now_ms)
{
	size_t at = find(l, key);
	int64_t until;

	if (at == AY_LOCKOUT_SLOTS || is_forgotten(r, l->slot[at].last_ms, now_ms))
		return 0;
	until = l->slot[at].last_ms + wait_of(r, l->slot[at].count);
	return until > now_ms ? until - now_ms : 0;
}

/* Its own slot, an empty one, or that of who failed least. */
static size_t slot_for(const struct ay_lockout *l, uint64_t key)
{
	size_t at = find(l, key), best = (size_t)(key % AY_LOCKOUT_SLOTS);

	if (at != AY_LOCKOUT_SLOTS)
		return at;
	for (size_t i = 0; i < AY_LOCKOUT_NEAR; i++) {
		at = (size_t)((key + i) % AY_LOCKOUT_SLOTS);
		if (l->slot[at].count < l->slot[best].count)
			best = at;
	}
	return best;
}

void ay_lockout_charge(struct ay_lockout *l, const struct ay_lockout_rule *r, uint64_t key,
		       int64_t now_ms)
{
	size_t at = slot_for(l, key);

	if (l->slot[at].key != key || is_forgotten(r, l->slot[at].last_ms, now_ms))
		l->slot[at].count = 0;
	l->slot[at].key = key;
	l->slot[at].last_ms = now_ms;
	if (l->slot[at].count < UINT32_MAX)
		l->slot[at].count++;
}

void ay_lockout_refund(struct ay_lockout *l, uint64_t key, bool all)
{
	size_t at = find(l, key);

	if (at == AY_LOCKOUT_SLOTS)
		return;
	if (all)
		l->slot[at].count = 0;
	else if (l->slot[at].count > 0)
		l->slot[at].count--;
}
