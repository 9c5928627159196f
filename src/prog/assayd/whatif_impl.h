/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_WHATIF_IMPL_H
#define AY_ASSAYD_WHATIF_IMPL_H

/* A run of what-if: whatif.c is the main thread's side, whatif_run.c the workers'. */
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/whatif.h"

#include <pthread.h>

/* One host as it was when the run began. */
struct ay_whatif_host {
	struct ay_uuid id;
	uint64_t seq; /* its newest row of history */
	struct ay_lease lease;
	uint8_t components[AY_COMPONENTS];
	struct ay_judge *judge; /* of the run */
};

struct ay_flip {
	struct ay_uuid host;
	uint8_t from, to; /* enum ay_verdict */
	uint8_t from_components[AY_COMPONENTS], to_components[AY_COMPONENTS];
	char *causes; /* JSON array; NULL: none */
};

enum ay_whatif_state { AY_WHATIF_IS_RUNNING = 0, AY_WHATIF_IS_DONE, AY_WHATIF_IS_CANCELLED };

struct ay_whatif_run {
	struct ay_whatif_run *next;
	struct ay_uuid id;
	/* set when it begins */
	enum ay_whatif_of of;
	char *name;
	uint32_t version;
	int64_t started_ms, now_ms;
	struct ay_policy *policy; /* its own copies, or NULL */
	struct ay_refset *set;
	struct ay_judge_table **judges; /* by policy; they hold what hosts name */
	size_t n_judges;
	struct ay_whatif_host *host;
	size_t n_hosts;
	size_t unaffected, without_evidence;
	struct ay_memo_table *memos;
	/* under the lock of struct ay_whatif */
	enum ay_whatif_state state;
	int64_t ended_ms;
	size_t taken, done, not_judged;
	size_t from[3], to[3]; /* by enum ay_verdict */
	struct ay_flip *flip;
	size_t n_flips, max_flips;
	unsigned busy; /* workers that judge a host of it */
};

struct ay_whatif {
	pthread_mutex_t lock;
	struct ay_whatif_run *runs; /* newest first */
	size_t waiting;		    /* hosts that nobody has taken yet */
};

void ay_whatif_run_free(struct ay_whatif_run *r);

#endif
