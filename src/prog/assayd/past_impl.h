/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_PAST_IMPL_H
#define AY_ASSAYD_PAST_IMPL_H

/* What past.c and past_evidence.c share. */
#include "core/evlog/tcg.h"
#include "prog/assayd/history.h"
#include "prog/assayd/past.h"

#define AY_PAST_ARENA (1024u << 20)

/* Everything in the arena; report and log are parsed. Must stay where it is. */
struct ay_past {
	struct ay_history h;
	struct ay_pcrs pcrs;
	bool has_log;
	struct ay_evlog log;
};

AY_MUST_USE enum ay_rc ay_past_load(struct ay_engine *g, const struct ay_host *h,
				    const struct ay_uuid *report, struct ay_arena *a,
				    struct ay_past *out, struct ay_err *e);

#endif
