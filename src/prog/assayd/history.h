/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_HISTORY_H
#define AY_ASSAYD_HISTORY_H

/*
 * An attestation of the past, put together from the store: for what-if and
 * for receipts. Reads only, so that a worker with a reader of its own
 * (ay_store_reader) may call it.
 */
#include "io/store/store.h"
#include "prog/assayd/recheck.h"

struct ay_history {
	struct ay_recheck_in in; /* judge NULL: the caller's to set */
	uint64_t seq;
	int64_t at_ms;
	uint8_t report_id[16];
	enum ay_verdict verdict; /* in force after it */
	struct ay_bytes cert;	 /* AIK certificate, DER */
	struct ay_bytes report;	 /* as stored; only with all */
	struct ay_bytes rules;	 /* rules.h; only with all */
	struct ay_bytes boot_id; /* 16 octets or none */
	/* to fetch the log by, when it was not read */
	struct ay_store *store;
	struct ay_arena *a;
};

/*
 * Row `seq` of this host. all: with boot log, report and rules; else the log
 * is fetched only if the judge asks for it. Everything lives in the arena. out
 * must stay where it is while in.fetch_log may be called. AY_E_NOENT: no such
 * row of this host, or something of it is not kept any more.
 */
AY_MUST_USE enum ay_rc ay_history_load(struct ay_store *s, const struct ay_uuid *host, uint64_t seq,
				       bool all, struct ay_arena *a, struct ay_history *out,
				       struct ay_err *e);

#endif
