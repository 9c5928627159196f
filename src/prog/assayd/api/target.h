/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_TARGET_H
#define AY_ASSAYD_API_TARGET_H

/*
 * Path and query of a request, decoded strictly: each octet sequence has one
 * reading. Refused are bad or unneeded percent escapes of separators, control
 * characters, text that is not UTF-8, empty, "." and ".." segments.
 */
#include "core/base/arena.h"
#include "core/base/err.h"

enum { AY_TARGET_SEGMENTS = 12, AY_TARGET_PARAMS = 16 };

struct ay_target {
	size_t n_segments;
	struct ay_bytes segment[AY_TARGET_SEGMENTS]; /* decoded, terminated */
	size_t n_params;
	struct {
		struct ay_bytes name, value; /* decoded, terminated */
		size_t offset;		     /* of the name, in the query */
	} param[AY_TARGET_PARAMS];
};

/* Views are in the arena. AY_E_INPUT names "path" or "query" and the offset in it; AY_E_LIMIT. */
AY_MUST_USE enum ay_rc ay_target_parse(struct ay_bytes path, struct ay_bytes query,
				       struct ay_arena *a, struct ay_target *out, struct ay_err *e);
/* NULL view when it was not given; there is one at most of each name. */
struct ay_bytes ay_target_param(const struct ay_target *t, const char *name);

#endif
