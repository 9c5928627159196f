/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FIND_H
#define AY_ASSAYD_FIND_H

/* Which hosts ever loaded a digest, by the store's index (ay_store_sightings). */
#include "prog/assayd/engine.h"

/*
 * A page of hosts, in order of id: {"digest","hosts","items":[{"host","name",
 * "in","first_seen","last_seen","pcr","path","what"}]}; hosts: how many in all.
 * digest: 20, 32, 48 or 64 octets. *next 0: no more. may: which hosts are there
 * for who asks (NULL: all, also those that were removed).
 */
typedef bool ay_find_may(void *arg, const struct ay_host *h);
struct ay_find_ask {
	struct ay_bytes digest;
	uint64_t from;
	size_t limit;
	ay_find_may *may;
	void *arg;
};
AY_MUST_USE enum ay_rc ay_find_digest(struct ay_engine *g, const struct ay_find_ask *ask,
				      json_t **out, uint64_t *next, struct ay_err *e);

#endif
