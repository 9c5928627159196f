/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_STATUS_H
#define AY_PROG_AGENT_STATUS_H

/*
 * What the agent last knew, for `assay-agent status`: STATE/status.json,
 * written by the tpm process as things happen, read by anyone who may.
 */
#include "io/net/agent_msg.h"
#include "prog/assay-agent/agent.h"

void ay_status_connected(const struct ay_agent *a);
void ay_status_disconnected(const struct ay_agent *a);
void ay_status_enrolled(const struct ay_agent *a);
void ay_status_result(const struct ay_agent *a, const struct ay_chan_result *r);
void ay_status_refused(const struct ay_agent *a, const char *code, const char *text);

/* Octets from outside as printable text: others become '?'. */
void ay_status_printable(struct ay_bytes b, char *out, size_t room);

/* The verb: a table, or one JSON document. Returns an exit code. */
int ay_status_print(const struct ay_agent *a, bool json);

#endif
