/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAY_CA_RUN_H
#define AY_ASSAY_CA_RUN_H

/*
 * The Privacy CA as a child of assayd: one socket pair to engine (ca.def), one
 * to the parent. assayd/processes.h declares ay_ca_run().
 */
#include "io/ipc/ipc.h"
#include "prog/assay-ca/ca.h"

/* Serve one peer's messages of ca.def; used embedded and alone. Answers through c. */
void ay_ca_serve(struct ay_ca *ca, struct ay_ipc *c, const struct ay_ipc_msg *m);
/* Tell the peer the certificates (CA_READY). */
void ay_ca_greet(struct ay_ca *ca, struct ay_ipc *c);

#endif
