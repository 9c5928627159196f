/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_AWAIT_H
#define AY_ASSAYD_FAMILY_AWAIT_H

/*
 * A request that needs a fresh attestation of a host, also of one whose
 * listening agent is only now being enrolled: it waits, a minute at most, and
 * goes on. Clients of the family expect that of one request.
 */
#include "prog/assayd/family/family.h"

/* Called once: h has attested since (rc AY_OK), or why not. Ends the call. */
typedef void ay_family_attested_fn(struct ay_api_call *c, const struct ay_host *h, void *arg,
				   enum ay_rc rc, const struct ay_err *e);
/*
 * fn may be called before this returns. arg is the caller's, in the arena of
 * the call. HOST_OFFLINE: the host has no agent that could be asked; TA_TIMEOUT:
 * it did not answer in time.
 */
void ay_family_await(struct ay_api_call *c, const struct ay_host *h, ay_family_attested_fn *fn,
		     void *arg);

#endif
