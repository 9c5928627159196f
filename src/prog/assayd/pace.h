/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_PACE_H
#define AY_ASSAYD_PACE_H

/*
 * Who is asked next, when not all can be asked at once: those that are due wait
 * in the order of their deadlines (earliest deadline first), and so many are
 * asked at a time as there are slots. A slot is held from the question until
 * its answer is settled, or until the host has been given long enough: a host
 * that answers slowly keeps no other one waiting.
 *
 * Nothing is late in silence: what is taken after its deadline is counted, and
 * once a second ay_pace_look() says whether there is time for all of them.
 *
 * Pure; instants of any one clock, in ms.
 */
#include "prog/assayd/wake.h"

#define AY_PACE_SLOT_MS 2000 /* so long an open question counts as work of ours */

/* A host's part. Zeroed: neither waits nor is asked. */
struct ay_pace_item {
	struct ay_wake wait; /* at: its deadline; AY_NEVER: does not wait */
	int64_t since;	     /* when it became due */
	int64_t slot_until;  /* 0: holds none */
	bool waits;
};

/* What is known of the load; figures of the last second that was looked at. */
struct ay_pace_load {
	bool overloaded;
	uint32_t waiting;
	uint32_t asked; /* at this moment: slots in use */
	uint32_t due_per_s, served_per_s;
	int64_t longest_wait_ms;
	uint64_t late; /* taken after their deadline, since the start */
};

struct ay_pace {
	struct ay_sched waiting;
	uint32_t n_waiting, n_slots, window;
	/* since the last look */
	uint32_t n_added, n_taken, n_late;
	int64_t longest_ms;
	unsigned bad, calm; /* looks in a row that were so */
	struct ay_pace_load load;
};

void ay_pace_init(struct ay_pace *p, uint32_t window);
void ay_pace_fini(struct ay_pace *p);

/*
 * The next turn of a host that was attested now: at most an interval later, and
 * drawn towards a grid of its own (seed), so that hosts that came up together
 * do not stay together. interval > 0.
 */
int64_t ay_pace_next_turn(int64_t now, int64_t interval, uint32_t seed);
/* A trusted host that came back: soon, and not all of them at once; never after planned. */
int64_t ay_pace_rejoin(int64_t now, int64_t planned, int64_t interval, uint32_t seed);

/* Due since now, to be asked before the deadline; one that waits already keeps the earlier one.
 * False without memory. */
AY_MUST_USE bool ay_pace_add(struct ay_pace *p, struct ay_pace_item *it, int64_t deadline,
			     int64_t now);
/* It waits no longer (asked otherwise, or gone). A slot it holds stays held. */
void ay_pace_withdraw(struct ay_pace *p, struct ay_pace_item *it);
/* The one to be asked now, with a slot; NULL: none waits, or no slot is free. */
struct ay_pace_item *ay_pace_take(struct ay_pace *p, int64_t now);
/* Its answer is settled, or it was given long enough. */
void ay_pace_done(struct ay_pace *p, struct ay_pace_item *it);
/* Out of everything: its memory goes. */
void ay_pace_drop(struct ay_pace *p, struct ay_pace_item *it);

/*
 * Once a second. True when p->load.overloaded changed: deadlines were missed by
 * waiting, or those who wait cannot be served in time at the present rate.
 */
bool ay_pace_look(struct ay_pace *p, int64_t now);

#endif
