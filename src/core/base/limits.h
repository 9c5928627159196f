/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_LIMITS_H
#define AY_BASE_LIMITS_H

/* The rows of limits.def as constants AY_MAX_*. */
enum ay_limit {
#define X(name, value, unit, doc) AY_MAX_##name = (value),
#include "core/base/limits.def"
#undef X
};

#endif
