/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_BIND_H
#define AY_ASSAYD_FAMILY_BIND_H

/*
 * Which MLEs a host is judged by: those its record names, else those whose
 * every value it shows. A host that has shown none yet waits (documents of kind
 * "unbound" by host id) until it first attests.
 *
 * An MLE made from a good host is meant for some hosts: members "target" of
 * its document, "HOST" (target_value: id of that host), "OEM" (target_value:
 * name of the OEM) or "GLOBAL"; without one it is for all. Of several that a
 * host meets, HOST goes before OEM and OEM before GLOBAL.
 */
#include "prog/assayd/family/mle.h"

/*
 * Names of the record (BIOS_Name, .. or bios_mle_uuid, ..; MLE_INCORRECT when
 * such an id is of no MLE) go into own, the host's document; what it does not
 * name is chosen now, or when the host has attested. own is changed, not kept.
 */
AY_MUST_USE enum ay_rc ay_family_bind(struct ay_api_call *c, const struct ay_host *h,
				      const json_t *record, json_t *own, struct ay_err *e);
/* About once a second: hosts that have attested since. */
void ay_family_bind_tick(struct ay_api *a);

/* "BIOS_OEM", "VMM_GLOBAL" of a request: "OEM", "GLOBAL", "HOST"; NULL: not one of them. "" is
 * "". */
const char *ay_family_target(const char *text);

#endif
