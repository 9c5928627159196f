/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_FLAVOR_H
#define AY_ASSAYD_FAMILY_FLAVOR_H

/*
 * SecL flavors by value as reference sets, and back (docs/compat-mapping.md).
 * Pure. A flavor has its PCRs in one of two forms:
 *   "pcrs": {"SHA256": {"pcr_17": {"value": hex, "event": [{"value", "label"}]}}}
 *   "pcrs": [{"pcr": {"index", "bank"}, "measurement": hex, "pcr_matches": bool,
 *             "eventlog_equals": {"events": [EVENT], "exclude_tags": [text]},
 *             "eventlog_includes": [EVENT]}]
 *   EVENT: {"type_id": "0x..", "type_name", "tags": [text], "measurement": hex}
 */
#include "core/base/err.h"

#include <jansson.h>

/*
 * One set of one part, a draft: what ay_refset_from_json() takes; it has checked
 * it. The caller's; NULL on failure. A flavor of HOST_UNIQUE is for the host of
 * meta.description.hardware_uuid, which stands in match.hosts[0]: whether there
 * is one is for the caller. AY_E_INPUT: MISSING_INPUT, WHITELIST_VALUE,
 * PCR_UNKNOWN, NOT_OFFERED (a part or a comparison that there is no rule for).
 */
AY_MUST_USE enum ay_rc ay_flavor_set(const json_t *flavor, json_t **out, struct ay_err *e);

/* Rules of one part about PCRs, in the second form: one item for each PCR and bank. Rules that
 * the form has no words for are left out. */
json_t *ay_flavor_pcrs(const json_t *rules);

#endif
