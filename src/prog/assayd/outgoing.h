/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_OUTGOING_H
#define AY_ASSAYD_OUTGOING_H

/*
 * HTTPS requests of the server itself, sent by courier: webhooks, identity
 * providers, other managers. Never waits. Addresses that courier refuses, and
 * how many are open at a time, are its configuration and limits.def.
 */
#include "io/ipc/outgoing_msg.h"
#include "prog/assayd/engine.h"

/*
 * Called once, maybe before ay_outgoing_send() returns. AY_OK: an answer with
 * whatever status; its views live until fn returns. Else AY_E_UNAVAIL and a code:
 * OUTGOING_ADDRESS (an address that is not called), _SCHEME, _INPUT, _DNS,
 * _CONNECT, _TLS, _PEER (not the key or certificate that is pinned), _TIMEOUT, _LIMIT (the answer
 * is too long), _HTTP, _ROOTS, _BUSY (too many under way, in all or to that host and port).
 */
typedef void ay_outgoing_fn(void *arg, enum ay_rc rc, const struct ay_err *e,
			    const struct ay_outgoing_answer *a);
/* All of o is copied. A number for ay_outgoing_forget(); 0: fn was called already. */
uint32_t ay_outgoing_send(struct ay_engine *g, const struct ay_outgoing *o, ay_outgoing_fn *fn,
			  void *arg);
/* fn is not called any more; the request is given up. */
void ay_outgoing_forget(struct ay_engine *g, uint32_t number);

#endif
