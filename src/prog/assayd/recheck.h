/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_RECHECK_H
#define AY_ASSAYD_RECHECK_H

/*
 * A stored attestation judged again: by the rules it was judged by (assay
 * recheck: the same report, bit for bit) or by others (what-if). The job is put
 * together from what the store keeps and goes through ay_judge_job(), which is
 * what the server judges with, so that no second judge has to be kept true.
 */
#include "core/appraise/report.h"
#include "prog/assayd/judge.h"

#include "core/base/uuid.h"

struct ay_recheck_in {
	struct ay_uuid host;
	int64_t now_ms; /* instant to judge at */
	struct ay_bytes attest, signature, nonce, exporter;
	struct ay_bytes inputs, extra; /* inputs.h; extra may be none */
	struct ay_bytes pcrs;	       /* wire form, as the row names it; may be none */
	bool has_log;		       /* the row names a boot log ... */
	uint8_t log_id[32];
	struct ay_bytes log; /* ... its octets; or, when they may not be needed: */
	struct ay_blob *(*fetch_log)(void *arg); /* a new reference; NULL: it is gone */
	void *fetch_arg;
	struct ay_bytes ima; /* the list from its first octet up to what the row covers */
	struct ay_bytes ak_public, qualified_name;
	struct ay_judge *judge; /* NULL: no policy */
	bool brief;		/* the report without findings and coverage */
};

struct ay_recheck_out {
	enum ay_verdict verdict;
	uint8_t components[AY_COMPONENTS], grades[AY_COMPONENTS];
	struct ay_blob *report; /* canonical JSON without id, host, at, evidence; the caller's */
};

/*
 * memos: what states were judged to be, shared by a run; may be used by many
 * threads. a: scratch. A fault says why it could not be judged: NOT_KEPT
 * (AY_E_NOENT) when the store did not keep enough.
 */
AY_MUST_USE enum ay_rc ay_recheck(const struct ay_recheck_in *in, struct ay_memo_table *memos,
				  struct ay_arena *a, struct ay_recheck_out *out, struct ay_err *e);

#endif
