/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_KEPT_H
#define AY_ASSAYD_KEPT_H

/* Attestations that are kept: found by host and time, or by the report's id alone. */
#include "prog/assayd/engine.h"

/* One attestation as it was judged then. */
struct ay_kept_row {
	struct ay_uuid report, host;
	uint64_t seq; /* row of the history */
	int64_t at_ms, lease_until_ms;
	enum ay_verdict verdict;
};

struct ay_kept_ask {
	const struct ay_host *const *host; /* of these */
	size_t n_hosts;
	int64_t from_ms, to_ms; /* instants, both included; to_ms 0: no end */
	bool latest;		/* of each host only the newest that fits */
	uint64_t skip;
	size_t limit;
};

/*
 * Newest first. out: room for ask->limit. AY_E_LIMIT SEARCH_TOO_WIDE: more than
 * AY_MAX_HISTORY_WALK rows would have to be looked at.
 */
AY_MUST_USE enum ay_rc ay_engine_kept(struct ay_engine *g, const struct ay_kept_ask *ask,
				      struct ay_kept_row *out, size_t *n, struct ay_err *e);
/* By the id of its report, of whatever host. AY_E_NOENT: there is none, or it is not kept. */
AY_MUST_USE enum ay_rc ay_engine_kept_find(struct ay_engine *g, const struct ay_uuid *report,
					   struct ay_kept_row *out, struct ay_err *e);
/* Its Report, as ay_engine_report() gives the latest. */
AY_MUST_USE enum ay_rc ay_engine_kept_report(struct ay_engine *g, uint64_t seq, json_t **out,
					     struct ay_err *e);

#endif
