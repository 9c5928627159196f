/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_NUMBERS_H
#define AY_BASE_NUMBERS_H

/* Numbers as clients write them into texts: decimal digits and nothing else. */
#include "core/base/bytes.h"
#include "core/base/err.h"

/*
 * 0 to max; no sign, no spaces, nothing behind it; leading zeros are taken up
 * to 20 digits. AY_E_INPUT, *out stays.
 */
AY_MUST_USE enum ay_rc ay_number_parse(struct ay_bytes text, const char *field, uint64_t max,
				       uint64_t *out, struct ay_err *e);

/*
 * "0,17": bit N of *out is N, 0 to max (63 at most); spaces may stand around a
 * number. Neither empty nor with an empty place. AY_E_INPUT, *out stays.
 */
AY_MUST_USE enum ay_rc ay_number_set_parse(struct ay_bytes text, const char *field, unsigned max,
					   uint64_t *out, struct ay_err *e);

#endif
