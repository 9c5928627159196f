/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/launch.h"

#include <stdio.h>

#include "core/evlog/replay.h"
#include "core/evlog/tcg_names.h"

#define FIRST_LAUNCH_TYPE 0x401u
#define LAST_LAUNCH_TYPE 0x504u
#define TAG_PCR 22

const char *ay_launch_map_name(enum ay_launch_map m)
{
	static const char *const names[] = { "none", "legacy", "details/authorities" };

	return (size_t)m < AY_COUNT(names) ? names[m] : names[0];
}

static bool is_of_launch(const struct ay_event *ev)
{
	return ev->pcr >= AY_DRTM_FIRST && ev->pcr <= AY_DRTM_LAST &&
	       ev->type >= FIRST_LAUNCH_TYPE && ev->type <= LAST_LAUNCH_TYPE;
}

enum ay_launch_map ay_launch_map_of(const struct ay_evlog *log)
{
	enum ay_launch_map map = AY_LAUNCH_MAP_LEGACY;

	if (!ay_evlog_has_launch(log))
		return AY_LAUNCH_MAP_NONE;
	for (size_t i = 0; i < log->n_events; i++) {
		const struct ay_event *ev = &log->event[i];

		if (!is_of_launch(ev))
			continue;
		if (ev->type == AY_EV_TXT_PCR_MAPPING && ev->data.n > 0)
			return ev->data.p[0] != 0 ? AY_LAUNCH_MAP_DA : AY_LAUNCH_MAP_LEGACY;
		if (ev->pcr == 18 && (ev->type == AY_EV_TXT_SINIT_PUBKEY_HASH ||
				      ev->type == AY_EV_TXT_LCP_AUTHORITIES_HASH))
			map = AY_LAUNCH_MAP_DA;
	}
	return map;
}

/* How many of tboot's entries stand before event i in its PCR. */
static unsigned position(const struct ay_evlog *log, size_t i)
{
	unsigned n = 0;

	for (size_t k = 0; k < i; k++)
		n += log->event[k].pcr == log->event[i].pcr && log->event[k].type == AY_EV_TBOOT;
	return n;
}

/*
 * Number of the module that tboot measured there, from 0; -1: its policy, or
 * the tag. In PCR 17 (and 18 of details/authorities) the policy is first;
 * legacy: module 0 is in PCR 18, the others in PCR 19.
 */
static int module_of(const struct ay_evlog *log, size_t i)
{
	bool legacy = ay_launch_map_of(log) == AY_LAUNCH_MAP_LEGACY;
	int at = (int)position(log, i);

	switch (log->event[i].pcr) {
	case 17:
		return at - 1;
	case 18:
		return legacy ? at : at - 1;
	case 19:
		return legacy ? at + 1 : at;
	default:
		return -1;
	}
}

bool ay_launch_is_module(const struct ay_evlog *log, size_t i)
{
	return is_of_launch(&log->event[i]) && log->event[i].type == AY_EV_TBOOT &&
	       module_of(log, i) >= 0;
}

const char *ay_launch_name(const struct ay_evlog *log, size_t i, char out[AY_LAUNCH_NAME])
{
	static const char *const modules[] = { "vmlinuz", "initrd" };
	const struct ay_event *ev = &log->event[i];
	int module;

	if (!is_of_launch(ev))
		return NULL;
	if (ev->type != AY_EV_TBOOT)
		return ay_event_type_name(ev->type);
	module = module_of(log, i);
	if (ev->pcr == TAG_PCR)
		return "asset-tag";
	if (module < 0)
		return "tb_policy";
	if ((size_t)module < AY_COUNT(modules))
		return modules[module];
	snprintf(out, AY_LAUNCH_NAME, "module %d", module);
	return out;
}
