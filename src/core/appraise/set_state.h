/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_SET_STATE_H
#define AY_APPRAISE_SET_STATE_H

/* Life of a reference set or policy version: draft -> active -> superseded -> revoked (design 1).
 */
#include "core/base/bytes.h"

enum ay_set_state {
	AY_SET_DRAFT = 0,
	AY_SET_ACTIVE,
	AY_SET_SUPERSEDED,
	AY_SET_REVOKED,
	AY_SET_STATES
};

const char *ay_set_state_name(enum ay_set_state s);
bool ay_set_state_find(struct ay_bytes name, enum ay_set_state *out);
/* May a set go from one state to another? */
bool ay_set_state_may(enum ay_set_state from, enum ay_set_state to);

#endif
