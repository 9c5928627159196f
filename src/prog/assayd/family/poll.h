/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_POLL_H
#define AY_ASSAYD_FAMILY_POLL_H

#include "prog/assayd/family/family.h"

#define AY_POLL_TIME 40
/* 2016-02-29T22:29:26.365+0000: ISO 8601 with milliseconds, as all generations write it. */
const char *ay_poll_time(int64_t at_ms, char out[AY_POLL_TIME]);

#endif
