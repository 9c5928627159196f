/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_LOCKOUT_H
#define AY_AUTHZ_LOCKOUT_H

/*
 * How long somebody who guesses has to wait. Failures are counted by keys that
 * the caller makes of who was tried and where from: an attacker at one place
 * slows down himself, never the owner at another. After some free attempts the
 * wait doubles with each, up to a most; it is forgotten when nothing came for
 * long. Fixed memory: the least interesting slot goes when all are taken.
 *
 * An attempt is charged before it is looked at, so that many at once are not
 * all free, and refunded when it was right. Times are ms of any clock.
 */
#include "core/base/bytes.h"

enum { AY_LOCKOUT_SLOTS = 4096, AY_LOCKOUT_NEAR = 8 };

struct ay_lockout_rule {
	uint32_t free;	   /* attempts before the first wait */
	int64_t first_ms;  /* the first wait */
	int64_t most_ms;   /* the longest */
	int64_t forget_ms; /* since the last failure */
};

struct ay_lockout {
	struct {
		uint64_t key; /* 0: nobody */
		uint32_t count;
		int64_t last_ms;
	} slot[AY_LOCKOUT_SLOTS];
};

/* Time until this key may try again; 0: now. */
int64_t ay_lockout_wait(const struct ay_lockout *l, const struct ay_lockout_rule *r, uint64_t key,
			int64_t now_ms);
void ay_lockout_charge(struct ay_lockout *l, const struct ay_lockout_rule *r, uint64_t key,
		       int64_t now_ms);
/* The attempt was right. all: what went before is forgotten too. */
void ay_lockout_refund(struct ay_lockout *l, uint64_t key, bool all);

#endif
