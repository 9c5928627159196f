/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_SIM_EVIDENCE_H
#define AY_PROG_SIM_EVIDENCE_H

/* What a simulated host answers to a challenge: a quote and what belongs to it, or an attack. */
#include "prog/assay-sim/sim.h"

#define SIM_ATTEST_MAX 512
#define SIM_SIG_MAX 520

/* A quote with this extraData over this selection; as the TPM of h would make it, unless bad. */
AY_MUST_USE enum ay_rc sim_quote(struct sim_host *h, const struct ay_pcr_selection *sel,
				 struct ay_bytes extra, enum sim_bad bad, uint8_t *buf,
				 struct ay_bytes *attest, struct ay_bytes *sig, struct ay_err *e);
/* Room that sim_quote wants in buf. */
#define SIM_QUOTE_ROOM (SIM_ATTEST_MAX + SIM_SIG_MAX)

/* The body of EVIDENCE for a CHALLENGE. */
AY_MUST_USE enum ay_rc sim_answer(struct sim_host *h, const struct ay_chan_challenge *c,
				  enum sim_bad bad, uint8_t *buf, size_t max, struct ay_bytes *body,
				  struct ay_err *e);

/* SIM_BADS when there is no such mode. */
enum sim_bad sim_bad_find(const char *name);
/* Whether this answer is to be a bad one, and which. */
enum sim_bad sim_bad_draw(struct sim *s);

#endif
