/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPMDEV_GUARD_H
#define AY_TPMDEV_GUARD_H

/*
 * A TPM without a resource manager keeps what a killed program loaded. Before
 * we load anything, the handles that others have there are written to a file,
 * which is removed when all of ours are flushed. If the file is there at the
 * next start, a piece of our work was cut short: every handle that is not in
 * the file is flushed. Behind the kernel's resource manager all lists are empty.
 */
#include "core/base/err.h"

#define AY_GUARD_MAX 64

struct ay_guard {
	uint32_t h[AY_GUARD_MAX];
	size_t n;
};

bool ay_guard_has(const struct ay_guard *g, uint32_t handle);
/* False if there is no file. What does not read as a handle is passed over. */
bool ay_guard_load(const char *path, struct ay_guard *out);
AY_MUST_USE enum ay_rc ay_guard_save(const char *path, const struct ay_guard *g, struct ay_err *e);

#endif
