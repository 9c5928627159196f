/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_DIAL_H
#define AY_PROG_AGENT_DIAL_H

/* Where to dial and when: the servers in turn, with a pause that grows and is never the same twice.
 */
#include "prog/assay-agent/agent.h"

struct ay_dialer {
	size_t n_servers;
	char servers[AY_TOKEN_SERVERS_MAX][AY_TOKEN_SERVER_MAX];
	size_t next;
	unsigned failures; /* since the last connection that stayed */
};

/* From the configuration, else the token, else the enrolment. None: n_servers is 0. */
void ay_dialer_init(struct ay_dialer *d, const struct ay_agent *a);
/* A socket that is connecting to the next server; host names are looked up now. */
AY_MUST_USE enum ay_rc ay_dialer_connect(struct ay_dialer *d, int *fd, struct ay_err *e);
/* Pause before the next try, in ms; random: any number. */
/* The server that was dialled last, as it was named. */
const char *ay_dialer_last(const struct ay_dialer *d);
unsigned ay_dialer_pause_ms(const struct ay_dialer *d, uint32_t random);

#endif
