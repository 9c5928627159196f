/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAY_CA_LISTEN_H
#define AY_ASSAY_CA_LISTEN_H

/*
 * The Privacy CA alone, on its own port: the messages of ca.def over TLS 1.3,
 * ALPN assay-ca/1, from a server whose certificate chains to `server_root`.
 */
#include "io/sys/config.h"

/* Serves until SIGTERM or SIGINT. */
AY_MUST_USE enum ay_rc ay_ca_listen(const struct ay_config *c, struct ay_err *e);

#endif
