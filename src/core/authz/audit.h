/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_AUDIT_H
#define AY_AUTHZ_AUDIT_H

/*
 * The audit's records and what makes them tamper-evident: every record names
 * the leaf hash of the one before, and all leaves form a Merkle tree whose
 * head (size and root) is signed and handed out. docs/formats/audit.md.
 *
 * Record, big-endian: u8 version (1), u64 number from 0, i64 instant (ms since
 * 1970), 32 leaf hash of the record before (zero for the first), v16 actor,
 * v16 action, v16 object, v32 detail (a JSON object).
 *
 * Spec  [RFC6962 2.1] leaf and node hashes
 */
#include "core/base/reader.h"
#include "core/base/writer.h"

#define AY_AUDIT_TEXT_MAX 1024
#define AY_AUDIT_DETAIL_MAX 65536
#define AY_AUDIT_RECORD_MAX (64 + 3 * (2 + AY_AUDIT_TEXT_MAX) + 4 + AY_AUDIT_DETAIL_MAX)

/* Views borrow from the record, or from the caller when building. */
struct ay_audit_record {
	uint64_t number;
	int64_t at;
	uint8_t prev[32];
	struct ay_bytes actor;
	struct ay_bytes action;
	struct ay_bytes object;
	struct ay_bytes detail;
};

AY_MUST_USE enum ay_rc ay_audit_record_parse(struct ay_bytes in, struct ay_audit_record *out,
					     struct ay_err *e);
void ay_audit_record_write(struct ay_writer *w, const struct ay_audit_record *r);

/* The leaves so far, as the roots of the full subtrees they make. Zeroed: no leaf. */
struct ay_audit_tree {
	uint64_t size;
	uint8_t last[32];     /* leaf hash of the last record */
	uint8_t full[64][32]; /* full[b] is set when bit b of size is */
	/* made[b]: the full subtree of 2^(b+1) leaves that the last record completed; not kept */
	unsigned n_made;
	uint8_t made[64][32];
};

/* [RFC6962 2.1]: SHA-256 of 0 and the record, of 1 and both children. out may be a child. */
void ay_audit_leaf_hash(struct ay_bytes record, uint8_t out[32]);
void ay_audit_node_hash(const uint8_t left[32], const uint8_t right[32], uint8_t out[32]);

/*
 * Take the next record. AY_E_CRYPTO with code AUDIT_CHAIN when its number is
 * not the next one or prev is not the last leaf hash; nothing is taken then.
 */
AY_MUST_USE enum ay_rc ay_audit_tree_add(struct ay_audit_tree *t, struct ay_bytes record,
					 struct ay_err *e);
/* Root over all leaves; SHA-256 of nothing for an empty tree. */
void ay_audit_tree_root(const struct ay_audit_tree *t, uint8_t root[32]);

/* The frontier as kept beside the records: u64 size, 32 last, the full roots from the lowest bit.
 */
#define AY_AUDIT_TREE_WIRE (8 + 32 + 64 * 32)
void ay_audit_tree_write(struct ay_writer *w, const struct ay_audit_tree *t);
AY_MUST_USE enum ay_rc ay_audit_tree_parse(struct ay_bytes in, struct ay_audit_tree *out,
					   struct ay_err *e);

/* A head that somebody kept. */
struct ay_audit_head {
	uint64_t size;
	uint8_t root[32];
};

/* Who says so. Views are the caller's. */
struct ay_audit_seal {
	int64_t at_ms;
	struct ay_bytes signature; /* ECDSA P-256, r and s */
	struct ay_bytes key;	   /* SubjectPublicKeyInfo, DER */
};
#define AY_AUDIT_SEALED_MAX 80
/* What is signed: "assay-audit-head-1", u64 size, i64 at, 32 root. */
void ay_audit_sealed_write(struct ay_writer *w, const struct ay_audit_head *h, int64_t at_ms);
/*
 * Is the head what the key signed, and is the key the one that is known?
 * seal NULL: it has no signature; pin (SHA-256 of the SPKI) NULL: any key.
 * AY_E_CRYPTO with AUDIT_HEAD_UNSIGNED, AUDIT_HEAD_KEY, AUDIT_HEAD_SIGNATURE.
 */
AY_MUST_USE enum ay_rc ay_audit_seal_check(const struct ay_audit_head *h,
					   const struct ay_audit_seal *seal, const uint8_t *pin,
					   struct ay_err *e);

/* Verification of a whole audit, record after record from the first. Zeroed but for head: ready. */
struct ay_audit_check {
	struct ay_audit_tree tree;
	const struct ay_audit_head *head; /* NULL: none given, only the chain is checked */
	bool head_met;
};

/* AY_E_CRYPTO: AUDIT_CHAIN, or AUDIT_HEAD when the records up to the head's size make another root.
 */
AY_MUST_USE enum ay_rc ay_audit_check_add(struct ay_audit_check *c, struct ay_bytes record,
					  struct ay_err *e);
/* After the last record: AY_E_CRYPTO with AUDIT_ROLLBACK when there are fewer than the head says.
 */
AY_MUST_USE enum ay_rc ay_audit_check_end(const struct ay_audit_check *c, struct ay_err *e);

#endif
