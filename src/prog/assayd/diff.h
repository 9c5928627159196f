/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_DIFF_H
#define AY_ASSAYD_DIFF_H

/* What differs between two hosts, or one host at two times, by their stored evidence. */
#include "core/base/json.h"
#include "prog/assayd/engine.h"

#define AY_DIFF_ROWS 1000 /* shown of events, and of files; all are counted */

/* Whose evidence. */
struct ay_diff_side {
	const struct ay_host *host;
	struct ay_bytes report; /* its id; empty: the latest */
};

/*
 * The object Diff of the API. AY_E_NOENT: no such report, or its evidence is
 * not kept any more; AY_E_INPUT with code DIFF_BANKS: nothing to compare by.
 */
AY_MUST_USE enum ay_rc ay_engine_diff(struct ay_engine *g, const struct ay_diff_side *a,
				      const struct ay_diff_side *b, json_t **out, struct ay_err *e);

#endif
