/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_MANAGERS_H
#define AY_ASSAYD_API_MANAGERS_H

/* Managers that speak for hosts, in requests about hosts. */
#include "prog/assayd/api/call.h"

/* Is this a connection string of a host behind a manager? Its form is not judged. */
bool ay_api_is_managed(struct ay_bytes connect);
/*
 * What the request says of the manager of this connection string (password,
 * `secret`, `tls_policy`) is kept first, if it says anything; then next is
 * called, now or later. Else the call is answered.
 */
void ay_api_manager_first(struct ay_api_call *c, struct ay_bytes connect,
			  void (*next)(struct ay_api_call *c));
/* hosts.c: labels of the body, in the arena. */
struct ay_label *ay_api_labels_of(struct ay_api_call *c, size_t *n);

#endif
