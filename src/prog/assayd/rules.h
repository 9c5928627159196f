/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_RULES_H
#define AY_ASSAYD_RULES_H

/*
 * Which policy and sets a verdict was made by: their hashes, the states the
 * sets were in and the parts that count for the host, in the order in which the judge tried them.
 * Kept as content, shared by all that the same judge has judged (docs/formats/receipt.md).
 */
#include "core/appraise/policy.h"
#include "core/appraise/reference.h"
#include "io/store/blob.h"

struct ay_rules {
	bool has_policy;
	uint8_t policy[32];
	uint32_t n_sets;
	struct ay_bytes sets; /* n_sets times: SHA-256, state, parts */
};
struct ay_rules_set {
	uint8_t sha256[32];
	enum ay_set_state state;
	uint32_t parts; /* AY_PART_BIT()s that the host may be compared with */
};

/* A new reference; NULL without memory. */
struct ay_blob *ay_rules_blob(const struct ay_policy *p, const struct ay_refset *const *sets,
			      const uint32_t *parts, size_t n);
/* Views borrow from in. AY_E_INPUT names the field. */
AY_MUST_USE enum ay_rc ay_rules_parse(struct ay_bytes in, struct ay_rules *out, struct ay_err *e);
/* i < n_sets */
struct ay_rules_set ay_rules_at(const struct ay_rules *r, uint32_t i);

#endif
