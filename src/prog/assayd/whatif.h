/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_WHATIF_H
#define AY_ASSAYD_WHATIF_H

/*
 * What would the fleet's verdicts be if this draft were in force? The latest
 * stored evidence of every host is judged again, by the very judge of
 * attestations (recheck.h), in worker threads that have nothing else to do. A
 * run sees the fleet as it was when it began; runs live in memory only.
 */
#include "core/base/json.h"
#include "io/store/store.h"
#include "prog/assayd/engine.h"

#define AY_WHATIF_RUNNING 4 /* at once; more are refused, WHATIF_BUSY */
#define AY_WHATIF_KEPT 16   /* runs that can be looked at; the oldest ended one goes */

enum ay_whatif_of { AY_WHATIF_POLICY = 0, AY_WHATIF_REFERENCE };

struct ay_whatif_ask {
	enum ay_whatif_of of;
	struct ay_bytes id;	    /* stored draft: id, NAME, NAME@VERSION; "-": document */
	const json_t *document;	    /* policy or set that is not stored, or NULL */
	const json_t *labels;	    /* only hosts with all of these, or NULL */
	bool supersede;		    /* set: the other versions of its name in force end */
	struct ay_bytes instead_of; /* policy: for the hosts of this one; empty: of its own name */
};

/* ---- the engine's main thread ---- */

/* out: the run as ay_whatif_show() gives it. AY_E_NOENT, AY_E_INPUT; WHATIF_BUSY. */
AY_MUST_USE enum ay_rc ay_whatif_start(struct ay_engine *g, const struct ay_whatif_ask *ask,
				       json_t **out, struct ay_err *e);
/* AY_E_NOENT, code WHATIF_GONE: no such run, or the server was started anew since. */
AY_MUST_USE enum ay_rc ay_whatif_show(struct ay_engine *g, struct ay_bytes id, json_t **out,
				      struct ay_err *e);
/* Hosts whose verdict would be another one, from number `from` on; *next 0: no more. */
AY_MUST_USE enum ay_rc ay_whatif_flips(struct ay_engine *g, struct ay_bytes id, uint64_t from,
				       size_t limit, json_t **out, uint64_t *next,
				       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_whatif_cancel(struct ay_engine *g, struct ay_bytes id, json_t **out,
					struct ay_err *e);

/* ---- workers ---- */

struct ay_whatif;
struct ay_whatif *ay_whatif_new(void); /* NULL without memory */
/* No worker runs any more. */
void ay_whatif_free(struct ay_whatif *w);
/* Is there a host to judge? */
bool ay_whatif_waits(struct ay_whatif *w);
/* Judge one. reader: of this thread. */
void ay_whatif_step(struct ay_whatif *w, struct ay_store *reader, struct ay_arena *a);

#endif
