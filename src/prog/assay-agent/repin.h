/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_REPIN_H
#define AY_PROG_AGENT_REPIN_H

/* PIN_CHANGE in the tpm process: checked against the pins, stored, answered
 * (docs/protocol/agent-channel.md, pin change). */
#include "core/base/writer.h"
#include "prog/assay-agent/agent.h"

/*
 * Take a change, or not; answer gets the body of PIN_STATE either way, unless
 * the body cannot be parsed: AY_E_INPUT. *roots: the link process must be told.
 */
AY_MUST_USE enum ay_rc ay_repin(struct ay_agent *a, struct ay_bytes body, int64_t now_ms,
				struct ay_writer *answer, bool *roots, struct ay_err *e);
/* A server showed itself with this root certificate. */
void ay_repin_seen(struct ay_agent *a, struct ay_bytes root_der);
/* The body of AGENT_ROOTS. */
void ay_repin_roots(const struct ay_agent *a, int64_t now_ms, struct ay_writer *w);

#endif
