/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_LAUNCH_H
#define AY_EVLOG_LAUNCH_H

/*
 * What people call the events of a measured launch. Types are not covered by
 * the digests and tboot gives its modules none: a name says what to look at
 * and which rule is to speak of an event, never that it is good.
 */
#include "core/evlog/tcg.h"

#define AY_EV_TXT_MLE_HASH 0x404u
#define AY_EV_TXT_BIOSAC_REG_DATA 0x40au
#define AY_EV_TXT_STM_HASH 0x40eu
#define AY_EV_TXT_SINIT_PUBKEY_HASH 0x410u
#define AY_EV_TXT_LCP_HASH 0x411u
#define AY_EV_TXT_LCP_DETAILS_HASH 0x412u
#define AY_EV_TXT_LCP_AUTHORITIES_HASH 0x413u
#define AY_EV_TBOOT 0x501u

/* How SINIT uses PCR 17 and 18 [TXT-DEV 1.9]. */
enum ay_launch_map {
	AY_LAUNCH_MAP_NONE = 0, /* no launch in the log */
	AY_LAUNCH_MAP_LEGACY,	/* 17: SINIT and policy, 18: MLE */
	AY_LAUNCH_MAP_DA,	/* 17: details, 18: authorities */
};
const char *ay_launch_map_name(enum ay_launch_map m);

/* As PCR_MAPPING says; without that, by what was extended into PCR 18. */
enum ay_launch_map ay_launch_map_of(const struct ay_evlog *log);

/*
 * The name of event i: that of its type, or of what tboot measures there by
 * position (tb_policy, vmlinuz, initrd, module 2 ...; asset-tag in PCR 22).
 * NULL: no event of a launch. out: AY_LAUNCH_NAME octets that it may use.
 */
#define AY_LAUNCH_NAME 24
const char *ay_launch_name(const struct ay_evlog *log, size_t i, char out[AY_LAUNCH_NAME]);

/* Is it a module that tboot started: hypervisor, kernel, initrd? */
bool ay_launch_is_module(const struct ay_evlog *log, size_t i);

#endif
