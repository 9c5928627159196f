/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_WAKE_H
#define AY_ASSAYD_WAKE_H

/*
 * Who has to be looked at, and when: one wake-up per host, in a heap. Setting a
 * later instant costs nothing: the node stays where it is and is put back when
 * its old turn comes, so the hot path (challenge, answer, challenge) does not
 * touch the heap. Pure; instants of any one clock.
 */
#include "core/base/defs.h"

#define AY_NEVER INT64_MAX

struct ay_wake {
	int64_t at;	 /* when it is really due */
	int64_t heap_at; /* where it stands in the heap: at or earlier */
	uint32_t place;	 /* 1-based index in the heap; 0: not in it */
};

struct ay_sched {
	struct ay_wake **heap; /* [1..n] */
	uint32_t n, max;
};

void ay_sched_init(struct ay_sched *s);
void ay_sched_fini(struct ay_sched *s);
/* Due at `at`; AY_NEVER takes it out when its place comes. False when memory is out. */
AY_MUST_USE bool ay_sched_set(struct ay_sched *s, struct ay_wake *w, int64_t at);
/* Out of the heap now: its memory goes. */
void ay_sched_drop(struct ay_sched *s, struct ay_wake *w);
/* One that is due now, taken out of the heap; NULL = none. */
struct ay_wake *ay_sched_take(struct ay_sched *s, int64_t now);
/* When the next look is worth it (never later than the first due); AY_NEVER when empty. */
int64_t ay_sched_next(const struct ay_sched *s);

#endif
