/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_GUID_H
#define AY_BASE_GUID_H

/*
 * GUIDs as UEFI writes them: in text like a UUID, in memory with the first
 * three fields little-endian [UEFI A].
 */
#include "core/base/err.h"

#define AY_GUID_TEXT 37 /* with terminator */

/* Any case. AY_E_INPUT with `field`. */
AY_MUST_USE enum ay_rc ay_guid_parse(const char *text, const char *field, uint8_t out[16],
				     struct ay_err *e);
/* Lower case. */
void ay_guid_format(const uint8_t guid[16], char out[AY_GUID_TEXT]);

#endif
