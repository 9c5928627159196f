/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CHECK_LOG_H
#define AY_APPRAISE_CHECK_LOG_H

/*
 * What a boot log is worth against the PCR values that the TPM signed. These
 * functions turn facts into findings (codes LOG_*, facts/tamper-matrix.md 3)
 * and decide no verdict.
 */
#include "core/appraise/report.h"
#include "core/evlog/tcg.h"

/*
 * A data mismatch that a reference set recorded for that very event when it
 * was learned is a note, not a failure. has may be NULL: none is known.
 */
struct ay_known_mismatch {
	bool (*has)(const void *ctx, const struct ay_evlog *log, size_t event);
	const void *ctx;
};

/* The log could not be parsed: the finding of e->code (LOG_MALFORMED if it has none). */
void ay_check_log_refused(const struct ay_err *e, struct ay_report *rep);

/*
 * What the log says by itself: LOG_BANK_INCONSISTENT, LOG_SEPARATOR (fail),
 * LOG_EVENT_TYPE, LOG_PADDING (notes). ay_evlog_check_data() was called before.
 */
void ay_check_log_shape(const struct ay_evlog *log, const struct ay_known_mismatch *known,
			struct ay_report *rep);

/* LOG_EVENT_DATA for every event whose digest should cover its data and does not. */
void ay_check_log_data(const struct ay_evlog *log, const struct ay_known_mismatch *known,
		       struct ay_report *rep);

/*
 * The replay against attested values, every bank and PCR for itself:
 * LOG_PCR_MISMATCH, LOG_PCR_NO_EVENTS (a PCR that was extended, is not 10, 16
 * or 23, and has no events), LOG_BANK_UNATTESTED.
 *
 *   attested  values that the quote covers
 *   replayed  of ay_evlog_replay()
 *   ima_pcrs  bit N: PCR N is extended by IMA after the boot log and not
 *             compared here
 *
 * Returns the worst result; not_checked when no bank could be compared.
 */
enum ay_result ay_check_log_pcrs(const struct ay_evlog *log, const struct ay_pcrs *attested,
				 const struct ay_pcrs *replayed, uint32_t ima_pcrs,
				 struct ay_report *rep);

#endif
