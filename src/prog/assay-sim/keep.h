/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_SIM_KEEP_H
#define AY_PROG_SIM_KEEP_H

/*
 * Enrolled hosts in STATE/hosts.bin, so that a second run does not enrol
 * again: a record a host, appended when it is enrolled; the last one counts.
 */
#include "prog/assay-sim/sim.h"

/* Loads the hosts of this run that are there, and opens the file for appending. */
AY_MUST_USE enum ay_rc sim_keep_load(struct sim *s, struct ay_err *e);
AY_MUST_USE enum ay_rc sim_keep_add(struct sim *s, const struct sim_host *h, struct ay_err *e);

#endif
