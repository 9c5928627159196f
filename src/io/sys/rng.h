/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_RNG_H
#define AY_SYS_RNG_H

/* Random octets of the kernel. */
#include "core/base/uuid.h"

/* Never fails: a system without getrandom(2) is not one we run on, so it aborts. */
void ay_rng_bytes(void *out, size_t n);
struct ay_uuid ay_rng_uuid(void); /* version 4 */

#endif
