/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_WHITELIST_H
#define AY_ASSAYD_FAMILY_WHITELIST_H

/*
 * MLEs taken from a good host: /ManagementService/resources/host/whitelist of
 * v1, /rpc/create-whitelist of CIT v2. The host is attested within the request.
 *
 * Without names: the OEM's (BIOS) and the OS's (VMM), or the host's where the
 * record tells neither; before it the host's name for target HOST, the OEM's
 * for VMM_OEM. An MLE of that name with other values stays as it is and the new
 * one is NAME_001, unless it is to be overwritten; one that was named by the
 * client and is there is MLE_EXISTS.
 */
#include "prog/assayd/family/family.h"

/* Writes what is answered when it is done; ends the call. */
typedef void ay_family_whitelisted_fn(struct ay_api_call *c);
/* config: the request's; record: the host's, in it. The whole handler. */
void ay_family_whitelist(struct ay_api_call *c, const json_t *config, const json_t *record,
			 ay_family_whitelisted_fn *done);

#endif
