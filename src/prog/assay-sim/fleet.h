/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_SIM_FLEET_H
#define AY_PROG_SIM_FLEET_H

/* The connections of a fleet: dials, enrols, answers, counts, for as long as was asked. */
#include "prog/assay-sim/sim.h"

AY_MUST_USE enum ay_rc sim_fleet_init(struct sim *s, struct ay_err *e);
/* Until --seconds have passed since every host that can be is connected. */
AY_MUST_USE enum ay_rc sim_fleet_run(struct sim *s, struct ay_err *e);
void sim_fleet_fini(struct sim *s);

#endif
