/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_REWRAP_H
#define AY_ASSAYD_REWRAP_H

/*
 * After `assayd keys rotate keeper` every stored secret is wrapped anew by the
 * newest key, each in a write of its own that replaces what was read and nothing
 * newer; when none is left under an old key those are destroyed. It begins anew
 * at every start, so a server that is killed in between loses nothing.
 */
#include "core/base/bytes.h"
#include "core/base/defs.h"
#include "core/base/err.h"

#include <stdint.h>

struct ay_engine;
struct ay_api;

/* One stored secret. */
struct ay_kept_row {
	uint8_t object[80];
	size_t object_n;
	struct ay_bytes wrapped; /* a view of octets, or of the row in memory */
	uint8_t octets[160];
};

/* Once a second. */
void ay_rewrap_tick(struct ay_engine *g);

/*
 * What has secrets: at() is the i-th, false after the last (wrapped.n 0: it has
 * none). put() stores fresh in the place of row->wrapped; AY_OK too when another
 * one is there meanwhile.
 */
bool ay_hook_kept_at(struct ay_engine *g, size_t i, struct ay_kept_row *out);
AY_MUST_USE enum ay_rc ay_hook_kept_put(struct ay_engine *g, const struct ay_kept_row *row,
					struct ay_bytes fresh, struct ay_err *e);
bool ay_manager_kept_at(struct ay_engine *g, size_t i, struct ay_kept_row *out);
AY_MUST_USE enum ay_rc ay_manager_kept_put(struct ay_engine *g, const struct ay_kept_row *row,
					   struct ay_bytes fresh, struct ay_err *e);
bool ay_client_kept_at(struct ay_api *a, size_t i, struct ay_kept_row *out);
AY_MUST_USE enum ay_rc ay_client_kept_put(struct ay_api *a, const struct ay_kept_row *row,
					  struct ay_bytes fresh, struct ay_err *e);
bool ay_seed_kept_at(struct ay_api *a, size_t i, struct ay_kept_row *out);
AY_MUST_USE enum ay_rc ay_seed_kept_put(struct ay_api *a, const struct ay_kept_row *row,
					struct ay_bytes fresh, struct ay_err *e);

#endif
