/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_CLOCK_H
#define AY_SYS_CLOCK_H

/* The clocks of this machine; core is given instants, it never asks. */
#include "core/base/defs.h"

int64_t ay_clock_wall_ms(void);	 /* since 1970, can jump */
int64_t ay_clock_mono_ms(void);	 /* never goes back; for deadlines */
uint64_t ay_clock_mono_ns(void); /* for measuring */

#endif
