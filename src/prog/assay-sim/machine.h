/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_SIM_MACHINE_H
#define AY_PROG_SIM_MACHINE_H

/* The boot that all simulated hosts had: a small crypto-agile log and the PCR values it leads to.
 */
#include "prog/assay-sim/sim.h"

/* Into s->log, s->log_hash and s->pcrs (SHA-256 bank, PCR 0-23). */
AY_MUST_USE enum ay_rc sim_machine_make(struct sim *s, struct ay_err *e);
void sim_machine_free(struct sim *s);

#endif
