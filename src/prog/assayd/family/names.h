/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_NAMES_H
#define AY_ASSAYD_FAMILY_NAMES_H

/* Hosts that a request names. */
#include "prog/assayd/family/args.h"

/* Answers: no such host (1003). */
void ay_family_no_host(struct ay_api_call *c);
/* The host that a member or parameter names. NULL: answered. */
const struct ay_host *ay_family_named_host(struct ay_api_call *c, const char *arg);
/* "a,b": 1 to max names, in the arena, terminated. AY_E_INPUT MISSING_INPUT. */
AY_MUST_USE enum ay_rc ay_family_names(struct ay_api_call *c, const char *arg, struct ay_bytes *out,
				       size_t max, size_t *n, struct ay_err *e);

#endif
