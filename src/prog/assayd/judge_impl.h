/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_JUDGE_IMPL_H
#define AY_ASSAYD_JUDGE_IMPL_H

/* One job being judged: what judge.c and judge_ima.c share, on a worker's stack. */
#include "core/evlog/tcg.h"
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/judge.h"

/* One job being judged. Everything in it lives in the arena or on the stack. */
struct judging {
	struct ay_memo_table *memos;
	struct ay_job *j;
	struct ay_arena *a;
	struct ay_report rep;
	struct ay_evidence ev;
	struct ay_pcrs hints;
	struct ay_quote_facts facts;
	bool reported; /* the values are a manager's word, at best */
	enum ay_log_given log_given;
	struct ay_bytes log;
	struct ay_evlog *parsed; /* of log, when it was needed and could be parsed */
	struct ay_err log_refused;
	/* IMA */
	bool has_list; /* the host gave a list, maybe with nothing new */
	bool has_run;
	bool fits, padded;
	struct ay_ima_state begin;
	struct ay_ima_run run;
	struct ay_ima_tally *tally;
	struct ay_err ima_error;
};

/* Replay what came of the list; false when nothing can be judged of it (fault, or ask again). */
AY_MUST_USE bool ay_judge_ima_replay(struct judging *v);
/* The prefix that the quote covers. */
void ay_judge_ima_fit(struct judging *v);
/* A list that came whole must begin with what was verified of it in this boot. */
void ay_judge_ima_kept(struct judging *v);
/* What the next attestation goes on from. */
void ay_judge_ima_carry(struct judging *v);

#endif
