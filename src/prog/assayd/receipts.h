/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_RECEIPTS_H
#define AY_ASSAYD_RECEIPTS_H

/* Receipts of stored verdicts (receipt.h), as the API gives them. */
#include "prog/assayd/engine.h"

/*
 * The receipt of a host's report; report NULL: the latest one. AY_E_NOENT: no
 * such report, or (code NOT_KEPT) not everything of it is kept any more.
 */
AY_MUST_USE enum ay_rc ay_engine_receipt(struct ay_engine *g, const struct ay_host *h,
					 const struct ay_uuid *report, json_t **out,
					 struct ay_err *e);

/* The number of the row of this report; NULL: the latest. AY_E_NOENT: there is none. */
AY_MUST_USE enum ay_rc ay_receipt_row(struct ay_engine *g, const struct ay_host *h,
				      const struct ay_uuid *report, uint64_t *seq,
				      struct ay_err *e);

#endif
