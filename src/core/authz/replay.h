/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_REPLAY_H
#define AY_AUTHZ_REPLAY_H

/*
 * Signed requests that were taken, so that none is taken twice. Each has an
 * identity (a hash over its signer and signature) and the instant it was
 * signed for. Bounded: when the table is full, the older half is forgotten and
 * the floor rises: what was signed for that time or before is refused from
 * then on. So forgetting never lets anything in again.
 *
 * After a restart the table is empty and the floor is the highest instant ever
 * taken, which the caller keeps on disk (ay_replay_highest()).
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

struct ay_replay_seen {
	uint8_t id[16];
	int64_t date_ms; /* 0: free */
};

struct ay_replay {
	struct ay_replay_seen *seen; /* the caller's, zeroed; size a power of two */
	size_t size, n;
	int64_t floor_ms;   /* nothing signed for this instant or before is taken */
	int64_t highest_ms; /* taken so far */
};

/* seen: `size` zeroed entries, a power of two of at least 8. floor_ms: as kept on disk; 0: none. */
void ay_replay_init(struct ay_replay *r, struct ay_replay_seen *seen, size_t size,
		    int64_t floor_ms);
/*
 * Take it, once. date_ms is positive. Entries of before oldest_ms are out of
 * date anyway and may be forgotten. AY_E_DENIED: AUTH_REPLAY it was taken
 * before, or is as old as what was forgotten.
 */
AY_MUST_USE enum ay_rc ay_replay_take(struct ay_replay *r, const uint8_t id[16], int64_t date_ms,
				      int64_t oldest_ms, struct ay_err *e);
/* The highest instant taken, or the floor. */
int64_t ay_replay_highest(const struct ay_replay *r);

#endif
