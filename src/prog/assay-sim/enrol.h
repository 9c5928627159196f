/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_SIM_ENROL_H
#define AY_PROG_SIM_ENROL_H

/* Real enrolment of a simulated host: the agent's steps, with software in the TPM's place. */
#include "prog/assay-sim/sim.h"

/* The body of TOKEN_PROOF. */
AY_MUST_USE enum ay_rc sim_token_proof(struct sim_host *h, const struct ay_tls_peer *peer,
				       uint8_t *buf, size_t max, struct ay_bytes *body,
				       struct ay_err *e);
/*
 * The answer to PROVISION, CA_CHALLENGE or CA_CERT; *type: of the answer.
 * After an error sim_enrol_end() is the caller's to call.
 */
AY_MUST_USE enum ay_rc sim_enrol_step(struct sim_host *h, const struct ay_tls_peer *peer,
				      const struct ay_frame *f, uint8_t *buf, size_t max,
				      uint8_t *type, struct ay_bytes *body, struct ay_err *e);
/* ENROLLED: takes the host id. */
AY_MUST_USE enum ay_rc sim_enrol_done(struct sim_host *h, const struct ay_frame *f,
				      struct ay_err *e);
void sim_enrol_end(struct sim_host *h);

#endif
