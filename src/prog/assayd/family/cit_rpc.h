/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_CIT_RPC_H
#define AY_ASSAYD_FAMILY_CIT_RPC_H

/*
 * Results of /rpc-async: the last AY_MAX_RPCS, in memory, each for who asked.
 * An rpc is done when 202 is answered; the client fetches what came of it.
 */
#include "prog/assayd/api/call.h"

void ay_rpcs_free(struct ay_api *a);

#endif
