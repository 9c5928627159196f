/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/pace.h"

#define container(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define REJOIN_MS 30000
/* Looks in a row until overload is said, and until its end is: it does not flicker. */
#define BAD_LOOKS 3
#define CALM_LOOKS 5
/* A turn within so much of the interval of its grid point stays where it is. */
#define NEAR 8

void ay_pace_init(struct ay_pace *p, uint32_t window)
{
	*p = (struct ay_pace){ .window = window ? window : 1 };
	ay_sched_init(&p->waiting);
}

void ay_pace_fini(struct ay_pace *p)
{
	ay_sched_fini(&p->waiting);
}

/* ---- turns ---- */

int64_t ay_pace_next_turn(int64_t now, int64_t interval, uint32_t seed)
{
	int64_t phase = (int64_t)(seed % (uint64_t)interval);
	int64_t into = (now - phase) % interval; /* since its last grid point */
	int64_t left;

	if (into < 0)
		into += interval;
	left = interval - into;
	/* just past its point, or just before it: a whole interval, or it would be asked twice */
	return now + (left < interval / NEAR ? interval : left);
}

int64_t ay_pace_rejoin(int64_t now, int64_t planned, int64_t interval, uint32_t seed)
{
	int64_t spread = interval / 4 < REJOIN_MS ? interval / 4 : REJOIN_MS;
	int64_t at = now + (spread > 0 ? (int64_t)(seed % (uint64_t)spread) : 0);

	return planned < at ? planned : at;
}

/* ---- those who wait ---- */

bool ay_pace_add(struct ay_pace *p, struct ay_pace_item *it, int64_t deadline, int64_t now)
{
	if (it->waits && deadline >= it->wait.at)
		return true;
	if (!ay_sched_set(&p->waiting, &it->wait, deadline))
		return false;
	if (it->waits)
		return true;
	it->waits = true;
	it->since = now;
	p->n_waiting++;
	p->n_added++;
	return true;
}

void ay_pace_withdraw(struct ay_pace *p, struct ay_pace_item *it)
{
	if (!it->waits)
		return;
	ay_sched_drop(&p->waiting, &it->wait);
	it->waits = false;
	p->n_waiting--;
}

static void note_wait(struct ay_pace *p, const struct ay_pace_item *it, int64_t now)
{
	if (now - it->since > p->longest_ms)
		p->longest_ms = now - it->since;
	if (now > it->wait.at) {
		p->n_late++;
		p->load.late++;
	}
}

struct ay_pace_item *ay_pace_take(struct ay_pace *p, int64_t now)
{
	struct ay_pace_item *it;
	struct ay_wake *w;

	if (p->n_slots >= p->window || !(w = ay_sched_take(&p->waiting, AY_NEVER - 1)))
		return NULL;
	it = container(w, struct ay_pace_item, wait);
	it->waits = false;
	p->n_waiting--;
	p->n_taken++;
	note_wait(p, it, now);
	if (!it->slot_until)
		p->n_slots++;
	it->slot_until = now + AY_PACE_SLOT_MS;
	return it;
}

void ay_pace_done(struct ay_pace *p, struct ay_pace_item *it)
{
	if (!it->slot_until)
		return;
	it->slot_until = 0;
	p->n_slots--;
}

void ay_pace_drop(struct ay_pace *p, struct ay_pace_item *it)
{
	ay_pace_withdraw(p, it);
	ay_pace_done(p, it);
	ay_sched_drop(&p->waiting, &it->wait);
}

/* ---- is there time for all? ---- */

/* Half of the old, half of the new: a second is too short to be a rate. */
static uint32_t smooth(uint32_t old, uint32_t now)
{
	return (old + now + 1) / 2;
}

/* The first of those who wait stands for all: at this rate the last one is served after `need`. */
static bool cannot_be_served(const struct ay_pace *p, int64_t now)
{
	int64_t slack = ay_sched_next(&p->waiting) - now;
	int64_t need;

	if (p->n_waiting == 0)
		return false;
	if (slack < 0)
		return true; /* it waits past its deadline */
	need = (int64_t)p->n_waiting * 1000 / (p->load.served_per_s ? p->load.served_per_s : 1);
	return p->n_waiting > p->window && need > slack;
}

bool ay_pace_look(struct ay_pace *p, int64_t now)
{
	struct ay_pace_load *l = &p->load;
	bool was = l->overloaded, bad;

	l->due_per_s = smooth(l->due_per_s, p->n_added);
	l->served_per_s = smooth(l->served_per_s, p->n_taken);
	l->waiting = p->n_waiting;
	l->asked = p->n_slots;
	l->longest_wait_ms = p->longest_ms;
	bad = p->n_late > 0 || cannot_be_served(p, now);
	p->bad = bad ? p->bad + 1 : 0;
	p->calm = bad ? 0 : p->calm + 1;
	/* a deadline that was missed is said at once; what is only feared, when it lasts */
	if (p->n_late > 0 || p->bad >= BAD_LOOKS)
		l->overloaded = true;
	else if (p->calm >= CALM_LOOKS)
		l->overloaded = false;
	p->n_added = p->n_taken = p->n_late = 0;
	p->longest_ms = 0;
	return l->overloaded != was;
}
