/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_SET_DIFF_H
#define AY_APPRAISE_SET_DIFF_H

/*
 * What differs between two reference sets, for people who must decide whether
 * the newer one may be put in force: rules, events of a PCR in their order,
 * files with their paths. Compared is what is expected; name, version, state
 * and provenance are not.
 */
#include "core/appraise/reference.h"

/*
 * {"a":NAMED,"b":NAMED,"same":BOOL,"added":N,"removed":N,"changed":N,
 *  "changes":[{"change":"added|removed|changed","part","kind","pcr",
 *  "what":"rule|event|value|file|member","where","summary","before","after"}]}
 *
 * NAMED: name, version, sha256. where: index of the event, bank of the value,
 * path of the file, path of the member; before and after: digests or values,
 * null where there is none. In the order of parts, kinds, PCRs, of place in
 * them; the same input gives the same document. At most AY_MAX_SET_CHANGES
 * rows, counted are all. NULL without memory; the caller's reference.
 */
json_t *ay_set_diff(const struct ay_refset *a, const struct ay_refset *b);

#endif
