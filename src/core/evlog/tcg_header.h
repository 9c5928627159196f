/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_TCG_HEADER_H
#define AY_EVLOG_TCG_HEADER_H

/*
 * The first event of a log says which form the log has: EV_NO_ACTION for PCR 0
 * whose data begins with "Spec ID Event03" makes it crypto-agile and lists its
 * banks [TCG-PFP 10.4.5.1].
 */
#include "core/evlog/tcg.h"

/*
 * Judge the first event of a log (already framed in the SHA-1 form).
 *
 *   log       format and banks are set; the rest is left alone
 *   overhang  octets of vendor information that stand after the event instead
 *             of in it, as some firmware writes them
 *
 * AY_E_INPUT with e->code LOG_HEADER.
 */
AY_MUST_USE enum ay_rc ay_evlog_header_parse(const struct ay_event *first, struct ay_evlog *log,
					     size_t *overhang, struct ay_err *e);

/* Is this the data of a Spec ID header of any version? There may be only one, in front. */
bool ay_evlog_is_header(struct ay_bytes data);

#endif
