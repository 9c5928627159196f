/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_SIM_KEYS_H
#define AY_PROG_SIM_KEYS_H

/* Keys of simulated hosts: made, or taken from the state folder. */
#include "prog/assay-sim/sim.h"

/* TLS key and certificate, EK, AK with its public area and Name. */
AY_MUST_USE enum ay_rc sim_keys_make(struct sim *s, struct sim_host *h, struct ay_err *e);
/* The self-signed certificate of h->tls_key. */
AY_MUST_USE enum ay_rc sim_keys_certify(struct sim_host *h, struct ay_err *e);
/* h->ak_pub as a structure; its views borrow from h. */
AY_MUST_USE enum ay_rc sim_keys_ak_name(struct sim_host *h, struct ay_err *e);
/* TPMT_PUBLIC of the EK (template L-2) into buf. */
AY_MUST_USE enum ay_rc sim_keys_ek_public(const struct sim_host *h, uint8_t *buf, size_t max,
					  struct ay_public *out, struct ay_err *e);
void sim_keys_free(struct sim_host *h);

/* RSA keys take 0.2 s each to make, so hosts share them; authPolicy makes each Name unique. */
AY_MUST_USE enum ay_rc sim_rsa_pool(struct sim *s, struct ay_err *e);
void sim_rsa_pool_free(struct sim *s);

#endif
