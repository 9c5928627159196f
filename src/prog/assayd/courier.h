/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_COURIER_H
#define AY_ASSAYD_COURIER_H

/*
 * The parts of the courier process: courier_ca.c carries messages to a
 * stand-alone Privacy CA; courier_http.c, courier_dns.c and courier_curl.c send
 * requests to whom engine names; courier_ldap.c has a directory log people in. All
 * run on the process's one loop and never wait, but libldap, in its threads.
 */
#include "io/ipc/ipc.h"
#include "io/sys/config.h"

struct ay_courier_ca;
/* engine: side B of ca.def, whose messages go to ay_courier_ca_message(). */
AY_MUST_USE enum ay_rc ay_courier_ca_new(struct ay_loop *loop, const struct ay_config *config,
					 struct ay_courier_ca **out, struct ay_err *e);
/* Begins to dial. */
void ay_courier_ca_start(struct ay_courier_ca *c, struct ay_ipc *engine);
void ay_courier_ca_message(struct ay_courier_ca *c, const struct ay_ipc_msg *m);
void ay_courier_ca_free(struct ay_courier_ca *c); /* NULL is fine */

struct ay_courier_http;
/* Before the sandbox: it reads resolv.conf and hosts, and libraries load what they need. */
AY_MUST_USE enum ay_rc ay_courier_http_new(struct ay_loop *loop, const struct ay_config *config,
					   struct ay_courier_http **out, struct ay_err *e);
/* engine: side B of courier.def, whose messages go to ay_courier_http_message(). */
void ay_courier_http_start(struct ay_courier_http *c, struct ay_ipc *engine);
void ay_courier_http_message(struct ay_courier_http *c, const struct ay_ipc_msg *m);
void ay_courier_http_free(struct ay_courier_http *c); /* NULL is fine */

struct ay_courier_ldap;
/* NULL in *out: no directory is configured. Before the sandbox; reads roots and password. */
AY_MUST_USE enum ay_rc ay_courier_ldap_new(struct ay_loop *loop, const struct ay_config *config,
					   struct ay_courier_http *http,
					   struct ay_courier_ldap **out, struct ay_err *e);
/* In the sandbox, which its threads are to inherit. */
AY_MUST_USE enum ay_rc ay_courier_ldap_start(struct ay_courier_ldap *c, struct ay_ipc *engine,
					     struct ay_err *e);
/* DIRECTORY_LOGIN and OUTGOING_FORGET; c may be NULL. */
void ay_courier_ldap_message(struct ay_courier_ldap *c, struct ay_ipc *engine,
			     const struct ay_ipc_msg *m);
void ay_courier_ldap_free(struct ay_courier_ldap *c); /* NULL is fine; before its http */

#endif
