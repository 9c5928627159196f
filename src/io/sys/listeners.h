/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_LISTENERS_H
#define AY_SYS_LISTENERS_H

/* Section [compat] of the configuration: addresses for clients of the Mt. Wilson family. */
#include "io/ipc/front_msg.h"
#include "io/net/cidr.h"
#include "io/sys/config.h"

enum { AY_LISTENER_NETWORKS = 32 };

/* One of them. Texts belong to the configuration. */
struct ay_listener_set {
	const char *listen;	/* ADDR:PORT; "": it is off */
	const char *cert, *key; /* files; "": the API's */
	const char *role;	/* of requests from these networks without credentials; "": none */
	size_t n_from;
	struct ay_cidr from[AY_LISTENER_NETWORKS];
};

/*
 * l is not AY_LISTENER_API. AY_E_INPUT: a network that is none, a certificate
 * without key, a role without networks or networks without a role: to open a
 * listener to everybody, 0.0.0.0/0 must be written.
 */
AY_MUST_USE enum ay_rc ay_listener_read(const struct ay_config *c, enum ay_listener l,
					struct ay_listener_set *out, struct ay_err *e);
/* All of them, before anything is opened. */
AY_MUST_USE enum ay_rc ay_listeners_check(const struct ay_config *c, struct ay_err *e);
/* Is this peer one that needs no credentials there? */
AY_MUST_USE bool ay_listener_has(const struct ay_listener_set *s, struct ay_bytes peer);

#define AY_LISTENER_WARNING 400
/*
 * What an operator should be reminded of: who may come in without credentials.
 * False: nothing. key gets the configuration key, "oat1_role"; text is printable
 * ASCII without quotes and backslashes.
 */
AY_MUST_USE bool ay_listener_warning(const struct ay_config *c, enum ay_listener l, char key[32],
				     char text[AY_LISTENER_WARNING]);

#endif
