/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_MANAGED_H
#define AY_ASSAYD_MANAGED_H

/* Hosts that a manager speaks for, as schedule.c and hostops.c see them (connector.h). */
#include "core/base/connstr.h"
#include "prog/assayd/engine_impl.h"

/* Reached through a manager? connect of its row says so. */
bool ay_is_managed(const struct ay_host *h);
/* When the question under way must be answered (mono); AY_NEVER: none is. */
int64_t ay_managed_deadline(const struct ay_host *h);
/* May it be asked now? */
bool ay_managed_is_free(const struct ay_host *h);
/* Ask: the manager's turn comes when fewer than AY_MAX_MANAGER_ASKED are asked there. */
void ay_managed_ask(struct ay_engine *g, struct ay_host *h);
/* Its deadline has passed. */
void ay_managed_expire(struct ay_engine *g, struct ay_host *h);
/* It is removed, or reached otherwise from now on. */
void ay_managed_drop(struct ay_engine *g, struct ay_host *h);
/* The engine ends: nothing is called back any more. */
void ay_managed_end(struct ay_engine *g);
/* A host that answers nothing yet is asked who it is. */
void ay_managed_meet(struct ay_engine *g, struct ay_host *h);

/*
 * What is stored of a way to reach a host: a connection string without
 * password, or ADDR:PORT of an agent. Codes NOT_OFFERED, MANAGER_UNKNOWN.
 */
AY_MUST_USE enum ay_rc ay_managed_connect(struct ay_engine *g, struct ay_bytes text,
					  char out[AY_CONNSTR_TEXT], struct ay_err *e);

/* Hosts of a manager that is known: struct ay_listing of connector.h. */
void ay_managed_list(struct ay_engine *g, struct ay_bytes connect,
		     void (*fn)(void *arg, enum ay_rc rc, const struct ay_err *e, json_t *hosts),
		     void *arg);

#endif
