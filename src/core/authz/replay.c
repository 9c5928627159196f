/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/replay.h"

void ay_replay_init(struct ay_replay *r, struct ay_replay_seen *seen, size_t size, int64_t floor_ms)
{
	*r = (struct ay_replay){ .seen = seen, .size = size, .floor_ms = floor_ms };
}

int64_t ay_replay_highest(const struct ay_replay *r)
{
	return r->highest_ms > r->floor_ms ? r->highest_ms : r->floor_ms;
}

/* Its place, or the free one where it belongs. The id is a hash: any of its octets spread well. */
static struct ay_replay_seen *place(struct ay_replay *r, const uint8_t id[16])
{
	size_t at = 0;

	for (size_t i = 0; i < sizeof(at); i++)
		at = at << 8 | id[i];
	for (at &= r->size - 1; r->seen[at].date_ms != 0; at = (at + 1) & (r->size - 1))
		if (memcmp(r->seen[at].id, id, 16) == 0)
			break;
	return &r->seen[at];
}

/* Remove one by moving up those that were pushed behind it (no marks of removed ones are left). */
static void drop(struct ay_replay *r, size_t at)
{
	size_t mask = r->size - 1, next = (at + 1) & mask;

	r->seen[at].date_ms = 0;
	r->n--;
	for (; r->seen[next].date_ms != 0; next = (next + 1) & mask) {
		struct ay_replay_seen one = r->seen[next];

		r->seen[next].date_ms = 0;
		*place(r, one.id) = one;
	}
}

static void forget_until(struct ay_replay *r, int64_t date_ms)
{
	for (size_t i = 0; i < r->size;)
		if (r->seen[i].date_ms != 0 && r->seen[i].date_ms <= date_ms)
			drop(r, i); /* another may stand here now */
		else
			i++;
}

/* The instant in the middle between the oldest entry and the youngest. */
static int64_t middle(const struct ay_replay *r)
{
	int64_t low = INT64_MAX, high = 0;

	for (size_t i = 0; i < r->size; i++) {
		int64_t at = r->seen[i].date_ms;

		if (at != 0 && at < low)
			low = at;
		if (at > high)
			high = at;
	}
	return low + (high - low) / 2;
}

static void make_room(struct ay_replay *r, int64_t oldest_ms)
{
	forget_until(r, oldest_ms - 1);
	while (r->n >= r->size / 4 * 3) {
		int64_t until = middle(r);

		if (until > r->floor_ms)
			r->floor_ms = until;
		forget_until(r, until);
	}
}

enum ay_rc ay_replay_take(struct ay_replay *r, const uint8_t id[16], int64_t date_ms,
			  int64_t oldest_ms, struct ay_err *e)
{
	struct ay_replay_seen *at;

	if (r->n >= r->size / 4 * 3)
		make_room(r, oldest_ms);
	if (AY_CHECKED("REPLAY_FLOOR", date_ms <= r->floor_ms) || date_ms < oldest_ms)
		return ay_fail_code(e, AY_E_DENIED, "AUTH_REPLAY", "authorization",
				    "signed before what the server remembers; sign it anew");
	at = place(r, id);
	if (AY_CHECKED("REPLAY_SEEN", at->date_ms != 0))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_REPLAY", "authorization",
				    "this very request was taken before; sign each one anew");
	r->n += at->date_ms == 0;
	memcpy(at->id, id, 16);
	at->date_ms = date_ms;
	if (date_ms > r->highest_ms)
		r->highest_ms = date_ms;
	return AY_OK;
}
