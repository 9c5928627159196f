/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_PAST_H
#define AY_ASSAYD_PAST_H

/*
 * One attestation of the past as people look at it: its evidence as it came,
 * and its PCRs, events and files with what the report says of each.
 */
#include "core/base/arena.h"
#include "core/base/uuid.h"
#include "prog/assayd/engine.h"

enum ay_past_view { AY_PAST_PCRS, AY_PAST_EVENTS, AY_PAST_IMA };

struct ay_past_ask {
	const struct ay_host *host;
	const struct ay_uuid *report; /* NULL: the latest */
	enum ay_past_view view;
	uint64_t from; /* rows before it are left out */
	size_t limit;
	bool failed_only;
	struct ay_bytes text; /* only rows that hold it; n 0: all */
};

/*
 * out: array of at most limit rows; next: where the next page begins, 0: there
 * is none. AY_E_NOENT: no such report, or (NOT_KEPT) its evidence is gone.
 */
AY_MUST_USE enum ay_rc ay_engine_past(struct ay_engine *g, const struct ay_past_ask *ask,
				      json_t **out, uint64_t *next, struct ay_err *e);

/*
 * Evidence into the arena. part: "quote", "signature", "nonce", "ak",
 * "aik-certificate", "eventlog", "ima", "pcrs", or empty: a tar archive of all
 * that there is, which `assay appraise DIR` reads. media: static.
 * AY_E_NOENT NO_PART: that part was not sent.
 */
AY_MUST_USE enum ay_rc ay_engine_evidence(struct ay_engine *g, const struct ay_host *h,
					  const struct ay_uuid *report, struct ay_bytes part,
					  struct ay_arena *a, struct ay_bytes *out,
					  const char **media, struct ay_err *e);

#endif
