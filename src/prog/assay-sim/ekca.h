/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_SIM_EKCA_H
#define AY_PROG_SIM_EKCA_H

/*
 * A CA for the EKs of simulated hosts: DIR/vtpm-sim/ca.pem is its certificate,
 * a trust set like any other (grade ek_vtpm); DIR/vtpm-sim.key its key.
 */
#include "prog/assay-sim/sim.h"

AY_MUST_USE enum ay_rc sim_ekca_make(const char *dir, struct ay_err *e);
/* Into s->ca_key and s->ca_cert. */
AY_MUST_USE enum ay_rc sim_ekca_load(struct sim *s, struct ay_err *e);
void sim_ekca_free(struct sim *s);
/* The certificate of a host's EK. */
AY_MUST_USE enum ay_rc sim_ekca_issue(const struct sim *s, const struct sim_host *h, uint8_t *out,
				      size_t max, size_t *n, struct ay_err *e);

#endif
