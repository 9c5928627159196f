/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_IMA_JUDGE_H
#define AY_APPRAISE_IMA_JUDGE_H

/*
 * One entry of an IMA list by the rules in force. Which rule counts first
 * (docs/formats/ima.md):
 *
 *   file    forbidden digest, path rule deny, path rule ignore, bad signature,
 *           path rule require_signed, allow-lists, path rule signed, path rule
 *           allow; what is left is unknown
 *   buffer  digest of its octets, rule deny, rules of the policy, sets
 *
 * A violation is counted and nothing else: the kernel extended all ones, so
 * that not even its path is known for certain.
 */
#include "core/appraise/ima_tally.h"
#include "core/appraise/ima_verify.h"
#include "core/appraise/policy.h"
#include "core/appraise/reference.h"

/* Rules in force, gathered from policy and sets: valid as long as those. */
struct ay_ima_judge {
	const struct ay_policy *policy;
	size_t n_files, n_forbidden, n_bufs;
	const struct ay_rule **files, **forbidden, **bufs;
	const struct ay_refset **files_of; /* the set of each of files[] */
	struct ay_ima_verifier verifier;   /* keys of policy and sets */
	uint64_t violations;		   /* the most that any allow-list had */
	struct {			   /* the first entry */
		uint16_t alg;
		struct ay_bytes digest;
	} aggregate;
	bool fault; /* something could not be evaluated: no verdict */
};

/*
 * Rules are counted in by_rule[] of a tally in this order: allow-lists, keys,
 * path rules. Index of the first of each, AY_TALLY_RULES - 1 for all beyond.
 */
size_t ay_ima_judge_key_at(const struct ay_ima_judge *j);
size_t ay_ima_judge_path_at(const struct ay_ima_judge *j);

/* Is there anything that can accept an entry, or must nothing be expected yet? */
bool ay_ima_judge_has_rules(const struct ay_ima_judge *j);

/* Judge one more entry; the first of a list is boot_aggregate, judged elsewhere. */
void ay_ima_judge_entry(struct ay_ima_judge *j, struct ay_ima_tally *t,
			const struct ay_ima_entry *ent);

#endif
