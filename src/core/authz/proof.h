/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_PROOF_H
#define AY_AUTHZ_PROOF_H

/*
 * Proofs over the audit's Merkle tree: that a record is under a head, and that
 * a later head holds all an earlier one held. Making one asks for the roots of
 * full subtrees, a few for each doubling of the tree; checking one needs
 * nothing but the heads. docs/formats/audit.md.
 *
 * Spec  [RFC6962 2.1.1, 2.1.2], [RFC9162 2.1.3.2, 2.1.4.2] for the checks
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

#define AY_PROOF_MAX 128 /* hashes in a proof, whatever the size of the tree */

/*
 * The root of the full subtree of 2^level leaves that begins at leaf index *
 * 2^level. Level 0: a leaf hash. AY_E_NOENT when there is none.
 */
typedef enum ay_rc ay_node_fn(void *arg, unsigned level, uint64_t index, uint8_t out[32],
			      struct ay_err *e);

struct ay_proof {
	size_t n;
	uint8_t hash[AY_PROOF_MAX][32];
};

/* Root of the first size leaves. */
AY_MUST_USE enum ay_rc ay_proof_root(ay_node_fn *get, void *arg, uint64_t size, uint8_t root[32],
				     struct ay_err *e);
/* AY_E_INPUT unless leaf < size. */
AY_MUST_USE enum ay_rc ay_proof_inclusion(ay_node_fn *get, void *arg, uint64_t leaf, uint64_t size,
					  struct ay_proof *out, struct ay_err *e);
/* AY_E_INPUT unless from <= to. Empty when from is 0 or to. */
AY_MUST_USE enum ay_rc ay_proof_consistency(ay_node_fn *get, void *arg, uint64_t from, uint64_t to,
					    struct ay_proof *out, struct ay_err *e);

/* AY_E_CRYPTO with AUDIT_PROOF when the proof does not lead from the leaf hash to the root. */
AY_MUST_USE enum ay_rc ay_proof_check_inclusion(const struct ay_proof *p, uint64_t leaf,
						uint64_t size, const uint8_t leaf_hash[32],
						const uint8_t root[32], struct ay_err *e);
/* AY_E_CRYPTO with AUDIT_FORK when the tree of `to` does not hold that of `from`. */
AY_MUST_USE enum ay_rc ay_proof_check_consistency(const struct ay_proof *p, uint64_t from,
						  uint64_t to, const uint8_t from_root[32],
						  const uint8_t to_root[32], struct ay_err *e);

#endif
