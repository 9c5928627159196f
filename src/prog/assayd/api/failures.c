/* SPDX-License-Identifier: Apache-2.0 */
/* How often credentials were refused. */
#include "prog/assayd/api/call.h"

#include <stdlib.h>

enum { FAILURE_SLOTS = 256, FAILURES_BURST = 240, FAILURE_REFILL_MS = 250 };

/* How often an address was refused lately: a bucket that refills with time. */
struct ay_failures {
	struct {
		uint32_t hash;
		uint32_t count;
		int64_t since_ms;
	} slot[FAILURE_SLOTS];
};

struct ay_failures *ay_failures_new(void)
{
	return calloc(1, sizeof(struct ay_failures));
}

void ay_failures_free(struct ay_failures *f)
{
	free(f);
}

/* The address without its port. */
static uint32_t peer_hash(struct ay_bytes peer)
{
	uint32_t h = 2166136261u;
	size_t n = peer.n;

	while (n > 0 && peer.p[n - 1] != ':')
		n--;
	for (size_t i = 0; i < n; i++)
		h = (h ^ peer.p[i]) * 16777619u;
	return h;
}

bool ay_auth_failed(struct ay_api *a, struct ay_bytes peer)
{
	uint32_t hash = peer_hash(peer), back;
	int64_t gone;

	for (size_t i = 0; i < FAILURE_SLOTS; i++) {
		size_t at = (hash + i) % FAILURE_SLOTS;

		gone = a->now_ms - a->failures->slot[at].since_ms;
		back = gone < 0 ? 0 : (uint32_t)((gone / FAILURE_REFILL_MS) & 0xffffff);
		if (a->failures->slot[at].count <= back) {
			a->failures->slot[at].hash =
				hash; /* empty, or refilled: free for anybody */
			a->failures->slot[at].count = 1;
			a->failures->slot[at].since_ms = a->now_ms;
			return true;
		}
		if (a->failures->slot[at].hash != hash)
			continue;
		a->failures->slot[at].count += 1 - back;
		a->failures->slot[at].since_ms += (int64_t)back * FAILURE_REFILL_MS;
		if (a->failures->slot[at].count <= FAILURES_BURST)
			return true;
		a->failures->slot[at].count = FAILURES_BURST;
		return false;
	}
	return false; /* refused from everywhere at once */
}
